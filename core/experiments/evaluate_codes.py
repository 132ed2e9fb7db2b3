"""How well latent codes, or positions in a map, keep classes, clusters and neighbourhoods."""

from typing import Any

import numpy as np

from core.analysis.projection import project_to_plane
from core.datasets import bag_of_words
from core.experiments.scores import Scores, Subject
from core.metrics import clustering, embedding
from core.types import DOCUMENTS, Dataset

K = 15
# The largest code may be between these where codes are stored as float16.
_HALF = 0.01, 60_000


def evaluate_codes(subject: Subject) -> Scores:
    """Score the classes that nearest neighbours predict, and place the shown rows in the plane."""
    scores, codes, dataset = Scores(), subject.codes, subject.dataset
    if dataset.has_labels and has_classes_to_learn(codes.y_train, codes.y_test):
        scores.add_mean(
            "knn_accuracy", embedding.knn_correct(codes.Z_train, codes.y_train, codes.Z_test, codes.y_test, K)
        )
    Z = codes.Z_test[np.searchsorted(codes.test, subject.shown)]
    scores.views["map"], scores.notes["map"] = project_to_plane(Z, codes.Z_train, codes.about)
    if codes.is_map:
        scores.notes["map"] = codes.about
    if codes.is_map or hasattr(subject.estimator, "transform"):
        # Codes of rows that are not scaled can be beyond the numbers of float16.
        is_half = _HALF[0] <= np.abs(Z).max(initial=0) <= _HALF[1]
        scores.views["codes"] = Z.astype(np.float16 if is_half else np.float32)
    return scores


def has_classes_to_learn(y_train: np.ndarray, y_test: np.ndarray) -> bool:
    """Whether train rows can predict classes of test rows; where whole classes are held out they can't."""
    train, test = y_train[y_train >= 0], y_test[y_test >= 0]
    return len(train) >= K and len(np.unique(train)) > 1 and len(test) > 1 and bool(np.isin(test, train).any())


def evaluate_structure(subject: Subject) -> Scores:
    """Score what a linear probe predicts from the codes, how they cluster, and which neighbourhoods they keep."""
    scores, codes, dataset = Scores(), subject.codes, subject.dataset
    # Row numbers among the codes; every pair of these rows is compared.
    at = embedding.stratified_rows(codes.y_test, embedding.NEIGHBOURHOOD_ROWS)
    X, metric = subject.X_test[codes.test[at]], "euclidean"
    if dataset.kind == DOCUMENTS:
        (at, X), metric = weigh_words(dataset, at, X), "cosine"
    if dataset.has_labels:
        if has_classes_to_learn(codes.y_train, codes.y_test):
            correct = embedding.probe_correct(codes.Z_train, codes.y_train, codes.Z_test, codes.y_test)
            scores.add_mean("probe_accuracy", correct)
        scores.update(evaluate_clusters(codes.Z_test, codes.y_test, at))
    if len(at) > 2 * K:
        trustworthiness, continuity = embedding.neighbourhood_rows(X, codes.Z_test[at], K, metric)
        scores.add_mean("trustworthiness", trustworthiness)
        scores.add_mean("continuity", continuity)
    return scores


def evaluate_clusters(Z: np.ndarray, y: np.ndarray, at: np.ndarray) -> Scores:
    """Score how far codes fall into clusters, those `at` in pairs, and how well clusters agree with classes."""
    scores = Scores()
    known = y[at][y[at] >= 0]
    if 1 < len(np.unique(known)) < len(known):
        scores.add_mean("silhouette", clustering.silhouette_rows(Z[at], y[at]))
    Z, y = Z[y >= 0], y[y >= 0]
    n_classes = len(np.unique(y))
    # Collapsed codes may be fewer points than there are classes.
    if 1 < n_classes <= len(np.unique(Z, axis=0)):
        agreement = clustering.cluster_agreement(y, clustering.kmeans_clusters(Z, n_classes))
        for name, (value, interval) in agreement.items():
            scores.add(name, value, interval, len(y))
    return scores


def weigh_words(dataset: Dataset, rows: np.ndarray, counts: Any) -> tuple[np.ndarray, Any]:
    """Select those of `rows`, documents of these word counts, that hold a known word, and their tf-idf vectors."""
    X = bag_of_words.to_tfidf(dataset, counts)
    is_known = np.diff(X.indptr) > 0
    return rows[is_known], X[is_known]
