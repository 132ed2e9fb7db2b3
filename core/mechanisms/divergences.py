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

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

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


def _log_density(mean: np.ndarray, factor: np.ndarray, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """log N(x; mean, factor factor^T), (n,), and the whitened rows (d, n)."""
    white = np.linalg.solve(factor, (X - mean).T)
    squared = np.square(white).sum(0)
    return -0.5 * (squared + len(mean) * _LOG_2PI) - np.log(np.diag(factor)).sum(), white


@dataclass(frozen=True)
class Target:
    """A mixture of k Gaussians, 1-D or 2-D, with weights (k,) above 0 that sum to 1."""

    weights: np.ndarray
    modes: Sequence[Gaussian]

    @property
    def dimension(self) -> int:
        return len(self.modes[0].mean)

    def density(self, X: np.ndarray) -> np.ndarray:
        """(n, d) -> (n,)."""
        return sum(w * np.exp(mode.log_density(X)) for w, mode in zip(self.weights, self.modes, strict=True))

    @property
    def moments(self) -> Gaussian:
        """The Gaussian of the same mean and covariance, which minimises KL(p || q)."""
        parts = list(zip(self.weights, self.modes, strict=True))
        mean = sum(w * mode.mean for w, mode in parts)
        second = sum(w * (mode.covariance + np.outer(mode.mean - mean, mode.mean - mean)) for w, mode in parts)
        return Gaussian(mean, second)


def make_target(means: np.ndarray, deviations: Sequence[float], weights: Sequence[float]) -> Target:
    """A mixture of isotropic Gaussians.

    Parameters
    ----------
    means : (k, d), d 1 or 2; deviations : (k,) above 0
    weights : (k,) at least 0, of any sum above 0; modes of weight 0 are left out
    """
    means, weights = np.asarray(means, float), np.asarray(weights, float)
    kept = np.flatnonzero(weights > 0)
    modes = [Gaussian(means[k], deviations[k] ** 2 * np.eye(means.shape[1])) for k in kept]
    return Target(weights[kept] / weights.sum(), modes)


@dataclass(frozen=True)
class Grid:
    """Points (n, d) with an axis (s,) along each dimension, and the volume of each."""

    points: np.ndarray
    volume: float
    axis: np.ndarray


def make_grid(dimension: int) -> Grid:
    """From -16 to 16 in steps of 0.02 in one dimension, from -10 to 10 in steps of 0.2 in two."""
    axis = np.linspace(-16, 16, 1601) if dimension == 1 else np.linspace(-10, 10, 101)
    points = np.stack([each.ravel() for each in np.meshgrid(*[axis] * dimension, indexing="ij")], 1)
    return Grid(points, float((axis[1] - axis[0]) ** dimension), axis)


def compute_divergence(divergence: str, p: np.ndarray, q: Gaussian, grid: Grid, pi: float = 0.5) -> float:
    """The divergence between a density on the grid, (n,), and a Gaussian, in nats.

    Parameters
    ----------
    divergence : {"forward", "reverse", "js"}: KL(p || q), KL(q || p), or JS_pi divided by pi (1 - pi)
    pi : in (0, 1), the weight of p in the mixture
    """
    return _compute_terms(divergence, p, q.log_density(grid.points), pi)[0].sum() * grid.volume


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
    target: Target, divergence: str, starts: np.ndarray, *, grid: Grid, shape: str = FULL, pi: float = 0.5
) -> list[Fit]:
    """Gaussians that minimise a divergence, a local optimum for each start, the best first.

    Parameters
    ----------
    divergence, pi : as in `compute_divergence`
    starts : (s, d) initial means, with standard deviations of 1; standard deviations are kept from 0.2 to 5
    shape : {"isotropic", "full"} covariance
    """
    from scipy.optimize import minimize

    p, d = target.density(grid.points), target.dimension
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
