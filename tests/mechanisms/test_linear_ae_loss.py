"""The loss surface of the tied linear autoencoder against draws, finite differences and PCA."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from core.mechanisms import linear_ae_loss

C = linear_ae_loss.make_covariance(3.0, 0.5, 30)


def test_loss_is_the_mean_squared_error_of_rows():
    X = np.random.default_rng(0).multivariate_normal(np.zeros(2), C, 200_000)
    w = np.array([0.6, -0.3])
    assert linear_ae_loss.compute_loss(C, w) == pytest.approx(np.square(X - np.outer(X @ w, w)).sum(1).mean(), rel=0.01)


def test_gradient_and_hessian_are_finite_differences():
    w, step = np.array([0.6, -0.3]), 1e-5
    for k in range(2):
        e = step * np.eye(2)[k]
        difference = (linear_ae_loss.compute_loss(C, w + e) - linear_ae_loss.compute_loss(C, w - e)) / (2 * step)
        assert linear_ae_loss.compute_gradient(C, w)[k] == pytest.approx(difference, rel=1e-6)
        moved = linear_ae_loss.compute_gradient(C, w + e) - linear_ae_loss.compute_gradient(C, w - e)
        np.testing.assert_allclose(linear_ae_loss.compute_hessian(C, w)[k], moved / (2 * step), rtol=1e-6)


def test_stationary_points_are_the_principal_directions():
    first, other, second, _, zero = found = linear_ae_loss.find_stationary_points(C)
    assert [each.kind for each in found] == ["minimum", "minimum", "saddle", "saddle", "maximum"]
    for each in found:
        np.testing.assert_allclose(linear_ae_loss.compute_gradient(C, each.w), 0, atol=1e-12)
    assert (first.loss, second.loss, zero.loss) == pytest.approx((0.5, 3.0, 3.5))
    np.testing.assert_allclose(first.w, -other.w)
    X = np.random.default_rng(0).multivariate_normal(np.zeros(2), C, 50_000)
    assert abs(PCA(1).fit(X).components_[0] @ first.w) == pytest.approx(1, abs=1e-3)

    equal = linear_ae_loss.find_stationary_points(linear_ae_loss.make_covariance(1.0, 1.0, 0))
    assert [each.kind for each in equal] == ["minimum"] * 4 + ["maximum"]


def test_descent_ends_at_the_first_component_or_where_it_diverges():
    for start in ((0.1, 0.9), (-1.2, 0.4), (0.01, 0.0)):
        path = linear_ae_loss.descend(C, np.array(start), 0.1, 400)
        losses = linear_ae_loss.compute_loss(C, path)
        assert (np.diff(losses) <= 1e-12).all()
        assert abs(path[-1] @ linear_ae_loss.find_stationary_points(C)[0].w) == pytest.approx(1, abs=1e-6)
        assert losses[-1] == pytest.approx(0.5)
    path = linear_ae_loss.descend(C, np.array([2.0, 2.0]), 5.0, 100)
    assert np.isfinite(path).all()
    assert len(path) < 101
