import numpy as np
import pytest

from core.metrics.retrieval import retrieval_precision_rows
from core.types import BadInput


def precision_by_loops(train, y_train, query, label, n):
    cosines = [np.dot(query, code) / np.linalg.norm(query) / np.linalg.norm(code) for code in train]
    answers = sorted(range(len(train)), key=lambda row: (-cosines[row], row))[:n]
    return sum(y_train[row] == label for row in answers) / n


def test_precision_of_each_query_is_that_of_the_direct_computation():
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(150, 6)), rng.normal(size=(30, 6))
    y_train, y_test = rng.integers(0, 3, size=150), rng.integers(0, 3, size=30)
    found = retrieval_precision_rows(train, y_train, test, y_test)
    assert list(found) == [1, 15, 63]
    for n, rows in found.items():
        expected = [precision_by_loops(train, y_train, q, c, n) for q, c in zip(test, y_test, strict=True)]
        assert rows == pytest.approx(expected, abs=1e-12)


def test_length_of_a_code_does_not_matter():
    rng = np.random.default_rng(1)
    train, test = rng.normal(size=(80, 4)), rng.normal(size=(20, 4))
    y_train, y_test = rng.integers(0, 2, size=80), rng.integers(0, 2, size=20)
    plain = retrieval_precision_rows(train, y_train, test, y_test, (5,))
    longer = retrieval_precision_rows(train * rng.uniform(1, 100, (80, 1)), y_train, 0.01 * test, y_test, (5,))
    assert np.array_equal(plain[5], longer[5])


def test_zero_codes_come_after_similar_and_before_opposite_ones():
    train, y_train = np.array([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.1]]), np.array([0, 1, 2])
    test = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    found = retrieval_precision_rows(train, y_train, test, np.array([2, 1, 0]), (1, 2))
    assert found[1].tolist() == [1.0, 0.0, 1.0]
    assert found[2].tolist() == [0.5, 0.5, 0.5]


def test_chance_level_for_codes_that_say_nothing():
    rng = np.random.default_rng(2)
    y_train, y_test = rng.integers(0, 4, size=600), rng.integers(0, 4, size=300)
    found = retrieval_precision_rows(rng.normal(size=(600, 5)), y_train, rng.normal(size=(300, 5)), y_test, (63,))
    assert found[63].mean() == pytest.approx(0.25, abs=0.02)


def test_unlabelled_rows_are_neither_answers_nor_queries():
    train, y_train = np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]), np.array([-1, 0, 1])
    found = retrieval_precision_rows(train, y_train, np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, -1]), (1,))
    assert found[1].tolist() == [1.0]


def test_refusals():
    Z, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    with pytest.raises(BadInput, match="63 neighbours"):
        retrieval_precision_rows(Z, y, Z, y)
    with pytest.raises(BadInput, match="NaN"):
        retrieval_precision_rows(Z, y, Z * np.nan, y, (1,))
    with pytest.raises(BadInput, match="needs labels"):
        retrieval_precision_rows(Z, np.full(20, -1), Z, y, (1,))
    for at in ((), (0, 5)):
        with pytest.raises(BadInput, match="Precision at"):
            retrieval_precision_rows(Z, y, Z, y, at)
