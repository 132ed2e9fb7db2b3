// A GAN that the browser plays: data of known density, samples, the discriminator as a field, arrows of the gradient.

const HALF = 4; // of the plane
const SIDE = 32; // of the field, in points
const [N_SAMPLES, N_REAL, N_ARROWS, N_SLOW] = [512, 400, 128, 64];
const RATES = [0.0001, 0.0002, 0.0003, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03];
const SPEEDS = { slow: "4 rounds a second", one: "1 round a frame", fast: "fastest" };
const FRAME = 20; // milliseconds of a frame for rounds
const [MEASURED_EVERY, SLOW_EVERY, REDUCED_EVERY] = [400, 250, 500]; // milliseconds
const MOST_FRAMES = 120; // of the timeline
const [STAGE, TWEEN, LARGER] = [2600, 900, 10]; // milliseconds of a sub-step and its motion; a step is drawn so much larger
const STAGES = ["Sample z", "Generate", "D judges both", "D learns", "G learns along the arrows"];
const OPTIMA = [["log 2", Math.log(2)], ["2 log 2", 2 * Math.log(2)]];

const games = new WeakMap();
const isReduced = () => globalThis.matchMedia("(prefers-reduced-motion: reduce)").matches;
const fixed = (value, places = 3) => (Number.isFinite(value) ? value.toFixed(places).replace("-", "−") : "–");
const mix = (from, to, share) => from.map((value, k) => Math.round(value + (to[k] - value) * share));
const css = (colour, opacity = 1) => `rgba(${colour.join(", ")}, ${opacity})`;
const rgb = (text) => [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16));
const lerp = (from, to, share) => from.map((value, k) => value + (to[k] - value) * share);

// The numbers of an array of half precision.
function fromHalf(array) {
  return Float64Array.from(array, (half) => {
    const [sign, exponent, fraction] = [half & 0x8000 ? -1 : 1, (half >> 10) & 31, half & 1023];
    if (exponent === 31) return NaN;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : (2 ** -14 * fraction) / 1024);
  });
}

// A grid's points: (side) in one dimension, (side * side, 2) in two, x changing fastest.
function makeGrid(d, side) {
  const axis = Array.from({ length: side }, (_, k) => -HALF + (2 * HALF * (k + 0.5)) / side);
  return Float64Array.from(d === 1 ? axis : axis.flatMap((y) => axis.flatMap((x) => [x, y])));
}

class GameView {
  constructor(parent) {
    this.root = element("div", { class: "game" });
    parent.append(this.root);
    this.observer = new ResizeObserver(() => this.request());
    this.build();
    this.observer.observe(this.plane);
  }

  build() {
    const button = (label, onclick, options = {}) => element("button", { type: "button", onclick, ...options }, label);
    const canvas = (about) => element("canvas", { role: "img", "aria-label": about });
    this.plane = canvas("Data, samples and discriminator");
    this.chart = canvas("Losses by round");
    this.playing = button("Play", () => this.toggle(), { class: "strong" });
    this.next = button("Next sub-step", () => this.advance(), { hidden: true });
    this.speed = element("select", { "aria-label": "Speed" }, ...Object.entries(SPEEDS).map(([value, text]) => element("option", { value }, text)));
    this.speed.value = "one";
    this.timeline = element("input", { type: "range", min: 0, max: 0, step: 1, "aria-label": "Round", oninput: () => this.lookBack(Number(this.timeline.value)), onchange: () => this.tellRound() });
    this.counter = element("output", { class: "counter" });
    this.field = element("select", { "aria-label": "Background", onchange: () => this.request() }, element("option", { value: "learned" }, "learned D(x)"), element("option", { value: "optimal" }, "p / (p + q)"));
    this.ground = element("label", { class: "chip" }, "Background: ", this.field);
    this.rates = Object.fromEntries(
      [["G", "Generator"], ["D", "Discriminator"]].map(([player, name]) => {
        const value = element("output", {});
        const input = element("input", { type: "range", min: 0, max: RATES.length - 1, step: 1, "aria-label": `${name} learning rate`, oninput: () => this.rate(player), onchange: () => this.tellRates() });
        return [player, { input, value, row: element("label", { class: "rate" }, element("span", {}, `${name} learning rate`), input, value) }];
      }),
    );
    this.stages = element("ol", { class: "stages", "aria-label": "Sub-steps of a round" }, ...STAGES.map((name) => element("li", {}, name)));
    this.said = element("p", { class: "said", role: "status", "aria-live": "polite" });
    this.legend = element("div", { class: "legend" });
    this.lossLegend = element("div", { class: "legend" });
    this.numbers = element("dl", { class: "numbers" });
    this.presets = element("div", { class: "presets", role: "group", "aria-label": "Presets" });
    this.table = element("tbody", {});
    const head = element("tr", {}, ...["Quantity", "Value"].map((name) => element("th", { scope: "col" }, name)));
    this.details = element("details", { ontoggle: () => this.tabulate() }, element("summary", {}, "Numbers as a table"), element("table", {}, element("thead", {}, head), this.table));
    this.losses = element("div", { class: "losses" }, this.chart, this.lossLegend);
    this.root.append(
      this.presets,
      element("div", { class: "board" },
        element("div", { class: "left" },
          element("div", { class: "moves" }, this.playing, button("One round", () => this.playOne()), button("Slow motion", () => this.beginSlow()), this.next),
          element("div", { class: "plane" }, this.plane),
          element("label", { class: "time" }, this.timeline, this.counter),
          this.stages, this.said, this.legend,
          element("div", { class: "legend" }, element("label", { class: "chip" }, "Speed: ", this.speed), this.ground)),
        element("div", { class: "right" }, this.numbers, this.rates.G.row, this.rates.D.row, this.losses, this.details)),
    );
  }

  // --- The game

  take({ data, setTriggerValue }) {
    this.trigger = setTriggerValue;
    const message = unpack(data);
    this.choose(message);
    const opens = message.opens !== this.message?.opens;
    if (message.key === this.key) {
      this.message.opens = message.opens;
      // Another round of a link; what the browser chose itself is shown already.
      if (opens && message.opens !== this.told) this.start();
      return this.request();
    }
    Object.assign(this, { key: message.key, message });
    this.start();
  }

  choose({ presets, preset }) {
    this.presets.hidden = !presets.length;
    if (this.presets.childElementCount !== presets.length) {
      this.thumbnails = presets.map(({ name, label, points }) => {
        const canvas = element("canvas", { width: 96, height: 64, "aria-hidden": "true" });
        return { name, points, canvas, button: element("button", { type: "button", onclick: () => this.preset(name) }, canvas, element("span", {}, label)) };
      });
      this.presets.replaceChildren(...this.thumbnails.map(({ button }) => button));
    }
    for (const { name, button } of this.thumbnails ?? []) button.setAttribute("aria-pressed", String(name === preset));
  }

  preset(name) {
    if (name === this.message.preset) this.start();
    else this.trigger("preset", name);
  }

  start() {
    const { arrays, types, settings, rounds } = this.message;
    const read = (name) => (types[name] === "f2" ? fromHalf(arrays[name]) : Float64Array.from(arrays[name]));
    const mixture = new Mixture(read("weights"), read("means"), read("deviations"));
    this.halt();
    this.game = new Game(mixture, settings);
    const d = mixture.dimension;
    this.grid = makeGrid(d, d === 1 ? 4 * SIDE : SIDE);
    const random = makeRandom(settings.seed + 1);
    this.real = mixture.sample(N_REAL, random);
    this.shown = { n: N_SAMPLES, z: random.normals(N_SAMPLES * d), eps: random.normals(N_SAMPLES * d) };
    this.p = mixture.logDensity(this.grid).map(Math.exp);
    this.history = { round: [], D: [], G: [], minimax: [], nonSaturating: [] };
    this.every = 10; // rounds from one frame of the timeline to the next
    const { G, D } = this.game;
    if (rounds.length) {
      const [ofG, ofD] = [read("generator"), read("discriminator")];
      this.frames = rounds.map((round, k) => ({ round, G: Float32Array.from(ofG.subarray(k * G.length, (k + 1) * G.length)), D: Float32Array.from(ofD.subarray(k * D.length, (k + 1) * D.length)) }));
      for (const name of Object.keys(this.history)) this.history[name] = Array.from(read(`history.${name}`));
      this.every = Math.max(10, Math.round(rounds.at(-1) / rounds.length));
    } else this.frames = [this.snapshot()];
    for (const [player, { input }] of Object.entries(this.rates)) {
      input.value = this.nearest(settings.rates[player]);
      this.rate(player);
    }
    this.explain();
    const at = rounds.indexOf(this.message.opens);
    this.lookBack(at < 0 ? this.frames.length - 1 : at);
  }

  nearest(rate) {
    const off = RATES.map((value) => Math.abs(Math.log(value / rate)));
    return off.indexOf(Math.min(...off));
  }

  rate(player) {
    const { input, value } = this.rates[player];
    this.game.rates[player] = RATES[Number(input.value)];
    value.textContent = `${RATES[Number(input.value)]}`;
    input.setAttribute("aria-valuetext", value.textContent);
  }

  tellRates() {
    if (this.message.preset === "own") this.trigger("rates", { G: this.game.rates.G, D: this.game.rates.D });
  }

  // The address holds the round that is looked back to, if it is one of those that came with the game.
  tellRound() {
    const { round } = this.frames[this.at];
    this.told = round;
    if (this.message.rounds.includes(round)) this.trigger("round", round);
  }

  snapshot() {
    return { round: this.game.rounds, G: Float32Array.from(this.game.G.weights), D: Float32Array.from(this.game.D.weights) };
  }

  lookBack(at) {
    this.halt();
    this.at = at;
    this.game.set(this.frames[at], this.frames[at].round);
    this.measure();
    this.request();
  }

  // A game that goes on from an earlier frame leaves what came after it.
  branch() {
    if (this.at === this.frames.length - 1) return;
    this.frames.length = this.at + 1;
    const kept = this.history.round.filter((round) => round <= this.game.rounds).length;
    for (const values of Object.values(this.history)) values.length = kept;
  }

  record(losses) {
    const { history, game, frames } = this;
    history.round.push(game.rounds);
    for (const name of ["D", "G", "minimax", "nonSaturating"]) history[name].push(losses[name]);
    if (game.rounds - frames.at(-1).round >= this.every) frames.push(this.snapshot());
    if (frames.length > MOST_FRAMES) {
      this.frames = frames.filter((_, k) => k % 2 === 0);
      this.every *= 2;
    }
    this.at = this.frames.length - 1;
  }

  round() {
    this.branch();
    const losses = this.game.round();
    if (!Number.isFinite(losses.G)) {
      this.halt();
      this.lookBack(this.frames.length - 1);
      this.say("A loss is no longer a finite number: choose lower learning rates.");
      return false;
    }
    this.record(losses);
    return true;
  }

  toggle() {
    if (this.isPlaying) return this.pause();
    this.halt();
    this.isPlaying = true;
    this.playing.textContent = "Pause";
    this.say("");
    [this.lastPlayed, this.lastMeasured] = [0, 0];
    this.request();
  }

  pause() {
    this.halt();
    this.measure();
    this.request();
  }

  playOne() {
    this.halt();
    if (this.round()) this.say(`Round ${counted(this.game.rounds)}.`);
    this.measure();
    this.request();
  }

  // Neither plays nor is slow.
  halt() {
    this.isPlaying = false;
    this.playing.textContent = "Play";
    this.slow = null;
    this.next.hidden = true;
    this.stages.classList.remove("is-active");
    clearTimeout(this.timer);
  }

  playFrame(now) {
    const wait = isReduced() ? REDUCED_EVERY : this.speed.value === "slow" ? SLOW_EVERY : 0;
    if (now - this.lastPlayed < wait) return;
    this.lastPlayed = now;
    const end = performance.now() + (this.speed.value === "fast" ? FRAME : 0);
    do if (!this.round()) return;
    while (performance.now() < end);
    if (now - this.lastMeasured > MEASURED_EVERY) {
      this.lastMeasured = now;
      this.measure();
    }
  }

  measure() {
    const { dx, n } = this.arrows(this.game.generate(this.shown, "shown").x) ?? { dx: [], n: 1 };
    const lengths = Array.from({ length: dx.length / this.game.dimension }, (_, i) => Math.hypot(...dx.subarray(i * this.game.dimension, (i + 1) * this.game.dimension)));
    const pulled = lengths.filter((length) => length > 0.01 * Math.max(...lengths)).length / n;
    this.measured = { ...this.game.measure(), pulled };
    this.describe();
  }

  // --- One round in slow motion

  beginSlow() {
    this.halt();
    this.branch();
    const draw = this.game.draw(N_SLOW);
    this.slow = { stage: -1, draw, since: 0 };
    this.next.hidden = false;
    this.stages.classList.add("is-active");
    this.advance();
  }

  advance() {
    clearTimeout(this.timer);
    const { slow, game } = this;
    if (!slow) return;
    slow.stage += 1;
    if (slow.stage === STAGES.length) {
      this.halt();
      this.measure();
      return this.request();
    }
    [...this.stages.children].forEach((item, k) => (k === slow.stage ? item.setAttribute("aria-current", "step") : item.removeAttribute("aria-current")));
    slow.since = performance.now();
    this.say(`${slow.stage + 1}. ${STAGES[slow.stage]}: ${this[["sampleZ", "generate", "judgeBoth", "learnD", "learnG"][slow.stage]](slow, game)}`);
    if (!isReduced()) this.timer = setTimeout(() => this.advance(), STAGE);
    this.request();
  }

  sampleZ({ draw }) {
    return `${draw.n} codes z are drawn from N(0, I).`;
  }

  generate(slow, game) {
    slow.x = game.generate(slow.draw).x;
    return `G maps each code z to a sample G(z); noise with a standard deviation of ${game.settings.noise} is added.`;
  }

  judgeBoth(slow, game) {
    [slow.onReal, slow.onMade] = [game.judge(slow.draw.real), game.judge(slow.x)];
    if (game.settings.teacher !== "discriminator") return "D is fixed, so it judges the generated samples alone.";
    return `D is ${fixed(meanOf(slow.onReal), 2)} on the real and ${fixed(meanOf(slow.onMade), 2)} on the generated samples, in the mean; its loss is ${fixed(this.lossD(slow))}.`;
  }

  lossD({ draw, x }) {
    return this.game.lossD(draw.real, x, new Float64Array(draw.n).fill(0.5)).value;
  }

  learnD(slow, game) {
    if (game.settings.teacher !== "discriminator") return "D is fixed and does not learn.";
    const [before, from] = [this.lossD(slow), Float64Array.from(game.D.weights)];
    for (let k = 0; k < game.settings.steps; k++) slow.lossD = game.stepD(slow.draw);
    slow.tween = { player: "D", from, to: Float64Array.from(game.D.weights) };
    const steps = game.settings.steps > 1 ? `${game.settings.steps} steps` : "one step";
    return `after ${steps} of Adam at a learning rate of ${game.rates.D}, its loss on these samples is ${fixed(this.lossD(slow), 4)} instead of ${fixed(before, 4)}${isReduced() ? "." : ` (drawn ${LARGER} times as large).`}`;
  }

  learnG(slow, game) {
    const from = Float64Array.from(game.G.weights);
    const taught = game.stepG(slow.draw);
    slow.tween = { player: "G", from, to: Float64Array.from(game.G.weights) };
    slow.arrows = { x: slow.x, dx: taught.dx };
    const { x, cache } = game.generate(slow.draw);
    const after = game.teach(x, slow.draw.real, cache.out).value;
    game.rounds += 1;
    this.record({ D: slow.lossD, G: taught.value, minimax: taught.minimax, nonSaturating: taught.nonSaturating });
    return `after one step of Adam at a learning rate of ${game.rates.G}, the loss of G on these codes is ${fixed(after, 4)} instead of ${fixed(taught.value, 4)}${isReduced() ? "." : ` (drawn ${LARGER} times as large).`}`;
  }

  // --- Pictures

  request() {
    this.due ||= requestAnimationFrame((now) => {
      this.due = 0;
      if (!this.root.isConnected || !this.game) return;
      if (this.isPlaying) this.playFrame(now);
      this.draw(now);
      if (this.isPlaying || this.slow) this.request();
    });
  }

  get colours() {
    const style = getComputedStyle(this.root);
    const ground = style.getPropertyValue("--st-background-color").trim() || "#ffffff";
    const { light, dark } = this.message.colours;
    return Object.fromEntries(Object.entries(ground.startsWith("#") && isDark(rgb(ground)) ? dark : light).map(([name, value]) => [name, rgb(value)]));
  }

  // The canvas at the size of its place, scaled so that lengths are in pixels of the page.
  fit(canvas, ratio) {
    const [width, scale] = [canvas.clientWidth, globalThis.devicePixelRatio || 1];
    const height = Math.round(width * ratio);
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.style.height = `${height}px`;
      [canvas.width, canvas.height] = [Math.round(width * scale), Math.round(height * scale)];
    }
    const context = canvas.getContext("2d");
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = `${Math.max(12, 0.75 * Number.parseFloat(getComputedStyle(document.documentElement).fontSize))}px ${getComputedStyle(this.root).fontFamily}`;
    return { context, width, height };
  }

  draw(now) {
    const { game, slow } = this;
    const colours = (this.palette = this.colours);
    const share = !slow ? 1 : isReduced() ? 1 : Math.min(1, (now - slow.since) / TWEEN);
    const d = game.dimension;
    // While a player learns in slow motion, its step is drawn larger than it is.
    const learning = slow?.stage >= 3 && !isReduced() ? slow.tween : null;
    const kept = learning ? Float64Array.from(game[learning.player].weights) : null;
    if (learning) game[learning.player].weights.set(lerp(learning.from, learning.to, LARGER * share));
    const view = this.fit(this.plane, d === 1 ? 0.75 : 1);
    (d === 1 ? this.drawLine : this.drawPlane).call(this, view, colours, share);
    if (kept) game[learning.player].weights.set(kept);
    this.drawLosses(colours);
    this.drawThumbnails(colours);
    this.showRound();
    this.drawn = (this.drawn ?? 0) + 1;
    this.root.dataset.round = game.rounds;
  }

  // The samples that are shown: some that stay, or those of slow motion on their way from z.
  place(share) {
    const { game, slow } = this;
    if (!slow) return game.generate(this.shown, "shown").x;
    if (slow.stage === 0) return slow.draw.z;
    const { x } = game.generate(slow.draw, "slow");
    return slow.stage === 1 ? lerp(slow.draw.z, x, share) : x;
  }

  arrows(x) {
    const { slow, game } = this;
    if (slow) return slow.stage === 4 ? slow.arrows : null;
    const d = game.dimension;
    const isLikely = game.settings.teacher === "likelihood";
    // As many codes as real rows are those of a step.
    const shown = x.slice(0, N_ARROWS * d);
    const centres = isLikely ? game.generate(this.shown, "shown").cache.out.slice(0, N_ARROWS * d) : null;
    const { dx } = game.teach(shown, isLikely ? game.mixture.sample(N_ARROWS, makeRandom(5)) : null, centres);
    return { x: centres ?? shown, dx, n: N_ARROWS };
  }

  // Arrows at samples, down the gradient of a mean over n of them, at most 0.9 long: in proportion to the longest for
  // maximum likelihood, whose scale is that of the noise, else longer for a larger gradient.
  drawArrows(context, scale, { x, dx, n = N_SLOW }, colour) {
    const d = this.game.dimension;
    const isLikely = this.game.settings.teacher === "likelihood";
    let most = 1e-12;
    for (let i = 0; i < x.length; i += d) most = Math.max(most, n * Math.hypot(...dx.subarray(i, i + d)));
    context.beginPath();
    for (let i = 0; i < x.length; i += d) {
      const step = [-n * dx[i], d > 1 ? -n * dx[i + 1] : 0];
      const length = Math.hypot(...step);
      const long = 0.9 * (isLikely ? length / most : Math.tanh(length / 3)) * scale.unit;
      if (!(long > 1)) continue;
      const [ux, uy] = [step[0] / length, -step[1] / length];
      const [fromX, fromY] = [scale.x(x[i]), d > 1 ? scale.y(x[i + 1]) : scale.ground];
      const [toX, toY, head] = [fromX + long * ux, fromY + long * uy, Math.min(5, long / 2)];
      context.moveTo(fromX, fromY);
      context.lineTo(toX, toY);
      context.moveTo(toX - head * (ux - 0.6 * uy), toY - head * (uy + 0.6 * ux));
      context.lineTo(toX, toY);
      context.lineTo(toX - head * (ux + 0.6 * uy), toY - head * (uy - 0.6 * ux));
    }
    [context.strokeStyle, context.lineWidth] = [css(colour), 1.3];
    context.stroke();
  }

  // q on the picture's grid.
  density() {
    const side = this.game.dimension === 1 ? this.grid.length : SIDE;
    return this.game.densityOnGrid(-HALF + HALF / side, (2 * HALF) / side, side);
  }

  get background() {
    const { game } = this;
    if (game.settings.teacher === "density") {
      const logs = game.mixture.logDensity(this.grid);
      const { top } = game.settings;
      return logs.map((log) => Math.exp(log - top));
    }
    if (this.field.value === "optimal") {
      const q = this.density();
      return this.p.map((p, k) => (p + q[k] > 1e-12 ? p / (p + q[k]) : 0.5));
    }
    return game.judge(this.grid);
  }

  drawPlane({ context, width }, colours, share) {
    const scale = { unit: width / (2 * HALF), x: (x) => ((x + HALF) * width) / (2 * HALF), y: (y) => ((HALF - y) * width) / (2 * HALF) };
    if (this.game.settings.teacher !== "likelihood") this.drawField(context, width, colours);
    const { slow } = this;
    const x = this.place(share);
    this.dots(context, scale, slow ? slow.draw.real : this.real, colours.real, slow?.stage < 2 ? 0.25 : 0.75);
    if (slow?.stage === 0) this.dots(context, scale, x, colours.ink, 0.9);
    else this.crosses(context, scale, x, colours.generated);
    if (slow?.stage === 2) this.verdicts(context, scale, colours);
    const arrows = this.arrows(x);
    if (arrows) this.drawArrows(context, scale, arrows, colours.ink);
    if (slow?.stage === 0) this.label(context, colours, "codes z ~ N(0, I)");
  }

  drawField(context, width, colours) {
    const values = this.background;
    this.image ||= element("canvas", { width: SIDE, height: SIDE });
    const small = this.image.getContext("2d");
    const pixels = small.createImageData(SIDE, SIDE);
    let [low, high] = [0, 1];
    if (!this.game.isProbability && this.field.value === "learned") {
      const middle = Float64Array.from(values).sort()[values.length >> 1];
      const reach = values.reduce((most, value) => Math.max(most, Math.abs(value - middle)), 1e-9);
      if (this.game.settings.loss === "wasserstein_gp") [low, high] = [middle - reach, middle + reach];
    }
    const [made, true_] = [mix(colours.ground, colours.generated, 0.35), mix(colours.ground, colours.real, 0.35)];
    for (let k = 0; k < values.length; k++) {
      const value = Math.min(1, Math.max(0, (values[k] - low) / (high - low)));
      const colour = value < 0.5 ? mix(made, colours.ground, 2 * value) : mix(colours.ground, true_, 2 * value - 1);
      pixels.data.set([...colour, 255], 4 * ((SIDE - 1 - Math.floor(k / SIDE)) * SIDE + (k % SIDE)));
    }
    small.putImageData(pixels, 0, 0);
    context.imageSmoothingEnabled = true;
    context.drawImage(this.image, 0, 0, width, width);
  }

  dots(context, scale, x, colour, opacity) {
    context.fillStyle = css(colour, opacity);
    for (let i = 0; i < x.length; i += 2) {
      context.beginPath();
      context.arc(scale.x(x[i]), scale.y(x[i + 1]), 2.2, 0, 7);
      context.fill();
    }
  }

  crosses(context, scale, x, colour) {
    context.beginPath();
    for (let i = 0; i < x.length; i += 2) {
      const [px, py] = [scale.x(x[i]), scale.y(x[i + 1])];
      context.moveTo(px - 2.6, py - 2.6);
      context.lineTo(px + 2.6, py + 2.6);
      context.moveTo(px - 2.6, py + 2.6);
      context.lineTo(px + 2.6, py - 2.6);
    }
    [context.strokeStyle, context.lineWidth] = [css(colour), 1.4];
    context.stroke();
  }

  // What D says of each sample: a ring, the fuller the more it is called real.
  verdicts(context, scale, colours) {
    const { draw, x, onReal, onMade } = this.slow;
    for (const [rows, values, colour] of [[draw.real, onReal, colours.real], [x, onMade, colours.generated]]) {
      [context.strokeStyle, context.lineWidth] = [css(colour), 3];
      values.forEach((value, i) => {
        context.beginPath();
        const [px, py] = [scale.x(rows[2 * i]), scale.y(rows[2 * i + 1])];
        context.arc(px, py, 7, -Math.PI / 2, -Math.PI / 2 + 2 * Math.PI * Math.min(1, Math.max(0, value)));
        context.stroke();
      });
    }
    this.label(context, colours, "a full ring: D = 1, “real”");
  }

  label(context, colours, text) {
    const size = Number.parseFloat(context.font);
    context.fillStyle = css(colours.ground, 0.85);
    context.fillRect(6, 6, context.measureText(text).width + 10, size + 8);
    context.fillStyle = css(colours.ink);
    context.fillText(text, 11, 8 + size);
  }

  // One dimension: densities, D on its own scale, samples below.
  drawLine({ context, width, height }, colours, share) {
    const { game, grid, slow } = this;
    const q = this.density();
    const top = 1.25 * Math.max(...this.p, 0.6 * Math.max(...q));
    const ground = height - 34;
    const scale = { unit: width / (2 * HALF), x: (x) => ((x + HALF) * width) / (2 * HALF), ground: height - 14 };
    const line = (values, most, colour, { dash = [], fill = false, thick = 2 } = {}) => {
      context.beginPath();
      values.forEach((value, k) => context.lineTo(scale.x(grid[k]), ground - (Math.min(value, 1.02 * most) / most) * (ground - 8)));
      context.setLineDash(dash);
      [context.strokeStyle, context.lineWidth] = [css(colour), thick];
      context.stroke();
      context.setLineDash([]);
      if (!fill) return;
      context.lineTo(width, ground);
      context.lineTo(0, ground);
      context.fillStyle = css(colour, 0.18);
      context.fill();
    };
    context.fillStyle = css(colours.soft);
    for (let x = -3; x <= 3; x++) context.fillRect(scale.x(x), ground, 1, 4);
    context.fillRect(0, ground, width, 1);
    line(this.p, top, colours.real, { fill: true });
    line(q, top, colours.generated);
    if (game.settings.teacher === "density") line(this.background, 1.05, colours.learned, { thick: 3 });
    else if (game.settings.teacher === "discriminator") {
      const learned = game.judge(grid);
      const [low, high] = game.isProbability || game.settings.loss === "least_squares" ? [0, 1] : [Math.min(...learned), Math.max(...learned)];
      line(learned.map((value) => (value - low) / (high - low || 1)), 1.05, colours.learned, { thick: 3 });
      if (game.settings.loss !== "wasserstein_gp") line(this.p.map((p, k) => p / (p + q[k] + 1e-300)), 1.05, colours.optimal, { dash: [6, 4] });
    }
    const x = this.place(share);
    const ticks = (rows, colour, from, to) => {
      context.fillStyle = css(colour, 0.6);
      for (const value of rows) context.fillRect(scale.x(value), from, 1, to - from);
    };
    ticks(slow ? slow.draw.real : this.real, colours.real, ground + 4, ground + 12);
    ticks(x, slow?.stage === 0 ? colours.ink : colours.generated, scale.ground - 6, scale.ground + 10);
    const arrows = this.arrows(x);
    if (arrows) this.drawArrows(context, scale, arrows, colours.ink);
    if (slow?.stage === 0) this.label(context, colours, "codes z ~ N(0, 1), below the axis");
  }

  drawThumbnails(colours) {
    for (const { points, canvas } of this.thumbnails ?? []) {
      const context = canvas.getContext("2d");
      context.clearRect(0, 0, canvas.width, canvas.height);
      const draw = (values, colour) => {
        context.fillStyle = css(colour);
        for (let k = 0; k < values.length; k += 2) context.fillRect(48 + values[k] * 9, 32 - values[k + 1] * 8, 2, 2);
      };
      draw(points.real, colours.real);
      draw(points.generated, colours.generated);
    }
  }

  // The losses by name: the one that the generator plays, and the other.
  get lines() {
    const { loss, teacher } = this.message.settings;
    if (teacher === "density") return [["G", "−log D(G(z)), D = p / max p", "generated", []]];
    if (teacher === "likelihood") return [["G", "−log p(x), naive sampling", "generated", []]];
    const D = { least_squares: "D: least squares", wasserstein_gp: "D: D(G(z)) − D(x) and penalty" }[loss] ?? "D: −log D(x) − log(1 − D(G(z)))";
    if (loss === "least_squares") return [["D", D, "learned", []], ["G", "G: least squares", "generated", []]];
    if (loss === "wasserstein_gp") return [["D", D, "learned", []], ["G", "G: −D(G(z))", "generated", []]];
    const isMinimax = loss === "minimax";
    const played = (is) => (is ? "played" : "not played");
    return [
      ["D", D, "learned", []],
      ["nonSaturating", `G, non-saturating: −log D(G(z)) (${played(!isMinimax)})`, "generated", isMinimax ? [4, 3] : []],
      ["minimax", `G, minimax: log(1 − D(G(z))) (${played(isMinimax)})`, "optimal", isMinimax ? [] : [4, 3]],
    ];
  }

  drawLosses(colours) {
    if (this.losses.hidden) return;
    const { context, width, height } = this.fit(this.chart, 0.5);
    const { history } = this;
    const shown = this.lines.map(([name, , colour, dash]) => ({ values: smooth(history[name]), colour, dash }));
    const isKnown = this.game.isProbability && this.message.settings.teacher === "discriminator";
    const optima = isKnown ? OPTIMA : [];
    const all = [...shown.flatMap(({ values }) => values), ...optima.map(([, value]) => value), 0].filter(Number.isFinite).sort((a, b) => a - b);
    const [low, high] = [all[Math.floor(0.01 * (all.length - 1))], all[Math.ceil(0.99 * (all.length - 1))]];
    const room = 0.12 * (high - low) || 1;
    const size = Number.parseFloat(context.font);
    const [left, right, bottom] = [3 * size, width - 4 * size, height - size - 8];
    const last = Math.max(1, this.frames.at(-1).round, history.round.at(-1) ?? 0);
    const x = (round) => left + ((right - left) * round) / last;
    const y = (value) => bottom - ((bottom - 6) * (value - low + room)) / (high - low + 2 * room);
    context.fillStyle = css(colours.ink);
    context.textAlign = "right";
    for (const value of ticks(low, high)) context.fillText(fixed(value, 1), left - 5, y(value) + size / 3);
    context.fillText(`round ${counted(last)}`, right, height - 4);
    context.textAlign = "left";
    context.fillText("0", left, height - 4);
    for (const [name, value] of optima) {
      context.beginPath();
      context.setLineDash([2, 3]);
      context.moveTo(left, y(value));
      context.lineTo(right, y(value));
      [context.strokeStyle, context.lineWidth] = [css(colours.ink), 1];
      context.stroke();
      context.setLineDash([]);
      context.fillText(name, right + 4, y(value) + size / 3);
    }
    for (const { values, colour, dash } of shown) {
      context.beginPath();
      const step = Math.max(1, Math.floor(values.length / 400));
      for (let k = 0; k < values.length; k += step) context.lineTo(x(history.round[k]), y(Math.min(high + room, Math.max(low - room, values[k]))));
      context.setLineDash(dash);
      [context.strokeStyle, context.lineWidth] = [css(colours[colour]), 2];
      context.stroke();
      context.setLineDash([]);
    }
    context.fillStyle = css(colours.ink, 0.5);
    context.fillRect(x(this.game.rounds), 0, 1, bottom);
  }

  // --- Words

  say(text) {
    this.said.textContent = text;
  }

  showRound() {
    const { round } = this.frames.at(-1);
    this.timeline.max = this.frames.length - 1;
    if (document.activeElement !== this.timeline || this.isPlaying) this.timeline.value = this.at;
    this.timeline.setAttribute("aria-valuetext", `round ${this.game.rounds} of ${Math.max(round, this.game.rounds)}`);
    this.counter.textContent = `round ${counted(this.game.rounds)}`;
  }

  // The legends, and which controls this game has.
  explain() {
    const { teacher, loss } = this.message.settings;
    const d = this.game.dimension;
    const isGame = teacher === "discriminator";
    const entry = (mark, colour, text) => element("span", { class: "chip" }, element("span", { class: `mark ${mark}`, style: `--mark: var(--${colour})`, "aria-hidden": "true" }, mark === "cross" ? "×" : ""), text);
    this.rates.D.row.hidden = !isGame;
    this.ground.hidden = d === 1 || !isGame || loss === "wasserstein_gp";
    if (loss === "wasserstein_gp") this.field.value = "learned";
    this.legend.replaceChildren(
      ...[
        entry("disc", "real", d === 1 ? "data, p(x)" : "data x"),
        entry(d === 1 ? "disc" : "cross", "generated", d === 1 ? "generated, q(x)" : "generated G(z)"),
        d === 1 && isGame ? entry("disc", "learned", "learned D(x)") : null,
        d === 1 && isGame && loss !== "wasserstein_gp" ? entry("disc", "optimal", "p / (p + q), dashed") : null,
        d === 2 && teacher !== "likelihood" ? element("span", { class: "chip" }, "D: generated", element("span", { class: "mark ramp", "aria-hidden": "true" }), "real") : null,
        entry("arrow", "ink", teacher === "likelihood" ? "the gradient that moves G(z)" : "where D moves G(z)"),
      ].filter(Boolean),
    );
    const kind = (dash) => (dash.length ? "dashed" : "line");
    this.lossLegend.replaceChildren(...this.lines.map(([, text, colour, dash]) => entry(kind(dash), colour, text)));
    for (const [name, { light }] of Object.entries(this.pairs())) this.root.style.setProperty(`--${name}`, light);
    this.root.classList.toggle("is-compact", this.message.compact);
    this.losses.hidden = this.message.compact;
    this.details.hidden = this.message.compact;
    this.shades();
  }

  pairs() {
    const { light, dark } = this.message.colours;
    return Object.fromEntries(Object.keys(light).map((name) => [name, { light: light[name], dark: dark[name] }]));
  }

  // Colours of the legends, as of the pictures.
  shades() {
    for (const [name, colour] of Object.entries(this.colours)) this.root.style.setProperty(`--${name}`, css(colour));
  }

  get quantities() {
    const { measured, history, game } = this;
    const { teacher } = game.settings;
    const last = (name) => meanOf(history[name].slice(-20)) ;
    const isGame = teacher === "discriminator";
    const rows = [["Round", counted(game.rounds)]];
    if (isGame && game.settings.loss !== "wasserstein_gp") rows.push(["mean |D − p / (p + q)|", fixed(measured.off)]);
    rows.push(["Jensen-Shannon divergence of p and q, nats", fixed(measured.js)]);
    rows.push(["Arrows longer than 1% of the longest", `${Math.round(100 * measured.pulled)}%`]);
    if (!isGame) rows.push(["Standard deviation of the samples", fixed(measured.spread, 2)]);
    if (this.message.mode.length) rows.push(["Distance of their mean from the highest mode", fixed(Math.hypot(...this.message.mode.map((value, c) => value - measured.mean[c])), 2)]);
    if (isGame && game.isProbability) rows.push(["D on data, mean", fixed(measured.onReal, 2)], ["D on samples, mean", fixed(measured.onGenerated, 2)]);
    const losses = history.round.length ? this.lines.map(([name, text]) => [`${text}, last 20 rounds`, fixed(last(name))]) : [];
    return [rows, losses];
  }

  describe() {
    this.shades();
    const [rows, losses] = this.quantities;
    const shown = rows.slice(1);
    this.numbers.replaceChildren(...shown.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
    if (!this.isPlaying) {
      this.plane.setAttribute("aria-label", `Data, generated samples, discriminator and arrows at round ${game_round(this)}: ${shown.map((row) => row.join(" ")).join("; ")}.`);
      this.chart.setAttribute("aria-label", `Losses by round. ${losses.map((row) => row.join(": ")).join("; ")}.`);
    }
    this.tabulate();
  }

  tabulate() {
    if (!this.details.open || !this.measured) return;
    const rows = this.quantities.flat().map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value)));
    this.table.replaceChildren(...rows);
  }
}

const game_round = (view) => counted(view.game.rounds);

// A running mean over a fiftieth of the values.
function smooth(values) {
  const width = Math.max(1, Math.floor(values.length / 50));
  const sums = [0];
  for (const value of values) sums.push(sums.at(-1) + value);
  return values.map((_, k) => {
    const [from, to] = [Math.max(0, k - (width >> 1)), Math.min(values.length, k + (width >> 1) + 1)];
    return (sums[to] - sums[from]) / (to - from);
  });
}

function ticks(low, high) {
  const step = [0.5, 1, 2, 5, 10, 20, 50, 100].find((size) => (high - low) / size <= 5) ?? 1000;
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.max(0, Math.floor(high / step) - first + 1) }, (_, k) => (first + k) * step);
}

export default function (component) {
  const { parentElement } = component;
  if (!games.has(parentElement)) games.set(parentElement, new GameView(parentElement));
  const view = games.get(parentElement);
  (globalThis.hourglassGames ??= new Set()).add(view);
  view.take(component);
  return () => {
    view.halt();
    globalThis.hourglassGames.delete(view);
  };
}
