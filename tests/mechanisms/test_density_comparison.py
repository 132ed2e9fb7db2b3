"""Two distributions against each other: the divergence's truths, the best discriminator."""

import numpy as np
import pytest

from core.mechanisms import density_comparison, gaussian_mixtures
from core.mechanisms.gaussian_mixtures import Mixture
from tests.mechanisms.calibration import SEEDS, assert_calibrated
from tests.mechanisms.generators import linear


def test_jensen_shannon_is_the_truth_within_its_error():
    p, made = gaussian_mixtures.get_target("two_modes"), linear(1.5, 0.3)
    q = Mixture.from_means([0.5], np.hypot(1.5, 0.3))
    truth = density_comparison.integrate_jensen_shannon(p, q)
    assert density_comparison.integrate_jensen_shannon(p, made) == pytest.approx(truth, abs=1e-3)
    assert_calibrated([density_comparison.estimate_jensen_shannon(p, q, 1000, seed).deviation(truth) for seed in SEEDS])
    assert_calibrated(
        [density_comparison.estimate_jensen_shannon(p, made, 1000, seed).deviation(truth) for seed in SEEDS]
    )


def test_jensen_shannon_in_the_plane_is_the_truth_within_its_error():
    ring, made = gaussian_mixtures.get_target("ring"), linear(1.4, 0.1, dimension=2)
    truth = density_comparison.integrate_jensen_shannon(ring, Mixture.from_means([[0.5, 0.5]], np.hypot(1.4, 0.1)))
    assert_calibrated(
        [density_comparison.estimate_jensen_shannon(ring, made, 1000, seed).deviation(truth) for seed in SEEDS]
    )


def test_jensen_shannon_at_both_ends():
    p, far = Mixture.from_means([-3.0], 0.1), Mixture.from_means([3.0], 0.1)
    assert density_comparison.integrate_jensen_shannon(p, p) == pytest.approx(0, abs=1e-9)
    assert density_comparison.integrate_jensen_shannon(p, far) == pytest.approx(np.log(2), abs=1e-6)
    outside = Mixture.from_means([0.0, 900.0], 0.5)
    near = Mixture.from_means([0.0], 0.5)
    expected = density_comparison.integrate_jensen_shannon(near, outside, half_width=1000.0, step=0.05)
    assert density_comparison.integrate_jensen_shannon(near, outside) == pytest.approx(expected, abs=1e-4)


def test_the_best_discriminator_is_p_over_p_and_q():
    p, q = Mixture.from_means([-1.0], 0.8), Mixture.from_means([1.0], 1.2)
    x = np.array([[-1.0], [0.0], [2.0]])
    expected = p.density(x) / (p.density(x) + q.density(x))
    np.testing.assert_allclose(density_comparison.compute_optimal_discriminator(p, q, x), expected)


def test_modes_covered_counts():
    ring = gaussian_mixtures.get_target("ring")
    assert density_comparison.compute_mode_coverage(ring, ring.sample(2000, np.random.default_rng(0))) == 1
    one = ring.means[:1] + 0.05 * np.random.default_rng(0).normal(size=(100, 2))
    assert density_comparison.compute_mode_coverage(ring, one) == 1 / 8
    assert density_comparison.compute_mode_coverage(ring, np.zeros((100, 2))) == 0
