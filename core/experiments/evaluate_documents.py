"""How well codes retrieve documents of the same class, and how well a decoder predicts words."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

from core.analysis.codes import predict_words
from core.datasets import bag_of_words
from core.experiments import evaluate_codes
from core.experiments.evaluate_codes import K, has_classes_to_learn, weigh_words
from core.experiments.scores import Scores, Subject, compute_once
from core.metrics import bootstrap, embedding, nearest_neighbours, perplexity, reconstruction, retrieval
from core.types import Dataset, Measurement, pack_metrics, unpack_metrics

_ANSWERS = (1, 15, 63)
# Train documents that the weight of the cache model is chosen on.
CACHE_DOCUMENTS = 2_000


def evaluate_documents(subject: Subject) -> Scores:
    """Score retrieval, reconstruction and prediction of words, beside tf-idf vectors and models without a code."""
    scores, dataset, estimator = Scores(), subject.dataset, subject.estimator
    Z = subject.codes.Z_test
    precision = compute_precision(Z, dataset.y_test)
    if precision:
        scores.views["retrieval.at"], scores.views["retrieval.precision"] = retrieval.precision_curve(precision)
        for n in precision.keys() & set(_ANSWERS):
            scores.add_mean(f"retrieval_precision_{n}", precision[n])
    rows, X = weigh_words(dataset, np.arange(len(Z)), dataset.X_test)
    if len(rows) > 1:
        scores.add_mean("tfidf_cosine", reconstruction.reconstruction_cosine(estimator.inverse_transform, Z[rows], X))
    # A network's softmax gives each word a probability; LSA has weights.
    if hasattr(estimator, "networks_"):
        predict = lambda given: estimator.inverse_transform(estimator.transform(given))
        if completed := _score_completion(scores, "completion_perplexity", dataset, predict):
            scores.metrics["completion_floored"] = Measurement(completed.floored)
            scores.rows["completion_perplexity"] = completed.scores
    references = measure_references(dataset)
    if "retrieval.tfidf" in references:
        scores.views["retrieval.tfidf"] = references.pop("retrieval.tfidf")
    scores.metrics.update(unpack_metrics(references))
    scores.notes["documents"] = predict_words(estimator, dataset, subject.shown, Z)
    return scores


def compute_precision(Z: Any, y: np.ndarray) -> dict[int, np.ndarray]:
    """Compute precision by number of answers, see `core.metrics.retrieval`; empty with fewer than two classes."""
    if len(np.unique(y[y >= 0])) < 2:
        return {}
    return retrieval.retrieval_precision_rows(Z, y, retrieval.answer_counts(int((y >= 0).sum())))


def _score_completion(
    scores: Scores, name: str, dataset: Dataset, predict: Callable[[Any], np.ndarray]
) -> perplexity.Completion | None:
    """Predict one half of each test document from the other, the same for every method; None without two documents.

    `predict` : word counts of given halves -> probabilities of words, (n, n_words) each.
    """
    given, held = perplexity.split_words(dataset.X_test)
    # A document of one word has its half in `held` alone.
    if np.count_nonzero(np.diff(given.indptr)) < 2:
        return None
    completed = perplexity.complete_documents(predict, given, held)
    scores.add(name, completed.perplexity, completed.interval(), len(completed.words))
    return completed


def measure_references(dataset: Dataset) -> dict[str, np.ndarray]:
    """Measure tf-idf vectors and models without a code, once for all methods: metrics, view ``retrieval.tfidf``."""

    def compute() -> dict[str, np.ndarray]:
        scores, arrays = Scores(), {}
        X = bag_of_words.to_tfidf(dataset, dataset.X_test)
        precision = compute_precision(X, dataset.y_test)
        if precision:
            arrays["retrieval.tfidf"] = retrieval.precision_curve(precision)[1]
        if has_classes_to_learn(dataset.y_train, dataset.y_test):
            X_train, y = bag_of_words.to_tfidf(dataset, dataset.X_train), dataset.y_test
            at = embedding.stratified_rows(y, max(2, retrieval.MOST_PAIRS // len(dataset.y_train)))
            correct = embedding.knn_correct(X_train, dataset.y_train, X[at], y[at], K, "cosine")
            scores.add_mean("tfidf_knn_accuracy", correct)
        for name, model in build_word_models(dataset).items():
            _score_completion(scores, name, dataset, model)
        return arrays | pack_metrics(scores.metrics)

    modules = perplexity, bag_of_words, embedding, bootstrap, nearest_neighbours, retrieval, evaluate_codes, __file__
    # The weights of words are scikit-learn's.
    return compute_once("references", modules, compute, dataset.checksum, version("scikit-learn"))


def build_word_models(dataset: Dataset) -> dict[str, Callable[[Any], np.ndarray]]:
    """Fit models without a code to train documents: metric -> word probabilities from given halves."""
    shares = perplexity.unigram_shares(dataset.X_train)
    models = {"unigram_perplexity": lambda given: np.broadcast_to(shares, given.shape)}
    asked = dataset.X_train[embedding.stratified_rows(dataset.y_train, CACHE_DOCUMENTS)]
    if asked.sum(axis=1).max() >= perplexity.FEWEST_WORDS:
        models["cache_perplexity"] = perplexity.cache_model(shares, perplexity.fit_cache_weight(asked, shares))
    return models
