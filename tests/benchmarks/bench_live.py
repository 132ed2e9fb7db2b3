"""How soon a training is seen, and how soon it stops: ``python -m tests.benchmarks.bench_live``.

In headless Chromium, on full MNIST with its default VAE and a convolutional GAN, whose epochs are long: from the click
on Train to the first point of the live curve, without a worker and with one that waits; and from the click on "Stop and
keep" to the page saying that the training has ended. The median of three, each beside it.
"""

import os
import tempfile
import time
from unittest.mock import patch

from playwright.sync_api import Page

from core.runs import specs
from pages.ui.shared import permalinks
from tests.benchmarks.serving import browsed, show_median

POINT = "document.querySelector('.hg-sketches img')"
ENDED = "/Measuring|Stopped after|On the test rows/.test(document.querySelector('.st-key-training-watch').innerText)"


def main(arguments: list[str]) -> None:
    folder = tempfile.TemporaryDirectory()
    with folder as runs, patch.dict(os.environ, HOURGLASS_RUNS=runs), browsed() as (browser, url):
        page = browser.new_page()
        for method in ("vae", "gan"):
            first, stopped = [], []
            for seed in range(4):
                spec = specs.make("mnist", method, {"epochs": 500}, seed)
                page.goto(f"{url}/training?data=mnist&method={method}&spec={permalinks.encode(spec)}")
                page.get_by_role("button", name="Train", exact=True).click(trial=True, timeout=60_000)
                page.wait_for_timeout(1500)
                first.append(_seconds(page, "Train", POINT))
                page.wait_for_timeout(4000)
                stopped.append(_seconds(page, "Stop and keep", ENDED))
                page.get_by_role("button", name="Cancel", exact=True).click()
                page.get_by_role("button", name="Train", exact=True).wait_for(timeout=60_000)
            if method == "vae":
                show_median("Train to the first point, no worker yet, s", first[:1])
            show_median(f"Train to the first point, mnist {method}, s", first[1:])
            show_median(f"Stop to stopped, mnist {method}, s", stopped[1:])


def _seconds(page: Page, button: str, until: str) -> float:
    started = time.perf_counter()
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_function(until, timeout=60_000, polling=20)
    return time.perf_counter() - started


if __name__ == "__main__":
    main([])
