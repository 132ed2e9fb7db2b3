"""What errors at several numbers of labels, each over a few seeds, say: means, gaps and labels saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.metrics.intervals import seeds_interval
from core.types import BadInput

_DRAWS = 4000

# number of labels -> seed -> error, a share of the test rows
Errors = Mapping[int, Mapping[int, float]]


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its t interval, of 95 % where no other level is given; without one, of a single seed.

    Attributes
    ----------
    n : seeds.
    """

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def excludes_zero(self) -> bool:
        return self.low is not None and (self.low > 0 or self.high < 0)


def estimate(values: Mapping[int, float], level: float = 0.95) -> Estimate:
    """Mean and interval, at this level, of a value a seed.

    Raises
    ------
    BadInput
        Without a value.
    """
    if not values:
        raise BadInput("There is no seed to take a mean over: give at least one.")
    found = np.array([values[seed] for seed in sorted(values)], np.float64)
    low, high = seeds_interval(found, level) if len(found) > 1 else (None, None)
    return Estimate(float(found.mean()), low, high, len(found))


def at(errors: Errors, n: float) -> dict[int, float]:
    """Each seed's error at `n` labels, between two measured numbers interpolated on the logarithm of labels.

    A seed that lacks either of the two is left out, as all are where `n` is outside what was measured.
    """
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


def gap(errors: Errors, baseline: Errors, n: float, level: float = 0.95) -> Estimate | None:
    """By how much the error is below the baseline's at `n` labels, paired by seed; None without a common seed."""
    own, other = at(errors, n), at(baseline, n)
    common = {seed: other[seed] - own[seed] for seed in own if seed in other}
    return estimate(common, level) if common else None


@dataclass(frozen=True)
class Worth:
    """How many labels the baseline needs for the error of a method; ends may be 0 or infinite: beyond what is measured.

    Attributes
    ----------
    low, high : 95 % interval, None where seeds are too few to tell.
    """

    labels: float
    low: float | None
    high: float | None


def labels_worth(errors: Mapping[int, float], baseline: Errors, random_state: int = 0) -> Worth:
    """The number of labels at which the baseline's error falls to the mean of `errors`.

    The baseline's means are joined by straight lines over the logarithm of labels. The interval holds 95 % of 4000
    draws in which every mean is moved by its t-distributed error.

    Parameters
    ----------
    errors : seed -> error, at one number of labels.

    Returns
    -------
    `Worth.labels` is 0 where the baseline is as good at the smallest number measured, infinite where it is at none.

    Raises
    ------
    BadInput
        Where either has nothing.
    """
    if not errors or not any(baseline.values()):
        raise BadInput("Labels saved need the errors of a method and of a baseline: measure both.")
    counts = np.array(sorted(n for n in baseline if baseline[n]))
    own, others = estimate(errors), [estimate(baseline[int(n)]) for n in counts]
    found = _crossing(counts, np.array([e.mean for e in others])[None], np.array([own.mean]))[0]
    if own.n < 2 or any(e.n < 2 for e in others):
        return Worth(float(found), None, None)
    random = np.random.RandomState(random_state)
    values = [np.array(list(errors.values())), *(np.array(list(baseline[int(n)].values())) for n in counts)]
    drawn = [v.mean() + random.standard_t(len(v) - 1, _DRAWS) * v.std(ddof=1) / np.sqrt(len(v)) for v in values]
    crossings = np.sort(_crossing(counts, np.stack(drawn[1:], 1), drawn[0]))
    low, high = crossings[int(0.025 * _DRAWS)], crossings[int(0.975 * _DRAWS) - 1]
    return Worth(float(found), float(low), float(high))


def _crossing(counts: np.ndarray, curves: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Where each curve, (n, len(counts)), first falls to its level, (n,): 0 from the start, infinite if nowhere."""
    below = curves <= levels[:, None]
    first = below.argmax(1)
    rows = np.arange(len(curves))
    before = np.maximum(first - 1, 0)
    high, low = curves[rows, before], curves[rows, first]
    share = (high - levels) / np.where(first > 0, high - low, 1)
    labels = np.exp(np.log(counts[before]) + share * np.log(counts[first] / counts[before]))
    labels = np.where(first == 0, 0.0, labels)
    return np.where(below.any(1), labels, np.inf)
