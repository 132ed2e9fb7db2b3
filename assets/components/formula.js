// Formulas in MathML. A symbol is explained below them while it is pointed at, focused or tapped, and everything on the
// page whose data-symbol names it is lit; other components hear of it by the event "hourglass-symbol".

const LIT = "hg-lit";

function light(name) {
  for (const lit of document.querySelectorAll(`.${LIT}`)) lit.classList.remove(LIT);
  if (name) {
    for (const part of document.querySelectorAll("[data-symbol]")) {
      if (part.dataset.symbol.split(" ").includes(name)) part.classList.add(LIT);
    }
  }
  window.dispatchEvent(new CustomEvent("hourglass-symbol", { detail: name }));
}

function show(holder, { formulas, symbols, names }) {
  const hint = element("p", { class: "hint", role: "status" });
  const say = (k) => {
    for (const part of holder.querySelectorAll("[data-index]")) part.classList.toggle("lit", part.dataset.index === k);
    const name = k === null ? null : element("span", {}, ...marked(names[k]));
    hint.replaceChildren(...(name ? [name, `: ${symbols[k]}`] : [symbols.length ? "Point at a symbol or tap it for its meaning." : ""]));
    light(k === null ? null : names[k]);
  };
  // The symbol as it stands in the formula.
  const marked = (name) => {
    const found = holder.querySelector(`[data-index="${names.indexOf(name)}"]`);
    const math = document.createElementNS("http://www.w3.org/1998/Math/MathML", "math");
    math.append(...[...(found?.childNodes ?? [])].map((child) => child.cloneNode(true)));
    return [math];
  };
  holder.replaceChildren(
    ...formulas.map((mathml) => {
      const line = element("div", { class: "formula" });
      line.innerHTML = mathml; // made by pages/ui/shared/formulas.py from our own LaTeX
      return line;
    }),
    hint,
  );
  for (const part of holder.querySelectorAll("[data-index]")) {
    const k = part.dataset.index;
    part.setAttribute("tabindex", "0");
    part.addEventListener("focus", () => say(k));
    part.addEventListener("blur", () => say(null));
  }
  // Symbols may hold symbols, as D(G(z)) does: the innermost one is meant.
  holder.onpointerover = holder.onclick = (event) => {
    const k = event.target.closest("[data-index]")?.dataset.index ?? null;
    if (k !== null || event.pointerType === "mouse") say(k);
  };
  holder.onpointerleave = (event) => event.pointerType === "mouse" && say(null);
  say(null);
}

export default function ({ parentElement, data }) {
  let holder = parentElement.querySelector(".formulas");
  if (!holder) parentElement.append((holder = element("div", { class: "formulas" })));
  const asked = JSON.stringify(data);
  if (holder.dataset.asked === asked) return; // a rerun leaves the focus where it is
  holder.dataset.asked = asked;
  show(holder, data);
}
