import numpy as np
import pytest

from core.metrics.retrieval import retrieval_precision_rows
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
