"""Two unbiased estimators of the gradient of E f(z) by the mean of z ~ N(mu, sigma^2 I).

Score function: f(z) (z - mu) / sigma^2, which needs no derivative of f. Reparameterization: f'(mu + sigma * eps).

References
----------
Williams 1992, Simple statistical gradient-following algorithms for connectionist reinforcement learning (REINFORCE).
Kingma and Welling 2014, Auto-encoding variational Bayes, section 2.4.
Mohamed, Rosca, Figurnov and Mnih 2020, Monte Carlo gradient estimation in machine learning, sections 4, 5 and 3.2.
"""

from dataclasses import dataclass

import numpy as np

SCORE, REPARAMETERIZED = "score", "reparameterized"


class Cost:
    """f with its exact gradients and variances; codes Z are (..., d).

    value(Z), f(z): (...). slope(Z), its derivative by z: (..., d). gradient(mu, sigma), that of E f(z) by mu: (d,).
    variance(estimator, mu, sigma), of one draw of the estimator, summed over the d numbers.
    """

    def ratio(self, mu: np.ndarray, sigma: float) -> float:
        """Variance of score function / reparameterized."""
        return self.variance(SCORE, mu, sigma) / self.variance(REPARAMETERIZED, mu, sigma)


@dataclass(frozen=True)
class Quadratic(Cost):
    """f(z) = |z - a|^2 with the same a in every dimension."""

    a: float = 0.0

    def value(self, Z):
        return np.square(Z - self.a).sum(-1)

    def slope(self, Z):
        return 2 * (Z - self.a)

    def gradient(self, mu, sigma):
        return 2 * (mu - self.a)

    def variance(self, estimator, mu, sigma):
        d, variance, apart = len(mu), sigma**2, np.square(mu - self.a)
        if estimator == REPARAMETERIZED:
            return 4.0 * variance * d
        # E f^2 eps_i^2, from the moments of a normal eps: E |eps|^4 eps_i^2 = (d + 2)(d + 4).
        second = apart.sum() ** 2 + 4 * variance * (apart.sum() + 2 * apart)
        second = second + variance**2 * (d + 2) * (d + 4) + 2 * apart.sum() * variance * (d + 2)
        return float((second / variance - 4 * apart).sum())


@dataclass(frozen=True)
class Sines(Cost):
    """f(z) = sum_i sin(w z_i)."""

    w: float = 1.0

    def value(self, Z):
        return np.sin(self.w * Z).sum(-1)

    def slope(self, Z):
        return self.w * np.cos(self.w * Z)

    def gradient(self, mu, sigma):
        return self.w * np.cos(self.w * mu) * self._compute_damping(sigma)

    def variance(self, estimator, mu, sigma):
        angle, damped, gradient = self.w * mu, self._compute_damping(sigma), self.gradient(mu, sigma)
        twice = damped**4 * np.cos(2 * angle)  # E cos(2 w z)
        if estimator == REPARAMETERIZED:
            return float((self.w**2 * (1 + twice) / 2 - np.square(gradient)).sum())
        spread = (self.w * sigma) ** 2
        mean = damped * np.sin(angle)
        variance = (1 - twice) / 2 - np.square(mean)
        others, others_variance = mean.sum() - mean, variance.sum() - variance
        # E f^2 eps_i^2 with f = sin(w z_i) + the others, which do not depend on eps_i.
        own = (1 - (1 - 4 * spread) * twice) / 2
        second = own + 2 * others * (1 - spread) * mean + others_variance + np.square(others)
        return float((second / sigma**2 - np.square(gradient)).sum())

    def _compute_damping(self, sigma: float) -> float:
        return float(np.exp(-((self.w * sigma) ** 2) / 2))


def sample_gradients(
    cost: Cost, mu: np.ndarray, sigma: float, n: int, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draws (n, d) of the gradient by mu (d,) by estimator, with the same n draws of eps; sigma above 0."""
    eps = rng.standard_normal((n, len(mu)))
    Z = mu + sigma * eps
    return {SCORE: cost.value(Z)[:, None] * eps / sigma, REPARAMETERIZED: cost.slope(Z)}


def measure_variance(draws: np.ndarray) -> float:
    """Variance of one draw of (n, d), summed over the d numbers."""
    return float(draws.var(0, ddof=1).sum())


def average_in_groups(draws: np.ndarray, size: int) -> np.ndarray:
    """Means of `size` draws at a time, without the remainder: (n,) -> (n // size,)."""
    whole = len(draws) // size * size
    return draws[:whole].reshape(-1, size).mean(1)
