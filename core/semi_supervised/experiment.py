"""Classifiers trained with the labels of a few training rows, and measured on the test rows.

A cell is one classifier, one number of labels and one seed, which selects the labelled rows for all approaches.
"""

import hashlib
import itertools
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np

from core import cache, datasets, methods, semi_supervised
from core.datasets import checksums
from core.errors import BadInput
from core.runs import reader, specs, store
from core.semi_supervised import results, settings
from core.types import IMAGES, TABLES, UNLABELLED, Dataset, Spec

NO_CLASSES = "choose a label column on the page Data, or divide a number into classes"
_FEW_ROWS = 5000
OnTick = Callable[[dict[str, Any]], bool | None]


class Stopped(Exception):
    """A cell was stopped before its end and has no result."""


def select_labelled_rows(y: np.ndarray, n: int, seed: int, kind: str = IMAGES) -> np.ndarray:
    """Select `n` training rows whose labels are given: (n,) int64. Subsets of larger `n` are nested.

    They are balanced over the classes; in a table, whose classes may be of very different size, they are in proportion
    to the classes, the first ones one of each class.

    `y` : (n_rows,) class of each row, -1 for rows without one. Raises BadInput unless `n` of them have a class.

    References
    ----------
    Kingma, Rezende, Mohamed and Welling 2014, Semi-supervised learning with deep generative models, section 4.1.
    """
    n_known = int((y != UNLABELLED).sum())
    if not n_known:
        raise BadInput("No training row has a class, so no classifier can be trained: choose another data set.")
    if not 1 <= n <= n_known:
        raise BadInput(f"labels={n} is not allowed: {n_known:,} training rows have a class, so give 1 to {n_known:,}.")
    random = np.random.RandomState(seed)
    order = np.full(len(y), np.inf)
    for label in random.permutation(np.unique(y[y != UNLABELLED])):
        of_class = random.permutation(np.flatnonzero(y == label))
        places = np.arange(len(of_class)) + random.uniform(0, 1, len(of_class))
        if kind == TABLES:
            places[1:] = 1 + places[1:] / len(of_class)
        order[of_class] = places
    return np.argsort(order, kind="stable")[:n]


@dataclass(frozen=True)
class Cell:
    """One classifier to train and measure.

    Attributes
    ----------
    spec : its method is the approach, its parameters are the settings and, as ``pretrained``, the pre-training's key.
    labels : number of labelled training rows.
    pretraining : the spec of the estimator that is fitted to all training rows without labels, or None.
    """

    spec: Spec
    labels: int
    pretraining: Spec | None = None

    @cached_property
    def key(self) -> str:
        """Sixteen hexadecimal digits that name the cell."""
        return hashlib.sha256(f"{self.spec.key} {self.labels}".encode()).hexdigest()[:16]

    @property
    def approach(self) -> semi_supervised.Approach:
        return semi_supervised.get(self.spec.method)


def _make_cells(
    dataset: str, dataset_params: Mapping[str, Any], name: str, labels: Sequence[int], seed: int
) -> list[Cell]:
    """Return the cells of an approach and a seed, with the present settings."""
    approach, params, pretraining = semi_supervised.get(name), settings.get_settings(name, dataset), None
    of_data = datasets.entry(dataset).check_params(dataset_params)
    if method := approach.pretrained:
        pretraining = specs.make(dataset, method, settings.get_pretraining(dataset, method), seed, of_data)
        params = {**params, "pretrained": pretraining.key}
    spec = Spec.of(dataset, name, params, seed, of_data, approach.version)
    return [Cell(spec, n, pretraining) for n in labels]


def is_current(result: Mapping[str, Any]) -> bool:
    """Whether a result was computed with the present settings and version of its approach."""
    of_data = result["dataset"], result["dataset_params"]
    try:
        (cell,) = _make_cells(*of_data, result["method"], [result["labels"]], result["seed"])
    except BadInput:  # the data set has another parameter
        return False
    return cell.key == result["key"]


def list_cells(
    dataset: str,
    approaches: Sequence[str],
    labels: Sequence[int],
    seeds: Sequence[int],
    dataset_params: Mapping[str, Any] | None = None,
) -> list[Cell]:
    """Return the cells of every combination, by seed.

    Raises BadInput for an unknown data set or approach, or an approach or number of labels that it can't have.
    """
    entry = datasets.entry(dataset)
    if not entry.has_labels:
        remedy = NO_CLASSES if entry.is_own else "choose another data set"
        raise BadInput(f"{entry.label} has no labels, so there is nothing to classify: {remedy}.")
    for name in approaches:
        if entry.kind not in semi_supervised.get(name).kinds:
            raise BadInput(
                f"{semi_supervised.get(name).label} does not work on {entry.kind}: "
                f"choose from {', '.join(semi_supervised.names(entry.kind))}."
            )
    for n in labels:
        if not 1 <= n <= entry.rows[0]:
            raise BadInput(f"labels={n} is not allowed: {entry.label} has {entry.rows[0]:,} training rows.")
    pairs = itertools.product(dict.fromkeys(seeds), dict.fromkeys(approaches))
    return [
        cell
        for seed, name in pairs
        for cell in _make_cells(dataset, dataset_params or {}, name, sorted({*labels}), seed)
    ]


def list_usual_counts(dataset: Dataset) -> list[int]:
    """Return the numbers of labels that are measured unless others are asked for."""
    known = dataset.y_train[dataset.y_train != UNLABELLED]
    usual = (100, 600, 1000, 3000) if len(dataset.y_train) > _FEW_ROWS else (20, 50, 100, 500)
    if dataset.kind == TABLES:
        usual = (10, 30, 100, 300, 1000)
    return [n for n in usual if len(np.unique(known)) <= n <= len(known)] or [len(known)]


def check_cells(cells: Sequence[Cell], dataset: Dataset) -> None:
    """Raise BadInput if cells can't be computed on this copy of the data set, before any is."""
    datasets.check_dataset(dataset)
    known = dataset.y_train[dataset.y_train != UNLABELLED]
    if not np.isin(dataset.y_test, known).any():
        why = f"No test row of {dataset.name} has a class of the training rows, so no classifier can be right"
        raise BadInput(f"{why}: choose another split, or another data set.")
    if len(np.unique(known)) < 2:
        why = f"All labelled training rows of {dataset.name} have one class, and a classifier needs two"
        raise BadInput(f"{why}: choose another data set.")
    for n in {cell.labels for cell in cells}:
        select_labelled_rows(dataset.y_train, n, 0)
    for spec in {cell.pretraining for cell in cells if cell.pretraining}:
        specs.check(spec, dataset)


def pretrain(spec: Spec, dataset: Dataset, on_tick: OnTick | None = None) -> tuple[Any, float]:
    """Return the estimator of `spec` fitted to all training rows, and the seconds of its fit.

    It is a stored run, or comes from the user's cache, or is fitted and cached. A stopped training resumes from its
    checkpoint. Raises `Stopped` if `on_tick` stopped the training.
    """
    from core.experiments import fit

    method = methods.get(spec.method)
    place = store.find_place(spec.key)
    run = None if place is None else reader.read_run(place)
    if run and checksums.is_of(run.environment, dataset.checksum) and not run.environment.get("stopped_early"):
        return reader.read_estimator(place), run.metrics["seconds"].value
    estimator = method.estimator(dict(spec.params), dataset.form, spec.seed)
    name = f"pretrained-{cache.make_key(spec.key, dataset.checksum)}"

    def fit_arrays() -> dict[str, np.ndarray]:
        started = time.perf_counter()
        checkpoint = cache.get_checkpoint_folder(name)
        options = {"on_tick": on_tick, "checkpoint": checkpoint} if hasattr(estimator, "train_step") else {}
        options |= dataset.make_fit_arguments(estimator)
        estimator.fit(dataset.floats("train"), **options)
        environment = getattr(estimator, "environment_", {})
        if environment.get("stopped_early"):
            raise Stopped
        # The network counts the seconds before it was stopped too.
        seconds = max(time.perf_counter() - started, environment.get("seconds", 0.0))
        shutil.rmtree(checkpoint, ignore_errors=True)
        return {**fit.stored_form(method.arrays(estimator), dataset.kind), "seconds": np.array(seconds)}

    arrays = dict(cache.get_or_compute(name, fit_arrays))
    seconds = float(arrays.pop("seconds"))
    return method.restore(estimator, arrays), seconds


def measure_cell(
    cell: Cell, dataset: Dataset, pretrained: tuple[Any, float] | None = None, on_tick: OnTick | None = None
) -> dict[str, Any]:
    """Train the classifier of a cell and measure it on the test rows.

    Parameters
    ----------
    pretrained : result of `pretrain` for `Cell.pretraining`.
    on_tick : for networks, see `core.nn.training.train`.

    Returns
    -------
    A result of JSON values: the cell, ``error`` (share of misclassified test rows), ``n_test``, ``confusion`` (class x
    predicted class), ``wrong``, ``map`` and ``map_classes`` (packed, see `core.semi_supervised.results`), ``seconds``,
    ``pretraining_seconds`` and the environment.

    Raises BadInput if the labelled rows have a single class, `Stopped` if `on_tick` stopped the training.
    """
    import torch

    rows = select_labelled_rows(dataset.y_train, cell.labels, cell.spec.seed, dataset.kind)
    y = np.full(len(dataset.y_train), UNLABELLED)
    y[rows] = dataset.y_train[rows]
    n_classes = len(np.unique(y[rows]))
    if n_classes < 2:
        are = "label is" if cell.labels == 1 else "labels are"
        raise BadInput(f"{cell.labels} {are} of a single class, and a classifier needs two: give more labels.")
    estimator, pretraining_seconds = pretrained or (None, 0.0)
    params = {name: value for name, value in cell.spec.params if name != "pretrained"}
    classifier = semi_supervised.build(cell.spec.method, params, estimator, cell.spec.seed, dataset.blocks)
    X, X_test = dataset.floats("train"), dataset.floats("test")
    options = {"on_tick": on_tick} if hasattr(classifier, "train_step") else {}
    options |= dataset.make_fit_arguments(classifier)
    started = time.perf_counter()
    classifier.fit(X, y, **options)
    seconds = time.perf_counter() - started + getattr(classifier, "seconds_before_", 0.0)
    environment = getattr(classifier, "environment_", {})
    if environment.get("stopped_early"):
        raise Stopped
    return {
        "key": cell.key,
        **cell.spec.to_json(),
        "pretraining": settings.get_pretraining(cell.spec.dataset, cell.approach.pretrained),
        "labels": cell.labels,
        "classes_known": n_classes,
        **results.score_predictions(classifier.predict(X_test), dataset.y_test, len(dataset.target_names)),
        **results.map_codes(classifier, X, X_test, rows, dataset),
        "seconds": round(seconds, 3),
        "pretraining_seconds": round(pretraining_seconds, 3),
        "device": environment.get("device", "cpu"),
        "precision": environment.get("precision", "float32"),
        "threads": environment.get("threads") or torch.get_num_threads(),
        "versions": {name: version(name) for name in ("torch", "scikit-learn")},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "data_checksum": dataset.checksum,
    }
