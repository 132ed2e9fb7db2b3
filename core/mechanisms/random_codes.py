"""An autoencoder as a generator: the region of its codes, N(0, I)'s share of it, and how samples fail."""

from __future__ import annotations

import numpy as np

from core.mechanisms.divergences import Gaussian
from core.mechanisms.monte_carlo import Estimate

SHARE = 0.95  # of a Gaussian, in its region
# Shares of what real rows reach: below them some samples fail, or most.
_GOOD_SHARE, _POOR_SHARE = 0.9, 0.5
NONE, SOME, MOST = "none", "some", "most"


def compute_radius(dimension: int) -> float:
    """Of the region, in deviations of the Gaussian: the root of the 95% quantile of chi^2, in the plane 2.45."""
    from scipy.stats import chi2

    return float(np.sqrt(chi2.ppf(SHARE, dimension)))


class Region(Gaussian):
    """The ellipsoid that holds 95% of a Gaussian."""

    @classmethod
    def fit(cls, codes: np.ndarray) -> Region:
        """Fitted to codes (n, d), n above d."""
        return cls(codes.mean(0), np.cov(codes.T))

    @classmethod
    def of_normal(cls, dimension: int) -> Region:
        """That of N(0, I)."""
        return cls(np.zeros(dimension), np.eye(dimension))

    @property
    def radius(self) -> float:
        return compute_radius(len(self.mean))

    def contains(self, codes: np.ndarray) -> np.ndarray:
        """Which codes lie in it: (n, d) -> (n,) bool."""
        return self.covers(codes, self.radius)

    def project(self, view: np.ndarray) -> Region:
        """The region of the Gaussian's projection on directions (d, 2)."""
        return Region(self.mean @ view, view.T @ self.covariance @ view)

    def compute_normal_share(self) -> float:
        """Probability that z ~ N(0, I) lies in it, by quadrature over z1; in the plane.

        At given z1 the ellipse is an interval of z2 about its conditional mean.
        """
        from scipy.integrate import fixed_quad
        from scipy.stats import norm

        deviation, radius = np.sqrt(self.covariance[0, 0]), self.radius
        slope = self.covariance[0, 1] / self.covariance[0, 0]
        left = np.sqrt(self.covariance[1, 1] - slope * self.covariance[0, 1])

        def compute_density(t: np.ndarray) -> np.ndarray:
            # The substitution z1 = mean + radius * deviation * sin(t) takes away the square root's steep ends.
            apart, half = radius * deviation * np.sin(t), radius * left * np.cos(t)
            middle = self.mean[1] + slope * apart
            inside = norm.cdf(middle + half) - norm.cdf(middle - half)
            return norm.pdf(self.mean[0] + apart) * inside * radius * deviation * np.cos(t)

        return float(fixed_quad(compute_density, -np.pi / 2, np.pi / 2, n=400)[0])


def estimate_share_inside(region: Region, codes: np.ndarray) -> Estimate:
    """Share of independent codes (n, d) that lie in the region, with its binomial error."""
    share = float(region.contains(codes).mean())
    # If no draw is inside, or all are, the plain error would be 0: Laplace's rule keeps it above.
    smooth = (share * len(codes) + 1) / (len(codes) + 2)
    return Estimate(share, float(np.sqrt(smooth * (1 - smooth) / len(codes))), len(codes))


def choose_view(region: Region) -> np.ndarray:
    """Two orthonormal directions (d, 2) to look at codes along; in the plane the axes.

    The first principal directions; where N(0, I) lies outside the region, the first is the one that tells them apart
    best (Fisher's), which the principal directions may hide.
    """
    d = len(region.mean)
    if d == 2:
        return np.eye(2)
    principal = np.linalg.eigh(region.covariance)[1][:, ::-1]
    if region.contains(np.zeros((1, d)))[0]:
        return principal[:, :2]
    apart = np.linalg.solve(region.covariance + np.eye(d), region.mean)
    return np.linalg.qr(np.column_stack([apart, principal[:, 0]]))[0]


def grade_failure(score: float, floor: float) -> str:
    """How much of a failure a precision or recall shows beside that of real rows, the `floor`: NONE, SOME or MOST.

    Samples are off the data by their precision, and leave data out by their recall. Kynkäänniemi et al. 2019.
    """
    if score >= _GOOD_SHARE * floor:
        return NONE
    return SOME if score >= _POOR_SHARE * floor else MOST
