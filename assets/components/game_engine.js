// The game of a GAN on data of known density, without any drawing: networks, their gradients, Adam, densities.
// The same networks, losses and initial weights as core/mechanisms/gan_game.py. Rows lie one after another in arrays.

const DECAY = 0.99; // of Adam's running mean of squares
const N_EVEN = 4096; // codes behind the density of the generator
const FAR = 5; // of the square that densities are summed over, either way from 0

const softplus = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : 1 - 1 / (1 + Math.exp(x)));
const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

// Numbers of a seed: uniform in [0, 1) by mulberry32, normal by Box and Muller.
function makeRandom(seed) {
  let [state, kept] = [(seed * 2654435761) >>> 0, NaN];
  const uniform = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const normal = () => {
    if (!Number.isNaN(kept)) {
      const value = kept;
      kept = NaN;
      return value;
    }
    const [length, angle] = [Math.sqrt(-2 * Math.log(1 - uniform())), 2 * Math.PI * uniform()];
    kept = length * Math.sin(angle);
    return length * Math.cos(angle);
  };
  return { uniform, normal, normals: (n) => Float64Array.from({ length: n }, normal) };
}

// Two hidden layers with SiLU; weights in the order of torch's parameters: matrix (out, in) and bias of each layer.
class Network {
  constructor(nIn, width, nOut) {
    Object.assign(this, { nIn, width, nOut });
    const sizes = [width * nIn, width, width * width, width, nOut * width, nOut];
    this.offsets = sizes.map((_, k) => sizes.slice(0, k).reduce((sum, size) => sum + size, 0));
    this.length = sizes.reduce((sum, size) => sum + size, 0);
    this.weights = new Float64Array(this.length);
    this.caches = new Map();
  }

  // As torch's Linear: uniform within one over the root of its inputs.
  initialise(random) {
    const ends = [...this.offsets.slice(1), this.length];
    const inputs = [this.nIn, this.nIn, this.width, this.width, this.width, this.width];
    this.offsets.forEach((start, k) => {
      for (let at = start; at < ends[k]; at++) this.weights[at] = (2 * random.uniform() - 1) / Math.sqrt(inputs[k]);
    });
  }

  // Scratch for n rows. What forward returns is valid until the next forward of as many rows under the same name.
  cache(n, name) {
    const key = `${n} ${name}`;
    if (!this.caches.has(key)) {
      const rows = (size) => new Float64Array(n * size);
      const { nIn, width, nOut } = this;
      this.caches.set(key, { n, s1: rows(width), h1: rows(width), d1: rows(width), s2: rows(width), h2: rows(width), d2: rows(width), out: rows(nOut), dx: rows(nIn) });
    }
    return this.caches.get(key);
  }

  forward(x, n, name = "") {
    const [cache, { nIn, width, nOut }] = [this.cache(n, name), this];
    cache.x = x;
    this.layer(x, n, nIn, width, 0, cache.h1, cache.s1);
    this.layer(cache.h1, n, width, width, 2, cache.h2, cache.s2);
    this.layer(cache.h2, n, width, nOut, 4, cache.out);
    return cache;
  }

  // One layer of n rows, a multiple of 4; with `slope` its output is SiLU's, and slope its derivative. Four rows at once
  // take half the time.
  layer(x, n, nIn, nOut, k, out, slope) {
    const [w, start, bias] = [this.weights, this.offsets[k], this.offsets[k + 1]];
    for (let i = 0; i < n; i += 4) {
      const [b0, b1, b2, b3] = [i * nIn, (i + 1) * nIn, (i + 2) * nIn, (i + 3) * nIn];
      for (let j = 0, a = start; j < nOut; j++, a += nIn) {
        let [s0, s1, s2, s3] = [w[bias + j], w[bias + j], w[bias + j], w[bias + j]];
        for (let c = 0; c < nIn; c++) {
          const by = w[a + c];
          s0 += by * x[b0 + c];
          s1 += by * x[b1 + c];
          s2 += by * x[b2 + c];
          s3 += by * x[b3 + c];
        }
        const to = i * nOut + j;
        out[to] = s0;
        out[to + nOut] = s1;
        out[to + 2 * nOut] = s2;
        out[to + 3 * nOut] = s3;
      }
    }
    if (!slope) return;
    for (let at = 0; at < out.length; at++) {
      const s = 1 / (1 + Math.exp(-out[at]));
      slope[at] = s * (1 + out[at] * (1 - s));
      out[at] *= s;
    }
  }

  // From the gradient by the outputs: adds that by the weights to `gradient`, if given, and returns that by the inputs.
  backward(cache, dOut, gradient) {
    const { n, x, s1, h1, d1, s2, h2, d2, dx } = cache;
    const { nIn, width, nOut } = this;
    this.unlayer(dOut, n, width, nOut, 4, h2, d2, gradient);
    for (let k = 0; k < d2.length; k++) d2[k] *= s2[k];
    this.unlayer(d2, n, width, width, 2, h1, d1, gradient);
    for (let k = 0; k < d1.length; k++) d1[k] *= s1[k];
    this.unlayer(d1, n, nIn, width, 0, x, dx, gradient);
    return dx;
  }

  unlayer(dOut, n, nIn, nOut, k, x, dx, gradient) {
    const [w, start, bias] = [this.weights, this.offsets[k], this.offsets[k + 1]];
    dx.fill(0);
    for (let i = 0; i < n; i += 4) {
      const [b0, b1, b2, b3] = [i * nIn, (i + 1) * nIn, (i + 2) * nIn, (i + 3) * nIn];
      for (let j = 0, a = start; j < nOut; j++, a += nIn) {
        const at = i * nOut + j;
        const [d0, d1, d2, d3] = [dOut[at], dOut[at + nOut], dOut[at + 2 * nOut], dOut[at + 3 * nOut]];
        for (let c = 0; c < nIn; c++) {
          const by = w[a + c];
          dx[b0 + c] += d0 * by;
          dx[b1 + c] += d1 * by;
          dx[b2 + c] += d2 * by;
          dx[b3 + c] += d3 * by;
        }
        if (!gradient) continue;
        for (let c = 0; c < nIn; c++) gradient[a + c] += d0 * x[b0 + c] + d1 * x[b1 + c] + d2 * x[b2 + c] + d3 * x[b3 + c];
        gradient[bias + j] += d0 + d1 + d2 + d3;
      }
    }
  }
}

// A network of the rows with their sines and cosines, 0.5 * 2^k radians per unit; one output for each row.
class Judge extends Network {
  constructor(dimension, width, waves) {
    super((2 * waves + 1) * dimension, width, 1);
    Object.assign(this, { dimension, waves, frequencies: Array.from({ length: waves }, (_, k) => 0.5 * 2 ** k) });
  }

  features(x, n) {
    const [d, { waves, frequencies, nIn }] = [this.dimension, this];
    const rows = new Float64Array(n * nIn);
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < d; c++) {
        const value = x[i * d + c];
        rows[i * nIn + c] = value;
        for (let k = 0; k < waves; k++) {
          rows[i * nIn + d + c * waves + k] = Math.sin(value * frequencies[k]);
          rows[i * nIn + d + (d + c) * waves + k] = Math.cos(value * frequencies[k]);
        }
      }
    }
    return rows;
  }

  judge(x, n, name = "") {
    return this.forward(this.features(x, n), n, name);
  }

  // The gradient by the rows, where backward has that by their features.
  gradientByRows(cache, dOut, gradient) {
    const [dx, { n, x }] = [this.backward(cache, dOut, gradient), cache];
    const [d, { waves, frequencies, nIn }] = [this.dimension, this];
    const rows = new Float64Array(n * d);
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < d; c++) {
        let sum = dx[i * nIn + c];
        for (let k = 0; k < waves; k++) {
          const [sine, cosine] = [i * nIn + d + c * waves + k, i * nIn + d + (d + c) * waves + k];
          sum += frequencies[k] * (dx[sine] * x[cosine] - dx[cosine] * x[sine]);
        }
        rows[i * d + c] = sum;
      }
    }
    return rows;
  }
}

class Adam {
  constructor(length, momentum) {
    Object.assign(this, { momentum, steps: 0, first: new Float64Array(length), second: new Float64Array(length) });
  }

  // Kingma and Ba 2015, algorithm 1.
  descend(weights, gradient, rate) {
    const { first, second, momentum } = this;
    this.steps += 1;
    const [one, two] = [1 - momentum ** this.steps, 1 - DECAY ** this.steps];
    for (let k = 0; k < weights.length; k++) {
      first[k] = momentum * first[k] + (1 - momentum) * gradient[k];
      second[k] = DECAY * second[k] + (1 - DECAY) * gradient[k] ** 2;
      weights[k] -= (rate * first[k]) / one / (Math.sqrt(second[k] / two) + 1e-8);
    }
  }
}

// A mixture of isotropic Gaussians: weights and deviations (k), means (k, d).
class Mixture {
  constructor(weights, means, deviations) {
    Object.assign(this, { weights, means, deviations, dimension: means.length / weights.length });
    const scale = (deviation) => this.dimension * Math.log(deviation * Math.sqrt(2 * Math.PI));
    this.scales = weights.map((weight, k) => Math.log(weight) - scale(deviations[k]));
    this.logs = new Float64Array(weights.length);
  }

  sample(n, random) {
    const { weights, means, deviations, dimension: d } = this;
    const rows = new Float64Array(n * d);
    for (let i = 0; i < n; i++) {
      let [k, left] = [0, random.uniform()];
      while (k < weights.length - 1 && (left -= weights[k]) >= 0) k++;
      for (let c = 0; c < d; c++) rows[i * d + c] = means[k * d + c] + deviations[k] * random.normal();
    }
    return rows;
  }

  // log p of row i; adds the gradient of the density's logarithm, times `by`, to `gradient` at that row.
  logDensityAt(x, i, gradient, by) {
    const { means, deviations, scales, logs, dimension: d } = this;
    let most = -Infinity;
    for (let k = 0; k < logs.length; k++) {
      let squared = 0;
      for (let c = 0; c < d; c++) squared += (x[i * d + c] - means[k * d + c]) ** 2;
      logs[k] = scales[k] - (0.5 * squared) / deviations[k] ** 2;
      if (logs[k] > most) most = logs[k];
    }
    let sum = 0;
    for (let k = 0; k < logs.length; k++) sum += Math.exp(logs[k] - most);
    const log = most + Math.log(sum);
    if (gradient) {
      for (let k = 0; k < logs.length; k++) {
        const share = (by * Math.exp(logs[k] - log)) / deviations[k] ** 2;
        for (let c = 0; c < d; c++) gradient[i * d + c] += share * (means[k * d + c] - x[i * d + c]);
      }
    }
    return log;
  }

  // The number of components that samples reach: at least a third of their expected share lies within 3 deviations.
  countCovered(x) {
    const [{ weights, means, deviations, dimension: d }, n] = [this, x.length / this.dimension];
    const counts = new Float64Array(weights.length);
    for (let i = 0; i < n; i++) {
      this.logDensityAt(x, i);
      const owner = this.logs.indexOf(Math.max(...this.logs));
      let squared = 0;
      for (let c = 0; c < d; c++) squared += (x[i * d + c] - means[owner * d + c]) ** 2;
      if (squared <= (3 * deviations[owner]) ** 2) counts[owner] += 1;
    }
    return counts.filter((count, k) => count >= (n * weights[k]) / 3).length;
  }

  logDensity(x) {
    return Float64Array.from({ length: x.length / this.dimension }, (_, i) => this.logDensityAt(x, i));
  }
}

// Codes of N(0, I), more even than draws: Box and Muller of a Fibonacci lattice.
function makeEvenCodes(n, d) {
  const codes = new Float64Array(n * d);
  for (let i = 0; i < n; i++) {
    const [length, angle] = [Math.sqrt(-2 * Math.log((i + 0.5) / n)), Math.PI * (Math.sqrt(5) - 1) * i];
    codes[i * d] = length * Math.cos(angle);
    if (d > 1) codes[i * d + 1] = length * Math.sin(angle);
  }
  return codes;
}

// Settings: loss, teacher, rates {D, G}, steps (of D in a round), momentum, width, waves, penalty, batch (a multiple of
// 4), noise, seed, top (log max p).
// The teacher of the generator is the "discriminator"; or "density", log D(x) with D frozen to p / max p; or
// "likelihood", the mean over real x of log (1/K) sum_k N(x; G(z_k), noise^2 I), which is naive sampling.
class Game {
  constructor(mixture, settings) {
    const { width, waves, momentum, seed } = settings;
    Object.assign(this, { mixture, settings, rates: { ...settings.rates }, rounds: 0 });
    const d = (this.dimension = mixture.dimension);
    this.random = makeRandom(seed);
    this.G = new Network(d, width, d);
    this.D = new Judge(d, width, waves);
    this.G.initialise(this.random);
    this.D.initialise(this.random);
    // The first samples lie about the mean of the data.
    for (let c = 0; c < d; c++) {
      this.G.weights[this.G.offsets[5] + c] = mixture.weights.reduce((sum, weight, k) => sum + weight * mixture.means[k * d + c], 0);
    }
    this.adams = { D: new Adam(this.D.length, momentum), G: new Adam(this.G.length, momentum) };
    this.codes = makeEvenCodes(N_EVEN, d);
  }

  get isProbability() {
    return this.settings.loss === "non_saturating" || this.settings.loss === "minimax";
  }

  // Another moment of the game: weights of both, and Adam begins anew.
  set(weights, rounds) {
    for (const player of ["D", "G"]) {
      this[player].weights.set(weights[player]);
      this.adams[player] = new Adam(this[player].length, this.settings.momentum);
    }
    this.rounds = rounds;
  }

  // Codes, noise and real rows of a step.
  draw(n = this.settings.batch) {
    const { random, dimension: d } = this;
    return { n, z: random.normals(n * d), eps: random.normals(n * d), real: this.mixture.sample(n, random) };
  }

  // x = G(z) + noise * eps
  generate({ z, eps, n }, name = "generated") {
    const cache = this.G.forward(z, n, name);
    return { cache, x: cache.out.map((value, k) => value + this.settings.noise * eps[k]) };
  }

  // D(x), between 0 and 1 where the loss makes it a probability.
  judge(x) {
    const n = x.length / this.dimension;
    const rows = new Float64Array(4 * Math.ceil(n / 4) * this.dimension);
    rows.set(x);
    const out = this.D.judge(rows, rows.length / this.dimension, "judge").out.slice(0, n);
    return this.isProbability ? out.map(sigmoid) : out;
  }

  // The discriminator's loss on rows, and its gradient by the weights.
  lossD(real, x, share) {
    const [{ loss }, n] = [this.settings, x.length / this.dimension];
    const gradient = new Float64Array(this.D.length);
    const rows = new Float64Array(2 * x.length);
    rows.set(real);
    rows.set(x, real.length);
    const cache = this.D.judge(rows, 2 * n, "both");
    const dOut = new Float64Array(2 * n);
    let value = 0;
    for (let i = 0; i < 2 * n; i++) {
      const [out, isReal] = [cache.out[i], i < n];
      if (loss === "least_squares") {
        value += (0.5 * (out - isReal) ** 2) / n;
        dOut[i] = (out - isReal) / n;
      } else if (loss === "wasserstein_gp") {
        value += (isReal ? -out : out) / n;
        dOut[i] = (isReal ? -1 : 1) / n;
      } else {
        value += softplus(isReal ? -out : out) / n;
        dOut[i] = (sigmoid(out) - isReal) / n;
      }
    }
    this.D.backward(cache, dOut, gradient);
    if (loss === "wasserstein_gp") value += this.penalise(real, x, share, gradient);
    return { value, gradient };
  }

  // Gulrajani et al. 2017, eq. 3: its gradient by the weights is a difference quotient along the gradient by the rows.
  penalise(real, x, share, gradient) {
    const [d, step, { penalty }] = [this.dimension, 1e-4, this.settings];
    const n = x.length / d;
    const mixed = x.map((value, k) => share[Math.floor(k / d)] * real[k] + (1 - share[Math.floor(k / d)]) * value);
    const slopes = this.D.gradientByRows(this.D.judge(mixed, n, "mixed"), new Float64Array(n).fill(1));
    const lengths = Float64Array.from({ length: n }, (_, i) => Math.hypot(...slopes.subarray(i * d, (i + 1) * d)) || 1e-12);
    for (const sign of [1, -1]) {
      const moved = mixed.map((value, k) => value + (sign * step * slopes[k]) / lengths[Math.floor(k / d)]);
      const by = lengths.map((length) => (sign * penalty * 2 * (length - 1)) / n / (2 * step));
      this.D.backward(this.D.judge(moved, n, "moved"), by, gradient);
    }
    return penalty * meanOf(lengths.map((length) => (length - 1) ** 2));
  }

  // The generator's loss on its rows x, both losses by name, and the gradient by the rows.
  teach(x, real, centres) {
    const [{ loss, teacher, noise }, d] = [this.settings, this.dimension];
    const n = x.length / d;
    if (teacher === "density") {
      const dx = new Float64Array(x.length);
      let value = this.settings.top; // log max p
      for (let i = 0; i < n; i++) value -= this.mixture.logDensityAt(x, i, dx, -1 / n) / n;
      return { value, dx };
    }
    if (teacher === "likelihood") {
      const dx = new Float64Array(x.length);
      const among = new Mixture(new Float64Array(n).fill(1 / n), centres, new Float64Array(n).fill(noise));
      let value = 0;
      for (let i = 0; i < real.length / d; i++) {
        const log = among.logDensityAt(real, i);
        value -= log / n;
        for (let k = 0; k < n; k++) {
          const share = Math.exp(among.logs[k] - log) / noise ** 2 / n;
          for (let c = 0; c < d; c++) dx[k * d + c] += share * (centres[k * d + c] - real[i * d + c]);
        }
      }
      return { value, dx };
    }
    const cache = this.D.judge(x, n, "made");
    const dOut = new Float64Array(n);
    let [value, minimax, nonSaturating] = [0, 0, 0];
    for (let i = 0; i < n; i++) {
      const out = cache.out[i];
      minimax -= softplus(out) / n; // log(1 - D)
      nonSaturating += softplus(-out) / n; // -log D
      if (loss === "least_squares") [value, dOut[i]] = [value + (0.5 * (out - 1) ** 2) / n, (out - 1) / n];
      else if (loss === "wasserstein_gp") [value, dOut[i]] = [value - out / n, -1 / n];
      else dOut[i] = (loss === "minimax" ? -sigmoid(out) : -sigmoid(-out)) / n;
    }
    if (this.isProbability) value = loss === "minimax" ? minimax : nonSaturating;
    return { value, minimax, nonSaturating, dx: this.D.gradientByRows(cache, dOut) };
  }

  stepD(draw = this.draw()) {
    const { x } = this.generate(draw);
    const share = this.settings.loss === "wasserstein_gp" ? Float64Array.from({ length: draw.n }, this.random.uniform) : null;
    const { value, gradient } = this.lossD(draw.real, x, share);
    this.adams.D.descend(this.D.weights, gradient, this.rates.D);
    return value;
  }

  stepG(draw = this.draw()) {
    const { x, cache } = this.generate(draw);
    const taught = this.teach(x, draw.real, cache.out);
    const gradient = new Float64Array(this.G.length);
    this.G.backward(cache, taught.dx, gradient);
    this.adams.G.descend(this.G.weights, gradient, this.rates.G);
    return taught;
  }

  // The discriminator's steps, then one of the generator; returns the losses, the discriminator's of its last step.
  round() {
    let lossD = NaN;
    if (this.settings.teacher === "discriminator") {
      for (let k = 0; k < this.settings.steps; k++) lossD = this.stepD();
    }
    const { value, minimax, nonSaturating } = this.stepG();
    this.rounds += 1;
    return { D: lossD, G: value, minimax, nonSaturating };
  }

  // The generator's density q on a grid of d axes with `n` points from `low` in steps of `step`, x changing fastest: a
  // mean over even codes of a product of one Gaussian along each axis, left out beyond 5 deviations.
  densityOnGrid(low, step, n) {
    const [d, { noise }] = [this.dimension, this.settings];
    const { out } = this.G.forward(this.codes, N_EVEN, "even");
    const q = new Float64Array(n ** d);
    const reach = Math.ceil((5 * noise) / step);
    const along = Array.from({ length: d }, () => new Float64Array(2 * reach + 1));
    const scale = 1 / (N_EVEN * (noise * Math.sqrt(2 * Math.PI)) ** d);
    for (let i = 0; i < N_EVEN; i++) {
      const first = along.map((values, c) => {
        const start = Math.round((out[i * d + c] - low) / step) - reach;
        for (let k = 0; k < values.length; k++) values[k] = Math.exp(-0.5 * ((low + (start + k) * step - out[i * d + c]) / noise) ** 2);
        return start;
      });
      for (let b = 0; b < (d > 1 ? 2 * reach + 1 : 1); b++) {
        const y = d > 1 ? first[1] + b : 0;
        if (y < 0 || y >= n) continue;
        const by = d > 1 ? scale * along[1][b] : scale;
        for (let a = 0; a < 2 * reach + 1; a++) {
          const x = first[0] + a;
          if (x >= 0 && x < n) q[(d > 1 ? y * n : 0) + x] += by * along[0][a];
        }
      }
    }
    return q;
  }

  // Sums over a grid: the mean of |D - p / (p + q)| under (p + q) / 2, the Jensen-Shannon divergence in nats, the mean
  // of D under p and under q. Of n samples: the mean, the standard deviation, and how many components they reach.
  measure(n = 2048) {
    const d = this.dimension;
    const step = d === 1 ? 0.01 : 0.1;
    const side = Math.round((2 * FAR) / step) + 1;
    if (!this.points) {
      const axis = Array.from({ length: side }, (_, k) => -FAR + k * step);
      this.points = Float64Array.from(d === 1 ? axis : axis.flatMap((y) => axis.flatMap((x) => [x, y])));
      this.p = this.mixture.logDensity(this.points).map(Math.exp);
    }
    const [{ p }, q, learned] = [this, this.densityOnGrid(-FAR, step, side), this.judge(this.points)];
    let [off, js, both, ofP, ofQ, onReal, onGenerated] = [0, 0, 0, 0, 0, 0, 0];
    for (let k = 0; k < p.length; k++) {
      if (!(p[k] + q[k] > 1e-300)) continue;
      const middle = (p[k] + q[k]) / 2;
      off += Math.abs(learned[k] - p[k] / (2 * middle)) * middle;
      if (p[k] > 0) js += 0.5 * p[k] * Math.log(p[k] / middle);
      if (q[k] > 0) js += 0.5 * q[k] * Math.log(q[k] / middle);
      both += middle;
      ofP += p[k];
      ofQ += q[k];
      onReal += p[k] * learned[k];
      onGenerated += q[k] * learned[k];
    }
    const volume = step ** d;
    // What lies outside is of one density alone.
    const outside = Math.max(0, 1 - ofP * volume) + Math.max(0, 1 - ofQ * volume);
    const random = makeRandom(7);
    const { x } = this.generate({ n, z: random.normals(n * d), eps: random.normals(n * d) }, "measured");
    const mean = Array.from({ length: d }, (_, c) => meanOf(x.filter((_, k) => k % d === c)));
    const spread = Math.sqrt(meanOf(x.map((value, k) => (value - mean[k % d]) ** 2)));
    return { off: off / both, js: js * volume + 0.5 * Math.log(2) * outside, onReal: onReal / ofP, onGenerated: onGenerated / ofQ, mean, spread, covered: this.mixture.countCovered(x) };
  }
}
