"""The confusion of a neighbour classifier, against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, recall_score
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from core import datasets
from core.errors import BadInput
from core.metrics import confusion


@pytest.fixture(scope="module")
def plane():
    """Classes and first two principal components of 300 digits."""
    from sklearn.decomposition import PCA

    digits = datasets.load("digits")
    return digits.y_test[:300], PCA(2).fit_transform(digits.floats("test")[:300])


def by_scikit_learn(Z, y):
    return cross_val_predict(KNeighborsClassifier(15, algorithm="brute"), Z, y, cv=LeaveOneOut())


def test_counts_are_those_of_scikit_learn(plane):
    y, Z = plane
    predictions = confusion.predict_classes(Z, y)
    expected = by_scikit_learn(Z, y)
    assert np.array_equal(predictions, expected)
    found = confusion.count_confusions(y, predictions)
    assert np.array_equal(found.counts, confusion_matrix(y, expected))
    assert found.accuracy.value == pytest.approx((expected == y).mean())
    recalls = recall_score(y, expected, average=None)
    assert [found.of_class(k).value for k in range(10)] == pytest.approx(recalls.tolist())


def test_classes_that_are_left_out_neither_vote_nor_are_asked(plane):
    y, Z = plane
    pair = np.isin(y, (7, 9))
    predictions = confusion.predict_classes(Z, np.where(pair, y, -1))
    assert np.array_equal(predictions[pair], by_scikit_learn(Z[pair], y[pair]))
    assert (predictions[~pair] == confusion.NOT_ASKED).all()
    found = confusion.count_confusions(y, predictions)
    assert found.classes.tolist() == [7, 9]
    assert found.counts.sum() == pair.sum()
    # Rows without a position.
    Z = np.where(np.arange(300)[:, None] % 3, Z, np.nan)
    held = pair & (np.arange(300) % 3 > 0)
    predictions = confusion.predict_classes(Z, np.where(pair, y, -1))
    assert np.array_equal(predictions[held], by_scikit_learn(Z[held], y[held]))
    assert (predictions[~held] == confusion.NOT_ASKED).all()
    # A tied vote goes to the lower class.
    Z, y = np.array([[0.0], [1.0], [-1.0], [50.0]]), np.array([3, 3, 7, 7])
    assert confusion.predict_classes(Z, y, k=2).tolist() == [3, 3, 3, 3]


def test_methods_are_compared_on_the_rows_that_all_have(plane):
    y, _ = plane
    rng = np.random.default_rng(0)
    predictions = {
        "worst": rng.integers(0, 10, 300),
        "best": np.where(rng.random(300) < 0.9, y, 0),
        "close": np.where(rng.random(300) < 0.89, y, 0),
    }
    predictions["best"][:40] = confusion.NOT_ASKED
    found = confusion.compare_accuracy(y, predictions)
    assert [each.name for each in found][-1] == "worst"
    first, second, last = found
    assert all(each.accuracy.n == 260 for each in found)
    for each in (second, last):
        low, high = each.behind
        assert low <= first.accuracy.value - each.accuracy.value <= high
    assert first.behind is None
    assert (first.is_lower, second.is_lower, last.is_lower) == (False, False, True)
    none = np.full(300, confusion.NOT_ASKED)
    assert confusion.compare_accuracy(y, {"a": none, "b": y}) == []


def test_refuses(plane):
    y, Z = plane
    for n, labels, sentence in ((300, -1, "labels"), (300, np.where(y == 3, 3, -1), "one class"), (10, y, "k=15")):
        with pytest.raises(BadInput, match=sentence):
            confusion.predict_classes(Z[:n], np.broadcast_to(labels, 300)[:n])
