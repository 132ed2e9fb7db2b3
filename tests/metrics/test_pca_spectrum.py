"""PCA's error at every code size against PCA fitted at each."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from core import datasets
from core.metrics import pca_spectrum
from core.types import IMAGES, Dataset


def fitted_error(X, T, k: int) -> float:
    """The squared error an image of a PCA fitted with k components, by scikit-learn in float64."""
    X, T = X.astype(np.float64), T.astype(np.float64)
    if k == 0:
        return float(np.square(T - X.mean(0)).sum(1).mean())
    pca = PCA(k, svd_solver="full").fit(X)
    return float(np.square(T - pca.inverse_transform(pca.transform(T))).sum(1).mean())


def test_error_at_every_size_is_that_of_pca_fitted_at_it():
    for name, sizes in (("digits", (0, 1, 2, 10, 40, 63, 64)), ("mnist-sample", (10, 100))):
        dataset = datasets.load(name)
        errors = pca_spectrum.pca_error_by_size(dataset)
        X, T = dataset.floats("train"), dataset.floats("test")
        assert errors[list(sizes)] == pytest.approx([fitted_error(X, T, k) for k in sizes], rel=1e-6, abs=1e-9)


def test_fewer_rows_than_pixels_have_fewer_components_and_the_error_then_stays():
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (30, 20), dtype=np.uint8)
    few = Dataset("few", IMAGES, X[:8], np.zeros(8, int), X[8:], np.zeros(22, int), ("a",), "", "", (4, 5))
    errors = pca_spectrum.pca_error_by_size(few)
    for k in (0, 3, 7):
        assert errors[k] == pytest.approx(fitted_error(few.floats("train"), few.floats("test"), k), rel=1e-6)
    assert errors[7:] == pytest.approx(np.full(14, errors[7]))


def test_decomposition_tells_the_least_error_of_its_own_rows(monkeypatch):
    for shape in ((200, 12), (12, 40)):
        X = np.random.default_rng(1).random(shape, dtype=np.float32)
        found = pca_spectrum.decompose(X)
        assert found.components @ found.components.T == pytest.approx(np.eye(len(found.components)), abs=1e-12)
        assert found.total == pytest.approx(np.square(X.astype(float) - X.mean(0, dtype=float)).sum(1).mean())
        for k in (1, 5):
            assert found.error(k) == pytest.approx(fitted_error(X, X, k))
    monkeypatch.setattr(pca_spectrum, "ROWS_AT_ONCE", 7)
    assert pca_spectrum.decompose(X).variances == pytest.approx(found.variances), "in several blocks"


def test_size_for_an_error_and_variance_left():
    errors = np.array([10.0, 4.0, 1.0, 1.0])
    assert [pca_spectrum.find_size(errors, error) for error in (20, 4, 3.9, 1, 0.5)] == [0, 1, 2, 2, None]
    assert pca_spectrum.variance_left(errors, 2.5) == 0.25
    assert pca_spectrum.variance_left(np.zeros(3), 0.0) == 0.0
