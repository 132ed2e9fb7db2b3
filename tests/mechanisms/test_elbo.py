"""The bound against numerical KLs, its gap, importance weighting, and the linear VAE against an optimiser."""

import numpy as np
import pytest
from scipy.optimize import minimize

from core.mechanisms import elbo, linear_gaussian
from core.mechanisms.elbo import LinearVAE
from core.mechanisms.naive_sampling import Encoder
from tests.mechanisms.helpers import assert_calibrated

MODEL = linear_gaussian.make_example(2, 0.7, n_features=4)
X = MODEL.sample(1, np.random.default_rng(2))[0][0]


@pytest.mark.parametrize("encoder", [Encoder(1.5, 0.0), Encoder(0.6, 0.8)])
def test_parts_add_up_and_the_sampled_bound_is_the_closed_one(encoder):
    found = elbo.compute_bound(MODEL, X, encoder)
    assert found.gap == pytest.approx(found.log_marginal - found.elbo, abs=1e-9)
    assert found.gap > 0.01
    assert_calibrated(lambda rng: elbo.estimate_elbo(MODEL, X, encoder, 2000, rng), found.elbo)
    assert elbo.compute_bound(MODEL, X, Encoder()).gap == pytest.approx(0, abs=1e-12)


def test_bound_tightens_towards_log_marginal():
    encoder = Encoder(1.5, 0.5)
    found = elbo.estimate_tighter_bounds(MODEL, X, encoder, (1, 3, 10, 100, 1000), 500, np.random.default_rng(0))
    values, exact = [each.value for each in found], elbo.compute_bound(MODEL, X, encoder)
    assert (np.diff(values) > 0).all()
    assert abs(found[0].deviation(exact.elbo)) < 4
    assert values[-1] == pytest.approx(exact.log_marginal, abs=0.01)


@pytest.mark.parametrize("beta", [0.3, 4.0])
def test_linear_vae_is_what_an_optimiser_finds(beta):
    """For one component at a time, minimise reconstruction + beta KL over w, v and log s."""
    variances, noise = np.array([4.0, 1.0, 0.2]), 0.7
    closed = LinearVAE(variances, noise, beta)
    for k, variance in enumerate(variances):

        def loss(x, variance=variance):
            w, v, log_s = x
            error = variance * (1 - w * v) ** 2 + w**2 * np.exp(2 * log_s)
            reconstruction = 0.5 * (error / noise**2 + np.log(2 * np.pi * noise**2))
            return reconstruction + beta * 0.5 * (v**2 * variance + np.exp(2 * log_s) - 1 - 2 * log_s)

        found = min((minimize(loss, start, tol=1e-10) for start in ([1, 0.5, -1], [0.1, 0.1, 0])), key=lambda r: r.fun)
        one = LinearVAE(variance[None], noise, beta)
        assert one.reconstruction + beta * one.kl.sum() == pytest.approx(found.fun, abs=1e-6)
        weights = closed.weights[k], closed.gains[k], closed.deviations[k]
        assert weights == pytest.approx((*np.abs(found.x[:2]), np.exp(found.x[2])), abs=2e-3)


def test_sampled_loss_of_a_linear_vae_is_the_closed_one():
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(500, 3)) * [2.0, 1.0, 0.4]
    rows -= rows.mean(0)
    rows = np.tile(rows @ np.linalg.svd(rows, full_matrices=False)[2].T, (20, 1))
    vae = LinearVAE(np.square(rows).mean(0), 0.5, 1.5)
    truth = vae.reconstruction + vae.beta * vae.kl.sum()
    assert_calibrated(lambda rng: vae.estimate_loss(rows, rng), truth)


@pytest.mark.parametrize("t", [0.0, 0.3, 1.0, 3.0])
def test_tempered_encoder_is_prior_times_likelihood_to_a_power(t):
    """Its mean and covariance are those of p(z) p(x|z)^t on a grid."""
    axis = np.linspace(-6, 6, 301)
    Z = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    logs = -0.5 * np.square(Z).sum(1) + t * MODEL.log_likelihood(X[None], Z)[0]
    weights = np.exp(logs - logs.max())
    weights /= weights.sum()
    mean, factor = elbo.TemperedEncoder(t).encode(MODEL, X[None])
    np.testing.assert_allclose(mean[0], weights @ Z, atol=1e-4)
    np.testing.assert_allclose(factor @ factor.T, (weights * (Z - mean).T) @ (Z - mean), atol=1e-4)
    bound = elbo.compute_bound(MODEL, X, elbo.TemperedEncoder(t))
    assert (bound.kl == pytest.approx(0, abs=1e-12)) == (t == 0)
    assert (bound.gap == pytest.approx(0, abs=1e-12)) == (t == 1)
