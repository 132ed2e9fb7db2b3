"""How quick the linked maps are: ``python -m tests.benchmarks.bench_embeddings``.

Four maps of MNIST's 10,000 test rows in headless Chromium, on a server that has shown them before: opening, a lasso of
1,000 rows, and movements of the pointer. The median of five visits, of twenty movements in each for the hover.

Then two maps of a table of 50,000 rows and 12 columns, all shown: a first opening with an empty cache, and the median
of three later ones, of a lasso of 8,000 rows in each, until its columns are compared.
"""

import os
import statistics
import tempfile
import time
from unittest import mock

import numpy as np
import pandas as pd
from playwright.sync_api import Page

from core import datasets
from core.datasets.own import recipe, store
from core.experiments import fit
from core.runs import specs
from tests.benchmarks.serving import browsed, show_median

QUERY = "embeddings?data=mnist&rows=10000&maps=pca-2.direct,ae-2.direct,vae-2.direct,linear_ae-2.direct"
FIND = """
const host = [...document.querySelectorAll('*')].find((e) => e.shadowRoot?.querySelector('.linked'));
const root = host?.shadowRoot.querySelector('.linked');
const maps = host && hourglassMaps.get(host.shadowRoot);
const painted = () => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()), 0)));
"""
# Asked every few milliseconds, so they must cost next to nothing.
_DRAWN = "[...(globalThis.hourglassPictures?.waiting ?? [])].find((maps) => maps.root.dataset.drawn)"
MAPS = f"() => Boolean({_DRAWN})"
# With their numbers, the rest of the page, and the pictures decoded.
OPEN = f"""() => {{ const maps = {_DRAWN};
return maps?.root.dataset.pictures && !maps.root.innerText.includes('computing')
    && document.body.innerText.includes('Link to this view'); }}"""
HOVER = f"""async () => {{ {FIND}
const over = root.querySelectorAll('.over')[1], box = over.getBoundingClientRect(), times = [];
for (let k = 0; k < 20; k++) {{
  await painted();
  const started = performance.now();
  over.dispatchEvent(new PointerEvent('pointermove', {{
    pointerId: 1, pointerType: 'mouse', bubbles: true,
    clientX: box.left + box.width * (0.35 + 0.015 * k), clientY: box.top + box.height * 0.5 }}));
  const drawn = performance.now();
  times.push([drawn - started, (await painted()) - started, maps.hovered >= 0]);
}}
return times; }}"""
# A box with about `n` rows in the second map, as shares of its width and height.
BOX = f"""(n) => {{ {FIND}
const panel = [...maps.panels.values()][1], [w, h] = panel.size;
const far = ([x, y]) => Math.max(Math.abs(x - w / 2), Math.abs(y - h / 2));
const reach = [...Array(maps.n).keys()].map((k) => far(panel.place(k))).sort((a, b) => a - b)[n];
return [0.5 - reach / w, 0.5 - reach / h, 0.5 + reach / w, 0.5 + reach / h]; }}"""
LASSO = f"""async ([left, top, right, bottom]) => {{ {FIND}
const over = root.querySelectorAll('.over')[1], box = over.getBoundingClientRect();
const send = (kind, x, y) => over.dispatchEvent(new PointerEvent(kind, {{
  pointerId: 1, pointerType: 'mouse', bubbles: true, button: 0, buttons: 1,
  clientX: box.left + x * box.width, clientY: box.top + y * box.height }}));
const corners = [[left, top], [right, top], [right, bottom], [left, bottom], [left, top]];
send('pointerdown', left, top);
for (let k = 0; k < 4; k++) for (let s = 0; s <= 20; s++) {{
  const [[ax, ay], [bx, by]] = corners.slice(k, k + 2);
  send('pointermove', ax + (bx - ax) * s / 20, ay + (by - ay) * s / 20);
}}
await painted();
const started = performance.now();
send('pointerup', left, top);
return [(await painted()) - started, maps.count, performance.timeOrigin + started]; }}"""
PANEL = """n => {
const text = document.body.innerText;
return text.includes(n.toLocaleString('en-US') + ' rows; 120 of them shown')
  && document.querySelectorAll('.hg-rebuilt').length === 5
  && text.includes('Download these rows') && !document.querySelector('[data-stale=true]')
  && !document.querySelector('[data-testid=stStatusWidget]') && performance.timeOrigin + performance.now(); }"""
COMPARED = """n => {
const text = document.body.innerText;
return text.includes(n.toLocaleString('en-US') + ' selected rows against')
  && document.querySelectorAll('.hg-differences').length === 2
  && text.includes('Download these rows') && !document.querySelector('[data-stale=true]')
  && !document.querySelector('[data-testid=stStatusWidget]') && performance.timeOrigin + performance.now(); }"""


def main(arguments: list[str]) -> None:
    _measure_images()
    with tempfile.TemporaryDirectory() as folder:
        places = {"HOURGLASS_RUNS": f"{folder}/runs", "XDG_CACHE_HOME": f"{folder}/cache"}
        with mock.patch.dict(os.environ, places):
            _measure_table()


def _measure_images() -> None:
    if not datasets.is_available("mnist"):
        print("The linked maps are measured on full MNIST, which is not on this machine: set HOURGLASS_DATA.")
        return
    rows = []
    with browsed() as (browser, url):
        for _ in range(6):
            with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
                rows.append(_measure(context.new_page(), f"{url}/{QUERY}"))
        received = _bytes(browser.new_page(), f"{url}/{QUERY}")
    for name in rows[0]:  # the first visit computes and measures what later ones find
        show_median(name, [row[name] for row in rows[1:]])
    show_median("received over the web socket, with thumbnails, MB", [received / 1e6])


def make_table(n: int) -> pd.DataFrame:
    """Rows of four groups: numbers, a date, categories, a class, and missing cells."""
    rng = np.random.default_rng(0)
    group = rng.integers(0, 4, n)
    numbers = {f"number {k}": rng.normal(group * k / 4, 2).round(3) for k in range(6)}
    days = pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 3600, n) + 100 * group, unit="D")
    categories = {
        f"category {k}": np.char.add("value ", ((group * (k > 0) + rng.integers(0, 3 + k, n)) % 9).astype(str))
        for k in range(3)
    }
    frame = pd.DataFrame({"name": [f"row {k}" for k in range(n)], **numbers, "day": days, **categories})
    for name in ("number 1", "category 2"):
        frame[name] = frame[name].mask(rng.random(n) < 0.05)
    return frame.assign(group=np.array(["a", "b", "c", "d"])[group])


def _measure_table() -> None:
    content = make_table(50_000).to_csv(index=False).encode()
    brought = store.read_file(content, "table.csv")
    dataset = datasets.load(
        store.add(content, "table.csv", brought.table, recipe.make_recipe(brought.columns, brought.table.format))
    )
    for method, params in (("pca", {}), ("linear_ae", {"epochs": 1})):
        fit.fit_and_store(specs.make(dataset.name, method, {"n_components": 2, **params}), dataset)
    query = f"embeddings?data={dataset.name}&split=both&rows=50000&maps=pca-2.direct,linear_ae-2.direct"
    rows = []
    with browsed() as (browser, url):
        for _ in range(4):
            with browser.new_context(viewport={"width": 1440, "height": 900}) as context:
                rows.append(_measure_visit(context.new_page(), f"{url}/{query}"))
        received = _bytes(browser.new_page(), f"{url}/{query}")
    show_median("table: first opening, with an empty cache, s", [rows[0]["table: opened to the page whole, s"]])
    for name in rows[0]:
        show_median(name, [row[name] for row in rows[1:]])
    show_median("table: received over the web socket, with cells, MB", [received / 1e6])


def _open(page: Page, url: str) -> list[float]:
    """Open a page; returns the seconds until all maps are drawn, and until the page is whole."""
    started, times = time.perf_counter(), []
    page.goto(url)
    for condition in (MAPS, OPEN):
        page.wait_for_function(condition, timeout=300_000, polling=10)
        times.append(time.perf_counter() - started)
    page.wait_for_timeout(1500)
    return times


def _measure_visit(page: Page, url: str) -> dict[str, float]:
    times = _open(page, url)
    lit, n, released = page.evaluate(LASSO, page.evaluate(BOX, 8000))
    compared = page.wait_for_function(COMPARED, arg=n, timeout=60_000, polling=10).json_value() - released
    return {
        "table: opened to all maps drawn, s": times[0],
        "table: opened to the page whole, s": times[1],
        "table: lasso released to all maps painted, ms": lit,
        "table: rows in the lasso": n,
        "table: lasso released to the panel complete, ms": compared,
    }


def _bytes(page: Page, url: str) -> int:
    """What the server has sent when the maps are there, on a visit of its own: to listen takes time."""
    frames: list[str | bytes] = []
    page.on("websocket", lambda ws: ws.on("framereceived", lambda frame: frames.append(frame)))
    page.goto(url)
    page.wait_for_function(OPEN, timeout=60_000, polling=10)
    return sum(map(len, frames))


def _measure(page: Page, url: str) -> dict[str, float]:
    times = _open(page, url)
    hovers = [row for row in page.evaluate(HOVER) if row[2]]
    box = page.evaluate(BOX, 1120)
    page.evaluate(LASSO, box)  # the first brings the reconstructions' libraries
    page.wait_for_timeout(4000)
    page.keyboard.press("Escape")
    lit, n, released = page.evaluate(LASSO, [*box[:3], box[3] - 0.004])
    panel = page.wait_for_function(PANEL, arg=n, timeout=60_000, polling=10).json_value() - released
    return {
        "opened to all maps drawn, s": times[0],
        "opened to the page whole, thumbnails there, s": times[1],
        "lasso released to all maps painted, ms": lit,
        "pointer moved to the thumbnail drawn, ms": statistics.median(row[0] for row in hovers),
        "pointer moved to the next frame painted, ms": statistics.median(row[1] for row in hovers),
        "rows in the lasso": n,
        "lasso released to the panel complete, ms": panel,
    }


if __name__ == "__main__":
    main([])
