"""From a file to a filled Compare: ``python -m tests.benchmarks.bench_own_data [FILE ...]``.

Twelve real tables in files of nine kinds, and one of 10,000 rows and 50 columns, are brought to the page Data of an
app with a folder of its own. Counted: clicks (choosing the file is one), seconds until the check page is complete, and
until Compare shows every method.
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.real_tables import make_files, make_large
from tests.benchmarks.serving import browsed
from tests.openings import DRAWN

_ROWS = ("pca", "linear_ae", "ae", "vae", "gan")
_FILLED = """(rows) => rows.every((row) => document.querySelector(`.st-key-row-${row}`)
    && !document.querySelector(`.st-key-absent-${row}`))"""


def main(arguments: list[str]) -> None:
    files = make_files() | {"large.csv": make_large()}
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HOURGLASS_RUNS"] = f"{folder}/runs"
        with browsed() as (browser, url):
            print(f"{'file':24}{'clicks':>8}{'check s':>10}{'filled s':>10}   rows of Compare")
            for name in arguments or files:
                path = Path(folder) / name
                path.write_bytes(files[name])
                page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
                page.goto(f"{url}/data")
                page.wait_for_function(DRAWN, arg=None, timeout=60_000)
                started = time.perf_counter()
                page.set_input_files("input[type=file]", path)
                button = page.get_by_role("button", name="Add and train all")
                button.wait_for(timeout=60_000)
                page.wait_for_function(DRAWN, arg=None, timeout=60_000)
                checked = time.perf_counter() - started
                started = time.perf_counter()
                button.click()
                page.wait_for_selector(".st-key-row-pca", timeout=60_000)
                page.wait_for_function(_FILLED, arg=_ROWS, timeout=600_000)
                filled = time.perf_counter() - started
                texts = page.locator(".hg-numbers").all_inner_texts()
                print(f"{name:24}{2:8}{checked:10.1f}{filled:10.1f}   {len(texts)}", flush=True)
                page.context.close()


if __name__ == "__main__":
    main(sys.argv[1:])
