"""The loss of every pair of an image and a latent code under a stored VAE, and its weight in the gradient."""

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from core.analysis.decoder_export import Decoder, decode
from core.analysis.posterior_width import encode_posterior

_LEAST = 1e-6  # probability of a pixel


@dataclass(frozen=True)
class PairLosses:
    """Pairs of n images with k codes each.

    Attributes
    ----------
    decoded : (n, k, n_pixels) probability that a pixel is white, as the codes are decoded.
    losses : (n, k) -log p(x|z) in nats, of Bernoulli pixels.
    weights : (n, k) their weights in the gradient of log (1/k) sum_j p(x|z_j) r_j, where r_j is p(z_j) / q(z_j|x) for
        an encoder's codes, else 1; rows sum to 1.
    """

    decoded: np.ndarray
    losses: np.ndarray
    weights: np.ndarray


def measure_prior_pairs(decoder: Decoder, X: np.ndarray, k: int, seed: int = 0) -> PairLosses:
    """Pairs of images, (n, n_pixels) of 0 and 1, with the same k codes from p(z) = N(0, I)."""
    Z = np.random.default_rng(seed).standard_normal((k, decoder[0].weight.shape[0]))
    decoded = np.broadcast_to(decode(decoder, Z), (len(X), k, X.shape[1]))
    return _measure(decoded, X, np.zeros((len(X), k)))


def measure_encoder_pairs(encoder: Decoder, decoder: Decoder, X: np.ndarray, k: int, seed: int = 0) -> PairLosses:
    """Pairs of images, (n, n_pixels) of 0 and 1, with k codes each from q(z|x)."""
    mean, deviation = encode_posterior(encoder, X)
    eps = np.random.default_rng(seed).standard_normal((len(X), k, mean.shape[1]))
    Z = mean[:, None] + deviation[:, None] * eps
    log_proposal = 0.5 * (np.square(Z) - np.square(eps)).sum(-1) - np.log(deviation).sum(1)[:, None]
    decoded = decode(decoder, Z.reshape(-1, mean.shape[1])).reshape(*Z.shape[:2], -1)
    return _measure(decoded, X, log_proposal)


def _measure(decoded: np.ndarray, X: np.ndarray, log_proposal: np.ndarray) -> PairLosses:
    white = decoded.clip(_LEAST, 1 - _LEAST)
    losses = -np.log(np.where(X[:, None] > 0.5, white, 1 - white)).sum(-1, dtype=np.float64)
    return PairLosses(decoded, losses, softmax(-losses - log_proposal, axis=1))
