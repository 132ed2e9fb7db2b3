"""Select rows by their errors, and compare the errors of methods by class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from statistics import NormalDist

import numpy as np

from core.errors import BadInput
from core.metrics import bootstrap
from core.metrics.validation import check_finite, chunks

# Relative difference of two mean errors up to which methods count as tied, even if it is significant.
TIE = 0.01
# Rows of a class below which resampled ratios say little.
LEAST_ROWS = 10
_RESAMPLES = 1000
_FINEST = 0.1  # of a shared scale, in pixel units


# --- Which rows ---------------------------------------------------------------------------------------------------


def draw_by_class(y: np.ndarray, n: int, random_state: int) -> np.ndarray:
    """Draw `n` positions at random, the classes in turn; rows without a class count as one class.

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


def find_worst(errors: np.ndarray, n: int) -> np.ndarray:
    """Find the positions of the `n` largest errors, the largest first; of equal ones the first row."""
    return np.argsort(-np.asarray(errors), kind="stable")[:n]


def find_best(errors: np.ndarray, n: int) -> np.ndarray:
    """Find the positions of the `n` smallest errors, the smallest first; of equal ones the first row."""
    return np.argsort(np.asarray(errors), kind="stable")[:n]


def find_disagreements(a: np.ndarray, b: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Find up to `n` rows where `a` is better than `b` by the largest difference, and up to `n` the other way round.

    Parameters
    ----------
    a, b : (n_rows,) errors of the same rows

    Returns
    -------
    two arrays of positions, the largest difference first; rows with equal errors are in neither.
    """
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    order = np.argsort(difference, kind="stable")
    of_a = order[difference[order] < 0][:n]
    of_b = order[::-1][difference[order[::-1]] > 0][:n]
    return of_a, of_b


def rank(errors: np.ndarray, k: int) -> int:
    """Rank the row at position `k` by its error, 1 being the smallest; ties share the better rank."""
    errors = np.asarray(errors)
    return int((errors < errors[k]).sum()) + 1


def compute_shared_limit(differences: Sequence[np.ndarray]) -> float:
    """The limit of a symmetric scale that contains all values: a multiple of 0.1, at least 0.1."""
    largest = max((float(np.abs(each).max()) for each in differences if each.size), default=0.0)
    return max(1, math.ceil(round(largest / _FINEST, 6))) * _FINEST


# --- Errors by class ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ClassMean:
    """Mean error of the `n` rows of a class, and its 95% bootstrap interval, NaN with fewer than two rows."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class ClassRatio:
    """Ratio of two methods' mean errors in a class of `n` rows, and its interval."""

    ratio: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Ranking:
    """Whether methods have the same order in every class.

    Two methods are tied if their means are within `TIE` of the smaller one, or if the paired 95% interval of their
    difference contains 0.

    Attributes
    ----------
    order : methods by their mean error over all rows, the smallest first.
    tied : pairs (better, worse) that are tied over all rows.
    reversed : (better overall, worse overall, class) where the second is better in that class, and not tied.
    undecided : the same triples where the pair is not tied over all rows, but is in this class.
    n_intervals : how many paired intervals of single classes were looked at; they are not corrected for that.
    """

    order: tuple[str, ...]
    tied: tuple[tuple[str, str], ...]
    reversed: tuple[tuple[str, str, int], ...]
    undecided: tuple[tuple[str, str, int], ...]
    n_intervals: int


@dataclass(frozen=True)
class ByClass:
    """Errors of every method in every class.

    Attributes
    ----------
    means : method -> class -> mean and interval, for every class with a row.
    ranking : of the methods.
    ratios : (method, reference) -> class -> ratio of the method's error to the reference's, for every class of at
        least `LEAST_ROWS` rows. The intervals hold for all classes simultaneously (95%), so extremes may be compared.
    """

    means: dict[str, dict[int, ClassMean]]
    ranking: Ranking
    ratios: dict[tuple[str, str], dict[int, ClassRatio]]


def is_tied(errors: np.ndarray, least: np.ndarray) -> bool:
    """Whether a method is tied with one of smaller mean error: within `TIE`, or not significantly different.

    Parameters
    ----------
    errors, least : (n,) errors of the same rows; significant by the paired 95% bootstrap interval
    """
    errors, least = np.asarray(errors, np.float64), np.asarray(least, np.float64)
    return _is_close(errors.mean(), least.mean()) or bootstrap.paired_difference_interval(errors, least)[0] <= 0


def _is_close(mean: float, least: float) -> bool:
    return mean <= (1 + TIE) * least


def resample_means(errors: Mapping[str, np.ndarray], y: np.ndarray) -> dict[str, np.ndarray]:
    """Compute means over all rows with a class and over each class, with paired bootstrap resamples.

    The rows are drawn as `core.metrics.bootstrap` draws them, once for all methods, so that differences are paired.

    Parameters
    ----------
    errors : method -> (n,) errors of the same rows
    y : (n,) int; rows with -1 are left out

    Returns
    -------
    labels : (n_classes,) int; counts : (1 + n_classes,) rows in all and of each class
    means : (n_methods, 1 + n_classes); draws : (n_methods, 1 + n_classes, 1000), NaN with fewer than two rows

    Raises
    ------
    BadInput
        For lengths that differ, NaN or infinite errors.
    """
    y = np.asarray(y)
    _check_same_rows({**errors, "labels": y})
    E = np.array([check_finite(name, each, 1) for name, each in errors.items()])
    labels = np.unique(y[y >= 0]).astype(np.int64)
    groups = [np.flatnonzero(y >= 0), *(np.flatnonzero(y == label) for label in labels)]
    return {
        "labels": labels,
        "counts": np.array([len(group) for group in groups]),
        "means": np.column_stack([E[:, group].mean(axis=1) for group in groups]),
        "draws": np.stack([_draws(E[:, group]) for group in groups], axis=1),
    }


def _draws(E: np.ndarray) -> np.ndarray:
    """(n_methods, n) errors -> (n_methods, n_resamples) means of resampled rows."""
    n = E.shape[1]
    if n < 2:
        return np.full((len(E), _RESAMPLES), math.nan)
    rng = np.random.default_rng(0)
    means = np.empty((len(E), _RESAMPLES))
    for part in chunks(_RESAMPLES, 4 * n):
        rows = rng.integers(0, n, size=(part.stop - part.start, n), dtype=np.int32)
        # How often each row was drawn: one product then takes the means of all methods.
        times = np.array([np.bincount(each, minlength=n) for each in rows], np.float64)
        means[:, part] = E @ times.T / n
    return means


def compare_by_class(names: Sequence[str], found: Mapping[str, np.ndarray]) -> ByClass:
    """Compute means, ranking and ratios of methods in each class.

    Parameters
    ----------
    names : methods, as in the mapping that `found` was made of
    found : of `resample_means`
    """
    labels, counts = found["labels"].tolist(), found["counts"].tolist()
    means, draws = found["means"], found["draws"]
    ends = np.quantile(draws, (0.025, 0.975), axis=2)
    told = {
        name: {
            label: ClassMean(float(means[m, c]), float(ends[0, m, c]), float(ends[1, m, c]), counts[c])
            for c, label in enumerate(labels, 1)
        }
        for m, name in enumerate(names)
    }
    ratios = {
        (names[a], names[b]): _ratios(labels, counts, means[[a, b]], draws[[a, b]])
        for a, b in permutations(range(len(names)), 2)
    }
    return ByClass(told, _ranking(names, labels, counts, means, draws), ratios)


def _ranking(
    names: Sequence[str], labels: list[int], counts: list[int], means: np.ndarray, draws: np.ndarray
) -> Ranking:
    def first(a: int, b: int, c: int) -> int:
        """1 where the first has the smaller error in group `c`, -1 where the second, 0 where they are tied."""
        least, other = (a, b) if means[a, c] <= means[b, c] else (b, a)
        is_significant = np.quantile(draws[other, c] - draws[least, c], 0.025) > 0
        if _is_close(means[other, c], means[least, c]) or not is_significant:
            return 0
        return 1 if least == a else -1

    order = sorted(range(len(names)), key=lambda m: means[m, 0]) if labels else []
    there = [(c, label) for c, label in enumerate(labels, 1) if counts[c] > 1]
    tied, reversed_pairs, undecided = [], [], []
    pairs = list(combinations(order, 2))
    for a, b in pairs:
        pair = names[a], names[b]
        are_tied = first(a, b, 0) == 0
        if are_tied:
            tied.append(pair)
        for c, label in there:
            verdict = first(a, b, c)
            if verdict < 0:
                reversed_pairs.append((*pair, label))
            elif verdict == 0 and not are_tied:
                undecided.append((*pair, label))
    return Ranking(
        tuple(names[m] for m in order), tuple(tied), tuple(reversed_pairs), tuple(undecided), len(pairs) * len(there)
    )


def _ratios(labels: list[int], counts: list[int], means: np.ndarray, draws: np.ndarray) -> dict[int, ClassRatio]:
    there = [(c, label) for c, label in enumerate(labels, 1) if counts[c] >= LEAST_ROWS and means[1, c] > 0]
    if not there:
        return {}
    # Normal on the logarithm, with the spread of the resamples: these are too few for quantiles so far out.
    z = NormalDist().inv_cdf(1 - 0.025 / len(there))
    found = {}
    for c, label in there:
        ratio = float(means[0, c] / means[1, c])
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = float(np.std(np.log(draws[0, c] / draws[1, c])))
        if ratio > 0 and math.isfinite(spread):
            found[label] = ClassRatio(ratio, ratio * math.exp(-z * spread), ratio * math.exp(z * spread), counts[c])
    return found


def compute_quantiles(errors: np.ndarray, n: int = 201) -> tuple[np.ndarray, np.ndarray]:
    """Compute `n` evenly spaced shares of the rows, 0 to 1, and the error that each share of rows does not exceed."""
    shares = np.linspace(0, 1, n)
    return shares, np.quantile(np.asarray(errors, np.float64), shares, method="inverted_cdf")


def _check_same_rows(arrays: Mapping[str, np.ndarray]) -> None:
    if len({len(each) for each in arrays.values()}) > 1:
        lengths = ", ".join(f"{name} {len(each):,}" for name, each in arrays.items())
        raise BadInput(f"Errors and labels are of different rows ({lengths}): give one of each a row.")
