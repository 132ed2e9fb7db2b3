import numpy as np
import pytest
from scipy import stats

from core.errors import BadInput
from core.metrics.bootstrap import (
    find_best,
    mean_interval,
    paired_difference_interval,
    ratio_interval,
    seeds_interval,
    share_interval,
)


def test_mean_interval_agrees_with_normal_theory():
    scores = np.random.default_rng(0).gamma(2.0, size=4000)
    half = stats.norm.ppf(0.975) * scores.std(ddof=1) / np.sqrt(len(scores))
    low, high = mean_interval(scores, n_resamples=4000)
    assert low == pytest.approx(scores.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(scores.mean() + half, abs=0.1 * half)


def test_mean_interval_holds_the_true_mean_95_times_in_100():
    rng = np.random.default_rng(2)
    held = 0
    for seed in range(300):
        low, high = mean_interval(rng.normal(3.0, size=200), n_resamples=400, random_state=seed)
        held += low <= 3.0 <= high
    assert 0.91 <= held / 300 <= 0.98


def test_interval_has_seeds_levels_and_chunks():
    scores = np.random.default_rng(3).normal(size=3000)
    (low, high), (inner_low, inner_high) = mean_interval(scores, 0.99), mean_interval(scores, 0.5)
    assert (high - low) / (inner_high - inner_low) == pytest.approx(2.576 / 0.674, rel=0.15)
    assert mean_interval(scores) == mean_interval(scores) != mean_interval(scores, random_state=1)
    # Resampled in several chunks.
    many = np.random.default_rng(4).normal(size=60_000)
    low, high = mean_interval(many, n_resamples=200)
    assert (high - low) / 2 == pytest.approx(1.96 * many.std() / np.sqrt(60_000), rel=0.2)


def test_mean_interval_of_equal_scores_has_no_width():
    assert mean_interval(np.full(50, 0.25)) == (0.25, 0.25)
    assert mean_interval(np.ones(50, dtype=bool)) == (1.0, 1.0)


def test_paired_difference_separates_what_single_intervals_do_not():
    rng = np.random.default_rng(5)
    hardness = rng.normal(10, 3, size=500)
    a, b = hardness + rng.normal(0, 0.1, 500), hardness + 0.1 + rng.normal(0, 0.1, 500)
    assert mean_interval(a)[1] > mean_interval(b)[0]
    low, high = paired_difference_interval(a, b)
    assert low < -0.1 < high < 0


def test_ratio_interval_agrees_with_the_delta_method():
    rng = np.random.default_rng(6)
    words = rng.integers(1, 100, size=4000)
    nats = words * rng.normal(7, 1, size=4000)
    ratio = nats.sum() / words.sum()
    half = stats.norm.ppf(0.975) * np.std(nats - ratio * words, ddof=1) / words.mean() / np.sqrt(4000)
    low, high = ratio_interval(nats, words, n_resamples=4000)
    assert (low, high) == pytest.approx((ratio - half, ratio + half), abs=0.1 * half)
    assert ratio_interval(3.0 * words, words) == pytest.approx((3, 3))


def test_seeds_interval_is_scipys_t_interval():
    values = [9.4, 9.9, 9.1, 9.6, 9.5]
    expected = stats.t.interval(0.95, df=4, loc=np.mean(values), scale=stats.sem(values))
    assert seeds_interval(values) == pytest.approx(expected, rel=1e-9)
    assert seeds_interval([2.0, 2.0, 2.0]) == (2.0, 2.0)


def test_best_needs_an_interval_that_excludes_the_runner_up():
    rng = np.random.default_rng(6)
    base = rng.normal(10, 1, size=400)
    near = base + rng.normal(0, 1, size=400)
    near += base.mean() - near.mean() + 0.001
    far = base + 5
    assert find_best({"base": base, "far": far}, higher_is_better=False) == "base"
    assert find_best({"base": base, "far": far}, higher_is_better=True) == "far"
    assert find_best({"base": base, "near": near, "far": far}, higher_is_better=False) is None
    assert find_best({"base": base, "near": near, "far": far}, higher_is_better=True) == "far"


def test_best_needs_two_candidates_on_the_same_rows_and_a_ranked_number():
    a, b = np.zeros(50), np.ones(50)
    assert find_best({"a": a, "b": None}, True) is None
    assert find_best({}, True) is None
    assert find_best({"a": a, "b": b[:40]}, True) is None
    assert find_best({"a": a, "b": b}, None) is None
    assert find_best({"a": a, "b": a}, True) is None
    assert find_best({"a": a, "b": b, "c": None}, True) == "b"


@pytest.mark.parametrize(("count", "n"), [(0, 10), (3, 10), (1000, 1000)])
def test_share_interval_is_scipys(count, n):
    low, high = share_interval(count, n)
    expected = stats.binomtest(count, n).proportion_ci(0.95, "wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert low <= count / n <= high
    assert low < high


def test_intervals_refuse():
    for scores in ([], [1.0], [1.0, np.nan], [1.0, np.inf], [[1.0, 2.0]]):
        for interval in (mean_interval, seeds_interval):
            with pytest.raises(BadInput):
                interval(scores)
    for above, below in (([1, 2], [1]), ([1, 2], [1, 0]), ([1], [1]), ([1, np.nan], [1, 1])):
        with pytest.raises(BadInput):
            ratio_interval(above, below)
    for count, n in ((-1, 10), (11, 10), (0, 0)):
        with pytest.raises(BadInput, match="no share"):
            share_interval(count, n)
    for word, refused in (
        ("level=95", lambda: mean_interval([1.0, 2.0], level=95)),
        ("same rows", lambda: paired_difference_interval([1.0, 2.0], [1.0, 2.0, 3.0])),
        ("n_resamples=0", lambda: mean_interval([1.0, 2.0], n_resamples=0)),
        ("NaN", lambda: find_best({"a": [1.0, np.nan], "b": [1.0, 2.0]}, True)),
    ):
        with pytest.raises(BadInput, match=word):
            refused()
