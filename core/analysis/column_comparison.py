"""Columns of a table inside and outside a selection of rows: means or shares, their differences and effects."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.analysis.columns import CATEGORY, Column
from core.metrics.bootstrap import share_interval
from core.types import Measurement

RATE = 0.05  # expected share of false ones among the differences that are called significant
_LEVEL = 0.95


@dataclass(frozen=True)
class Difference:
    """A column inside and outside a selection.

    Attributes
    ----------
    column : the column; category : of the share, "" for a mean; is_missing : whether it is the share of missing cells.
    inside, outside : mean or share, with its interval and n, the rows whose cell is not missing.
    difference : inside - outside with its interval.
    effect : Cohen's d of means, h of shares; infinite if a mean differs and no row from its own mean.
    p : of no difference; 1 if it can't be said. is_significant : after Benjamini and Hochberg, of all columns compared.
    """

    column: Column
    category: str
    is_missing: bool
    inside: Measurement
    outside: Measurement
    difference: Measurement
    effect: float
    p: float
    is_significant: bool = False


def compare_columns(
    columns: Sequence[Column], is_inside: np.ndarray, is_outside: np.ndarray | None = None
) -> list[Difference]:
    """Compare the rows of a selection, (n,) bool, with all others or those given, the largest effect first.

    Numbers and dates: means with t intervals; their difference with Welch's interval and test. Categories: of the
    category whose shares differ most, Wilson's intervals; their difference with Newcombe's interval, and Fisher's exact
    test, its p times the number of categories. A column with missing cells is also compared by their share. Columns
    that can't differ are left out: one value, or text that is another in each row.

    Sources: Welch (1947), The generalization of Student's problem; Newcombe (1998), Interval estimation for the
    difference between independent proportions, method 10; Cohen (1988), Statistical power analysis, chapters 2 and 6;
    Benjamini and Hochberg (1995), Controlling the false discovery rate.
    """
    from scipy.stats import false_discovery_control

    is_outside = ~is_inside if is_outside is None else is_outside
    found, sizes = [], [int(is_inside.sum()), int(is_outside.sum())]
    if not all(sizes):
        return []
    for column in columns:
        is_known = column.is_known
        a, b = column.values[is_inside & is_known], column.values[is_outside & is_known]
        if not len(a) or not len(b):
            pass
        elif column.type != CATEGORY:
            if np.ptp(a) or np.ptp(b) or a[0] != b[0]:
                found.append(_compare_means(column, a, b))
        elif 1 < len(column.categories) < len(a) + len(b):
            found.append(_compare_shares(column, a, b))
        gaps = [int((~is_known[rows]).sum()) for rows in (is_inside, is_outside)]
        if any(gaps):
            found.append(_compare_counts(column, "", True, gaps, sizes, 1))
    if not found:
        return []
    ps = false_discovery_control([each.p for each in found])
    found = [replace(each, is_significant=bool(p <= RATE)) for each, p in zip(found, ps, strict=True)]
    return sorted(found, key=lambda each: -abs(each.effect))


def _compare_means(column: Column, a: np.ndarray, b: np.ndarray) -> Difference:
    from scipy.special import stdtr, stdtrit

    parts, means, squares = [], [float(a.mean()), float(b.mean())], []
    for values, mean in zip((a, b), means, strict=True):
        if len(values) < 2:
            parts.append(Measurement(mean, n=len(values)))
            continue
        squares.append(float(values.var(ddof=1)) / len(values))
        half = float(stdtrit(len(values) - 1, (1 + _LEVEL) / 2)) * squares[-1] ** 0.5
        parts.append(Measurement(mean, mean - half, mean + half, len(values)))
    difference, p = means[0] - means[1], 1.0
    measured = Measurement(difference)
    if len(squares) == 2 and (error := sum(squares) ** 0.5) > 0:
        freedom = error**4 / sum(s * s / (len(v) - 1) for s, v in zip(squares, (a, b), strict=True))
        half = float(stdtrit(freedom, (1 + _LEVEL) / 2)) * error
        measured = Measurement(difference, difference - half, difference + half)
        p = 2 * float(stdtr(freedom, -abs(difference) / error))
    freedoms = len(a) + len(b) - 2
    pooled = ((((a - means[0]) ** 2).sum() + ((b - means[1]) ** 2).sum()) / freedoms) ** 0.5 if freedoms else 0.0
    effect = difference / pooled if pooled else np.copysign(np.inf, difference) if difference else 0.0
    return Difference(column, "", False, *parts, measured, float(effect), p)


def _compare_shares(column: Column, a: np.ndarray, b: np.ndarray) -> Difference:
    n_categories = len(column.categories)
    counts = [np.bincount(values, minlength=n_categories) for values in (a, b)]
    k = int(np.abs(counts[0] / len(a) - counts[1] / len(b)).argmax())
    of_k = [int(count[k]) for count in counts]
    return _compare_counts(column, column.categories[k], False, of_k, [len(a), len(b)], n_categories)


def _compare_counts(
    column: Column, category: str, is_missing: bool, counts: list[int], sizes: list[int], n_chosen_from: int
) -> Difference:
    """Compare shares; the p of a category that is one of many for its difference is multiplied by their number."""
    from scipy.stats import fisher_exact

    shares = [count / n for count, n in zip(counts, sizes, strict=True)]
    ends = [share_interval(count, n) for count, n in zip(counts, sizes, strict=True)]
    parts = [Measurement(share, *end, n) for share, end, n in zip(shares, ends, sizes, strict=True)]
    (low, high), (low_outside, high_outside) = ends
    difference = shares[0] - shares[1]
    below = np.hypot(shares[0] - low, high_outside - shares[1])
    above = np.hypot(high - shares[0], shares[1] - low_outside)
    measured = Measurement(difference, float(difference - below), float(difference + above))
    effect = 2 * (np.arcsin(shares[0] ** 0.5) - np.arcsin(shares[1] ** 0.5))
    table = [counts, [n - count for count, n in zip(counts, sizes, strict=True)]]
    # Two categories have one difference.
    p = fisher_exact(table).pvalue * (n_chosen_from if n_chosen_from > 2 else 1)
    return Difference(column, category, is_missing, *parts, measured, float(effect), min(float(p), 1.0))
