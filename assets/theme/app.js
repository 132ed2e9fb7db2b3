// What every page runs once in the browser.
if (!window.hourglassStarted) {
  window.hourglassStarted = true;

  // Streamlit adds to the browser's history whatever a page writes into its address, and Back would lead from a page
  // to itself: what keeps the path takes the place of the entry before.
  const push = history.pushState.bind(history);
  history.pushState = (state, title, url) => {
    const isSamePage = new URL(url ?? location, location).pathname === location.pathname;
    (isSamePage ? history.replaceState.bind(history) : push)(state, title, url);
  };

  // The name by which the queue of trainings knows this browser, in later tabs and after a refresh too.
  const person = document.querySelector(".hg-brand")?.dataset.person;
  if (person && !/(^|; )hourglass_person=/.test(document.cookie))
    document.cookie = `hourglass_person=${person}; path=/; max-age=31536000; samesite=strict`;

  // What is drawn late, see pages/ui/shared/lazy.py: when its place is seen, or its picture is pointed at. A place that
  // is new announces itself by an animation.
  const press = (place) => place?.querySelector("button")?.click();
  const near = new IntersectionObserver(
    (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => press(entry.target)),
    { rootMargin: "-40px" },
  );
  document.addEventListener("animationstart", (event) => {
    if (event.animationName === "hg-late") near.observe(event.target);
  });
  document.addEventListener("pointerover", (event) => press(event.target.closest?.('[class*="st-key-still-"]')));

  // A row of sections that is swiped shows the chosen one.
  const choose = () => {
    for (const chosen of document.querySelectorAll('[class*="-py-experiment"] [aria-checked="true"], [class*="-py-section"] [aria-checked="true"]')) {
      const row = chosen.parentElement;
      if (row.scrollWidth > row.clientWidth) row.scrollLeft = chosen.offsetLeft - (row.clientWidth - chosen.clientWidth) / 2;
    }
  };
  document.addEventListener("animationstart", (event) => event.animationName === "hg-strip" && choose());

  // On a phone the sidebar lies over the page: it closes once a page is chosen.
  document.addEventListener("click", (event) => {
    if (innerWidth < 768 && event.target.closest?.('[data-testid="stSidebar"] [data-testid="stPageLink"]'))
      document.querySelector('[data-testid="stSidebarCollapseButton"] button')?.click();
  });

  // Escape hides the definition of a term, see pages/ui/shared/glossary.py, until the next one is asked for.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    document.activeElement?.closest(".hg-term")?.querySelector("button").blur();
    document.body.classList.add("hg-hushed");
    document.addEventListener("pointermove", () => document.body.classList.remove("hg-hushed"), { once: true });
  });
  // A presenter's clicker sends page keys: they turn the steps of the tour, and in large type also those of the bar at
  // the foot of the pages that a step opens. Elsewhere they scroll. A slider takes them only in small type: in large
  // type a lecturer has just moved it, and goes on.
  const TAKES_PAGE_KEYS = "input:not([type=radio], [type=checkbox], [type=range], [role=combobox][aria-expanded=false]), textarea, select, [role=listbox], [role=dialog]";
  const turnStep = (event) => {
    const name = { PageDown: "next", PageUp: "back" }[event.key];
    if (!name || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const large = parseFloat(getComputedStyle(document.documentElement).fontSize) > 20;
    const kept = large ? TAKES_PAGE_KEYS : `${TAKES_PAGE_KEYS}, [type=range], [role=slider]`;
    if (event.target.closest?.(kept)) return;
    const label = { next: "Next", back: "Back" }[name];
    const turn =
      document.querySelector(`.st-key-tour-${label} button`) ??
      (large ? document.querySelector(`.st-key-tour-foot-${name} a`) : null);
    if (!turn) return;
    event.preventDefault();
    event.stopPropagation();
    turn.click();
  };
  document.addEventListener("keydown", turnStep, { capture: true });

  // A swipe that begins on a chart scrolls the page: plotly would hold it. Taps reach plotly as clicks.
  const hold = (event) => event.target.closest?.('[class*="st-key-plain-chart-"] .draglayer') && event.stopPropagation();
  document.addEventListener("touchstart", hold, { capture: true, passive: true });

  // Findings that change are read aloud: a live region must be there before its text.
  const status = document.body.appendChild(Object.assign(document.createElement("div"), { role: "status", className: "hg-unseen" }));
  document.addEventListener("animationstart", (event) => {
    if (event.animationName === "hg-finding") status.textContent = event.target.textContent;
  });

  // A chart's player. Plotly's own slider is hidden, since no key reaches it: it is pressed where the frame lies on it.
  const FRAME = 90, INSET = 10; // milliseconds; pixels before the first and after the last step of plotly's slider
  const seek = (player, k) => {
    const slider = player.querySelector("input"), names = JSON.parse(player.dataset.names);
    slider.value = k;
    slider.setAttribute("aria-valuetext", names[k]);
    player.querySelector("output").textContent = names[k];
    const plot = player.closest('[class*="chart-"]')?.querySelector(".js-plotly-plot");
    const rail = plot?.querySelector(".slider-rail-touch-rect"), box = rail?.getBoundingClientRect();
    if (!box?.width) return;
    const clientX = box.left + INSET + (k / (names.length - 1)) * (box.width - 2 * INSET);
    rail.dispatchEvent(new MouseEvent("mousedown", { clientX, clientY: box.top + 1, view: window }));
    plot.dispatchEvent(new MouseEvent("mouseup"));
  };
  const stop = (player) => {
    clearInterval(player.timer);
    player.timer = null;
    player.querySelector("button").textContent = "Play";
  };
  const play = (player) => {
    const slider = player.querySelector("input"), last = Number(slider.max);
    if (Number(slider.value) === last) seek(player, 0);
    player.querySelector("button").textContent = "Pause";
    player.timer = setInterval(() => {
      if (player.isConnected) seek(player, Number(slider.value) + 1);
      if (!player.isConnected || Number(slider.value) === last) stop(player);
    }, FRAME);
  };
  document.addEventListener("click", (event) => {
    const player = event.target.closest?.(".hg-player button")?.parentElement;
    if (player) (player.timer ? stop : play)(player);
  });
  document.addEventListener("input", (event) => {
    const player = event.target.closest?.(".hg-player");
    if (!player) return;
    stop(player);
    seek(player, Number(event.target.value));
  });

  // The copy buttons of code blocks.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.(".hg-copy");
    if (!button) return;
    const block = button.previousElementSibling;
    let isCopied = false;
    try {
      await navigator.clipboard.writeText(block.textContent);
      isCopied = true;
    } catch {
      // Without HTTPS, as in a workshop's local network, there is no clipboard to write to: select the text and copy it.
      getSelection().selectAllChildren(block);
      isCopied = document.execCommand("copy");
    }
    button.textContent = isCopied ? "Copied" : "Press Ctrl+C";
    setTimeout(() => (button.textContent = "Copy"), 2000);
  });

  // Charts and pictures are drawn by the server in the colours of the theme. When the theme changes, now or before the
  // first run knew it, the page is run again by the key that Streamlit has for it.
  const app = document.querySelector(".stApp");
  const isStale = () => {
    const drawn = document.querySelector(".hg-brand")?.dataset.theme;
    return drawn && drawn !== getComputedStyle(app).colorScheme;
  };
  const rerun = () => {
    for (const type of ["keydown", "keyup"]) {
      document.body.dispatchEvent(new KeyboardEvent(type, { key: "r", code: "KeyR", keyCode: 82, which: 82, bubbles: true }));
    }
  };
  let timer = 0;
  const follow = (wait = 300, tries = 3) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (!isStale() || tries === 0) return;
      rerun();
      follow(4000, tries - 1);
    }, wait);
  };
  new MutationObserver(() => follow()).observe(app, { attributes: true, attributeFilter: ["class"] });
  follow();

  // A chart on paper shrinks to its width, letters and all, instead of being cut.
  const PAPER = 700; // pixels across A4 and Letter between the margins of the style sheet
  matchMedia("print").addEventListener("change", ({ matches: isPaper }) => {
    for (const chart of document.querySelectorAll(".stPlotlyChart .svg-container")) {
      const width = Number(chart.querySelector(".main-svg").getAttribute("width"));
      chart.style.zoom = isPaper ? Math.min(1, PAPER / width) : "";
    }
  });
}
