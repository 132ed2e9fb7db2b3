"""Runs from elsewhere, checked so that no page fails on them.

A checksum in a file tells that it came whole, not who made it; so nothing in such a run is believed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import numpy as np

from core import datasets, methods, replay, specs
from core.types import DOCUMENTS, IMAGES, BadInput, BrokenRun, Run, Spec

_MOST_ROWS = 10_000_000
_MOST_SCORES = 100_000
_MOST_SHOWN = 10_000
_MOST_PICTURES = 256
_MOST_CLASSES = 1000
_MOST_DOCUMENTS = 20
_MOST_WORDS = 100
_MOST_COLUMNS = 50
_MOST_MODES = 100
_MOST_COUNTS = 64
# Those of `core.samplers`, which brings scikit-learn.
_SAMPLERS = ("normal", "standardised", "gaussian", "mixture")
_LONGEST = 10_000
# Distances between numbers up to this one are within what a float32 holds.
_LARGEST = 1e15
_SHORT = 200
# Of words that all have the least probability that counts, see `core.metrics.completion`.
_LARGEST_PERPLEXITY = 1.01e38
# Figures that are a number a class.
_BY_CLASS = ("squared_error_per_class", "class_shares")
# The lowest and highest that figures of documents, and the ends of their intervals, can be.
_RANGES = {
    "knn_accuracy": (0, 1),
    "retrieval_precision_1": (0, 1),
    "retrieval_precision_15": (0, 1),
    "retrieval_precision_63": (0, 1),
    "tfidf_knn_accuracy": (0, 1),
    "tfidf_cosine": (-1, 1),
    "completion_perplexity": (1, _LARGEST_PERPLEXITY),
    "completion_floored": (0, 1),
    "unigram_perplexity": (1, _LARGEST_PERPLEXITY),
    "cache_perplexity": (1, _LARGEST_PERPLEXITY),
}
# Of means and intervals that come out of different sums.
_ROUNDING = 1e-6


def check(run: Run, weights: Mapping[str, np.ndarray], replayed: Mapping[str, np.ndarray]) -> None:
    """Check that this program could fit `run`, and that everything in it is what pages count on.

    Parameters
    ----------
    run : with its views, see `core.experiments.measure` for what it holds.
    weights : of its estimator; whether they fit it is not checked here.
    replayed : the pictures of its training, see `core.replay`; empty where there are none.

    Raises
    ------
    BadInput
        In a sentence that says what is wrong.
    """
    _check_text(run)
    entry = _check_spec(run.spec)
    _check_environment(run, entry)
    _check_history(run.history)
    _check_metrics(run)
    _check_notes(run, entry)
    _check_views(run, entry)
    _check_weights(weights, run.environment["n_features"])
    if _is_map(run):
        _check_positions(weights, run)
    if replayed:
        _check_replay(replayed, run)


def _demand(holds: Any, what: str) -> None:
    if not holds:
        raise BadInput(f"This run can't be loaded: {what}.")


def _check_spec(spec: Spec) -> datasets.Entry:
    texts = [spec.dataset, spec.method, *(part for pair in (*spec.params, *spec.dataset_params) for part in pair)]
    _demand(all(_is_text(text, _SHORT) for text in texts if isinstance(text, str)), "a name in its spec is too long")
    try:
        made = specs.make(spec.dataset, spec.method, dict(spec.params), spec.seed, dict(spec.dataset_params))
    except BadInput as problem:
        raise BadInput(f"This program could not fit this run: {problem}") from None
    _demand(
        made.version == spec.version,
        f"it was made by version {spec.version} of the method {spec.method}, this program has version {made.version}",
    )
    _demand(made.key == spec.key, "its spec does not say every parameter as this program does")
    return datasets.entry(spec.dataset)


def _check_text(run: Run) -> None:
    parts = [run.spec.to_json(), run.history, run.metrics, run.environment, run.notes]
    _demand(_is_unicode(parts), "a text in it is no Unicode")


def _is_unicode(value: Any) -> bool:
    """JSON may hold half characters, which can't be shown."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return False
    return True


def _is_text(value: Any, longest: int = _LONGEST) -> bool:
    return isinstance(value, str) and len(value) <= longest


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # a whole number beyond what a float holds
        return False


def _is_count(value: Any, most: int = _MOST_ROWS) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most


def _check_environment(run: Run, entry: datasets.Entry) -> None:
    environment = run.environment
    shape = list(entry.image_shape) if entry.image_shape else None
    of_data = environment["kind"] == entry.kind and environment.get("image_shape") == shape
    _demand(of_data, f"it is said to be of {entry.label}, but its kind or image shape is another")
    n_features = environment.get("n_features")
    if shape:
        _demand(n_features == shape[0] * shape[1], "its n_features is not the number of pixels")
    else:
        most = dict(run.spec.dataset_params)["vocabulary_size"]
        _demand(_is_count(n_features, most), "its n_features is not within the size of the vocabulary")
    _demand(_is_count(environment["n_train"]) and _is_count(environment["n_test"]), "n_train or n_test is no count")
    _demand(_is_number(environment["seconds"]), "its seconds are no number")
    _demand(_is_date(environment["date"]), "its date is none")
    versions = environment.get("versions", {})
    _demand(isinstance(versions, dict) and all(_is_text(v, _SHORT) for v in versions.values()), "its versions are none")
    _demand(isinstance(environment.get("stopped_early", False), bool), "stopped_early is neither true nor false")
    for name, value in environment.items():
        simple = value is None or isinstance(value, bool) or _is_number(value) or _is_text(value, _SHORT)
        _demand(simple or name in ("versions", "image_shape"), f"{name!r:.80} of its environment is no single value")


def _is_date(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _check_history(history: list[dict[str, Any]]) -> None:
    for row in history:
        numbers = len(row) <= _MOST_COLUMNS and all(map(_is_number, row.values()))
        _demand(numbers and "epoch" in row, "a row of its history has no epoch, or holds what is no number")


def _check_metrics(run: Run) -> None:
    metrics = run.metrics
    _demand(metrics["seconds"] >= 0, "it took less than no time")
    for name, value in metrics.items():
        whole = _figure_rule(name, run.environment["n_test"])(value)
        _demand(whole, f"its figure {name!r:.80} is neither a finite number nor what it should be")
    for name in _RANGES:
        if {name, f"{name}_interval"} <= set(metrics):
            low, high = metrics[f"{name}_interval"]
            near = _ROUNDING * max(1, abs(metrics[name]))
            _demand(low - near <= metrics[name] <= high + near, f"its figure {name!r} is outside its interval")
    # What a network rebuilds of a document are probabilities; what is solved at once has no loss and rebuilds weights.
    probable = DOCUMENTS in methods.get(run.spec.method).loss_unit and not _is_map(run)
    _demand(probable or "completion_perplexity" not in metrics, "it has a perplexity, but no probabilities")


def _figure_rule(name: str, n_test: int) -> Callable[[Any], bool]:
    lowest, highest = _RANGES.get(name.removesuffix("_interval"), (-math.inf, math.inf))
    if name.endswith("_interval"):
        return lambda value: _is_interval(value) and lowest <= value[0] and value[1] <= highest
    # A figure of another sampler than the run's own has that before its name.
    if name.rpartition(".")[2] in _BY_CLASS:
        return lambda value: (
            isinstance(value, dict) and len(value) <= _MOST_CLASSES and all(map(_is_number, value.values()))
        )
    if name.endswith("_n"):
        return lambda value: _is_count(value, n_test if name.removesuffix("_n") in _RANGES else _MOST_ROWS)
    return lambda value: _is_number(value) and lowest <= value <= highest


def _is_interval(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value)) and value[0] <= value[1]


def _is_names(value: Any) -> bool:
    return (
        isinstance(value, list) and 1 <= len(value) <= _MOST_CLASSES and all(_is_text(name, _SHORT) for name in value)
    )


def _is_documents(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= _MOST_DOCUMENTS and all(map(_is_document, value))


def _is_document(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and _is_text(value.get("title"))
        and _is_text(value.get("class"))
        and _is_rows(value.get("has"), (_is_text, _is_number))
        and _is_rows(value.get("expects"), (_is_text, _is_number, lambda held: isinstance(held, bool)))
    )


def _is_rows(value: Any, cells: tuple[Callable[[Any], bool], ...]) -> bool:
    """Whether it is a list of rows, with a rule a cell."""
    return (
        isinstance(value, list)
        and len(value) <= _MOST_WORDS
        and all(isinstance(row, list) and len(row) == len(cells) for row in value)
        and all(rule(cell) for row in value for rule, cell in zip(cells, row, strict=True))
    )


_NOTES = {
    "map": _is_text,
    "samples": _is_text,
    "features": _is_text,
    "words": _is_text,
    "target_names": _is_names,
    "documents": _is_documents,
}


def _check_notes(run: Run, entry: datasets.Entry) -> None:
    for name, value in run.notes.items():
        known = name in _NOTES and _NOTES[name](value)
        _demand(known, f"its note {name!r:.80} is unknown to this program or of a wrong form")
    _demand(("target_names" in run.notes) == entry.has_labels, f"{entry.label} and it do not both have classes")
    for view in ("map", "samples"):
        _demand(view not in run.views or view in run.notes, f"nothing tells how its {view} came about")


def _check_views(run: Run, entry: datasets.Entry) -> None:
    views = run.views
    for name in _needed(run, entry):
        _demand(name in views, f"its view {name} is missing")
    expects = entry.kind != IMAGES and not _is_map(run) and run.spec.method != "gan"
    _demand(not expects or "documents" in run.notes, "its documents are missing")
    n, m = _length(views["shown_rows"]), _length(views.get("strip_rows"))
    for name, array in views.items():
        _demand(_view_rule(name, run, n, m)(array), f"its view {name!r:.80} is unknown or has a wrong shape or type")
    _demand(len(np.unique(views["shown_rows"])) == n, "it shows a row twice")
    together = ("retrieval.at" in views) == ("retrieval.precision" in views)
    _demand(together and ("retrieval.tfidf" not in views or "retrieval.at" in views), "its retrieval has no counts")
    strip = views.get("strip_rows", views["shown_rows"])
    _demand(np.isin(strip, views["shown_rows"]).all(), "its strip_rows are not among its shown_rows")
    for name in views:
        metric = name.removeprefix("rows.")
        _demand(metric == name or metric in run.metrics, f"{name!r:.80} are the scores of no figure")


def _needed(run: Run, entry: datasets.Entry) -> list[str]:
    """Views that pages take for granted. A GAN has no code, and a map of given rows makes no images."""
    names = ["shown_rows", *(["labels"] if entry.has_labels else [])]
    if run.spec.method != "gan":
        names += ["map", "codes"]
    if entry.kind == IMAGES and not _is_map(run):
        names += ["strip_rows", "samples", *(["reconstructions"] if run.spec.method != "gan" else [])]
    return names


def _is_map(run: Run) -> bool:
    return methods.get(run.spec.method).maps_rows


def _length(array: np.ndarray | None) -> int:
    return 0 if array is None or array.ndim == 0 else len(array)


def _view_rule(name: str, run: Run, n: int, m: int) -> Callable[[np.ndarray], bool]:
    """What a view has to be, where `n` rows are shown in the map and `m` in the strip."""
    n_test, n_features = run.environment["n_test"], run.environment["n_features"]
    images = run.environment["kind"] == IMAGES
    classes = len(run.notes.get("target_names", []))
    rules = {
        "shown_rows": lambda a: _are_whole(a, 0, n_test) and a.ndim == 1 and 1 <= n <= _MOST_SHOWN,
        "strip_rows": lambda a: _are_whole(a, 0, n_test) and a.ndim == 1 and 1 <= m <= _MOST_PICTURES,
        "map": lambda a: _are_floats(a) and a.shape == (n, 2),
        "codes": lambda a: _are_floats(a) and a.shape == (n, run.spec.param("n_components")),
        "labels": lambda a: classes > 0 and _are_whole(a, -1, classes) and a.shape == (n,),
        "error_by_size": lambda a: (
            images and run.spec.method == "pca" and _are_floats(a) and a.shape == (n_features + 1,) and a.min() >= 0
        ),
        "reconstructions": lambda a: images and a.dtype == np.uint8 and a.shape == (m, n_features),
        "originals": lambda a: images and a.dtype == np.uint8 and a.shape == (m, n_features),
        "samples": lambda a: images and a.dtype == np.uint8 and a.shape == (_pictures(a), n_features),
    }
    if name.startswith("retrieval."):
        at = run.views.get("retrieval.at")
        return lambda a: classes > 0 and not images and _is_retrieval_part(name, a, at, n_test)
    if name.startswith("rows."):
        return lambda a: a.ndim == 1 and 1 <= len(a) <= min(n_test, _MOST_SCORES) and _are_numbers(a)
    if name.startswith("nearest."):
        known = name.removeprefix("nearest.") in ("test", *_SAMPLERS)
        return lambda a: (
            known and images and a.ndim == 1 and 1 <= len(a) <= _MOST_SCORES and _are_floats(a) and a.min() >= 0
        )
    if name.startswith("sampler."):
        return lambda a: images and _is_sampler_part(name, a, run)
    return rules.get(name, lambda a: False)


def _is_retrieval_part(name: str, a: np.ndarray, at: np.ndarray | None, n_test: int) -> bool:
    """Whether it is the numbers of answers, or a curve of means with the ends of their intervals beside them."""
    if name == "retrieval.at":
        ascend = a.ndim == 1 and 1 <= len(a) <= _MOST_COUNTS and _are_whole(a, 1, n_test)
        return bool(ascend and (np.diff(a.astype(np.int64)) > 0).all())
    of_each = a.shape == (max(1, _length(at)), 3)
    if name not in ("retrieval.precision", "retrieval.tfidf") or not of_each or not _are_floats(a):
        return False
    mean, low, high = a.astype(np.float64).T
    within = a.min() >= 0 and a.max() <= 1 + _ROUNDING
    return bool(within and (low <= mean + _ROUNDING).all() and (mean <= high + _ROUNDING).all())


def _is_sampler_part(name: str, a: np.ndarray, run: Run) -> bool:
    """Whether it is an array of a fitted sampler, and the others of the same sampler fit it."""
    size = run.spec.param("n_components")
    kind, _, part = name.removeprefix("sampler.").partition(".")
    shapes = {"weights": (), "means": (size,), "factors": (size, size)}
    if (
        kind not in _SAMPLERS
        or part not in shapes
        or not _are_floats(a)
        or a.ndim == 0
        or not 1 <= len(a) <= _MOST_MODES
    ):
        return False
    others = [run.views.get(f"sampler.{kind}.{each}") for each in shapes]
    together = all(_length(other) == len(a) for other in others)
    return together and a.shape[1:] == shapes[part] and (part != "weights" or (a.min() >= 0 and a.sum() > 0))


def _pictures(a: np.ndarray) -> int:
    return min(max(1, _length(a)), _MOST_PICTURES)


def _are_whole(a: np.ndarray, lowest: int, end: int) -> bool:
    return a.dtype.kind in "iu" and bool(((a >= lowest) & (a < end)).all())


def _are_floats(a: np.ndarray) -> bool:
    if a.dtype.kind != "f" or not np.isfinite(a).all():
        return False
    return a.dtype.itemsize == 2 or bool(np.abs(a).max(initial=0) <= _LARGEST)


def _are_numbers(a: np.ndarray) -> bool:
    return a.dtype.kind in "iu" or _are_floats(a)


def _check_weights(weights: Mapping[str, np.ndarray], n_features: int) -> None:
    _demand(
        all(_are_numbers(a) for a in weights.values()), f"its weights are not all finite numbers up to {_LARGEST:g}"
    )
    # Networks are built for as many before their weights are compared.
    given = weights.get("n_features_in", np.array(n_features))
    _demand(given.size == 1 and given.item() == n_features, "its weights are for rows of another size")


def _check_positions(weights: Mapping[str, np.ndarray], run: Run) -> None:
    """Pages look up the rows of a map, and each one's position, by number."""
    splits = (("rows_train_", run.environment["n_train"]), ("rows_test_", run.environment["n_test"]))
    most = run.spec.param("rows")
    for name, n_rows in splits:
        rows = weights.get(name, np.empty(0))
        known = rows.ndim == 1 and 1 <= len(rows) <= most and _are_whole(rows, 0, n_rows)
        # Differences of unsigned numbers are never negative.
        ascend = known and (np.diff(rows.astype(np.int64)) > 0).all()
        _demand(ascend, f"its {name} are no ascending numbers of at most {most} rows")
    n = sum(len(weights[name]) for name, _ in splits)
    embedding = weights.get("embedding_", np.empty(0))
    _demand(embedding.shape == (2 * n,) and embedding.dtype.kind == "f", f"its embedding_ is no map of {n} rows")
    _demand(np.isin(run.views["shown_rows"], weights["rows_test_"]).all(), "it shows rows that are not mapped")


def _check_replay(replayed: Mapping[str, np.ndarray], run: Run) -> None:
    try:
        found = replay.parse(replayed)
    except BrokenRun as problem:
        raise BadInput(f"This run can't be loaded: {problem}") from None
    known = {field.name for field in fields(replay.Replay)}
    _demand(found is not None and set(replayed) <= known, "the pictures of its training are unknown to this program")
    right = _pictures_are_right(found, run) and _about_is_right(found, run)
    _demand(right, "the pictures of its training do not have the shapes, types or words that they should have")


def _pictures_are_right(found: replay.Replay, run: Run) -> bool:
    classes = len(run.notes.get("target_names", []))
    images = [a for a in (found.reconstructions, found.samples) if a is not None]
    return (
        found.rows.ndim == 1
        and _are_whole(found.rows, 0, run.environment["n_test"])
        and len(found.rows) <= _MOST_SHOWN
        and _are_floats(found.epochs)
        and _are_floats(found.seconds)
        and (found.map is None or _are_floats(found.map))
        and (found.labels is None) == (classes == 0)
        and (found.labels is None or _are_whole(found.labels, -1, classes))
        and all(1 <= a.shape[1] <= _MOST_PICTURES for a in images)
    )


def _about_is_right(found: replay.Replay, run: Run) -> bool:
    about = found.about
    return (
        about.get("target_names", []) == run.notes.get("target_names", [])
        and about.get("image_shape") == run.environment["image_shape"]
        and (found.map is None or _is_text(about.get("map")))
        and (found.samples is None or _is_text(about.get("samples")))
        and all(map(_is_documents, about.get("documents", [])))
        and _is_unicode(about)
    )
