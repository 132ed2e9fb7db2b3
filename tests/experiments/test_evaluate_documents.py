"""Retrieval, reconstruction and prediction of words, against scikit-learn and against sums by hand."""

from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import KNeighborsClassifier

from core import datasets
from core.datasets import bag_of_words
from core.experiments import evaluate_documents, fit
from core.experiments.scores import Subject
from core.metrics import embedding, perplexity
from core.metrics.definitions import DEFINITIONS
from core.runs import specs
from tests.experiments.conftest import list_metrics, make_documents

REFERENCES = ("tfidf_knn_accuracy", "unigram_perplexity", "cache_perplexity")


def held_words(corpus):
    """Which test documents have two words or more, and the held half of these."""
    is_whole = np.asarray(corpus.X_test.sum(axis=1)).ravel() >= 2
    return is_whole, perplexity.split_words(corpus.X_test)[1].toarray()[is_whole]


def test_retrieval_and_cosine_agree_with_scikit_learn(documents, runs_on_documents):
    run = runs_on_documents["vae"]
    X = documents.X_test
    Z = run.estimator.transform(X)
    weights = bag_of_words.to_tfidf(documents, X)
    for vectors, view in ((Z, "retrieval.precision"), (weights, "retrieval.tfidf")):
        cosines = cosine_similarity(vectors).astype(np.float64).round(6)
        np.fill_diagonal(cosines, -2)
        same = documents.y_test[np.argsort(-cosines, axis=1, kind="stable")] == documents.y_test[:, None]
        for n, (mean, low, high) in zip(run.views["retrieval.at"], run.views[view], strict=True):
            assert mean == pytest.approx(same[:, :n].mean(), abs=5e-3)
            assert low <= mean <= high
    assert run.views["retrieval.at"].tolist() == [1, 3, 7, 15, 31, 63, 79]
    assert run.views["retrieval.precision"][3, 0] == pytest.approx(run.metrics["retrieval_precision_15"].value)
    known = np.flatnonzero(np.diff(X.indptr))
    expected = np.diag(cosine_similarity(weights[known], run.estimator.inverse_transform(Z[known])))
    assert run.views["rows.tfidf_cosine"] == pytest.approx(expected, abs=1e-5)
    measured = run.metrics["tfidf_cosine"]
    assert (measured.value, measured.n, len(known)) == (pytest.approx(expected.mean(), abs=1e-6), 75, 75)


def test_perplexity_is_that_of_the_held_half_given_the_other(documents, runs_on_documents):
    run = runs_on_documents["ae"]
    given, _ = perplexity.split_words(documents.X_test)
    is_whole, held = held_words(documents)
    p = run.estimator.inverse_transform(run.estimator.transform(given)).astype(np.float64)
    expected = np.exp(-(held * np.log(p[is_whole])).sum() / held.sum())
    measured = run.metrics["completion_perplexity"]
    assert (measured.value, measured.n) == (pytest.approx(expected, rel=1e-6), is_whole.sum())
    assert run.metrics["completion_floored"].value == 0
    assert run.views["rows.completion_perplexity"].mean() == pytest.approx(np.log(expected), rel=1e-5)
    # It knows the subject, the unigram model does not.
    assert measured.interval[1] < run.metrics["unigram_perplexity"].interval[0]


def test_lsa_has_no_probabilities_and_all_methods_have_the_same_references(documents, runs_on_documents):
    lsa, ae = runs_on_documents["lsa"], runs_on_documents["ae"]
    assert not {"completion_perplexity", "completion_floored"} & list_metrics(lsa)
    for run in runs_on_documents.values():
        assert list_metrics(run) <= set(DEFINITIONS)
        assert {name: run.metrics[name] for name in REFERENCES} == {name: lsa.metrics[name] for name in REFERENCES}
        assert np.array_equal(run.views["retrieval.tfidf"], lsa.views["retrieval.tfidf"])
    train, test = (bag_of_words.to_tfidf(documents, X) for X in (documents.X_train, documents.X_test))
    nearest = KNeighborsClassifier(15, metric="cosine").fit(train, documents.y_train)
    assert ae.metrics["tfidf_knn_accuracy"].value == pytest.approx(nearest.score(test, documents.y_test), abs=0.02)
    _, held = held_words(documents)
    share = documents.X_train.sum(axis=0) / documents.X_train.sum()
    expected = np.exp(-(held * np.log(share.clip(1e-38))).sum() / held.sum())
    assert ae.metrics["unigram_perplexity"].value == pytest.approx(expected)


def test_weight_of_the_cache_model_comes_from_train_documents(documents, monkeypatch):
    monkeypatch.setattr(evaluate_documents, "CACHE_DOCUMENTS", 70)
    fit_weight = Mock(side_effect=perplexity.fit_cache_weight)
    monkeypatch.setattr(perplexity, "fit_cache_weight", fit_weight)
    model = evaluate_documents.build_word_models(documents)["cache_perplexity"]
    asked, shares = fit_weight.call_args.args
    assert asked.shape == (70, 30)
    assert {tuple(row) for row in asked.toarray()} <= {tuple(row) for row in documents.X_train.toarray()}
    weight, given = perplexity.fit_cache_weight(asked, shares), documents.X_test[held_words(documents)[0]]
    assert model(given) == pytest.approx((1 - weight) * shares + weight * given / given.sum(axis=1)[:, None], abs=1e-6)


def test_references_are_measured_once(documents, own_cache, monkeypatch):
    measure = Mock(side_effect=embedding.knn_correct)
    monkeypatch.setattr(embedding, "knn_correct", measure)
    first, again = (evaluate_documents.measure_references(documents) for _ in range(2))
    assert all(np.array_equal(first[name], again[name]) for name in {*first, *again})
    evaluate_documents.measure_references(make_documents(n_test=81))
    assert measure.call_count == 2


class Parrot:
    """Repeats the words that it is given."""

    networks_ = None

    def transform(self, X):
        return X.toarray()

    def inverse_transform(self, Z):
        return Z / Z.sum(axis=1, keepdims=True).clip(min=1)


def test_held_half_of_a_document_does_not_reach_its_code(documents):
    """Who repeats the words it is given knows no held word of documents that hold every word once."""
    once = replace(documents, X_test=(documents.X_test > 0).astype(np.int32))
    assert evaluate_documents.evaluate_documents(Subject(Parrot(), once)).metrics["completion_floored"].value == 1


WORD_EACH = np.eye(30, dtype=np.int32)
HALVES = {"unigram_perplexity", "cache_perplexity", "completion_perplexity"}
ODD = {
    "one class": (make_documents(classes=1), {"retrieval_precision_1"}),
    "one test document": (make_documents(n_test=1), {"retrieval_precision_1", "tfidf_cosine", "neg_elbo", *HALVES}),
    "no known word": (replace(make_documents(), X_test=csr_array((80, 30), dtype=np.int32)), {"tfidf_cosine", *HALVES}),
    "a word a document": (replace(make_documents(), X_test=csr_array(WORD_EACH[np.arange(80) % 30])), HALVES),
    "a word a train document": (
        replace(make_documents(), X_train=csr_array(WORD_EACH[np.arange(120) % 30])),
        {"cache_perplexity"},
    ),
    "three train documents": (make_documents(n_train=3), set()),
    "no test labels": (replace(make_documents(), y_test=np.full(80, -1)), {"retrieval_precision_1"}),
}


def test_odd_documents_have_the_metrics_that_can_be_had():
    for case, (corpus, missing) in ODD.items():
        run, _ = fit.fit(specs.make("docstrings", "vae", {"epochs": 1, "width": 16, "n_components": 2}), corpus)
        names = {"tfidf_cosine", "neg_elbo", "retrieval_precision_1"} | HALVES
        assert names - set(run.metrics) == missing, case
        views = {"retrieval.at", "retrieval.tfidf"} & set(run.views)
        assert len(views) == (0 if "retrieval_precision_1" in missing else 2), case
        values = [[measured.value for measured in run.metrics.values()], *run.views.values()]
        assert all(np.isfinite(each).all() for each in values), case


def test_lsa_on_reuters_reaches_the_reference(full_data):
    """Measured for this project with another program: retrieval among the test documents, 10-D, tf-idf."""
    run, _ = fit.fit(specs.make("reuters-r8", "lsa", {"n_components": 10}), datasets.load("reuters-r8"))
    precision = [run.metrics[f"retrieval_precision_{n}"].value for n in (1, 15, 63)]
    assert precision == pytest.approx([0.920, 0.890, 0.857], abs=0.012)
    assert run.metrics["knn_accuracy"].value == pytest.approx(0.925, abs=0.012)
