"""How soon a trained run can be compared: ``python -m tests.benchmarks.bench_measuring [DATASET ...]``.

By the app's own queue and worker: an AE of 10 latent dimensions with the quick preset. From the end of its training to
the stored run, which Compare shows from then on, and to its last figure. Three seeds, the median, each beside it; the
first one also computes what is kept for a data set.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable

from core import datasets
from core.runs import presets, reader, specs, store
from core.tasks import queue, requests, task_files, worker_process
from core.types import FITTING
from tests.benchmarks.serving import show_median
from tests.trainings import end_workers

_PATIENCE = 300.0


def main(arguments: list[str]) -> None:
    for dataset in arguments or [name for name in ("digits", "mnist") if datasets.is_available(name)]:
        with tempfile.TemporaryDirectory() as folder:
            os.environ |= {"HOURGLASS_RUNS": f"{folder}/runs", "XDG_CACHE_HOME": f"{folder}/cache"}
            watch = worker_process.AppWatch(task_files.queue_folder())
            each = [_once(dataset, seed) for seed in range(4)]
            watch.end()
            end_workers()
        for name, (first, *seconds) in zip(("run on Compare", "last figure"), zip(*each, strict=True), strict=True):
            show_median(f"{dataset}: end of training to the {name} (first {first:.2f}), s", seconds)


def _once(dataset: str, seed: int) -> tuple[float, float]:
    params = presets.list_presets(dataset, "ae", 10)[presets.SECONDS]
    spec = specs.make(dataset, "ae", {**params, "n_components": 10}, seed)
    requests.request_trainings([spec], "benchmark")
    _wait(lambda: (job := queue.find_task(spec.key)) and job.row.get("epoch") and job.stage == FITTING)
    _wait(lambda: (job := queue.find_task(spec.key)) is None or job.stage != FITTING)
    ended = time.perf_counter()
    _wait(lambda: store.find_place(spec.key))
    stored = time.perf_counter()
    _wait(lambda: not reader.read_run(store.find_place(spec.key)).pending)
    return stored - ended, time.perf_counter() - ended


def _wait(condition: Callable[[], object]) -> None:
    until = time.monotonic() + _PATIENCE
    while not condition():
        if time.monotonic() > until:
            sys.exit(f"Nothing came of it within {_PATIENCE:g} s.")
        time.sleep(0.01)


if __name__ == "__main__":
    main(sys.argv[1:])
