// Takes a code to the server and its picture back, for latent.js: small, as it is sent with each picture.

const mounts = (globalThis.hourglassAnswers ??= { all: new Map() });

export default function ({ data, parentElement, setStateValue }) {
  const mount = { data, ask: (text) => setStateValue("asked", text) };
  mounts.all.set(parentElement, mount);
  mounts.heard?.(mount);
  return () => {
    mounts.all.delete(parentElement);
    mounts.left?.(mount);
  };
}
