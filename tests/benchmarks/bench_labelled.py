"""What the labelled fraction costs: ``python -m tests.benchmarks.bench_labelled [digits | slowest]``.

digits: a sweep of five approaches, four numbers of labels and three seeds from an empty folder, as the command line
runs it, with as many processes as there are cores. slowest: one cell of each trained approach on MNIST with all cores.
"""

import os
import subprocess
import sys
import tempfile
import time

from core import datasets
from core.semi_supervised import experiment
from tests.benchmarks.serving import show_median

_DIGITS = ("network", "logistic", "fine_tuned", "ae", "spreading")
_TRAINED = ("network", "fine_tuned", "m1", "m2", "m1_m2", "sgan")
_LABELS = (20, 50, 100, 500)


def digits(times: int = 3) -> None:
    took = []
    for _ in range(times):
        with tempfile.TemporaryDirectory() as folder:
            words = ["labelled-fraction", "digits", "--labels", ",".join(map(str, _LABELS)), "--seeds", "3"]
            words += ["--methods", ",".join(_DIGITS), "--processes", str(os.cpu_count() or 1)]
            own = {"HOURGLASS_RUNS": f"{folder}/runs", "XDG_CACHE_HOME": f"{folder}/cache"}
            started = time.perf_counter()
            subprocess.run([sys.executable, "-m", "core", *words], env={**os.environ, **own}, check=True)
            took.append(time.perf_counter() - started)
    show_median(f"digits, {len(_DIGITS)} approaches x {len(_LABELS)} x 3, s", took)


def slowest() -> None:
    if not datasets.is_available("mnist"):
        print("MNIST is not on this machine: set HOURGLASS_DATA.")
        return
    dataset = datasets.load("mnist")
    for cell in experiment.list_cells("mnist", _TRAINED, [100], [0]):
        before = experiment.pretrain(cell.pretraining, dataset) if cell.pretraining else None
        row = experiment.measure_cell(cell, dataset, before)
        seconds = f"{row['seconds']:.0f} s, pre-training {row['pretraining_seconds']:.0f} s, {row['threads']} threads"
        print(f"{cell.approach.label}, 100 labels: {seconds}, test error {row['error']:.2%}", flush=True)


def main(wanted: list[str]) -> None:
    for name, measure in (("digits", digits), ("slowest", slowest)):
        if not wanted or name in wanted:
            measure()


if __name__ == "__main__":
    main(sys.argv[1:])
