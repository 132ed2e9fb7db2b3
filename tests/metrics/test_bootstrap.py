import numpy as np
import pytest
from scipy import stats

from core.errors import BadInput
from core.metrics import bootstrap


def test_mean_interval_agrees_with_normal_theory():
    scores = np.random.default_rng(0).gamma(2.0, size=4000)
    half = stats.norm.ppf(0.975) * scores.std(ddof=1) / np.sqrt(len(scores))
    low, high = bootstrap.mean_interval(scores)
    assert low == pytest.approx(scores.mean() - half, abs=0.15 * half)
    assert high == pytest.approx(scores.mean() + half, abs=0.15 * half)


def test_paired_difference_separates_what_single_intervals_do_not():
    rng = np.random.default_rng(5)
    hardness = rng.normal(10, 3, size=500)
    a, b = hardness + rng.normal(0, 0.1, 500), hardness + 0.1 + rng.normal(0, 0.1, 500)
    assert bootstrap.mean_interval(a)[1] > bootstrap.mean_interval(b)[0]
    low, high = bootstrap.paired_difference_interval(a, b)
    assert low < -0.1 < high < 0


def test_ratio_interval_agrees_with_the_delta_method():
    rng = np.random.default_rng(6)
    words = rng.integers(1, 100, size=4000)
    nats = words * rng.normal(7, 1, size=4000)
    ratio = nats.sum() / words.sum()
    half = stats.norm.ppf(0.975) * np.std(nats - ratio * words, ddof=1) / words.mean() / np.sqrt(4000)
    low, high = bootstrap.ratio_interval(nats, words)
    assert (low, high) == pytest.approx((ratio - half, ratio + half), abs=0.15 * half)
    assert bootstrap.ratio_interval(3.0 * words, words) == pytest.approx((3, 3))


def test_seeds_interval_is_scipys_t_interval():
    values = [9.4, 9.9, 9.1, 9.6, 9.5]
    expected = stats.t.interval(0.95, df=4, loc=np.mean(values), scale=stats.sem(values))
    assert bootstrap.seeds_interval(values) == pytest.approx(expected, rel=1e-9)
    assert bootstrap.seeds_interval([2.0, 2.0, 2.0]) == (2.0, 2.0)


def test_best_needs_an_interval_that_excludes_the_runner_up():
    rng = np.random.default_rng(6)
    base = rng.normal(10, 1, size=400)
    near = base + rng.normal(0, 1, size=400)
    near += base.mean() - near.mean() + 0.001
    far = base + 5
    assert bootstrap.find_best({"base": base, "far": far}, higher_is_better=False) == "base"
    assert bootstrap.find_best({"base": base, "near": near, "far": far}, higher_is_better=False) is None
    assert bootstrap.find_best({"base": base, "near": near, "far": far}, higher_is_better=True) == "far"
    # It needs two candidates on the same rows and a ranked number.
    a, b = np.zeros(50), np.ones(50)
    for rows, ranked in (({"a": a, "b": None}, True), ({"a": a, "b": b[:40]}, True), ({"a": a, "b": b}, None)):
        assert bootstrap.find_best(rows, ranked) is None
    assert bootstrap.find_best({"a": a, "b": b, "c": None}, True) == "b"


def test_share_interval_is_scipys():
    for count, n in ((0, 10), (3, 10), (1000, 1000)):
        low, high = bootstrap.share_interval(count, n)
        expected = stats.binomtest(count, n).proportion_ci(0.95, "wilson")
        assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
        assert low <= count / n <= high


def test_intervals_refuse():
    for scores in ([1.0], [1.0, np.nan]):
        with pytest.raises(BadInput):
            bootstrap.mean_interval(scores)
    with pytest.raises(BadInput, match="same rows"):
        bootstrap.paired_difference_interval([1.0, 2.0], [1.0, 2.0, 3.0])
