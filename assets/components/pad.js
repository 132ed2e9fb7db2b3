// The drawing pad of drawing.js alone. It sends its strokes once one ends.

const pads = new WeakMap();

export default function (component) {
  const { parentElement, data } = component;
  // Called again on every rerun: what is drawn here is ahead of what the server knows, so it stays.
  if (!pads.has(parentElement)) pads.set(parentElement, new Pad(parentElement, data));
  const pad = pads.get(parentElement);
  pad.take(component);
  return () => clearTimeout(pad.timer);
}
