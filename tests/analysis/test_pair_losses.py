"""Losses and weights of pairs against torch's cross entropy, and weights from densities by scipy."""

import numpy as np
import torch
from scipy.stats import norm

from core.analysis import pair_losses
from core.analysis.decoder_export import Layer, decode

RNG = np.random.default_rng(0)
DECODER = (
    Layer(RNG.normal(size=(2, 9)).astype(np.float32), np.ones(9, np.float32), np.zeros(9, np.float32), "sigmoid"),
)
ENCODER = (
    Layer(
        0.3 * RNG.normal(size=(9, 4)).astype(np.float32), np.ones(4, np.float32), np.zeros(4, np.float32), "identity"
    ),
)
X = (RNG.random((5, 9)) > 0.5).astype(np.float32)


def cross_entropy(decoded):
    target = torch.from_numpy(np.broadcast_to(X[:, None], decoded.shape).copy())
    loss = torch.nn.functional.binary_cross_entropy(torch.from_numpy(decoded.copy()), target, reduction="none")
    return loss.sum(-1).numpy()


def test_prior_pairs_share_codes_and_are_weighted_by_likelihood():
    found = pair_losses.measure_prior_pairs(DECODER, X, 7, seed=3)
    Z = np.random.default_rng(3).standard_normal((7, 2))
    np.testing.assert_allclose(found.decoded, np.broadcast_to(decode(DECODER, Z), (5, 7, 9)), rtol=1e-5)
    np.testing.assert_allclose(found.losses, cross_entropy(found.decoded), rtol=1e-4)
    likelihood = np.exp(-found.losses)
    np.testing.assert_allclose(found.weights, likelihood / likelihood.sum(1, keepdims=True))


def test_a_pixel_that_is_all_but_certain_costs_its_whole_loss():
    sure = (Layer(np.zeros((2, 9), np.float32), np.ones(9, np.float32), np.full(9, 40, np.float32), "sigmoid"),)
    found = pair_losses.measure_prior_pairs(sure, np.zeros((1, 9), np.float32), 2)
    np.testing.assert_allclose(found.losses, 9 * 40)


def test_encoder_pairs_are_weighted_by_prior_over_proposal():
    found = pair_losses.measure_encoder_pairs(ENCODER, DECODER, X, 6, seed=3)
    mean, log_variance = np.split(decode(ENCODER, X), 2, axis=1)
    deviation = np.exp(log_variance / 2)[:, None]
    Z = mean[:, None] + deviation * np.random.default_rng(3).standard_normal((5, 6, 2))
    np.testing.assert_allclose(found.losses, cross_entropy(found.decoded), rtol=1e-4)
    weights = np.exp(-found.losses) * (norm.pdf(Z) / norm.pdf(Z, mean[:, None], deviation)).prod(-1)
    np.testing.assert_allclose(found.weights, weights / weights.sum(1, keepdims=True), rtol=1e-4)
