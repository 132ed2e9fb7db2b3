"""Which rows are shown, ranks, the shared scale, and errors by class."""

import math
from dataclasses import astuple

import numpy as np
import pytest

from core.analysis import error_comparison
from core.metrics import bootstrap


def test_rows_are_drawn_with_the_classes_in_turn():
    y = np.repeat(np.arange(10), 20)
    drawn = [error_comparison.draw_by_class(y, 10, seed) for seed in (0, 1, 0)]
    assert [y[positions].tolist() for positions in drawn] == [list(range(10))] * 3
    assert len({tuple(positions) for positions in drawn}) == 2
    few = np.array([0] * 50 + [1] * 50 + [2])
    assert few[error_comparison.draw_by_class(few, 6, 0)].tolist() == [0, 1, 2, 0, 1, 0]
    assert len(set(error_comparison.draw_by_class(np.full(100, -1), 10, 0))) == 10


def test_rows_are_selected_by_their_errors():
    errors = np.array([3.0, 1.0, 2.0, 3.0, 0.5])
    other = np.array([6.0, -3.0, 2.0, 4.0, -8.5])
    better, worse = error_comparison.find_disagreements(errors, other, 5)
    assert (better.tolist(), worse.tolist()) == ([0, 3], [4, 1])
    _, quantiles = error_comparison.compute_quantiles(np.array([5.0, 1.0, 3.0]), 4)
    assert quantiles.tolist() == [1, 1, 3, 5]


def compared(errors, y):
    return error_comparison.compare_by_class(list(errors), error_comparison.resample_means(errors, y))


def test_by_class_is_the_mean_of_the_class_with_its_interval():
    rng = np.random.default_rng(0)
    y = np.array([0] * 30 + [2] * 40 + [-1] * 10 + [3])
    errors = rng.random(len(y)) + y
    found = compared({"a": errors}, y).means["a"]
    assert list(found) == [0, 2, 3]
    of_class = errors[30:70]
    assert astuple(found[2]) == pytest.approx((of_class.mean(), *bootstrap.mean_interval(of_class), 40), rel=1e-12)
    assert (found[3].n, math.isnan(found[3].low)) == (1, True)


def test_a_ranking_names_the_classes_where_the_order_is_reversed_or_undecided():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], 300)
    base = rng.random(900) * 5
    worse = base + np.array([3.0, -1.0, 0.0])[y] + 0.3 * rng.standard_normal(900)
    found = compared({"worse": worse, "better": base, "same": base.copy()}, y).ranking
    assert (found.order[-1], found.tied) == ("worse", (("better", "same"),))
    assert set(found.reversed) == {("better", "worse", 1), ("same", "worse", 1)}
    assert set(found.undecided) == {("better", "worse", 2), ("same", "worse", 2)}
    assert found.n_intervals == 9


def test_ratios_are_of_the_means_and_their_intervals_hold_for_all_classes_at_once():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [400, 400, 5])
    share = np.array([0.2, 0.5, 0.5])
    n_missed = 0
    for _ in range(20):
        pca = rng.gamma(4, 1, len(y))
        ae = share[y] * pca * rng.gamma(9, 1 / 9, len(y))
        found = compared({"ae": ae, "pca": pca}, y).ratios["ae", "pca"]
        assert list(found) == [0, 1]  # 5 rows are too few
        assert found[1].value == pytest.approx(ae[y == 1].mean() / pca[y == 1].mean())
        n_missed += any(not each.low < share[label] < each.high for label, each in found.items())
    assert n_missed <= 4
