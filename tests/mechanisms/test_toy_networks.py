"""The density of a noisy generator against the closed one."""

import numpy as np
from scipy.stats import norm

from core.mechanisms.gaussian_mixtures import make_grid_points
from tests.mechanisms.helpers import linear


def test_density_of_a_generator_is_the_closed_one():
    made = linear(1.2, 0.3)
    x = np.linspace(-4, 4, 41)[:, None]
    expected = norm(0.5, np.hypot(1.2, 0.3)).pdf(x[:, 0])
    np.testing.assert_allclose(np.exp(made.log_density(x)), expected, rtol=0.02, atol=3e-4)
    many = np.mean([np.exp(made.log_density(x, 64, seed)) for seed in range(200)], axis=0)
    np.testing.assert_allclose(many, expected, rtol=0.02, atol=2e-4)
    axis = np.linspace(-3, 4, 29)
    made, points = linear(1.4, 0.3, dimension=2), make_grid_points(axis, 2)
    density, expected = np.exp(made.log_density(points)), norm(0.5, np.hypot(1.4, 0.3)).pdf(points).prod(1)
    np.testing.assert_allclose(density, expected, rtol=0.05, atol=3e-4)
    np.testing.assert_allclose(made.density_on_grid(axis).ravel(), density, rtol=1e-3, atol=1e-6)
