"""Spec -> Run: fit a method to a data set, round its weights as they are stored, and measure what was stored."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from core import datasets, methods, store
from core.metrics import DEFINITIONS, IW_ROWS, IW_SAMPLES, embedding, generation, intervals, reconstruction, retrieval
from core.types import DOCUMENTS, IMAGES, BadInput, Dataset, Run, Spec

K = 15
SEEDS = range(5)
STRIP = 20
_ANSWERS = (1, 15, 63)
SAMPLES = 64
_MOST_SAMPLES = 10_000
_LIBRARIES = ("torch", "numpy", "scipy", "scikit-learn", "pandas")

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
    on_epoch=None,
    on_stage: ON_STAGE = lambda stage: None,
    checkpoint: Path | None = None,
) -> tuple[Run, dict[str, np.ndarray]]:
    """Fit and measure.

    Returns
    -------
    run : its figures are those of the weights as they are stored; its estimator has these weights.
    arrays : for `core.store.write`.
    """
    method = methods.get(spec.method)
    estimator = method.estimator(dict(spec.params), dataset.kind, dataset.image_shape, spec.seed)
    on_stage("Fitting")
    X = dataset.floats("train")
    started = time.perf_counter()
    if hasattr(estimator, "train_step"):
        estimator.fit(X, on_epoch=on_epoch, checkpoint=checkpoint)
    else:
        estimator.fit(X)
    seconds = time.perf_counter() - started
    history = getattr(estimator, "history_", [])
    environment = {
        "device": "cpu",
        "precision": str(X.dtype),
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
    metrics, views, notes = measure(estimator, dataset, on_stage=on_stage)
    metrics["seconds"] = environment["seconds"]
    metrics["weights"] = method.n_weights(estimator)
    return Run(spec, history, metrics, environment, notes, views, estimator), arrays


def fit_and_store(spec: Spec, dataset: Dataset, folder: Path | None = None, **kwargs) -> Run:
    """`fit`, and the run put into the store."""
    run, arrays = fit(spec, dataset, **kwargs)
    store.write(run, arrays, folder)
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
    metrics, views, notes = measure(estimator, dataset)
    metrics |= {"seconds": old.metrics["seconds"], "weights": methods.get(old.spec.method).n_weights(estimator)}
    run = replace(old, metrics=metrics, views=views, notes=notes)
    store.write(run, store.arrays(place), place.parent)
    return run


def measure(
    estimator: Any, dataset: Dataset, *, on_stage: ON_STAGE = lambda stage: None
) -> tuple[dict[str, Any], dict[str, np.ndarray], dict[str, Any]]:
    """All figures that apply to a fitted estimator, and what pages show of it.

    Returns
    -------
    metrics : name -> number, ``<name>_interval``, ``<name>_n``; definitions in `core.metrics.DEFINITIONS`.
    views : what pages show; with ``rows.<name>``, each test row's score of a measure that methods are ranked by.
    notes : how map, samples and features came about.
    """
    sheet = _Sheet()
    X_train, X_test = dataset.floats("train"), dataset.floats("test")
    shown = datasets.sample_rows(dataset)
    codes_train, codes_test, codes_are = _codes(estimator, X_train, X_test)
    if codes_train is not None:
        on_stage("Measuring the codes")
        _measure_codes(sheet, dataset, codes_train, codes_test, X_test)
    strip = _strip(dataset, shown)
    views: dict[str, np.ndarray] = {"shown_rows": shown.astype(np.int32)}
    if dataset.kind == IMAGES:
        views["strip_rows"] = strip.astype(np.int32)
    notes: dict[str, Any] = {}
    if codes_train is not None:
        views["map"], notes["map"] = _map(codes_test[shown], codes_train, codes_are)
    if hasattr(estimator, "transform"):
        views["codes"] = codes_test[shown].astype(np.float16)
        on_stage("Measuring the reconstructions")
        if dataset.kind == IMAGES:
            rebuilt = estimator.inverse_transform(codes_test)
            sheet.rows("squared_error", reconstruction.squared_error(X_test, rebuilt))
            if dataset.has_labels:
                per_class = reconstruction.per_class(
                    sheet.scores["squared_error"], dataset.y_test, dataset.target_names
                )
                sheet.metrics["squared_error_per_class"] = per_class
            views["reconstructions"] = _pixels(rebuilt[strip])
        else:
            notes["documents"] = _expected_words(estimator, dataset, shown, codes_test)
    if hasattr(estimator, "elbo_terms"):
        on_stage("Measuring the bound")
        _measure_bound(sheet, estimator, X_test, dataset)
    if dataset.kind == IMAGES:
        on_stage("Measuring the samples")
        sample, notes["samples"] = _sampler(estimator, codes_train)
        views["samples"] = _pixels(sample(SAMPLES, 0))
        _measure_samples(sheet, notes, sample, dataset)
        if dataset.redistributable:
            views["originals"] = dataset.X_test[strip]
    if dataset.has_labels:
        views["labels"] = dataset.y_test[shown].astype(np.int16)
        notes["target_names"] = list(dataset.target_names)
    for name, scores in sheet.scores.items():
        if DEFINITIONS[name].higher_is_better is not None:
            yes_or_no = np.isin(scores, (0, 1)).all()
            views[f"rows.{name}"] = scores.astype(np.uint8 if yes_or_no else np.float32)
    return sheet.metrics, views, notes


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


def _codes(estimator, X_train, X_test) -> tuple[np.ndarray | None, np.ndarray | None, str]:
    if hasattr(estimator, "transform"):
        return estimator.transform(X_train), estimator.transform(X_test), "code"
    if hasattr(estimator, "discriminator_features"):
        features = estimator.discriminator_features
        return features(X_train), features(X_test), "discriminator's features"
    return None, None, ""


def _measure_codes(sheet: _Sheet, dataset: Dataset, Z_train, Z_test, X_test) -> None:
    metric = "cosine" if dataset.kind == DOCUMENTS else "euclidean"
    if dataset.has_labels:
        labelled = Z_train, dataset.y_train, Z_test, dataset.y_test
        sheet.rows("knn_accuracy", embedding.knn_correct(*labelled, K))
        sheet.rows("probe_accuracy", embedding.probe_correct(*labelled))
        if dataset.kind == DOCUMENTS:
            at = [n for n in _ANSWERS if n < (dataset.y_test >= 0).sum()]
            for n, precision in retrieval.retrieval_precision_rows(Z_test, dataset.y_test, at).items():
                sheet.rows(f"retrieval_precision_{n}", precision)
    rows = embedding.stratified_rows(dataset.y_test, embedding.NEIGHBOURHOOD_ROWS)
    X = X_test[rows]
    if dataset.kind == DOCUMENTS:
        rows, X = _weighted(dataset, rows, X)
    sheet.rows("trustworthiness", embedding.trustworthiness_rows(X, Z_test[rows], K, metric))
    sheet.rows("continuity", embedding.continuity_rows(X, Z_test[rows], K, metric))


def _weighted(dataset: Dataset, rows: np.ndarray, counts: Any) -> tuple[np.ndarray, Any]:
    """Those of `rows`, test documents of these word counts, that hold a known word, and their tf-idf vectors."""
    from sklearn.feature_extraction.text import TfidfTransformer

    tfidf = TfidfTransformer(sublinear_tf=True).fit(dataset.floats("train"))
    X = tfidf.transform(counts)
    full = np.diff(X.indptr) > 0
    return rows[full], X[full]


def _map(codes: np.ndarray, codes_train: np.ndarray, are: str) -> tuple[np.ndarray, str]:
    """Codes as points in the plane (n, 2), and how."""
    size = codes.shape[1]
    if size == 2:
        return codes.astype(np.float32), f"the 2-D {are}"
    if size == 1:
        return np.column_stack([codes, np.zeros(len(codes))]).astype(np.float32), f"the 1-D {are}, on a line"
    from sklearn.decomposition import PCA

    pca = PCA(2, svd_solver="covariance_eigh").fit(codes_train)
    return pca.transform(codes).astype(np.float32), f"the {size}-D {are}, projected by PCA"


def _strip(dataset: Dataset, shown: np.ndarray) -> np.ndarray:
    """`STRIP` of the shown test rows, the classes in turn."""
    if not dataset.has_labels:
        return shown[np.linspace(0, len(shown) - 1, min(STRIP, len(shown))).astype(int)]
    y = dataset.y_test[shown]
    turn = np.zeros(len(y), int)
    for label in np.unique(y):
        turn[y == label] = np.arange((y == label).sum())
    return shown[np.lexsort((y, turn))[:STRIP]]


def _pixels(X: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(X, 0, 1) * 255).astype(np.uint8)


def _expected_words(estimator, dataset: Dataset, shown: np.ndarray, codes: np.ndarray, n_words: int = 12) -> list[dict]:
    """Three test documents of different classes: their commonest words beside those the method expects."""
    vocabulary = np.array(dataset.vocabulary)
    lengths = np.asarray(dataset.X_test.sum(axis=1)).ravel()
    chosen: dict[int, int] = {}
    for row in shown:
        if lengths[row] >= 40 and len(chosen) < 3:
            chosen.setdefault(int(dataset.y_test[row]), int(row))
    documents = []
    for label, row in chosen.items():
        counts = dataset.X_test[[row]].toarray().ravel()
        expected = estimator.inverse_transform(codes[[row]]).ravel()
        has, expects = (np.argsort(-v, kind="stable")[:n_words] for v in (counts, expected))
        documents.append(
            {
                "title": dataset.titles_test[row],
                "class": dataset.target_names[label] if label >= 0 else "",
                "has": [[str(vocabulary[i]), int(counts[i])] for i in has if counts[i] > 0],
                "expects": [[str(vocabulary[i]), round(float(expected[i]), 5), bool(counts[i] > 0)] for i in expects],
            }
        )
    return documents


def _measure_bound(sheet: _Sheet, vae, X_test, dataset: Dataset) -> None:
    reconstruction_part, kl = vae.elbo_terms(X_test, random_state=0)
    sheet.rows("neg_elbo", reconstruction_part + kl)
    sheet.rows("kl", kl)
    sheet.rows("neg_elbo_at_mean", sum(vae.elbo_terms(X_test, at_mean=True)))
    rows = embedding.stratified_rows(dataset.y_test, IW_ROWS)
    sheet.rows("iw_bound", -vae.score_samples(X_test[rows], IW_SAMPLES, random_state=0))


def _sampler(estimator, codes_train) -> tuple[Callable[[int, int], np.ndarray], str]:
    """``sample(n, seed)``, and where the codes come from."""
    if hasattr(estimator, "sample"):
        return (lambda n, seed: estimator.sample(n, random_state=seed)), "codes drawn from the prior N(0, I)"
    from sklearn.mixture import GaussianMixture

    gaussian = GaussianMixture(1, random_state=0).fit(codes_train)

    def sample(n: int, seed: int) -> np.ndarray:
        return estimator.inverse_transform(gaussian.set_params(random_state=seed).sample(n)[0])

    return sample, "codes drawn from one Gaussian fitted to the training codes"


def _measure_samples(sheet: _Sheet, notes: dict, sample, dataset: Dataset) -> None:
    """Fréchet distance, precision and recall of as many samples as there are test rows, and their floors."""
    from core.features import feature_space

    space = feature_space(dataset)
    notes["features"] = space.description
    n = min(_MOST_SAMPLES, len(dataset.y_test), len(dataset.y_train))
    real = space.features(dataset.floats("test")[:n])
    figures: dict[str, list[float]] = {}
    shares = []
    floors = [_train_features(space, dataset, n, seed) for seed in SEEDS]
    for seed, floor in zip(SEEDS, floors, strict=True):
        made = np.clip(sample(n, seed), 0, 1)
        fake = space.features(made)
        figures.setdefault("frechet", []).append(generation.frechet_distance(real, fake))
        figures.setdefault("frechet_floor", []).append(generation.frechet_distance(real, floor))
        for name, value in generation.precision_recall(real, fake).items():
            figures.setdefault(name, []).append(value)
        if space.classes is not None:
            shares.append(generation.class_shares(space.classes(made), len(dataset.target_names)))
    for name, values in figures.items():
        sheet.seeds(name, values, n, np.inf if name.startswith("frechet") else 1.0)
    of_train = generation.precision_recall(real, floors[0])
    sheet.metrics |= {f"{name}_floor": of_train[name] for name in ("precision", "recall")}
    if shares:
        mean = np.mean(shares, axis=0)
        sheet.metrics["class_shares"] = {name: float(s) for name, s in zip(dataset.target_names, mean, strict=True)}


def _train_features(space, dataset: Dataset, n: int, seed: int) -> np.ndarray:
    """Features of `n` train rows, drawn without replacement: what a perfect sampler's would be like."""
    rows = np.random.default_rng(seed).choice(len(dataset.y_train), n, replace=False)
    return space.features(dataset.X_train[rows].astype(np.float32) / 255)
