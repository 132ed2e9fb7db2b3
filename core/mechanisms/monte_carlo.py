"""Monte Carlo estimates with standard errors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """The mean of `n` independent draws, with its standard error in the same unit."""

    value: float
    error: float
    n: int

    @classmethod
    def from_draws(cls, draws: np.ndarray) -> Estimate:
        """Mean of independent draws (n,), n at least 2."""
        return cls(float(np.mean(draws)), float(np.std(draws, ddof=1) / np.sqrt(len(draws))), len(draws))

    def deviation(self, truth: float) -> float:
        """How many standard errors it is above `truth`; 0 where both are the same to rounding."""
        gap = self.value - truth
        if abs(gap) <= 1e-6 * max(1.0, abs(truth)):
            return 0.0
        return gap / self.error if self.error else float(np.copysign(np.inf, gap))


def log_mean_exp(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """log of the mean of exp(values) along an axis, without overflow."""
    from scipy.special import logsumexp

    return logsumexp(values, axis=axis) - np.log(values.shape[axis])
