"""A generator's pixels and an autoencoder's random codes against closed forms, quadrature and draws."""

import numpy as np
import pytest
from scipy.integrate import dblquad

from core.mechanisms import output_distributions, random_codes
from core.mechanisms.output_distributions import BERNOULLI, NORMAL, SIDE, Spot
from core.mechanisms.random_codes import RADIUS, Region
from tests.mechanisms.calibration import SEEDS, assert_calibrated

SPOTS = (Spot(BERNOULLI), Spot(NORMAL, 0.3, 0.2))


@pytest.mark.parametrize("spot", SPOTS, ids=lambda spot: spot.output)
def test_moments_of_pixels_are_those_of_draws(spot):
    rng = np.random.default_rng(0)
    means = spot.parameters(rng.standard_normal((50_000, 2)))
    images = spot.draw(means, rng)
    np.testing.assert_allclose(spot.mean, images.mean(0), atol=0.01)
    np.testing.assert_allclose(spot.variance, images.var(0), atol=0.01)
    np.testing.assert_allclose(spot.variance_of_means, means.var(0), atol=0.01)


def test_a_pixels_mean_is_the_integral():
    spot, k = Spot(BERNOULLI), 5 * SIDE + 9

    def inner(y, x):
        z = np.array([[x, y]])
        return spot.parameters(z)[0, k] * np.exp(-(x**2 + y**2) / 2) / (2 * np.pi)

    assert spot.mean[k] == pytest.approx(dblquad(inner, -6, 6, -6, 6, epsabs=1e-6)[0], abs=1e-5)


def test_the_spot_is_where_the_code_says():
    image = Spot(NORMAL).parameters(np.array([[1.0, 1.0]])).reshape(SIDE, SIDE)
    row, column = np.unravel_index(image.argmax(), image.shape)
    assert row < SIDE / 2 < column


@pytest.mark.parametrize("spot", SPOTS, ids=lambda spot: spot.output)
def test_explained_variance_is_the_truth_within_its_error(spot):
    truth = output_distributions.compute_explained_variance(spot)
    rngs = [np.random.default_rng(seed) for seed in SEEDS]
    assert_calibrated(
        [output_distributions.estimate_explained_variance(spot, 2000, rng).deviation(truth) for rng in rngs]
    )


def test_without_noise_the_code_explains_all():
    assert output_distributions.compute_explained_variance(Spot(NORMAL, 0.25, 0.0)) == 1
    assert output_distributions.compute_explained_variance(Spot(BERNOULLI)) < 0.5


REGIONS = (
    Region(np.array([1.0, -0.5]), np.array([[4.0, 1.2], [1.2, 0.8]])),
    Region(np.zeros(2), np.eye(2)),
    Region(np.array([0.2, 0.1]), np.array([[0.01, 0.0], [0.0, 25.0]])),
)


@pytest.mark.parametrize("region", REGIONS)
def test_share_of_normal_codes_inside_is_the_truth_within_its_error(region):
    truth = region.compute_normal_share()
    found = [
        random_codes.estimate_share_inside(region, np.random.default_rng(seed).standard_normal((4000, 2))).deviation(
            truth
        )
        for seed in SEEDS
    ]
    assert_calibrated(found)


def test_the_region_holds_95_percent_of_its_own_and_the_outline_is_its_edge():
    region = REGIONS[0]
    codes = np.random.default_rng(0).multivariate_normal(region.mean, region.covariance, 100_000)
    assert region.contains(codes).mean() == pytest.approx(0.95, abs=0.003)
    assert Region(np.zeros(2), np.eye(2)).compute_normal_share() == pytest.approx(0.95, abs=1e-6)
    fitted = Region.fit(codes)
    np.testing.assert_allclose(fitted.covariance, region.covariance, atol=0.05)
    centre = region.compute_outline(RADIUS).mean(0)
    assert region.contains(centre + 0.99 * (region.compute_outline(RADIUS) - centre)).all()
    assert not region.contains(region.mean + 1.01 * (region.compute_outline(RADIUS) - region.mean)).any()


def test_kl_is_zero_for_the_standard_normal():
    assert REGIONS[1].kl_to_normal == pytest.approx(0)
    assert REGIONS[0].kl_to_normal > 1
