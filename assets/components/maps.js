// Linked maps: the same rows under several methods, one selection, all in the browser.
//
// core/frontend/maps.py writes the messages, see `unpack` in common.js, which stands before this file. A message of
// kind "pictures" is kept for the maps that name it by its id; one of kind "maps" is drawn. What comes back are two
// state values: "selection", "<id of the rows>:<turn>:<a bit a row, base64>", and "look", JSON of the hidden classes,
// the zoomed maps and the enlarged one, which the page keeps in its address.

const NOWHERE = 65535; // a coordinate of a row that has no place in a map
const REACH = { mouse: 12, pen: 14, touch: 24 }; // CSS pixels from a point that still mean it
const MOST_CORNERS = 2000; // of a lasso
const MOST_THUMBNAILS = 70; // drawn in the place of points, once so few are in view
const MOST_PICTURES = 2; // data sets whose pictures are kept, some 30 MB each once decoded
const MOST_NAMES = 24; // classes whose names stand on the maps
const MOST_BESIDE = 60; // selected rows that are shown beside the maps
const THUMB = 32; // CSS pixels of a picture beside the maps
const SETTLED = 600; // milliseconds after the last zoom or move until the server hears of it
const UNITS = 65534; // of the wider axis of a map

// Shared by all mounts on the page, which may each have loaded this file.
const pictures = (globalThis.hourglassPictures ??= { kept: new Map(), waiting: new Set() });
const mounted = (globalThis.hourglassMaps ??= new WeakMap());

export default function ({ data, parentElement, setStateValue }) {
  const message = unpack(data);
  if (message.kind === "pictures") {
    keepPictures(message);
    return;
  }
  if (!mounted.has(parentElement)) mounted.set(parentElement, new LinkedMaps(parentElement));
  const maps = mounted.get(parentElement);
  maps.update(message, setStateValue);
  // Streamlit calls this once the element is gone.
  return () => {
    maps.leave();
    mounted.delete(parentElement);
  };
}

async function keepPictures(message) {
  if (pictures.kept.has(message.id)) return;
  const kept = { texts: message.texts, titles: message.titles, cells: message.cells };
  kept.cells.forEach((column, k) => (column.values = message.arrays[`cells${k}`]));
  pictures.kept.set(message.id, kept);
  for (const id of [...pictures.kept.keys()].slice(0, -MOST_PICTURES)) {
    pictures.kept.get(id).image?.close();
    URL.revokeObjectURL(pictures.kept.get(id).url);
    pictures.kept.delete(id);
  }
  if (message.arrays.sprite) {
    [kept.width, kept.height, kept.columns] = [message.width, message.height, message.columns];
    const sprite = new Blob([message.arrays.sprite], { type: message.type });
    kept.url = URL.createObjectURL(sprite);
    kept.image = await createImageBitmap(sprite);
  }
  kept.isHere = true;
  for (const maps of pictures.waiting) maps.picturesCame();
}

// --- Elements ---------------------------------------------------------------------------------------------------

function tiny(label, title, onclick) {
  return element("button", { type: "button", class: "tiny", "aria-label": title, title, onclick }, label);
}

const rounded = (x) => Number(x.toFixed(4));

// A number in four digits, or a date of days since 1970.
function worded(value, isDate) {
  if (!Number.isFinite(value)) return "–";
  const date = new Date(Math.round(value * 86_400_000)); // none beyond the year 275,760
  if (isDate && Number.isFinite(date.valueOf())) {
    const [day, time] = date.toISOString().split("T");
    return value % 1 ? `${day} ${time.slice(0, 5)}` : day;
  }
  return Math.abs(value) >= 1000 && Math.abs(value) < 1e15 ? counted(Math.round(value)) : String(Number(value.toPrecision(4)));
}

function save(blob, name) {
  const link = element("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const rowsOf = (n) => `${counted(n)} ${n === 1 ? "row" : "rows"}`;

// --- Colours and marks ------------------------------------------------------------------------------------------

function channels(hex) {
  return [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
}

// As a pixel of an ImageData on a little-endian machine, opaque.
function pixel([red, green, blue]) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

function mixed(colour, ground, share) {
  return colour.map((c, k) => Math.round(c * share + ground[k] * (1 - share)));
}

const MARKS = ["disc", "ring", "square", "diamond"];
const DISTANCE = {
  disc: (x, y) => Math.hypot(x, y),
  ring: (x, y) => Math.hypot(x, y),
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) * 1.1,
  diamond: (x, y) => (Math.abs(x) + Math.abs(y)) * 0.85,
};

// The pixels a mark covers around its middle, and how much of each: 0..255.
const stamps = new Map();
function stampOf(mark, radius) {
  const name = `${mark}/${radius.toFixed(2)}`;
  if (stamps.has(name)) return stamps.get(name);
  const reach = Math.ceil(radius * 1.2 + 1);
  const [dx, dy, cover] = [[], [], []];
  for (let y = -reach; y <= reach; y++) {
    for (let x = -reach; x <= reach; x++) {
      const distance = DISTANCE[mark](x, y);
      let share = Math.min(Math.max(radius + 0.5 - distance, 0), 1);
      if (mark === "ring") share -= Math.min(Math.max(radius * 0.45 + 0.5 - distance, 0), 1);
      if (share > 0.04) {
        dx.push(x);
        dy.push(y);
        cover.push(Math.round(share * 255));
      }
    }
  }
  const stamp = { dx: Int8Array.from(dx), dy: Int8Array.from(dy), cover: Uint8Array.from(cover), reach };
  if (stamps.size > 200) stamps.clear();
  stamps.set(name, stamp);
  return stamp;
}

function put(buffer, width, height, x, y, stamp, colour) {
  const { dx, dy, cover, reach } = stamp;
  const inside = x >= reach && y >= reach && x < width - reach && y < height - reach;
  for (let k = 0; k < cover.length; k++) {
    const px = x + dx[k];
    const py = y + dy[k];
    if (!inside && (px < 0 || py < 0 || px >= width || py >= height)) continue;
    const at = py * width + px;
    const a = cover[k];
    const under = buffer[at];
    const b = under >>> 24;
    if (a === 255) buffer[at] = colour;
    else if (b === 0) buffer[at] = ((colour & 0xffffff) | (a << 24)) >>> 0;
    else {
      const below = (b * (255 - a)) / 255;
      const whole = a + below;
      const red = ((colour & 255) * a + (under & 255) * below) / whole;
      const green = (((colour >> 8) & 255) * a + ((under >> 8) & 255) * below) / whole;
      const blue = (((colour >> 16) & 255) * a + ((under >> 16) & 255) * below) / whole;
      buffer[at] = ((whole << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    }
  }
}

// --- One map ----------------------------------------------------------------------------------------------------

class Panel {
  constructor(maps) {
    this.maps = maps;
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.overlay = element("canvas", { class: "over", tabindex: "0", role: "application" });
    this.stage = element("div", { class: "stage" }, this.canvas, this.overlay);
    this.title = element("figcaption", {});
    this.note = element("span", { class: "note" });
    this.figures = element("div", { class: "figures" });
    this.outside = element("div", { class: "note outside" });
    this.absent = element("div", { class: "absent" });
    this.large = tiny("⤢", "", () => maps.enlarge(maps.large === this.about.key ? "" : this.about.key));
    this.figure = element(
      "figure",
      {},
      element(
        "div",
        { class: "head" },
        element("div", {}, this.title, this.note),
        element(
          "div",
          { class: "buttons" },
          tiny("−", "Zoom out", () => this.zoom(1 / 1.5)),
          tiny("+", "Zoom in", () => this.zoom(1.5)),
          tiny("Fit", "Fit to the classes shown", () => this.refit()),
          this.large,
        ),
      ),
      this.stage,
      this.figures,
      this.outside,
    );
    this.pointers = new Map();
    const kinds = ["down", "move", "up", "cancel", "leave"].map((kind) => `pointer${kind}`);
    for (const kind of [...kinds, "lostpointercapture"]) {
      this.overlay.addEventListener(kind, (event) => this[kind](event));
    }
    this.overlay.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.overlay.addEventListener("keydown", (event) => this.keydown(event));
    this.overlay.addEventListener("blur", () => maps.hover(-1));
    this.size = [0, 0];
  }

  // Whether its points are others than before.
  set(about) {
    const before = this.about;
    this.about = about;
    this.title.textContent = about.title;
    this.note.textContent = about.note;
    this.figures.replaceChildren(
      ...about.figures.map(([name, value, more, help]) =>
        element("span", { title: help }, element("b", {}, `${name} ${value}`), " ", element("span", { class: "note" }, more)),
      ),
    );
    this.points = about.points;
    this.placed = 0;
    for (let k = 0; k < this.points.length; k += 2) if (this.points[k] !== NOWHERE) this.placed++;
    this.figure.classList.toggle("is-absent", Boolean(about.absent));
    if (about.absent) {
      this.absent.replaceChildren(element("p", {}, about.absent));
      this.stage.append(this.absent);
    } else this.absent.remove();
    this.overlay.setAttribute(
      "aria-label",
      `Map ${about.title}, ${about.note}. ${rowsOf(this.placed)} placed. ` +
        about.figures.map(([name, value]) => `${name} ${value}.`).join(" ") +
        " Arrow keys move between points, Enter selects, Shift and Enter adds, Escape undoes enlarging or clears, plus and minus zoom, 0 fits.",
    );
    // Another map under the same name, for example an aligned one, is looked at anew.
    if (!before || before.shape !== about.shape) {
      this.bounds = null;
      this.view = null;
      this.moved = false;
      this.middles = null;
    }
    return Boolean(before) && before.shape !== about.shape;
  }

  // The memory of its pictures, which the browser would free late.
  leave() {
    cancelAnimationFrame(this.waiting);
    this.image = null;
    for (const canvas of [this.canvas, this.overlay]) canvas.width = canvas.height = 0;
  }

  label() {
    const isLarge = this.maps.large === this.about.key;
    this.figure.classList.toggle("large", isLarge);
    this.figure.hidden = Boolean(this.maps.large) && !isLarge;
    const name = isLarge ? "Back to all maps (Escape)" : "Enlarge this map";
    this.large.setAttribute("aria-label", name);
    this.large.setAttribute("aria-pressed", isLarge);
    this.large.title = name;
  }

  // Bounds of all but a few far-off points of the classes that are shown, in the units of the message.
  whole() {
    if (this.bounds) return this.bounds;
    const [xs, ys] = [[], []];
    for (let k = 0; k < this.points.length; k += 2) {
      if (this.points[k] === NOWHERE || this.maps.unseen[k / 2]) continue;
      xs.push(this.points[k]);
      ys.push(this.points[k + 1]);
    }
    if (!xs.length) return (this.bounds = [0, 0, 1, 1]);
    const [sx, sy] = [Uint16Array.from(xs).sort(), Uint16Array.from(ys).sort()];
    const ends = (s) => {
      const cut = Math.floor(s.length * 0.003);
      const [low, high] = [s[cut], s[s.length - 1 - cut]];
      const [lowest, highest] = [s[0], s[s.length - 1]];
      return highest - lowest > 1.5 * (high - low) ? [low, high] : [lowest, highest];
    };
    const [[left, right], [low, high]] = [ends(sx), ends(sy)];
    return (this.bounds = [left, low, right, high]);
  }

  fit() {
    this.frame(this.whole(), 0.9);
    this.fitted = this.view.scale;
    this.moved = false;
  }

  // Show these bounds in the middle, in a share `room` of the map.
  frame([left, low, right, high], room) {
    const [width, height] = this.size;
    const scale = Math.min((width * room) / Math.max(right - left, 1), (height * room) / Math.max(high - low, 1));
    this.view = { scale: Math.min(scale, width), x: (left + right) / 2, y: (low + high) / 2 };
  }

  refit() {
    this.fit();
    this.draw();
    this.maps.lookChanged();
  }

  // Where it is looked at, whatever its size: the middle and the shorter side, as shares of the wider axis.
  get zoomed() {
    if (!this.moved || !this.view) return this.wanted ?? null;
    const { scale, x, y } = this.view;
    return [x / UNITS, y / UNITS, Math.min(...this.size) / scale / UNITS];
  }

  // Look where `zoomed` was; without a size yet, once it has one.
  look(zoomed) {
    this.wanted = zoomed;
    if (!this.size[0]) return;
    this.fit();
    if (!zoomed) return;
    const [x, y, side] = zoomed;
    const scale = Math.min(...this.size) / (side * UNITS);
    this.view = { scale: Math.min(Math.max(scale, this.fitted / 4), this.fitted * 400), x: x * UNITS, y: y * UNITS };
    this.moved = true;
    this.wanted = null;
  }

  // Show these rows in the middle, a single one no smaller than it is.
  centre(rows) {
    const known = rows.filter((k) => this.points[2 * k] !== NOWHERE);
    if (!known.length || !this.view) return;
    const xs = known.map((k) => this.points[2 * k]);
    const ys = known.map((k) => this.points[2 * k + 1]);
    const { scale } = this.view;
    this.frame([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)], 0.6);
    const most = Math.max(scale, 3 * this.fitted);
    this.view.scale = Math.min(this.view.scale, most);
    this.moved = true;
    this.draw();
  }

  // Whether it was drawn anew.
  resize() {
    const width = Math.round(this.stage.clientWidth);
    const height = Math.round(this.stage.clientHeight);
    const ratio = Math.min(globalThis.devicePixelRatio || 1, 2);
    if (!width || !height) return false;
    if (width === this.size[0] && height === this.size[1] && ratio === this.ratio) return false;
    const { zoomed } = this;
    this.size = [width, height];
    this.ratio = ratio;
    for (const canvas of [this.canvas, this.overlay]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    this.image = null;
    this.look(zoomed);
    this.draw();
    return true;
  }

  // Place of row `k` on the screen, in CSS pixels.
  place(k) {
    return this.project(this.points[2 * k], this.points[2 * k + 1]);
  }

  project(x, y) {
    const { scale, x: cx, y: cy } = this.view;
    return [(x - cx) * scale + this.size[0] / 2, this.size[1] / 2 - (y - cy) * scale];
  }

  radius() {
    const n = this.maps.n;
    const base = n <= 300 ? 3.6 : n <= 1000 ? 2.9 : n <= 3000 ? 2.3 : n <= 20_000 ? 1.7 : 1.4;
    const wide = Math.sqrt(Math.min(this.size[0], 700) / 380);
    const zoom = Math.min(this.view.scale / this.fitted, 16) ** 0.3;
    return Math.min(Math.max(base * wide * zoom, 1.4), 7) * this.ratio;
  }

  draw() {
    if (this.about.absent || !this.size[0] || !this.maps.message) return;
    if (!this.view) this.fit();
    const { maps, points, ratio } = this;
    const context = (this.context ??= this.canvas.getContext("2d"));
    const { width, height } = this.canvas;
    this.image ??= context.createImageData(width, height);
    const buffer = new Uint32Array(this.image.data.buffer);
    buffer.fill(0);
    const { scale, x: cx, y: cy } = this.view;
    const [sx, ox] = [scale * ratio, width / 2 - cx * scale * ratio];
    const [sy, oy] = [-scale * ratio, height / 2 + cy * scale * ratio];
    const [radius, some] = [this.radius(), maps.count > 0];
    const { order, mask, tones, markNumbers, unseen } = maps;
    const { full, faded } = maps.palette();
    const small = MARKS.map((mark) => stampOf(mark, radius));
    const large = MARKS.map((mark) => stampOf(mark, radius * 1.2));
    const margin = 20 * ratio;
    const inView = [];
    let outside = 0;
    for (const pass of some ? [0, 1] : [1]) {
      const [colours, marks] = [some && !pass ? faded : full, some && pass ? large : small];
      for (let i = 0; i < order.length; i++) {
        const k = order[i];
        const qx = points[2 * k];
        if (qx === NOWHERE || unseen[k] || (some && mask[k] !== pass)) continue;
        const x = Math.round(qx * sx + ox);
        const y = Math.round(points[2 * k + 1] * sy + oy);
        if (x < 0 || y < 0 || x >= width || y >= height) outside++;
        else if (inView.length <= MOST_THUMBNAILS) inView.push(k);
        if (x < -margin || y < -margin || x > width + margin || y > height + margin) continue;
        put(buffer, width, height, x, y, marks[markNumbers[k]], colours[tones[k]]);
      }
    }
    context.putImageData(this.image, 0, 0);
    if (this.showsThumbnails(inView)) this.thumbnails(context, inView, this.ratio);
    this.say(outside);
    this.grid = null;
    this.drawOver();
  }

  showsThumbnails(inView) {
    return inView.length <= MOST_THUMBNAILS && this.view.scale > 1.4 * this.fitted;
  }

  thumbnails(context, rows, ratio) {
    const side = 30;
    for (const k of rows) {
      const [x, y] = this.place(k);
      const box = [x - side / 2, y - side / 2, side, side].map((v) => v * ratio);
      if (!this.maps.drawPicture(context, k, ...box)) return;
      context.lineWidth = (this.maps.mask[k] ? 3 : 1.5) * ratio;
      context.strokeStyle = this.maps.css(k);
      context.strokeRect(...box);
    }
  }

  // How row `k` is drawn, as one number, and back.
  shape(k) {
    const { mask, markNumbers, tones } = this.maps;
    return (tones[k] * MARKS.length + markNumbers[k]) * 2 + mask[k];
  }

  shaped(code) {
    const rest = code >> 1;
    return { pass: code & 1, mark: rest % MARKS.length, tone: Math.floor(rest / MARKS.length) };
  }

  say(outside) {
    const lost = this.points.length / 2 - this.placed;
    const parts = this.about.remark ? [this.about.remark] : [];
    if (lost) parts.push(`${rowsOf(lost)} ${lost === 1 ? "has" : "have"} no position in this map`);
    if (outside) parts.push(`${rowsOf(outside)} outside this view`);
    this.outside.textContent = parts.join("; ");
  }

  // What changes while the pointer moves: names, rings, stars, the lasso.
  drawOver() {
    if (this.about.absent || !this.size[0] || !this.view) return;
    const context = (this.over ??= this.overlay.getContext("2d"));
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.overlay.width, this.overlay.height);
    context.scale(this.ratio, this.ratio);
    this.marks(context);
  }

  marks(context) {
    const { maps } = this;
    if (maps.names) this.drawNames(context);
    for (const k of this.about.near ?? []) if (!maps.unseen[k]) this.ring(context, k, 6, maps.ink, 1.5);
    if (maps.count === 1) this.ring(context, maps.mask.indexOf(1), 8, maps.ink, 2.5);
    if (maps.hovered >= 0) this.ring(context, maps.hovered, 10, maps.ink, 2.5);
    if (this.about.star) this.star(context, ...this.about.star);
    if (this.path?.length > 1) {
      context.beginPath();
      this.path.forEach(([x, y], k) => (k ? context.lineTo(x, y) : context.moveTo(x, y)));
      context.closePath();
      context.fillStyle = "rgba(128, 128, 128, 0.18)";
      context.fill();
      context.setLineDash([5, 4]);
      context.lineWidth = 1.5;
      context.strokeStyle = maps.ink;
      context.stroke();
      context.setLineDash([]);
    }
  }

  ring(context, k, radius, colour, width) {
    if (k < 0 || this.points[2 * k] === NOWHERE) return;
    const [x, y] = this.place(k);
    for (const [style, line] of [
      [this.maps.ground, width + 2.5],
      [colour, width],
    ]) {
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.lineWidth = line;
      context.strokeStyle = style;
      context.stroke();
    }
  }

  star(context, qx, qy) {
    const [width, height] = this.size;
    let [x, y] = this.project(qx, qy);
    [x, y] = [Math.min(Math.max(x, 10), width - 10), Math.min(Math.max(y, 10), height - 10)];
    context.beginPath();
    for (let k = 0; k < 10; k++) {
      const [r, angle] = [k % 2 ? 5 : 12, (k * Math.PI) / 5 - Math.PI / 2];
      context.lineTo(x + r * Math.cos(angle), y + r * Math.sin(angle));
    }
    context.closePath();
    context.lineJoin = "round";
    context.lineWidth = 4;
    context.strokeStyle = this.maps.ground;
    context.stroke();
    context.fillStyle = this.maps.ink;
    context.fill();
  }

  drawNames(context) {
    const { maps } = this;
    this.middles ??= maps.middles(this.points);
    context.font = `600 12px ${maps.font}`;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.lineJoin = "round";
    // Where two names would stand on one another, the larger class keeps its own.
    this.named = [];
    for (const [label, qx, qy] of this.middles) {
      if (maps.hidden.has(label)) continue;
      const name = maps.message.names[label];
      const half = context.measureText(name).width / 2 + 3;
      const [width, height] = this.size;
      let [x, y] = this.project(qx, qy);
      if (x < 0 || y < 0 || x > width || y > height) continue;
      x = Math.max(half, Math.min(x, width - half));
      const box = [x - half, y - 9, x + half, y + 9];
      if (this.named.some(([l, t, r, b]) => box[0] < r && l < box[2] && box[1] < b && t < box[3])) continue;
      this.named.push(box);
      context.lineWidth = 4;
      context.strokeStyle = maps.ground;
      context.strokeText(name, x, y);
      context.fillStyle = maps.ink;
      context.fillText(name, x, y);
    }
  }

  // The row nearest to a place, within `reach` CSS pixels; -1 where there is none.
  nearest(x, y, reach) {
    const cell = 24;
    if (!this.grid) {
      this.grid = new Map();
      const { scale, x: cx, y: cy } = this.view;
      const [halfWidth, halfHeight] = [this.size[0] / 2, this.size[1] / 2];
      for (let k = 0; k < this.maps.n; k++) {
        if (this.maps.unseen[k] || this.points[2 * k] === NOWHERE) continue;
        const px = (this.points[2 * k] - cx) * scale + halfWidth;
        const py = halfHeight - (this.points[2 * k + 1] - cy) * scale;
        const name = Math.floor(px / cell) * 100003 + Math.floor(py / cell);
        if (this.grid.has(name)) this.grid.get(name).push(k);
        else this.grid.set(name, [k]);
      }
    }
    let [best, nearest] = [-1, reach * reach];
    const steps = Math.ceil(reach / cell);
    const [gx, gy] = [Math.floor(x / cell), Math.floor(y / cell)];
    for (let i = gx - steps; i <= gx + steps; i++) {
      for (let j = gy - steps; j <= gy + steps; j++) {
        for (const k of this.grid.get(i * 100003 + j) ?? []) {
          const [px, py] = this.place(k);
          const squared = (px - x) ** 2 + (py - y) ** 2;
          if (squared < nearest) [best, nearest] = [k, squared];
        }
      }
    }
    return best;
  }

  zoom(factor, x = this.size[0] / 2, y = this.size[1] / 2) {
    if (!this.view) return;
    const scale = Math.min(Math.max(this.view.scale * factor, this.fitted / 4), this.fitted * 400);
    const [dx, dy] = [x - this.size[0] / 2, y - this.size[1] / 2];
    const change = 1 / this.view.scale - 1 / scale;
    Object.assign(this.view, { scale, x: this.view.x + dx * change, y: this.view.y - dy * change });
    this.moved = true;
    this.maps.hover(-1);
    this.soon();
    this.maps.lookChanged();
  }

  soon() {
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = null;
      this.draw();
    });
  }

  at(event) {
    const box = this.overlay.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  pointerdown(event) {
    if (event.button > 0) return;
    this.overlay.setPointerCapture?.(event.pointerId);
    this.pointers.set(event.pointerId, this.at(event));
    if (this.pointers.size >= 2) {
      this.start = this.path = null;
      this.pinch = this.spread();
      this.maps.hover(-1);
      this.drawOver();
      return;
    }
    this.start = { at: this.at(event), last: this.at(event), moved: false };
  }

  spread() {
    const [[ax, ay], [bx, by]] = [...this.pointers.values()];
    return { distance: Math.max(Math.hypot(ax - bx, ay - by), 1), middle: [(ax + bx) / 2, (ay + by) / 2] };
  }

  pointermove(event) {
    const at = this.at(event);
    if (this.pointers.has(event.pointerId)) this.pointers.set(event.pointerId, at);
    if (this.pointers.size >= 2) {
      const now = this.spread();
      this.pan(now.middle[0] - this.pinch.middle[0], now.middle[1] - this.pinch.middle[1]);
      this.zoom(now.distance / this.pinch.distance, ...now.middle);
      this.pinch = now;
    } else if (this.start) this.drag(at, event.pointerType);
    else if (event.pointerType !== "touch") this.maps.hover(this.nearest(...at, REACH.mouse), this);
  }

  drag([x, y], pointer) {
    const { start } = this;
    // What lies outside the view is not meant.
    const at = [Math.min(Math.max(x, 0), this.size[0]), Math.min(Math.max(y, 0), this.size[1])];
    const wobble = pointer === "touch" ? 12 : 5;
    if (!start.moved && Math.hypot(at[0] - start.at[0], at[1] - start.at[1]) < wobble) return;
    if (!start.moved) this.maps.hover(-1);
    start.moved = true;
    if (this.maps.tool === "move") this.pan(at[0] - start.last[0], at[1] - start.last[1]);
    else if (this.maps.tool === "box") {
      const [[ax, ay], [bx, by]] = [start.at, at];
      this.path = [
        [ax, ay],
        [bx, ay],
        [bx, by],
        [ax, by],
      ];
      this.drawOver();
    } else {
      this.path ??= [start.at];
      const [lx, ly] = this.path.at(-1);
      if (this.path.length < MOST_CORNERS && Math.hypot(at[0] - lx, at[1] - ly) >= 2) this.path.push(at);
      this.drawOver();
    }
    start.last = at;
  }

  pan(dx, dy) {
    if (!this.view) return;
    this.view.x -= dx / this.view.scale;
    this.view.y += dy / this.view.scale;
    this.moved = true;
    this.soon();
    this.maps.lookChanged();
  }

  pointerup(event) {
    this.pointers.delete(event.pointerId);
    const { start, path } = this;
    if (!start) return;
    this.start = this.path = null;
    const how = event.altKey ? "less" : event.shiftKey || this.maps.adds ? "add" : "only";
    // A click that wobbled must not clear a selection.
    const meant = path?.some(([x, y]) => Math.hypot(x - start.at[0], y - start.at[1]) >= 10);
    if (path) this.drawOver();
    if (!start.moved || (path && !meant)) {
      const k = this.nearest(...start.at, REACH[event.pointerType] ?? REACH.mouse);
      if (k < 0) {
        this.maps.hover(-1);
        return;
      }
      if (event.pointerType === "touch") this.maps.hover(k, this);
      this.maps.click(k, event.shiftKey || event.ctrlKey || event.metaKey || this.maps.adds);
    } else if (path) this.maps.choose(this.within(path), how);
  }

  pointercancel(event) {
    this.pointers.delete(event.pointerId);
    this.start = this.path = null;
    this.drawOver();
  }

  lostpointercapture(event) {
    // The figure was taken away in mid-gesture: no pointerup comes.
    if (!this.pointers.delete(event.pointerId)) return;
    this.start = this.path = null;
    this.drawOver();
  }

  pointerleave(event) {
    // A finger that was lifted has left, and its card stays to be read.
    if (event.pointerType === "touch" || this.start || this.overlay.matches(":focus-visible")) return;
    this.maps.hover(-1);
  }

  // Rows in view of this map within a closed path. Even-odd rule, in the units of the message.
  within(path) {
    const { points } = this;
    const { n, unseen } = this.maps;
    const { scale, x: cx, y: cy } = this.view;
    const [width, height] = this.size;
    const X = Float64Array.from(path, ([x]) => (x - width / 2) / scale + cx);
    const Y = Float64Array.from(path, ([, y]) => cy - (y - height / 2) / scale);
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let i = 0; i < X.length; i++) {
      [left, right] = [Math.min(left, X[i]), Math.max(right, X[i])];
      [low, high] = [Math.min(low, Y[i]), Math.max(high, Y[i])];
    }
    const rows = [];
    for (let k = 0; k < n; k++) {
      const x = points[2 * k];
      const y = points[2 * k + 1];
      if (x === NOWHERE || unseen[k] || x < left || x > right || y < low || y > high) continue;
      let inside = false;
      for (let i = 0, j = X.length - 1; i < X.length; j = i++) {
        if (Y[i] > y !== Y[j] > y && x < ((X[j] - X[i]) * (y - Y[i])) / (Y[j] - Y[i]) + X[i]) inside = !inside;
      }
      if (inside) rows.push(k);
    }
    return rows;
  }

  wheel(event) {
    // A page that is scrolled past must not be held up by its maps.
    if (!(event.ctrlKey || event.metaKey || this.maps.tool === "move")) return;
    event.preventDefault();
    this.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), ...this.at(event));
  }

  keydown(event) {
    // The browser's own, such as Ctrl and plus.
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const { maps } = this;
    if (step) {
      const k = this.next(maps.hovered, step);
      if (k >= 0) this.reveal(k);
      maps.hover(k, this, true);
    } else if (event.key === "Enter" && maps.hovered >= 0) maps.click(maps.hovered, event.shiftKey || maps.adds);
    else if (event.key === "Escape") maps.escape();
    else if (event.key === "+" || event.key === "=") this.zoom(1.5);
    else if (event.key === "-") this.zoom(1 / 1.5);
    else if (event.key === "0") this.refit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // A row outside the view is brought to its middle.
  reveal(k) {
    const [x, y] = this.place(k);
    if (x >= 0 && y >= 0 && x <= this.size[0] && y <= this.size[1]) return;
    Object.assign(this.view, { x: this.points[2 * k], y: this.points[2 * k + 1] });
    this.moved = true;
    this.draw();
    this.maps.lookChanged();
  }

  // The nearest row in a direction; from nowhere, the one nearest to the middle.
  next(from, [dx, dy]) {
    const aimless = from < 0 || this.points[2 * from] === NOWHERE;
    const [x, y] = aimless ? [this.size[0] / 2, this.size[1] / 2] : this.place(from);
    let [best, least] = [from, Infinity];
    for (let k = 0; k < this.maps.n; k++) {
      if (k === from || this.maps.unseen[k] || this.points[2 * k] === NOWHERE) continue;
      const [px, py] = this.place(k);
      const along = (px - x) * dx + (py - y) * dy;
      const aside = Math.abs((px - x) * dy) + Math.abs((py - y) * dx);
      const cost = aimless ? Math.hypot(px - x, py - y) : along + 2 * aside;
      if ((aimless || (along > 0.5 && aside <= along * 1.2)) && cost < least) [best, least] = [k, cost];
    }
    return best;
  }
}

// --- As a picture of its own ------------------------------------------------------------------------------------

// XML knows no control characters.
const xml = (text) =>
  String(text)
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, " ")
    .replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const short = (x) => Number(x.toFixed(2));

const SHAPES = {
  disc: (r, colour) => `<circle r="${r}" fill="${colour}"/>`,
  ring: (r, colour) => `<circle r="${short(r * 0.72)}" fill="none" stroke-width="${short(r * 0.55)}" stroke="${colour}"/>`,
  square: (r, colour) => `<rect x="${-r}" y="${-r}" width="${2 * r}" height="${2 * r}" fill="${colour}"/>`,
  diamond: (r, colour) => `<path d="M0 ${-r * 1.2}L${r * 1.2} 0L0 ${r * 1.2}L${-r * 1.2} 0Z" fill="${colour}"/>`,
};

// What a panel draws with, of a canvas's context; it leaves SVG.
class SvgContext {
  constructor(canvas) {
    this.measure = canvas.getContext("2d");
    this.parts = [];
  }
  beginPath() {
    this.path = "";
  }
  moveTo(x, y) {
    this.path += `M${short(x)} ${short(y)}`;
  }
  lineTo(x, y) {
    this.path += `${this.path ? "L" : "M"}${short(x)} ${short(y)}`;
  }
  arc(x, y, r) {
    this.path += `M${short(x - r)} ${short(y)}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;
  }
  closePath() {
    this.path += "Z";
  }
  setLineDash() {}
  stroke() {
    this.parts.push(`<path d="${this.path}" fill="none" stroke="${this.strokeStyle}" stroke-width="${this.lineWidth}"/>`);
  }
  fill() {
    this.parts.push(`<path d="${this.path}" fill="${this.fillStyle}"/>`);
  }
  measureText(text) {
    this.measure.font = this.font;
    return this.measure.measureText(text);
  }
  text(text, x, y, style) {
    this.parts.push(`<text x="${short(x)}" y="${short(y)}" font-weight="600" font-size="12" text-anchor="middle" dominant-baseline="central" ${style}>${xml(text)}</text>`);
  }
  strokeText(text, x, y) {
    this.text(text, x, y, `fill="none" stroke="${this.strokeStyle}" stroke-width="${this.lineWidth}" stroke-linejoin="round"`);
  }
  fillText(text, x, y) {
    this.text(text, x, y, `fill="${this.fillStyle}"`);
  }
  drawImage(image, left, top, width, height, x, y, w, h) {
    const canvas = element("canvas", { width, height });
    canvas.getContext("2d").drawImage(image, left, top, width, height, 0, 0, width, height);
    this.parts.push(`<image x="${short(x)}" y="${short(y)}" width="${w}" height="${h}" style="image-rendering:pixelated" href="${canvas.toDataURL()}"/>`);
  }
  strokeRect(x, y, width, height) {
    this.parts.push(`<rect x="${short(x)}" y="${short(y)}" width="${width}" height="${height}" fill="none" stroke="${this.strokeStyle}" stroke-width="${this.lineWidth}"/>`);
  }
}

// The maps as shown, with titles, figures and legend: SVG text and its size.
function drawing(maps) {
  const { message, ink, ground } = maps;
  const panels = [...maps.panels.values()].filter((panel) => !panel.figure.hidden);
  const context = new SvgContext(element("canvas"));
  const { full, faded } = maps.palette().css;
  const some = maps.count > 0;
  const [gap, head] = [16, 40];
  const parts = [];
  const line = (x, y, size, text, more = "") => parts.push(`<text x="${short(x)}" y="${short(y)}" font-size="${size}" ${more}>${xml(text)}</text>`);
  let [x, foot] = [gap, 0];
  panels.forEach((panel, number) => {
    const { about, size, ratio } = panel;
    const [width, height] = size;
    line(x, 20, 14, about.title, 'font-weight="650"');
    line(x, 35, 11, about.note);
    about.figures.forEach(([name, value, more], k) => {
      line(x, head + height + 18 + 32 * k, 12, `${name} ${value}`, 'font-weight="600"');
      line(x, head + height + 33 + 32 * k, 11, more);
    });
    foot = Math.max(foot, head + height + 8 + 32 * about.figures.length);
    const r = short(panel.radius() / ratio);
    const drawn = [...new Set(maps.order.map((k) => panel.shape(k)))];
    const shapes = drawn.map((code) => {
      const { pass, mark, tone } = panel.shaped(code);
      const colour = some && !pass ? faded[tone] : full[tone];
      return `<g id="m${number}-${code}">${SHAPES[MARKS[mark]](some && pass ? short(r * 1.2) : r, colour)}</g>`;
    });
    context.parts = [];
    const inView = [];
    for (const pass of some ? [0, 1] : [1]) {
      for (const k of maps.order) {
        if (panel.points[2 * k] === NOWHERE || maps.unseen[k] || (some && maps.mask[k] !== pass)) continue;
        const [px, py] = panel.place(k);
        if (px < 0 || py < 0 || px >= width || py >= height) continue;
        inView.push(k);
        context.parts.push(`<use href="#m${number}-${panel.shape(k)}" x="${short(px)}" y="${short(py)}"/>`);
      }
    }
    if (!about.absent && panel.view) {
      if (panel.showsThumbnails(inView)) panel.thumbnails(context, inView, 1);
      panel.marks(context);
    } else line(x + 12, head + 24, 12, about.absent);
    parts.push(
      `<defs>${shapes.join("")}</defs><svg x="${x}" y="${head}" width="${width}" height="${height}">${context.parts.join("")}</svg>` +
        `<rect x="${x}" y="${head}" width="${width}" height="${height}" rx="6" fill="none" stroke="${ink}" stroke-opacity="0.25"/>`,
    );
    x += Math.max(width, 235) + gap;
  });
  const width = Math.max(x, 420);
  let [lx, ly] = [gap, foot + 26];
  const entry = (shape, text) => {
    context.font = "12px sans-serif";
    const long = context.measureText(text).width + 34;
    if (lx + long > width && lx > gap) [lx, ly] = [gap, ly + 20];
    parts.push(`<g transform="translate(${lx + 6} ${ly - 4})">${shape}</g>`);
    line(lx + 16, ly, 12, text);
    lx += long;
  };
  if (message.ramp?.categories.length) {
    line(lx, ly, 12, message.ramp.label, 'font-weight="600"');
    context.font = "600 12px sans-serif";
    lx += context.measureText(message.ramp.label).width + 14;
    message.ramp.categories.forEach((name, k) => entry(SHAPES[message.ramp.marks[k]](5, full[k]), name));
  } else if (message.ramp) {
    const { light, label, low, high } = message.ramp;
    const bar = light.map((_, k) => `<rect x="${short((k * 120) / light.length - 6)}" y="-5" width="${short(120 / light.length + 0.5)}" height="10" fill="${full[k]}"/>`);
    entry(bar.join(""), "");
    lx = gap + 122;
    line(lx, ly, 12, `${label}: ${low} to ${high}`);
  } else {
    for (const label of maps.labels().filter((each) => !maps.hidden.has(each))) {
      const known = label >= 0 && label < message.marks.length;
      const tone = known ? label : full.length - 1;
      if (maps.labels().length > 1) entry(SHAPES[known ? message.marks[label] : "disc"](5, full[tone]), message.names[label] ?? "unlabelled");
    }
  }
  const height = ly + 14;
  return {
    width,
    height,
    text:
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" fill="${ink}">` +
      `<rect width="${width}" height="${height}" fill="${ground}"/>${parts.join("")}</svg>`,
  };
}

async function saveAs(maps, kind) {
  const { text, width, height } = drawing(maps);
  const name = `${maps.message.file}.${kind}`;
  const svg = new Blob([text], { type: "image/svg+xml" });
  if (kind === "svg") return save(svg, name);
  const image = new Image();
  image.src = URL.createObjectURL(svg);
  await image.decode();
  URL.revokeObjectURL(image.src);
  const canvas = element("canvas", { width: 2 * width, height: 2 * height });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((png) => save(png, name), "image/png");
}

// --- All maps ---------------------------------------------------------------------------------------------------

class LinkedMaps {
  constructor(parent) {
    this.hidden = new Set();
    this.panels = new Map();
    this.hovered = -1;
    this.count = 0;
    this.tool = globalThis.matchMedia?.("(pointer: coarse)").matches ? "move" : "lasso";
    this.names = true;
    this.adds = false;
    this.turn = null;
    this.large = "";
    this.lookTurn = null;
    this.build();
    parent.append(this.root);
    pictures.waiting.add(this);
    this.observer = new ResizeObserver(() => {
      if (!this.root.isConnected) return;
      for (const panel of this.panels.values()) panel.resize();
    });
    this.observer.observe(this.root);
    document.addEventListener("keydown", this.keydown);
  }

  // The page took other colours, see the style of `.probe`.
  repaint = () => {
    if (!this.message || !this.root.isConnected) return;
    this.theme();
    this.colours = null;
    this.makeLegend();
    this.redraw();
  };

  // Wherever the focus is, but for a field that is typed in.
  keydown = (event) => {
    const typed = event.composedPath()[0]?.matches?.("input, textarea, [contenteditable=true]");
    if (event.key === "Escape" && this.large && !event.defaultPrevented && !typed) this.enlarge("");
  };

  leave() {
    pictures.waiting.delete(this);
    this.observer.disconnect();
    clearTimeout(this.looking);
    document.removeEventListener("keydown", this.keydown);
    for (const panel of this.panels.values()) panel.leave();
    this.panels.clear();
  }

  build() {
    const tool = (name, label, title) =>
      element("button", { type: "button", "data-tool": name, title, onclick: () => this.take(name) }, label);
    this.tools = element(
      "div",
      { class: "tools", role: "group", "aria-label": "Drag mode" },
      tool("lasso", "Lasso", "Drag around points to select them; Shift adds, Alt removes"),
      tool("box", "Box", "Drag a box over points to select them; Shift adds, Alt removes"),
      tool("move", "Move", "Drag to move a map; the wheel or two fingers zoom"),
    );
    this.adding = element("button", { type: "button", class: "plain", "aria-pressed": false, onclick: () => this.add() }, "Add");
    this.adding.title = "Add to the selection, as with Shift";
    this.named = element("button", { type: "button", class: "plain", onclick: () => this.nameClasses() }, "Names");
    this.named.title = "Show or hide the names of the classes on the maps";
    this.clearing = element("button", { type: "button", class: "plain clearing", onclick: () => this.clear() }, "Clear selection");
    this.field = element("input", { type: "search", "aria-label": "Find a row", enterkeyhint: "search", autocomplete: "off" });
    this.answer = element("span", { class: "note", role: "status" });
    this.finding = element("form", { class: "find", role: "search" }, this.field, element("button", { type: "submit" }, "Find"));
    this.finding.addEventListener("submit", (event) => {
      event.preventDefault();
      this.find(this.field.value);
    });
    const saving = (kind) =>
      element("button", { type: "button", title: `Save the maps as shown, as ${kind.toUpperCase()}`, onclick: () => saveAs(this, kind) }, kind.toUpperCase());
    this.saving = element("div", { class: "tools", role: "group", "aria-label": "Save the maps" }, saving("png"), saving("svg"));
    this.status = element("div", { class: "status", role: "status", "aria-live": "polite" });
    this.beside = element("div", { class: "beside", role: "group", "aria-label": "Selected rows; arrow keys move, Enter selects only that row" });
    this.beside.addEventListener("keydown", (event) => this.walk(event, this.beside));
    this.probe = element("span", { class: "probe", "aria-hidden": "true", ontransitionend: this.repaint });
    this.spoken = element("div", { class: "hidden", "aria-live": "assertive" });
    this.legend = element("div", { class: "legend", role: "group", "aria-label": "Classes; arrow keys move, Enter shows or hides, Shift+Enter shows only that one" });
    this.legend.addEventListener("keydown", (event) => this.walk(event, this.legend));
    this.ramp = element("div", { class: "ramp" });
    this.grid = element("div", { class: "maps" });
    this.thumbnail = element("canvas", { "aria-hidden": "true" });
    this.title = element("b");
    this.words = element("div", { class: "words" });
    this.cells = element("div", { class: "cells" });
    this.about = element("div", { class: "note" });
    this.card = element("div", { class: "card", hidden: true }, this.thumbnail, element("div", {}, this.title, this.words, this.cells, this.about));
    this.root = element(
      "div",
      { class: "linked" },
      element("div", { class: "bar" }, this.tools, this.adding, this.named, this.clearing, this.finding, this.saving, this.answer),
      this.legend,
      this.ramp,
      element("div", { class: "body" }, this.grid, element("div", { class: "side" }, this.status, this.beside)),
      this.spoken,
      this.probe,
      this.card,
    );
    this.take(this.tool);
  }

  take(tool) {
    this.tool = tool;
    for (const button of this.tools.children) button.setAttribute("aria-pressed", button.dataset.tool === tool);
    this.root?.setAttribute("data-tool", tool);
  }

  add() {
    this.adds = !this.adds;
    this.adding.setAttribute("aria-pressed", this.adds);
  }

  nameClasses() {
    this.names = !this.names;
    this.named.setAttribute("aria-pressed", this.names);
    this.drawOver();
  }

  update(message, setStateValue) {
    this.setStateValue = setStateValue;
    const before = this.message;
    const n = message.arrays.rows.length;
    this.message = message;
    this.root.classList.toggle("bare", Boolean(message.bare));
    this.theme();
    if (!before || before.id !== message.id) {
      this.n = n;
      this.order = shuffled(n);
      this.hovered = -1;
      this.card.hidden = true;
      this.turn = this.lookTurn = null;
      this.answer.textContent = "";
    }
    // A selection that the server has not heard of yet is newer than its own.
    if (this.turn === null || message.heard === String(this.turn)) this.accept(message.arrays.selected);
    else for (const about of message.maps) about.near = [];
    const { look } = message;
    const isHeard = this.lookTurn === null || message.heardLook === String(this.lookTurn);
    if (isHeard) {
      this.hidden = new Set(look.hidden);
      this.large = message.maps.some((about) => about.key === look.enlarged) ? look.enlarged : "";
    }
    // What is selected is shown, for example what the page selected itself.
    const veiled = message.arrays.selected.filter((k) => this.mask[k] && this.isHidden(k));
    if (veiled.length) {
      for (const k of veiled) this.hidden.delete(message.arrays.labels[k]);
      this.lookChanged();
    }
    this.colours = null;
    this.prepare();
    this.makeLegend();
    this.makePanels(isHeard ? look.zooms : null);
    this.showStatus();
    this.picturesCame();
  }

  // What drawing asks of each row.
  prepare() {
    const { arrays, ramp, colours, marks } = this.message;
    const none = (ramp ? ramp.light : colours.light).length;
    const byCategory = Boolean(ramp?.categories.length);
    const numbers = (byCategory ? ramp.marks : marks).map((mark) => MARKS.indexOf(mark));
    this.tones = new Uint16Array(this.n);
    this.markNumbers = new Uint8Array(this.n);
    this.unseen = new Uint8Array(this.n);
    for (let k = 0; k < this.n; k++) {
      const label = arrays.labels[k];
      const known = label >= 0 && label < marks.length;
      this.tones[k] = ramp ? (arrays.values[k] === 255 ? none : arrays.values[k]) : known ? label : none;
      this.markNumbers[k] = (byCategory ? numbers[arrays.values[k]] : known && numbers[label]) || 0;
      this.unseen[k] = this.hidden.has(label) ? 1 : 0;
    }
    for (const panel of this.panels.values()) panel.bounds = null;
  }

  // The selection as the server has it.
  accept(selected) {
    this.mask = new Uint8Array(this.n);
    for (const k of selected) this.mask[k] = 1;
    this.count = selected.length;
  }

  // `zooms` : key of a map -> where the server has it looked at; null where that is not news.
  makePanels(zooms = null) {
    const { message } = this;
    const [kept, reshaped] = [new Map(), new Set()];
    message.maps.forEach((about, k) => {
      about.points = message.arrays[`map${k}`];
      const panel = this.panels.get(about.key) ?? new Panel(this);
      if (panel.set(about)) reshaped.add(panel);
      kept.set(about.key, panel);
    });
    for (const [key, panel] of this.panels) if (!kept.has(key)) panel.leave();
    this.panels = kept;
    const figures = [...kept.values()].map((panel) => panel.figure);
    const same = figures.length === this.grid.children.length && figures.every((f, k) => f === this.grid.children[k]);
    if (!same) this.grid.replaceChildren(...figures);
    if (!kept.has(this.large)) this.large = "";
    this.grid.dataset.count = this.large ? 1 : figures.length;
    for (const panel of kept.values()) {
      panel.label();
      const wanted = zooms?.[panel.about.key] ?? null;
      if (zooms && !reshaped.has(panel) && String(wanted) !== String(panel.zoomed?.map(rounded) ?? null)) panel.look(wanted);
      if (!panel.resize()) panel.draw();
    }
    if (reshaped.size) this.lookChanged();
    this.root.dataset.rows = message.id;
    this.root.dataset.drawn = figures.length;
  }

  theme() {
    const style = getComputedStyle(this.root);
    this.groundRGB = colourOf(this.probe);
    this.ground = `rgb(${this.groundRGB.join(" ")})`;
    this.dark = isDark(this.groundRGB);
    this.ink = style.color;
    this.font = style.fontFamily || "sans-serif";
  }

  palette() {
    if (this.colours) return this.colours;
    const { message, dark } = this;
    const theme = dark ? "dark" : "light";
    const of = message.ramp ? message.ramp[theme] : message.colours[theme];
    const rgb = of.map(channels);
    const none = channels(message.none[theme]);
    const strong = [...rgb, none];
    const pale = strong.map((c) => mixed(c, this.groundRGB, dark ? 0.3 : 0.2));
    return (this.colours = {
      css: { full: [...of, message.none[theme]], faded: pale.map((c) => `rgb(${c.join(" ")})`) },
      full: strong.map(pixel),
      faded: pale.map(pixel),
    });
  }

  css = (k) => this.palette().css.full[this.tones[k]];
  isHidden = (k) => this.hidden.has(this.message.arrays.labels[k]);
  labels = () => [...new Set(this.message.arrays.labels)].sort((a, b) => (a < 0) - (b < 0) || a - b);

  splitOf(k) {
    const { split, arrays } = this.message;
    return arrays.isTest ? ["train", "test"][arrays.isTest[k]] : split;
  }

  nameOf(k) {
    const label = this.message.arrays.labels[k];
    return this.message.names[label] ?? (this.message.names.length ? "unlabelled" : "");
  }

  // Of each class the middle of its points, as [label, x, y]; the largest class first.
  middles(points) {
    if (!this.message.names.length || this.message.names.length > MOST_NAMES) return [];
    const places = this.message.names.map(() => [[], []]);
    this.message.arrays.labels.forEach((label, k) => {
      if (!places[label] || points[2 * k] === NOWHERE) return;
      places[label][0].push(points[2 * k]);
      places[label][1].push(points[2 * k + 1]);
    });
    const median = (values) => Uint16Array.from(values).sort()[values.length >> 1];
    const found = places.flatMap(([xs, ys], label) => (xs.length ? [[label, median(xs), median(ys)]] : []));
    return found.sort(([a], [b]) => places[b][0].length - places[a][0].length);
  }

  // --- Legend

  makeLegend() {
    const { message } = this;
    const counts = new Map();
    for (const label of message.arrays.labels) counts.set(label, (counts.get(label) ?? 0) + 1);
    const labels = this.labels();
    this.legend.hidden = labels.length < 2;
    this.legend.classList.toggle("titled", Boolean(message.ramp));
    this.named.hidden = !message.names.length || message.names.length > MOST_NAMES;
    this.named.setAttribute("aria-pressed", this.names);
    const theme = this.dark ? "dark" : "light";
    this.makeRamp(theme);
    // One that stays the same is left alone: a pointer or a screen reader may be on it.
    const now = JSON.stringify([labels.map((label) => [label, counts.get(label)]), message.names, theme, !message.ramp]);
    if (now === this.legendOf) {
      this.showHidden();
      return;
    }
    this.legendOf = now;
    const chips = labels.map((label, k) => {
      const name = message.names[label] ?? "unlabelled";
      const colour = message.colours[theme][label] ?? message.none[theme];
      const mark = message.marks[label] ?? "disc";
      const chip = element(
        "button",
        {
          type: "button",
          "data-label": label,
          "aria-pressed": !this.hidden.has(label),
          title: "Click to show or hide in all maps, Shift-click to show only this class",
          tabindex: k ? -1 : 0,
          onclick: (event) => this.toggle(label, event.shiftKey || event.ctrlKey || event.metaKey),
        },
        message.ramp ? null : swatch(mark, colour),
        element("span", {}, name),
        element("span", { class: "note" }, counted(counts.get(label))),
      );
      return chip;
    });
    const focused = this.legend.getRootNode().activeElement?.dataset?.label;
    this.legend.replaceChildren(...chips);
    const again = chips.find((chip) => chip.dataset.label === focused);
    if (again) {
      chips.forEach((chip) => (chip.tabIndex = chip === again ? 0 : -1));
      again.focus({ preventScroll: true });
    }
  }

  makeRamp(theme) {
    const { message } = this;
    const { ramp, arrays } = message;
    this.ramp.replaceChildren();
    this.ramp.hidden = !ramp;
    if (!ramp) return;
    const counts = new Map();
    for (const value of arrays.values) counts.set(value, (counts.get(value) ?? 0) + 1);
    const ends = [ramp.low, element("span", { class: "bar-of", "aria-hidden": "true" }), ramp.high];
    ends[1].style.background = `linear-gradient(90deg, ${ramp[theme].join(", ")})`;
    const note = (value) => element("span", { class: "note" }, counted(counts.get(value) ?? 0));
    const chips = ramp.categories.map((name, value) => {
      const rows = () => [...arrays.values.keys()].filter((k) => arrays.values[k] === value && !this.unseen[k]);
      const onclick = (event) => this.choose(rows(), event.shiftKey || this.adds ? "add" : "only");
      const title = "Click to select these rows, Shift-click to add them";
      return element("button", { type: "button", title, onclick }, swatch(ramp.marks[value], ramp[theme][value]), element("span", {}, name), note(value));
    });
    const none = counts.has(255) ? [element("span", { class: "none" }, swatch("disc", message.none[theme]), " no value ", note(255))] : [];
    this.ramp.append(element("b", {}, ramp.label), ...(chips.length ? chips : ends), ...none);
  }

  showHidden() {
    for (const chip of this.legend.children) {
      chip.setAttribute("aria-pressed", !this.hidden.has(Number(chip.dataset.label)));
    }
  }

  walk(event, group) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const chips = [...group.querySelectorAll("button")];
    const at = chips.indexOf(event.target.closest("button"));
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (event.key === "Escape") this.escape();
    else if (step && at >= 0) {
      const to = chips[(at + step + chips.length) % chips.length];
      chips.forEach((chip) => (chip.tabIndex = chip === to ? 0 : -1));
      to.focus();
    } else return;
    event.preventDefault();
  }

  toggle(label, only) {
    const labels = [...this.legend.children].map((chip) => Number(chip.dataset.label));
    if (only) {
      const alone = labels.every((l) => this.hidden.has(l) === (l !== label));
      this.hidden = new Set(alone ? [] : labels.filter((l) => l !== label));
    } else if (!this.hidden.delete(label)) this.hidden.add(label);
    this.lookChanged();
    this.showHidden();
    this.prepare();
    // What can't be seen is not selected: the maps and the panel below show the same rows.
    const kept = this.selectedRows().filter((k) => !this.isHidden(k));
    const changed = kept.length !== this.count;
    this.accept(kept);
    if (changed) this.forgetNear();
    this.hover(-1);
    this.redraw();
    if (changed) this.send();
  }

  // --- How the maps are looked at

  enlarge(key) {
    this.large = key;
    this.grid.dataset.count = key ? 1 : this.panels.size;
    for (const panel of this.panels.values()) panel.label();
    for (const panel of this.panels.values()) panel.resize();
    this.hover(-1);
    this.lookChanged();
    const shown = key ? this.panels.get(key).figure : this.root;
    if (key || this.root.getBoundingClientRect().bottom < 0) shown.scrollIntoView({ block: "nearest" });
  }

  escape() {
    this.hover(-1);
    if (this.large) this.enlarge("");
    else this.clear();
  }

  // The server hears of it once it rests.
  lookChanged() {
    this.lookTurn = Math.max(Date.now(), (this.lookTurn ?? 0) + 1);
    clearTimeout(this.looking);
    this.looking = setTimeout(() => {
      if ([...this.panels.values()].some((panel) => panel.pointers.size)) this.lookChanged();
      else this.sendLook();
    }, SETTLED);
  }

  sendLook() {
    const zooms = {};
    for (const [key, panel] of this.panels) if (panel.zoomed) zooms[key] = panel.zoomed.map(rounded);
    const look = { id: this.message.id, turn: String(this.lookTurn), hidden: [...this.hidden], zooms, enlarged: this.large };
    this.setStateValue("look", JSON.stringify(look));
  }

  // Select the row of this number, or the documents whose titles hold these words, and bring them to the middle.
  find(text) {
    const asked = text.trim().toLowerCase();
    if (!asked) return;
    const number = /^[\d,]+$/.test(asked) ? Number(asked.replaceAll(",", "")) : null;
    const { arrays } = this.message;
    let found = number === null ? [] : [...arrays.rows.keys()].filter((k) => arrays.rows[k] === number);
    const titles = this.titles();
    if (!found.length && titles) {
      const words = asked.split(/\s+/);
      found = titles.flatMap((title, k) => (words.every((word) => title.toLowerCase().includes(word)) ? [k] : []));
    }
    if (!found.length) {
      this.answer.textContent = titles ? `Not in a title of the ${rowsOf(this.n)} drawn.` : `Not among the ${rowsOf(this.n)} drawn.`;
      return;
    }
    this.answer.textContent = found.length > 1 ? `${counted(found.length)} found.` : "";
    if (found.some(this.isHidden)) {
      for (const k of found) this.hidden.delete(arrays.labels[k]);
      this.showHidden();
      this.prepare();
    }
    for (const panel of this.panels.values()) panel.centre(found);
    this.lookChanged();
    this.choose(found, "only");
  }

  // --- Selection

  selectedRows() {
    const rows = [];
    for (let k = 0; k < this.n; k++) if (this.mask[k]) rows.push(k);
    return rows;
  }

  choose(rows, how) {
    const chosen = new Set(how === "only" ? rows : this.selectedRows());
    if (how === "add") rows.forEach((k) => chosen.add(k));
    if (how === "less") rows.forEach((k) => chosen.delete(k));
    this.accept([...chosen]);
    this.forgetNear();
    this.redraw();
    this.send();
  }

  // Neighbours of another selection, until the server says those of this one.
  forgetNear() {
    for (const panel of this.panels.values()) panel.about.near = [];
  }

  click(k, add) {
    if (add) this.choose([k], this.mask[k] ? "less" : "add");
    else this.choose(this.count === 1 && this.mask[k] ? [] : [k], "only");
  }

  clear() {
    if (!this.count) return;
    this.choose([], "only");
  }

  send() {
    const bytes = new Uint8Array(Math.ceil(this.n / 8));
    for (let k = 0; k < this.n; k++) if (this.mask[k]) bytes[k >> 3] |= 128 >> (k & 7);
    // Never the same turn twice, in no mount: the same rows chosen again are news.
    this.turn = this.latest = Math.max(Date.now(), (this.latest ?? 0) + 1);
    this.setStateValue("selection", `${this.message.id}:${this.turn}:${btoa(String.fromCharCode(...bytes))}`);
  }

  showStatus() {
    this.clearing.disabled = !this.count;
    const counts = new Map();
    for (const k of this.selectedRows()) counts.set(this.nameOf(k), (counts.get(this.nameOf(k)) ?? 0) + 1);
    const most = [...counts].filter(([name]) => name).sort((a, b) => b[1] - a[1]);
    const of = most.slice(0, 4).map(([name, count]) => `${name}: ${counted(count)}`);
    if (most.length > 4) of.push(`${most.length - 4} more classes`);
    this.besideSoon();
    const text = this.count
      ? `${counted(this.count)} of ${rowsOf(this.n)} selected${of.length ? ` (${of.join(", ")})` : ""}`
      : `${rowsOf(this.n)}, none selected`;
    // A screen reader says again what is written again.
    if (this.status.textContent !== text) this.status.textContent = text;
    this.root.dataset.selected = this.count;
  }

  redraw() {
    for (const panel of this.panels.values()) panel.draw();
    this.showStatus();
  }

  // After the maps are painted, which are looked at first.
  besideSoon() {
    this.besideWaits ??= requestAnimationFrame(() =>
      setTimeout(() => {
        this.besideWaits = null;
        if (this.root.isConnected) this.showBeside();
      }),
    );
  }

  // Pictures or titles of selected rows, evenly spread over all, before the server says more of them.
  showBeside() {
    const rows = this.selectedRows();
    const step = Math.max(rows.length / MOST_BESIDE, 1);
    const few = [...Array(Math.min(rows.length, MOST_BESIDE)).keys()].map((k) => rows[Math.floor(k * step)]);
    const kept = this.kept();
    const now = `${this.message.id} ${Boolean(kept?.isHere)} ${this.dark} ${few}`;
    if (now === this.besideOf) return;
    this.besideOf = now;
    if (!few.length) {
      this.beside.replaceChildren(element("p", { class: "note" }, "Drag around points in any map, or click one, to see the rows here."));
      return;
    }
    const only = (k) => () => this.choose([k], "only");
    const titles = this.titles();
    const chips = few.map((k, place) => {
      const title = titles?.[k] || (kept?.cells?.length ? this.numberOf(k) : undefined);
      const about = this.numberOf(k);
      const chip = element(
        "button",
        {
          type: "button",
          class: title === undefined ? "thumb" : "titled",
          tabindex: place ? -1 : 0,
          title: `${about}. Click to select only this row`,
          "aria-label": [title, this.nameOf(k), about].filter(Boolean).join(", "),
          onclick: only(k),
          onpointerenter: () => this.hover(k),
          onpointerleave: () => this.hover(-1),
          onfocus: () => this.hover(k),
          onblur: () => this.hover(-1),
        },
        title ?? null,
      );
      chip.style.setProperty("--mark", this.css(k));
      if (title === undefined && kept?.image) {
        const { width, height, image, url } = kept;
        const scale = THUMB / Math.max(width, height);
        const at = placeIn(kept, k);
        Object.assign(chip.style, {
          width: `${width * scale}px`,
          height: `${height * scale}px`,
          backgroundImage: `url(${url})`,
          backgroundSize: `${image.width * scale}px ${image.height * scale}px`,
          backgroundPosition: at.map((from) => `${-from * scale}px`).join(" "),
        });
      } else if (title === undefined) chip.append(String(this.message.arrays.rows[k]));
      return chip;
    });
    const more = few.length < rows.length ? element("p", { class: "note" }, `${few.length} of ${counted(rows.length)}, evenly spread`) : null;
    this.beside.replaceChildren(...chips, ...(more ? [more] : []));
  }

  drawOver() {
    for (const panel of this.panels.values()) panel.drawOver();
  }

  // --- What is under the pointer

  hover(k, panel, spoken = false) {
    if (k === this.hovered && !spoken) return;
    this.hovered = k;
    this.drawOver();
    this.card.hidden = k < 0 || (!panel && !spoken);
    if (k < 0) return;
    const kept = this.kept();
    const title = this.titles()?.[k];
    const isTable = Boolean(kept?.cells?.length);
    const number = this.numberOf(k);
    this.title.textContent = title || (isTable ? number : this.nameOf(k));
    this.words.textContent = kept?.texts?.[k]?.[1] ?? "";
    const cell = ({ categories, values, isDate }) => (categories.length ? (categories[values[k]] ?? "–") : worded(values[k], isDate));
    this.cells.replaceChildren(...(kept?.cells ?? []).flatMap((column) => [element("span", {}, column.name), element("span", {}, cell(column))]));
    const about = [title || isTable ? this.nameOf(k) : "", !title && isTable ? "" : number, this.valueOf(k)];
    this.about.textContent = about.filter(Boolean).join(" · ");
    this.card.classList.toggle("of-text", Boolean(kept?.texts || isTable));
    this.showThumbnail(k);
    this.placeCard(k, panel);
    this.root.dataset.hovered = this.message.arrays.rows[k];
    if (spoken) this.spoken.textContent = `${this.title.textContent}, ${this.about.textContent}${this.mask[k] ? ", selected" : ""}`;
  }

  valueOf(k) {
    const { ramp, arrays } = this.message;
    if (!ramp || arrays.values[k] === 255 || this.kept()?.cells.some(({ name }) => name === ramp.label)) return "";
    return `${ramp.label} ${ramp.categories[arrays.values[k]] ?? worded(arrays.exact[k], ramp.isDate)}`;
  }

  // "test row 1,234"
  numberOf(k) {
    return `${this.splitOf(k)} ${this.message.noun} ${counted(this.message.arrays.rows[k])}`;
  }

  // Of each row, "" where it has none; null for rows that have none.
  titles() {
    const kept = this.kept();
    if (kept?.titles?.length) return kept.titles;
    return kept?.texts ? (kept.titles = kept.texts.map(([title]) => title)) : null;
  }

  kept() {
    return pictures.kept.get(this.message?.pictures);
  }

  picturesCame() {
    const kept = this.kept();
    if (kept?.isHere) this.root.dataset.pictures = this.message.pictures;
    else delete this.root.dataset.pictures;
    this.field.placeholder = this.titles() ? "Title or row number" : "Row number";
    this.besideSoon();
    if (this.hovered >= 0) this.showThumbnail(this.hovered);
  }

  drawPicture(context, k, x, y, width, height) {
    const kept = this.kept();
    if (!kept?.image) return false;
    const [left, top] = placeIn(kept, k);
    const scale = Math.min(width / kept.width, height / kept.height);
    const [w, h] = [kept.width * scale, kept.height * scale];
    context.imageSmoothingEnabled = false;
    context.drawImage(kept.image, left, top, kept.width, kept.height, x + (width - w) / 2, y + (height - h) / 2, w, h);
    return true;
  }

  showThumbnail(k) {
    const kept = this.kept();
    this.thumbnail.hidden = !kept?.image;
    if (!kept?.image) return;
    const scale = Math.max(1, Math.floor(84 / Math.max(kept.width, kept.height)));
    this.thumbnail.width = kept.width * scale;
    this.thumbnail.height = kept.height * scale;
    this.drawPicture(this.thumbnail.getContext("2d"), k, 0, 0, this.thumbnail.width, this.thumbnail.height);
  }

  placeCard(k, panel) {
    if (!panel) return;
    const [x, y] = panel.place(k);
    const stage = panel.stage.getBoundingClientRect();
    const root = this.root.getBoundingClientRect();
    const [left, top] = [stage.left - root.left + x, stage.top - root.top + y];
    const [width, height] = [this.card.offsetWidth, this.card.offsetHeight];
    const right = left + 18 + width <= root.width;
    this.card.style.left = `${Math.max(0, right ? left + 18 : left - 18 - width)}px`;
    this.card.style.top = `${Math.max(0, Math.min(top - height / 2, root.height - height))}px`;
  }
}
