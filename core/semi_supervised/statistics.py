"""Statistics of errors over seeds: means with intervals, paired gaps, and labels saved."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from core.errors import BadInput
from core.metrics.bootstrap import seeds_interval

_DRAWS = 4000

# number of labels -> seed -> error, a share of the test rows
Errors = Mapping[int, Mapping[int, float]]


@dataclass(frozen=True)
class Estimate:
    """A mean over `n` seeds with its t interval, None for a single seed."""

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def excludes_zero(self) -> bool:
        return self.low is not None and (self.low > 0 or self.high < 0)


def estimate_mean(values: Mapping[int, float], level: float = 0.95) -> Estimate:
    """Return the mean over seeds and its t interval at this level; raise BadInput without a seed."""
    if not values:
        raise BadInput("A mean over seeds needs at least one seed.")
    array = np.array([values[seed] for seed in sorted(values)], np.float64)
    low, high = seeds_interval(array, level) if len(array) > 1 else (None, None)
    return Estimate(float(array.mean()), low, high, len(array))


def estimate_error(errors: Mapping[int, float], most: float = 1.0) -> Estimate:
    """Return `estimate_mean` of errors, its interval cut off at 0 and at `most`."""
    error = estimate_mean(errors)
    return error if error.low is None else replace(error, low=max(0.0, error.low), high=min(most, error.high))


def interpolate_errors(errors: Errors, n: float) -> dict[int, float]:
    """Return each seed's error at `n` labels, interpolated linearly in the logarithm of labels, if it is in range."""
    counts = sorted(errors)
    if not counts or not counts[0] <= n <= counts[-1]:
        return {}
    right = int(np.searchsorted(counts, n))
    high, low = counts[right], counts[right if counts[right] == n else right - 1]
    share = 0.0 if high == low else np.log(n / low) / np.log(high / low)
    return {
        seed: float((1 - share) * errors[low][seed] + share * errors[high][seed])
        for seed in sorted(set(errors[low]) & set(errors[high]))
    }


def estimate_gap(errors: Errors, baseline: Errors, n: float, level: float = 0.95) -> Estimate | None:
    """Return the baseline's error minus the error at `n` labels, paired by seed; None without a common seed."""
    own, other = interpolate_errors(errors, n), interpolate_errors(baseline, n)
    common = {seed: other[seed] - own[seed] for seed in own if seed in other}
    return estimate_mean(common, level) if common else None


@dataclass(frozen=True)
class Worth:
    """Labels that the baseline needs for a method's error, with a 95% interval or None if seeds are too few.

    0 and infinity mean below and above the measured range.
    """

    labels: float
    low: float | None
    high: float | None


def estimate_labels_worth(errors: Mapping[int, float], baseline: Errors) -> Worth:
    """Return the number of labels at which the baseline's mean error falls to the mean of `errors` (seed -> error).

    The baseline's means are interpolated linearly in the logarithm of labels. The interval holds 95% of 4000 draws in
    which every mean is moved by its t-distributed error. Raises BadInput if either has no error.
    """
    if not errors or not any(baseline.values()):
        raise BadInput("Labels saved need the errors of a method and of a baseline: measure both.")
    counts = np.array(sorted(n for n in baseline if baseline[n]))
    own, others = estimate_mean(errors), [estimate_mean(baseline[int(n)]) for n in counts]
    labels = float(_crossing(counts, np.array([e.mean for e in others])[None], np.array([own.mean]))[0])
    if own.n < 2 or any(e.n < 2 for e in others):
        return Worth(labels, None, None)
    random = np.random.RandomState(0)
    values = [np.array(list(errors.values())), *(np.array(list(baseline[int(n)].values())) for n in counts)]
    drawn = [v.mean() + random.standard_t(len(v) - 1, _DRAWS) * v.std(ddof=1) / np.sqrt(len(v)) for v in values]
    crossings = np.sort(_crossing(counts, np.stack(drawn[1:], 1), drawn[0]))
    return Worth(labels, float(crossings[int(0.025 * _DRAWS)]), float(crossings[int(0.975 * _DRAWS) - 1]))


def _crossing(counts: np.ndarray, curves: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return where each curve, (n, len(counts)), first falls to its level, (n,): 0 at the start, infinite nowhere."""
    below = curves <= levels[:, None]
    first = below.argmax(1)
    rows = np.arange(len(curves))
    before = np.maximum(first - 1, 0)
    high, low = curves[rows, before], curves[rows, first]
    share = (high - levels) / np.where(first > 0, high - low, 1)
    labels = np.exp(np.log(counts[before]) + share * np.log(counts[first] / counts[before]))
    labels = np.where(first == 0, 0.0, labels)
    return np.where(below.any(1), labels, np.inf)
