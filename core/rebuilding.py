"""Which rows to look at, how methods' errors compare on them, and how errors differ from class to class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from core.metrics import intervals
from core.types import BadInput

_FINEST = 0.1  # of a shared scale, in pixel units


# --- Which rows ---------------------------------------------------------------------------------------------------


def one_of_each(y: np.ndarray, n: int, random_state: int) -> np.ndarray:
    """`n` positions drawn at random, the classes in turn; rows without a class count as one class.

    Parameters
    ----------
    y : (n_rows,) int, -1 where there is no class

    Returns
    -------
    (min(n, n_rows),) int64 : a row of each class in the order of the classes, then a second of each, and so on. Of
    more than `n` classes, `n` drawn at random.
    """
    y = np.asarray(y)
    drawn = np.random.default_rng(random_state).permutation(len(y))
    labels = y[drawn]
    turn = np.zeros(len(y), int)
    for label in np.unique(y):
        turn[labels == label] = np.arange((labels == label).sum())
    first = np.argsort(turn, kind="stable")[:n]
    return drawn[first[np.lexsort((labels[first], turn[first]))]]


def worst(errors: np.ndarray, n: int) -> np.ndarray:
    """Positions of the `n` largest errors, the largest first; of equal ones the first row."""
    return np.argsort(-np.asarray(errors), kind="stable")[:n]


def best(errors: np.ndarray, n: int) -> np.ndarray:
    """Positions of the `n` smallest errors, the smallest first; of equal ones the first row."""
    return np.argsort(np.asarray(errors), kind="stable")[:n]


def disagreeing(a: np.ndarray, b: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of up to `n` rows that `a` rebuilds better than `b` by most, and of up to `n` the other way round.

    Parameters
    ----------
    a, b : (n_rows,) errors of the same rows

    Returns
    -------
    two arrays of positions, the largest difference first; rows that both rebuild equally well are in neither.
    """
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    order = np.argsort(difference, kind="stable")
    of_a = order[difference[order] < 0][:n]
    of_b = order[::-1][difference[order[::-1]] > 0][:n]
    return of_a, of_b


def rank(errors: np.ndarray, k: int) -> int:
    """Which place the row at position `k` takes among all by its error, 1 being the smallest; ties share the better."""
    errors = np.asarray(errors)
    return int((errors < errors[k]).sum()) + 1


def shared_limit(differences: Sequence[np.ndarray]) -> float:
    """The end of a scale from -limit to limit that holds every value of all arrays: a multiple of 0.1, at least 0.1."""
    largest = max((float(np.abs(each).max()) for each in differences if each.size), default=0.0)
    return max(1, math.ceil(round(largest / _FINEST, 6))) * _FINEST


# --- Errors by class ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClassMean:
    """Mean error of the `n` rows of a class, and its 95 % bootstrap interval, NaN with fewer than two rows."""

    mean: float
    low: float
    high: float
    n: int


def by_class(errors: np.ndarray, y: np.ndarray) -> dict[int, ClassMean]:
    """Mean and interval of every class that has a row.

    Parameters
    ----------
    errors : (n,) an error a row
    y : (n,) int; rows with -1 are left out

    Raises
    ------
    BadInput
        For lengths that differ, NaN or infinite errors.
    """
    errors, y = np.asarray(errors, np.float64), np.asarray(y)
    _check_same_rows({"errors": errors, "labels": y})
    found = {}
    for label in np.unique(y[y >= 0]):
        scores = errors[y == label]
        low, high = intervals.mean_interval(scores) if len(scores) > 1 else (math.nan, math.nan)
        found[int(label)] = ClassMean(float(scores.mean()), low, high, len(scores))
    return found


@dataclass(frozen=True)
class Ranking:
    """Whether methods stand in the same order in every class.

    Attributes
    ----------
    order : methods by their mean error over all rows, the smallest first.
    told_apart : pairs (better, worse) whose paired 95 % interval over all rows excludes 0.
    turned : (better overall, worse overall, class) where the paired interval of that class says the opposite.
    open : the same triples where the pair is told apart over all rows, but not in this class.
    n_intervals : how many paired intervals of single classes were looked at; they are not corrected for that.
    """

    order: tuple[str, ...]
    told_apart: tuple[tuple[str, str], ...]
    turned: tuple[tuple[str, str, int], ...]
    open: tuple[tuple[str, str, int], ...]
    n_intervals: int


def ranking(errors: Mapping[str, np.ndarray], y: np.ndarray, n_resamples: int = 1000) -> Ranking:
    """Compare the methods' order over all rows with that in every class, by paired bootstrap intervals.

    Parameters
    ----------
    errors : method -> (n,) errors of the same rows
    y : (n,) int; rows with -1 are left out, classes of one row too

    Raises
    ------
    BadInput
        For lengths that differ, NaN or infinite errors.
    """
    y = np.asarray(y)
    errors = {name: np.asarray(each, np.float64) for name, each in errors.items()}
    _check_same_rows({**errors, "labels": y})
    known = y >= 0
    labels = [int(label) for label in np.unique(y[known]) if (y == label).sum() > 1]
    order = sorted(errors, key=lambda name: errors[name][known].mean())
    told_apart, turned, left_open = [], [], []
    n_intervals = 0
    for better, worse in combinations(order, 2):
        a, b = errors[better], errors[worse]
        is_told = intervals.paired_difference_interval(a[known], b[known], n_resamples=n_resamples)[1] < 0
        if is_told:
            told_apart.append((better, worse))
        for label in labels:
            of_class = y == label
            low, high = intervals.paired_difference_interval(a[of_class], b[of_class], n_resamples=n_resamples)
            n_intervals += 1
            if low > 0:
                turned.append((better, worse, label))
            elif high >= 0 and is_told:
                left_open.append((better, worse, label))
    return Ranking(tuple(order), tuple(told_apart), tuple(turned), tuple(left_open), n_intervals)


def quantiles(errors: np.ndarray, n: int = 201) -> tuple[np.ndarray, np.ndarray]:
    """`n` evenly spaced shares of the rows, 0 to 1, and the error that this share of the rows does not exceed."""
    shares = np.linspace(0, 1, n)
    return shares, np.quantile(np.asarray(errors, np.float64), shares, method="inverted_cdf")


def _check_same_rows(arrays: Mapping[str, np.ndarray]) -> None:
    if len({len(each) for each in arrays.values()}) > 1:
        lengths = ", ".join(f"{name} {len(each):,}" for name, each in arrays.items())
        raise BadInput(f"Errors and labels are of different rows ({lengths}): give one of each a row.")
