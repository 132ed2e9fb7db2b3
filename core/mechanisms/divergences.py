"""One Gaussian fitted to a target of several modes by three divergences.

KL(p || q) covers the modes, KL(q || p) seeks one, and the weighted Jensen-Shannon divergence
JS_pi = pi KL(p || m) + (1 - pi) KL(q || m) with m = pi p + (1 - pi) q lies between them: divided by pi (1 - pi) it
tends to KL(p || q) for pi -> 0 and to KL(q || p) for pi -> 1. All integrals are sums over a grid.

References
----------
Huszár 2015, How (not) to train your generative model: scheduled sampling, likelihood, adversary?, figure 1.
Bishop 2006, Pattern recognition and machine learning, section 10.1.2 (figures 10.2 and 10.3) and eq. 10.17.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from core.mechanisms.gaussian_mixtures import Mixture, make_grid_points

FORWARD, REVERSE, JENSEN_SHANNON = "forward", "reverse", "js"
ISOTROPIC, FULL = "isotropic", "full"
_LOG_2PI = float(np.log(2 * np.pi))
_LEAST_DENSITY = 1e-300  # keeps logarithms finite
_DEVIATIONS = (0.2, 5.0)  # the narrowest Gaussian is still summed exactly on the coarser grid


@dataclass(frozen=True)
class Gaussian:
    """mean (d,), covariance (d, d)."""

    mean: np.ndarray
    covariance: np.ndarray

    def log_density(self, X: np.ndarray) -> np.ndarray:
        """(n, d) -> (n,) in nats."""
        return _log_density(self.mean, np.linalg.cholesky(self.covariance), X)[0]

    def compute_outline(self, deviations: float = 1.0, n: int = 80) -> np.ndarray:
        """(n, 2) points so many standard deviations from the mean, closed; in the plane."""
        angle = np.linspace(0, 2 * np.pi, n)
        circle = np.stack([np.cos(angle), np.sin(angle)])
        return self.mean + deviations * (np.linalg.cholesky(self.covariance) @ circle).T

    def covers(self, X: np.ndarray, deviations: float = 2.0) -> np.ndarray:
        """Which points (n, d) lie within so many standard deviations of the mean: (n,) bool."""
        return np.square(_log_density(self.mean, np.linalg.cholesky(self.covariance), X)[1]).sum(0) <= deviations**2

    def compute_kl(self, other: Gaussian) -> float:
        """KL(self || other) in nats."""
        solved, apart = np.linalg.solve(other.covariance, self.covariance), self.mean - other.mean
        squared = apart @ np.linalg.solve(other.covariance, apart)
        return float(0.5 * (np.trace(solved) + squared - len(apart) - np.linalg.slogdet(solved)[1]))


def _log_density(mean: np.ndarray, factor: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log N(x; mean, factor factor^T), (n,), and the whitened rows (d, n)."""
    white = np.linalg.solve(factor, (X - mean).T)
    squared = np.square(white).sum(0)
    return -0.5 * (squared + len(mean) * _LOG_2PI) - np.log(np.diag(factor)).sum(), white


def match_moments(target: Mixture) -> Gaussian:
    """The Gaussian with the target's mean and covariance, which minimises KL(p || q)."""
    apart = target.means - target.mean
    isotropic = target.weights @ np.square(target.deviations) * np.eye(target.dimension)
    return Gaussian(target.mean, isotropic + (target.weights * apart.T) @ apart)


class Grid(NamedTuple):
    """An axis (s,), the points (s ** d, d) with it along each dimension, and the volume of each."""

    axis: np.ndarray
    points: np.ndarray
    volume: float


@cache
def make_grid(dimension: int) -> Grid:
    """From -16 to 16 in steps of 0.02 in one dimension, from -10 to 10 in steps of 0.2 in two."""
    axis = np.linspace(-16, 16, 1601) if dimension == 1 else np.linspace(-10, 10, 101)
    return Grid(axis, make_grid_points(axis, dimension), float((axis[1] - axis[0]) ** dimension))


def compute_divergence(divergence: str, p: np.ndarray, q: Gaussian, pi: float = 0.5) -> float:
    """The divergence between a density on the points of `make_grid`, (n,), and a Gaussian, in nats.

    Parameters
    ----------
    divergence : {"forward", "reverse", "js"}: KL(p || q), KL(q || p), or JS_pi divided by pi (1 - pi)
    pi : in (0, 1), the weight of p in the mixture
    """
    grid = make_grid(len(q.mean))
    return float(_compute_terms(divergence, p, q.log_density(grid.points), pi)[0].sum() * grid.volume)


def _compute_terms(divergence: str, p: np.ndarray, log_q: np.ndarray, pi: float) -> tuple[np.ndarray, np.ndarray]:
    """The summands of a divergence, and their derivatives by log q: (n,) each."""
    log_p = np.log(np.maximum(p, _LEAST_DENSITY))
    if divergence == FORWARD:
        return p * (log_p - log_q), -p
    q = np.exp(log_q)
    if divergence == REVERSE:
        return q * (log_q - log_p), q * (log_q - log_p + 1)
    log_m = np.logaddexp(np.log(pi) + log_p, np.log1p(-pi) + log_q)
    # The terms with the derivative of m add up to -(1 - pi) q, which the derivative of q log q takes away.
    slope = (1 - pi) * q * (log_q - log_m)
    scale = pi * (1 - pi)
    return (pi * p * (log_p - log_m) + slope) / scale, slope / scale


@dataclass(frozen=True)
class Fit:
    """A fitted Gaussian, the mean (d,) it started from, and its divergence in nats."""

    gaussian: Gaussian
    start: np.ndarray
    value: float


def fit_gaussian(
    target: Mixture, divergence: str, starts: np.ndarray, *, shape: str = FULL, pi: float = 0.5
) -> list[Fit]:
    """Gaussians that minimise a divergence, a local optimum for each start, the best first.

    Parameters
    ----------
    divergence, pi : as in `compute_divergence`
    starts : (s, d) initial means, with standard deviations of 1; standard deviations are kept from 0.2 to 5
    shape : {"isotropic", "full"} covariance
    """
    from scipy.optimize import minimize

    d, grid = target.dimension, make_grid(target.dimension)
    p = np.exp(target.log_density(grid.points))
    n_deviations, n_tilts = (d, d * (d - 1) // 2) if shape == FULL else (1, 0)
    bounds = [(grid.axis[0], grid.axis[-1])] * d + [tuple(np.log(_DEVIATIONS))] * n_deviations
    bounds += [(-20.0, 20.0)] * n_tilts
    fits = []
    for start in np.asarray(starts, float):
        first = np.concatenate([start, np.zeros(n_deviations + n_tilts)])
        options = {"jac": True, "method": "L-BFGS-B", "bounds": bounds, "options": {"maxiter": 200}}
        found = minimize(_value_and_gradient, first, (p, divergence, shape, pi, grid), **options)
        mean, factor = _unpack(found.x, d, shape)
        fits.append(Fit(Gaussian(mean, factor @ factor.T), start, float(found.fun)))
    return sorted(fits, key=lambda fit: fit.value)


def _unpack(x: np.ndarray, d: int, shape: str) -> tuple[np.ndarray, np.ndarray]:
    """(mean, log deviations[, tilt]) -> mean, and lower triangular L with covariance L L^T."""
    if shape == ISOTROPIC:
        return x[:d], np.exp(x[d]) * np.eye(d)
    factor = np.diag(np.exp(x[d : 2 * d]))
    factor[np.tril_indices(d, -1)] = x[2 * d :]
    return x[:d], factor


def _value_and_gradient(
    x: np.ndarray, p: np.ndarray, divergence: str, shape: str, pi: float, grid: Grid
) -> tuple[float, np.ndarray]:
    """The divergence in nats and its gradient by x, see `_unpack`.

    The derivative of sum g(p, q) over the grid is sum g_q q * d log q, with g_q the derivative by the density q.
    """
    d = grid.points.shape[1]
    mean, factor = _unpack(x, d, shape)
    log_q, white = _log_density(mean, factor, grid.points)
    summands, slope = _compute_terms(divergence, p, log_q, pi)
    weighted = slope * grid.volume  # (n,), g_q q
    back = np.linalg.inv(factor)
    by_mean = back.T @ (white @ weighted)
    # d log q / dL = L^-T (white white^T - I), of which the lower triangle is free.
    by_factor = back.T @ ((white * weighted) @ white.T - weighted.sum() * np.eye(d))
    by_shape = np.concatenate([np.diag(by_factor) * np.diag(factor), by_factor[np.tril_indices(d, -1)]])
    if shape == ISOTROPIC:
        by_shape = [np.trace(by_factor) * factor[0, 0]]
    return float(summands.sum() * grid.volume), np.concatenate([by_mean, by_shape])
