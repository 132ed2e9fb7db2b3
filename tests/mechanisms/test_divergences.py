"""Fits by three divergences against moment matching, closed KLs and each other's limits."""

import numpy as np
import pytest

from core.mechanisms import divergences
from core.mechanisms.divergences import FORWARD, FULL, ISOTROPIC, JENSEN_SHANNON, REVERSE, Gaussian
from core.mechanisms.gaussian_mixtures import Mixture

LINE, PLANE = divergences.make_grid(1), divergences.make_grid(2)
TWO = Mixture.from_means([[-2.0], [2.5]], [0.7, 0.5], [0.6, 0.4])
THREE = Mixture.from_means([[-2.0, 0.0], [2.0, 1.0], [1.0, -2.5]], [0.6, 0.8, 0.5], [1, 1, 2])


@pytest.mark.parametrize("target", [TWO, THREE], ids=["line", "plane"])
def test_forward_kl_matches_moments(target):
    grid, start = divergences.make_grid(target.dimension), np.zeros((1, target.dimension))
    p = np.exp(target.log_density(grid.points)) * grid.volume
    assert p.sum() == pytest.approx(1, abs=1e-6)
    mean = p @ grid.points
    covariance = (p * (grid.points - mean).T) @ (grid.points - mean)
    found = divergences.fit_gaussian(target, FORWARD, start)[0].gaussian
    isotropic = divergences.fit_gaussian(target, FORWARD, start, shape=ISOTROPIC)[0].gaussian
    for gaussian, atol in ((divergences.match_moments(target), 1e-5), (found, 1e-3)):
        np.testing.assert_allclose(gaussian.mean, mean, atol=atol)
        np.testing.assert_allclose(gaussian.covariance, covariance, atol=atol)
    np.testing.assert_allclose(isotropic.covariance, np.trace(covariance) / len(mean) * np.eye(len(mean)), atol=1e-3)


def test_reverse_kl_finds_a_mode_that_depends_on_the_start():
    found = divergences.fit_gaussian(TWO, REVERSE, np.array([[-2.0], [2.5]]))
    assert [float(fit.gaussian.mean[0]) for fit in found] == pytest.approx([-2.0, 2.5], abs=0.1)
    # Far apart, a fit is the mode itself, and its KL is minus the logarithm of the mode's weight.
    assert [fit.value for fit in found] == pytest.approx([-np.log(0.6), -np.log(0.4)], abs=0.02)


@pytest.mark.parametrize("divergence", [FORWARD, REVERSE, JENSEN_SHANNON])
def test_gaussian_target_is_found_again(divergence):
    target = Mixture.from_means([[0.5, -1.0], [9.0, 9.0]], [0.8, 1.0], [1, 0])
    for shape in (ISOTROPIC, FULL):
        found = divergences.fit_gaussian(target, divergence, np.array([[1.0, 0.0]]), shape=shape)[0]
        np.testing.assert_allclose(found.gaussian.mean, [0.5, -1.0], atol=2e-3)
        np.testing.assert_allclose(found.gaussian.covariance, 0.64 * np.eye(2), atol=5e-3)
        assert found.value == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("divergence", [FORWARD, REVERSE, JENSEN_SHANNON])
def test_fit_is_a_local_minimum(divergence):
    """A wrong gradient would stop the fit elsewhere: no small step along a parameter leads lower."""
    p = np.exp(THREE.log_density(PLANE.points))
    found = divergences.fit_gaussian(THREE, divergence, np.array([[1.0, -1.0]]), pi=0.3)[0]
    factor = np.linalg.cholesky(found.gaussian.covariance)

    def value(mean, factor):
        return divergences.compute_divergence(divergence, p, Gaussian(mean, factor @ factor.T), 0.3)

    assert value(found.gaussian.mean, factor) == pytest.approx(found.value)
    for step in (-1e-2, 1e-2):
        for k in range(2):
            assert value(found.gaussian.mean + step * np.eye(2)[k], factor) > found.value
        for i, j in ((0, 0), (1, 0), (1, 1)):
            moved = factor.copy()
            moved[i, j] += step
            assert value(found.gaussian.mean, moved) > found.value


def test_divergences_of_gaussians_are_the_closed_ones():
    p, q = Gaussian(np.array([0.5]), np.array([[0.8]])), Gaussian(np.array([-0.5]), np.array([[1.5]]))
    density = np.exp(p.log_density(LINE.points))
    for divergence, (one, other) in {FORWARD: (p, q), REVERSE: (q, p)}.items():
        closed = one.compute_kl(other)
        assert divergences.compute_divergence(divergence, density, q) == pytest.approx(closed, abs=1e-6)
    assert 0 < divergences.compute_divergence(JENSEN_SHANNON, density, q) < 4 * np.log(2)


def test_jensen_shannon_tends_to_the_two_kls():
    # The limits are reached where the density in the logarithm's denominator is nowhere the far smaller one.
    p = np.exp(TWO.log_density(LINE.points))
    for mean, variance, pi, limit in ((0.0, 6.0, 1e-7, FORWARD), (-2.0, 0.3, 1 - 1e-7, REVERSE)):
        q = Gaussian(np.array([mean]), np.array([[variance]]))
        expected = divergences.compute_divergence(limit, p, q)
        assert divergences.compute_divergence(JENSEN_SHANNON, p, q, pi) == pytest.approx(expected, rel=1e-3)
    starts = np.array([[-2.0], [0.0], [2.5]])
    for pi, variance, tolerance in ((0.01, divergences.match_moments(TWO).covariance[0, 0], 0.1), (0.99, 0.49, 0.2)):
        found = divergences.fit_gaussian(TWO, JENSEN_SHANNON, starts, pi=pi)[0].gaussian
        assert found.covariance[0, 0] == pytest.approx(variance, rel=tolerance)
