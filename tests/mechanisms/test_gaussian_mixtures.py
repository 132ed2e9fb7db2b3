"""Mixtures against scipy, integrals and draws; drawn data."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from core.errors import BadInput
from core.mechanisms import gaussian_mixtures
from core.mechanisms.gaussian_mixtures import TARGETS, Mixture, make_grid_points

AXIS = np.linspace(-6, 6, 301)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_target_against_scipy_integrals_and_draws(name):
    mixture = TARGETS[name][1]
    d = mixture.dimension
    x = mixture.sample(50_000, np.random.default_rng(0))
    parts = list(zip(mixture.weights, mixture.means, mixture.deviations, strict=True))
    expected = sum(w * multivariate_normal(mean, s**2 * np.eye(d)).pdf(x[:20]) for w, mean, s in parts)
    np.testing.assert_allclose(np.exp(mixture.log_density(x[:20])), expected)
    density = np.exp(mixture.log_density(make_grid_points(AXIS, d)))
    assert density.sum() * (AXIS[1] - AXIS[0]) ** d == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(mixture.density_on_grid(AXIS).ravel(), density, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(x.mean(0), mixture.mean, atol=0.05)
    assert (mixture.log_density(x) >= mixture.compute_log_threshold(0.99)).mean() == pytest.approx(0.99, abs=0.003)
    assert np.abs(x).max() < 5
    assert np.exp(mixture.log_density(mixture.mode[None])[0]) >= density.max() * (1 - 1e-4)


def test_mode_of_components_of_unequal_width():
    axis = np.linspace(-4, 4, 8001)
    for parts in (([0.0, 1.0, -2.0], [0.5, 1.0, 0.1], [1.0, 2.0, 0.2]), ([0.0, 0.6], [0.5, 1.0], [0.5, 0.5])):
        mixture = Mixture.from_means(*parts)
        assert mixture.mode[0] == pytest.approx(axis[mixture.density_on_grid(axis).argmax()], abs=2e-3)


def test_drawing_is_turned_upright_and_needs_two_points():
    mixture = gaussian_mixtures.make_from_drawing(np.array([[0, 0], [255, 255], [255, 255]], np.uint8))
    np.testing.assert_allclose(mixture.means, [[-3, 3], [3, -3], [3, -3]])
    np.testing.assert_allclose(mixture.weights, 1 / 3)
    many = np.random.default_rng(0).integers(0, 256, (5000, 2))
    assert len(gaussian_mixtures.make_from_drawing(many).weights) == 400
    with pytest.raises(BadInput, match="1 distinct"):
        gaussian_mixtures.make_from_drawing(np.array([[3, 3], [3, 3]]))
