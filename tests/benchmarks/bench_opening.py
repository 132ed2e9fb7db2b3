"""How soon pages are there: ``python -m tests.benchmarks.bench_opening [PAGE ...]``.

As a multiple of an empty Streamlit page. Each page by link in a new browser profile, on a server that has shown it
before: from opening until all is drawn, that is the page's main picture and every other one, the script at its end, no
part still to come. An empty page of the same Streamlit is opened before each opening of a page, so that both meet the
same machine. Medians of five openings; beside them the files and megabytes that were fetched, and how often the script
ran.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from core import datasets
from tests.benchmarks.serving import browsed, served
from tests.openings import opened

_CHART = ".main-svg"
# page -> (query, the element that is its content, what the multiple must not exceed)
PAGES = {
    "Compare": ("?data=mnist&size=10", ".st-key-row-pca img", 1.5),
    "Embeddings": ("embeddings?data=mnist&size=10", "canvas", 1.5),
    "Documents": ("documents?data=docstrings&size=2", "canvas", 1.5),
    "Generation": ("generation?data=mnist&size=10", ".st-key-sampled img", 1.6),
    "Reconstructions": ("reconstructions?data=mnist&size=10", ".hg-columns-image", 1.6),
    "Tour": ("tour", ".hg-tour", 1.4),
    "Training": ("training?data=mnist", ".st-key-training img", 1.8),
    "Mechanisms": ("mechanisms", _CHART, 2.4),
    "Labelled fraction": ("labelled_fraction?data=mnist", ".main-svg", 2.5),
}


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="PAGE")
    parser.add_argument("--visits", type=int, default=5)
    asked = parser.parse_args(arguments)
    if not datasets.is_available("mnist"):
        print("The pages are measured on full MNIST, which is not on this machine: set HOURGLASS_DATA.")
        return
    if unknown := set(asked.names) - set(PAGES):
        parser.error(f"no such page: {', '.join(unknown)}; there are {', '.join(PAGES)}")
    with tempfile.TemporaryDirectory() as folder, browsed() as (browser, url):
        (Path(folder) / "app.py").write_text("import streamlit as st\n\nst.write('An empty page.')\n")
        with served(Path(folder)) as (empty_url, _):
            heads = ("multiple", 9), ("must", 6), ("seconds", 9), ("empty", 7), ("files", 7), ("MB", 7), ("runs", 6)
            print(f"{'page':20}" + "".join(f"{head:>{room}}" for head, room in heads) + "   openings")
            for name in asked.names or PAGES:
                query, content, must = PAGES[name]
                pairs = []
                for _ in range(asked.visits + 1):
                    with opened(browser, empty_url, ".stMain p") as (_, empty):
                        pass
                    with opened(browser, f"{url}/{query}", content) as (_, last):
                        pairs.append((empty.seconds, last.seconds))
                # The first visit loads and computes what later ones find.
                empty, page = map(statistics.median, zip(*pairs[1:], strict=True))
                megabytes = sum(last.files.values()) / 1e6
                times = f"{page / empty:9.2f}{must:6g}{page:9.2f}{empty:7.2f}"
                each = ", ".join(f"{seconds:.2f}" for _, seconds in pairs[1:])
                print(f"{name:20}{times}{len(last.files):7}{megabytes:7.2f}{len(last.runs):6}   ({each})", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
