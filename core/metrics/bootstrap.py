"""95% intervals of means, ratios, shares and paired differences over rows, and of means over seeds."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.errors import BadInput
from core.metrics.validation import check_finite, chunks

N_RESAMPLES = 1000
_LEVEL = 0.95


def mean_interval(scores: Any) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of per-row scores, (n,) numbers or bool.

    The scores are resampled, never the rows: a row and its copy would become each other's neighbours.
    Raises BadInput for fewer than two rows, NaN or infinite scores.
    Source: Efron (1979), Bootstrap methods: another look at the jackknife; Efron and Tibshirani (1993), chapter 13.
    """
    return _percentiles(_resampled_means(check_finite("scores", scores, 1)))


def paired_difference_interval(a: Any, b: Any) -> tuple[float, float]:
    """Bootstrap interval of mean(a - b), for scores `a` and `b` of the same rows in the same order.

    Pairing removes how difficult each row is for every method. Raises as `mean_interval`, and for different lengths.
    """
    a, b = check_finite("a", a, 1), check_finite("b", b, 1)
    if len(a) != len(b):
        raise BadInput(f"Paired scores need the same rows: {len(a)} and {len(b)} were given.")
    return mean_interval(a - b)


def ratio_interval(numerators: Any, denominators: Any) -> tuple[float, float]:
    """Bootstrap interval of sum(numerators) / sum(denominators) over the same rows; denominators are positive."""
    # The same seed draws the same rows.
    above, below = (_resampled_means(np.asarray(part, np.float64)) for part in (numerators, denominators))
    return _percentiles(above / below)


def share_interval(count: int, n: int) -> tuple[float, float]:
    """Wilson's score interval of the share of `count` among `n` rows, not empty for a share of 0 or 1.

    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    from scipy.special import ndtri

    z, share = float(ndtri((1 + _LEVEL) / 2)), count / n
    middle = share + z * z / (2 * n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = ((middle + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    # Exact ends, since rounding would exclude the share itself.
    return (0.0 if count == 0 else float(low)), (1.0 if count == n else float(high))


def seeds_interval(values: Any, level: float = _LEVEL) -> tuple[float, float]:
    """Two-sided t interval with n - 1 degrees of freedom of the mean of a few seeds' values, (n,) with n >= 2.

    Source: Student (1908), The probable error of a mean.
    """
    from scipy.special import stdtrit

    values = check_finite("values", values, 1)
    mean = values.mean()
    half = stdtrit(len(values) - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(len(values))
    return float(mean - half), float(mean + half)


def find_best(rows_by_name: Mapping[str, Any], higher_is_better: bool | None) -> str | None:
    """Name of the method with the best mean if it is significantly better than the runner-up, otherwise None.

    `rows_by_name` : method -> (n,) scores of the same rows in the same order, or None without scores. Significant: the
    paired 95% interval of the difference excludes 0. None too with fewer than two candidates, different numbers of
    rows, or for a metric that is never ranked (`higher_is_better` None).
    """
    candidates = {name: check_finite(name, rows, 1) for name, rows in rows_by_name.items() if rows is not None}
    if higher_is_better is None or len(candidates) < 2 or len({len(rows) for rows in candidates.values()}) > 1:
        return None
    winner, runner_up = sorted(candidates, key=lambda name: candidates[name].mean(), reverse=higher_is_better)[:2]
    low, high = paired_difference_interval(candidates[winner], candidates[runner_up])
    return winner if low > 0 or high < 0 else None


def _resampled_means(scores: np.ndarray) -> np.ndarray:
    """Means of `N_RESAMPLES` resamples of the rows, drawn with replacement by seed 0."""
    n = len(scores)
    if n < 2:
        raise BadInput("An interval needs the scores of at least 2 rows; 1 was given.")
    rng, means = np.random.default_rng(0), np.empty(N_RESAMPLES)
    for part in chunks(N_RESAMPLES, 4 * n):
        rows = rng.integers(0, n, size=(part.stop - part.start, n), dtype=np.int32)
        means[part] = scores[rows].mean(axis=1)
    return means


def _percentiles(means: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(means, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)
