"""Select rows by their errors, and compare the errors of methods by class."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from statistics import NormalDist

import numpy as np

from core.metrics import bootstrap
from core.metrics.validation import chunks
from core.types import Measurement

# Relative difference of two mean errors up to which methods count as tied, even if it is significant.
TIE = 0.01
# Rows of a class below which resampled ratios say little.
LEAST_ROWS = 10
_RESAMPLES = 1000


def draw_by_class(y: np.ndarray, n: int, random_state: int) -> np.ndarray:
    """Draw `n` positions at random, the classes in turn; rows without a class count as one.

    A row of each class in the order of the classes, then a second of each, and so on. Of more than `n` classes, `n` are
    drawn at random.
    """
    y = np.asarray(y)
    drawn = np.random.default_rng(random_state).permutation(len(y))
    labels = y[drawn]
    turn = count_turns(labels)
    first = np.argsort(turn, kind="stable")[:n]
    return drawn[first[np.lexsort((labels[first], turn[first]))]]


def count_turns(labels: np.ndarray) -> np.ndarray:
    """Count the earlier rows with the same label: (n,) int."""
    turn = np.zeros(len(labels), int)
    for label in np.unique(labels):
        turn[labels == label] = np.arange((labels == label).sum())
    return turn


def find_disagreements(a: np.ndarray, b: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Find up to `n` rows where `a` has the smaller error, and up to `n` where `b` has."""
    difference = np.asarray(a, np.float64) - np.asarray(b, np.float64)
    order = np.argsort(difference, kind="stable")
    return order[difference[order] < 0][:n], order[::-1][difference[order[::-1]] > 0][:n]


def compute_shared_limit(differences: Sequence[np.ndarray]) -> float:
    """The limit of a symmetric scale that contains all values: a multiple of 0.1, at least 0.1."""
    largest = max((float(np.abs(values).max()) for values in differences if values.size), default=0.0)
    return max(1, math.ceil(round(largest / 0.1, 6))) * 0.1


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
    means : method -> class -> mean with its 95% bootstrap interval, NaN with one row, for every class with a row.
    ranking : of the methods.
    ratios : (method, reference) -> class -> ratio of the method's error to the reference's, for every class of at
        least `LEAST_ROWS` rows. The intervals hold for all classes simultaneously (95%), so extremes may be compared.
    """

    means: dict[str, dict[int, Measurement]]
    ranking: Ranking
    ratios: dict[tuple[str, str], dict[int, Measurement]]


def is_tied(errors: np.ndarray, least: np.ndarray) -> bool:
    """Whether a method is tied with one of smaller mean error on the same rows, see `Ranking`."""
    errors, least = np.asarray(errors, np.float64), np.asarray(least, np.float64)
    return _is_close(errors.mean(), least.mean()) or bootstrap.paired_difference_interval(errors, least)[0] <= 0


def _is_close(mean: float, least: float) -> bool:
    return mean <= (1 + TIE) * least


def resample_means(errors: Mapping[str, np.ndarray], y: np.ndarray) -> dict[str, np.ndarray]:
    """Compute means over all rows and over each class, with paired bootstrap resamples.

    The rows are drawn as `core.metrics.bootstrap` draws them, once for all methods, so that differences are paired.

    Parameters
    ----------
    errors : method -> (n,) errors of the same rows
    y : (n,) int; rows with -1 are left out

    Returns
    -------
    labels : (n_classes,) int; counts : (1 + n_classes,) rows in all and of each class
    means : (n_methods, 1 + n_classes); draws : (n_methods, 1 + n_classes, 1000), NaN with fewer than two rows
    """
    E = np.array(list(errors.values()), np.float64)
    labels = np.unique(y[y >= 0]).astype(np.int64)
    groups = [np.flatnonzero(y >= 0), *(np.flatnonzero(y == label) for label in labels)]
    return {
        "labels": labels,
        "counts": np.array([len(group) for group in groups]),
        "means": np.column_stack([E[:, group].mean(axis=1) for group in groups]),
        "draws": np.stack([_draw_means(E[:, group]) for group in groups], axis=1),
    }


def _draw_means(E: np.ndarray) -> np.ndarray:
    """(n_methods, n) errors -> (n_methods, n_resamples) means of resampled rows."""
    n = E.shape[1]
    means = np.full((len(E), _RESAMPLES), math.nan)
    if n < 2:
        return means
    rng = np.random.default_rng(0)
    for part in chunks(_RESAMPLES, 4 * n):
        rows = rng.integers(0, n, size=(part.stop - part.start, n), dtype=np.int32)
        # How often each row was drawn: one product then takes the means of all methods.
        times = np.array([np.bincount(drawn, minlength=n) for drawn in rows], np.float64)
        means[:, part] = E @ times.T / n
    return means


def compare_by_class(names: Sequence[str], resamples: Mapping[str, np.ndarray]) -> ByClass:
    """Compute means, ranking and ratios of methods in each class from `resample_means`."""
    labels, counts = resamples["labels"].tolist(), resamples["counts"].tolist()
    means, draws = resamples["means"], resamples["draws"]
    ends = np.quantile(draws, (0.025, 0.975), axis=2)
    by_method = {
        name: {
            label: Measurement(float(means[m, c]), float(ends[0, m, c]), float(ends[1, m, c]), counts[c])
            for c, label in enumerate(labels, 1)
        }
        for m, name in enumerate(names)
    }
    ratios = {
        (names[a], names[b]): _compute_ratios(labels, counts, means[[a, b]], draws[[a, b]])
        for a, b in permutations(range(len(names)), 2)
    }
    return ByClass(by_method, _rank(names, labels, counts, means, draws), ratios)


def _rank(names: Sequence[str], labels: list[int], counts: list[int], means: np.ndarray, draws: np.ndarray) -> Ranking:
    def compare(a: int, b: int, c: int) -> int:
        """1 where the first has the smaller error in group `c`, -1 where the second, 0 if tied."""
        least, other = (a, b) if means[a, c] <= means[b, c] else (b, a)
        is_significant = np.quantile(draws[other, c] - draws[least, c], 0.025) > 0
        if _is_close(means[other, c], means[least, c]) or not is_significant:
            return 0
        return 1 if least == a else -1

    order = sorted(range(len(names)), key=lambda m: means[m, 0]) if labels else []
    classes = [(c, label) for c, label in enumerate(labels, 1) if counts[c] > 1]
    tied, reversed_pairs, undecided = [], [], []
    pairs = list(combinations(order, 2))
    for a, b in pairs:
        pair = names[a], names[b]
        are_tied = compare(a, b, 0) == 0
        tied += [pair] if are_tied else []
        for c, label in classes:
            verdict = compare(a, b, c)
            if verdict < 0:
                reversed_pairs.append((*pair, label))
            elif verdict == 0 and not are_tied:
                undecided.append((*pair, label))
    ordered = tuple(names[m] for m in order)
    return Ranking(ordered, tuple(tied), tuple(reversed_pairs), tuple(undecided), len(pairs) * len(classes))


def _compute_ratios(
    labels: list[int], counts: list[int], means: np.ndarray, draws: np.ndarray
) -> dict[int, Measurement]:
    classes = [(c, label) for c, label in enumerate(labels, 1) if counts[c] >= LEAST_ROWS and means[1, c] > 0]
    # Normal on the logarithm, with the spread of the resamples: these are too few for quantiles so far out.
    z = NormalDist().inv_cdf(1 - 0.025 / max(1, len(classes)))
    ratios = {}
    for c, label in classes:
        ratio = float(means[0, c] / means[1, c])
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = float(np.std(np.log(draws[0, c] / draws[1, c])))
        if ratio > 0 and math.isfinite(spread):
            low, high = (ratio * math.exp(sign * z * spread) for sign in (-1, 1))
            ratios[label] = Measurement(ratio, low, high, counts[c])
    return ratios


def compute_quantiles(errors: np.ndarray, n: int = 201) -> tuple[np.ndarray, np.ndarray]:
    """Compute `n` shares of the rows, 0 to 1, and the error that each share does not exceed."""
    shares = np.linspace(0, 1, n)
    return shares, np.quantile(np.asarray(errors, np.float64), shares, method="inverted_cdf")
