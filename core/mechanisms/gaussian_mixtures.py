"""Mixtures of isotropic Gaussians in one or two dimensions: data whose density is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from core.errors import BadInput

# A drawing's pixels are scaled into the square of this half width; every point becomes a Gaussian of this deviation.
_SCREEN, _HALF_WIDTH, _DRAWN_DEVIATION = 255.0, 3.0, 0.12
_MOST_DRAWN = 400  # more would cost time at every evaluation and change no picture
_N_DRAWS = 20_000
_SAME_MODE = 0.05  # modes that are closer are one


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of k Gaussians, each with one deviation in all d directions.

    Attributes
    ----------
    weights : (k,), positive, summing to 1
    means : (k, d)
    deviations : (k,), positive, in the units of the means
    """

    weights: np.ndarray
    means: np.ndarray
    deviations: np.ndarray

    @classmethod
    def from_means(cls, means: Any, deviation: Any, weights: Any = None) -> Mixture:
        """From means (k, d) or (k,), one deviation or (k,), and weights (k,) or equal ones; none of weight 0."""
        means = np.asarray(means, np.float64)
        means = means[:, None] if means.ndim == 1 else means
        weights = np.ones(len(means)) if weights is None else np.asarray(weights, np.float64)
        has_weight = weights > 0
        deviations = np.broadcast_to(np.asarray(deviation, np.float64), len(means))[has_weight]
        return cls(weights[has_weight] / weights.sum(), means[has_weight], deviations)

    @property
    def dimension(self) -> int:
        return self.means.shape[1]

    def log_density(self, x: Any) -> np.ndarray:
        """log p(x), per unit of length or area: (n, d) -> (n,) float64."""
        from scipy.special import logsumexp

        x, d = np.asarray(x, np.float64), self.dimension
        squared = (x**2).sum(axis=1)[:, None] - 2 * x @ self.means.T + (self.means**2).sum(axis=1)  # (n, k)
        scale = np.log(self.weights) - d * np.log(self.deviations) - 0.5 * d * np.log(2 * np.pi)
        return logsumexp(scale - 0.5 * squared / self.deviations**2, axis=1)

    def density_on_grid(self, axis: np.ndarray) -> np.ndarray:
        """Density p(x) on a grid: axis (s,) -> (s,) in one dimension, (s, s) in two, [y, x].

        An isotropic Gaussian is a product of one along each axis, so a grid costs little more than its two axes.
        """
        off = (axis[:, None] - self.means.T[:, None, :]) / self.deviations  # (d, s, k)
        along = np.exp(-0.5 * off**2) / (self.deviations * np.sqrt(2 * np.pi))
        weighted = along[0] * self.weights  # (s, k), along x
        return weighted.sum(axis=1) if self.dimension == 1 else along[1] @ weighted.T

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n independent draws: (n, d) float64."""
        component = rng.choice(len(self.weights), size=n, p=self.weights)
        return self.means[component] + self.deviations[component, None] * rng.standard_normal((n, self.dimension))

    @cached_property
    def mean(self) -> np.ndarray:
        """(d,)"""
        return self.weights @ self.means

    @property
    def deviation(self) -> float:
        """Root of the mean variance of the dimensions."""
        about = ((self.means - self.mean) ** 2).mean(axis=1) + self.deviations**2
        return float(np.sqrt(self.weights @ about))

    @cached_property
    def mode(self) -> np.ndarray:
        """Where the density is highest, (d,); one such place where there are several."""
        modes = self._find_modes()
        return modes[self.log_density(modes).argmax()]

    @cached_property
    def has_highest_mode(self) -> bool:
        """Whether one mode is higher than all others, by at least 1%."""
        modes = self._find_modes()
        is_other = np.sqrt(((modes - self.mode) ** 2).sum(axis=1)) > _SAME_MODE
        others = self.log_density(modes[is_other]) if is_other.any() else np.array([-np.inf])
        return bool(others.max() < self.log_density(self.mode[None])[0] - 0.01)

    def _find_modes(self) -> np.ndarray:
        """Fixed points from all components' means, (k, d).

        Carreira-Perpiñán 2000, Mode-finding for mixtures of Gaussian distributions, section 4.1.
        """
        x = self.means
        scale = np.log(self.weights) - (self.dimension + 2) * np.log(self.deviations)
        for _ in range(200):
            squared = ((x[:, None, :] - self.means) ** 2).sum(axis=2)  # (k, k)
            logs = scale - 0.5 * squared / self.deviations**2
            pull = np.exp(logs - logs.max(axis=1, keepdims=True))
            moved = pull @ self.means / pull.sum(axis=1, keepdims=True)
            if np.abs(moved - x).max() < 1e-9:
                break
            x = moved
        return x

    def compute_log_threshold(self, share: float) -> float:
        """Log density that `share` of draws exceed: the edge of the smallest region that holds them.

        From 20,000 draws of a fixed seed: at share = 0.99 the region holds 0.99 to within 0.001.
        """
        draws = self.sample(_N_DRAWS, np.random.default_rng(0))
        return float(np.quantile(self.log_density(draws), 1 - share))


def make_grid_points(axis: np.ndarray, dimension: int) -> np.ndarray:
    """All points of a grid with this axis (s,): (s ** dimension, dimension), x changing fastest."""
    return axis[:, None] if dimension == 1 else np.stack(np.meshgrid(axis, axis), axis=2).reshape(-1, 2)


def _make_ring() -> Mixture:
    angle = np.arange(8) * np.pi / 4
    return Mixture.from_means(2 * np.column_stack([np.cos(angle), np.sin(angle)]), 0.15)


def _make_moons() -> Mixture:
    angle = np.linspace(0, np.pi, 30)
    upper = np.column_stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25])
    return Mixture.from_means(1.8 * np.concatenate([upper, -upper]), 0.15)


def _make_spiral() -> Mixture:
    # Even steps of the root put the means at about even distances along the arm.
    angle = 3.5 * np.pi * np.sqrt(np.linspace(0.04, 1, 60))
    radius = 3 * angle / angle[-1]
    return Mixture.from_means(radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)]), 0.14)


# name -> label and mixture
TARGETS = {
    "two_modes": ("Two modes", Mixture.from_means([-1.8, 1.6], 0.4, [0.35, 0.65])),
    "one_mode": ("One mode", Mixture.from_means([1.0], 0.6)),
    "three_modes": ("Three modes", Mixture.from_means([-2.4, 0.0, 2.4], 0.35, [0.2, 0.5, 0.3])),
    "hills": ("Two hills", Mixture.from_means([[-1.4, -0.6], [1.2, 0.6]], 0.5, [0.35, 0.65])),
    "ring": ("Ring of 8", _make_ring()),
    "grid": ("Grid of 9", Mixture.from_means(make_grid_points(np.array([-2.0, 0.0, 2.0]), 2), 0.2)),
    "moons": ("Two moons", _make_moons()),
    "spiral": ("Spiral", _make_spiral()),
}


def make_from_drawing(points: np.ndarray) -> Mixture:
    """Small Gaussians around the points of a drawing, with means in [-3, 3], y pointing up.

    Parameters
    ----------
    points : (n, 2) pixels in [0, 255], y pointing down; a point that was drawn twice weighs twice. Of more than 400,
        400 are taken, evenly.

    Raises BadInput for fewer than 2 distinct points.
    """
    points = np.asarray(points, np.float64)
    distinct = len(np.unique(points, axis=0))
    if distinct < 2:
        raise BadInput(f"{distinct} distinct point(s) were drawn, but data need at least 2: draw some more.")
    if len(points) > _MOST_DRAWN:
        points = points[np.linspace(0, len(points) - 1, _MOST_DRAWN).astype(int)]
    return Mixture.from_means((2 * points / _SCREEN - 1) * [_HALF_WIDTH, -_HALF_WIDTH], _DRAWN_DEVIATION)
