"""Predicted costs of trainings before they are asked for: time until Compare shows the run, and memory.

The time of the networks' training is predicted by `core.tasks.training_time`. Loading, closed forms, maps and the first
evaluation of tables are predicted from operation counts, with coefficients that were measured on one thread of the
reference machine and are scaled by this machine's speed; ``tests/benchmarks/bench_costs.py`` measures them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core import datasets, memory, methods
from core.datasets import Entry
from core.errors import BadInput
from core.runs import presets
from core.tasks import training_time
from core.types import TABLES, Run, Spec

# Megabytes of a process with the libraries of a closed form, and of one with torch.
_BASE, _BASE_OF_NETWORKS = 235.0, 510.0
# Share of the free memory that a training may take.
_MOST = 0.9
# Test rows whose neighbourhoods are compared pair by pair, see `core.metrics.embedding`.
_COMPARED_ROWS = 2000
# Seconds of the reference machine for the training that `_scale` compares with.
_REFERENCE_SECONDS = 4.6


@dataclass(frozen=True)
class Cost:
    """A predicted cost.

    Attributes
    ----------
    seconds : until the run is stored with the scores that Compare shows, on one thread that is not shared; None before
        this machine's speed is measured, see `training_time.measure_speed`.
    megabytes : peak memory of the process.
    """

    seconds: float | None
    megabytes: float


def predict_cost(
    spec: Spec, speed: np.ndarray | None, own_runs: Sequence[Run] = (), entry: Entry | None = None
) -> Cost:
    """Predict the cost of a training; parameters as `training_time.predict_seconds`.

    `entry` describes a table that is not stored yet, see `describe_table`. Of images and documents, the seconds are of
    the training alone.
    """
    entry = entry or datasets.entry(spec.dataset)
    seconds = training_time.predict_seconds(spec, speed, own_runs, entry)
    megabytes = predict_megabytes(spec, entry)
    if entry.kind != TABLES or speed is None:
        return Cost(seconds, megabytes)
    others = _count_load(entry) + _count_fit(spec, entry) + _count_evaluation(spec, entry)
    return Cost((seconds or 0.0) + others * _scale(speed), megabytes)


def describe_table(rows: tuple[int, int], blocks: Sequence[int]) -> Entry:
    """The entry of a table that is not stored yet: numbers of train and test rows, and the columns of each feature."""
    return Entry("new", "The table", TABLES, "", rows, "", blocks=tuple(blocks))


def predict_table(entry: Entry, n_components: int, preset: str, speed: np.ndarray | None) -> dict[str, Cost]:
    """Predict the cost of each method with a preset, for a table that may not be stored yet: method -> cost."""
    names = methods.names(TABLES)
    return {name: predict_cost(make_spec(entry, name, n_components, preset), speed, entry=entry) for name in names}


def make_spec(entry: Entry, method: str, n_components: int, preset: str) -> Spec:
    """Return the spec of a method with a preset for a table that may not be stored yet."""
    declared = {p.name: p.default for p in methods.get(method).params_of(TABLES)}
    size = {} if methods.entry(method).has_own_code_size else {"n_components": n_components}
    size = {} if methods.entry(method).maps_rows else size
    settings = presets.make_table_settings(entry.rows[0], method, n_components, preset)
    return Spec.of(entry.name, method, declared | size | settings, 0, {}, 1)


def check_fits(spec: Spec, entry: Entry | None = None) -> None:
    """Raise BadInput if a training of a table needs more memory than is free."""
    entry = entry or datasets.entry(spec.dataset)
    if entry.kind != TABLES:
        return
    needed, free = predict_megabytes(spec, entry), memory.available_megabytes()
    if needed > _MOST * free:
        raise BadInput(
            f"{methods.label(spec.method)} on {entry.label} needs about {needed:,.0f} MB, and {free:,.0f} MB are free: "
            "close other programs, or use fewer rows or columns."
        )


def predict_megabytes(spec: Spec, entry: Entry) -> float:
    """Predict the peak memory of a training's process, which loads, trains and evaluates."""
    n_train, n_test = entry.rows
    n, n_columns = n_train + n_test, entry.count_features(dict(spec.dataset_params))
    network = spec.param("epochs") is not None
    total = _BASE_OF_NETWORKS if network else _BASE
    if entry.kind != TABLES:
        return total + 8e-6 * n * n_columns
    # Cells as they are read and as numbers, then the rows and the copy that is trained on.
    loading = n * (50 * len(entry.blocks) + 13 * n_columns)
    training = n * (16 * len(entry.blocks) + 4 * n_columns) + n_train * n_columns * (12 if network else 8)
    # Four matrices of distances and ranks.
    training += 32 * min(n_test, _COMPARED_ROWS) ** 2
    if network:
        # Weights with their gradients and two moments, and a checkpoint of them.
        training += 24 * training_time.count_work(spec, entry).weights
    return total + max(loading, training) / 1e6


def _count_load(entry: Entry) -> float:
    return 0.08 + 3.3e-7 * sum(entry.rows) * len(entry.blocks)


def _count_fit(spec: Spec, entry: Entry) -> float:
    """Seconds of a closed form or a map, and of a network's training without its steps, on the reference machine."""
    n_train, n_columns = entry.rows[0], sum(entry.blocks)
    if steps := spec.param("max_iter"):
        n = sum(min(rows, spec.param("rows")) for rows in entry.rows)
        return 2.2e-7 * steps * n * np.log2(max(2, n))
    if spec.param("epochs"):
        return 0.5  # the first steps of torch, checkpoints and snapshots
    return 1e-10 * n_train * n_columns**2 + 1e-9 * n_columns**3


def _count_evaluation(spec: Spec, entry: Entry) -> float:
    """Seconds of the first evaluation on the reference machine."""
    n_train, n_test = entry.rows
    method, n_columns, size = methods.entry(spec.method), sum(entry.blocks), spec.param("n_components")
    pairs = min(n_test, _COMPARED_ROWS) ** 2
    total = 0.03 + 1.5e-7 * pairs
    # Nearest neighbours of codes; of few dimensions in a tree, of a discriminator's features in many.
    if method.has_own_code_size or (method.encodes and size > 3):
        total += (6e-9 if method.has_own_code_size else 3e-9) * n_test * n_train
    if method.has_spectrum:
        total += 2e-9 * n_test * n_columns * min(n_columns, 256)
    return total + 1e-7 * n_test * n_columns


def _scale(speed: np.ndarray) -> float:
    """Seconds of this machine for one of the reference machine."""
    entry = describe_table((8000, 2000), (1,) * 50)
    spec = make_spec(entry, "ae", 2, presets.SECONDS)
    return training_time.predict_seconds(spec, speed, entry=entry) / _REFERENCE_SECONDS
