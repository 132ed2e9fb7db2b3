"""Two distributions against each other: the divergence's truths, the optimal discriminator."""

import numpy as np
import pytest

from core.mechanisms import density_comparison
from core.mechanisms.gaussian_mixtures import TARGETS, Mixture
from tests.mechanisms.helpers import assert_calibrated, linear


@pytest.mark.parametrize(("name", "slope", "noise"), [("two_modes", 1.5, 0.3), ("ring", 1.4, 0.1)])
def test_jensen_shannon_is_the_truth_within_its_error(name, slope, noise):
    p = TARGETS[name][1]
    made, q = linear(slope, noise, p.dimension), Mixture.from_means([[0.5] * p.dimension], np.hypot(slope, noise))
    truth = density_comparison.integrate_jensen_shannon(p, q)
    assert density_comparison.integrate_jensen_shannon(p, made) == pytest.approx(truth, abs=1e-3)
    for each in (q, made):
        assert_calibrated(lambda rng, q=each: density_comparison.estimate_jensen_shannon(p, q, 1000, rng), truth)


def test_jensen_shannon_at_both_ends():
    p, far = Mixture.from_means([-3.0], 0.1), Mixture.from_means([3.0], 0.1)
    assert density_comparison.integrate_jensen_shannon(p, p) == pytest.approx(0, abs=1e-9)
    assert density_comparison.integrate_jensen_shannon(p, far) == pytest.approx(np.log(2), abs=1e-6)
    near, outside = Mixture.from_means([0.0], 0.5), Mixture.from_means([0.0, 900.0], 0.5)
    expected = density_comparison.integrate_jensen_shannon(near, outside, half_width=1000.0, step=0.05)
    assert density_comparison.integrate_jensen_shannon(near, outside) == pytest.approx(expected, abs=1e-4)


def test_optimal_discriminator_is_p_over_p_and_q():
    p, q = np.array([0.3, 1e-5, 2.0]), np.array([0.1, 0.4, 2.0])
    found = density_comparison.compute_optimal_discriminator(np.log(p), np.log(q))
    np.testing.assert_allclose(found, p / (p + q))


def test_mode_coverage_counts_reached_components():
    ring, rng = TARGETS["ring"][1], np.random.default_rng(0)
    one = ring.means[:1] + 0.05 * rng.normal(size=(100, 2))
    for samples, share in ((ring.sample(2000, rng), 1), (one, 1 / 8), (np.zeros((100, 2)), 0)):
        assert density_comparison.compute_mode_coverage(ring, samples) == share
