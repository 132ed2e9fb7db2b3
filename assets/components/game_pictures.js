// The pictures of the game: the plane with the discriminator as a field, densities on a line, arrows, losses, thumbnails.

const HALF = 4; // of the plane
const SIDE = 32; // of the field, in points
const [N_ARROWS, N_SLOW] = [128, 64]; // samples with arrows, and of slow motion
const [TWEEN, LARGER] = [900, 10]; // milliseconds of a motion; a step in slow motion is drawn so much larger
const LOSSES_EVERY = 5; // frames
const OPTIMA = [["log 2", Math.log(2)], ["2 log 2", 2 * Math.log(2)]];

const isReduced = () => globalThis.matchMedia("(prefers-reduced-motion: reduce)").matches;
const fixed = (value, places = 3) => (Number.isFinite(value) ? value.toFixed(places).replace("-", "−") : "–");
const raised = (text) => text.replace(/./g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]);
// A number that may be very small: 0.21, or 2.2 × 10⁻⁶.
const small = (value) => (value >= 0.001 || !(value > 0) ? fixed(value, 2) : value.toExponential(1).replace(/e(.*)/, (_, power) => ` × 10${raised(power)}`));
const mix = (from, to, share) => from.map((value, k) => Math.round(value + (to[k] - value) * share));
const css = (colour, opacity = 1) => `rgba(${colour.join(", ")}, ${opacity})`;
const rgb = (text) => [1, 3, 5].map((at) => Number.parseInt(text.slice(at, at + 2), 16));
const lerp = (from, to, share) => from.map((value, k) => value + (to[k] - value) * share);

// A grid's points: (side) in one dimension, (side * side, 2) in two, x changing fastest.
function makeGrid(d, side) {
  const axis = Array.from({ length: side }, (_, k) => -HALF + (2 * HALF * (k + 0.5)) / side);
  return Float64Array.from(d === 1 ? axis : axis.flatMap((y) => axis.flatMap((x) => [x, y])));
}

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

// What is drawn of `game`, `message`, `real`, `shown`, `history`, `frames` and, in slow motion, `slow` of the view.
class GamePictures {
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
    // Losses move slowly.
    if (!this.isPlaying || this.drawn % LOSSES_EVERY === 0) this.drawLosses(colours);
    this.drawThumbnails(colours);
    this.showRound();
    this.drawn += 1;
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
    const { slow } = this;
    this.light(context, "field");
    if (this.game.settings.teacher !== "likelihood") this.drawField(context, width, colours);
    const x = this.place(share);
    this.light(context, "real");
    this.dots(context, scale, slow ? slow.draw.real : this.real, colours.real, slow?.stage < 2 ? 0.25 : 0.75);
    this.light(context, "generated");
    if (slow?.stage === 0) this.dots(context, scale, x, colours.ink, 0.9);
    else this.crosses(context, scale, x, colours.generated);
    if (slow?.stage === 2) this.verdicts(context, scale, colours);
    const arrows = this.arrows(x);
    this.light(context, "arrows");
    if (arrows) this.drawArrows(context, scale, arrows, colours.ink);
    this.light(context);
    if (slow?.stage === 0) this.label(context, colours, "codes z ~ N(0, I)");
  }

  // While a symbol of the page's formula is pointed at, all but the part that it names is pale.
  light(context, part) {
    context.globalAlpha = part && this.lit && this.lit !== part ? 0.15 : 1;
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
    // Samples must be seen on it.
    const tint = isDark(colours.ground) ? 0.22 : 0.35;
    const [made, true_] = [colours.generated, colours.real].map((colour) => mix(colours.ground, colour, tint));
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
    const ground = height - 48;
    const scale = { unit: width / (2 * HALF), x: (x) => ((x + HALF) * width) / (2 * HALF), ground: height - 28 };
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
    const size = Number.parseFloat(context.font);
    context.textAlign = "center";
    for (let x = -3; x <= 3; x++) {
      context.fillRect(scale.x(x), ground, 1, 4);
      context.fillText(`${x}`.replace("-", "−"), scale.x(x), height - 2);
    }
    context.textAlign = "left";
    context.fillRect(0, ground, width, 1);
    this.light(context, "real");
    line(this.p, top, colours.real, { fill: true });
    this.light(context, "generated");
    line(q, top, colours.generated);
    this.light(context, "field");
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
    this.light(context);
    ticks(slow ? slow.draw.real : this.real, colours.real, ground + 4, ground + 12);
    ticks(x, slow?.stage === 0 ? colours.ink : colours.generated, scale.ground - 6, scale.ground + 10);
    const arrows = this.arrows(x);
    if (arrows) this.drawArrows(context, scale, arrows, colours.ink);
    if (slow?.stage === 0) this.label(context, colours, "codes z ~ N(0, 1), below the axis");
  }

  drawThumbnails(colours) {
    const look = colours.real.join();
    if (this.thumbnails === this.thumbnailsDrawn && look === this.thumbnailsLook) return;
    [this.thumbnailsDrawn, this.thumbnailsLook] = [this.thumbnails, look];
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
      // The names of lines that are close stand apart.
      const apart = Math.max(0, size - Math.abs(y(OPTIMA[0][1]) - y(OPTIMA[1][1]))) / 2;
      context.fillText(name, right + 4, y(value) + size / 3 + (value > 1 ? -apart : apart));
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
}
