"""How long Compare takes to open and to change, and the memory of the app's process.

    python -m tests.benchmarks.bench_compare [query]

Measured on the stored runs, in headless Chromium, on a warm disk: the median of three processes.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[2]
TIMES = 3
# Every part of the page is there and no part of the front end is still on its way.
DRAWN = """size => document.body.innerText.includes('Repeat this')
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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    started = time.perf_counter()
    app = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port), "--server.headless", "true"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.01)
        answers = time.perf_counter() - started
        page.goto(f"http://127.0.0.1:{port}/{query}")
        page.wait_for_function(DRAWN, arg=None, polling=20)
        drawn = time.perf_counter() - started
        page.wait_for_timeout(1000)
        memory = _memory(app.pid)
        changes = _changes(page)
    finally:
        app.terminate()
        app.wait()
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
    sizes = [text.strip() for text in page.get_by_role("radio").all_inner_texts()]
    shown = page.locator("[role=radio][aria-checked=true]").inner_text().strip()
    others = [size for size in sizes if size != shown]
    if not others:
        return None
    times = []
    for size in (others[0], shown, others[0]):
        started = time.perf_counter()
        page.get_by_role("radio", name=size, exact=True).click()
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
