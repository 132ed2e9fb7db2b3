// Dragging in latent space: a decoder's picture of a code follows the pointer, in the browser.
//
// core/frontend/latent.py writes the messages, see `unpack` in common.js, which stands before this file. One of kind
// "decoder", "grid" or "pictures" is kept for the scene that names it by its id; one of kind "manifold" or "sliders" is
// such a scene. What comes back is one state value, "view", once a drag ends:
// "<id>|<code>|<dimensions on the pad>|<frozen dimensions>|<what is behind>".
// Where a decoder is none of fully connected layers the server answers, through the mount of answer.js: it sends
// "asked", "<id of the decoder>|<turn>|<code>", and its next message holds the picture.

const MOST_DECODERS = 6; // kept; ten megabytes the largest
const MOST_PICTURES = 3;
const MOST_ASKED = 100; // milliseconds between questions to the server
const LOST = 4000; // milliseconds after which an answer is not waited for
const WAIT = 250; // milliseconds from the end of a drag to sending
const BUSY = 24; // milliseconds of a frame for the pictures behind the pad
const FARTHEST = 3; // standard deviations to the edge of a plane with a prior
const LARGEST = 336; // CSS pixels of the large picture
const COARSE = 16; // pixels of an image's side below which they are shown as squares
const SHOWN_SLIDERS = 12;
const MOST_NAMES = 12; // classes in the legend
const MORPH = 600; // milliseconds
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const BEHIND = { images: "Decoded images", rows: "Test rows", both: "Both" };

// Shared by all mounts on the page, which may each have loaded this file.
const shared = (globalThis.hourglassLatent ??= {
  decoders: new Map(),
  grids: new Map(),
  pictures: new Map(),
  asking: new Map(),
  views: new Set(),
  turn: 0,
});
const answers = (globalThis.hourglassAnswers ??= { all: new Map() });
const mounted = (globalThis.hourglassLatentMounts ??= new WeakMap());

export default function ({ data, parentElement, setStateValue }) {
  if (!data?.length) return; // only to have this file fetched
  const message = unpack(data);
  if (message.kind === "decoder") keep(shared.decoders, message.id, () => new Network(message), MOST_DECODERS);
  else if (message.kind === "grid") keep(shared.grids, message.id, () => message, MOST_DECODERS);
  else if (message.kind === "pictures") keep(shared.pictures, message.id, () => new Pictures(message), MOST_PICTURES);
  else return mount(message, parentElement, setStateValue);
}

function mount(message, parent, setStateValue) {
  const Kind = message.kind === "sliders" ? Sliders : Manifold;
  let view = mounted.get(parent);
  if (view && view.message.kind !== message.kind) {
    view.leave();
    view = null;
  }
  if (!view) mounted.set(parent, (view = new Kind(parent)));
  view.update(message, setStateValue);
  // Streamlit calls this once the element is gone.
  return () => {
    view.leave();
    mounted.delete(parent);
  };
}

// A picture from the server, and whom to ask for the next; the mount of answer.js calls it, early or late.
function heard(answer) {
  const message = unpack(answer.data);
  shared.asking.set(message.id, answer.ask);
  for (const view of shared.views) view.heard(message);
}
answers.heard = heard;
answers.left = (answer) => {
  for (const [id, ask] of shared.asking) if (ask === answer.ask) shared.asking.delete(id);
};
for (const answer of answers.all.values()) heard(answer);

function keep(kept, id, make, most) {
  if (kept.has(id)) return;
  kept.set(id, make());
  for (const old of [...kept.keys()].slice(0, -most)) kept.delete(old);
  for (const view of shared.views) view.came();
}

// --- Pictures of the rows ---------------------------------------------------------------------------------------

class Pictures {
  constructor(message) {
    [this.width, this.height, this.columns] = [message.width, message.height, message.columns];
    createImageBitmap(new Blob([message.arrays.sprite], { type: message.type })).then((image) => {
      this.image = image;
      for (const view of shared.views) view.came();
    });
  }

  draw(canvas, k) {
    if (!this.image || k < 0) return false;
    [canvas.width, canvas.height] = [this.width, this.height];
    const [left, top] = placeIn(this, k);
    canvas.getContext("2d").drawImage(this.image, left, top, this.width, this.height, 0, 0, this.width, this.height);
    return true;
  }
}

// --- The normal distribution ------------------------------------------------------------------------------------

// The complementary error function, to 1.2e-7 of itself: Press et al. 1992, Numerical recipes in C, section 6.2.
function complement(x) {
  const t = 1 / (1 + 0.5 * Math.abs(x));
  const poly = [0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368, -1.26551223];
  const y = t * Math.exp(-x * x + poly.reduce((sum, c) => sum * t + c, 0));
  return x >= 0 ? y : 2 - y;
}
const cumulative = (z) => 0.5 * complement(-z / Math.SQRT2);

// By bisection and Newton's steps on `cumulative`: it is asked a few hundred times a drag.
function quantile(p) {
  let z = 0;
  for (let k = 0; k < 30; k++) {
    const density = Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
    const step = (cumulative(z) - p) / Math.max(density, 1e-4);
    z -= Math.min(Math.max(step, -0.7), 0.7);
    if (Math.abs(step) < 1e-9) break;
  }
  return z;
}

// Chance that a chi-square variable of k degrees of freedom is above x: by the recurrence of its incomplete gamma.
export function farther(x, k) {
  let [share, term] = k % 2 ? [2 * cumulative(-Math.sqrt(x)), 0] : [Math.exp(-x / 2), Math.exp(-x / 2)];
  if (k % 2) term = Math.sqrt((2 * x) / Math.PI) * Math.exp(-x / 2);
  for (let n = k % 2 ? 3 : 4; n <= k; n += 2) {
    if (k % 2) {
      share += term;
      term *= x / n;
    } else {
      term *= x / (n - 2);
      share += term;
    }
  }
  return Math.min(1, share);
}

// Lower triangle L with L L' = A, (k, k) row by row.
function cholesky(A, k) {
  const L = new Float64Array(k * k);
  for (let i = 0; i < k; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = A[i * k + j];
      for (let m = 0; m < j; m++) sum -= L[i * k + m] * L[j * k + m];
      L[i * k + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / L[j * k + j];
    }
  }
  return L;
}

// x with L L' x = b.
function solve(L, b, k) {
  const x = Float64Array.from(b);
  for (let i = 0; i < k; i++) {
    for (let m = 0; m < i; m++) x[i] -= L[i * k + m] * x[m];
    x[i] /= L[i * k + i];
  }
  for (let i = k - 1; i >= 0; i--) {
    for (let m = i + 1; m < k; m++) x[i] -= L[m * k + i] * x[m];
    x[i] /= L[i * k + i];
  }
  return x;
}

// --- Elements and words -----------------------------------------------------------------------------------------

const zOf = (k) => `z${String(k + 1).replace(/\d/g, (d) => "₀₁₂₃₄₅₆₇₈₉"[d])}`;
function percent(share) {
  if (share < 0.001) return "less than 0.1 %";
  return `${share >= 0.1 ? Math.round(100 * share) : (100 * share).toFixed(1)}%`;
}

// What goes into an address: digits enough for the same picture.
const sent = (code) =>
  code
    .map((value) => {
      const short = Number(value.toPrecision(4));
      return Math.abs(short) < 1e-4 ? "0" : short.toFixed(7).replace(/\.?0+$/, "");
    })
    .join("_");

// --- The plane one drags in -------------------------------------------------------------------------------------

class Plane {
  // `moved(x, y, ended)` gets the two numbers.
  constructor(moved) {
    this.canvas = element("canvas", { "aria-hidden": "true" });
    this.handle = element("div", { class: "handle", "aria-hidden": "true" });
    this.surface = element("div", { class: "surface", tabindex: "0", role: "application", "aria-roledescription": "two-dimensional slider" });
    this.stage = element("div", { class: "stage" }, this.canvas, this.handle, this.surface);
    this.across = element("div", { class: "ticks across", "aria-hidden": "true" });
    this.up = element("div", { class: "ticks up", "aria-hidden": "true" });
    this.root = element("div", { class: "plane" }, this.up, this.stage, this.across);
    this.moved = moved;
    this.size = [0, 0];
    this.at = [0, 0];
    this.listen();
  }

  // axes: two of {low, high, name}; isPrior: even steps are equal shares of the prior.
  set({ axes, isPrior, aspect, points, labels, marks, colours }) {
    Object.assign(this, { axes, isPrior, points, labels, marks, colours });
    this.stage.style.aspectRatio = aspect;
    this.order = shuffled(points ? points.length / 2 : 0);
    this.edge = isPrior ? cumulative(-FARTHEST) : 0;
    this.makeTicks();
  }

  // A number's place along an axis, 0 to 1 from the left or the bottom; and back.
  share(value, k) {
    const { low, high } = this.axes[k];
    const share = this.isPrior ? (cumulative(value) - this.edge) / (1 - 2 * this.edge) : (value - low) / (high - low);
    return Math.min(Math.max(share, 0), 1);
  }

  value(share, k) {
    const { low, high } = this.axes[k];
    const within = Math.min(Math.max(share, 0), 1);
    return this.isPrior ? quantile(this.edge + within * (1 - 2 * this.edge)) : low + within * (high - low);
  }

  within(value, k) {
    const { low, high } = this.axes[k];
    return Math.min(Math.max(value, low), high);
  }

  makeTicks() {
    [this.across, this.up].forEach((ticks, k) => {
      const { low, high, name } = this.axes[k];
      // In shares of the prior there is no room for 2 beside the end.
      const values = this.isPrior ? [-FARTHEST, -1, -0.5, 0, 0.5, 1, FARTHEST] : steps(low, high);
      ticks.replaceChildren(
        ...values.map((value) => {
          const label = element("span", {}, signed(String(value)));
          label.style.setProperty("--at", `${100 * this.share(value, k)}%`);
          return label;
        }),
        element("b", {}, name),
      );
    });
  }

  listen() {
    const { surface } = this;
    surface.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.isPrimary) return;
      this.pointer = event.pointerId;
      surface.setPointerCapture(event.pointerId);
      this.pressed = [event.clientX, event.clientY];
      const row = this.rowAt(event);
      if (row >= 0) {
        this.held = true; // until it is moved away
        this.at = [this.points[2 * row], this.points[2 * row + 1]];
        this.moved(...this.at, false);
      } else this.follow(event);
    });
    surface.addEventListener("pointermove", (event) => {
      if (event.pointerId !== this.pointer) return;
      const [x, y] = this.pressed;
      if (this.held && Math.hypot(event.clientX - x, event.clientY - y) < 4) return;
      this.held = false;
      this.follow(event);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      surface.addEventListener(name, (event) => {
        if (event.pointerId !== this.pointer) return;
        this.pointer = undefined;
        this.held = false;
        this.moved(...this.at, true);
      });
    }
    surface.addEventListener("keydown", (event) => this.press(event));
  }

  where(event) {
    const box = this.surface.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  }

  follow(event) {
    const [x, y] = this.where(event);
    this.at = [this.value(x, 0), this.value(1 - y, 1)];
    this.moved(...this.at, false);
  }

  // The row whose mark was pressed on, -1 for none.
  rowAt(event) {
    if (!this.showsRows || !this.points) return -1;
    const [x, y] = this.where(event);
    const [width, height] = this.size;
    let [best, least] = [-1, event.pointerType === "mouse" ? 6 : 12];
    for (let k = 0; k < this.points.length / 2; k++) {
      const distance = Math.hypot(this.places[2 * k] - x * width, this.places[2 * k + 1] - y * height);
      if (distance < least) [best, least] = [k, distance];
    }
    return best;
  }

  press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = ARROWS[event.key];
    if (arrow) {
      // In shares of the plane where these are the prior's, a step in its middle would be a leap at its edge.
      const step = (k) => (this.isPrior ? 0.1 : (this.axes[k].high - this.axes[k].low) / 50) * (event.shiftKey ? 5 : 1);
      this.at = this.at.map((value, k) => this.within(value + arrow[k] * step(k), k));
    } else if (event.key === "Home") this.at = this.axes.map((axis) => axis.start ?? 0);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.moved(...this.at, true);
  }

  place(x, y) {
    this.at = [x, y];
    const [left, top] = [this.share(x, 0) * this.size[0], (1 - this.share(y, 1)) * this.size[1]];
    this.handle.style.transform = `translate(${left.toFixed(1)}px, ${top.toFixed(1)}px)`;
  }

  resize() {
    const ratio = globalThis.devicePixelRatio || 1;
    const box = this.stage.getBoundingClientRect();
    const [width, height] = [this.stage.clientWidth, this.stage.clientHeight];
    if (!box.width) return false;
    this.size = [width, height];
    [this.canvas.width, this.canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    return true;
  }

  // What is behind the handle: the pictures of the grid, the rows, or both.
  draw(grid, behind) {
    const context = this.canvas.getContext("2d");
    const { width, height } = this.canvas;
    context.clearRect(0, 0, width, height);
    this.showsRows = behind !== "images" && Boolean(this.points);
    if (grid && behind !== "rows") {
      // Enlarged a little, single pixels would be of different sizes.
      context.imageSmoothingEnabled = width < 2 * grid.width;
      context.imageSmoothingQuality = "high";
      context.drawImage(grid, 0, 0, width, height);
      if (behind === "both") {
        context.fillStyle = "#0008";
        context.fillRect(0, 0, width, height);
      }
    }
    const [w, h] = this.size;
    if (!grid && !this.isPrior) this.drawZero(context, width, height);
    if (!this.points) return;
    this.places ??= new Float32Array(0);
    if (this.places.length !== this.points.length) this.places = new Float32Array(this.points.length);
    for (let k = 0; k < this.points.length; k += 2) {
      this.places[k] = this.share(this.points[k], 0) * w;
      this.places[k + 1] = (1 - this.share(this.points[k + 1], 1)) * h;
    }
    if (!this.showsRows) return;
    const ratio = width / w;
    const radius = Math.min(3.2, Math.max(2, w / 160)) * ratio;
    for (const k of this.order) {
      const [x, y] = [this.places[2 * k] * ratio, this.places[2 * k + 1] * ratio];
      const mark = this.marks[this.labels[k]] ?? "disc";
      trace(context, mark, x, y, mark === "ring" ? radius * 0.85 : radius);
      const colour = this.colours[this.labels[k]] ?? this.colours.at(-1);
      if (mark === "ring") {
        [context.strokeStyle, context.lineWidth] = [colour, radius * 0.7];
        context.stroke();
      } else {
        context.fillStyle = colour;
        context.fill();
      }
    }
  }

  // Where either number is 0.
  drawZero(context, width, height) {
    context.fillStyle = "#8889";
    this.axes.forEach(({ low, high }, k) => {
      if (low >= 0 || high <= 0) return;
      if (k) context.fillRect(0, Math.round((1 - this.share(0, 1)) * height), width, 1);
      else context.fillRect(Math.round(this.share(0, 0) * width), 0, 1, height);
    });
  }

  leave() {
    this.canvas.width = this.canvas.height = 0;
  }
}

// Round numbers within a range, four to seven.
function steps(low, high) {
  const rough = (high - low) / 7;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= rough);
  const found = [];
  for (let k = Math.ceil(low / step); k * step <= high; k++) found.push(Number((k * step).toPrecision(6)));
  return found;
}

// --- What both kinds of scene share -----------------------------------------------------------------------------

class View {
  constructor(parent) {
    this.picture = element("canvas", { class: "picture", role: "img", "aria-label": "Decoded image" });
    this.waiting = element("div", { class: "waiting" }, "Waiting for the decoder …");
    this.frame = element("div", { class: "frame" }, this.picture, this.waiting);
    this.said = element("div", { class: "hidden", role: "status", "aria-live": "polite" });
    this.nearPicture = element("canvas", { class: "near-picture", hidden: true, "aria-hidden": "true" });
    this.nearWords = element("div", {});
    this.near = element("div", { class: "near" }, this.nearPicture, this.nearWords);
    this.words = element("div", { class: "words" });
    this.frames = 0; // pictures painted so far
    this.root = element("div", { class: "latent" });
    this.build();
    parent.append(this.root);
    shared.views.add(this);
    this.observer = new ResizeObserver(() => this.root.isConnected && this.resize());
    this.observer.observe(this.root);
    this.scheme = globalThis.matchMedia("(prefers-color-scheme: dark)");
    this.scheme.addEventListener("change", this.repaint);
  }

  // The page takes its new colours over a moment.
  repaint = () =>
    setTimeout(() => {
      if (!this.message || !this.root.isConnected) return;
      this.theme();
      this.prepare();
      this.resize();
    }, 400);

  leave() {
    shared.views.delete(this);
    this.observer.disconnect();
    this.scheme.removeEventListener("change", this.repaint);
    cancelAnimationFrame(this.due);
    cancelAnimationFrame(this.growing);
    clearTimeout(this.timer);
    clearTimeout(this.asking);
    cancelAnimationFrame(this.morphing);
    this.plane.leave();
    this.root.remove();
    this.gone = true;
  }

  update(message, setStateValue) {
    this.setStateValue = setStateValue;
    const before = this.message;
    const isOther = !before || before.id !== message.id;
    this.message = message;
    this.root.dataset.scene = message.id;
    this.n = message.arrays.labels.length;
    this.k = message.axes.length;
    this.codes = floats(message, "codes");
    this.theme();
    // What is shown is ahead of what the server knows, unless it means another place.
    if (isOther || before.placed !== message.placed) {
      cancelAnimationFrame(this.morphing);
      clearTimeout(this.timer);
      this.accept(message);
    }
    if (isOther) {
      this.grid = null;
      // The same code asks another decoder anew.
      this.turn = this.answeredCode = "";
      clearTimeout(this.asking);
      cancelAnimationFrame(this.growing);
      delete this.root.dataset.drawn;
      this.decoded = null;
      this.frame.classList.add("is-waiting");
    }
    this.prepare();
    this.resize();
    this.came();
  }

  // Something that is kept by its id has come, perhaps what this scene waits for.
  came() {
    if (!this.message) return;
    this.decoder = shared.decoders.get(this.message.decoder);
    this.rows = shared.pictures.get(this.message.pictures);
    this.request();
    this.grow?.();
    this.showPictures?.();
  }

  theme() {
    const style = getComputedStyle(this.root);
    const probe = element("span", { style: `color: ${style.getPropertyValue("--st-background-color").trim() || "#ffffff"}` });
    this.root.append(probe);
    this.dark = isDark(colourOf(probe));
    probe.remove();
  }

  // On pictures, which are dark, as on a dark page.
  get colours() {
    const theme = this.dark || this.behind === "both" ? "dark" : "light";
    return [...this.message.colours[theme], this.message.none[theme]];
  }

  nameOf(row) {
    return this.message.names.length > 1 ? (this.message.names[this.message.arrays.labels[row]] ?? "unlabelled") : "";
  }

  rowWords(row) {
    const name = this.nameOf(row);
    return `#${counted(this.message.arrays.rows[row])}${name ? ` (class ${name})` : ""}`;
  }

  legend() {
    const used = new Set(this.message.arrays.labels);
    const { names, marks } = this.message;
    if (names.length < 2 || names.length > MOST_NAMES) return [];
    return names.flatMap((name, k) => {
      if (!used.has(k)) return [];
      return [element("span", { class: "chip" }, swatch(marks[k], this.colours[k]), element("span", {}, name))];
    });
  }

  // --- The picture

  request() {
    if (this.due || this.gone) return;
    this.due = requestAnimationFrame(() => {
      this.due = 0;
      if (!this.gone) this.show();
    });
  }

  show() {
    this.follow();
    this.tell();
    if (this.message.server) this.ask();
    else if (this.decoder) this.paint(this.decoder.compute(this.code), 255);
  }

  paint(values, white) {
    const [height, width] = this.message.shape;
    if (values.length !== width * height) return;
    const { picture } = this;
    if (!this.image || this.image.width !== width || this.image.height !== height) {
      [picture.width, picture.height] = [width, height];
      this.image = picture.getContext("2d").createImageData(width, height);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    grey(values, white, this.pixels, 0, width, width, height);
    picture.getContext("2d").putImageData(this.image, 0, 0);
    this.decoded = values;
    this.frames++;
    this.frame.classList.remove("is-waiting");
    this.root.dataset.painted = this.frames;
    if (!this.isGrowing) this.root.dataset.drawn = this.message.id;
  }

  // One question at a time: the newest code is asked for once the last is answered.
  ask() {
    const text = sent(this.code);
    const channel = shared.asking.get(this.message.decoder);
    const now = performance.now();
    if (!channel || text === this.answeredCode) return;
    if (this.turn && now - this.askedAt < LOST) return;
    clearTimeout(this.asking);
    const wait = MOST_ASKED - (now - (this.askedAt ?? -Infinity));
    if (wait > 0) {
      this.asking = setTimeout(() => this.request(), wait);
      return;
    }
    [this.askedAt, this.askedCode] = [now, text];
    this.turn = String((shared.turn = Math.max(Date.now(), shared.turn + 1)));
    channel(`${this.message.decoder}|${this.turn}|${text}`);
    this.asking = setTimeout(() => this.request(), LOST + 100);
  }

  heard(message) {
    if (!this.message?.server || message.id !== this.message.decoder) return;
    if (message.arrays.image && message.turn === this.turn) {
      [this.turn, this.answeredCode] = ["", this.askedCode];
      this.paint(message.arrays.image, 1);
    }
    this.request();
  }

  scale() {
    if (!this.message) return;
    const [height, width] = this.message.shape;
    const room = Math.min(this.frame.clientWidth || LARGEST, LARGEST, Number.parseFloat(getComputedStyle(this.frame).maxWidth) || LARGEST);
    const scale = Math.max(1, Math.floor(room / Math.max(width, height)));
    this.picture.style.width = `${width * scale}px`;
    this.picture.style.height = `${height * scale}px`;
    this.root.classList.toggle("is-coarse", Math.max(width, height) < COARSE);
  }

  // --- What is said

  tell() {
    this.row = this.nearest();
    const { message, row } = this;
    const words = this.distance();
    this.words.replaceChildren(...words.map((text) => element("p", {}, text)));
    this.near.hidden = row < 0;
    if (row >= 0) {
      const away = this.away(row);
      const is = away < 5e-4 ? "This is test image " : "Nearest test image: ";
      this.nearWords.textContent = `${is}${this.rowWords(row)}${away < 5e-4 ? "" : `, distance ${number(away)}`}`;
      this.nearPicture.hidden = !this.rows?.draw(this.nearPicture, row);
      const [height, width] = message.shape;
      const scale = Math.max(1, Math.floor(84 / Math.max(width, height)));
      [this.nearPicture.style.width, this.nearPicture.style.height] = [`${width * scale}px`, `${height * scale}px`];
    }
    this.picture.setAttribute("aria-label", `Decoded image of ${this.spoken()}`);
  }

  away(row) {
    let sum = 0;
    for (let k = 0; k < this.k; k++) sum += (this.codes[row * this.k + k] - this.code[k]) ** 2;
    return Math.sqrt(sum);
  }

  nearest() {
    let [best, least] = [-1, Infinity];
    const { codes, code, k, n } = this;
    for (let row = 0; row < n; row++) {
      let sum = 0;
      for (let j = 0; j < k && sum < least; j++) sum += (codes[row * k + j] - code[j]) ** 2;
      if (sum < least) [best, least] = [row, sum];
    }
    return best;
  }

  spoken() {
    return this.code.length > 4 ? "this code" : this.code.map((value, k) => `z${k + 1} = ${number(value)}`).join(", ");
  }

  // Said and sent once a drag or a row of key presses ends.
  settle() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (this.plane.pointer !== undefined || this.morphing) return;
      const near = this.near.hidden ? [] : [this.nearWords.textContent];
      this.said.textContent = [`${this.spoken()}.`, ...this.distance(), ...near].join(" ");
      const { id } = this.message;
      const text = `${id}|${sent(this.code)}|${this.state()}`;
      if (text === this.lastSent) return;
      this.lastSent = text;
      this.setStateValue("view", text);
    }, WAIT);
  }
}

// --- A plane of codes -------------------------------------------------------------------------------------------

class Manifold extends View {
  build() {
    this.code = [0, 0];
    this.plane = new Plane((x, y, ended) => this.move(x, y, ended));
    this.switch = element("div", { class: "tools", role: "group", "aria-label": "What stands behind the handle" });
    for (const [name, label] of Object.entries(BEHIND)) {
      const each = button(label, "", () => this.turnTo(name));
      each.dataset.behind = name;
      this.switch.append(each);
    }
    this.classes = element("div", { class: "legend" });
    this.coordinates = element("div", { class: "coordinates" });
    this.root.classList.add("manifold");
    this.root.append(
      element("div", { class: "left" }, this.switch, this.plane.root, this.classes),
      element(
        "div",
        { class: "right" },
        this.frame,
        element(
          "div",
          { class: "about" },
          this.coordinates,
          this.words,
          this.near,
          element("div", { class: "keys" }, "Drag anywhere; with the keyboard: arrows move, Shift moves farther, Home goes back to the middle."),
        ),
      ),
      this.said,
    );
  }

  accept(message) {
    this.code = message.code.length === 2 ? [...message.code] : message.axes.map((axis) => axis.start);
    this.behind = message.behind || this.behind || "images";
    this.lastSent = null;
  }

  prepare() {
    const { message } = this;
    const [columns, lines] = message.columns;
    const [height, width] = message.shape;
    this.plane.set({
      axes: message.axes.map((axis, k) => ({ ...axis, name: zOf(k) })),
      isPrior: message.prior,
      aspect: `${columns * width} / ${lines * height}`,
      points: this.n ? this.codes : null,
      labels: message.arrays.labels,
      marks: message.marks,
      colours: this.colours,
    });
    this.plane.surface.setAttribute(
      "aria-label",
      "Plane of codes. Arrow keys move the handle, Shift with an arrow moves it farther, Home moves it to the middle.",
    );
    if (!this.n) this.behind = "images";
    for (const each of this.switch.children) {
      each.setAttribute("aria-pressed", each.dataset.behind === this.behind);
      each.disabled = !this.n && each.dataset.behind !== "images";
    }
    this.classes.replaceChildren(...this.legend());
    this.classes.hidden = this.behind === "images" || !this.n;
  }

  turnTo(name) {
    this.behind = name;
    this.prepare();
    this.plane.draw(this.grid, this.behind);
    this.settle();
  }

  resize() {
    this.scale();
    if (!this.plane.resize()) return;
    this.plane.draw(this.grid, this.behind);
    this.plane.place(...this.code);
  }

  move(x, y, ended) {
    this.code = [x, y];
    this.request();
    if (ended) this.settle();
  }

  follow() {
    this.plane.place(...this.code);
    const [x, y] = this.code.map(number);
    this.coordinates.textContent = `z = (${x}, ${y})`;
  }

  distance() {
    const [x, y] = this.code;
    if (!this.message.prior) return [];
    const squared = x * x + y * y;
    return [
      `Distance from the mean of the prior N(0, I): ${number(Math.sqrt(squared))} sd; ${percent(farther(squared, 2))} of its draws are farther.`,
      `Prior density ${(Math.exp(-squared / 2) / (2 * Math.PI)).toFixed(3)}; it is 0.159 in the middle.`,
    ];
  }

  state() {
    return `||${this.behind}`;
  }

  // The pictures behind the handle, a few in every frame.
  grow() {
    const { message } = this;
    if (this.grid || this.isGrowing) return;
    const given = shared.grids.get(message.decoder);
    if (message.server ? !given : !this.decoder) return;
    const [columns, lines] = message.columns;
    const [height, width] = message.shape;
    // The fewer pixels, the less tells two images from one.
    const gap = Math.max(width, height) < COARSE ? 1 : 0;
    const [wide, high] = [width + gap, height + gap];
    const canvas = element("canvas", { width: columns * wide, height: lines * high });
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    const pixels = new Uint32Array(image.data.buffer).fill(0xff000000);
    const { decoder, plane } = this;
    const code = new Float32Array(2);
    this.isGrowing = true;
    let cell = 0;
    const step = () => {
      if (this.gone || this.message.id !== message.id) {
        this.isGrowing = false;
        if (!this.gone) this.came();
        return;
      }
      const until = performance.now() + BUSY;
      for (; cell < columns * lines && performance.now() < until; cell++) {
        const [column, line] = [cell % columns, Math.floor(cell / columns)];
        const start = line * high * canvas.width + column * wide;
        if (given) grey(given.arrays.images.subarray(cell * width * height, (cell + 1) * width * height), 1, pixels, start, canvas.width, width, height);
        else {
          code[0] = plane.value((column + 0.5) / columns, 0);
          code[1] = plane.value(1 - (line + 0.5) / lines, 1);
          grey(decoder.compute(code), 255, pixels, start, canvas.width, width, height);
        }
      }
      context.putImageData(image, 0, 0);
      this.grid = canvas;
      this.plane.draw(this.grid, this.behind);
      if (cell < columns * lines) this.growing = requestAnimationFrame(step);
      else {
        this.isGrowing = false;
        this.request(); // the decoder's own array held the grid's last picture
      }
    };
    this.growing = requestAnimationFrame(step);
  }
}

// --- Sliders ----------------------------------------------------------------------------------------------------

const LOCK = "M5 7V5a3 3 0 0 1 6 0v2h1v7H4V7zm1.5 0h3V5a1.5 1.5 0 0 0-3 0z";
const OPEN = "M6.5 7H12v7H4V7h1V4a3 3 0 0 1 6 0H9.5a1.5 1.5 0 0 0-3 0z";

function padlock() {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  for (const [name, d] of [["is-shut", LOCK], ["is-open", OPEN]]) {
    const path = document.createElementNS(namespace, "path");
    path.setAttribute("class", name);
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

class Sliders extends View {
  build() {
    this.code = [];
    this.pad = [];
    this.frozen = new Set();
    this.plane = new Plane((x, y, ended) => this.move(x, y, ended));
    this.starts = element("div", { class: "starts" });
    this.startsWhole = element("div", { class: "starting" }, element("div", { class: "note" }, "Start from a test image:"), this.starts);
    this.random = button("Randomise", "Draw a new code; what is frozen stays", () => this.randomise());
    this.random.classList.add("strong");
    this.back = button("Reset", "Back to the middle; what is frozen stays", () => this.reset());
    this.choices = [0, 1].map((k) => element("select", { "aria-label": `Dimension ${k ? "up" : "across"} the pad`, onchange: (event) => this.choose(k, Number(event.target.value)) }));
    this.padLocks = this.choices.map(() => element("span"));
    this.padNotes = this.choices.map(() => element("span", { class: "note" }));
    this.padWhole = element(
      "div",
      { class: "pad-whole" },
      element("div", { class: "pad-head" }, ...["Across ", "Up "].map((words, k) => element("span", { class: "pad-choice" }, element("label", {}, words, this.choices[k]), this.padNotes[k], this.padLocks[k]))),
      this.plane.root,
    );
    this.list = element("div", { class: "list" });
    this.more = element("details", { class: "more" }, element("summary"), element("div", { class: "list" }));
    this.idle = element("details", { class: "more" }, element("summary"), element("div", { class: "list" }));
    this.classes = element("div", { class: "legend" });
    this.lacking = element("div", { class: "note lacking" });
    this.padWhole.append(this.classes, this.lacking);
    this.onPad = element("div", { class: "note" });
    this.root.classList.add("sliders");
    this.root.append(
      this.startsWhole,
      element(
        "div",
        { class: "three" },
        element(
          "div",
          { class: "seen" },
          this.frame,
          element("div", { class: "about" }, element("div", { class: "buttons" }, this.random, this.back), this.words, this.near),
        ),
        this.padWhole,
        element("div", { class: "controls" }, this.onPad, this.list, this.more, this.idle),
      ),
      this.said,
    );
    this.sliders = new Map();
  }

  accept(message) {
    this.code = message.code.length === message.axes.length ? [...message.code] : message.axes.map((axis) => axis.start);
    this.pad = message.pad.length === 2 ? [...message.pad] : message.order.slice(0, 2);
    this.frozen = new Set(message.frozen);
    this.lastSent = null;
    this.shapeOf = null;
  }

  prepare() {
    const { message, k } = this;
    this.mean = message.arrays.mean ? Float64Array.from(message.arrays.mean) : new Float64Array(k);
    this.covariance = message.arrays.covariance;
    this.triangle = this.covariance ? cholesky(this.covariance, k) : null;
    const shape = [message.id, this.pad, message.axes.map((axis) => axis.active)].join("/");
    this.makePad();
    if (shape !== this.shapeOf) this.makeSliders();
    this.shapeOf = shape;
    this.startsWhole.hidden = !message.starts.length;
    this.showPictures();
    this.level();
  }

  // --- The pad

  makePad() {
    const { message, k } = this;
    this.padWhole.hidden = k < 2;
    this.onPad.hidden = k <= 2;
    if (k < 2) return;
    const most = message.measure && message.order.slice(0, 2).every((d) => this.pad.includes(d)) ? ", the most active," : "";
    this.onPad.textContent = `${this.pad.map(zOf).join(" and ")}${most} are on the pad.`;
    const points = new Float32Array(2 * this.n);
    for (let row = 0; row < this.n; row++) {
      points[2 * row] = this.codes[row * k + this.pad[0]];
      points[2 * row + 1] = this.codes[row * k + this.pad[1]];
    }
    this.plane.set({
      axes: this.pad.map((d) => ({ ...message.axes[d], name: zOf(d) })),
      isPrior: false,
      aspect: "1",
      points: this.n ? points : null,
      labels: message.arrays.labels,
      marks: message.marks,
      colours: this.colours,
    });
    const [x, y] = this.pad.map((d) => `z${d + 1}`);
    this.plane.surface.setAttribute("aria-label", `Pad of ${x} and ${y}. Arrow keys move the handle, Shift with an arrow moves it farther, Home moves it to the middle.`);
    this.choices.forEach((select, axis) => {
      select.replaceChildren(
        ...message.order.map((d) => {
          const option = element("option", { value: d }, `${zOf(d)}${message.axes[d].active ? "" : " (inactive)"}`);
          option.selected = d === this.pad[axis];
          return option;
        }),
      );
    });
    this.pad.forEach((d, axis) => {
      this.padLocks[axis].replaceChildren(this.lock(d));
      this.padNotes[axis].textContent = message.measure ? `${message.measure} ${message.axes[d].note}` : "";
    });
    this.classes.replaceChildren(...this.legend());
    this.classes.hidden = !this.n;
    this.padWhole.classList.toggle("is-bare", !this.n);
    this.lacking.textContent = message.lacking;
    this.lacking.hidden = !message.lacking;
  }

  choose(axis, d) {
    const other = this.pad[1 - axis];
    if (d === other) this.pad[1 - axis] = this.pad[axis];
    this.pad[axis] = d;
    this.prepare();
    this.resize();
    this.settle();
  }

  move(x, y, ended) {
    this.still();
    this.code[this.pad[0]] = x;
    this.code[this.pad[1]] = y;
    this.request();
    if (ended) this.settle();
  }

  resize() {
    this.scale();
    if (this.k < 2 || !this.plane.resize()) return;
    this.plane.draw(null, "rows");
    this.plane.place(this.code[this.pad[0]], this.code[this.pad[1]]);
  }

  // --- The sliders

  makeSliders() {
    const { message } = this;
    this.sliders.clear();
    const rest = message.order.filter((d) => this.k < 2 || !this.pad.includes(d));
    const [active, idle] = [rest.filter((d) => message.axes[d].active), rest.filter((d) => !message.axes[d].active)];
    const head = message.measure ? [element("div", { class: "slider head note" }, element("span"), element("span", { class: "amount" }, message.measure))] : [];
    this.list.replaceChildren(...(active.length ? head : []), ...active.slice(0, SHOWN_SLIDERS).map((d) => this.slider(d)));
    const fold = (whole, dimensions, words) => {
      whole.hidden = !dimensions.length;
      whole.firstChild.textContent = words;
      whole.lastChild.replaceChildren(...dimensions.map((d) => this.slider(d)));
    };
    const more = active.slice(SHOWN_SLIDERS);
    fold(this.more, more, `${more.length} more, less active`);
    const names = idle.map(zOf);
    fold(this.idle, idle, `${idle.length} inactive: ${names.slice(0, 8).join(", ")}${names.length > 8 ? " …" : ""}`);
  }

  slider(d) {
    const { low, high, note } = this.message.axes[d];
    const input = element("input", {
      type: "range",
      min: low,
      max: high,
      step: (high - low) / 400,
      "aria-label": `z${d + 1}`,
      oninput: () => {
        this.still();
        this.code[d] = Number(input.value);
        this.request();
      },
      onchange: () => this.settle(),
    });
    const value = element("span", { class: "value" });
    this.sliders.set(d, { input, value });
    return element(
      "div",
      { class: "slider" },
      element("span", { class: "name" }, zOf(d)),
      element("span", { class: "note amount" }, note),
      input,
      value,
      this.lock(d),
    );
  }

  lock(d) {
    const lock = element(
      "button",
      {
        type: "button",
        class: "lock",
        "aria-label": `Freeze z${d + 1}`,
        "aria-pressed": this.frozen.has(d),
        title: `Freeze z${d + 1}: Randomise, Reset and real rows leave it`,
        onclick: () => {
          if (!this.frozen.delete(d)) this.frozen.add(d);
          lock.setAttribute("aria-pressed", this.frozen.has(d));
          this.settle();
        },
      },
      padlock(),
    );
    return lock;
  }

  // Locks as they are where the server means others.
  level() {
    for (const lock of this.root.querySelectorAll(".lock")) {
      lock.setAttribute("aria-pressed", this.frozen.has(Number(lock.getAttribute("aria-label").slice(8)) - 1));
    }
  }

  follow() {
    if (this.k >= 2) this.plane.place(this.code[this.pad[0]], this.code[this.pad[1]]);
    for (const [d, { input, value }] of this.sliders) {
      if (Number(input.value) !== this.code[d]) input.value = this.code[d];
      const text = number(this.code[d]);
      if (value.textContent !== text) {
        value.textContent = text;
        input.setAttribute("aria-valuetext", text);
      }
    }
  }

  // --- Whole codes

  still() {
    cancelAnimationFrame(this.morphing);
    this.morphing = 0;
  }

  // To another code in small steps, which shows what changes; at once where motion is not wanted, or costs a server.
  go(target) {
    this.still();
    const goal = target.map((value, d) => (this.frozen.has(d) ? this.code[d] : value));
    const isQuick = this.message.server || globalThis.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const [from, begun] = [[...this.code], performance.now()];
    const step = () => {
      const t = isQuick ? 1 : Math.min((performance.now() - begun) / MORPH, 1);
      const eased = t * t * (3 - 2 * t);
      this.code = goal.map((value, d) => (t === 1 ? value : from[d] + (value - from[d]) * eased));
      this.morphing = t < 1 ? requestAnimationFrame(step) : 0;
      this.request();
      if (t === 1) this.settle();
    };
    step();
  }

  reset() {
    this.go(this.message.axes.map((axis) => axis.start));
  }

  startFrom(row) {
    this.go(Array.from(this.codes.subarray(row * this.k, (row + 1) * this.k)));
  }

  // What is not frozen, given what is: a draw of all, moved by what its frozen part is off (Matheron's rule).
  randomise() {
    const { k } = this;
    const draw = Array.from({ length: k }, normal);
    if (!this.covariance) {
      this.go(draw);
      return;
    }
    const [L, A] = [this.triangle, this.covariance];
    const drawn = draw.map((_, i) => {
      let sum = this.mean[i];
      for (let j = 0; j <= i; j++) sum += L[i * k + j] * draw[j];
      return sum;
    });
    const held = [...this.frozen];
    if (held.length) {
      const part = Float64Array.from({ length: held.length ** 2 }, (_, at) => A[held[Math.floor(at / held.length)] * k + held[at % held.length]]);
      const weights = solve(cholesky(part, held.length), held.map((d) => this.code[d] - drawn[d]), held.length);
      for (let i = 0; i < k; i++) held.forEach((d, at) => (drawn[i] += A[i * k + d] * weights[at]));
    }
    this.go(drawn);
  }

  distance() {
    const { k, message } = this;
    if (!message.gaussian) return [];
    const off = this.code.map((value, d) => value - this.mean[d]);
    const squared = this.triangle ? solve(this.triangle, off, k).reduce((sum, v, d) => sum + v * off[d], 0) : off.reduce((sum, v) => sum + v * v, 0);
    const of = message.prior ? "the prior N(0, I)" : "the Gaussian fitted to the codes";
    const away = Math.sqrt(Math.max(squared, 0));
    // The root of the mean squared distance of k standard normal numbers.
    return [`Distance from the mean of ${of}: ${number(away)} sd; ${percent(farther(away ** 2, k))} of its draws are farther (typical: ${Math.sqrt(k).toFixed(1)} sd).`];
  }

  state() {
    const names = (dimensions) => dimensions.map((d) => d + 1).join("_");
    return `${this.k < 2 ? "" : names(this.pad)}|${names([...this.frozen].sort((a, b) => a - b))}|`;
  }

  // --- Real rows to start from

  showPictures() {
    const { message, rows } = this;
    const now = `${message.id}/${Boolean(rows?.image)}`;
    if (now === this.startsOf) return;
    this.startsOf = now;
    const [height, width] = message.shape;
    this.starts.replaceChildren(
      ...message.starts.map((row) => {
        const canvas = element("canvas", { "aria-hidden": "true" });
        canvas.style.aspectRatio = `${width} / ${height}`;
        [canvas.width, canvas.height] = [width, height];
        rows?.draw(canvas, row);
        return element("button", { type: "button", title: `Start from test image ${this.rowWords(row)}`, "aria-label": `Start from test image ${this.rowWords(row)}`, onclick: () => this.startFrom(row) }, canvas);
      }),
    );
  }
}
