"""How wide q(z|x) of a stored VAE is, and what its width does to the decoded image."""

from dataclasses import dataclass

import numpy as np

from core.analysis.decoder_export import Decoder, decode
from core.methods.params import LOG_VARIANCE_RANGE


@dataclass(frozen=True)
class Width:
    """Of `n` images: median standard deviation of q(z|x) in each dimension, and squared errors per image.

    `change` is from the image decoded at the mean of q(z|x) to the one decoded at a sample of it, `error` from the
    former to the image itself; both are means over the images.
    """

    n: int
    deviations: tuple[float, ...]
    change: float
    error: float


def encode_posterior(encoder: Decoder, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of q(z|x): (n, n_components) each, of images (n, n_pixels) in [0, 1]."""
    mean, log_variance = np.split(decode(encoder, X), 2, axis=1)
    return mean, np.exp(log_variance.clip(*LOG_VARIANCE_RANGE) / 2)


def measure_width(encoder: Decoder, decoder: Decoder, X: np.ndarray, seed: int = 0) -> Width:
    """Measure the width of q(z|x) on images, (n, n_pixels) in [0, 1], with one sample of each q(z|x)."""
    mean, deviation = encode_posterior(encoder, X)
    noise = np.random.default_rng(seed).standard_normal(mean.shape).astype(np.float32)
    at_mean, at_sample = decode(decoder, mean), decode(decoder, mean + deviation * noise)
    change, error = (float(np.square(at_mean - other).sum(axis=1).mean()) for other in (at_sample, X))
    return Width(len(X), tuple(np.median(deviation, axis=0).tolist()), change, error)
