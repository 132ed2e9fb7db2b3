// Reparameterization, live: a drawn or stored digit, its q(z|x) on the map of codes, z = mu + sigma * eps with eps thrown
// by a button, and the decoded image. Encoder and decoder are computed here; core/frontend/reparameterization.py writes
// the message, see `unpack` in common.js. Nothing is sent back.

const SUBSCRIPTS = ["₁", "₂"];
const MOST_THROWN = 300; // codes that stay marked in the close-up
const CLOSE = 3; // standard deviations from the mean to the edge of the close-up
const mounts = new WeakMap();

export default function ({ data, parentElement }) {
  if (!data?.length) return;
  let view = mounts.get(parentElement);
  if (!view) mounts.set(parentElement, (view = new Reparameterization(parentElement)));
  view.update(data);
  return () => {
    view.leave();
    mounts.delete(parentElement);
  };
}

const fixed = (value, places) => signed(Math.abs(value) < 0.5 * 10 ** -places ? (0).toFixed(places) : value.toFixed(places));
const pair = (values, places) => `(${Array.from(values, (value) => fixed(value, places)).join(", ")})`;
const colour = (style, name, otherwise) => style.getPropertyValue(name).trim() || otherwise;

// Mean, log variance and standard deviation of q(z|x), from the encoder's output, and its KL divergence from N(0, I).
export function toPosterior(output, [low, high]) {
  const k = output.length / 2;
  const mean = Array.from(output.subarray(0, k));
  const logVariance = Array.from(output.subarray(k), (value) => Math.min(Math.max(value, low), high));
  const kl = mean.reduce((sum, mu, d) => sum + (Math.exp(logVariance[d]) + mu * mu - 1 - logVariance[d]) / 2, 0);
  return { mean, logVariance, deviation: logVariance.map((value) => Math.exp(value / 2)), kl };
}

// Cross entropy in nats of an image in [0, 1] and Bernoulli means, and its gradient by the code they are decoded from.
export function toLoss(decoder, row, means) {
  let loss = 0;
  const slope = new Float32Array(row.length);
  for (let k = 0; k < row.length; k++) {
    const p = Math.min(Math.max(means[k], 1e-7), 1 - 1e-7);
    loss -= row[k] * Math.log(p) + (1 - row[k]) * Math.log(1 - p);
    slope[k] = means[k] - row[k];
  }
  return { loss, gradient: Array.from(decoder.pull(slope)) };
}

// A square picture of the plane of codes around `centre`, `reach` to each side.
class Chart {
  constructor() {
    this.canvas = element("canvas", { role: "img", "aria-label": "Chart" });
  }

  begin(centre, reach, style) {
    const ratio = globalThis.devicePixelRatio || 1;
    this.side = this.canvas.clientWidth;
    this.canvas.width = this.canvas.height = Math.max(1, Math.round(this.side * ratio));
    this.context = this.canvas.getContext("2d");
    this.context.scale(ratio, ratio);
    Object.assign(this, { centre, reach });
    this.ink = style.color;
    this.background = colour(style, "--st-background-color", "#fff");
    this.primary = colour(style, "--st-primary-color", "#06c");
    this.letter = Math.max(12, 0.78 * Number.parseFloat(getComputedStyle(document.documentElement).fontSize));
  }

  x = (value) => ((value - this.centre[0]) / this.reach + 1) * (this.side / 2);
  y = (value) => (1 - (value - this.centre[1]) / this.reach) * (this.side / 2);
  length = (value) => (value / this.reach) * (this.side / 2);
  holds = (z) => z.every((value, k) => Math.abs(value - this.centre[k]) <= this.reach);

  ellipse([x, y], [width, height], { line, fill, dashes = [], thick = 1 }) {
    const { context } = this;
    context.beginPath();
    context.ellipse(this.x(x), this.y(y), this.length(width), this.length(height), 0, 0, 2 * Math.PI);
    if (fill) {
      [context.globalAlpha, context.fillStyle] = [0.25, fill];
      context.fill();
      context.globalAlpha = 1;
    }
    context.setLineDash(dashes);
    [context.strokeStyle, context.lineWidth] = [line, thick];
    context.stroke();
    context.setLineDash([]);
  }

  dot(z, radius, fill, alpha = 1) {
    const { context } = this;
    context.globalAlpha = alpha;
    trace(context, "disc", this.x(z[0]), this.y(z[1]), radius);
    context.fillStyle = fill;
    context.fill();
    context.globalAlpha = 1;
  }

  arrow(from, to) {
    const { context } = this;
    const [x, y, toX, toY] = [this.x(from[0]), this.y(from[1]), this.x(to[0]), this.y(to[1])];
    const angle = Math.atan2(toY - y, toX - x);
    const wing = (turn) => [toX - 9 * Math.cos(angle + turn), toY - 9 * Math.sin(angle + turn)];
    for (const [line, thick] of [[this.background, 6], [this.primary, 3]]) {
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(toX, toY);
      context.moveTo(...wing(0.5));
      context.lineTo(toX, toY);
      context.lineTo(...wing(-0.5));
      [context.strokeStyle, context.lineWidth] = [line, thick];
      context.stroke();
    }
  }

  // With an edge in the colour of the page, so that it can be read on points.
  write(text, x, y, align = "center") {
    const { context } = this;
    context.font = `600 ${this.letter}px ${getComputedStyle(this.canvas).fontFamily}`;
    [context.textAlign, context.textBaseline, context.lineJoin] = [align, "middle", "round"];
    [context.strokeStyle, context.lineWidth] = [this.background, 3.5];
    context.strokeText(text, x, y);
    context.fillStyle = this.ink;
    context.fillText(text, x, y);
  }

  codes({ codes, labels, marks, colours, order }, radius) {
    for (const k of order) {
      const z = [codes[2 * k], codes[2 * k + 1]];
      if (!this.holds(z)) continue;
      const mark = marks[labels[k]] ?? "disc";
      trace(this.context, mark, this.x(z[0]), this.y(z[1]), radius);
      this.context.fillStyle = this.context.strokeStyle = colours[labels[k]] ?? colours.at(-1);
      this.context.lineWidth = radius * 0.7;
      if (mark === "ring") this.context.stroke();
      else this.context.fill();
    }
  }
}

class Reparameterization {
  constructor(parent) {
    this.at = 0; // the stored digit
    this.thrown = [];
    this.epsilon = [normal(), normal()];
    this.root = element("div", { class: "reparameterization" });
    this.build();
    parent.append(this.root);
    this.observer = new ResizeObserver(() => this.root.isConnected && this.request());
    this.observer.observe(this.root);
    this.scheme = globalThis.matchMedia("(prefers-color-scheme: dark)");
    this.scheme.addEventListener("change", this.repaint);
    window.addEventListener("hourglass-symbol", this.light);
  }

  // What a symbol of the page's formula names, see formula.js.
  light = ({ detail }) => {
    for (const part of this.root.querySelectorAll("[data-symbol]")) part.classList.toggle("lit", part.dataset.symbol === detail);
  };

  // The page takes its new colours over a moment.
  repaint = () => setTimeout(() => this.request(), 400);

  leave() {
    this.observer.disconnect();
    this.scheme.removeEventListener("change", this.repaint);
    window.removeEventListener("hourglass-symbol", this.light);
    cancelAnimationFrame(this.due);
    clearTimeout(this.pad?.timer);
    this.root.remove();
  }

  build() {
    const image = () => element("canvas", { class: "image", role: "img", "aria-label": "Image", width: 28, height: 28 });
    const lines = () => element("div", { class: "numbers" });
    [this.input, this.output] = [image(), image()];
    [this.map, this.close] = [new Chart(), new Chart()];
    [this.ofPosterior, this.ofCode, this.ofLoss] = [lines(), lines(), lines()];
    this.paper = element("div", {});
    this.source = element("div", { class: "note" });
    this.scale = element("div", { class: "note" });
    this.said = element("div", { class: "hidden", role: "status", "aria-live": "polite" });
    const part = (title, ...children) => element("section", {}, element("h2", {}, title), ...children);
    const arrow = (name) => element("div", { class: "arrow", "aria-hidden": "true" }, element("b", {}, name), "⟶", element("i", {}, "⇠"), element("i", {}, "gradient"));
    const graph = element("div", { class: "graph" });
    graph.append(
      part(
        "Image x",
        this.paper,
        element("div", { class: "seen" }, this.input, this.source),
      ),
      arrow("encoder"),
      part("q(z|x) on the map", this.map.canvas, this.ofPosterior),
      arrow("sample"),
      part(
        "z = μ + σ ⊙ ε",
        this.close.canvas,
        element("div", { class: "random" }, button("Throw ε", "Draw ε from N(0, I) anew", () => this.throw()), element("span", { class: "note" }, "ε ~ N(0, I): no parameters")),
        this.ofCode,
        this.scale,
      ),
      arrow("decoder"),
      part("Decoded image", this.output, this.ofLoss),
    );
    this.root.append(graph, this.said);
  }

  update(data) {
    const message = unpack(data);
    if (this.message?.id === message.id) {
      this.request();
      return;
    }
    const { arrays } = message;
    this.message = message;
    this.encoder = new Network(message, message.encoder, "encoder.");
    this.decoder = new Network(message, message.decoder, "decoder.");
    const codes = floats(message, "codes");
    this.codes = { codes, labels: arrays.labels, marks: message.marks, order: shuffled(arrays.labels.length) };
    this.middles = message.names.map((_, label) => {
      const rows = Array.from(arrays.labels.keys()).filter((row) => arrays.labels[row] === label);
      return [0, 1].map((d) => rows.reduce((sum, row) => sum + codes[2 * row + d], 0) / rows.length);
    });
    this.reach = 1.03 * codes.reduce((most, value) => Math.max(most, Math.abs(value)), 3);
    if (!this.pad) {
      this.pad = new Pad(this.paper, { strokes: "" });
      this.pad.drawn = () => this.request(true);
      this.pad.clearButton.after(button("Next digit", "Show the next stored test image", () => this.next()));
    }
    const limits = { brush: message.brush, most_points: message.mostPoints, most_strokes: message.mostStrokes };
    this.pad.take({ data: { label: "Image x: draw a digit", ...limits }, setStateValue: () => this.tell() });
    this.request(true);
  }

  next() {
    if (this.pad.strokes.length) this.pad.clear();
    else this.at = (this.at + 1) % this.message.arrays.digitRows.length;
    this.request(true);
    this.encode();
    this.tell();
  }

  throw() {
    this.epsilon = [normal(), normal()];
    this.thrown.push(this.code());
    if (this.thrown.length > MOST_THROWN) this.thrown.shift();
    this.request();
    this.tell();
  }

  code() {
    const { mean, deviation } = this.posterior;
    return mean.map((mu, d) => mu + deviation[d] * this.epsilon[d]);
  }

  tell() {
    const { mean, logVariance } = this.posterior;
    this.said.textContent = `${this.source.textContent}. μ = ${pair(mean, 3)}, log σ² = ${pair(logVariance, 2)}, ε = ${pair(this.epsilon, 2)}, z = ${pair(this.code(), 3)}.`;
  }

  // --- What is computed

  encode() {
    const { message } = this;
    const row = this.pad.strokes.length ? frame(this.pad.strokes, message.brush) : null;
    const n = message.shape[0] * message.shape[1];
    this.isDrawn = row !== null;
    this.row = row ?? Float32Array.from(message.arrays.digits.subarray(this.at * n, (this.at + 1) * n), (value) => value / 255);
    this.posterior = toPosterior(this.encoder.compute(this.row), message.range);
    this.thrown = [];
  }

  request(isNew = false) {
    this.isNew ||= isNew;
    if (this.due || !this.message) return;
    this.due = requestAnimationFrame(() => {
      this.due = 0;
      // Between two steps: the place is gone, and this view leaves in a moment.
      if (!this.root.isConnected) return;
      if (this.isNew) this.encode();
      this.isNew = false;
      this.draw();
    });
  }

  // --- What is drawn

  draw() {
    const { message, posterior, epsilon } = this;
    const style = getComputedStyle(this.root);
    const probe = element("span", { style: `color: ${colour(style, "--st-background-color", "#ffffff")}` });
    this.root.append(probe);
    const theme = isDark(colourOf(probe)) ? "dark" : "light";
    probe.remove();
    this.codes.colours = [...message.colours[theme], message.none[theme]];
    const z = this.code();
    const decoded = this.decoder.compute(z);
    const { loss, gradient } = toLoss(this.decoder, this.row, decoded);
    this.paint(this.input, this.row, `Image x, ${message.shape.join(" by ")} pixels`);
    this.paint(this.output, decoded, `Decoded image of z = ${pair(z, 3)}`);
    const at = this.at;
    this.source.textContent = this.isDrawn ? "Your drawing, centred as MNIST's digits are" : `Test image #${counted(message.arrays.digitRows[at])}, class ${message.names[message.arrays.digitLabels[at]]}`;
    this.drawMap(style);
    this.drawClose(style, z, gradient);
    const { mean, logVariance, deviation, kl } = posterior;
    const line = (symbol, ...parts) => element("p", { "data-symbol": symbol }, ...parts);
    const back = (text) => element("p", { class: "back" }, text);
    this.ofPosterior.replaceChildren(
      line("\\mu_\\phi(x)", `μ = ${pair(mean, 3)}`),
      line("", `log σ² = ${pair(logVariance, 2)}`),
      line("\\sigma_\\phi(x)", `σ = ${pair(deviation, 3)}`),
      line("", `KL(q ‖ p) = ${fixed(kl, 2)} nats`),
      back(`∂L/∂μ = ∂L/∂z · 1 = ${pair(gradient, 1)}`),
      back(`∂L/∂σ = ∂L/∂z · ε = ${pair(gradient.map((value, d) => value * epsilon[d]), 1)}`),
    );
    const inBrackets = (value) => fixed(value, 2).replace(/^−.*/, "($&)");
    this.ofCode.replaceChildren(
      line("\\varepsilon", `ε = ${pair(epsilon, 2)}`),
      ...mean.map((mu, d) => line("z", `z${SUBSCRIPTS[d]} = ${fixed(mu, 3)} + ${fixed(deviation[d], 3)} · ${inBrackets(epsilon[d])} = `, element("b", {}, fixed(z[d], 3)))),
      back(`∂L/∂z = ${pair(gradient, 1)}`),
    );
    this.ofLoss.replaceChildren(line("", `L = ${fixed(loss, 1)} nats, the cross entropy of x and the decoded pixels`));
    Object.assign(this.root.dataset, { drawn: message.id, code: z.join(" ") });
  }

  paint(canvas, values, label) {
    const [height, width] = this.message.shape;
    const image = canvas.getContext("2d").createImageData(width, height);
    grey(values, 255, new Uint32Array(image.data.buffer), 0, width, width, height);
    canvas.getContext("2d").putImageData(image, 0, 0);
    canvas.setAttribute("aria-label", label);
  }

  drawMap(style) {
    const { map, posterior, message } = this;
    map.begin([0, 0], this.reach, style);
    // What stays while a digit is drawn is painted once.
    const look = `${message.id} ${map.canvas.width} ${map.ink} ${map.letter}`;
    if (this.look === look) map.context.drawImage(this.painted, 0, 0, map.side, map.side);
    else {
      map.codes(this.codes, Math.max(1.3, map.side / 200));
      for (const sd of [1, 2]) map.ellipse([0, 0], [sd, sd], { line: map.ink, dashes: [4, 4] });
      map.write("p(z), 2 sd", map.x(0), map.y(-2) + map.letter);
      message.names.forEach((name, k) => map.write(name, map.x(this.middles[k][0]), map.y(this.middles[k][1])));
      this.look = look;
      this.painted = new OffscreenCanvas(map.canvas.width, map.canvas.height);
      this.painted.getContext("2d").drawImage(map.canvas, 0, 0);
    }
    const twice = posterior.deviation.map((sd) => 2 * sd);
    map.ellipse(posterior.mean, twice, { line: map.ink, fill: map.primary, thick: 1.5 });
    // The ellipse may be smaller than a point: a square marks what the close-up shows.
    const [reach, { context }] = [this.closeReach(), map];
    const [left, top, side] = [map.x(posterior.mean[0] - reach), map.y(posterior.mean[1] + reach), 2 * map.length(reach)];
    const grown = Math.max(0, 14 - side) / 2;
    for (const [line, thick] of [[map.background, 5], [map.primary, 2.5]]) {
      [context.strokeStyle, context.lineWidth] = [line, thick];
      context.strokeRect(left - grown, top - grown, side + 2 * grown, side + 2 * grown);
    }
    map.canvas.setAttribute(
      "aria-label",
      `Map of the codes of ${counted(this.codes.labels.length)} test images by class; q(z|x) is an ellipse at ${pair(posterior.mean, 2)} with standard deviations ${pair(posterior.deviation, 3)}`,
    );
  }

  // In steps, so that it does not change with every point of a stroke.
  closeReach() {
    const wanted = CLOSE * Math.max(...this.posterior.deviation);
    return 2 ** (Math.ceil(2 * Math.log2(wanted)) / 2);
  }

  drawClose(style, z, gradient) {
    const { close, posterior } = this;
    const { mean, deviation } = posterior;
    const reach = this.closeReach();
    close.begin(mean, reach, style);
    close.codes(this.codes, Math.max(2.5, close.side / 80));
    for (const sd of [2, 1]) close.ellipse(mean, deviation.map((value) => sd * value), { line: close.ink, fill: close.primary, thick: 1.5 });
    for (const earlier of this.thrown) close.dot(earlier, 2, close.ink, 0.6);
    const { context } = close;
    context.beginPath();
    context.moveTo(close.x(mean[0]), close.y(mean[1]));
    context.lineTo(close.x(z[0]), close.y(z[1]));
    [context.strokeStyle, context.lineWidth] = [close.ink, 2];
    context.stroke();
    // The direction in which the loss falls fastest, in a length of its own.
    const length = (0.3 * reach) / Math.hypot(...gradient);
    close.arrow(z, z.map((value, d) => value - length * gradient[d]));
    close.dot(mean, 3.5, close.ink);
    close.dot(z, 7, close.background);
    close.dot(z, 5.5, close.primary);
    close.write("μ", close.x(mean[0]), close.y(mean[1]) + (z[1] > mean[1] ? 1 : -1) * close.letter);
    close.write("z", close.x(z[0]) + close.letter, close.y(z[1]));
    const times = this.reach / reach;
    this.scale.textContent = `The square of the map, ${times.toFixed(0)} times as large; ellipses: 1 and 2 sd, arrow: −∂L/∂z`;
    close.canvas.setAttribute("aria-label", `Close-up of q(z|x): mean ${pair(mean, 3)}, z = ${pair(z, 3)}`);
  }
}
