import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from core import datasets
from core.metrics.memorization import nearest_training_rows


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


def test_nearest_rows_and_distances_agree_with_scikit_learn(digits, monkeypatch):
    monkeypatch.setattr("core.metrics.memorization.ROWS_AT_ONCE", 100)  # several blocks
    X = digits.floats("test")[:80]
    found = nearest_training_rows(X, digits.X_train)
    distances, rows = NearestNeighbors(n_neighbors=2).fit(digits.floats("train")).kneighbors(X)
    assert found.distances == pytest.approx(distances, abs=1e-5)
    assert np.array_equal(found.rows, rows[:, 0])


def test_a_memoriser_is_flagged_and_test_rows_are_not(digits):
    rng = np.random.default_rng(0)
    remembered = digits.floats("train")[rng.integers(0, len(digits.X_train), 200)]
    assert nearest_training_rows(remembered, digits.X_train).is_copy.all()
    noisy = np.clip(remembered + rng.normal(0, 0.02, remembered.shape), 0, 1)
    assert nearest_training_rows(noisy, digits.X_train).is_copy.mean() > 0.9
    assert nearest_training_rows(digits.floats("test"), digits.X_train).is_copy.mean() < 0.01


def test_blurred_new_rows_are_no_copies_and_repeated_rows_hide_none(digits):
    X = digits.floats("test")
    blurred = (X[:200] + X[1:201]) / 2
    assert nearest_training_rows(blurred, digits.X_train).is_copy.mean() < 0.01
    found = nearest_training_rows(digits.floats("train")[:50], np.tile(digits.X_train[:50], (2, 1)))
    assert found.is_copy.all()
    assert found.distances.max() < 1e-6


def test_a_copy_in_a_far_corner_has_distance_nothing():
    rng = np.random.default_rng(0)
    X_train = rng.integers(200, 256, (500, 784), dtype=np.uint8)
    X = X_train[[3, 77]].astype(np.float32) / np.float32(255)
    found = nearest_training_rows(X, X_train)
    assert found.rows.tolist() == [3, 77]
    assert found.distances[:, 0].max() < 1e-5
