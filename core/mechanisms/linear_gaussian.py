"""A generator with known likelihood and posterior: x = W z + b + noise * eps.

Source: Tipping and Bishop 1999, Probabilistic principal component analysis, eq. 2 to 8.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class LinearGaussian:
    """p(z) = N(0, I) and p(x|z) = N(W z + b, noise^2 I).

    Attributes
    ----------
    weights : (n_features, n_components) W; bias : (n_features,) b.
    noise : standard deviation of the output, above 0.
    """

    weights: np.ndarray
    bias: np.ndarray
    noise: float

    @property
    def n_features(self) -> int:
        return self.weights.shape[0]

    @property
    def n_components(self) -> int:
        return self.weights.shape[1]

    def sample(self, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Rows (n, n_features) and the codes (n, n_components) they were made from."""
        Z = rng.standard_normal((n, self.n_components))
        return Z @ self.weights.T + self.bias + self.noise * rng.standard_normal((n, self.n_features)), Z

    def log_likelihood(self, X: np.ndarray, Z: np.ndarray) -> np.ndarray:
        """log p(x|z) of every row and code: (n, n_features), (k, n_components) -> (n, k) nats."""
        from scipy.spatial.distance import cdist

        squared = cdist(X, Z @ self.weights.T + self.bias, "sqeuclidean")
        return -0.5 * (squared / self.noise**2 + self.n_features * (_LOG_2PI + 2 * np.log(self.noise)))

    def log_marginal(self, X: np.ndarray, noise: float | None = None) -> np.ndarray:
        """log N(x; b, W W^T + noise^2 I) in nats: (n, n_features) -> (n,); for another `noise`, too."""
        variance = (self.noise if noise is None else noise) ** 2
        lengths, directions = self._spectrum
        along = (X - self.bias) @ directions
        variances = lengths + variance
        outside = np.square(X - self.bias).sum(1) - np.square(along).sum(1)
        n_outside = self.n_features - len(lengths)
        squared = (np.square(along) / variances).sum(1) + outside.clip(min=0) / variance
        log_determinant = np.log(variances).sum() + n_outside * np.log(variance)
        return -0.5 * (squared + log_determinant + self.n_features * _LOG_2PI)

    def posterior(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean (n, n_components) and covariance (n_components, n_components) of p(z|x)."""
        precision = np.eye(self.n_components) + self.weights.T @ self.weights / self.noise**2
        covariance = np.linalg.inv(precision)
        return (X - self.bias) @ self.weights @ covariance / self.noise**2, covariance

    @cached_property
    def _spectrum(self) -> tuple[np.ndarray, np.ndarray]:
        """Eigenvalues of W W^T (r,) in its column space, and their directions (n_features, r)."""
        directions, lengths, _ = np.linalg.svd(self.weights, full_matrices=False)
        return np.square(lengths), directions


def make_example(n_components: int, noise: float, n_features: int = 16) -> LinearGaussian:
    """A model whose latent dimensions move x by a deviation of 1 in orthogonal directions."""
    directions, _ = np.linalg.qr(np.random.default_rng(0).standard_normal((n_features, n_features)))
    return LinearGaussian(directions[:, :n_components], np.zeros(n_features), noise)
