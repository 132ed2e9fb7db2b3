// Places on a line or in a plane, moved with a finger, a mouse or the arrow keys. It sends them as [[x, y], …].

const ROOM = 1; // around the places that may be taken
const STEP = 0.5;
const FINE = 0.1;
const WAIT = 200; // milliseconds from a move to sending
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
const SVG = "http://www.w3.org/2000/svg";
const MARKUP = `
  <div class="handles">
    <svg class="field" role="group"></svg>
    <div class="keys">Drag the circles, or move one with the arrow keys (Shift: finely).</div>
    <div class="said" role="status" aria-live="polite"></div>
  </div>`;

const fields = new WeakMap();

function drawn(parent, name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.appendChild(made);
  return made;
}

const written = (value) => (Math.round(10 * value) / 10).toFixed(1).replace("-", "−");

class Field {
  constructor(parent, data) {
    const holder = document.createElement("div");
    holder.innerHTML = MARKUP;
    parent.appendChild(holder);
    [this.field, this.said] = [".field", ".said"].map((name) => holder.querySelector(name));
    this.timer = 0;
    this.build(data);
  }

  build(data) {
    const { reach, flat } = (this.data = data);
    this.sent = JSON.stringify(data.places);
    this.places = data.places;
    const far = reach + ROOM;
    const high = flat ? 1.2 : far;
    const field = this.field;
    field.replaceChildren();
    field.setAttribute("viewBox", `${-far} ${-high} ${2 * far} ${2 * high}`);
    field.setAttribute("aria-label", data.label);
    drawn(field, "line", { class: "axis", x1: -far, x2: far, y1: 0, y2: 0 });
    if (!flat) drawn(field, "line", { class: "axis", x1: 0, x2: 0, y1: -far, y2: far });
    this.handles = this.places.map((_, k) => this.handle(k));
    this.show();
  }

  handle(k) {
    const handle = drawn(this.field, "g", { class: "handle", tabindex: 0, role: "application" });
    handle.setAttribute("aria-roledescription", "handle");
    drawn(handle, "circle", { class: "touched", r: 1.1 });
    drawn(handle, "circle", { class: "dot", r: 0.45 });
    drawn(handle, "text", {}).textContent = k + 1;
    handle.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.isPrimary) return;
      handle.setPointerCapture(event.pointerId);
      handle.focus({ preventScroll: true });
      this.held = k;
    });
    handle.addEventListener("pointermove", (event) => this.held === k && this.move(k, this.where(event)));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      handle.addEventListener(name, () => (this.held = undefined));
    }
    handle.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.key];
      if (!arrow || (this.data.flat && arrow[1])) return;
      event.preventDefault();
      event.stopPropagation();
      const by = event.shiftKey ? FINE : STEP;
      this.move(k, this.places[k].map((value, axis) => value + by * arrow[axis]));
      this.said.textContent = this.name(k);
    });
    return handle;
  }

  where(event) {
    const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(this.field.getScreenCTM().inverse());
    return [place.x, -place.y];
  }

  move(k, place) {
    const { reach, flat } = this.data;
    const kept = place.map((value) => Math.round(10 * Math.min(Math.max(value, -reach), reach)) / 10);
    if (flat) kept[1] = 0;
    this.places = this.places.map((old, j) => (j === k ? kept : old));
    this.show();
    // While one is dragged, what is fitted follows.
    this.timer ||= setTimeout(() => {
      this.timer = 0;
      const text = JSON.stringify(this.places);
      if (text === this.sent) return;
      this.sent = text;
      this.send("places", this.places);
    }, WAIT);
  }

  name(k) {
    const [x, y] = this.places[k].map(written);
    return `Mode ${k + 1} at ${this.data.flat ? x : `${x}, ${y}`}`;
  }

  show() {
    this.handles.forEach((handle, k) => {
      const [x, y] = this.places[k];
      handle.setAttribute("transform", `translate(${x} ${-y})`);
      handle.setAttribute("aria-label", this.name(k));
    });
  }

  take({ data, setStateValue }) {
    this.send = setStateValue;
    const isOther = data.flat !== this.data.flat || data.places.length !== this.places.length;
    // What the server knows is behind what is being moved; what it was not told here comes from a link.
    const isNews = !this.timer && this.held === undefined && JSON.stringify(data.places) !== this.sent;
    if (isOther || isNews) this.build(data);
  }
}

export default function (component) {
  const { parentElement, data } = component;
  if (!fields.has(parentElement)) fields.set(parentElement, new Field(parentElement, data));
  const field = fields.get(parentElement);
  field.take(component);
  return () => {
    clearTimeout(field.timer);
    field.timer = 0;
  };
}
