"""Which rows are shown, ranks, the shared scale, and errors by class."""

import math

import numpy as np
import pytest

from core.analysis import error_comparison
from core.errors import BadInput
from core.metrics import bootstrap


def test_one_of_each_class_in_their_order_another_with_another_seed():
    y = np.repeat(np.arange(10), 20)
    drawn = [error_comparison.draw_by_class(y, 10, seed) for seed in range(5)]
    for positions in drawn:
        assert y[positions].tolist() == list(range(10))
    assert len({tuple(positions) for positions in drawn}) == 5
    np.testing.assert_array_equal(drawn[0], error_comparison.draw_by_class(y, 10, 0))


def test_few_classes_come_again_many_are_drawn_from():
    few = np.array([0] * 50 + [1] * 50 + [2])
    assert few[error_comparison.draw_by_class(few, 6, 0)].tolist() == [0, 1, 2, 0, 1, 0]
    many = np.repeat(np.arange(40), 3)
    drawn = many[error_comparison.draw_by_class(many, 10, 0)]
    assert len(set(drawn)) == 10
    assert sorted(drawn) == drawn.tolist()
    assert set(drawn) != set(many[error_comparison.draw_by_class(many, 10, 1)])


def test_rows_without_classes_are_drawn_without_repeat():
    y = np.full(100, -1)
    drawn = error_comparison.draw_by_class(y, 10, 0)
    assert len(set(drawn.tolist())) == 10
    assert len(error_comparison.draw_by_class(y[:4], 10, 0)) == 4


def test_worst_and_best_are_the_ends_of_the_order():
    errors = np.array([3.0, 1.0, 2.0, 3.0, 0.5])
    assert error_comparison.find_worst(errors, 3).tolist() == [0, 3, 2]
    assert error_comparison.find_best(errors, 2).tolist() == [4, 1]


def test_disagreeing_rows_are_signed():
    a = np.array([1.0, 5.0, 2.0, 2.0, 9.0])
    b = np.array([4.0, 1.0, 2.0, 3.0, 0.0])
    better_a, better_b = error_comparison.find_disagreements(a, b, 5)
    assert better_a.tolist() == [0, 3]  # by 3 and by 1
    assert better_b.tolist() == [4, 1]  # by 9 and by 4
    assert [len(each) for each in error_comparison.find_disagreements(a, a, 5)] == [0, 0]


def test_rank_counts_the_better_ones():
    errors = np.array([3.0, 1.0, 2.0, 3.0])
    assert [error_comparison.rank(errors, k) for k in range(4)] == [3, 1, 2, 3]


@pytest.mark.parametrize(
    ("largest", "limit"), [(0.0, 0.1), (0.05, 0.1), (0.1, 0.1), (0.101, 0.2), (0.96, 1.0), (1.03, 1.1)]
)
def test_the_shared_limit_holds_every_difference(largest, limit):
    differences = [np.array([[0.01, -largest]]), np.array([[0.0]]), np.empty((0, 4))]
    assert error_comparison.compute_shared_limit(differences) == pytest.approx(limit)
    assert error_comparison.compute_shared_limit([]) == pytest.approx(0.1)


def compared(errors, y):
    return error_comparison.compare_by_class(list(errors), error_comparison.resample_means(errors, y))


def test_by_class_is_the_mean_of_the_class_with_its_interval():
    rng = np.random.default_rng(0)
    y = np.array([0] * 30 + [2] * 40 + [-1] * 10 + [3])
    errors = rng.random(len(y)) + y
    found = compared({"a": errors}, y).means["a"]
    assert list(found) == [0, 2, 3]
    assert found[2].value == pytest.approx(errors[30:70].mean())
    assert found[2].n == 40
    assert (found[2].low, found[2].high) == pytest.approx(bootstrap.mean_interval(errors[30:70]), rel=1e-12)
    assert found[3].n == 1
    assert math.isnan(found[3].low)


def test_many_rows_are_drawn_as_intervals_are():
    errors = np.random.default_rng(0).exponential(size=3000)
    found = error_comparison.resample_means({"a": errors}, np.zeros(3000, int))
    assert np.quantile(found["draws"][0, 0], (0.025, 0.975)) == pytest.approx(
        bootstrap.mean_interval(errors), rel=1e-12
    )


def test_a_ranking_says_in_which_class_the_order_turns_and_where_it_is_open():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 300)
    base = rng.random(900) * 5
    noise = rng.standard_normal(900)
    worse = base + np.where(y == 0, 3.0, np.where(y == 1, -1.0, 0.0)) + 0.3 * noise
    found = compared({"worse": worse, "better": base, "same": base.copy()}, y).ranking
    assert found.order[-1] == "worse"
    assert found.tied == (("better", "same"),)
    assert set(found.reversed) == {("better", "worse", 1), ("same", "worse", 1)}
    assert set(found.undecided) == {("better", "worse", 2), ("same", "worse", 2)}
    assert found.n_intervals == 9


def test_within_one_percent_is_level_however_surely_it_is_told_apart():
    y = np.repeat([0, 1], 500)
    base = np.random.default_rng(0).random(1000) + 1
    near = np.where(y == 0, 1.005, 0.995) * base
    found = compared({"near": near, "base": base}, y).ranking
    assert len(found.tied) == 1
    assert not found.reversed
    assert not found.undecided
    assert error_comparison.is_tied(base * 1.009, base)
    assert not error_comparison.is_tied(base * 1.011, base)


def test_ratios_are_of_the_means_and_their_intervals_hold_for_all_classes_at_once():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [400, 400, 5])
    share = np.array([0.2, 0.5, 0.5])
    n_missed = 0
    for _ in range(40):
        pca = rng.gamma(4, 1, len(y))
        ae = share[y] * pca * rng.gamma(9, 1 / 9, len(y))
        found = compared({"ae": ae, "pca": pca}, y).ratios["ae", "pca"]
        assert list(found) == [0, 1]  # 5 rows are too few
        assert found[1].value == pytest.approx(ae[y == 1].mean() / pca[y == 1].mean())
        assert found[0].high < found[1].low
        n_missed += any(not each.low < share[label] < each.high for label, each in found.items())
    assert n_missed <= 6


def test_rows_that_differ_or_are_no_numbers_are_refused():
    with pytest.raises(BadInput, match="different rows"):
        error_comparison.resample_means({"a": np.ones(3)}, np.zeros(4, int))
    with pytest.raises(BadInput, match="different rows"):
        error_comparison.resample_means({"a": np.ones(3), "b": np.ones(4)}, np.zeros(3, int))
    with pytest.raises(BadInput, match="NaN"):
        error_comparison.resample_means({"a": np.array([1.0, np.nan])}, np.zeros(2, int))


def test_quantiles_are_errors_that_occur():
    errors = np.array([5.0, 1.0, 3.0])
    shares, found = error_comparison.compute_quantiles(errors, 4)
    np.testing.assert_allclose(shares, [0, 1 / 3, 2 / 3, 1])
    np.testing.assert_allclose(found, [1, 1, 3, 5])
