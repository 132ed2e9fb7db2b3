"""Spec -> Run: fit a method to a data set, round its weights as they are stored, and measure what was stored."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from core import cache, datasets, methods, spectrum, store
from core.datasets import documents
from core.metrics import (
    DEFINITIONS,
    IW_ROWS,
    IW_SAMPLES,
    clustering,
    completion,
    embedding,
    generation,
    intervals,
    memory,
    neighbours,
    reconstruction,
    retrieval,
)
from core.replay import Recorder
from core.samplers import NORMAL, OF_METHOD, CodeSampler, about, usual
from core.types import DOCUMENTS, FITTING, IMAGES, BadInput, Dataset, Run, Spec
from core.views import codes_of, expected_words, pixels, plane, strip_of

K = 15
SEEDS = range(5)
_ANSWERS = (1, 15, 63)
SAMPLES = 64
_MOST_SAMPLES = 10_000
# Samples, and test rows, whose nearest training rows are looked for.
_REMEMBERED = 1_000
# Train documents by which the cache model is fitted.
_CACHE_DOCUMENTS = 2_000
_FLOORS = ("precision", "recall", "coverage")
_LIBRARIES = ("torch", "numpy", "scipy", "scikit-learn", "pandas")

# As `core.training.WATCH`, whose module brings torch.
WATCH = Callable[[dict[str, Any]], bool | None]
ON_STAGE = Callable[[str], None]


def load_dataset(spec: Spec, progress=None) -> Dataset:
    return datasets.load(spec.dataset, progress=progress, **dict(spec.dataset_params))


def stored_form(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays as they are stored: matrices in float16 where they fit it, everything else as it is."""
    half = np.finfo(np.float16).max

    def rounded(a: np.ndarray) -> np.ndarray:
        if a.ndim < 2 or not np.issubdtype(a.dtype, np.floating) or np.abs(a).max(initial=0) > half:
            return a
        return a.astype(np.float16)

    return {name: rounded(np.asarray(a)) for name, a in arrays.items()}


def fit(
    spec: Spec,
    dataset: Dataset,
    *,
    on_epoch: WATCH | None = None,
    on_tick: WATCH | None = None,
    on_stage: ON_STAGE = lambda stage: None,
    checkpoint: Path | None = None,
    recorder: Recorder | None = None,
) -> tuple[Run, dict[str, np.ndarray]]:
    """Fit and measure.

    Parameters
    ----------
    on_epoch, on_tick, checkpoint : of methods trained step by step, see `core.training.train`; a map of given rows has
        no checkpoint.
    on_stage : called with a few words before each part of the work.
    recorder : takes pictures while such a method trains.

    Returns
    -------
    run : its figures are those of the weights as they are stored; its estimator has these weights.
    arrays : for `core.store.write`.

    Raises
    ------
    BadInput
        For a data set without a test row, or one that the method can't be fitted to.
    """
    if not dataset.X_test.shape[0]:
        raise BadInput(f"{dataset.name} has no test row, on which a fit is measured: give it a test split.")
    method = methods.get(spec.method)
    estimator = method.estimator(dict(spec.params), dataset.kind, dataset.image_shape, spec.seed)
    on_stage(FITTING)
    given = _mapped_rows(spec, dataset) if method.maps_rows else {"X": dataset.floats("train")}
    started = time.perf_counter()
    if method.maps_rows:
        estimator.fit_splits(**given, on_epoch=on_epoch, on_tick=on_tick)
        on_stage("Measuring")
    elif hasattr(estimator, "train_step"):
        watched = _watched(estimator, recorder, on_epoch, on_tick)
        estimator.fit(**given, checkpoint=checkpoint, **watched)
        # Whoever only paused the training leaves here.
        on_stage("Measuring")
        if recorder is not None:
            recorder.take(estimator.history_[-1], estimator)
    else:
        estimator.fit(**given)
    seconds = time.perf_counter() - started
    history = getattr(estimator, "history_", [])
    environment = {
        "device": "cpu",
        "precision": "float32",
        "seconds": round(seconds, 3),
        **getattr(estimator, "environment_", {}),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "data_checksum": dataset.checksum,
        "n_train": dataset.X_train.shape[0],
        "n_test": dataset.X_test.shape[0],
        "n_features": dataset.n_features,
        "kind": dataset.kind,
        "image_shape": list(dataset.image_shape) if dataset.image_shape else None,
    }
    arrays = stored_form(method.arrays(estimator))
    blank = method.estimator(dict(spec.params), dataset.kind, dataset.image_shape, spec.seed)
    estimator = method.restore(blank, arrays)
    metrics, views, notes = measure(estimator, dataset, on_stage=on_stage, samplers=OF_METHOD.get(spec.method, ()))
    metrics["seconds"] = environment["seconds"]
    metrics["weights"] = method.n_weights(estimator)
    return Run(spec, history, metrics, environment, notes, views, estimator), arrays


def _mapped_rows(spec: Spec, dataset: Dataset) -> dict[str, Any]:
    """What a method that maps given rows is given of each split: rows, the shown test rows among them."""
    rows = {split: datasets.first_rows(dataset, split, spec.param("rows")) for split in ("train", "test")}
    X = {f"X_{split}": dataset.floats(split)[numbers] for split, numbers in rows.items()}
    return X | {f"rows_{split}": numbers for split, numbers in rows.items()}


def _watched(estimator: Any, recorder: Recorder | None, on_epoch: WATCH | None, on_tick: WATCH | None) -> dict:
    """Callbacks that let `recorder` take its pictures too."""

    def both(watch: WATCH | None, picture) -> WATCH:
        def called(row: dict[str, Any]) -> bool:
            stopped = bool(watch and watch(row))
            if not stopped:
                picture(row, estimator)
            return stopped

        return called

    if recorder is None:
        return {"on_epoch": on_epoch, "on_tick": on_tick}
    return {"on_epoch": both(on_epoch, recorder.epoch), "on_tick": both(on_tick, recorder.tick)}


def fit_and_store(
    spec: Spec, dataset: Dataset, folder: Path | None = None, *, checkpoint: Path | None = None, **watches
) -> Run:
    """`fit` with pictures of the training, and the run put into the store."""
    recorder = Recorder(dataset, checkpoint)
    run, arrays = fit(spec, dataset, checkpoint=checkpoint, recorder=recorder, **watches)
    store.write(run, arrays, folder, replay=recorder.arrays())
    return run


def remeasure(place: Path, dataset: Dataset) -> Run:
    """Measure a stored run's weights anew, and store it again in the same folder.

    Raises
    ------
    BadInput
        If `dataset` is not the one the run was trained on.
    """
    old, estimator = store.read(place), store.estimator(place)
    if dataset.checksum != old.environment["data_checksum"]:
        raise BadInput(f"The run {old.key} was trained on another copy of {dataset.name}: fit it again instead.")
    metrics, views, notes = measure(estimator, dataset, samplers=OF_METHOD.get(old.spec.method, ()))
    metrics |= {"seconds": old.metrics["seconds"], "weights": methods.get(old.spec.method).n_weights(estimator)}
    run = replace(old, metrics=metrics, views=views, notes=notes)
    store.write(run, store.arrays(place), place.parent, replay=store.replay(place))
    return run


def measure(
    estimator: Any,
    dataset: Dataset,
    *,
    on_stage: ON_STAGE = lambda stage: None,
    samplers: Sequence[str] = (),
) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, Any]]:
    """All figures that apply to a fitted estimator, and what pages show of it.

    Parameters
    ----------
    samplers : kinds of `core.samplers` that its decoder is drawn through; by default its usual one.

    Returns
    -------
    metrics : name -> number, ``<name>_interval``, ``<name>_n``; definitions in `core.metrics.DEFINITIONS`. Those of a
        map of given rows are of these rows. Figures of samples are those of the first sampler; the others' are named
        ``<kind>.<name>``.
    views : what pages show; with ``rows.<name>``, each test row's score of a measure that methods are ranked by, and
        ``sampler.<kind>.<array>``, the fitted samplers; of PCA ``error_by_size``, see `core.spectrum`. Of documents
        with classes ``retrieval.at``, numbers of answers, and ``retrieval.precision`` and ``retrieval.tfidf``, of the
        codes and of tf-idf vectors, see `core.metrics.retrieval.curve`; their ``rows.completion_perplexity`` are
        `core.metrics.completion.Completion.scores`.
    notes : how map, samples and features came about.
    """
    sheet = _Sheet()
    X_test = dataset.floats("test")
    shown = datasets.sample_rows(dataset)
    codes = _codes(estimator, dataset, X_test)
    views: dict[str, np.ndarray] = {"shown_rows": shown.astype(np.int32)}
    notes: dict[str, Any] = {}
    if codes is not None:
        on_stage("Measuring the codes")
        _measure_codes(sheet, dataset, codes, X_test)
        Z = codes.Z_test[np.searchsorted(codes.test, shown)]
        views["map"], notes["map"] = plane(Z, codes.Z_train, codes.are)
        if codes.is_map:
            notes["map"] = codes.are
        if codes.is_map or hasattr(estimator, "transform"):
            views["codes"] = Z.astype(np.float16)
    strip = strip_of(dataset, shown)
    if hasattr(estimator, "transform"):
        on_stage("Measuring the reconstructions")
        if dataset.kind == IMAGES:
            rebuilt = estimator.inverse_transform(codes.Z_test)
            _measure_reconstructions(sheet, dataset, rebuilt, X_test)
            views["reconstructions"] = pixels(rebuilt[strip])
            if hasattr(estimator, "noise_variance_"):
                views["error_by_size"] = spectrum.pca_error_by_size(dataset).astype(np.float32)
        else:
            views |= _measure_documents(sheet, estimator, dataset, codes.Z_test)
            notes["documents"] = expected_words(estimator, dataset, shown, codes.Z_test)
    if hasattr(estimator, "elbo_terms"):
        on_stage("Measuring the bound")
        _measure_bound(sheet, estimator, X_test, dataset)
    if dataset.kind == IMAGES and hasattr(estimator, "inverse_transform"):
        on_stage("Measuring the samples")
        Z_train = None if codes is None else codes.Z_train
        drawn = [usual(estimator, Z_train, kind) for kind in samplers or (None,)]
        notes["samples"] = about(estimator, drawn[0].kind)
        views["samples"] = pixels(estimator.inverse_transform(drawn[0].sample(SAMPLES, 0)))
        views |= _measure_samples(sheet, notes, estimator, drawn, dataset)
        views["strip_rows"] = strip.astype(np.int32)
        if dataset.redistributable:
            views["originals"] = dataset.X_test[strip]
    if dataset.has_labels:
        views["labels"] = dataset.y_test[shown].astype(np.int16)
        notes["target_names"] = list(dataset.target_names)
    # A map's rows may be others than those that methods are ranked on, so it is ranked with none.
    ranked = {} if codes is not None and codes.is_map else sheet.scores
    for name, scores in ranked.items():
        if DEFINITIONS[name].higher_is_better is not None:
            yes_or_no = np.isin(scores, (0, 1)).all()
            views[f"rows.{name}"] = scores.astype(np.uint8 if yes_or_no else np.float32)
    return sheet.metrics, views, notes


@dataclass(frozen=True)
class _Codes:
    """Codes of rows of both splits, and which rows these are.

    Attributes
    ----------
    Z_train, Z_test : (n_train, n_components), (n_test, n_components)
    train, test : (n_train,), (n_test,) int, ascending numbers of the rows in their split.
    are : what the codes are, in a few words.
    is_map : whether they are positions of these rows in a map, and other rows have none.
    """

    Z_train: np.ndarray
    Z_test: np.ndarray
    train: np.ndarray
    test: np.ndarray
    are: str
    is_map: bool = False


def _codes(estimator: Any, dataset: Dataset, X_test) -> _Codes | None:
    """The codes of all rows, or the positions of those that a map has; None where there are none."""
    if hasattr(estimator, "embedding_"):
        parts = estimator.train_embedding_, estimator.test_embedding_, estimator.rows_train_, estimator.rows_test_
        return _Codes(*parts, estimator.about, is_map=True)
    Z_train, Z_test, are = codes_of(estimator, dataset.floats("train"), X_test)
    if Z_train is None:
        return None
    return _Codes(Z_train, Z_test, np.arange(len(Z_train)), np.arange(len(Z_test)), are)


class _Sheet:
    """Figures as they are measured: a number, its interval, its n, and the rows' scores behind it."""

    def __init__(self):
        self.metrics: dict[str, Any] = {}
        self.scores: dict[str, np.ndarray] = {}

    def rows(self, name: str, scores: np.ndarray) -> None:
        """A mean over rows, with the bootstrap interval of these rows' scores."""
        scores = np.asarray(scores, np.float64)
        self.scores[name] = scores
        self.metrics[name] = float(scores.mean())
        self.metrics[f"{name}_interval"] = list(intervals.mean_interval(scores))
        self.metrics[f"{name}_n"] = len(scores)

    def seeds(self, name: str, values: list[float], n: int, highest: float) -> None:
        """A mean over seeds, with Student's interval over them, cut at the lowest and highest value there can be."""
        self.metrics[name] = float(np.mean(values))
        self.metrics[f"{name}_interval"] = np.clip(intervals.seeds_interval(values), 0, highest).tolist()
        self.metrics[f"{name}_n"] = n

    def resampled(self, name: str, value: float, interval: tuple[float, float], n: int) -> None:
        """A figure of all rows at once, with the interval of resampled ones."""
        self.metrics[name] = value
        self.metrics[f"{name}_interval"] = list(interval)
        self.metrics[f"{name}_n"] = n


def _measure_codes(sheet: _Sheet, dataset: Dataset, codes: _Codes, X_test) -> None:
    """How codes keep classes and neighbourhoods.

    Parameters
    ----------
    X_test : (n, n_features), all test rows, as `core.types.Dataset.floats` gives them
    """
    metric = "cosine" if dataset.kind == DOCUMENTS else "euclidean"
    y_train, y_test = dataset.y_train[codes.train], dataset.y_test[codes.test]
    # Row numbers among the codes, and of the data.
    at = embedding.stratified_rows(y_test, embedding.NEIGHBOURHOOD_ROWS)
    X = X_test[codes.test[at]]
    if dataset.kind == DOCUMENTS:
        at, X = _weighted(dataset, at, X)
    if dataset.has_labels:
        if _learnable(y_train, y_test):
            labelled = codes.Z_train, y_train, codes.Z_test, y_test
            sheet.rows("knn_accuracy", embedding.knn_correct(*labelled, K))
            sheet.rows("probe_accuracy", embedding.probe_correct(*labelled))
        _measure_clusters(sheet, codes.Z_test, y_test, at)
    if len(at) > 2 * K:
        sheet.rows("trustworthiness", embedding.trustworthiness_rows(X, codes.Z_test[at], K, metric))
        sheet.rows("continuity", embedding.continuity_rows(X, codes.Z_test[at], K, metric))


def _learnable(y_train: np.ndarray, y_test: np.ndarray) -> bool:
    """Whether the nearest train rows can name classes of test rows; where people are held out they can't."""
    train, test = y_train[y_train >= 0], y_test[y_test >= 0]
    return len(train) >= K and len(np.unique(train)) > 1 and len(test) > 1 and bool(np.isin(test, train).any())


def _measure_clusters(sheet: _Sheet, Z: np.ndarray, y: np.ndarray, at: np.ndarray) -> None:
    """How far codes fall into clusters, and how well these agree with the classes; those `at` are compared in pairs."""
    known = y[at][y[at] >= 0]
    if 1 < len(np.unique(known)) < len(known):
        sheet.rows("silhouette", clustering.silhouette_rows(Z[at], y[at]))
    Z, y = Z[y >= 0], y[y >= 0]
    classes = len(np.unique(y))
    # Codes that have collapsed are too few points for a cluster a class.
    if 1 < classes <= len(np.unique(Z, axis=0)):
        for name, figure in clustering.agreement(y, clustering.kmeans_clusters(Z, classes)).items():
            sheet.resampled(name, *figure, len(y))


def _measure_documents(sheet: _Sheet, estimator: Any, dataset: Dataset, Z_test: np.ndarray) -> dict[str, np.ndarray]:
    """Figures that only documents have, and beside them those of the tf-idf vectors and of the unigram model.

    Returns
    -------
    dict : the views ``retrieval.*``, where there are classes to tell apart.
    """
    views = {}
    precision = _retrieval(Z_test, dataset.y_test)
    if precision:
        views["retrieval.at"], views["retrieval.precision"] = retrieval.curve(precision)
        for n in _ANSWERS:
            if n in precision:
                sheet.rows(f"retrieval_precision_{n}", precision[n])
    rows, X = _weighted(dataset, np.arange(len(Z_test)), dataset.X_test)
    if len(rows) > 1:
        sheet.rows("tfidf_cosine", reconstruction.rebuilt_cosine(estimator.inverse_transform, Z_test[rows], X))
    if _rebuilds_probabilities(estimator):
        completed = _completion(dataset, lambda given: estimator.inverse_transform(estimator.transform(given)))
        if completed:
            sheet.resampled("completion_perplexity", completed.perplexity, completed.interval(), len(completed.words))
            sheet.metrics["completion_floored"] = completed.floored
            sheet.scores["completion_perplexity"] = completed.scores
    of_data = _references(dataset)
    if "retrieval.tfidf" in of_data:
        views["retrieval.tfidf"] = of_data.pop("retrieval.tfidf")
    for name, (value, low, high, n) in of_data.items():
        sheet.resampled(name, float(value), (float(low), float(high)), int(n))
    return views


def _retrieval(Z: Any, y: np.ndarray) -> dict[int, np.ndarray]:
    """Precision by number of answers, see `core.metrics.retrieval`; nothing where fewer than two classes are known.

    By cosine, which codes have and positions in a map have not.
    """
    if len(np.unique(y[y >= 0])) < 2:
        return {}
    return retrieval.retrieval_precision_rows(Z, y, retrieval.answer_counts(int((y >= 0).sum())))


def _rebuilds_probabilities(estimator: Any) -> bool:
    """Whether what it rebuilds of a document is a probability for each word: a network's softmax; LSA has weights."""
    return hasattr(estimator, "networks_")


def _completion(dataset: Dataset, probabilities: Callable[[Any], np.ndarray]) -> completion.Completion | None:
    """The test documents completed from the same halves for every method; None where fewer than two can be."""
    given, held = completion.halves(dataset.X_test)
    # A document of one word has its half in `held` alone.
    if np.count_nonzero(np.diff(given.indptr)) < 2:
        return None
    return completion.complete(probabilities, given, held)


def _references(dataset: Dataset) -> dict[str, np.ndarray]:
    """Figures of the data that no method changes, from the user's cache where it has them.

    Returns
    -------
    dict : name -> value, ends of its interval, n; and the view ``retrieval.tfidf``. Without those that can't be had.
    """

    def compute() -> dict[str, np.ndarray]:
        sheet, arrays = _Sheet(), {}
        X = documents.tfidf(dataset, dataset.X_test)
        precision = _retrieval(X, dataset.y_test)
        if precision:
            arrays["retrieval.tfidf"] = retrieval.curve(precision)[1]
        if _learnable(dataset.y_train, dataset.y_test):
            X_train, y = documents.tfidf(dataset, dataset.X_train), dataset.y_test
            asked = embedding.stratified_rows(y, max(2, retrieval.MOST_PAIRS // len(dataset.y_train)))
            correct = embedding.knn_correct(X_train, dataset.y_train, X[asked], y[asked], K, "cosine")
            sheet.rows("tfidf_knn_accuracy", correct)
        for name, model in _word_models(dataset).items():
            if completed := _completion(dataset, model):
                sheet.resampled(name, completed.perplexity, completed.interval(), len(completed.words))
        for name in ("tfidf_knn_accuracy", "unigram_perplexity", "cache_perplexity"):
            if name in sheet.metrics:
                figure = sheet.metrics[name], *sheet.metrics[f"{name}_interval"], sheet.metrics[f"{name}_n"]
                arrays[name] = np.array(figure, np.float64)
        return arrays

    measured_by = completion, documents, embedding, intervals, neighbours, retrieval
    # The weights of words are scikit-learn's.
    return _kept("references", measured_by, compute, dataset.checksum, version("scikit-learn"))


def _word_models(dataset: Dataset) -> dict[str, Callable[[Any], np.ndarray]]:
    """Models without a code, from train documents alone: figure -> word probabilities from given halves."""
    shares = completion.unigram(dataset.X_train)
    models = {"unigram_perplexity": lambda given: np.broadcast_to(shares, given.shape)}
    asked = dataset.X_train[embedding.stratified_rows(dataset.y_train, _CACHE_DOCUMENTS)]
    if asked.sum(axis=1).max() >= completion.FEWEST_WORDS:
        models["cache_perplexity"] = completion.cache_model(shares, completion.cache_weight(asked, shares))
    return models


def _kept(
    name: str, measured_by: Sequence[Any], compute: Callable[[], dict[str, np.ndarray]], *of: object
) -> dict[str, np.ndarray]:
    """What `compute` gives, from the user's cache where it has it of the same parts `of`, measured by the same code."""
    sources = [Path(file).read_bytes() for file in (*(module.__file__ for module in measured_by), __file__)]
    return cache.kept(f"{name}-{cache.key(*of, *sources)}", compute)


def _measure_reconstructions(sheet: _Sheet, dataset: Dataset, rebuilt: np.ndarray, X_test: np.ndarray) -> None:
    sheet.rows("squared_error", reconstruction.squared_error(X_test, rebuilt))
    if dataset.has_labels:
        scores = sheet.scores["squared_error"]
        per_class = reconstruction.per_class(scores, dataset.y_test, dataset.target_names)
        sheet.metrics["squared_error_per_class"] = per_class


def _weighted(dataset: Dataset, rows: np.ndarray, counts: Any) -> tuple[np.ndarray, Any]:
    """Those of `rows`, test documents of these word counts, that hold a known word, and their tf-idf vectors."""
    X = documents.tfidf(dataset, counts)
    full = np.diff(X.indptr) > 0
    return rows[full], X[full]


def _measure_bound(sheet: _Sheet, vae, X_test, dataset: Dataset) -> None:
    if len(dataset.y_test) < 2:
        return
    reconstruction_part, kl = vae.elbo_terms(X_test, random_state=0)
    sheet.rows("neg_elbo", reconstruction_part + kl)
    sheet.rows("kl", kl)
    sheet.rows("neg_elbo_at_mean", sum(vae.elbo_terms(X_test, at_mean=True)))
    rows = embedding.stratified_rows(dataset.y_test, IW_ROWS)
    sheet.rows("iw_bound", -vae.score_samples(X_test[rows], IW_SAMPLES, random_state=0))


def _measure_samples(
    sheet: _Sheet, notes: dict, estimator: Any, samplers: Sequence[CodeSampler], dataset: Dataset
) -> dict[str, np.ndarray]:
    """Figures of as many samples as there are test rows, by each way to draw codes, and their floors.

    Returns
    -------
    dict : the views ``sampler.<kind>.<array>``; ``nearest.<kind>`` and ``nearest.test``, distances of samples and of
        test rows to their nearest training row.
    """
    from core.features import feature_space

    space = feature_space(dataset)
    notes["features"] = space.description
    n = min(_MOST_SAMPLES, len(dataset.y_test), len(dataset.y_train))
    rows = generation.RealRows(space.features(dataset.floats("test")[:n]))
    views = {}
    among = memory.nearest_training_rows(dataset.floats("test")[:_REMEMBERED], dataset.X_train)
    views["nearest.test"] = among.distances[:, 0].astype(np.float32)
    _share_of_copies(sheet, "copies_floor", among)
    for k, sampler in enumerate(samplers):
        prefix = f"{sampler.kind}." if k else ""
        _measure_sampler(sheet, prefix, estimator, sampler, dataset, space, rows, n)
        if sampler.kind != NORMAL:
            views |= {f"sampler.{sampler.kind}.{name}": a for name, a in sampler.arrays().items()}
        made = np.clip(estimator.inverse_transform(sampler.sample(min(n, _REMEMBERED), 0)), 0, 1)
        found = memory.nearest_training_rows(made, dataset.X_train)
        views[f"nearest.{sampler.kind}"] = found.distances[:, 0].astype(np.float32)
        _share_of_copies(sheet, f"{prefix}copies", found)
    floors = _floors(space, dataset, rows)
    sheet.seeds("frechet_floor", floors["frechet"].tolist(), n, np.inf)
    sheet.metrics |= {f"{name}_floor": float(floors[name]) for name in _FLOORS}
    return views


def _share_of_copies(sheet: _Sheet, name: str, found: memory.Nearest) -> None:
    copies = found.is_copy
    sheet.resampled(name, float(copies.mean()), intervals.share_interval(int(copies.sum()), len(copies)), len(copies))


def _measure_sampler(
    sheet: _Sheet, prefix: str, estimator, sampler: CodeSampler, dataset: Dataset, space, rows, n: int
) -> None:
    figures: dict[str, list[float]] = {}
    shares = []
    for seed in SEEDS:
        made = np.clip(estimator.inverse_transform(sampler.sample(n, seed)), 0, 1)
        fake = space.features(made)
        found = {"frechet": generation.frechet_distance(rows.real, fake), **rows.precision_recall(fake)}
        for name, value in found.items():
            figures.setdefault(f"{prefix}{name}", []).append(value)
        if space.head is not None:
            shares.append(generation.class_shares(space.head(fake), len(dataset.target_names)))
    for name, values in figures.items():
        sheet.seeds(name, values, n, np.inf if name.endswith("frechet") else 1.0)
    if shares:
        mean = np.mean(shares, axis=0)
        named = {name: float(s) for name, s in zip(dataset.target_names, mean, strict=True)}
        sheet.metrics[f"{prefix}class_shares"] = named


def _floors(space, dataset: Dataset, rows: generation.RealRows) -> dict[str, np.ndarray]:
    """Figures of train rows in the place of samples, from the user's cache where it has them: no method changes them.

    Returns
    -------
    dict : "frechet", (n_seeds,); "precision", "recall" and "coverage", of the first seed
    """
    from core import features

    n = len(rows.real)

    def compute() -> dict[str, np.ndarray]:
        drawn = [_train_features(space, dataset, n, seed) for seed in SEEDS]
        of_first = rows.precision_recall(drawn[0])
        floors = {name: np.array(of_first[name]) for name in _FLOORS}
        return floors | {"frechet": np.array([generation.frechet_distance(rows.real, each) for each in drawn])}

    of = dataset.checksum, space.description, space.digest, n, SEEDS
    return _kept("floors", (features, generation), compute, *of)


def _train_features(space, dataset: Dataset, n: int, seed: int) -> np.ndarray:
    """Features of `n` train rows, drawn without replacement: what a perfect sampler's would be like."""
    rows = np.random.default_rng(seed).choice(len(dataset.y_train), n, replace=False)
    return space.features(dataset.X_train[rows].astype(np.float32) / 255)
