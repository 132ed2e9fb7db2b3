"""Two known densities: their optimal discriminator and Jensen-Shannon divergence."""

import math
from typing import Any

import numpy as np

from core.mechanisms.gaussian_mixtures import Mixture, make_grid_points
from core.mechanisms.monte_carlo import Estimate
from core.mechanisms.toy_networks import NoisyGenerator

Distribution = Mixture | NoisyGenerator
# A covered mode has at least this part of its expected share of the samples, within so many of its deviations.
_COVERED_SHARE, _REACH = 1 / 3, 3.0


def compute_optimal_discriminator(log_p: np.ndarray, log_q: np.ndarray) -> np.ndarray:
    """p / (p + q) from log p and log q. Goodfellow et al. 2014, proposition 1."""
    from scipy.special import expit

    return expit(log_p - log_q)


def compute_mode_coverage(mixture: Mixture, samples: Any) -> float:
    """Share of the mixture's components that samples (n, d) reach, in [0, 1].

    A sample belongs to the component it is most likely from, if it lies within 3 of that one's deviations. A component
    is covered if at least a third of its expected share of the samples belongs to it.
    """
    samples = np.asarray(samples, np.float64)
    distance = np.sqrt(((samples[:, None, :] - mixture.means) ** 2).sum(axis=2)) / mixture.deviations  # (n, k)
    logs = np.log(mixture.weights) - mixture.dimension * np.log(mixture.deviations) - 0.5 * distance**2
    owner = logs.argmax(axis=1)
    near = distance[np.arange(len(samples)), owner] <= _REACH
    shares = np.bincount(owner[near], minlength=len(mixture.weights)) / len(samples)
    return float((shares >= _COVERED_SHARE * mixture.weights).mean())


def estimate_jensen_shannon(p: Distribution, q: Distribution, n: int, seed: int = 0) -> Estimate:
    """JS(p, q) = log 2 + (E_p log D + E_q log(1 - D)) / 2, D = p / (p + q), in nats from n draws.

    The error is that of the draws; that of a generator's estimated density is small. Goodfellow et al. 2014, eq. 5, 6.
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
    """JS(p, q) in nats, summed over a grid with steps of 0.005 in 1-D and 0.06 in 2-D.

    Probability outside the grid is taken to be that of one distribution alone, and counts log 2 / 2.
    """
    from scipy.special import rel_entr

    step = step or (0.005 if p.dimension == 1 else 0.06)
    axis = np.linspace(-half_width, half_width, 2 * math.ceil(half_width / step) + 1)
    volume = (axis[1] - axis[0]) ** p.dimension
    of_p, of_q = p.density_on_grid(axis), q.density_on_grid(axis)
    middle = (of_p + of_q) / 2
    # Densities below this round to a middle of 0.
    inside = (rel_entr(of_p, middle) + rel_entr(of_q, middle))[middle > np.finfo(float).tiny].sum() * volume
    outside = sum(max(0.0, 1 - density.sum() * volume) for density in (of_p, of_q))
    return float(0.5 * (inside + math.log(2) * outside))


def integrate_disagreement(discriminator: Any, p: Distribution, q: Distribution, half_width: float = 5.0) -> float:
    """Mean of |D(x) - p / (p + q)| under (p + q) / 2, summed over a grid with steps of 0.01 in 1-D and 0.1 in 2-D."""
    step = 0.01 if p.dimension == 1 else 0.1
    axis = np.linspace(-half_width, half_width, 2 * round(half_width / step) + 1)
    of_p, of_q = p.density_on_grid(axis).ravel(), q.density_on_grid(axis).ravel()
    learned = discriminator(make_grid_points(axis, p.dimension))
    both = np.maximum(of_p + of_q, np.finfo(float).tiny)
    return float(np.average(np.abs(learned - of_p / both), weights=of_p + of_q))
