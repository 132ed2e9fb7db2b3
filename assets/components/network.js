// Networks of core/analysis/decoder_export.py, computed in the browser, and how their pictures are drawn.
// pages/ui/shared/components.py puts it before the scripts that need it, after common.js.

let halves;

// What the 65,536 half-precision numbers are.
function table() {
  if (halves) return halves;
  halves = new Float32Array(65536);
  for (let k = 0; k < 65536; k++) {
    const [sign, exponent, fraction] = [k >> 15 ? -1 : 1, (k >> 10) & 31, k & 1023];
    if (exponent === 0) halves[k] = sign * fraction * 2 ** -24;
    else if (exponent === 31) halves[k] = fraction ? NaN : sign * Infinity;
    else halves[k] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return halves;
}

// An array of a message as floats: halves as what they are, whole numbers as they stand.
function floats(message, name) {
  const array = message.arrays[name];
  if (message.types[name] === "f2") return Float32Array.from(array, (half) => table()[half]);
  return array instanceof Float32Array ? array : Float32Array.from(array);
}

const ACTIVATIONS = {
  relu: (x) => {
    for (let j = 0; j < x.length; j++) if (x[j] < 0) x[j] = 0;
  },
  silu: (x) => {
    for (let j = 0; j < x.length; j++) x[j] /= 1 + Math.exp(-x[j]);
  },
  sigmoid: (x) => {
    for (let j = 0; j < x.length; j++) x[j] = 1 / (1 + Math.exp(-x[j]));
  },
  // Its mean, see core/nn/losses.py; the series where the formula is 0 / 0.
  continuous_bernoulli: (x) => {
    for (let j = 0; j < x.length; j++) {
      const a = x[j];
      if (Math.abs(a) < 0.5) x[j] = 0.5 + a / 12 - a ** 3 / 720 + a ** 5 / 30240;
      else x[j] = -1 / Math.expm1(-a) - 1 / a;
    }
  },
  identity: () => {},
};

// Fully connected layers, whose arrays in a message are called "weight0", "scale0", "bias0" and so on after `prefix`.
class Network {
  constructor(message, activations = message.activations, prefix = "") {
    this.layers = activations.map((name, k) => {
      const [bias, scale] = [message.arrays[`${prefix}bias${k}`], message.arrays[`${prefix}scale${k}`]];
      const given = floats(message, `${prefix}weight${k}`);
      const weight = given === message.arrays[`${prefix}weight${k}`] ? given.slice() : given;
      const n = bias.length;
      for (let at = 0; at < weight.length; at += n) for (let j = 0; j < n; j++) weight[at + j] *= scale[j];
      const inputs = weight.length / n;
      return { weight, bias, activate: ACTIVATIONS[name], out: new Float32Array(n), used: new Int32Array(inputs) };
    });
  }

  // The output for one row; the array is the network's own, until the next one.
  compute(row) {
    let x = row;
    for (const layer of this.layers) {
      forward(layer, x);
      layer.activate(layer.out);
      x = layer.out;
    }
    return x;
  }

  // The gradient with respect to the row of the last `compute`, of a function that has the gradient `slope` with respect
  // to what goes into the last activation. Hidden layers have to be of ReLU.
  pull(slope) {
    for (let k = this.layers.length - 1; k >= 0; k--) {
      const { weight, used } = this.layers[k];
      const n = slope.length;
      const below = new Float32Array(used.length);
      for (let i = 0; i < below.length; i++) {
        if (k && this.layers[k - 1].out[i] <= 0) continue;
        let sum = 0;
        for (let j = 0; j < n; j++) sum += weight[i * n + j] * slope[j];
        below[i] = sum;
      }
      slope = below;
    }
    return slope;
  }
}

// Four rows of the weights at once, those of inputs that a ReLU put out left out: a quarter of the memory's traffic.
function forward({ weight, bias, out, used }, x) {
  const n = out.length;
  out.set(bias);
  let count = 0;
  for (let i = 0; i < used.length; i++) if (x[i] !== 0) used[count++] = i;
  let k = 0;
  for (; k + 4 <= count; k += 4) {
    const [i0, i1, i2, i3] = [used[k], used[k + 1], used[k + 2], used[k + 3]];
    const [a, b, c, d] = [x[i0], x[i1], x[i2], x[i3]];
    const [p, q, r, s] = [i0 * n, i1 * n, i2 * n, i3 * n];
    for (let j = 0; j < n; j++) out[j] += a * weight[p + j] + b * weight[q + j] + c * weight[r + j] + d * weight[s + j];
  }
  for (; k < count; k++) {
    const [a, p] = [x[used[k]], used[k] * n];
    for (let j = 0; j < n; j++) out[j] += a * weight[p + j];
  }
}

function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}

// Floats or bytes as grey pixels into a larger picture of `stride` pixels a line.
function grey(values, white, pixels, start, stride, width, height) {
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      let v = values[at] * white;
      v = v < 0 ? 0 : v > 255 ? 255 : (v + 0.5) | 0;
      pixels[start + y * stride + x] = 0xff000000 | (v << 16) | (v << 8) | v;
    }
  }
}
