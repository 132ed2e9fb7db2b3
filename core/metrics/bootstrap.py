"""95% intervals: of a mean or a ratio over rows, of a difference on the same rows, of five seeds' values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.errors import BadInput
from core.metrics.validation import check_finite, chunks


def mean_interval(
    scores: Any, level: float = 0.95, n_resamples: int = 1000, random_state: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of the mean of per-row scores.

    Rows' scores are resampled, never the rows themselves: a row and its copy would become each other's neighbours.
    For a handful of values (seeds) take `seeds_interval`.

    Parameters
    ----------
    scores : (n,) numbers or bool, n >= 2
    level : share of the resampled means between the two ends, in (0, 1)
    n_resamples : how many resamples of n rows, drawn with replacement
    random_state : seed of a local generator

    Returns
    -------
    low, high : float, in the unit of `scores`

    Raises BadInput with fewer than two rows, NaN or infinite scores, or a level outside (0, 1).
    Source: Efron (1979), Bootstrap methods: another look at the jackknife; Efron and Tibshirani (1993), chapter 13.
    """
    scores = check_finite("scores", scores, 1)
    _check_level(level)
    if len(scores) < 2:
        raise BadInput("An interval needs the scores of at least 2 rows; 1 was given.")
    means = _resampled_means(scores, n_resamples, random_state)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_difference_interval(
    a: Any, b: Any, level: float = 0.95, n_resamples: int = 1000, random_state: int = 0
) -> tuple[float, float]:
    """Bootstrap interval of mean(a - b), for scores `a` and `b` of the same n rows in the same order.

    Pairing takes out how hard each row is for every method: it tells apart what two separate intervals do not.

    Parameters and Raises as `mean_interval`; `a` and `b` of different length raise BadInput.
    """
    a, b = check_finite("a", a, 1), check_finite("b", b, 1)
    if len(a) != len(b):
        raise BadInput(f"Paired scores need the same rows: {len(a)} and {len(b)} were given.")
    return mean_interval(a - b, level, n_resamples, random_state)


def ratio_interval(
    numerators: Any, denominators: Any, level: float = 0.95, n_resamples: int = 1000, random_state: int = 0
) -> tuple[float, float]:
    """Bootstrap interval of sum(numerators) / sum(denominators), where each row brings a part of both.

    Parameters
    ----------
    numerators, denominators : (n,) numbers of the same rows, n >= 2; denominators above 0

    Others and Raises as `mean_interval`; arrays of different length or a denominator of 0 or less raise BadInput.
    """
    numerators, denominators = check_finite("numerators", numerators, 1), check_finite("denominators", denominators, 1)
    if len(numerators) != len(denominators) or denominators.min() <= 0:
        raise BadInput("A ratio over rows needs both parts of each row, its denominator above 0.")
    _check_level(level)
    if len(numerators) < 2:
        raise BadInput("An interval needs the parts of at least 2 rows; 1 was given.")
    # The same seed draws the same rows.
    above, below = (_resampled_means(part, n_resamples, random_state) for part in (numerators, denominators))
    low, high = np.quantile(above / below, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def share_interval(count: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share, which is not empty where nothing, or everything, counts.

    Parameters
    ----------
    count : how many of `n` rows count, 0 to n

    Raises BadInput for a count outside 0 to n, or no row at all.
    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    from scipy.special import ndtri

    _check_level(level)
    if not 0 <= count <= n or n < 1:
        raise BadInput(f"{count} of {n} rows is no share: count runs from 0 to n, and n from 1.")
    z, share = float(ndtri((1 + level) / 2)), count / n
    middle = share + z * z / (2 * n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = ((middle + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    # Exactly there, where rounding would leave the share itself outside.
    return (0.0 if count == 0 else float(low)), (1.0 if count == n else float(high))


def seeds_interval(values: Any, level: float = 0.95) -> tuple[float, float]:
    """Two-sided t interval, n - 1 degrees of freedom, of the mean over a few seeds' values.

    Parameters
    ----------
    values : (n,) numbers, n >= 2; one a seed

    Raises BadInput with fewer than two values, or NaN among them.
    Source: Student (1908), The probable error of a mean.
    """
    from scipy.special import stdtrit

    values = check_finite("values", values, 1)
    _check_level(level)
    if len(values) < 2:
        raise BadInput("An interval over seeds needs at least 2 values; 1 was given.")
    mean = values.mean()
    half = stdtrit(len(values) - 1, (1 + level) / 2) * values.std(ddof=1) / np.sqrt(len(values))
    return float(mean - half), float(mean + half)


def find_best(rows_by_name: Mapping[str, Any], higher_is_better: bool | None) -> str | None:
    """Name of the best method, or None where the rows do not tell it from the runner-up.

    The winner has the best mean; it is named only if the paired 95% interval of winner - runner-up excludes 0.

    Parameters
    ----------
    rows_by_name : method -> (n,) scores of the same n rows in the same order; None where a method has none
    higher_is_better : None for a number that is never ranked

    Returns
    -------
    str or None : None too with fewer than two candidates, or where their numbers of rows differ (not the same rows).

    Raises BadInput for NaN or infinite scores, or a single row.
    """
    candidates = {name: check_finite(name, rows, 1) for name, rows in rows_by_name.items() if rows is not None}
    if higher_is_better is None or len(candidates) < 2 or len({len(rows) for rows in candidates.values()}) > 1:
        return None
    winner, runner_up = sorted(candidates, key=lambda name: candidates[name].mean(), reverse=higher_is_better)[:2]
    low, high = paired_difference_interval(candidates[winner], candidates[runner_up])
    return winner if low > 0 or high < 0 else None


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise BadInput(f"level={level} is not allowed: it lies between 0 and 1, such as 0.95.")


def _resampled_means(scores: np.ndarray, n_resamples: int, random_state: int) -> np.ndarray:
    if n_resamples < 1:
        raise BadInput(f"n_resamples={n_resamples} is not allowed: take at least 1, such as 1000.")
    rng = np.random.default_rng(random_state)
    n = len(scores)
    means = np.empty(n_resamples)
    for part in chunks(n_resamples, 4 * n):
        rows = rng.integers(0, n, size=(part.stop - part.start, n), dtype=np.int32)
        means[part] = scores[rows].mean(axis=1)
    return means
