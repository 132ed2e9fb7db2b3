import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.metrics.pairwise import cosine_similarity

from core.errors import BadInput
from core.metrics import retrieval, validation
from core.metrics.bootstrap import mean_interval
from core.metrics.embedding import stratified_rows
from core.metrics.retrieval import answer_counts, precision_curve, retrieval_precision_rows


def test_zero_codes_answer_after_similar_and_before_opposite_ones():
    Z, y = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0], [1.0, 0.1]]), np.array([0, 1, 2, 0])
    found = retrieval_precision_rows(Z, y, (1, 2))
    assert (found[1][0], found[2][0]) == (1.0, 0.5)
    # Unlabelled rows are neither answers nor queries.
    Z, y = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [1.0, 0.2]]), np.array([-1, 0, 1, 0])
    assert retrieval_precision_rows(Z, y, (1,))[1].tolist() == [1.0, 0.0, 1.0]


def test_curve_averages_the_relevance_of_scikit_learns_sorted_cosines(monkeypatch):
    monkeypatch.setattr(validation, "CHUNK_ELEMENTS", 100)
    rng = np.random.default_rng(3)
    Z, y = rng.normal(size=(90, 8)) * (rng.random((90, 8)) < 0.6), rng.integers(0, 4, size=90)
    Z[[5, 6]] = 0
    cosines = cosine_similarity(Z).round(12)
    np.fill_diagonal(cosines, -2)
    relevant = y[np.argsort(-cosines, axis=1, kind="stable")] == y[:, None]
    counts, sizes = [1, 3, 7, 15, 31, 63, 89], np.bincount(y)
    assert [answer_counts(n) for n in (0, 1, 2, 16)] == [[], [], [1], [1, 3, 7, 15]]
    for codes in (Z, csr_array(Z)):
        rows = retrieval_precision_rows(codes, y, answer_counts(90))
        at, precision = precision_curve(rows)
        assert at.tolist() == counts
        for n, found in zip(counts, precision, strict=True):
            expected = relevant[:, :n].mean(axis=1)
            assert rows[n] == pytest.approx(expected, abs=1e-12)
            assert found.tolist() == pytest.approx([expected.mean(), *mean_interval(expected)], abs=1e-6)
        assert precision[-1, 0] == pytest.approx((sizes * (sizes - 1)).sum() / (90 * 89))


def test_of_equal_codes_the_lower_row_answers_first():
    # Equal but for their length; the middle one alone points elsewhere.
    Z, y = np.outer([1.0, 3.0, 0.1, 7.0, 2.0], [0.3, 0.7, 0.2]), np.array([0, 1, 1, 1, 0])
    Z[2] = [1, 0, 0]
    for codes in (Z, csr_array(Z)):
        rows = retrieval_precision_rows(codes, y, (1, 2, 3, 4))
        # Rows 1, 3, 4 and then 2; 0, 1, 3 and then 2.
        assert [rows[n][0] for n in (1, 2, 3, 4)] == [0, 0, 1 / 3, 1 / 4]
        assert [rows[n][4] for n in (1, 2, 3, 4)] == [1, 1 / 2, 1 / 3, 1 / 4]


def test_of_many_rows_a_stratified_sample_asks_for_all(monkeypatch):
    rng = np.random.default_rng(4)
    Z, y = rng.normal(size=(100, 3)), rng.integers(-1, 3, size=100)
    with pytest.raises(BadInput, match="100 answers"):
        retrieval_precision_rows(Z, y, (100,))
    every = retrieval_precision_rows(Z, y, (1, 15))
    n = len(every[1])
    monkeypatch.setattr(retrieval, "MOST_PAIRS", 20 * n + 1)
    some = retrieval_precision_rows(Z, y, (1, 15))
    asked = stratified_rows(y[y >= 0], 20)
    for k in (1, 15):
        assert np.array_equal(some[k], every[k][asked])
