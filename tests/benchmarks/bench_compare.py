"""How long Compare takes to open and to change, and the memory of the app's process.

    python -m tests.benchmarks.bench_compare [query]

Measured on the stored runs, in headless Chromium, on a warm disk: the median of three processes.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.benchmarks.serving import served

TIMES = 3
# Every part of the page is there and no part of the front end is still on its way.
DRAWN = """size => document.body.innerText.includes('Link and command line')
    && !document.querySelector('[data-testid=stSkeleton]')
    && [...document.querySelectorAll('.stMain img')].every(image => image.complete)
    && (!size || document.body.innerText.includes(size + '-D code'))
    && !document.querySelector('[data-stale=true]')"""


def main(query: str = "") -> None:
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        browser.new_page().close()
        rows = [_measure(browser, query) for _ in range(TIMES + 1)][1:]  # the first warms the disk
        browser.close()
    print(f"{'Compare, median of ' + str(TIMES):44} {'value':>10}")
    for name in rows[0]:
        values = [row[name] for row in rows if row[name] is not None]
        if values:
            spread = ", ".join(f"{value:.3g}" for value in values)
            print(f"{name:44} {statistics.median(values):10.3g}   ({spread})")


def _measure(browser, query: str) -> dict[str, float | None]:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    started = time.perf_counter()
    with served() as (url, pid):
        answers = time.perf_counter() - started
        page.goto(f"{url}/{query}")
        page.wait_for_function(DRAWN, arg=None, polling=20)
        drawn = time.perf_counter() - started
        page.wait_for_timeout(1000)
        memory = _memory(pid)
        changes = _changes(page)
        page.context.close()
    first, again = changes or (None, None)
    return {
        "process start to the port answering, s": answers,
        "process start to Compare fully drawn, s": drawn,
        "memory of the app's process, MB": memory,
        "another code size, first time, s": first,
        "another code size, seen before, s": again,
    }


def _changes(page: Page) -> tuple[float, float] | None:
    """Seconds from a click on another code size to its rows drawn: the first time, and when all is cached."""
    choice = page.get_by_role("radiogroup", name="Latent dimensions")
    sizes = [text.strip() for text in choice.get_by_role("radio").all_inner_texts()]
    shown = choice.get_by_role("radio", checked=True).inner_text().strip()
    others = [size for size in sizes if size != shown]
    if not others:
        return None
    times = []
    for size in (others[0], shown, others[0]):
        started = time.perf_counter()
        choice.get_by_role("radio", name=size, exact=True).click()
        page.wait_for_function(DRAWN, arg=size, polling=10)
        times.append(time.perf_counter() - started)
        page.wait_for_timeout(300)
    return times[0], times[2]


def _memory(pid: int) -> float | None:
    """Resident memory in MB, where the system has /proc."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main(*sys.argv[1:2])
