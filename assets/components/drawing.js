// A square to draw on with a pen, a finger, a mouse or the arrow keys: strokes, not a picture.
// pages/ui/shared/components.py puts it before the scripts that need it.
// Whole numbers from 0 to 255 are coordinates; core/datasets/user_image.py says how strokes are packed and what the limits are.

const SIDE = 255;
const APART = 2; // points of a stroke are at least this far from each other
const STEP = 12;
const FINE = 3;
const WAIT = 250; // milliseconds from the end of a stroke to sending
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const MARKUP = `
  <div class="pad">
    <svg class="paper" viewBox="0 0 ${SIDE} ${SIDE}" tabindex="0" role="application" aria-roledescription="drawing pad"
      aria-describedby="keys">
      <text class="hint" x="50%" y="50%" aria-hidden="true">Draw here</text>
      <path class="ink" d="" />
      <circle class="pen" />
    </svg>
    <div class="buttons">
      <button type="button" class="undo">Undo</button>
      <button type="button" class="clear">Clear</button>
    </div>
    <div class="keys" id="keys">Keys: arrows move the pen (Shift: finely), Space puts it down and lifts it, Ctrl+Z undoes,
      Escape clears.</div>
    <div class="said" role="status" aria-live="polite"></div>
  </div>`;

function unpacked(text) {
  const bytes = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  const strokes = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 2 + 2 * (256 * bytes.charCodeAt(at) + bytes.charCodeAt(at + 1));
    const stroke = [];
    for (at += 2; at < end; at += 2) stroke.push([bytes.charCodeAt(at), bytes.charCodeAt(at + 1)]);
    strokes.push(stroke);
  }
  return strokes;
}

function packed(strokes) {
  const bytes = strokes.flatMap((stroke) => [stroke.length >> 8, stroke.length & 255, ...stroke.flat()]);
  const text = btoa(String.fromCharCode(...bytes));
  return text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** Every other point of the longer strokes is left out, ends excepted, until no more than `most` are left in all. */
function thinned(strokes, most) {
  while (strokes.reduce((sum, stroke) => sum + stroke.length, 0) > most) {
    strokes = strokes.map((stroke) => stroke.filter((_, i) => i % 2 === 0 || i === stroke.length - 1));
  }
  return strokes;
}

class Pad {
  constructor(parent, data) {
    const holder = document.createElement("div");
    holder.innerHTML = MARKUP;
    parent.appendChild(holder);
    const find = (name) => holder.querySelector(name);
    [this.paper, this.hint, this.ink, this.pen] = [".paper", ".hint", ".ink", ".pen"].map(find);
    [this.undoButton, this.clearButton, this.said] = [".undo", ".clear", ".said"].map(find);
    this.sent = data.strokes;
    this.strokes = unpacked(data.strokes);
    this.before = []; // earlier states, for undoing
    this.line = null; // the stroke being drawn, the last of strokes
    this.at = [128, 128]; // where the keyboard's pen is
    this.held = new Set();
    this.timer = 0;
    this.listen();
  }

  // `drawn`, if set, is called whenever the strokes may have changed, also while one is drawn.
  take({ data, setStateValue }) {
    this.limits = data;
    this.send = setStateValue;
    this.paper.setAttribute("aria-label", data.label);
    this.paper.style.setProperty("--brush", `${data.brush * SIDE}px`);
    this.pen.setAttribute("r", (data.brush * SIDE) / 2);
    this.show();
  }

  listen() {
    const { paper } = this;
    paper.addEventListener("pointerdown", (event) => this.touch(event));
    paper.addEventListener("pointermove", (event) => this.follow(event));
    for (const name of ["pointerup", "pointercancel"]) {
      paper.addEventListener(name, (event) => event.pointerId === this.pointer && this.lift());
    }
    paper.addEventListener("keydown", (event) => this.press(event));
    paper.addEventListener("keyup", (event) => this.held.delete(event.key));
    paper.addEventListener("blur", () => {
      this.held.clear();
      if (this.pointer === undefined) this.lift();
    });
    this.undoButton.addEventListener("click", () => this.undo());
    this.clearButton.addEventListener("click", () => this.clear());
  }

  where(event) {
    const box = this.paper.getBoundingClientRect();
    const edge = this.paper.clientLeft;
    const share = (value, start, length) => (value - start - edge) / (length - 2 * edge);
    const x = share(event.clientX, box.left, box.width);
    const y = share(event.clientY, box.top, box.height);
    return [x, y].map((value) => Math.round(Math.min(Math.max(value, 0), 1) * SIDE));
  }

  touch(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    this.lift();
    this.paper.classList.remove("keyed");
    if (!this.begin(this.where(event))) return;
    this.pointer = event.pointerId;
    this.paper.setPointerCapture(event.pointerId);
  }

  follow(event) {
    if (event.pointerId !== this.pointer) return;
    const passed = event.getCoalescedEvents?.() ?? [];
    for (const each of passed.length ? passed : [event]) this.extend(this.where(each));
    this.show();
  }

  begin(point) {
    if (this.strokes.length >= this.limits.most_strokes) {
      this.say(`${this.strokes.length} strokes are all that fit: undo or clear.`);
      return false;
    }
    this.remember();
    this.line = [point];
    this.strokes = [...this.strokes, this.line];
    this.at = point;
    this.show();
    return true;
  }

  extend(point) {
    const [x, y] = this.line[this.line.length - 1];
    if (Math.hypot(point[0] - x, point[1] - y) >= APART) this.line.push(point);
    this.at = point;
  }

  lift() {
    this.pointer = undefined;
    if (!this.line) return;
    this.line = null;
    this.strokes = thinned(this.strokes, this.limits.most_points);
    this.changed(this.count());
  }

  count() {
    const n = this.strokes.length;
    return n === 1 ? "1 stroke" : `${n} strokes`;
  }

  remember() {
    this.before.push(this.strokes);
    if (this.before.length > 100) this.before.shift();
  }

  undo() {
    if (this.line) this.lift();
    if (!this.before.length && !this.strokes.length) return;
    this.strokes = this.before.pop() ?? this.strokes.slice(0, -1);
    this.changed(`Undone: ${this.count()}`);
  }

  clear() {
    if (this.line) this.lift();
    if (!this.strokes.length) return;
    this.remember();
    this.strokes = [];
    this.changed("Cleared");
  }

  press(event) {
    const arrow = ARROWS[event.key];
    const undoing = event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey;
    if (event.key === "Escape" && !this.strokes.length) return; // it may close what the pad stands in
    if (!arrow && !undoing && event.key !== " " && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    if (undoing) this.undo();
    else if (event.key === "Escape") this.clear();
    else if (arrow) this.move(event);
    else if (!event.repeat) this.lower();
    this.show();
  }

  move(event) {
    if (this.pointer !== undefined) return;
    this.held.add(event.key);
    this.paper.classList.add("keyed");
    const by = event.shiftKey ? FINE : STEP;
    // Two arrows held together move it aslant.
    const moved = [...this.held].reduce(([x, y], key) => [x + by * ARROWS[key][0], y + by * ARROWS[key][1]], this.at);
    const point = moved.map((value) => Math.min(Math.max(value, 0), SIDE));
    if (this.line) this.extend(point);
    this.at = point;
  }

  lower() {
    if (this.pointer !== undefined) return;
    this.paper.classList.add("keyed");
    if (this.line) {
      this.lift();
      this.say(`Pen lifted: ${this.count()}`);
    } else if (this.begin(this.at)) {
      this.say("Pen down");
    }
  }

  changed(words) {
    this.show();
    this.say(words);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      // A stroke that was begun meanwhile is sent when it ends.
      if (this.line) return;
      const text = packed(this.strokes);
      if (text === this.sent) return;
      this.sent = text;
      this.send("strokes", text);
    }, WAIT);
  }

  say(words) {
    this.said.textContent = words;
  }

  show() {
    this.drawn?.();
    const path = (stroke) => `M${stroke.map((point) => point.join(" ")).join("L")}${stroke.length > 1 ? "" : "z"}`;
    this.ink.setAttribute("d", this.strokes.map(path).join(""));
    this.hint.style.display = this.strokes.length ? "none" : "";
    this.pen.setAttribute("cx", this.at[0]);
    this.pen.setAttribute("cy", this.at[1]);
    this.pen.classList.toggle("down", Boolean(this.line));
    this.undoButton.setAttribute("aria-disabled", !this.strokes.length && !this.before.length);
    this.clearButton.setAttribute("aria-disabled", !this.strokes.length);
  }
}
