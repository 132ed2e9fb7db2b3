"""How long documents take to load, and the memory of 200,000 of them.

Each load is a process of its own, timed from after its imports of NumPy and SciPy; the median of three. Cold: nothing
is in the user's cache, neither the docstrings nor counts of words; files are on a warm disk. The 200,000 documents are
drawn, about 100 words each, from a million words by Zipf's law, and are loaded from a file in the layout of 20
Newsgroups; their memory is the most that the process held at any time.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from core import config, datasets
from core.datasets import file_formats, sources
from tests.benchmarks.serving import ROOT, show_median

N_DOCUMENTS, LEXICON = 200_000, 1_000_000

_LOAD = """
import json, sys, time
from pathlib import Path
import numpy, scipy.sparse
started = time.perf_counter()
from core import datasets
data = datasets.load(sys.argv[1])
seconds = time.perf_counter() - started
rows = data.X_train.shape[0] + data.X_test.shape[0]
peak = int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1000
texts = sum(map(sys.getsizeof, data.texts_train + data.texts_test)) / 1e6
print(json.dumps({"seconds": seconds, "rows": rows, "peak": peak, "texts": texts}))
"""


def main(arguments: list[str]) -> None:
    for name in datasets.names(datasets.DOCUMENTS):
        if datasets.is_available(name):
            cold, cached = zip(*(_cold_and_cached(name) for _ in range(3)), strict=True)
            _show(datasets.entry(name).label, cold, cached)
    with tempfile.TemporaryDirectory() as folder:
        file_formats.write(Path(folder) / sources.REMOTE["newsgroups"].stored, _drawn())
        cold, cached = _cold_and_cached("newsgroups", folder)
    _show(f"{cold['rows']:,} drawn documents, once", [cold], [cached])
    print(f"Their peak memory, MB: cold {cold['peak']:.0f}, cached {cached['peak']:.0f}")


def _cold_and_cached(name: str, data: str | None = None) -> tuple[dict, dict]:
    """Two loads, the first of which finds no cache; `data`: the folder of full data sets, else this machine's."""
    command = [sys.executable, "-c", _LOAD, name]
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"HOURGLASS_DATA": data or str(config.data_folder()), "XDG_CACHE_HOME": cache}
        first, second = (subprocess.check_output(command, cwd=ROOT, env=environment) for _ in range(2))
    return json.loads(first), json.loads(second)


def _show(label: str, cold: Sequence[dict], cached: Sequence[dict]) -> None:
    for how, loads in (("cold", cold), ("cached", cached)):
        show_median(f"{label}, {cold[0]['texts']:.3g} MB of texts, {how}, s", [load["seconds"] for load in loads])


def _drawn() -> Iterator[dict[str, str]]:
    random = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    lexicon = ["".join(letters[random.integers(0, 26, n)]) for n in random.integers(3, 11, LEXICON)]
    share = np.cumsum(1 / np.arange(1, LEXICON + 1))
    for n in range(N_DOCUMENTS):
        ranks = np.searchsorted(share, random.random(random.poisson(100)) * share[-1])
        text = " ".join(lexicon[rank] for rank in ranks)
        yield {"split": "test" if n % 4 == 0 else "train", "label": f"class {n % 20}", "text": text}


if __name__ == "__main__":
    main([])
