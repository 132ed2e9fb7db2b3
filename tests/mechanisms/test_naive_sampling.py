"""Naive sampling against autograd, closed forms and the truth within its stated error."""

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal, norm

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


def test_exact_posterior_needs_one_draw():
    rng = np.random.default_rng(0)
    np.testing.assert_allclose(naive_sampling.sample_log_weights(MODEL, X, (50,), rng, Encoder()), TRUTH)
    found = naive_sampling.weigh_pairs(MODEL, X[None], *Encoder().propose(MODEL, X[None], 50, rng))
    assert found.effective_samples == pytest.approx(50)


def test_repeats_come_up_from_below_and_scatter_by_the_relative_variance():
    log_weights = naive_sampling.sample_log_weights(MODEL, X, (1000, 1000), np.random.default_rng(0))
    counts = (1, 10, 100, 1000)
    low, median, high = naive_sampling.compute_quantiles(log_weights, counts)
    assert (np.diff(high - low) < 0).all()
    estimates = [log_mean_exp(log_weights[:, :k]) for k in counts]
    np.testing.assert_allclose(median, np.median(estimates, axis=1))
    errors = [naive_sampling.measure_error(log_weights[:, :k], TRUTH) for k in counts]
    assert (np.diff([error.bias.value for error in errors]) > 0).all()
    # Second-order terms of log(1 + r) for the relative error r of the mean: variance v / K, bias -v / (2 K).
    variance = naive_sampling.compute_relative_variance(MODEL, X)
    assert errors[-1].deviation == pytest.approx(np.sqrt(variance / 1000), rel=0.1)
    assert abs(errors[-1].bias.deviation(-variance / 2000)) < 4
    assert errors[-1].root_mean_square == pytest.approx(np.sqrt(np.mean((estimates[-1] - TRUTH) ** 2)))


def test_relative_variance_is_that_of_a_quadrature():
    """p(x|z) and its square over a grid of z, against the closed form that draws do not reach."""
    axis = np.linspace(-8, 8, 2001)
    model = linear_gaussian.make_example(1, 0.1, n_features=3)
    x = model.sample(1, np.random.default_rng(0))[0][0]
    prior = norm.pdf(axis) * (axis[1] - axis[0])
    likelihood = np.exp(model.log_likelihood(x[None], axis[:, None])[0])
    mean, square = prior @ likelihood, prior @ likelihood**2
    assert naive_sampling.compute_relative_variance(model, x) == pytest.approx(square / mean**2 - 1, rel=1e-6)


def test_error_of_a_useless_estimate_is_that_of_other_repeats():
    """At 12 latent dimensions a first-order standard error would be 494 nats."""
    model, rng = linear_gaussian.make_example(12, 0.3), np.random.default_rng([0, 1])
    x = model.sample(1, rng)[0][0]
    truth = multivariate_normal(np.zeros(16), model.weights @ model.weights.T + 0.09 * np.eye(16)).logpdf(x)
    found = naive_sampling.measure_error(naive_sampling.sample_log_weights(model, x, (100, 3000), rng), truth)
    # 400 repeats: bias -22.8, standard deviation 7.0, root mean square error 23.8.
    assert found.bias.value == pytest.approx(-22.8, abs=2.5)
    assert found.deviation == pytest.approx(7.0, rel=0.25)
    assert found.root_mean_square == pytest.approx(23.8, abs=2.5)
    assert naive_sampling.compute_relative_variance(model, x) == pytest.approx(3000 * 494**2, rel=0.01)


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
