"""Means over seeds, gaps and labels saved."""

import numpy as np
import pytest
from scipy import stats

from core.errors import BadInput
from core.semi_supervised import statistics
from core.semi_supervised.statistics import Estimate, Worth, estimate_gap, estimate_labels_worth, estimate_mean

COUNTS = (10, 20, 50, 100, 400)


def line(n):
    """An error that is linear in the logarithm of the number of labels."""
    return 0.5 - 0.1 * np.log10(n)


def around(value, n_seeds=4, spread=0.01):
    """Errors of a few seeds with exactly this mean."""
    return {seed: value + spread * (seed - (n_seeds - 1) / 2) for seed in range(n_seeds)}


STRAIGHT = {n: around(line(n)) for n in COUNTS}
EXACT = {n: around(line(n), spread=0.0) for n in COUNTS}


def test_estimate_is_the_mean_with_scipys_t_interval():
    for n in (2, 3, 20):
        values = np.random.default_rng(n).normal(0.1, 0.02, n)
        estimate = estimate_mean(dict(enumerate(values)))
        low, high = stats.t.interval(0.95, n - 1, loc=values.mean(), scale=stats.sem(values))
        assert (estimate.mean, estimate.low, estimate.high) == pytest.approx((values.mean(), low, high))
        assert estimate.n == n
    assert estimate_mean({7: 0.25}) == Estimate(0.25, None, None, 1)
    with pytest.raises(BadInput, match="A mean over seeds needs at least one seed"):
        estimate_mean({})


def test_intervals_are_cut_off_at_the_range_of_errors_and_may_exclude_zero():
    low, high = {0: 0.001, 1: 0.03}, {0: 0.999, 1: 0.96}
    assert (statistics.estimate_error(low).low, statistics.estimate_error(low).high) == (0.0, estimate_mean(low).high)
    assert statistics.estimate_error(high).high == 1.0
    for ends, excludes in (((0.1, 0.3), True), ((-0.3, -0.1), True), ((-0.1, 0.1), False), ((0.0, 0.2), False)):
        assert Estimate(sum(ends) / 2, *ends, 3).excludes_zero is excludes
    assert not estimate_mean({7: 0.25}).excludes_zero


def test_errors_are_interpolated_in_the_logarithm_of_labels():
    for n in (10, 11, 33.3, 100, 399, 400):
        assert statistics.interpolate_errors(STRAIGHT, n) == pytest.approx(around(line(n)))
    assert [statistics.interpolate_errors(STRAIGHT, n) for n in (9, 401)] == [{}, {}]
    assert statistics.interpolate_errors({10: {0: 0.4}}, 10) == {0: 0.4}
    errors = {10: {0: 0.4, 1: 0.5}, 20: {1: 0.3, 2: 0.2}}
    assert [list(statistics.interpolate_errors(errors, n)) for n in (15, 10, 20)] == [[1], [0, 1], [1, 2]]


def test_gap_is_paired_so_that_shared_noise_cancels():
    random = np.random.default_rng(0)
    hardness = random.normal(0, 0.05, 6)
    own = {n: {seed: line(n) - 0.02 + hardness[seed] for seed in range(6)} for n in COUNTS}
    baseline = {n: {seed: line(n) + hardness[seed] + 0.001 * (-1) ** seed for seed in range(6)} for n in COUNTS}
    gap = estimate_gap(own, baseline, 30)
    half = stats.t.ppf(0.975, 5) * np.std([0.001, -0.001] * 3, ddof=1) / np.sqrt(6)
    assert (gap.mean, gap.low, gap.high) == pytest.approx((0.02, 0.02 - half, 0.02 + half))
    # Over the seeds that both have.
    own, baseline = {10: {0: 0.1, 1: 0.2, 2: 0.3}}, {10: {1: 0.3, 2: 0.5, 3: 0.9}}
    assert (estimate_gap(own, baseline, 10).mean, estimate_gap(own, baseline, 10).n) == (pytest.approx(0.15), 2)
    assert estimate_gap({10: {0: 0.1}}, {10: {1: 0.1}}, 10) is estimate_gap(own, baseline, 11) is None


def test_labels_worth_are_read_off_a_straight_baseline():
    for n in (10.5, 20, 77, 399):
        worth = estimate_labels_worth(around(line(n)), STRAIGHT)
        assert worth.labels == pytest.approx(n)
        assert worth.low < n < worth.high
    exact = estimate_labels_worth(around(line(30), spread=0.0), EXACT)
    assert (exact.labels, exact.low, exact.high) == pytest.approx((30, 30, 30))
    assert estimate_labels_worth(around(line(35)), {**STRAIGHT, 30: {}}).labels == pytest.approx(35)
    # The first fall of a baseline that rises again.
    baseline = {10: {0: 0.5}, 100: {0: 0.1}, 1000: {0: 0.4}, 10_000: {0: 0.05}}
    assert estimate_labels_worth({0: 0.3}, baseline).labels == pytest.approx(10 * 10**0.5)
    assert estimate_labels_worth({0: 0.07}, baseline).labels == pytest.approx(1000 * 10 ** (0.33 / 0.35))


def test_labels_worth_outside_the_measured_range_are_0_or_infinite():
    assert estimate_labels_worth(around(line(10), spread=0.0), EXACT) == Worth(0, 0, 0)
    worse = estimate_labels_worth(around(line(500), spread=0.0), STRAIGHT)
    assert (worse.labels, worse.low > 100, worse.high) == (np.inf, True, np.inf)
    # Single seeds have no interval.
    single = {n: {0: line(n)} for n in COUNTS}
    assert estimate_labels_worth({0: line(20)}, single) == Worth(pytest.approx(20), None, None)
    for errors, baseline in (({}, STRAIGHT), ({0: 0.1}, {10: {}})):
        with pytest.raises(BadInput, match="Labels saved need the errors of a method and of a baseline"):
            estimate_labels_worth(errors, baseline)


def test_interval_of_labels_worth_covers_the_truth_in_about_95_of_100():
    random, true, covered, widths = np.random.default_rng(3), 70, 0, []
    draw = lambda mean: dict(enumerate(random.normal(mean, 0.01, 3)))
    for _ in range(400):
        worth = estimate_labels_worth(draw(line(true)), {n: draw(line(n)) for n in COUNTS})
        covered += worth.low <= true <= worth.high
        widths.append(worth.high / max(worth.low, 1e-9))
    # With so few seeds two t intervals added cover a little more than they say.
    assert 0.93 <= covered / 400 <= 0.995
    assert np.median(widths) < 30
