// A GAN that the browser plays: data of known density, samples, the discriminator, arrows of the gradient.
// pages/ui/shared/components.py puts common.js, game_engine.js and game_pictures.js before it.

const [N_SAMPLES, N_REAL] = [512, 400];
const RATES = [0.0001, 0.0002, 0.0003, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.02, 0.03];
const SPEEDS = { slow: "4 rounds a second", one: "1 round a frame", fast: "fastest" };
const FRAME = 20; // milliseconds of a frame for rounds
const [MEASURED_EVERY, SLOW_EVERY, REDUCED_EVERY] = [600, 250, 500]; // milliseconds
const [MOST_FRAMES, MOST_LOSSES] = [120, 4000]; // of the timeline, and of the chart of losses
const STAGE = 2600; // milliseconds of a sub-step
const STAGES = ["Sample z", "Generate", "D judges both", "D learns", "G learns along the arrows"];

// LaTeX of a symbol -> the part of the picture that it names.
const ARROWS = "\\nabla_{G(z)} \\log D(G(z))";
const PARTS = { "G(z)": "generated", "D(G(z))": "generated", "q(x)": "generated", "p(x)": "real", "D(x)": "field", "D^*(x)": "field", [ARROWS]: "arrows" };

const games = new WeakMap();

// The numbers of an array of half precision.
function fromHalf(array) {
  return Float64Array.from(array, (half) => {
    const [sign, exponent, fraction] = [half & 0x8000 ? -1 : 1, (half >> 10) & 31, half & 1023];
    if (exponent === 31) return NaN;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : (2 ** -14 * fraction) / 1024);
  });
}

class GameView extends GamePictures {
  constructor(parent) {
    super();
    this.drawn = 0;
    this.root = element("div", { class: "game" });
    parent.append(this.root);
    this.observer = new ResizeObserver(() => this.request());
    this.build();
    this.observer.observe(this.plane);
    globalThis.addEventListener("hourglass-symbol", this.point);
  }

  // See formula.js.
  point = ({ detail }) => {
    this.lit = PARTS[detail];
    this.request();
  };

  leave() {
    this.halt();
    this.observer.disconnect();
    globalThis.removeEventListener("hourglass-symbol", this.point);
    this.root.remove();
  }

  build() {
    const canvas = (about) => element("canvas", { role: "img", "aria-label": about });
    this.plane = canvas("Data, samples and discriminator");
    this.chart = canvas("Losses by round");
    const press = (label, onclick, options = {}) => element("button", { type: "button", onclick, ...options }, label);
    this.playing = press("Play", () => this.toggle(), { class: "strong" });
    this.slowly = press("Slow motion", () => this.beginSlow());
    this.next = press("Next sub-step", () => this.advance(), { hidden: true });
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
          element("div", { class: "moves" }, this.playing, press("One round", () => this.playOne()), this.slowly, this.next),
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
    [this.every, this.stride] = [10, 1]; // rounds from one frame of the timeline, and one loss of the chart, to the next
    const { G, D } = this.game;
    if (rounds.length) {
      const [ofG, ofD] = [read("generator"), read("discriminator")];
      const n = mixture.weights.length;
      this.frames = rounds.map((round, k) => ({ round, covered: Math.round(n * arrays.coverage[k]), G: Float32Array.from(ofG.subarray(k * G.length, (k + 1) * G.length)), D: Float32Array.from(ofD.subarray(k * D.length, (k + 1) * D.length)) }));
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
    if (this.message.presets.length && this.message.rounds.includes(round)) this.trigger("round", round);
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
    if (game.rounds % this.stride === 0) {
      history.round.push(game.rounds);
      for (const name of ["D", "G", "minimax", "nonSaturating"]) history[name].push(losses[name]);
    }
    if (history.round.length > MOST_LOSSES) {
      for (const [name, values] of Object.entries(history)) history[name] = values.filter((_, k) => k % 2 === 0);
      this.stride *= 2;
    }
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
    [this.lastPlayed, this.measuredNext] = [0, 0];
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
    if (now - this.lastPlayed < wait) return false;
    this.lastPlayed = now;
    const end = performance.now() + (this.speed.value === "fast" ? FRAME : 0);
    do if (!this.round()) return true;
    while (performance.now() < end);
    if (now > this.measuredNext) {
      // At most a tenth of the time, on a slow phone too.
      const from = performance.now();
      this.measure();
      this.measuredNext = now + Math.max(MEASURED_EVERY, 10 * (performance.now() - from));
    }
    return true;
  }

  measure() {
    const { dx, n } = this.arrows(this.game.generate(this.shown, "shown").x) ?? { dx: [], n: 1 };
    const lengths = Array.from({ length: dx.length / this.game.dimension }, (_, i) => Math.hypot(...dx.subarray(i * this.game.dimension, (i + 1) * this.game.dimension)));
    const slope = n * meanOf(lengths);
    const pulled = lengths.filter((length) => length > 0.01 * Math.max(...lengths)).length / n;
    this.measured = { ...this.game.measure(), pulled, slope };
    // That of a frame that came with the game is from other samples.
    const frame = this.frames[this.at];
    if (frame.round === this.game.rounds) this.measured.covered = frame.covered ?? this.measured.covered;
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
    return `D is ${fixed(meanOf(slow.onReal), 2)} on the real and ${fixed(meanOf(slow.onMade), 2)} on the generated samples, in the mean; its loss is ${fixed(this.lossD(slow))}.`;
  }

  lossD({ draw, x }) {
    return this.game.lossD(draw.real, x, new Float64Array(draw.n).fill(0.5)).value;
  }

  learnD(slow, game) {
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

  request() {
    this.due ||= requestAnimationFrame((now) => {
      this.due = 0;
      if (!this.root.isConnected || !this.game) return;
      if (!this.isPlaying || this.playFrame(now)) this.draw(now);
      if (this.isPlaying || this.slow) this.request();
    });
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
    this.rates.D.row.hidden = this.slowly.hidden = !isGame;
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
    const { look } = this.message; // see core/frontend/game.py
    this.root.classList.toggle("is-small", look !== "full");
    this.root.classList.toggle("is-picture", look === "picture");
    this.losses.hidden = this.details.hidden = look === "picture";
    this.shades();
  }

  // Colours of the legends, as of the pictures.
  shades() {
    for (const [name, colour] of Object.entries(this.colours)) this.root.style.setProperty(`--${name}`, css(colour));
  }

  get quantities() {
    const { measured, history, game } = this;
    const { teacher } = game.settings;
    const last = (name) => meanOf(history[name].slice(-20));
    const late = history.round.slice(-20);
    const isGame = teacher === "discriminator";
    const rows = [["Round", counted(game.rounds)]];
    if (isGame && game.settings.loss !== "wasserstein_gp") rows.push(["mean |D − p / (p + q)|", fixed(measured.off)]);
    rows.push(["Jensen-Shannon divergence of p and q, nats", fixed(measured.js)]);
    if (game.mixture.weights.length > 1) rows.push(["Components of the data covered", `${measured.covered} of ${game.mixture.weights.length}`]);
    rows.push(["Gradient by a sample, mean length", small(measured.slope)]);
    rows.push(["Arrows longer than 1% of the longest", `${Math.round(100 * measured.pulled)}%`]);
    if (!isGame) rows.push(["Standard deviation of the samples", fixed(measured.spread, 2)]);
    if (this.message.mode.length) rows.push(["Distance of their mean from the highest mode", fixed(Math.hypot(...this.message.mode.map((value, c) => value - measured.mean[c])), 2)]);
    if (isGame && game.isProbability) rows.push(["D on data, mean", fixed(measured.onReal, 2)], ["D on samples, mean", fixed(measured.onGenerated, 2)]);
    const losses = history.round.length ? this.lines.map(([name, text]) => [`${text}, last ${counted(late.at(-1) - late[0] + 1)} rounds`, fixed(last(name))]) : [];
    return [rows, losses];
  }

  describe() {
    this.shades();
    const [rows, losses] = this.quantities;
    const shown = rows.slice(1);
    this.numbers.replaceChildren(...shown.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
    if (!this.isPlaying) {
      this.plane.setAttribute("aria-label", `Data, generated samples, discriminator and arrows at round ${counted(this.game.rounds)}: ${shown.map((row) => row.join(" ")).join("; ")}.`);
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

export default function (component) {
  const { parentElement } = component;
  if (!games.has(parentElement)) games.set(parentElement, new GameView(parentElement));
  const view = games.get(parentElement);
  (globalThis.hourglassGames ??= new Set()).add(view);
  view.take(component);
  return () => {
    view.leave();
    games.delete(parentElement);
    globalThis.hourglassGames.delete(view);
  };
}
