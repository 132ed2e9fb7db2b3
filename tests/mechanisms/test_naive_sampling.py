"""Naive sampling against autograd, closed forms and the truth within its stated error."""

import numpy as np
import pytest
import torch

from core.mechanisms import linear_gaussian, naive_sampling
from core.mechanisms.monte_carlo import Estimate, log_mean_exp
from core.mechanisms.naive_sampling import Encoder, Pairs
from tests.mechanisms.helpers import assert_calibrated

MODEL = linear_gaussian.make_example(2, 0.5, n_features=4)
X = MODEL.sample(1, np.random.default_rng(5))[0][0]
TRUTH = MODEL.log_marginal(X[None])[0]


def test_weights_times_gradients_are_the_gradient_of_the_objective():
    """The norms are those of log p(x|z), and their weighted sum is what autograd says of log mean p(x|z)."""
    Z = np.random.default_rng(0).standard_normal((7, 2))
    W, b = (torch.tensor(weights, requires_grad=True) for weights in (MODEL.weights, MODEL.bias))
    log_p = -0.5 * ((torch.tensor(X) - torch.tensor(Z) @ W.T - b) ** 2).sum(1) / MODEL.noise**2
    each = [torch.autograd.grad(one, (W, b), retain_graph=True) for one in log_p]
    norms = [float(torch.cat([g.ravel() for g in own]).norm()) for own in each]
    found = naive_sampling.weigh_pairs(MODEL, X[None], Z)
    np.testing.assert_allclose(found.gradients[0], norms)
    whole = torch.autograd.grad(torch.logsumexp(log_p, 0), W)[0].numpy()
    np.testing.assert_allclose(sum(w * g[0].numpy() for w, g in zip(found.weights[0], each, strict=True)), whole)


def test_share_and_effective_samples_of_pairs():
    for weights, share in (([0.5, 0.3, 0.15, 0.05], 1), ([0.9, 0.095, 0.004, 0.001], 0.5), ([1, 0, 0, 0], 0.25)):
        pairs = Pairs(np.array([weights]), np.ones((1, 4)))
        assert pairs.share == share
        assert pairs.effective_samples == pytest.approx(1 / np.square(weights).sum())
    # A weight counts by the gradient it contributes.
    assert Pairs(np.array([[0.5, 0.5]]), np.array([[1.0, 1e-6]])).share == 0.5


def test_log_marginal_is_the_truth_within_its_error():
    def sample(rng, encoder, n=20_000):
        return naive_sampling.sample_log_weights(MODEL, X, (n,), rng, encoder)

    for encoder in (None, Encoder(1.3, 0.2)):
        assert_calibrated(lambda rng, q=encoder: naive_sampling.estimate_log_marginal(sample(rng, q)), TRUTH)
    # The exact posterior needs one draw, and all its draws have one weight.
    rng = np.random.default_rng(0)
    np.testing.assert_allclose(sample(rng, Encoder(), 50), TRUTH)
    found = naive_sampling.weigh_pairs(MODEL, X[None], *Encoder().propose(MODEL, X[None], 50, rng))
    assert found.effective_samples == pytest.approx(50)


def test_repeats_scatter_by_the_exact_error_and_come_up_from_below():
    log_weights = naive_sampling.sample_log_weights(MODEL, X, (1000, 1000), np.random.default_rng(0))
    counts = (1, 10, 100, 1000)
    low, median, high = naive_sampling.compute_quantiles(log_weights, counts)
    assert (np.diff(high - low) < 0).all()
    estimates = [log_mean_exp(log_weights[:, :k]) for k in counts]
    np.testing.assert_allclose(median, np.median(estimates, axis=1))
    means = np.mean(estimates, axis=1)
    assert (np.diff(means) > 0).all()
    assert means[-1] == pytest.approx(TRUTH, abs=0.05)
    assert naive_sampling.compute_standard_error(MODEL, X, 1000) == pytest.approx(estimates[-1].std(), rel=0.1)


def test_mean_of_log_is_best_off_without_the_code():
    rng = np.random.default_rng(0)
    rows, Z = MODEL.sample(1000, rng)[0], rng.standard_normal((3000, 2))
    found = naive_sampling.compare_objectives(MODEL, rows, Z, np.linspace(0, 1.6, 17))
    assert found.mean_of_log.argmax() == 0
    assert found.scales[found.log_of_mean.argmax()] == pytest.approx(1.0, abs=0.11)
    np.testing.assert_allclose(found.log_of_mean_sampled, found.log_of_mean, atol=0.15)

    def estimate(rng):
        found = naive_sampling.compare_objectives(MODEL, rows[:100], rng.standard_normal((256, 2)), [1.0])
        return Estimate(found.mean_of_log_sampled[0], found.mean_of_log_error[0], 256)

    truth = naive_sampling.compare_objectives(MODEL, rows[:100], Z, [1.0]).mean_of_log[0]
    assert_calibrated(estimate, truth)
