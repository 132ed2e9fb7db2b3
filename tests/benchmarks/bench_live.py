"""How soon a training is seen, and how soon it stops: ``python -m tests.benchmarks.bench_live``.

In headless Chromium, on full MNIST with its default VAE and a convolutional GAN, whose epochs are long: from the click
on Train to the first point of the live curve, without a worker and with one that waits; and from the click on "Stop and
keep" to the page saying that the training has ended. The median of three, each beside it.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from core.runs import specs
from pages.ui.shared import permalinks

ROOT = Path(__file__).parents[2]
TIMES = 3
POINT = "document.querySelector('.hg-sketches img')"
ENDED = "/Measuring|Stopped after|On the test rows/.test(document.querySelector('.st-key-training-watch').innerText)"


def main() -> None:
    with tempfile.TemporaryDirectory() as runs, socket.socket() as probe, sync_playwright() as playwright:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        options = ["--server.port", str(port), "--server.headless", "true"]
        app = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", *options],
            cwd=ROOT,
            env={**os.environ, "HOURGLASS_RUNS": runs},
            stdout=subprocess.DEVNULL,
        )
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        try:
            _measure(browser.new_page(), f"http://127.0.0.1:{port}")
        finally:
            browser.close()
            app.terminate()
            app.wait()


def _measure(page: Page, url: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", int(url.rsplit(":", 1)[1]))).close()
            break
        except OSError:
            time.sleep(0.05)
    for method, params in (("vae", {"epochs": 500}), ("gan", {"epochs": 500})):
        first, stopped = [], []
        for seed in range(TIMES + 1):
            spec = specs.make("mnist", method, params, seed)
            page.goto(f"{url}/training?data=mnist&method={method}&spec={permalinks.encode(spec)}")
            page.get_by_role("button", name="Train", exact=True).click(trial=True, timeout=60_000)
            page.wait_for_timeout(1500)
            first.append(_seconds(page, "Train", POINT))
            page.wait_for_timeout(4000)
            stopped.append(_seconds(page, "Stop and keep", ENDED))
            page.get_by_role("button", name="Cancel", exact=True).click()
            page.get_by_role("button", name="Train", exact=True).wait_for(timeout=60_000)
        if method == "vae":
            print(f"{'Train to the first point, no worker yet, s':52} {first[0]:6.2f}")
        for name, values in (("Train to the first point", first[1:]), ("Stop to stopped", stopped[1:])):
            each = ", ".join(f"{value:.2f}" for value in values)
            print(f"{name + ', mnist ' + method + ', s':52} {statistics.median(values):6.2f}   ({each})", flush=True)


def _seconds(page: Page, button: str, until: str) -> float:
    started = time.perf_counter()
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_function(until, timeout=60_000, polling=20)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
