/* Saves a chart as SVG, PNG or CSV and a table as CSV, and shows a chart's numbers, in the browser, when one of its
   buttons is pressed.
   Written without tags: Streamlit drops a script that holds one. */
(() => {
  if (window.hourglassExport) return;
  window.hourglassExport = true;
  const PAPER = {}; // colours of the dark theme -> of the light one; the server fills it in
  const PNG_SCALE = 2, TITLE = 30, NEUTRAL = 40, SAME = 12, MOST_ROWS = 500;

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".hg-export button");
    if (!button) return;
    const row = button.closest(".hg-export"), format = button.value;
    if (format === "table") toggleTable(button, row);
    else if (format === "csv" && row.dataset.csv !== undefined) saveText(row.dataset.csv, `${row.dataset.file}.csv`);
    else {
      const { file, still } = row.dataset;
      if (still !== undefined) document.querySelector(`.st-key-still-${still} button`)?.click();
      whenDrawn(file, (plot) => {
        if (format === "csv") saveText(csvOfPlot(plot), `${file}.csv`);
        else savePicture(plot, format, file, row.dataset.title);
      });
    }
  });

  /* The buttons are there before plotly is, and before the chart that a still stands for. */
  function whenDrawn(file, act, tries = 150) {
    const row = document.querySelector(`.hg-export[data-file="${file}"]:not([data-still])`);
    const plot = row?.closest('[class*="chart-"]')?.querySelector(".js-plotly-plot");
    if (plot?._fullLayout?._modeBar) act(plot);
    else if (tries) setTimeout(() => whenDrawn(file, act, tries - 1), 200);
  }

  function toggleTable(button, row) {
    const isOpen = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!isOpen));
    if (isOpen) row.nextElementSibling?.remove();
    else if (row.dataset.csv !== undefined) row.after(makeTable(parseCsv(row.dataset.csv), row.dataset.title));
    else whenDrawn(row.dataset.file, (plot) => row.after(makeTable(linesOfPlot(plot), row.dataset.title)));
  }

  function makeTable([head, ...lines], title) {
    const add = (parent, name, text, of = {}) => Object.assign(parent.appendChild(document.createElement(name)), { textContent: text, ...of });
    const region = Object.assign(document.createElement("div"), { className: "hg-wide hg-numbers-of-chart", tabIndex: 0, role: "region", ariaLabel: `Numbers: ${title}` });
    const table = add(region, "table", "", { className: "hg-table" });
    const hidden = lines.length - MOST_ROWS;
    add(table, "caption", hidden > 0 ? `The first ${MOST_ROWS} of ${lines.length.toLocaleString("en")} lines; CSV has all.` : "");
    const titles = add(add(table, "thead", ""), "tr", "");
    for (const name of head) add(titles, "th", name || "name", { scope: "col" });
    const body = add(table, "tbody", "");
    for (const line of lines.slice(0, MOST_ROWS)) {
      const cells = add(body, "tr", "");
      for (const cell of line) add(cells, "td", inWords(cell));
    }
    return region;
  }

  /* A number in at most six digits. */
  function inWords(cell) {
    const value = typeof cell === "string" && cell.trim() === "" ? NaN : Number(cell);
    return cell === null || cell === undefined || Number.isNaN(cell) ? "" : Number.isFinite(value) ? String(Number(value.toPrecision(6))) : String(cell);
  }

  function parseCsv(text) {
    const lines = [[]];
    for (const [, quoted, bare, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/g)) {
      lines.at(-1).push(quoted?.replaceAll('""', '"') ?? bare);
      if (end === "\n") lines.push([]);
      if (end === "") break;
    }
    return lines.slice(0, -1);
  }

  function saveText(text, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  /* The camera of plotly's own mode bar saves what it is given: here the chart in colours for white paper. */
  function savePicture(plot, format, filename, title) {
    const { width, height: drawn, _modeBar: bar, margin } = plot._fullLayout;
    // A title above the chart is the page's, and so is the player that moves plotly's slider.
    const own = plot.layout.title, above = plot.layout.meta?.title ?? title;
    const height = own?.text ? drawn : drawn + TITLE;
    const camera = bar.buttons.flat().find((each) => each.name === "toImage");
    const recolour = paperColours(getComputedStyle(document.querySelector(".stApp")).backgroundColor);
    const { data, layout } = recolour({ data: plot.data, layout: { ...plot.layout, sliders: [] } });
    Object.assign(layout, { width, height, autosize: false, paper_bgcolor: "#fff", plot_bgcolor: "#fff" });
    if (!own?.text) {
      layout.title = { text: above, x: 0, xanchor: "left", xref: "container", y: 1, yref: "container", yanchor: "top", pad: { l: 8, t: 8 } };
      layout.margin = { ...layout.margin, t: margin.t + TITLE };
    }
    const toImageButtonOptions = { format, filename, width, height, scale: format === "png" ? PNG_SCALE : 1 };
    const _context = { ...plot._context, toImageButtonOptions, displayNotifier: false };
    camera.click({ data, layout, _context });
  }

  /* A function that copies a figure. On a dark page each colour of the palette becomes that of the light theme, and
     other greys change places: what was lighter than the page is darker than paper. */
  function paperColours(page) {
    const ground = channels(page) ?? [255, 255, 255];
    const isDark = ground[0] + ground[1] + ground[2] < 382;
    const change = (text) => {
      const found = isDark ? channels(text) : null;
      if (!found) return text;
      const [red, green, blue] = found;
      const own = PAPER["#" + [red, green, blue].map((each) => each.toString(16).padStart(2, "0")).join("")];
      if (own) return `rgba(${[...channels(own).slice(0, 3), found[3]].join(",")})`;
      if (Math.max(red, green, blue) - Math.min(red, green, blue) > NEUTRAL) return text;
      if ([red, green, blue].every((value, k) => Math.abs(value - ground[k]) < SAME)) return `rgba(255,255,255,${found[3]})`;
      return `rgba(${255 - red},${255 - green},${255 - blue},${found[3]})`;
    };
    const copy = (value) => {
      if (typeof value === "string") return change(value);
      if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
      if (Array.isArray(value)) return typeof value[0] === "number" ? value : value.map(copy);
      return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, copy(each)]));
    };
    return copy;
  }

  /* "#rgb", "#rrggbb", "#rrggbbaa", "rgb(…)" or "rgba(…)" -> red, green, blue in 0..255 and opacity, else null. */
  function channels(text) {
    if (/^#([\da-f]{3}|[\da-f]{6}|[\da-f]{8})$/i.test(text)) {
      const digits = text.length === 4 ? [...text.slice(1)].map((each) => each + each) : text.slice(1).match(/../g);
      const [red, green, blue, alpha = 255] = digits.map((each) => parseInt(each, 16));
      return [red, green, blue, alpha / 255];
    }
    const [red, green, blue, alpha = 1] = /^rgba?\(([^)]*)\)$/.exec(text)?.[1].split(/[\s,/]+/).map(Number) ?? [];
    return [red, green, blue, alpha].every(Number.isFinite) ? [red, green, blue, alpha] : null;
  }

  /* What is drawn, a line a point: panel and series where there are several, x and y under their axes' titles, the
     ends of error bars, and z of a heatmap. */
  function csvOfPlot(plot) {
    return linesOfPlot(plot).map(csvLine).join("");
  }

  function linesOfPlot(plot) {
    const { _fullLayout: layout, _fullData: traces } = plot;
    const shown = traces.filter((trace) => trace.visible === true && (trace.x ?? trace.z));
    const axis = (trace, letter) => layout[(trace[`${letter}axis`] ?? letter).replace(letter, `${letter}axis`)];
    const heading = (letter) => {
      const titles = new Set(shown.map((trace) => plain(axis(trace, letter)?.title?.text)));
      return (titles.size === 1 && [...titles][0]) || letter;
    };
    const heads = { x: heading("x"), y: heading("y") };
    if (heads.x === heads.y) Object.assign(heads, { x: "x", y: "y" });
    const panels = new Set(shown.map((trace) => trace.xaxis));
    const lines = shown.flatMap((trace) =>
      pointsOf(trace, heads).map((point) => ({
        ...(panels.size > 1 ? { panel: panelName(layout, axis(trace, "x")) } : {}),
        series: plain(trace.showlegend === false && /^trace \d+$/.test(trace.name) ? "" : trace.name),
        ...point,
      })),
    );
    const columns = [...new Set(lines.flatMap(Object.keys))];
    return [columns, ...lines.map((line) => columns.map((name) => line[name]))];
  }

  function pointsOf(trace, heads) {
    const { x, y, z } = trace;
    if (z?.[0]?.length !== undefined && !(typeof z[0] === "string")) {
      return [...z].flatMap((row, i) => [...row].map((value, j) => ({ [heads.x]: x?.[j] ?? j, [heads.y]: y?.[i] ?? i, value })));
    }
    return Array.from({ length: Math.max(x?.length ?? 0, y?.length ?? 0) }, (_, k) => {
      const point = { [heads.x]: x?.[k] ?? k, [heads.y]: y?.[k] };
      for (const letter of ["x", "y"]) {
        const bars = trace[`error_${letter}`];
        if (!bars?.visible || !bars.array) continue;
        const value = trace[letter][k];
        point[`${heads[letter]} low`] = value - (bars.symmetric === false ? bars.arrayminus?.[k] ?? 0 : bars.array[k]);
        point[`${heads[letter]} high`] = value + bars.array[k];
      }
      return point;
    });
  }

  /* The title that stands over an axis, else its place among the axes. */
  function panelName(layout, axis) {
    const middle = (axis.domain[0] + axis.domain[1]) / 2;
    const top = layout[axis.anchor?.replace("y", "yaxis")]?.domain?.[1];
    const above = (layout.annotations ?? []).find(
      (each) => each.xref === "paper" && Math.abs(each.x - middle) < 0.01 && Math.abs(each.y - top) < 0.05,
    );
    return plain(above?.text) || axis._name.replace("xaxis", "panel ").trim();
  }

  function plain(html) {
    return new DOMParser().parseFromString((html ?? "").replace(/\u003c/g, " \u003c"), "text/html").body.textContent.trim();
  }

  function csvLine(cells) {
    const quoted = cells.map((cell) => {
      const text = cell === null || cell === undefined || Number.isNaN(cell) ? "" : disarm(cell);
      return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    });
    return `${quoted.join(",")}\n`;
  }

  /* A text that a spreadsheet would take for a formula gets an apostrophe before it, as those of `export.disarm` do. */
  function disarm(cell) {
    const isFormula = typeof cell === "string" && /^(\s*[=@]|\s*[+\-](?![\d.,eE+\-:% ]*$)|[\t\r])/.test(cell);
    return isFormula ? `'${cell}` : String(cell);
  }
})();
