// Confusion matrices side by side: each row a class, each column what it was predicted as. A cell is a button.
//
// What comes back is one state value, "cell": "<id>:<turn>:<matrix>:<row>:<column>".

export default function ({ data, parentElement, setStateValue }) {
  const before = parentElement.querySelector(".matrices");
  const focused = before?.getRootNode().activeElement?.dataset?.cell;
  const root = element("div", { class: "matrices" }, ...data.matrices.map((matrix, k) => drawn(matrix, k, data, setStateValue)));
  if (before) before.replaceWith(root);
  else parentElement.append(root);
  const again = focused && root.querySelector(`[data-cell="${focused}"]`);
  if (again) walkTo(again);
}

const rowsOf = (n, what) => `${counted(n)} ${what}${n === 1 ? "" : "s"}`;

function drawn(matrix, number, data, setStateValue) {
  const { names, what } = data;
  const isShort = names.every((name) => [...name].length <= 3);
  const column = (k) => (isShort ? names[k] : String(k + 1));
  const send = (i, j) => setStateValue("cell", `${data.id}:${Date.now()}:${number}:${i}:${j}`);
  const head = element("tr", {}, element("td", {}), ...names.map((name, k) => element("th", { scope: "col", title: name }, column(k))), element("th", { scope: "col", title: "Share of the class that is predicted as it, with its 95% interval" }, "right"));
  const lines = matrix.counts.map((counts, i) => {
    const total = counts.reduce((sum, n) => sum + n, 0);
    const cells = counts.map((n, j) => {
      if (!n) return element("td", { class: "none" }, "·");
      const label = i === j ? `${names[i]} predicted correctly: ${rowsOf(n, what)}` : `${names[i]} predicted as ${names[j]}: ${rowsOf(n, what)}`;
      const cell = element("button", { type: "button", "data-cell": `${number}:${i}:${j}`, "aria-label": label, title: label, tabindex: -1, onclick: () => send(i, j) }, String(n));
      cell.style.setProperty("--share", `${Math.round(Math.sqrt(n / total) * 55)}%`);
      if (data.chosen === `${number}:${i}:${j}`) cell.setAttribute("aria-pressed", "true");
      return element("td", { class: i === j ? "right" : "wrong" }, cell);
    });
    const name = isShort ? names[i] : `${i + 1} ${names[i]}`;
    return element("tr", {}, element("th", { scope: "row", title: names[i] }, name), ...cells, element("td", { class: "share", title: matrix.intervals[i] }, matrix.shares[i]));
  });
  const table = element("table", { onkeydown: walk }, element("thead", {}, head), element("tbody", {}, ...lines));
  const first = table.querySelector("td.wrong button") ?? table.querySelector("button");
  if (first) first.tabIndex = 0;
  return element("figure", {}, element("figcaption", {}, element("b", {}, matrix.title), " ", element("span", { class: "note" }, matrix.note)), element("div", { class: "wide" }, table));
}

// Arrow keys go to the nearest cell that holds rows.
function walk(event) {
  const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  const from = event.target.dataset?.cell;
  if (!step || !from || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const [number, i, j] = from.split(":").map(Number);
  const table = event.currentTarget;
  const size = table.tBodies[0].rows.length;
  for (let [y, x] = [i + step[0], j + step[1]]; y >= 0 && x >= 0 && y < size && x < size; y += step[0], x += step[1]) {
    const cell = table.querySelector(`[data-cell="${number}:${y}:${x}"]`);
    if (cell) return walkTo(cell);
  }
}

function walkTo(cell) {
  for (const other of cell.closest("table").querySelectorAll("button")) other.tabIndex = other === cell ? 0 : -1;
  cell.focus({ preventScroll: true });
}
