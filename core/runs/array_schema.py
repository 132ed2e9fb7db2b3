"""Checks of the arrays of imported runs: views, weights and snapshots."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from core import datasets, methods
from core.analysis import snapshots
from core.errors import BadInput, BrokenRun
from core.types import DOCUMENTS, IMAGES, TABLES, Run

_MOST_SCORES, _MOST_SHOWN, _MOST_PICTURES, _MOST_MODES, _MOST_COUNTS = 100_000, 10_000, 256, 100, 64
# Of a table's `error_by_size`, see `core.metrics.pca_spectrum`.
_MOST_SIZES = 257
# Those of `core.analysis.samplers`, which brings scikit-learn.
_SAMPLERS = (methods.NORMAL, methods.STANDARDISED, methods.GAUSSIAN, methods.MIXTURE)
# Squared distances between numbers up to this one fit in a float32.
_LARGEST = 1e15
# Of means and intervals that come out of different sums.
ROUNDING = 1e-6


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
    if entry.kind != DOCUMENTS and method.decodes:
        names += ["strip_rows", "samples", *(["reconstructions"] if method.encodes else [])]
    if entry.kind == TABLES and method.reconstructs:
        names.append("feature_variances")
    return names


def _length(array: np.ndarray | None) -> int:
    return 0 if array is None or array.ndim == 0 else len(array)


def _is_array(a: np.ndarray, types: str, shape: tuple[int, ...], lowest: float = -_LARGEST, highest=_LARGEST) -> bool:
    """Whether an array has one of the `types`, such as "f4 u", this shape, and only values of a range."""
    if a.shape != shape or not a.dtype.str[1:].startswith(tuple(types.split())):
        return False
    values = a.astype(np.float64)
    return bool(((lowest <= values) & (values <= highest)).all())


def _is_view(name: str, a: np.ndarray, run: Run, n: int, m: int) -> bool:
    """Whether `a` is a view of this name, where `n` rows are shown in the map and `m` in the strip."""
    n_test, n_features = run.environment["n_test"], run.environment["n_features"]
    of_kind, classes = run.environment["kind"], len(run.notes.get("target_names", []))
    is_table, generates = of_kind == TABLES, of_kind != DOCUMENTS
    kind, _, part = name.partition(".")
    if bool(part) != (kind in ("rows", "nearest", "retrieval", "sampler")):
        return False
    if kind == "retrieval":
        return classes > 0 and of_kind == DOCUMENTS and _is_retrieval_part(part, a, run)
    if kind == "sampler":
        return generates and _is_sampler_part(part, a, run)
    length, has_spectrum = max(1, _length(a)), methods.entry(run.spec.method).has_spectrum
    n_sizes = min(length, n_features + 1, _MOST_SIZES) if is_table else n_features + 1
    is_distance = generates and part in ("test", *_SAMPLERS) and length <= _MOST_SCORES
    # Pixels are bytes, the cells of a table are numbers.
    rows = "f" if is_table else "u1"
    # Name -> whether there may be one, types, shape, lowest and highest value.
    expected = {
        "shown_rows": (1 <= n <= _MOST_SHOWN, "i u", (n,), 0, n_test - 1),
        "strip_rows": (1 <= m <= _MOST_PICTURES, "i u", (m,), 0, n_test - 1),
        "map": (True, "f", (n, 2)),
        "codes": (True, "f", (n, run.spec.param("n_components"))),
        "labels": (classes > 0, "i u", (n,), -1, classes - 1),
        "error_by_size": (generates and has_spectrum, "f", (n_sizes,), 0),
        "reconstructions": (generates, rows, (m, n_features)),
        "originals": (of_kind == IMAGES, "u1", (m, n_features)),
        "samples": (generates and length <= _MOST_PICTURES, rows, (length, n_features)),
        "feature_variances": (is_table, "f", (len(run.environment.get("blocks", ())),), 0),
        "rows": (length <= min(n_test, _MOST_SCORES), "i u f", (length,)),
        "nearest": (is_distance, "f", (length,), 0),
    }
    may_be, *form = expected.get(kind, (False, "", ()))
    return may_be and _is_array(a, *form)


def _is_retrieval_part(part: str, a: np.ndarray, run: Run) -> bool:
    """Whether `a` holds numbers of answers, or a curve of means with their intervals: (n, 3)."""
    n = max(1, _length(run.views.get("retrieval.at")))
    if part == "at":
        return n <= _MOST_COUNTS and _ascend(a, 1, run.environment["n_test"])
    if part not in ("precision", "tfidf") or not _is_array(a, "f", (n, 3), 0, 1 + ROUNDING):
        return False
    mean, low, high = a.astype(np.float64).T
    return bool((low <= mean + ROUNDING).all() and (mean <= high + ROUNDING).all())


def _is_sampler_part(name: str, a: np.ndarray, run: Run) -> bool:
    """Whether `a` is an array of a fitted sampler that fits the other arrays of that sampler."""
    size, n = run.spec.param("n_components"), _length(a)
    sampler, _, part = name.partition(".")
    shapes = {"weights": (n,), "means": (n, size), "factors": (n, size, size)}
    are_complete = all(_length(run.views.get(f"sampler.{sampler}.{other}")) == n for other in shapes)
    if sampler not in _SAMPLERS or part not in shapes or not are_complete or not 1 <= n <= _MOST_MODES:
        return False
    is_positive = part != "weights" or (a.min() >= 0 and a.sum() > 0)
    return bool(is_positive and _is_array(a, "f", shapes[part]))


def _ascend(a: np.ndarray, lowest: int, end: int) -> bool:
    # Differences of unsigned numbers are never negative.
    return _is_array(a, "i u", (max(1, _length(a)),), lowest, end - 1) and (np.diff(a.astype(np.int64)) > 0).all()


def check_weights(weights: Mapping[str, np.ndarray], run: Run) -> None:
    """Raise BadInput unless weights are finite, of rows of this size, and positions of the rows of a map."""
    n_features = run.environment["n_features"]
    are_finite = all(_is_array(a, "i u f", a.shape) for a in weights.values())
    demand(are_finite, f"its weights are not all finite numbers up to {_LARGEST:g}")
    # Networks are built for as many before their weights are compared.
    given = weights.get("n_features_in", np.array(n_features))
    demand(given.size == 1 and given.item() == n_features, "its weights are for rows of another size")
    if not methods.entry(run.spec.method).maps_rows:
        return
    # Pages look up the rows of a map and their positions by number.
    splits = (("rows_train_", run.environment["n_train"]), ("rows_test_", run.environment["n_test"]))
    most, none = run.spec.param("rows"), np.empty(0)
    for name, n_rows in splits:
        is_right = _length(weights.get(name)) <= most and _ascend(weights.get(name, none), 0, n_rows)
        demand(is_right, f"its {name} are no ascending numbers of at most {most} rows")
    n = sum(len(weights[name]) for name, _ in splits)
    demand(_is_array(weights.get("embedding_", none), "f", (2 * n,)), f"its embedding_ is no map of {n} rows")
    demand(np.isin(run.views["shown_rows"], weights["rows_test_"]).all(), "it shows rows that are not mapped")


def parse_replay(replayed: Mapping[str, np.ndarray]) -> snapshots.Replay:
    """Return the snapshots of a training; raise BadInput if they are damaged or unknown."""
    try:
        replay = snapshots.parse(replayed)
    except BrokenRun as problem:
        raise BadInput(f"This run can't be loaded: {problem}") from None
    known = {field.name for field in fields(snapshots.Replay)}
    demand(replay is not None and set(replayed) <= known, "the pictures of its training are unknown to this program")
    return replay


def check_replay(replay: snapshots.Replay, run: Run) -> None:
    """Raise BadInput if a page could fail on the arrays of snapshots."""
    rows, images = replay.rows, [a for a in (replay.reconstructions, replay.samples) if a is not None]
    is_right = (
        len(rows) <= _MOST_SHOWN
        and _is_array(rows, "i u", rows.shape, 0, run.environment["n_test"] - 1)
        and all(_is_array(a, "f", a.shape) for a in (replay.epochs, replay.seconds, replay.map) if a is not None)
        and ("target_names" in run.notes) == (replay.labels is not None)
        and all(1 <= a.shape[1] <= _MOST_PICTURES for a in images)
        and (not images or run.environment["kind"] == IMAGES)
        and replay.about.get("image_shape") == run.environment["image_shape"]
    )
    demand(is_right, "the pictures of its training do not have the shapes or types that they should have")
