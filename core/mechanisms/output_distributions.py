"""A generator of a spot with Bernoulli or Normal pixels, and the moments of its images.

The code z ~ N(0, I) in the plane is where the spot lies in a square image: pixel c has the mean
m_c(z) = exp(-|c - s z|^2 / (2 r^2)), where s is how far a code of 1 moves the spot and r its radius. With a Bernoulli
output the means are the probabilities that a pixel is white; with a Normal output every pixel has the same deviation.
"""

from dataclasses import dataclass

import numpy as np

from core.mechanisms.monte_carlo import Estimate

BERNOULLI, NORMAL = "bernoulli", "normal"
SIDE = 16
_MOVE = 0.4


@dataclass(frozen=True)
class Spot:
    """The generator.

    Attributes
    ----------
    output : {"bernoulli", "normal"}
    radius : r above 0, as a share of half the image's side.
    noise : standard deviation of a pixel about its mean, at least 0; of a Normal output alone.
    """

    output: str
    radius: float = 0.25
    noise: float = 0.1

    @property
    def pixels(self) -> np.ndarray:
        """Positions of the pixels in [-1, 1]: (256, 2), y up, row by row from the top."""
        axis = (np.arange(SIDE) + 0.5) / SIDE * 2 - 1
        y, x = np.meshgrid(-axis, axis, indexing="ij")
        return np.stack([x.ravel(), y.ravel()], 1)

    def compute_parameters(self, Z: np.ndarray) -> np.ndarray:
        """Means of p(x|z): (n, 2) -> (n, 256) in [0, 1]."""
        apart = np.square(self.pixels[None] - _MOVE * Z[:, None]).sum(-1)
        return np.exp(-apart / (2 * self.radius**2))

    def draw(self, parameters: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Images from p(x|z), of the same shape: 0 or 1, or any number with a Normal output."""
        if self.output == BERNOULLI:
            return (rng.random(parameters.shape) < parameters).astype(float)
        return parameters + self.noise * rng.standard_normal(parameters.shape)

    @property
    def mean(self) -> np.ndarray:
        """Exact E x of every pixel, over codes and draws: (256,)."""
        return self._mean_power(1)

    @property
    def variance_of_means(self) -> np.ndarray:
        """Exact Var E(x|z), what the code explains: (256,)."""
        return self._mean_power(2) - np.square(self._mean_power(1))

    @property
    def variance(self) -> np.ndarray:
        """Exact Var x = E Var(x|z) + Var E(x|z), the law of total variance: (256,)."""
        given_code = self.noise**2 if self.output == NORMAL else self._mean_power(1) - self._mean_power(2)
        return given_code + self.variance_of_means

    def _mean_power(self, k: int) -> np.ndarray:
        """E m(z)^k: a Gaussian of the variance r^2 / k, smoothed by s z ~ N(0, s^2 I)."""
        narrow = self.radius**2 / k
        wide = narrow + _MOVE**2
        return narrow / wide * np.exp(-np.square(self.pixels).sum(1) / (2 * wide))


def compute_explained_variance(spot: Spot) -> float:
    """Share of the images' variance that the code explains; the rest is the output's."""
    return float(spot.variance_of_means.sum() / spot.variance.sum())


def estimate_explained_variance(spot: Spot, n: int, rng: np.random.Generator) -> Estimate:
    """`compute_explained_variance` from n pairs of images with the same code.

    Their covariance over codes is Var E(x|z), summed over pixels; the share's error is that to first order.
    """
    parameters = spot.compute_parameters(rng.standard_normal((n, 2)))
    centred = [spot.draw(parameters, rng) - spot.mean for _ in range(2)]
    common = (centred[0] * centred[1]).sum(1)
    whole = 0.5 * (np.square(centred[0]) + np.square(centred[1])).sum(1)
    share = common.mean() / whole.mean()
    return Estimate(float(share), Estimate.from_draws((common - share * whole) / whole.mean()).error, n)
