"""The labelled fraction: classifiers that are given the labels of a few training rows, measured on the test rows.

A cell is one classifier, one number of labels and one seed. The seed chooses the labelled rows, which are the same for
all approaches, and begins everything random.
"""

from __future__ import annotations

import base64
import hashlib
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from importlib.metadata import version
from typing import Any

import numpy as np

from core import approaches, cache, datasets, methods, specs, store
from core.approaches import settings
from core.types import UNLABELLED, BadInput, Dataset, Spec

# Test rows, and labelled ones, that the map of a cell shows.
MAPPED = 300
_RIGHT = 255
SEEDS = 1000
WATCH = Callable[[dict[str, Any]], bool | None]


class Stopped(Exception):
    """A cell was ended before its time: there is nothing to tell of it."""


def labelled_rows(y: np.ndarray, n: int, seed: int) -> np.ndarray:
    """The training rows whose labels are given: as many of each class as of any other, as far as there are.

    Those of a smaller `n` are among those of a larger one. Of classes that can't have the same number, chance chooses.

    Parameters
    ----------
    y : (n_rows,) class of each row, -1 where it has none

    Returns
    -------
    (n,) int64, in the order in which they are added.

    Raises
    ------
    BadInput
        Where `n` is not from 1 to the number of rows with a class.

    References
    ----------
    Kingma, Rezende, Mohamed and Welling 2014, Semi-supervised learning with deep generative models, section 4.1.
    """
    y = np.asarray(y)
    n_known = int((y != UNLABELLED).sum())
    if not 1 <= n <= n_known:
        raise BadInput(
            f"labels={n} is not allowed: {n_known:,} training rows have a class, so give 1 to {n_known:,}."
            if n_known
            else "No training row has a class, so there is nothing to learn a classifier from: choose another data set."
        )
    random = np.random.RandomState(seed)
    order = np.full(len(y), np.inf)
    for label in random.permutation(np.unique(y[y != UNLABELLED])):
        of_class = random.permutation(np.flatnonzero(y == label))
        order[of_class] = np.arange(len(of_class)) + random.uniform(0, 1, len(of_class))
    return np.argsort(order, kind="stable")[:n]


@dataclass(frozen=True)
class Cell:
    """One classifier to be learned and measured.

    Attributes
    ----------
    spec : `Spec.method` is the approach; `Spec.params` its settings and, as ``pretrained``, the key of the run it
        starts from.
    labels : how many training rows have their label given.
    """

    spec: Spec
    labels: int

    @cached_property
    def key(self) -> str:
        """Sixteen hexadecimal digits that name it."""
        return hashlib.sha256(f"{self.spec.key} {self.labels}".encode()).hexdigest()[:16]

    @property
    def approach(self) -> approaches.Approach:
        return approaches.get(self.spec.method)

    @cached_property
    def pretraining(self) -> Spec | None:
        """What is fitted, once a seed, to all training rows without labels; None for an approach without."""
        return pretraining(self.spec.dataset, self.spec.dataset_params, self.approach, self.spec.seed)


def pretraining(
    dataset: str, dataset_params: Iterable[tuple[str, Any]], approach: approaches.Approach, seed: int
) -> Spec | None:
    """What an approach starts from on this data set, at its settings and version of now; None for one without."""
    if not approach.pretrained:
        return None
    params = settings.pretraining(dataset, approach.pretrained)
    return specs.make(dataset, approach.pretrained, params, seed, dict(dataset_params))


def cells(
    dataset: str,
    wanted: Sequence[str],
    labels: Sequence[int],
    seeds: Sequence[int],
    dataset_params: Mapping[str, Any] | None = None,
) -> list[Cell]:
    """Every combination, those of a seed together.

    Raises
    ------
    BadInput
        For an unknown data set or approach, one that is not for such data, a number of labels that the data set does
        not have, or a seed that is not from 0 to 999.
    """
    entry = datasets.entry(dataset)
    if not entry.has_labels:
        raise BadInput(f"{entry.label} has no labels, so there is nothing to classify: choose another data set.")
    for name in wanted:
        if entry.kind not in approaches.get(name).kinds:
            raise BadInput(
                f"{approaches.get(name).label} does not work on {entry.kind}: "
                f"choose from {', '.join(approaches.names(entry.kind))}."
            )
    for n in labels:
        if not 1 <= n <= entry.rows[0]:
            raise BadInput(f"labels={n} is not allowed: {entry.label} has {entry.rows[0]:,} training rows.")
    for seed in seeds:
        if not 0 <= seed < SEEDS:
            raise BadInput(f"seed={seed} is not allowed: it is a whole number from 0 to {SEEDS - 1}.")
    of_data = specs.make(dataset, methods.names(entry.kind)[0], {}, 0, dataset_params).dataset_params
    found = []
    for seed in dict.fromkeys(seeds):
        for name in dict.fromkeys(wanted):
            approach = approaches.get(name)
            params = dict(settings.of(name, dataset))
            before = pretraining(dataset, of_data, approach, seed)
            if before is not None:
                params["pretrained"] = before.key
            spec = Spec.of(dataset, name, params, seed, dict(of_data), approach.version)
            found += [Cell(spec, n) for n in sorted(set(labels))]
    return found


def pretrain(spec: Spec, dataset: Dataset, on_tick: WATCH | None = None) -> tuple[Any, float]:
    """The estimator that `spec` describes, fitted to all training rows, and the seconds its fit took.

    It is the stored run of `spec` where there is one, else kept in the user's cache once it is fitted.

    Raises
    ------
    Stopped
        If `on_tick` ended the training.
    """
    from core import experiments

    method = methods.get(spec.method)
    place = store.find(spec.key)
    run = None if place is None else store.read(place)
    if run and run.environment["data_checksum"] == dataset.checksum and not run.environment.get("stopped_early"):
        return store.estimator(place), float(run.metrics["seconds"])
    blank = method.estimator(dict(spec.params), dataset.kind, dataset.image_shape, spec.seed)

    def fitted() -> dict[str, np.ndarray]:
        estimator = method.estimator(dict(spec.params), dataset.kind, dataset.image_shape, spec.seed)
        started = time.perf_counter()
        watched = {"on_tick": on_tick} if hasattr(estimator, "train_step") else {}
        estimator.fit(dataset.floats("train"), **watched)
        seconds = time.perf_counter() - started
        if getattr(estimator, "environment_", {}).get("stopped_early"):
            raise Stopped
        return {**experiments.stored_form(method.arrays(estimator)), "seconds": np.array(seconds)}

    arrays = dict(cache.kept(f"pretrained-{cache.key(spec.key, dataset.checksum)}", fitted))
    seconds = float(arrays.pop("seconds"))
    return method.restore(blank, arrays), seconds


def measure(
    cell: Cell, dataset: Dataset, pretrained: tuple[Any, float] | None = None, on_tick: WATCH | None = None
) -> dict[str, Any]:
    """Learn the classifier of a cell and measure it on the test rows.

    Parameters
    ----------
    pretrained : what `pretrain` returned for `Cell.pretraining`.
    on_tick : of networks, see `core.training.train`.

    Returns
    -------
    A row of JSON values: ``error`` (share of the test rows that are named wrongly), ``n_test``, ``confusion`` (how
    often each class (row) is named each class), ``wrong``, ``map`` and ``map_classes`` for `wrong_rows` and `mapped`,
    ``seconds`` (of the fit, with those of what it found kept from before), ``pretraining_seconds``, what the cell is,
    and the environment.

    Raises
    ------
    BadInput
        Where the labelled rows are of a single class, or there are more labels than rows that have a class.
    Stopped
        If `on_tick` ended the training.
    """
    rows = labelled_rows(dataset.y_train, cell.labels, cell.spec.seed)
    y = np.full(len(dataset.y_train), UNLABELLED)
    y[rows] = dataset.y_train[rows]
    known = np.unique(y[rows])
    if len(known) < 2:
        raise BadInput(
            f"{cell.labels} {'label is' if cell.labels == 1 else 'labels are'} of a single class, and a classifier "
            "needs two: give more labels."
        )
    estimator, before = pretrained or (None, 0.0)
    own = {name: value for name, value in cell.spec.params if name != "pretrained"}
    classifier = approaches.build(cell.spec.method, own, estimator, cell.spec.seed)
    X = dataset.floats("train")
    watched = {"on_tick": on_tick} if on_tick is not None and hasattr(classifier, "train_step") else {}
    started = time.perf_counter()
    classifier.fit(X, y, **watched)
    seconds = time.perf_counter() - started + getattr(classifier, "seconds_before_", 0.0)
    about = getattr(classifier, "environment_", {})
    if about.get("stopped_early"):
        raise Stopped
    X_test = dataset.floats("test")
    named = classifier.classes_[classifier.predict_proba(X_test).argmax(1)]
    return {
        "key": cell.key,
        **cell.spec.to_json(),
        "pretraining": settings.pretraining(cell.spec.dataset, cell.approach.pretrained) if cell.pretraining else {},
        "labels": cell.labels,
        "classes_known": len(known),
        **_scored(named, dataset.y_test, len(dataset.target_names)),
        **_map_of(classifier, X, X_test, rows, dataset),
        "seconds": round(seconds, 3),
        "pretraining_seconds": round(before, 3),
        "device": about.get("device", "cpu"),
        "precision": about.get("precision", "float32"),
        "threads": about.get("threads", _threads()),
        "versions": {name: version(name) for name in ("torch", "scikit-learn")},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "data_checksum": dataset.checksum,
    }


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def _scored(named: np.ndarray, y_test: np.ndarray, n_classes: int) -> dict[str, Any]:
    """What the answers are worth."""
    scored = np.flatnonzero(y_test != UNLABELLED)
    truth, answers = y_test[scored], named[scored]
    confusion = np.bincount(truth * n_classes + answers, minlength=n_classes**2).reshape(n_classes, n_classes)
    wrong = np.full(len(y_test), _RIGHT)
    wrong[scored] = np.where(answers == truth, _RIGHT, answers)
    return {
        "error": float((answers != truth).mean()),
        "n_test": len(scored),
        "confusion": confusion.tolist(),
        "wrong": _packed(wrong),
    }


def mapped_rows(n_test: int) -> np.ndarray:
    """The test rows that the map of a cell shows: (at most 300,) int64, spread evenly over all."""
    return np.unique(np.linspace(0, n_test - 1, min(MAPPED, n_test)).round().astype(np.int64))


def _map_of(classifier: Any, X: Any, X_test: Any, rows: np.ndarray, dataset: Dataset) -> dict[str, str]:
    """Where the first two principal components of its codes put some test rows and the labelled rows, packed."""
    from sklearn.decomposition import PCA

    shown, rows = mapped_rows(X_test.shape[0]), rows[:MAPPED]
    of_test = np.asarray(classifier.codes(X_test[shown]), np.float64)
    of_labelled = np.asarray(classifier.codes(X[rows]), np.float64)
    if of_test.shape[1] > 2:
        pca = PCA(2, svd_solver="full").fit(of_test)
        of_test, of_labelled = pca.transform(of_test), pca.transform(of_labelled)
    at = np.concatenate([of_test, of_labelled])
    at = np.pad(at, ((0, 0), (0, 2 - at.shape[1])))
    # The few that lie far out would press all others together.
    low, high = np.percentile(at, [0.5, 99.5], axis=0)
    at = np.clip((at - low) / np.maximum(high - low, 1e-12), 0, 1)
    classes = np.concatenate([dataset.y_test[shown], dataset.y_train[rows]])
    return {
        "map": _packed(np.round(at * 255)),
        "map_classes": _packed(np.where(classes == UNLABELLED, _RIGHT, classes)),
    }


def wrong_rows(row: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Test rows that the classifier of a row of `measure` names wrongly, increasing, and what it names them."""
    named = _unpacked(row["wrong"])
    at = np.flatnonzero(named != _RIGHT)
    return at, named[at]


@dataclass(frozen=True)
class Mapped:
    """Some rows in the plane, by the first two principal components of a classifier's codes.

    Attributes
    ----------
    rows : (n,) which test rows.
    at_test, at_labelled : (n, 2), (m, 2) positions in [0, 1]; the labelled rows in the order of `labelled_rows`.
    y_test, y_labelled : (n,), (m,) their classes, -1 where one has none.
    right : (n,) bool, whether the classifier names it rightly; one without a class counts as right.
    """

    rows: np.ndarray
    at_test: np.ndarray
    at_labelled: np.ndarray
    y_test: np.ndarray
    y_labelled: np.ndarray
    right: np.ndarray


def mapped(row: Mapping[str, Any]) -> Mapped:
    """The map of a row of `measure`."""
    wrong = _unpacked(row["wrong"])
    rows = mapped_rows(len(wrong))
    at = _unpacked(row["map"]).reshape(-1, 2) / 255
    y = _unpacked(row["map_classes"])
    y = np.where(y == _RIGHT, UNLABELLED, y)
    n = len(rows)
    return Mapped(rows, at[:n], at[n:], y[:n], y[n:], wrong[rows] == _RIGHT)


def is_whole(row: Mapping[str, Any]) -> bool:
    """Whether the parts of a row that are told of rows and classes fit one another, so that they can be shown.

    Raises
    ------
    ValueError, TypeError, IndexError
        Where a part is not what `measure` makes at all.
    """
    confusion = np.array(row["confusion"])
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1] or confusion.sum() != row["n_test"]:
        return False
    n_classes = len(confusion)
    wrong, at, classes = (_unpacked(row[name]) for name in ("wrong", "map", "map_classes"))
    shown = len(mapped_rows(len(wrong))) + min(MAPPED, row["labels"])
    return bool(
        (wrong != _RIGHT).sum() == row["n_test"] - confusion.trace()
        and len(at) == 2 * shown
        and len(classes) == shown
        and ((wrong < n_classes) | (wrong == _RIGHT)).all()
        and ((classes < n_classes) | (classes == _RIGHT)).all()
    )


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(zlib.compress(values.astype(np.uint8).tobytes(), 9)).decode()


def _unpacked(text: str) -> np.ndarray:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).astype(np.int64)
