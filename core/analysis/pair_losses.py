"""The loss of every pair of an image and a latent code under a stored VAE, and its weight in the gradient."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import expit, softmax

from core.analysis.decoder_export import Decoder, decode
from core.analysis.posterior_width import encode_posterior


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
    logits = np.broadcast_to(_decode_logits(decoder, Z), (len(X), k, X.shape[1]))
    return _measure(logits, X, np.zeros((len(X), k)))


def measure_encoder_pairs(encoder: Decoder, decoder: Decoder, X: np.ndarray, k: int, seed: int = 0) -> PairLosses:
    """Pairs of images, (n, n_pixels) of 0 and 1, with k codes each from q(z|x)."""
    mean, deviation = encode_posterior(encoder, X)
    eps = np.random.default_rng(seed).standard_normal((len(X), k, mean.shape[1]))
    Z = mean[:, None] + deviation[:, None] * eps
    log_proposal = 0.5 * (np.square(Z) - np.square(eps)).sum(-1) - np.log(deviation).sum(1)[:, None]
    logits = _decode_logits(decoder, Z.reshape(-1, mean.shape[1])).reshape(*Z.shape[:2], -1)
    return _measure(logits, X, log_proposal)


def _decode_logits(decoder: Decoder, Z: np.ndarray) -> np.ndarray:
    # Of the logits: a probability in float32 is 0 or 1 where the loss is above 16 nats.
    return decode((*decoder[:-1], replace(decoder[-1], activation="identity")), Z)


def _measure(logits: np.ndarray, X: np.ndarray, log_proposal: np.ndarray) -> PairLosses:
    losses = np.logaddexp(0, np.where(X[:, None] > 0.5, -logits, logits)).sum(-1, dtype=np.float64)
    return PairLosses(expit(logits), losses, softmax(-losses - log_proposal, axis=1))
