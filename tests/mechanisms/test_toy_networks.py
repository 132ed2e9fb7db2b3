"""The density of a noisy generator against the closed one and its own draws."""

import numpy as np
from scipy.stats import norm

from core.mechanisms.gaussian_mixtures import make_grid_points
from tests.mechanisms.generators import SMALL, linear, played


def test_density_of_a_generator_is_the_closed_one():
    made = linear(1.2, 0.3)
    x = np.linspace(-4, 4, 41)[:, None]
    expected = norm(0.5, np.hypot(1.2, 0.3)).pdf(x[:, 0])
    np.testing.assert_allclose(np.exp(made.log_density(x)), expected, rtol=0.02, atol=3e-4)
    many = np.mean([np.exp(made.log_density(x, 64, seed)) for seed in range(200)], axis=0)
    np.testing.assert_allclose(many, expected, rtol=0.02, atol=2e-4)
    axis = np.linspace(-3, 4, 29)
    made = linear(1.4, 0.3, dimension=2)
    density = np.exp(made.log_density(make_grid_points(axis, 2)))
    np.testing.assert_allclose(made.density_on_grid(axis).ravel(), density, rtol=1e-3, atol=1e-6)


def test_density_in_the_plane_is_where_the_draws_are():
    made = played(SMALL, 50).generator
    x = made.sample(40_000, np.random.default_rng(0))
    edges = np.linspace(-4, 4, 17)
    counts, _, _ = np.histogram2d(x[:, 0], x[:, 1], [edges, edges])
    fine = np.linspace(-4, 4, 161)[:-1] + 0.025
    q = np.exp(made.log_density(make_grid_points(fine, 2))).reshape(160, 160).T  # [x, y]
    expected = q.reshape(16, 10, 16, 10).sum((1, 3)) * 0.05**2
    np.testing.assert_allclose(counts / len(x), expected, atol=0.01)
