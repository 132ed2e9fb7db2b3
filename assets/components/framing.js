// Strokes of drawing.js as a row of MNIST, as core/datasets/user_image.py frames them: the ink's bounding box fits 20 by
// 20 pixels in a field of 28 by 28, whose centre is the ink's centre of mass.

const RASTER = 224; // pixels of the side that strokes are drawn on first
const FIELD = 28;
const BOX = 20;

// Python's rounding, halves to even.
function rounded(value) {
  const low = Math.floor(value);
  return value - low === 0.5 ? low + (low % 2) : Math.round(value);
}

// Lines with round ends of this radius: (RASTER, RASTER), ink is 1; a pixel's ink follows from its distance to the line.
function rasterise(strokes, radius) {
  const ink = new Float32Array(RASTER * RASTER);
  const scale = RASTER / SIDE;
  const within = (value) => Math.min(Math.max(value, 0), RASTER - 1);
  for (const stroke of strokes) {
    for (let k = 0; k < Math.max(1, stroke.length - 1); k++) {
      const [x0, y0] = stroke[k].map((value) => value * scale);
      const [x1, y1] = (stroke[k + 1] ?? stroke[k]).map((value) => value * scale);
      const [dx, dy] = [x1 - x0, y1 - y0];
      const squared = dx * dx + dy * dy || 1;
      const [left, right] = [Math.min(x0, x1) - radius - 1, Math.max(x0, x1) + radius + 1].map(within);
      const [top, bottom] = [Math.min(y0, y1) - radius - 1, Math.max(y0, y1) + radius + 1].map(within);
      for (let y = Math.floor(top); y <= bottom; y++) {
        for (let x = Math.floor(left); x <= right; x++) {
          const [px, py] = [x + 0.5 - x0, y + 0.5 - y0];
          const along = Math.min(Math.max((px * dx + py * dy) / squared, 0), 1);
          const [across, down] = [px - along * dx, py - along * dy];
          const covered = radius + 0.5 - Math.sqrt(across * across + down * down);
          const at = y * RASTER + x;
          if (covered > ink[at]) ink[at] = Math.min(covered, 1);
        }
      }
    }
  }
  return ink;
}

// The part of the ink within the bounding box of its pixels above a half; null for no ink.
function crop(ink) {
  let [left, right, top, bottom] = [RASTER, -1, RASTER, -1];
  for (let at = 0; at < ink.length; at++) {
    if (ink[at] <= 0.5) continue;
    const [x, y] = [at % RASTER, Math.floor(at / RASTER)];
    [left, right, top, bottom] = [Math.min(left, x), Math.max(right, x), Math.min(top, y), Math.max(bottom, y)];
  }
  if (right < 0) return null;
  const [width, height] = [right - left + 1, bottom - top + 1];
  const pixels = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const start = (top + y) * RASTER + left;
    pixels.set(ink.subarray(start, start + width), y * width);
  }
  return { pixels, width, height };
}

// Weights of Pillow's Hamming filter for one output of `out` from `size` inputs: the first input, and the weights.
function filter(size, out, at) {
  const [scale, support] = [size / out, Math.max(size / out, 1)];
  const centre = (at + 0.5) * scale;
  const first = Math.max(Math.trunc(centre - support + 0.5), 0);
  const last = Math.min(Math.trunc(centre + support + 0.5), size);
  const weights = Array.from({ length: last - first }, (_, k) => {
    const x = (Math.PI * Math.abs(k + first - centre + 0.5)) / support;
    if (x === 0) return 1;
    return x >= Math.PI ? 0 : (Math.sin(x) / x) * (0.54 + 0.46 * Math.cos(x));
  });
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return [first, weights.map((weight) => weight / sum)];
}

// Resize along the lines, and turn lines into columns: twice is a resize both ways.
function resizeAndTurn({ pixels, width, height }, out) {
  const turned = new Float32Array(out * height);
  for (let x = 0; x < out; x++) {
    const [first, weights] = filter(width, out, x);
    for (let y = 0; y < height; y++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * pixels[y * width + first + k];
      turned[x * height + y] = sum;
    }
  }
  return { pixels: turned, width: height, height: out };
}

// A row of MNIST, (784,) in [0, 1] in steps of 1 / 255, from strokes `brush` of the pad's side wide; null without ink.
export function frame(strokes, brush) {
  const digit = crop(rasterise(strokes, (brush * RASTER) / 2));
  if (!digit) return null;
  const scale = BOX / Math.max(digit.width, digit.height);
  const [width, height] = [digit.width, digit.height].map((size) => Math.max(1, rounded(size * scale)));
  const { pixels } = resizeAndTurn(resizeAndTurn(digit, width), height);
  let [mass, x, y] = [0, 0, 0];
  for (let at = 0; at < pixels.length; at++) {
    mass += pixels[at];
    x += pixels[at] * (at % width);
    y += pixels[at] * Math.floor(at / width);
  }
  const place = (centre, size) => Math.min(Math.max(rounded(FIELD / 2 - centre), 0), FIELD - size);
  const [left, top] = [place(x / mass, width), place(y / mass, height)];
  const row = new Float32Array(FIELD * FIELD);
  for (let at = 0; at < pixels.length; at++) {
    row[(top + Math.floor(at / width)) * FIELD + left + (at % width)] = Math.round(pixels[at] * 255) / 255;
  }
  return row;
}
