"""Cold start of Compare, and the memory of the app's process: ``python -m tests.benchmarks.bench_compare``.

Measured on the stored runs, in headless Chromium, on a warm disk: medians of three processes.
"""

import shutil
import sys
import time

from playwright.sync_api import Browser, sync_playwright

from tests.benchmarks.serving import memory, served, show_median

# All pictures of the page are there and no part of the front end is still on its way.
DRAWN = """() => document.querySelector('.st-key-row-pca img')
    && !document.querySelector('[data-testid=stSkeleton], [data-stale=true]')
    && [...document.querySelectorAll('.stMain img')].every(image => image.complete)
    && document.querySelector('.stApp').dataset.testScriptState === 'notRunning'"""


def main(arguments: list[str]) -> None:
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        rows = [_measure(browser) for _ in range(4)][1:]  # the first warms the disk
        browser.close()
    for name in rows[0]:
        show_median(name, [row[name] for row in rows])


def _measure(browser: Browser) -> dict[str, float]:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    started = time.perf_counter()
    with served() as (url, pid):
        answers = time.perf_counter() - started
        page.goto(url)
        page.wait_for_function(DRAWN, polling=20)
        drawn = time.perf_counter() - started
        page.wait_for_timeout(1000)
        used = memory(pid)
        page.context.close()
    return {"start to answer, s": answers, "start to Compare drawn, s": drawn, "memory of the app, MB": used}


if __name__ == "__main__":
    main(sys.argv[1:])
