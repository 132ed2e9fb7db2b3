"""One Gaussian fitted to a target of several modes by three divergences: which similarity decides what is fitted.

KL(p || q) covers the modes, KL(q || p) seeks one, and the weighted Jensen-Shannon divergence
JS_pi = pi KL(p || m) + (1 - pi) KL(q || m) with m = pi p + (1 - pi) q lies between them: divided by pi (1 - pi) it
tends to KL(p || q) for pi -> 0 and to KL(q || p) for pi -> 1.

All integrals are sums over a grid, so every divergence is one of the same two arrays.

References
----------
Huszár 2015, How (not) to train your generative model: scheduled sampling, likelihood, adversary?, figure 1.
Bishop 2006, Pattern recognition and machine learning, section 10.1.2 (figures 10.2 and 10.3) and eq. 10.17.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import BadInput

FORWARD, REVERSE, JENSEN_SHANNON = "forward", "reverse", "js"
ISOTROPIC, FULL = "isotropic", "full"
_LOG_2PI = float(np.log(2 * np.pi))
# Below it a density is no number: its logarithm stays finite.
_LEAST = 1e-300
# So narrow a Gaussian is still summed exactly on the coarser grid.
_DEVIATIONS = (0.2, 5.0)


@dataclass(frozen=True)
class Gaussian:
    """mean (d,), covariance (d, d)."""

    mean: np.ndarray
    covariance: np.ndarray

    def log_density(self, X: np.ndarray) -> np.ndarray:
        """(n, d) -> (n,) in nats."""
        factor = np.linalg.cholesky(self.covariance)
        squared = np.square(np.linalg.solve(factor, (X - self.mean).T)).sum(0)
        return -0.5 * (squared + len(self.mean) * _LOG_2PI) - np.log(np.diag(factor)).sum()

    def compute_outline(self, n: int = 80) -> np.ndarray:
        """(n, 2) points one standard deviation from the mean, the first again at the end; in the plane."""
        angle = np.linspace(0, 2 * np.pi, n)
        return self.mean + (np.linalg.cholesky(self.covariance) @ np.stack([np.cos(angle), np.sin(angle)])).T


@dataclass(frozen=True)
class Target:
    """A mixture of Gaussians.

    Attributes
    ----------
    weights : (k,) above 0, summing to 1.
    modes : k Gaussians of the same dimension, 1 or 2.
    """

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
        """The Gaussian of the same mean and covariance: the minimum of KL(p || q) over full covariances."""
        mean = sum(w * mode.mean for w, mode in zip(self.weights, self.modes, strict=True))
        second = sum(
            w * (mode.covariance + np.outer(mode.mean - mean, mode.mean - mean))
            for w, mode in zip(self.weights, self.modes, strict=True)
        )
        return Gaussian(mean, second)


def make_target(means: np.ndarray, deviations: Sequence[float], weights: Sequence[float]) -> Target:
    """A mixture of isotropic Gaussians.

    Parameters
    ----------
    means : (k, d), d 1 or 2; deviations : (k,) above 0; weights : (k,) at least 0, of any sum above 0; modes of weight
        0 are left out.

    Raises BadInput where no mode has weight.
    """
    means, weights = np.asarray(means, float), np.asarray(weights, float)
    if not weights.sum() > 0:
        raise BadInput("All modes have the weight 0, so there is no target: give at least one of them more.")
    size = means.shape[1]
    kept = [k for k in range(len(means)) if weights[k] > 0]
    modes = [Gaussian(means[k], deviations[k] ** 2 * np.eye(size)) for k in kept]
    return Target(weights[kept] / weights.sum(), modes)


@dataclass(frozen=True)
class Grid:
    """Points (n, d), and the volume that each stands for."""

    points: np.ndarray
    volume: float
    axes: tuple[np.ndarray, ...]


def make_grid(dimension: int) -> Grid:
    """From -16 to 16 in steps of 0.02 in one dimension, from -10 to 10 in steps of 0.2 in two."""
    axis = np.linspace(-16, 16, 1601) if dimension == 1 else np.linspace(-10, 10, 101)
    points = np.stack([each.ravel() for each in np.meshgrid(*[axis] * dimension, indexing="ij")], 1)
    return Grid(points, float((axis[1] - axis[0]) ** dimension), (axis,) * dimension)


@dataclass(frozen=True)
class Divergences:
    """The divergences of one fit in nats; js is JS_pi as it is, and js_scaled divided by pi (1 - pi)."""

    forward: float
    reverse: float
    js: float
    js_scaled: float


def compute_divergences(p: np.ndarray, q: Gaussian, points: Grid, pi: float = 0.5) -> Divergences:
    """All divergences between a density on the grid (n,) and a Gaussian, by summing over the grid.

    Parameters
    ----------
    pi : in (0, 1), the weight of p in the mixture.
    """
    log_p, log_q = np.log(np.maximum(p, _LEAST)), q.log_density(points.points)
    q_density = np.exp(log_q)
    log_m = np.logaddexp(np.log(pi) + log_p, np.log1p(-pi) + log_q)
    forward = float((p * (log_p - log_q)).sum() * points.volume)
    reverse = float((q_density * (log_q - log_p)).sum() * points.volume)
    js = pi * (p * (log_p - log_m)).sum() + (1 - pi) * (q_density * (log_q - log_m)).sum()
    js = float(js * points.volume)
    return Divergences(forward, reverse, js, js / (pi * (1 - pi)))


@dataclass(frozen=True)
class Fit:
    """A fitted Gaussian.

    Attributes
    ----------
    start : (d,) where its mean began.
    value : its divergence in nats, JS_pi divided by pi (1 - pi).
    """

    gaussian: Gaussian
    start: np.ndarray
    value: float


def fit_gaussian(
    of: Target, divergence: str, starts: np.ndarray, *, points: Grid, shape: str = FULL, pi: float = 0.5
) -> list[Fit]:
    """Gaussians that minimise a divergence from each start, the best first; the first local optimum a start leads to.

    Parameters
    ----------
    divergence : {"forward", "reverse", "js"}
    starts : (s, d) means to begin at, with a standard deviation of 1; standard deviations are kept from 0.2 to 5.
    shape : {"isotropic", "full"} covariance.
    pi : in (0, 1), for "js".

    Raises BadInput for another divergence, shape or pi.
    """
    if divergence not in (FORWARD, REVERSE, JENSEN_SHANNON):
        raise BadInput(f"There is no divergence {divergence!r:.40}: choose forward, reverse or js.")
    if shape not in (ISOTROPIC, FULL):
        raise BadInput(f"There is no shape {shape!r:.40}: choose isotropic or full.")
    if not 0 < pi < 1:
        raise BadInput(f"pi={pi:g} must lie between 0 and 1, ends excluded: they are the two KL divergences.")
    problem = _Problem(of.density(points.points), divergence, shape, pi, points)
    return sorted((problem.solve(np.asarray(start, float)) for start in starts), key=lambda each: each.value)


@dataclass(frozen=True)
class _Problem:
    """The divergence as a function of (mean, log deviations[, tilt]), with its gradient."""

    p: np.ndarray
    divergence: str
    shape: str
    pi: float
    points: Grid

    def solve(self, start: np.ndarray) -> Fit:
        from scipy.optimize import minimize

        d = len(start)
        n_deviations = d if self.shape == FULL else 1
        n_tilts = d * (d - 1) // 2 if self.shape == FULL else 0
        first = np.concatenate([start, np.zeros(n_deviations + n_tilts)])
        low, high = (float(axis[k]) for axis, k in ((self.points.axes[0], 0), (self.points.axes[0], -1)))
        logs = tuple(np.log(_DEVIATIONS))
        bounds = [(low, high)] * d + [logs] * n_deviations + [(-20.0, 20.0)] * n_tilts
        found = minimize(self.value, first, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 200})
        return Fit(self._gaussian(found.x), start, float(found.fun))

    def _factor(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean, and the lower triangular L with covariance L L^T."""
        d = self.points.points.shape[1]
        rest = x[d:]
        if self.shape == ISOTROPIC:
            return x[:d], np.exp(rest[0]) * np.eye(d)
        factor = np.diag(np.exp(rest[:d]))
        factor[np.tril_indices(d, -1)] = rest[d:]
        return x[:d], factor

    def _gaussian(self, x: np.ndarray) -> Gaussian:
        mean, factor = self._factor(x)
        return Gaussian(mean, factor @ factor.T)

    def value(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """The divergence in nats and its gradient.

        The derivative of sum g(p, q) over the grid is sum g_q q * d log q, with g_q the derivative by the density q.
        """
        mean, factor = self._factor(x)
        white = np.linalg.solve(factor, (self.points.points - mean).T)  # (d, n)
        log_q = -0.5 * (np.square(white).sum(0) + len(mean) * _LOG_2PI) - np.log(np.diag(factor)).sum()
        value, slope = self._terms(log_q)
        weighted = slope * self.points.volume  # (n,), g_q q
        back = np.linalg.inv(factor)
        by_mean = back.T @ (white @ weighted)
        # d log q / dL = L^-T (white white^T - I), of which the lower triangle is free.
        by_factor = back.T @ ((white * weighted) @ white.T - weighted.sum() * np.eye(len(mean)))
        if self.shape == ISOTROPIC:
            by_shape = [np.trace(by_factor) * factor[0, 0]]
        else:
            by_shape = np.concatenate([np.diag(by_factor) * np.diag(factor), by_factor[np.tril_indices(len(mean), -1)]])
        return value, np.concatenate([by_mean, by_shape])

    def _terms(self, log_q: np.ndarray) -> tuple[float, np.ndarray]:
        """The divergence, and at each point the derivative of its summand by log q."""
        log_p = np.log(np.maximum(self.p, _LEAST))
        volume = self.points.volume
        if self.divergence == FORWARD:
            return float((self.p * (log_p - log_q)).sum() * volume), -self.p
        q = np.exp(log_q)
        if self.divergence == REVERSE:
            apart = log_q - log_p
            return float((q * apart).sum() * volume), q * (apart + 1)
        pi = self.pi
        log_m = np.logaddexp(np.log(pi) + log_p, np.log1p(-pi) + log_q)
        summand = pi * self.p * (log_p - log_m) + (1 - pi) * q * (log_q - log_m)
        # The terms with the derivative of m add up to -(1 - pi) q, which the derivative of q log q takes away.
        slope = (1 - pi) * q * (log_q - log_m)
        scale = pi * (1 - pi)
        return float(summand.sum() * volume / scale), slope / scale
