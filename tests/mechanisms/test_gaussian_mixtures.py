"""Mixtures against scipy, integrals and draws; drawn data; what is refused."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from core.errors import BadInput
from core.mechanisms import gaussian_mixtures
from core.mechanisms.gaussian_mixtures import TARGETS, Mixture

NAMES = sorted(TARGETS)


def on_grid(mixture: Mixture, reach: float = 6.0, n: int = 301):
    axis = np.linspace(-reach, reach, n)
    grid = np.stack(np.meshgrid(*[axis] * mixture.dimension), -1).reshape(-1, mixture.dimension)
    return grid, (axis[1] - axis[0]) ** mixture.dimension


@pytest.mark.parametrize("name", NAMES)
def test_density_is_scipys_and_integrates_to_one(name):
    mixture = gaussian_mixtures.get_target(name)
    assert mixture.dimension == TARGETS[name][1]
    x = mixture.sample(20, np.random.default_rng(0))
    parts = zip(mixture.weights, mixture.means, mixture.deviations, strict=True)
    expected = sum(w * multivariate_normal(mean, s**2 * np.eye(len(mean))).pdf(x) for w, mean, s in parts)
    np.testing.assert_allclose(mixture.density(x), expected)
    grid, volume = on_grid(mixture)
    assert mixture.density(grid).sum() * volume == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_density_on_a_grid_is_that_at_its_places(name):
    mixture, axis = gaussian_mixtures.get_target(name), np.linspace(-3, 4, 29)
    grid = np.stack(np.meshgrid(*[axis] * mixture.dimension), -1).reshape(-1, mixture.dimension)
    expected = mixture.density(grid).reshape([29] * mixture.dimension)
    np.testing.assert_allclose(mixture.density_on_grid(axis), expected, rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("name", NAMES)
def test_draws_have_its_mean_and_covariance_and_lie_where_it_says(name):
    mixture = gaussian_mixtures.get_target(name)
    x = mixture.sample(50_000, np.random.default_rng(0))
    np.testing.assert_allclose(x.mean(0), mixture.mean, atol=0.05)
    np.testing.assert_allclose(np.cov(x.T).reshape(mixture.cov.shape), mixture.cov, atol=0.06)
    assert (mixture.log_density(x) >= mixture.compute_log_threshold(0.99)).mean() == pytest.approx(0.99, abs=0.003)
    assert np.abs(x).max() < 5


@pytest.mark.parametrize("name", NAMES)
def test_highest_is_the_highest_place_of_a_grid(name):
    mixture = gaussian_mixtures.get_target(name)
    grid, _ = on_grid(mixture, 4.0)
    assert mixture.density(mixture.mode[None])[0] >= mixture.density(grid).max() * (1 - 1e-4)


def test_highest_where_components_are_not_equally_wide():
    mixture = Mixture.from_means([0.0, 1.0, -2.0], [0.5, 1.0, 0.1], [1.0, 2.0, 0.2])
    grid, _ = on_grid(mixture, 4.0, 8001)
    assert mixture.mode[0] == pytest.approx(grid[mixture.density(grid).argmax(), 0], abs=2e-3)
    crowd = Mixture.from_means([0.0, 0.6], [0.5, 1.0], [0.5, 0.5])
    assert crowd.mode[0] == pytest.approx(grid[crowd.density(grid).argmax(), 0], abs=2e-3)


def test_drawn_points_are_turned_the_right_way_up():
    mixture = gaussian_mixtures.make_from_drawing([[0, 0], [255, 255], [255, 255]])
    np.testing.assert_allclose(mixture.means, [[-3, 3], [3, -3], [3, -3]])
    np.testing.assert_allclose(mixture.weights, 1 / 3)
    assert len(gaussian_mixtures.make_from_drawing(np.random.default_rng(0).integers(0, 256, (5000, 2))).weights) == 400


@pytest.mark.parametrize(
    ("points", "told"),
    [
        ([], "0 distinct"),
        ([[3, 3], [3, 3]], "1 distinct"),
        ([[0, 0], [0, 300]], "outside 0 to 255"),
        ([[0, np.nan], [1, 1]], "outside 0 to 255"),
        ([[1, 2, 3]], "no places"),
    ],
)
def test_what_a_drawing_must_be(points, told):
    with pytest.raises(BadInput, match=told):
        gaussian_mixtures.make_from_drawing(points)


def test_what_a_mixture_must_be():
    with pytest.raises(BadInput, match="choose one of"):
        gaussian_mixtures.get_target("cube")
    with pytest.raises(BadInput, match="positive"):
        Mixture.from_means([0.0, 1.0], 0.0)
    with pytest.raises(BadInput, match="no mixture"):
        Mixture.from_means([0.0, 1.0], 0.1, [1.0])
