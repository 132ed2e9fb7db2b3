"""A generator's pixels and an autoencoder's random codes against closed forms, quadrature and draws."""

import numpy as np
import pytest

from core.mechanisms import output_distributions, random_codes
from core.mechanisms.output_distributions import BERNOULLI, FIXED, NORMAL, SIDE, Spot
from core.mechanisms.random_codes import MOST, NONE, SOME, Region
from tests.mechanisms.helpers import assert_calibrated


@pytest.mark.parametrize(
    "spot", [Spot(BERNOULLI), Spot(NORMAL, 0.3, 0.2), Spot(FIXED, 0.3, 0.2)], ids=lambda spot: spot.output
)
def test_moments_and_explained_variance_are_those_of_draws(spot):
    rng = np.random.default_rng(0)
    means = spot.compute_parameters(rng.standard_normal((50_000, 2)))
    images = spot.draw(means, rng)
    np.testing.assert_allclose(spot.mean, images.mean(0), atol=0.01)
    np.testing.assert_allclose(spot.variance, images.var(0), atol=0.01)
    np.testing.assert_allclose(spot.variance_of_means, means.var(0), atol=0.01)
    assert np.sqrt(np.square(images - means).mean(0)) == pytest.approx(
        np.sqrt(np.square(spot.compute_deviations(means)).mean(0)), abs=0.01
    )
    assert spot.variance_of_sum == pytest.approx(images.sum(1).var(), rel=0.03)
    truth = output_distributions.compute_explained_variance(spot)
    assert_calibrated(lambda rng: output_distributions.estimate_explained_variance(spot, 2000, rng), truth)


def test_a_normal_output_is_most_uncertain_at_the_edge_of_the_spot():
    means = np.array([[0.0, 0.5, 1.0]])
    assert Spot(NORMAL, noise=0.3).compute_deviations(means).tolist() == [[0, 0.3, 0]]
    assert Spot(FIXED, noise=0.3).compute_deviations(means).tolist() == [[0.3, 0.3, 0.3]]


def test_a_spot_is_up_and_right_at_positive_codes_and_explains_all_without_noise():
    image = Spot(BERNOULLI).compute_parameters(np.array([[1.0, 1.0]])).reshape(SIDE, SIDE)
    row, column = np.unravel_index(image.argmax(), image.shape)
    assert row < SIDE / 2 < column
    assert output_distributions.compute_explained_variance(Spot(NORMAL, 0.25, 0.0)) == 1


REGIONS = (
    Region(np.array([1.0, -0.5]), np.array([[4.0, 1.2], [1.2, 0.8]])),
    Region(np.zeros(2), np.eye(2)),
    Region(np.array([0.2, 0.1]), np.array([[0.01, 0.0], [0.0, 25.0]])),
)


def test_share_of_normal_codes_inside_is_the_truth_within_its_error():
    for region in REGIONS:
        assert_calibrated(
            lambda rng, r=region: random_codes.estimate_share_inside(r, rng.standard_normal((4000, 2))),
            region.compute_normal_share(),
        )


def test_region_holds_95_percent_of_its_codes_within_its_outline():
    region = REGIONS[0]
    codes = np.random.default_rng(0).multivariate_normal(region.mean, region.covariance, 100_000)
    assert region.contains(codes).mean() == pytest.approx(0.95, abs=0.003)
    assert REGIONS[1].compute_normal_share() == pytest.approx(0.95, abs=1e-6)
    np.testing.assert_allclose(Region.fit(codes).covariance, region.covariance, atol=0.05)
    offsets = region.compute_outline(region.radius) - region.mean
    assert region.contains(region.mean + 0.99 * offsets).all()
    assert not region.contains(region.mean + 1.01 * offsets).any()


def test_region_of_more_dimensions_and_the_direction_to_look_along():
    rng = np.random.default_rng(0)
    factor = rng.standard_normal((10, 10))
    region = Region(np.r_[6.0, np.zeros(9)], factor @ factor.T)
    codes = rng.multivariate_normal(region.mean, region.covariance, 50_000)
    assert region.contains(codes).mean() == pytest.approx(0.95, abs=0.004)
    assert Region.of_normal(10).contains(rng.standard_normal((50_000, 10))).mean() == pytest.approx(0.95, abs=0.004)
    view = random_codes.choose_view(region)
    np.testing.assert_allclose(view.T @ view, np.eye(2), atol=1e-9)
    np.testing.assert_allclose(region.project(view).covariance, np.cov((codes @ view).T), rtol=0.05, atol=0.2)

    def measure_separation(direction):
        return (region.mean @ direction) ** 2 / (direction @ (region.covariance + np.eye(10)) @ direction)

    others = rng.standard_normal((2000, 10))
    assert not region.contains(np.zeros((1, 10)))[0]
    assert measure_separation(view[:, 0]) >= max(map(measure_separation, others))


def test_failures_are_graded_by_what_real_rows_reach():
    grades = [random_codes.grade_failure(score, 0.8) for score in (0.85, 0.73, 0.7, 0.41, 0.39, 0.0)]
    assert grades == [NONE, NONE, SOME, SOME, MOST, MOST]


def test_marginal_of_images_is_a_mean_over_codes():
    spot, Z = Spot(BERNOULLI, 0.4), np.random.default_rng(1).standard_normal((20_000, 2))
    images = output_distributions.sample_images(spot, 4, 0)
    means = spot.compute_parameters(Z).clip(1e-300, 1 - 1e-12)
    given_code = images @ np.log(means).T + (1 - images) @ np.log1p(-means).T
    expected = np.logaddexp.reduce(given_code, axis=1) - np.log(len(Z))
    np.testing.assert_allclose(spot.log_marginal(images), expected, atol=0.25)


def test_both_measures_are_best_for_the_data_themselves():
    data, others = Spot(BERNOULLI, 0.25), [Spot(BERNOULLI, radius) for radius in (0.2, 0.25, 0.4)]
    found = output_distributions.compare_with_data(data, others, 60)
    assert [each.accuracy.value for each in found].index(0.5) == 1
    assert max(found, key=lambda each: each.log_likelihood.value) is found[1]
    # No other rule is better than the optimal discriminator: such as one that counts white pixels.
    for generator, each in zip(others, found, strict=True):
        real, made = (output_distributions.sample_images(spot, 4000, 7).sum(1) for spot in (data, generator))
        best = max(abs((real > k).mean() - (made > k).mean()) for k in range(256)) / 2 + 0.5
        assert best <= each.accuracy.value + 4 * max(each.accuracy.error, 0.01)
