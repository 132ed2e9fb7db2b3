// What several components need. pages/ui/shared/components.py puts it before their own script.

const ARRAYS = { u1: Uint8Array, i1: Int8Array, u2: Uint16Array, i2: Int16Array, i4: Int32Array, f2: Uint16Array, f4: Float32Array, f8: Float64Array };

// A message of core/frontend: the length of a JSON header (uint32, little endian), the header, and the arrays that it
// lists as [name, length, type]. Returns the header with `arrays`, by name, and their `types`.
function unpack(bytes) {
  const data = bytes.slice(); // aligned, and ours
  const length = new DataView(data.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + length)));
  const [arrays, types] = [{}, {}];
  let offset = 4 + length;
  for (const [name, count, type] of header.arrays) {
    arrays[name] = new ARRAYS[type](data.buffer, offset, count);
    types[name] = type;
    offset += Math.ceil(arrays[name].byteLength / 8) * 8; // each begins aligned
  }
  return { ...header, arrays, types };
}

// Text is only ever set as textContent. Attributes that are null or false are left out; "onclick" and the like listen.
function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name.startsWith("aria-")) made.setAttribute(name, String(value));
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

const counted = (n) => n.toLocaleString("en-US");

// The mark of a class in a legend: "disc", "ring", "square" or "diamond".
function swatch(mark, colour) {
  const made = element("span", { class: `swatch ${mark}`, "aria-hidden": "true" });
  made.style.setProperty("--mark", colour);
  return made;
}

// 0 to n - 1, always in the same order, shuffled so that no class hides another.
function shuffled(n) {
  const order = Int32Array.from({ length: n }, (_, k) => k);
  let state = 12345;
  for (let k = n - 1; k > 0; k--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const other = state % (k + 1);
    [order[k], order[other]] = [order[other], order[k]];
  }
  return order;
}

// Red, green and blue of the colour of an element, 0 to 255.
const colourOf = (shown) => getComputedStyle(shown).color.match(/[\d.]+/g).slice(0, 3).map(Number);
const isDark = ([red, green, blue]) => 0.3 * red + 0.6 * green + 0.1 * blue < 128;

// Left and top of picture `k` in a sprite of pictures.
const placeIn = ({ width, height, columns }, k) => [(k % columns) * width, Math.floor(k / columns) * height];

// The mark of a class in a picture, as a path to fill or stroke.
function trace(context, mark, x, y, radius) {
  context.beginPath();
  if (mark === "square") context.rect(x - radius, y - radius, 2 * radius, 2 * radius);
  else if (mark === "diamond") {
    const reach = radius * 1.35;
    context.moveTo(x, y - reach);
    context.lineTo(x + reach, y);
    context.lineTo(x, y + reach);
    context.lineTo(x - reach, y);
    context.closePath();
  } else context.arc(x, y, radius, 0, 2 * Math.PI);
}

const button = (label, title, onclick) => element("button", { type: "button", title, onclick }, label);
const signed = (text) => text.replace("-", "−");

// Two decimals, fewer of large numbers.
function number(value) {
  const size = Math.abs(value);
  const text = value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
  return signed(Number(text) === 0 ? text.replace("-", "") : text);
}
