"""An autoencoder as a generator: the region of its codes, and N(0, I)'s share of it."""

from __future__ import annotations

import numpy as np

from core.mechanisms.divergences import Gaussian
from core.mechanisms.monte_carlo import Estimate

# Of the region, in deviations of the Gaussian: the square root of the 95% quantile of chi^2, 2.45.
RADIUS = float(np.sqrt(-2 * np.log(0.05)))


class Region(Gaussian):
    """The ellipse that holds 95% of a Gaussian in the plane."""

    @classmethod
    def fit(cls, codes: np.ndarray) -> Region:
        """Fitted to codes (n, 2), n at least 3."""
        return cls(codes.mean(0), np.cov(codes.T))

    def contains(self, codes: np.ndarray) -> np.ndarray:
        """Which codes lie in it: (n, 2) -> (n,) bool."""
        return self.covers(codes, RADIUS)

    def compute_normal_share(self) -> float:
        """Probability that z ~ N(0, I) lies in it, by quadrature over z1.

        At given z1 the ellipse is an interval of z2 about its conditional mean.
        """
        from scipy.integrate import fixed_quad
        from scipy.stats import norm

        deviation = np.sqrt(self.covariance[0, 0])
        slope = self.covariance[0, 1] / self.covariance[0, 0]
        left = np.sqrt(self.covariance[1, 1] - slope * self.covariance[0, 1])

        def compute_density(t: np.ndarray) -> np.ndarray:
            # The substitution z1 = mean + radius * deviation * sin(t) takes away the square root's steep ends.
            apart, half = RADIUS * deviation * np.sin(t), RADIUS * left * np.cos(t)
            middle = self.mean[1] + slope * apart
            inside = norm.cdf(middle + half) - norm.cdf(middle - half)
            return norm.pdf(self.mean[0] + apart) * inside * RADIUS * deviation * np.cos(t)

        return float(fixed_quad(compute_density, -np.pi / 2, np.pi / 2, n=400)[0])


def estimate_share_inside(region: Region, codes: np.ndarray) -> Estimate:
    """Share of independent codes (n, 2) that lie in the region, with its binomial error."""
    share = float(region.contains(codes).mean())
    # If no draw is inside, or all are, the plain error would be 0: Laplace's rule keeps it above.
    smooth = (share * len(codes) + 1) / (len(codes) + 2)
    return Estimate(share, float(np.sqrt(smooth * (1 - smooth) / len(codes))), len(codes))
