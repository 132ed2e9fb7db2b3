"""Naive sampling against autograd, closed forms and the truth within its stated error."""

import numpy as np
import pytest
import torch

from core.mechanisms import linear_gaussian, naive_sampling
from core.mechanisms.monte_carlo import Estimate, log_mean_exp
from core.mechanisms.naive_sampling import Encoder
from tests.mechanisms.calibration import SEEDS, assert_calibrated


@pytest.fixture
def model():
    return linear_gaussian.make_example(2, 0.5, n_features=4)


def test_weights_times_gradients_are_the_gradient_of_the_objective(model):
    """The norms are those of log p(x|z), and their weighted sum is what autograd says of log mean p(x|z)."""
    rng = np.random.default_rng(0)
    X, _ = model.sample(1, rng)
    Z = rng.standard_normal((7, 2))
    W = torch.tensor(model.weights, requires_grad=True)
    b = torch.tensor(model.bias, requires_grad=True)
    rows, codes = torch.tensor(X), torch.tensor(Z)
    log_p = -0.5 * ((rows - codes @ W.T - b) ** 2).sum(1) / model.noise**2
    each = [torch.autograd.grad(one, (W, b), retain_graph=True) for one in log_p]
    norms = [float(torch.cat([g.ravel() for g in own]).norm()) for own in each]
    found = naive_sampling.weigh_pairs(model, X, Z)
    np.testing.assert_allclose(found.gradients[0], norms)
    whole = torch.autograd.grad(torch.logsumexp(log_p, 0), W)[0].numpy()
    np.testing.assert_allclose(sum(w * g[0].numpy() for w, g in zip(found.weights[0], each, strict=True)), whole)


def test_share_of_pairs_is_the_smallest_that_carries_it():
    found = naive_sampling.Pairs(np.array([[0.5, 0.3, 0.15, 0.05]]), np.ones((1, 4)))
    assert found.share == 1.0
    assert naive_sampling.Pairs(np.array([[0.9, 0.095, 0.004, 0.001]]), np.ones((1, 4))).share == 0.5
    assert naive_sampling.Pairs(np.array([[1.0, 0.0, 0.0, 0.0]]), np.ones((1, 4))).effective_samples == 1
    assert naive_sampling.Pairs(np.full((1, 4), 0.25), np.ones((1, 4))).effective_samples == 4
    # A weight counts by the gradient it carries.
    assert naive_sampling.Pairs(np.array([[0.5, 0.5]]), np.array([[1.0, 1e-6]])).share == 0.5


def test_effective_samples_tend_to_the_closed_share(model):
    """(E p(x|z))^2 / E p(x|z)^2, which is 1 / (1 + error^2) with the standard error of one code."""
    X, _ = model.sample(3, np.random.default_rng(0))
    rng = np.random.default_rng(1)
    for x in X:
        found = (
            naive_sampling.weigh_pairs(model, x[None], rng.standard_normal((200_000, 2))).effective_samples / 200_000
        )
        error = naive_sampling.compute_standard_error(model, x, 1)
        assert 1 / (1 + error**2) == pytest.approx(found, rel=0.05)


def test_larger_codes_and_smaller_noise_leave_fewer_pairs():
    def share(size, noise):
        rng = np.random.default_rng(0)
        model = linear_gaussian.make_example(size, noise)
        return naive_sampling.weigh_pairs(model, model.sample(64, rng)[0], rng.standard_normal((256, size))).share

    assert share(1, 0.5) > share(3, 0.5) > share(8, 0.5)
    assert share(2, 1.0) > share(2, 0.5) > share(2, 0.1)


@pytest.mark.parametrize("encoder", [None, Encoder(1.3, 0.2)])
def test_log_marginal_is_the_truth_within_its_error(model, encoder):
    x = model.sample(1, np.random.default_rng(5))[0][0]
    truth = model.log_marginal(x[None])[0]
    found = [
        naive_sampling.estimate_log_marginal(
            naive_sampling.sample_log_weights(model, x, (20_000,), np.random.default_rng(seed), encoder)
        ).deviation(truth)
        for seed in SEEDS
    ]
    assert_calibrated(found)


def test_the_exact_posterior_needs_one_draw(model):
    x = model.sample(1, np.random.default_rng(5))[0][0]
    weights = naive_sampling.sample_log_weights(model, x, (50,), np.random.default_rng(0), Encoder())
    np.testing.assert_allclose(weights, model.log_marginal(x[None])[0])
    Z, log_proposal = Encoder().propose(model, x[None], 50, np.random.default_rng(0))
    found = naive_sampling.weigh_pairs(model, x[None], Z, log_proposal)
    assert found.effective_samples == pytest.approx(50)


def test_expected_error_is_what_repeats_show(model):
    x = model.sample(1, np.random.default_rng(5))[0][0]
    weights = naive_sampling.sample_log_weights(model, x, (1000, 2000), np.random.default_rng(0))
    spread = np.log(np.exp(weights).mean(1)).std()
    assert naive_sampling.compute_standard_error(model, x, 2000) == pytest.approx(spread, rel=0.1)


def test_spread_narrows_and_the_mean_comes_up_from_below(model):
    x = model.sample(1, np.random.default_rng(5))[0][0]
    weights = naive_sampling.sample_log_weights(model, x, (400, 1000), np.random.default_rng(0))
    found = naive_sampling.compute_quantiles(weights, (1, 10, 100, 1000))
    assert (np.diff(found.high - found.low) < 0).all()
    means = [log_mean_exp(weights[:, :k]).mean() for k in found.counts]
    assert (np.diff(means) > 0).all()
    assert means[-1] == pytest.approx(model.log_marginal(x[None])[0], abs=0.05)


def test_trap_is_best_off_without_the_code(model):
    rng = np.random.default_rng(0)
    X, Z = model.sample(1000, rng)[0], rng.standard_normal((3000, 2))
    scales = np.linspace(0, 1.6, 17)
    found = naive_sampling.compare_objectives(model, X, Z, scales)
    assert found.mean_of_log.argmax() == 0
    assert found.scales[found.log_of_mean.argmax()] == pytest.approx(1.0, abs=0.11)
    np.testing.assert_allclose(found.log_of_mean_sampled, found.log_of_mean, atol=0.15)
    np.testing.assert_allclose(found.mean_of_log, found.mean_of_log_sampled, rtol=0.05)


def test_the_averaged_logarithm_from_draws_is_the_truth_within_its_error(model):
    X = model.sample(100, np.random.default_rng(0))[0]
    deviations = []
    for seed in SEEDS:
        found = naive_sampling.compare_objectives(
            model, X, np.random.default_rng([1, seed]).standard_normal((256, 2)), [1.0]
        )
        deviations.append(
            Estimate(found.mean_of_log_sampled[0], found.mean_of_log_error[0], 256).deviation(found.mean_of_log[0])
        )
    assert_calibrated(deviations)
