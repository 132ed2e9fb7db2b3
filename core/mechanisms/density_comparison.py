"""Two distributions of known density against each other: the best discriminator, and how far they are apart."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np

from core.mechanisms.gaussian_mixtures import Mixture
from core.mechanisms.monte_carlo import Estimate

# Of its due share that a mode must get to count as covered, and how many deviations around its mean belong to it.
_DUE, _REACH = 1 / 3, 3.0


class Distribution(Protocol):
    """What has a density and can be drawn from: a `Mixture`, or a `NoisyGenerator`."""

    dimension: int

    def log_density(self, x: Any) -> np.ndarray: ...

    def density_on_grid(self, axis: np.ndarray) -> np.ndarray: ...

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray: ...


def make_grid_points(axis: np.ndarray, dimension: int) -> np.ndarray:
    """All places of a grid: (s ** dimension, dimension), x changing fastest."""
    if dimension == 1:
        return axis[:, None]
    return np.stack(np.meshgrid(axis, axis), axis=2).reshape(-1, 2)


def compute_optimal_discriminator(p: Distribution, q: Distribution, x: Any) -> np.ndarray:
    """p(x) / (p(x) + q(x)) in [0, 1]: (n, d) -> (n,). Goodfellow et al. 2014, proposition 1."""
    return best_answer(p.log_density(x), q.log_density(x))


def best_answer(log_p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
    """p / (p + q) from the logarithms of both densities, also where these are too small for a float."""
    from scipy.special import expit

    return expit(log_p - log_q)


def compute_mode_coverage(mixture: Mixture, samples: Any) -> float:
    """Share of the mixture's components that samples reach, in [0, 1].

    A sample belongs to the component it is most likely from, if it lies within 3 of that one's deviations. A component
    is covered if a third of its due share of the samples, or more, belong to it.

    Parameters
    ----------
    samples : (n, d)
    """
    samples = np.asarray(samples, np.float64)
    distance = np.sqrt(((samples[:, None, :] - mixture.means) ** 2).sum(axis=2)) / mixture.deviations  # (n, k)
    logs = np.log(mixture.weights) - mixture.dimension * np.log(mixture.deviations) - 0.5 * distance**2
    owner = logs.argmax(axis=1)
    near = distance[np.arange(len(samples)), owner] <= _REACH
    shares = np.bincount(owner[near], minlength=len(mixture.weights)) / len(samples)
    return float((shares >= _DUE * mixture.weights).mean())


def estimate_jensen_shannon(p: Distribution, q: Distribution, n: int = 1000, seed: int = 0) -> Estimate:
    """JS(p, q) from n draws of each, between 0 and log 2 = 0.693 nats, but for its error.

    JS = log 2 + (E_p log D + E_q log(1 - D)) / 2 with D = p / (p + q). Draws and densities are independent of those of
    a game. The standard error is that of the draws; that of a generator's estimated density is small beside it.

    Source: Goodfellow et al. 2014, eq. 5 and 6.
    """
    rng = np.random.default_rng(seed)
    from_p, from_q = p.sample(n, rng), q.sample(n, rng)
    on_p = -np.logaddexp(0, q.log_density(from_p) - p.log_density(from_p))
    on_q = -np.logaddexp(0, p.log_density(from_q) - q.log_density(from_q))
    value = math.log(2) + 0.5 * (on_p.mean() + on_q.mean())
    return Estimate(float(value), float(0.5 * math.sqrt((on_p.var(ddof=1) + on_q.var(ddof=1)) / n)), n)


def integrate_jensen_shannon(
    p: Distribution, q: Distribution, step: float | None = None, half_width: float = 6.0
) -> float:
    """JS(p, q) in nats, summed over a grid in [-half_width, half_width].

    What of either lies outside, where the other is taken not to be, counts log 2 / 2 times its probability.

    Parameters
    ----------
    step : between places along each axis; 0.005 in 1-D and 0.06 in 2-D unless given
    """
    from scipy.special import rel_entr

    step = step or (0.005 if p.dimension == 1 else 0.06)
    axis = np.linspace(-half_width, half_width, 2 * math.ceil(half_width / step) + 1)
    volume = (axis[1] - axis[0]) ** p.dimension
    of_p, of_q = p.density_on_grid(axis), q.density_on_grid(axis)
    middle = (of_p + of_q) / 2
    # Where both are that small, the middle is rounded to nothing.
    inside = (rel_entr(of_p, middle) + rel_entr(of_q, middle))[middle > np.finfo(float).tiny].sum() * volume
    outside = sum(max(0.0, 1 - each.sum() * volume) for each in (of_p, of_q))
    return float(0.5 * (inside + math.log(2) * outside))
