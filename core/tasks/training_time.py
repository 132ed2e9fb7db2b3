"""Predictions of training times on this machine: operations per step times the machine's speed.

The speed is measured once, by short trainings in a process of their own, see `core.tasks.computation`. Runs that were
trained here correct the prediction.
"""

import os
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from core import cache, config, datasets, methods
from core.datasets import Entry
from core.nn.compute_cost import Workload
from core.tasks.computation import Work
from core.types import IMAGES, TABLES, Form, Run, Spec

# Raised when the timed trainings, or the model that is fitted to them, change.
_VERSION = 2
_SECONDS = 0.2
_ROUNDS = 2
_RECENT_RUNS = 5
N_TERMS = 9
# Method, kind of data, root of the number of columns, and parameters other than the defaults.
_TIMED_TRAININGS: tuple[tuple[str, str, int, dict[str, Any]], ...] = (
    ("linear_ae", IMAGES, 8, {"batch_size": 128}),
    ("ae", IMAGES, 8, {"batch_size": 128, "width": 256}),
    ("ae", IMAGES, 28, {"batch_size": 512}),
    ("ae", IMAGES, 28, {"batch_size": 64}),
    ("ae", IMAGES, 28, {"batch_size": 512, "augment": 1.0}),
    ("ae", IMAGES, 28, {"batch_size": 256, "width": 1500}),
    ("ae", IMAGES, 28, {"batch_size": 256, "network": "conv"}),
    ("ae", IMAGES, 8, {"batch_size": 128, "network": "conv", "width": 128}),
    ("gan", IMAGES, 8, {"batch_size": 128, "network": "mlp"}),
    ("gan", IMAGES, 28, {"batch_size": 64, "network": "conv"}),
    ("linear_ae", TABLES, 4, {"batch_size": 64}),
    ("ae", TABLES, 4, {"batch_size": 64, "width": 64, "layers": 1}),
    ("ae", TABLES, 16, {"batch_size": 256, "width": 256, "layers": 2}),
    ("vae", TABLES, 8, {"batch_size": 256, "width": 256, "layers": 2}),
    ("gan", TABLES, 4, {"batch_size": 64, "width": 64, "layers": 1}),
    ("gan", TABLES, 8, {"batch_size": 256, "width": 256, "layers": 2}),
)
# Weights from which a network may be trained in bfloat16, see `core.nn.training.best_precision`.
_LARGE = 200_000


def predict_seconds(
    spec: Spec, speed: np.ndarray | None, own_runs: Sequence[Run] = (), entry: Entry | None = None
) -> float | None:
    """Return the predicted seconds to train `spec` at the speed of `read_speed`; None if that is unknown.

    The latest of `own_runs`, trained on this machine with the same method, correct the prediction. `entry` is that of
    the data set where it is not stored.
    """
    if (seconds := spec.param("max_seconds")) or spec.param("epochs") is None:
        return seconds or None
    if speed is None:
        return None
    entry = entry or datasets.entry(spec.dataset)
    n_train = entry.rows[0] * (1 + dict(spec.dataset_params).get(datasets.COPIES, 0))
    seconds = spec.param("epochs") * _epoch_seconds(spec, speed, entry, n_train)
    return seconds * _correction(spec, speed, own_runs, entry.kind)


def _epoch_seconds(spec: Spec, speed: np.ndarray, entry: Entry, n_train: int) -> float:
    # A step takes all rows if they are fewer than a batch.
    batch = min(spec.param("batch_size"), n_train)
    return n_train * float(_row_terms(count_work(spec, entry), batch) @ speed)


def count_work(spec: Spec, entry: Entry) -> Workload:
    """Count the computations of a training step of `spec` on the data set of an entry."""
    n_features = entry.count_features(dict(spec.dataset_params))
    return methods.get(spec.method).estimator(dict(spec.params), entry.form, spec.seed).workload(n_features)


def _row_terms(work: Workload, batch_size: int) -> np.ndarray:
    """Return the operations a row, to be weighted by the machine's speed: (N_TERMS,)."""
    a_step = np.array([work.players, work.weights, work.layers]) / batch_size
    dense = (0.0, work.dense) if work.weights >= _LARGE else (work.dense, 0.0)
    return np.array([*a_step, *dense, work.convolved, work.values, work.augmented, work.maps], float)


def _correction(spec: Spec, speed: np.ndarray, own_runs: Sequence[Run], kind: str) -> float:
    """Return the median ratio of actual to predicted time of the latest own runs of this method and network."""
    alike = [
        run
        for run in own_runs
        if (run.spec.method, run.spec.param("network")) == (spec.method, spec.param("network"))
        and "loaded" not in run.environment
        and run.environment.get("threads") == config.threads()
        and run.environment["kind"] == kind
        # The data set of a run may be deleted.
        and datasets.is_known(run.spec.dataset)
    ]
    latest = sorted(alike, key=lambda run: run.environment["date"])[-_RECENT_RUNS:]
    ratios = []
    for run in latest:
        rates = [row["rows_per_second"] for row in run.history if row.get("rows_per_second")]
        if rates:
            n_train = run.environment["n_train"]
            predicted = _epoch_seconds(run.spec, speed, datasets.entry(run.spec.dataset), n_train)
            ratios.append(n_train / np.median(rates) / predicted)
    return float(np.median(ratios)) if ratios else 1.0


def read_speed() -> np.ndarray | None:
    """Return the seconds a unit of each term of `_row_terms`: (N_TERMS,); None before `measure_speed`."""
    arrays = WORK.find_result(_speed_name())
    return None if arrays is None else np.asarray(arrays["seconds"], float)


def is_measuring() -> bool:
    return WORK.read_state(_speed_name()).share is not None


def measure_speed() -> None:
    """Start to measure the speed of this machine, unless it is known; raises HourglassError as `Work.start`."""
    WORK.start(_speed_name())


def _speed_name() -> str:
    machine = platform.node(), platform.machine(), os.cpu_count(), version("torch"), config.threads()
    return cache.make_key(_VERSION, *machine)


def _time_trainings(folder: Path, report: Callable[[float], None]) -> Mapping[str, np.ndarray]:
    terms, taken = np.zeros((len(_TIMED_TRAININGS), N_TERMS)), np.full(len(_TIMED_TRAININGS), np.inf)
    for k in range(_ROUNDS * len(_TIMED_TRAININGS)):
        report(k / (_ROUNDS * len(_TIMED_TRAININGS)))
        i = k % len(_TIMED_TRAININGS)
        terms[i], seconds = _time_row(*_TIMED_TRAININGS[i])
        taken[i] = min(taken[i], seconds)
    return {"seconds": fit_speed(terms, taken)}


def fit_speed(terms: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Fit the seconds of each operation, (k,), to the times of rows by least squares of log ratios.

    `terms` are the operations a row, (n, k), and `taken` the seconds a row, (n,).
    """
    from scipy.optimize import least_squares

    # Start where each term explains a tenth of the time of a typical row.
    start = 0.1 * np.array([np.median(taken[used] / terms[used, k]) for k, used in enumerate(terms.T > 0)])
    result = least_squares(lambda x: np.log(terms @ np.exp(x)) - np.log(taken), np.log(start), bounds=(-60, 0))
    return np.exp(result.x)


def _time_row(method: str, kind: str, side: int, params: dict[str, Any]) -> tuple[np.ndarray, float]:
    declared = methods.get(method)
    every = {p.name: p.default for p in declared.params_of(kind)} | params | {"max_seconds": _SECONDS}
    # Half of a table's columns are categories.
    blocks = (1,) * (side**2 // 2) + (4,) * (side**2 // 8)
    form = Form(kind, blocks=blocks) if kind == TABLES else Form(kind, (side, side))
    estimator = declared.estimator(every, form, 0)
    n_rows = 2 * every["batch_size"]
    X = np.random.default_rng(0).random((n_rows, side * side), np.float32)
    # On one thread, processor time: it hardly depends on other processes.
    clock = time.process_time if config.threads() == 1 else time.perf_counter
    ends = [clock()]
    estimator.fit(X, on_epoch=lambda row: ends.append(clock()))
    # The first epoch includes building the networks.
    spent = np.diff(ends)[1:] if len(ends) > 2 else np.diff(ends)
    return _row_terms(estimator.workload(side * side), every["batch_size"]), float(np.median(spent)) / n_rows


WORK = Work("core.tasks.training_time", "speed", "speed", "measurement of this machine's speed", _time_trainings)

if __name__ == "__main__":
    WORK.main()
