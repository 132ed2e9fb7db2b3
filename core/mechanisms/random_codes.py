"""An autoencoder as a generator: codes drawn from N(0, I) against where its codes live."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from core.mechanisms.elbo import compute_gaussian_kl
from core.mechanisms.monte_carlo import Estimate

WITHIN = 0.95


@cache
def _nodes() -> tuple[np.ndarray, np.ndarray]:
    """Places and weights of a Gaussian quadrature on [-1, 1], (400,) each."""
    return np.polynomial.legendre.leggauss(400)


@dataclass(frozen=True)
class Region:
    """The ellipse that holds 95% of the Gaussian fitted to codes in the plane.

    Attributes
    ----------
    mean : (2,); covariance : (2, 2).
    """

    mean: np.ndarray
    covariance: np.ndarray

    @classmethod
    def fit(cls, codes: np.ndarray) -> Region:
        """Fitted to codes (n, 2), n at least 3."""
        return cls(codes.mean(0), np.cov(codes.T))

    @property
    def radius(self) -> float:
        """Of the ellipse, in deviations of the Gaussian: the square root of the 95% quantile of chi^2, 2.45."""
        return float(np.sqrt(-2 * np.log(1 - WITHIN)))

    def contains(self, codes: np.ndarray) -> np.ndarray:
        """Which codes lie in it: (n, 2) -> (n,) bool."""
        white = np.linalg.solve(np.linalg.cholesky(self.covariance), (codes - self.mean).T)
        return np.square(white).sum(0) <= self.radius**2

    def compute_outline(self, n: int = 120) -> np.ndarray:
        """(n, 2) points of the ellipse, the first again at the end."""
        angle = np.linspace(0, 2 * np.pi, n)
        circle = np.stack([np.cos(angle), np.sin(angle)])
        return self.mean + self.radius * (np.linalg.cholesky(self.covariance) @ circle).T

    def compute_normal_share(self) -> float:
        """Probability that z ~ N(0, I) lies in it, by a sum over z1 of the normal distribution function in z2.

        At given z1 the ellipse is an interval of z2 about its conditional mean.
        """
        from scipy.stats import norm

        deviation = np.sqrt(self.covariance[0, 0])
        # The substitution z1 = mean + radius * deviation * sin(t) takes away the square root's steep ends.
        t, weights = (each * np.pi / 2 for each in _nodes())
        z1 = self.mean[0] + self.radius * deviation * np.sin(t)
        slope = self.covariance[0, 1] / self.covariance[0, 0]
        middle = self.mean[1] + slope * (z1 - self.mean[0])
        left = self.covariance[1, 1] - slope * self.covariance[0, 1]
        half = self.radius * np.sqrt(left) * np.cos(t)
        inside = norm.cdf(middle + half) - norm.cdf(middle - half)
        return float((weights * norm.pdf(z1) * inside * self.radius * deviation * np.cos(t)).sum())

    @property
    def kl_to_normal(self) -> float:
        """KL(fitted Gaussian || N(0, I)) in nats: 0 where N(0, I) is right."""
        return compute_gaussian_kl(self.mean, self.covariance, np.zeros(2), np.eye(2))


def estimate_share_inside(region: Region, codes: np.ndarray) -> Estimate:
    """Share of independent codes (n, 2) that lie in the region, with its binomial error."""
    share = float(region.contains(codes).mean())
    # Of no draw inside, or all, the plain error would be 0: Laplace's rule keeps it above.
    smooth = (share * len(codes) + 1) / (len(codes) + 2)
    return Estimate(share, float(np.sqrt(smooth * (1 - smooth) / len(codes))), len(codes))
