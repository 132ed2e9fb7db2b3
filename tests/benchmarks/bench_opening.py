"""How soon the pages of sections are there: ``python -m tests.benchmarks.bench_opening [SECTION ...]``.

Each page, and each section of it, in headless Chromium on a server that has shown it before: from opening until all is
drawn, that is no part still to come, the script at its end, every picture decoded, every chart and component painted.
The median of five visits.
"""

from __future__ import annotations

import statistics
import sys
import time

from playwright.sync_api import Page

from core import datasets
from tests.benchmarks.serving import browsed

VISITS = 5
QUERIES = {
    "Reconstructions": "reconstructions?data=mnist&size=10",
    "  Error by class": "reconstructions?data=mnist&size=10&section=classes",
    "  Code size": "reconstructions?data=mnist&size=10&section=size",
    "  Depth": "reconstructions?data=mnist&size=10&section=depth",
    "  Linear AE = PCA": "reconstructions?data=mnist&size=10&section=linear",
    "  Broken input": "reconstructions?data=mnist&size=10&section=damage",
    "Generation": "generation?data=mnist&size=10",
    "  2-D manifold": "generation?data=mnist&size=10&section=manifold",
    "  Sliders": "generation?data=mnist&size=10&section=sliders",
    "  Between two images": "generation?data=mnist&size=10&section=between",
    "  Arithmetic": "generation?data=mnist&size=10&section=arithmetic",
    "Documents": "documents?data=docstrings&size=2",
    "  An opened document": "documents?data=docstrings&size=2&selected=eNqTY2JgAAAAggAh",
    "  What an axis means": "documents?data=docstrings&size=2&section=axes",
    "  Retrieval": "documents?data=docstrings&size=2&section=retrieval",
    "  Your query": "documents?data=docstrings&size=2&section=query",
    "  Numbers": "documents?data=docstrings&size=2&section=numbers",
    "Tour": "tour",
}
# Asked every few milliseconds: what costs least comes first.
DRAWN = """() => {
const app = document.querySelector('[data-testid=stApp]');
if (app?.dataset.testScriptState !== 'notRunning') return false;
if (!document.querySelector('[class*=st-key-][class*=-share] summary')) return false;
if (document.querySelector('[data-testid=stSkeleton], [data-stale=true], [data-testid=stSpinner]')) return false;
if ([...document.images].some((picture) => !picture.complete || !picture.naturalWidth)) return false;
if ([...document.querySelectorAll('[data-testid=stPlotlyChart]')].some((e) => !e.querySelector('.main-svg')))
  return false;
const hosts = [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
  .flatMap((e) => [e, ...e.querySelectorAll('*')]).filter((e) => e.shadowRoot);
const scenes = hosts.flatMap((e) => [...e.shadowRoot.querySelectorAll('[data-scene]')]);
return scenes.every((e) => e.dataset.drawn === e.dataset.scene)
  && (scenes.length > 0 || !/section=(manifold|sliders)/.test(location.search))
  && (!/documents.*section=maps/.test(location.href) || hosts.some((e) => e.shadowRoot.querySelector('canvas'))); }"""


def main(names: list[str] | None = None) -> None:
    if not datasets.available("mnist"):
        print("The pages are measured on full MNIST, which is not on this machine: set HOURGLASS_DATA.")
        return
    print(f"{'seconds from opening to fully drawn, median of ' + str(VISITS):50} {'value':>8}")
    with browsed() as (browser, url):
        for name, query in QUERIES.items():
            if names and name.strip() not in names:
                continue
            values = []
            for _ in range(VISITS + 1):
                page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
                values.append(seconds(page, f"{url}/{query}"))
                page.context.close()
            # The first visit loads and computes what later ones find.
            told = ", ".join(f"{value:.3g}" for value in values[1:])
            print(f"{name:50} {statistics.median(values[1:]):8.3g}   ({told})", flush=True)


def seconds(page: Page, url: str) -> float:
    """From opening until all is drawn."""
    started = time.perf_counter()
    page.goto(url)
    page.wait_for_function(DRAWN, timeout=300_000, polling=10)
    return time.perf_counter() - started


if __name__ == "__main__":
    main(sys.argv[1:])
