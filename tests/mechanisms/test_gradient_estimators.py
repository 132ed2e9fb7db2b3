"""Both gradients against the exact one, and the exact variances against draws."""

import numpy as np
import pytest

from core.mechanisms import gradient_estimators
from core.mechanisms.gradient_estimators import REPARAMETERIZED, SCORE, Quadratic, Sines, measure_variance
from core.mechanisms.monte_carlo import Estimate
from tests.mechanisms.helpers import assert_calibrated

COSTS = (Quadratic(0.7), Sines(1.0), Sines(3.0))
MU = np.array([0.5, -1.0, 2.0])


@pytest.mark.parametrize("cost", COSTS, ids=str)
def test_slope_is_the_finite_difference(cost):
    Z, steps = np.random.default_rng(0).normal(size=(4, 1, 3)), 1e-6 * np.eye(3)
    difference = (cost.value(Z + steps) - cost.value(Z - steps)) / 2e-6
    np.testing.assert_allclose(cost.slope(Z[:, 0]), difference, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("cost", COSTS, ids=str)
def test_both_are_unbiased_with_the_closed_variances(cost):
    many = gradient_estimators.sample_gradients(cost, MU, 0.8, 400_000, np.random.default_rng(0))
    for estimator in (SCORE, REPARAMETERIZED):

        def estimate(rng, estimator=estimator):
            return Estimate.from_draws(gradient_estimators.sample_gradients(cost, MU, 0.8, 4000, rng)[estimator][:, 0])

        assert_calibrated(estimate, cost.gradient(MU, 0.8)[0])
        assert cost.variance(estimator, MU, 0.8) == pytest.approx(measure_variance(many[estimator]), rel=0.03)


def test_ratio_grows_with_dimension_for_the_quadratic_and_falls_with_the_frequency_of_sines():
    ratios = [Quadratic(0.0).ratio(np.ones(d), 1.0) for d in (1, 2, 4, 16, 64)]
    assert (np.diff(ratios) > 0).all()
    assert Sines(0.5).ratio(np.zeros(1), 1.0) > 1 > Sines(10.0).ratio(np.zeros(1), 1.0)
    # Means of draws leave out the remainder.
    np.testing.assert_allclose(gradient_estimators.average_in_groups(np.arange(7.0), 2), [0.5, 2.5, 4.5])
