"""Rows and their codes and errors, against the data set, scikit-learn and the estimator itself."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_similarity

from core import datasets
from core.analysis import codes
from core.analysis.rows import load_shipped_rows, select_rows
from core.datasets import embedded_samples
from core.runs import store
from core.types import IMAGES


def test_rows_are_a_stratified_sample_of_the_data_set(digits):
    for split, X, y in (("test", digits.X_test, digits.y_test), ("train", digits.X_train, digits.y_train)):
        rows, every = select_rows(digits, split, 100), select_rows(digits, split, 10_000)
        assert len(np.unique(rows.numbers)) == 100
        assert (rows.dataset, rows.kind, rows.split, rows.n_all) == ("digits", IMAGES, split, len(y))
        assert np.array_equal(rows.X, X[rows.numbers])
        assert np.array_equal(rows.y, y[rows.numbers])
        assert np.array_equal(rows.floats(), digits.floats(split)[rows.numbers])
        assert np.abs(np.bincount(rows.y) - 100 * np.bincount(y) / len(y)).max() <= 1
        assert np.array_equal(every.numbers, np.arange(len(y)))
        assert every.summary == f"all {len(y):,} {split} rows"
        assert rows.summary == f"100 of {len(y):,} {split} rows, a stratified sample"


def test_documents_have_titles_first_words_and_tfidf(corpus):
    rows = select_rows(corpus, "test", 30)
    assert np.array_equal(rows.floats().toarray(), corpus.floats("test")[rows.numbers].toarray())
    texts = [corpus.texts_test[k].split() for k in rows.numbers]
    begun = [" ".join(words[:40]) + (" …" if len(words) > 40 else "") for words in texts]
    assert list(rows.texts) == list(zip((corpus.titles_test[k] for k in rows.numbers), begun, strict=True))
    vectorizer = TfidfVectorizer(vocabulary=corpus.vocabulary, sublinear_tf=True).fit(corpus.texts_train)
    expected = vectorizer.transform([corpus.texts_test[k] for k in rows.numbers]).toarray()
    assert rows.vectors.toarray() == pytest.approx(expected, abs=1e-6)


def test_shipped_rows_replace_those_of_the_full_data_set():
    at = embedded_samples.read_sample("mnist-sample")["rows_test"]
    rows, fewer = (load_shipped_rows("mnist", n) for n in (2000, 300))
    assert np.array_equal(rows.numbers, at)
    assert np.array_equal(rows.X, datasets.load("mnist-sample").X_test)
    assert (rows.dataset, rows.split, rows.n_all) == ("mnist", "test", 10_000)
    runs = [run for run in store.list_runs()[0] if run.spec.dataset == "mnist"]
    drawn = load_shipped_rows("mnist", 300, {"pixels": "dynamic"})
    assert set(np.unique(drawn.X)) == {0, 255}
    by_pixels = {(): rows.checksum, (("pixels", "dynamic"),): drawn.checksum}
    assert {run.spec.dataset_params: run.environment["data_checksum"] for run in runs} == by_pixels
    assert np.array_equal(rows.X[np.searchsorted(rows.numbers, fewer.numbers)], fewer.X)
    assert load_shipped_rows("digits", 100) is None


def test_codes_of_train_rows_are_the_estimators_and_are_kept(pca10, digits, fitted):
    of, rows = fitted(pca10), select_rows(digits, "train", 60)
    for stamp, n_calls in ((1, 1), (1, 1), (2, 2)):
        Z, are = codes.compute_codes(pca10, ("a", stamp), rows, of)
        assert (are, of.call_count) == ("code", n_calls)
        np.testing.assert_array_equal(Z, of.return_value.transform(rows.floats()).astype(np.float32), strict=True)


class Map:
    """What `core.methods.tsne` leaves of given rows."""

    rows_train_, rows_test_ = np.array([2, 5, 7]), np.array([1, 4])
    train_embedding_ = np.array([[2, 20], [5, 50], [7, 70]], np.float32)
    test_embedding_ = np.array([[1, 10], [4, 40]], np.float32)


def test_rows_that_a_map_does_not_hold_have_no_position(pca10, digits):
    rows, nan = select_rows(digits, "train", 20), [np.nan, np.nan]
    found = codes.map_rows(Map(), replace(rows, split="test", numbers=np.array([1, 2, 4])))
    assert np.array_equal(found, [[1, 10], nan, [4, 40]], equal_nan=True)
    run = replace(pca10, spec=replace(pca10.spec, method="tsne"))
    Z, are = codes.compute_codes(run, ("a", 1), replace(rows, numbers=np.array([0, 2, 3, 7, 1000])), Map)
    assert are == "map"
    assert np.array_equal(Z, [nan, [2, 20], nan, [7, 70], nan], equal_nan=True)


def test_errors_of_images_are_sums_over_pixels(pca10, digits, fitted):
    of = fitted(pca10)
    for split, n in (("test", 60), ("train", 1297)):
        X = select_rows(digits, split, n).floats()
        expected = np.square(X - of.return_value.inverse_transform(of.return_value.transform(X))).sum(axis=1)
        found = codes.compute_errors(pca10, ("a", 1), select_rows(digits, split, n), of)
        assert found == pytest.approx(expected, rel=1e-4)
        assert (of.call_count == 0) == (split == "test")  # those of test rows are stored


def test_errors_of_documents_are_one_less_the_cosine(lsa, corpus, fitted):
    of = fitted(lsa)
    for split in ("test", "train"):
        rows = select_rows(corpus, split, 40)
        reconstructed = of.return_value.inverse_transform(of.return_value.transform(rows.X))
        expected = 1 - np.diag(cosine_similarity(rows.vectors.toarray(), reconstructed))
        assert codes.compute_errors(lsa, ("a", 1), rows, of) == pytest.approx(expected, abs=2e-3)
