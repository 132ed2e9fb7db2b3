// What tests/browser/test_look.py asks of a page, in its components' shadow roots too.
(() => {
  const each = function* (root) {
    for (const e of root.querySelectorAll("*")) {
      if (e.shadowRoot) yield* each(e.shadowRoot);
      yield e;
    }
  };
  const isSeen = (e) => e.checkVisibility({ visibilityProperty: true });
  // Parts of Streamlit's widgets, which are larger as a whole, and terms inside sentences.
  const PARTS = ".hg-term, .stSidebar, .stSelectbox, .stNumberInput, [data-testid=stElementToolbar]";

  // Open a link as the browser's history does; resolves when the script runs, with false if it doesn't.
  function open(url) {
    const app = document.querySelector('[data-testid="stApp"]');
    return new Promise((resolve) => {
      new MutationObserver((_, observer) => {
        if (app.dataset.testScriptState === "notRunning") return;
        observer.disconnect();
        resolve(true);
      }).observe(app, { attributes: true, attributeFilter: ["data-test-script-state"] });
      setTimeout(() => resolve(false), 2000);
      history.pushState({}, "", url);
      dispatchEvent(new PopStateEvent("popstate"));
    });
  }

  // Streamlit's own: its drop zone for files has the role of nothing, and a name; the tools of a frame are small.
  async function violations(tags) {
    const found = await axe.run(
      { exclude: ['[data-testid="stFileUploaderDropzone"]', '[data-testid="stElementToolbar"]'] },
      { runOnly: tags, resultTypes: ["violations"], rules: { "label-content-name-mismatch": { enabled: true } } },
    );
    return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)} ${node.failureSummary}`));
  }

  // Letters of page, components and charts: text, size in pixels, colour and ground in a chart, whether it is cut.
  function letters() {
    const found = [];
    for (const e of each(document.body)) {
      const own = [...e.childNodes].filter((node) => node.nodeType === 3).map((node) => node.textContent);
      const text = own.join("").replace(/[\s\u200b]/g, "");
      if (!text || /^(style|script|title|desc|option)$/i.test(e.tagName) || !isSeen(e)) continue;
      const box = e.getBoundingClientRect(), style = getComputedStyle(e);
      if (box.width < 2 || box.height < 2 || e.closest(".katex-mathml")) continue;
      const matrix = e.ownerSVGElement && e.getScreenCTM(), scale = matrix ? Math.hypot(matrix.b, matrix.d) : 1;
      const chart = e.closest(".svg-container"), whole = chart?.getBoundingClientRect();
      const isOut = whole && (box.left < whole.left - 1 || box.right > whole.right + 1 || box.top < whole.top - 2 || box.bottom > whole.bottom + 2);
      const isShortened = style.textOverflow === "ellipsis" && e.scrollWidth > e.clientWidth + 1;
      const ground = chart ? chart.querySelector(".main-svg").style.background : null;
      found.push({ text, size: scale * parseFloat(style.fontSize), fill: style.fill, ground, isCut: Boolean(isOut || isShortened) });
    }
    return found;
  }

  // What is too small for a thumb: name, width and height, which an area around a small mark may enlarge.
  function smallTargets(least) {
    const found = [];
    for (const e of each(document)) {
      if (!e.matches("button, summary, select") || e.closest(PARTS) || !isSeen(e)) continue;
      if (e.closest(".stMultiSelect") && !e.closest("[data-tag]")) continue;
      const box = e.getBoundingClientRect(), around = getComputedStyle(e, "::after");
      const size = [Math.max(box.width, parseFloat(around.width) || 0), Math.max(box.height, parseFloat(around.height) || 0)];
      if (box.width > 1 && Math.min(...size) < least) found.push([e.getAttribute("aria-label") ?? e.textContent, ...size]);
    }
    return found;
  }

  // Headings of the first level, charts without a name, and formulas that can't be read.
  function names() {
    const isUnnamed = (e) => e.getAttribute("role") !== "figure" || (e.getAttribute("aria-label") ?? "").length < 20;
    const charts = [...document.querySelectorAll(".stPlotlyChart")].filter(isUnnamed);
    return [document.querySelectorAll("h1").length, charts.length, document.querySelectorAll(".katex-error").length];
  }

  // Top and bottom of the first picture, and the bottom of the first control.
  function firstView() {
    const pictures = [];
    for (const e of each(document.querySelector(".stMain"))) {
      const box = e.matches(".main-svg, canvas, .stage") ? e.getBoundingClientRect() : null;
      if (box?.height > 150) pictures.push([box.top, box.bottom]);
    }
    pictures.sort(([a], [b]) => a - b);
    const control = document.querySelector(".st-key-demo-side .stSlider, .stMain [role=radiogroup]");
    return [...pictures[0], control.getBoundingClientRect().bottom];
  }

  // From the last slider to the end of the finding; 0 without them.
  function reach() {
    const finding = document.querySelector(".hg-settled"), sliders = document.querySelectorAll(".st-key-demo-side .stSlider");
    if (!finding || !sliders.length) return 0;
    return finding.getBoundingClientRect().bottom - [...sliders].at(-1).getBoundingClientRect().top;
  }

  window.look = { open, violations, letters, smallTargets, names, firstView, reach };
})();
