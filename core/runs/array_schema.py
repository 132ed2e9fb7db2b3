"""Checks of the arrays of imported runs: views, weights and snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from core import datasets, methods
from core.analysis import snapshots
from core.errors import BadInput, BrokenRun
from core.types import DOCUMENTS, IMAGES, Run

_MOST_SCORES = 100_000
_MOST_SHOWN = 10_000
_MOST_PICTURES = 256
_MOST_MODES = 100
_MOST_COUNTS = 64
# Those of `core.analysis.samplers`, which brings scikit-learn.
_SAMPLERS = (methods.NORMAL, methods.STANDARDISED, methods.GAUSSIAN, methods.MIXTURE)
# Squared distances between numbers up to this one fit in a float32.
_LARGEST = 1e15
# Of means and intervals that come out of different sums.
_ROUNDING = 1e-6


def demand(holds: Any, what: str) -> None:
    """Raise BadInput with the reason `what` unless `holds`."""
    if not holds:
        raise BadInput(f"This run can't be loaded: {what}.")


def check_views(run: Run, entry: datasets.Entry) -> None:
    """Raise BadInput if a view is missing, unknown, or of a wrong shape, type or range."""
    views = run.views
    for name in _needed(run, entry):
        demand(name in views, f"its view {name} is missing")
    expects = entry.kind == DOCUMENTS and methods.entry(run.spec.method).reconstructs
    demand(not expects or "documents" in run.notes, "its documents are missing")
    n, m = _length(views["shown_rows"]), _length(views.get("strip_rows"))
    for name, array in views.items():
        demand(_is_view(name, array, run, n, m), f"its view {name!r:.80} is unknown or has a wrong shape or type")
    demand(len(np.unique(views["shown_rows"])) == n, "it shows a row twice")
    together = ("retrieval.at" in views) == ("retrieval.precision" in views)
    demand(together and ("retrieval.tfidf" not in views or "retrieval.at" in views), "its retrieval has no counts")
    for view in ("map", "samples"):
        demand(view not in views or view in run.notes, f"nothing tells how its {view} came about")
    strip = views.get("strip_rows", views["shown_rows"])
    demand(np.isin(strip, views["shown_rows"]).all(), "its strip_rows are not among its shown_rows")
    for name in views:
        metric = name.removeprefix("rows.")
        demand(metric == name or metric in run.metrics, f"{name!r:.80} are the scores of no figure")


def _needed(run: Run, entry: datasets.Entry) -> list[str]:
    """Return the names of the views that pages need."""
    method = methods.entry(run.spec.method)
    names = ["shown_rows", *(["labels"] if entry.has_labels else [])]
    if method.encodes or method.maps_rows:
        names += ["map", "codes"]
    if entry.kind == IMAGES and method.decodes:
        names += ["strip_rows", "samples", *(["reconstructions"] if method.encodes else [])]
    return names


def _length(array: np.ndarray | None) -> int:
    return 0 if array is None or array.ndim == 0 else len(array)


def _is_view(name: str, a: np.ndarray, run: Run, n: int, m: int) -> bool:
    """Whether `a` is a view of this name, where `n` rows are shown in the map and `m` in the strip."""
    n_test, n_features = run.environment["n_test"], run.environment["n_features"]
    is_images, classes = run.environment["kind"] == IMAGES, len(run.notes.get("target_names", []))
    kind, _, part = name.partition(".")
    if bool(part) != (kind in ("rows", "nearest", "retrieval", "sampler")):
        return False
    match kind:
        case "shown_rows":
            return a.shape == (n,) and 1 <= n <= _MOST_SHOWN and _are_whole(a, 0, n_test)
        case "strip_rows":
            return a.shape == (m,) and 1 <= m <= _MOST_PICTURES and _are_whole(a, 0, n_test)
        case "map":
            return a.shape == (n, 2) and _are_floats(a)
        case "codes":
            return a.shape == (n, run.spec.param("n_components")) and _are_floats(a)
        case "labels":
            return a.shape == (n,) and classes > 0 and _are_whole(a, -1, classes)
        case "error_by_size":
            has_spectrum = is_images and methods.entry(run.spec.method).has_spectrum
            return has_spectrum and a.shape == (n_features + 1,) and _are_floats(a) and a.min() >= 0
        case "reconstructions" | "originals":
            return is_images and a.dtype == np.uint8 and a.shape == (m, n_features)
        case "samples":
            n_samples = min(max(1, _length(a)), _MOST_PICTURES)
            return is_images and a.dtype == np.uint8 and a.shape == (n_samples, n_features)
        case "rows":
            return a.ndim == 1 and 1 <= len(a) <= min(n_test, _MOST_SCORES) and _are_numbers(a)
        case "nearest":
            is_known = is_images and part in ("test", *_SAMPLERS)
            return is_known and a.ndim == 1 and 1 <= len(a) <= _MOST_SCORES and _are_floats(a) and a.min() >= 0
        case "retrieval":
            return classes > 0 and not is_images and _is_retrieval_part(part, a, run)
        case "sampler":
            return is_images and _is_sampler_part(part, a, run)
    return False


def _is_retrieval_part(part: str, a: np.ndarray, run: Run) -> bool:
    """Whether `a` holds numbers of answers, or a curve of means with their intervals: (n, 3)."""
    if part == "at":
        return a.ndim == 1 and 1 <= len(a) <= _MOST_COUNTS and _ascend(a, 1, run.environment["n_test"])
    n = max(1, _length(run.views.get("retrieval.at")))
    if part not in ("precision", "tfidf") or a.shape != (n, 3) or not _are_floats(a):
        return False
    mean, low, high = a.astype(np.float64).T
    is_share = a.min() >= 0 and a.max() <= 1 + _ROUNDING
    return bool(is_share and (low <= mean + _ROUNDING).all() and (mean <= high + _ROUNDING).all())


def _is_sampler_part(name: str, a: np.ndarray, run: Run) -> bool:
    """Whether `a` is an array of a fitted sampler that fits the other arrays of that sampler."""
    size = run.spec.param("n_components")
    sampler, _, part = name.partition(".")
    shapes = {"weights": (), "means": (size,), "factors": (size, size)}
    if sampler not in _SAMPLERS or part not in shapes or not _are_floats(a) or not 1 <= _length(a) <= _MOST_MODES:
        return False
    are_complete = all(_length(run.views.get(f"sampler.{sampler}.{other}")) == len(a) for other in shapes)
    is_positive = part != "weights" or (a.min() >= 0 and a.sum() > 0)
    return bool(are_complete and a.shape[1:] == shapes[part] and is_positive)


def _are_whole(a: np.ndarray, lowest: int, end: int) -> bool:
    return a.dtype.kind in "iu" and bool(((a >= lowest) & (a < end)).all())


def _ascend(a: np.ndarray, lowest: int, end: int) -> bool:
    # Differences of unsigned numbers are never negative.
    return _are_whole(a, lowest, end) and bool((np.diff(a.astype(np.int64)) > 0).all())


def _are_floats(a: np.ndarray) -> bool:
    if a.dtype.kind != "f" or not np.isfinite(a).all():
        return False
    return a.dtype.itemsize == 2 or bool(np.abs(a).max(initial=0) <= _LARGEST)


def _are_numbers(a: np.ndarray) -> bool:
    return a.dtype.kind in "iu" or _are_floats(a)


def check_weights(weights: Mapping[str, np.ndarray], run: Run) -> None:
    """Raise BadInput unless weights are finite, of rows of this size, and positions of the rows of a map."""
    n_features = run.environment["n_features"]
    demand(all(_are_numbers(a) for a in weights.values()), f"its weights are not all finite numbers up to {_LARGEST:g}")
    # Networks are built for as many before their weights are compared.
    given = weights.get("n_features_in", np.array(n_features))
    demand(given.size == 1 and given.item() == n_features, "its weights are for rows of another size")
    if methods.entry(run.spec.method).maps_rows:
        _check_positions(weights, run)


def _check_positions(weights: Mapping[str, np.ndarray], run: Run) -> None:
    """Pages look up the rows of a map and their positions by number."""
    splits = (("rows_train_", run.environment["n_train"]), ("rows_test_", run.environment["n_test"]))
    most = run.spec.param("rows")
    for name, n_rows in splits:
        rows = weights.get(name, np.empty(0))
        is_right = rows.ndim == 1 and 1 <= len(rows) <= most and _ascend(rows, 0, n_rows)
        demand(is_right, f"its {name} are no ascending numbers of at most {most} rows")
    n = sum(len(weights[name]) for name, _ in splits)
    embedding = weights.get("embedding_", np.empty(0))
    demand(embedding.shape == (2 * n,) and embedding.dtype.kind == "f", f"its embedding_ is no map of {n} rows")
    demand(np.isin(run.views["shown_rows"], weights["rows_test_"]).all(), "it shows rows that are not mapped")


def check_replay(replayed: Mapping[str, np.ndarray], run: Run) -> snapshots.Replay:
    """Return the snapshots of a training; raise BadInput if a page could fail on them. Their texts are not checked."""
    try:
        replay = snapshots.parse(replayed)
    except BrokenRun as problem:
        raise BadInput(f"This run can't be loaded: {problem}") from None
    known = {field.name for field in fields(snapshots.Replay)}
    demand(replay is not None and set(replayed) <= known, "the pictures of its training are unknown to this program")
    is_right = _is_replay(replay, run) and replay.about.get("image_shape") == run.environment["image_shape"]
    demand(is_right, "the pictures of its training do not have the shapes or types that they should have")
    return replay


def _is_replay(replay: snapshots.Replay, run: Run) -> bool:
    classes, rows, labels = len(run.notes.get("target_names", [])), replay.rows, replay.labels
    images = [a for a in (replay.reconstructions, replay.samples) if a is not None]
    return (
        rows.ndim == 1
        and len(rows) <= _MOST_SHOWN
        and _are_whole(rows, 0, run.environment["n_test"])
        and all(_are_floats(a) for a in (replay.epochs, replay.seconds, replay.map) if a is not None)
        and (classes == 0 if labels is None else classes > 0 and _are_whole(labels, -1, classes))
        and all(1 <= a.shape[1] <= _MOST_PICTURES for a in images)
    )
