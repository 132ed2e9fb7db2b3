"""A generator of a spot with Bernoulli or Normal pixels, and the moments of its images.

The code z ~ N(0, I) in the plane is where the spot lies in a square image: pixel c has the mean
m_c(z) = exp(-|c - s z|^2 / (2 r^2)), where s is how far a code of 1 moves the spot and r its radius. With a Bernoulli
output the means are the probabilities that a pixel is white. With a Normal output the generator gives a deviation too,
d sqrt(4 m_c(z) (1 - m_c(z))): the most, d, at the edge of the spot, where the mean is 1/2. With a fixed output every
pixel has the deviation d.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.mechanisms.monte_carlo import Estimate

BERNOULLI, NORMAL, FIXED = "bernoulli", "normal", "fixed"
SIDE = 16
_MOVE = 0.4
_GRID_REACH, _GRID_SIDE = 5.0, 51
_ROUNDING = 2e-3  # of the difference of two log densities


@dataclass(frozen=True)
class Spot:
    """The generator.

    Attributes
    ----------
    output : {"bernoulli", "normal", "fixed"}
    radius : r above 0, as a share of half the image's side.
    noise : the largest standard deviation d of a pixel about its mean, at least 0; not of a Bernoulli output.
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

    def compute_deviations(self, means: np.ndarray) -> np.ndarray:
        """Standard deviations of p(x|z) from its means, of the same shape."""
        if self.output == FIXED:
            return np.full_like(means, self.noise)
        spread = np.sqrt(means * (1 - means))
        return 2 * self.noise * spread if self.output == NORMAL else spread

    def draw(self, means: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Images from p(x|z), of the same shape as its means: 0 or 1, or any number with a Normal output."""
        if self.output == BERNOULLI:
            return (rng.random(means.shape) < means).astype(float)
        return means + self.compute_deviations(means) * rng.standard_normal(means.shape)

    def log_marginal(self, X: np.ndarray) -> np.ndarray:
        """log p(x) of black and white images in nats, with a Bernoulli output: (n, 256) -> (n,).

        The trapezoidal rule over a grid of codes in steps of 0.2 from -5 to 5, fine enough for radii from 0.1.
        """
        from scipy.special import logsumexp

        axis = np.linspace(-_GRID_REACH, _GRID_REACH, _GRID_SIDE)
        Z = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
        apart = np.square(self.pixels[None] - _MOVE * Z[:, None]).sum(-1) / (2 * self.radius**2)
        log_black = np.log(-np.expm1(-apart.clip(min=1e-12)))  # log(1 - m)
        # float32 halves the time and errs by less than 0.001 nats.
        given_code = np.float32(X) @ np.float32(-apart - log_black).T + log_black.sum(1)
        log_weights = -0.5 * np.square(Z).sum(1) - np.log(2 * np.pi) + 2 * np.log(axis[1] - axis[0])
        return logsumexp(given_code + log_weights, axis=1)

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
        if self.output == FIXED:
            return self.noise**2 + self.variance_of_means
        given_code = self._mean_power(1) - self._mean_power(2)
        given_code = given_code if self.output == BERNOULLI else 4 * self.noise**2 * given_code
        return given_code + self.variance_of_means

    @property
    def variance_of_sum(self) -> float:
        """Exact Var sum_i x_i, the pixels being independent given the code."""
        # The sum of the means is a product of one along each axis: the mean of its square is closed, pair by pair.
        axis, narrow = self.pixels[:SIDE, 0], self.radius**2 / 2
        apart, middle = axis[:, None] - axis, (axis[:, None] + axis) / 2
        wide = narrow + _MOVE**2
        pairs = np.exp(-np.square(apart) / (8 * narrow) - np.square(middle) / (2 * wide)) * np.sqrt(narrow / wide)
        of_means = pairs.sum() ** 2 - self.mean.sum() ** 2
        return float(of_means + (self.variance - self.variance_of_means).sum())

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


@dataclass(frozen=True)
class Similarity:
    """How a generator compares with the data, once by likelihood and once by a discriminator.

    Attributes
    ----------
    log_likelihood : mean log p(x) of the data under the generator, in nats per image.
    accuracy : share of images, half data and half generated, that the optimal discriminator p / (p + q) classifies
        correctly;
        0.5 where it can only guess.
    """

    log_likelihood: Estimate
    accuracy: Estimate


def compare_with_data(data: Spot, generators: Sequence[Spot], n: int, seed: int = 0) -> list[Similarity]:
    """Compare generators with n images of the data, both with a Bernoulli output; the same random numbers for each.

    The optimal discriminator: Goodfellow et al. 2014, proposition 1.
    """
    real, *made = sample_images(data, n, seed), *(sample_images(generator, n, seed + 1) for generator in generators)
    by_data = data.log_marginal(np.concatenate([real, *made])).reshape(-1, n)
    found = []
    for generator, rows, rows_by_data in zip(generators, made, by_data[1:], strict=True):
        real_by_generator, rows_by_generator = generator.log_marginal(np.concatenate([real, rows])).reshape(2, n)
        odds = np.concatenate([by_data[0] - real_by_generator, rows_by_generator - rows_by_data])
        is_correct = np.where(np.abs(odds) < _ROUNDING, 0.5, odds > 0)
        found.append(Similarity(Estimate.from_draws(real_by_generator), Estimate.from_draws(is_correct)))
    return found


def sample_images(spot: Spot, n: int, seed: int) -> np.ndarray:
    """Images x ~ p(x|z) of codes z ~ N(0, I): (n, 256)."""
    rng = np.random.default_rng(seed)
    return spot.draw(spot.compute_parameters(rng.standard_normal((n, 2))), rng)
