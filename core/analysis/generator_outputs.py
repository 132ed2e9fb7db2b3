"""What the decoder of a stored run gives: the distribution p(x|z) of an image, and the images of a plane of codes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from core.analysis import decoder_export
from core.nn import losses
from core.types import BERNOULLI, Run


@dataclass(frozen=True)
class Plane:
    """Images of a 2-D code, decoded at steps of equal probability of N(0, I).

    Attributes
    ----------
    images : (lines * columns, n_pixels) floats in [0, 1], row by row from the top; columns : how many in a row.
    neighbours, pairs : mean squared error, summed over pixels, between images beside or above one another, and between
        any two images.
    """

    images: np.ndarray
    columns: int
    neighbours: float
    pairs: float


def decode_distribution(run: Run, weights: Mapping[str, np.ndarray], Z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each pixel of p(x|z) of a VAE: (n, n_pixels) each.

    A Bernoulli pixel of mean p has the standard deviation sqrt(p (1 - p)); of a Normal one the generator gives both.
    """
    layers = decoder_export.export_stored_layers(run, weights, "decoder")
    if layers is None:
        raise ValueError(f"The decoder of {run.key} is convolutional.")
    outputs = decoder_export.decode(layers, Z).astype(np.float64)
    if run.spec.param("output") == BERNOULLI:
        mean = expit(outputs)
        return mean, np.sqrt(mean * (1 - mean))
    mean, raw = np.split(outputs, 2, axis=1)
    # As `core.nn.losses.split_normal`.
    lowest = losses.LOWEST_LOG_VARIANCE
    return mean, np.exp((lowest + np.logaddexp(0, raw - lowest)) / 2)


def sample_images(mean: np.ndarray, deviation: np.ndarray, output: str, seed: int) -> np.ndarray:
    """One sample of p(x|z) for each row, (n, n_pixels): 0 or 1 of Bernoulli pixels, any number of Normal ones."""
    generator = np.random.default_rng(seed)
    if output == BERNOULLI:
        return (generator.random(mean.shape) < mean).astype(np.float64)
    return mean + deviation * generator.standard_normal(mean.shape)


def decode_plane(decoder: decoder_export.Decoder, columns: int, lines: int, reach: float) -> Plane:
    """Decode a grid of codes within `reach` standard deviations of N(0, I), see `place_grid_columns`."""
    places = (decoder_export.place_grid_columns(n, -reach, reach, is_prior=True) for n in (columns, lines))
    images = decoder_export.decode(decoder, decoder_export.make_grid(*places)).clip(0, 1)
    grid = images.reshape(lines, columns, -1).astype(np.float64)
    beside = np.concatenate([np.square(np.diff(grid, axis=axis)).sum(axis=-1).ravel() for axis in (0, 1)])
    # The mean over pairs of different images: twice their sample variance.
    return Plane(images, columns, float(beside.mean()), float(2 * images.var(axis=0, ddof=1, dtype=np.float64).sum()))
