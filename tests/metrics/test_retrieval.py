import numpy as np
import pytest

from core.metrics import retrieval
from core.metrics.embedding import stratified_rows
from core.metrics.intervals import mean_interval
from core.metrics.retrieval import answer_counts, curve, retrieval_precision_rows
from core.types import BadInput


def precision_by_loops(Z, y, query, n):
    def cosine(row):
        return np.dot(Z[query], Z[row]) / np.linalg.norm(Z[query]) / np.linalg.norm(Z[row])

    others = [row for row in range(len(Z)) if row != query]
    answers = sorted(others, key=lambda row: (-cosine(row), row))[:n]
    return sum(y[row] == y[query] for row in answers) / n


def test_precision_of_each_query_is_that_of_the_direct_computation():
    rng = np.random.default_rng(0)
    Z, y = rng.normal(size=(100, 6)), rng.integers(0, 3, size=100)
    found = retrieval_precision_rows(Z, y)
    assert list(found) == [1, 15, 63]
    for n, rows in found.items():
        assert rows == pytest.approx([precision_by_loops(Z, y, query, n) for query in range(100)], abs=1e-12)


def test_length_of_a_code_does_not_matter():
    rng = np.random.default_rng(1)
    Z, y = rng.normal(size=(80, 4)), rng.integers(0, 2, size=80)
    plain = retrieval_precision_rows(Z, y, (5,))
    longer = retrieval_precision_rows(Z * rng.uniform(1, 100, (80, 1)), y, (5,))
    assert np.array_equal(plain[5], longer[5])


def test_a_query_never_answers_itself():
    # Alone in its class: every answer is of another class, however many equal codes there are.
    Z = np.ones((10, 3))
    y = np.arange(10)
    assert not retrieval_precision_rows(Z, y, (5,))[5].any()


def test_zero_codes_come_after_similar_and_before_opposite_ones():
    Z, y = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0], [1.0, 0.1]]), np.array([0, 1, 2, 0])
    found = retrieval_precision_rows(Z, y, (1, 2))
    assert found[1][0] == 1.0
    assert found[2][0] == 0.5
    same_as_zero = retrieval_precision_rows(Z, np.array([0, 1, 0, 1]), (2,))
    assert same_as_zero[2][0] == 0.5


def test_chance_level_for_codes_that_say_nothing():
    rng = np.random.default_rng(2)
    found = retrieval_precision_rows(rng.normal(size=(600, 5)), rng.integers(0, 4, size=600), (63,))
    assert found[63].mean() == pytest.approx(0.25, abs=0.02)


def test_unlabelled_rows_are_neither_answers_nor_queries():
    Z, y = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [1.0, 0.2]]), np.array([-1, 0, 1, 0])
    assert retrieval_precision_rows(Z, y, (1,))[1].tolist() == [1.0, 0.0, 1.0]


def test_refusals():
    Z, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    with pytest.raises(BadInput, match="63 answers"):
        retrieval_precision_rows(Z, y)
    with pytest.raises(BadInput, match="NaN"):
        retrieval_precision_rows(Z * np.nan, y, (1,))
    with pytest.raises(BadInput, match="needs labels"):
        retrieval_precision_rows(Z, np.full(20, -1), (1,))
    for at in ((), (0, 5)):
        with pytest.raises(BadInput, match="Precision at"):
            retrieval_precision_rows(Z, y, at)


@pytest.mark.parametrize(
    ("n", "counts"),
    [(0, []), (1, []), (2, [1]), (3, [1, 2]), (5, [1, 3, 4]), (16, [1, 3, 7, 15]), (17, [1, 3, 7, 15, 16])],
)
def test_counts_of_answers_double_up_to_all_others(n, counts):
    assert answer_counts(n) == counts


@pytest.mark.parametrize("sparse", [False, True])
def test_a_curve_averages_the_relevance_of_scikit_learns_sorted_cosines(sparse, small_chunks):
    from scipy.sparse import csr_array
    from sklearn.metrics.pairwise import cosine_similarity

    rng = np.random.default_rng(3)
    Z, y = rng.normal(size=(90, 8)) * (rng.random((90, 8)) < 0.6), rng.integers(0, 4, size=90)
    Z[[5, 6]] = 0
    cosines = cosine_similarity(Z).round(12)
    np.fill_diagonal(cosines, -2)
    relevant = y[np.argsort(-cosines, axis=1, kind="stable")] == y[:, None]
    counts = [1, 3, 7, 15, 31, 63, 89]
    rows = retrieval_precision_rows(csr_array(Z) if sparse else Z, y, answer_counts(90))
    at, precision = curve(rows)
    assert at.tolist() == counts
    for n, (mean, low, high) in zip(counts, precision, strict=True):
        expected = relevant[:, :n].mean(axis=1)
        assert rows[n] == pytest.approx(expected, abs=1e-12)
        assert (mean, low, high) == pytest.approx((expected.mean(), *mean_interval(expected)), abs=1e-6)
    sizes = np.bincount(y)
    assert precision[-1, 0] == pytest.approx((sizes * (sizes - 1)).sum() / (90 * 89))


@pytest.mark.parametrize("sparse", [False, True])
def test_of_equal_codes_the_lower_row_answers_first(sparse):
    from scipy.sparse import csr_array

    # Equal but for their length; the middle one alone points elsewhere.
    Z, y = np.outer([1.0, 3.0, 0.1, 7.0, 2.0], [0.3, 0.7, 0.2]), np.array([0, 1, 1, 1, 0])
    Z[2] = [1, 0, 0]
    rows = retrieval_precision_rows(csr_array(Z) if sparse else Z, y, (1, 2, 3, 4))
    # Rows 1, 3, 4 and then 2; 0, 1, 3 and then 2.
    assert [rows[n][0] for n in (1, 2, 3, 4)] == [0, 0, 1 / 3, 1 / 4]
    assert [rows[n][4] for n in (1, 2, 3, 4)] == [1, 1 / 2, 1 / 3, 1 / 4]


def test_of_many_rows_a_stratified_sample_asks_for_all(monkeypatch):
    rng = np.random.default_rng(4)
    Z, y = rng.normal(size=(100, 3)), rng.integers(-1, 3, size=100)
    every = retrieval_precision_rows(Z, y, (1, 15))
    n = len(every[1])
    monkeypatch.setattr(retrieval, "MOST_PAIRS", 20 * n + 1)
    some = retrieval_precision_rows(Z, y, (1, 15))
    asked = stratified_rows(y[y >= 0], 20)
    assert len(asked) == 20
    for k in (1, 15):
        assert np.array_equal(some[k], every[k][asked])
