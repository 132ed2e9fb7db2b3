"""The bound against numerical KLs, its gap, importance weighting, and the linear VAE against an optimiser."""

import numpy as np
import pytest
from scipy.optimize import minimize

from core.mechanisms import elbo, linear_gaussian, naive_sampling
from core.mechanisms.elbo import LinearVAE
from core.mechanisms.naive_sampling import Encoder
from tests.mechanisms.calibration import SEEDS, assert_calibrated

ENCODERS = (Encoder(), Encoder(1.5, 0.0), Encoder(0.6, 0.8))


@pytest.fixture
def model():
    return linear_gaussian.make_example(2, 0.7, n_features=4)


@pytest.fixture
def x(model):
    return model.sample(1, np.random.default_rng(2))[0][0]


def test_parts_add_up(model, x):
    for encoder in ENCODERS:
        found = elbo.compute_bound(model, x, encoder)
        assert found.gap == pytest.approx(found.log_marginal - found.elbo, abs=1e-9)
        assert found.kl >= 0
        assert found.gap >= 0.01 if encoder.spread != 1 else found.gap == pytest.approx(0, abs=1e-12)


def test_gaussian_kl_is_the_integral():
    mean, covariance = np.array([0.3]), np.array([[0.5]])
    grid = np.linspace(-12, 12, 200_001)
    q = np.exp(-0.5 * (grid - 0.3) ** 2 / 0.5) / np.sqrt(2 * np.pi * 0.5)
    p = np.exp(-0.5 * (grid + 1) ** 2 / 2.0) / np.sqrt(2 * np.pi * 2.0)
    expected = np.trapezoid(np.where(q > 0, q * np.log(np.maximum(q, 1e-300) / p), 0), grid)
    assert elbo.compute_gaussian_kl(mean, covariance, np.array([-1.0]), np.array([[2.0]])) == pytest.approx(expected)


@pytest.mark.parametrize("encoder", ENCODERS[1:])
def test_drawn_bound_is_the_closed_one_within_its_error(model, x, encoder):
    truth = elbo.compute_bound(model, x, encoder).elbo
    found = [
        elbo.estimate_elbo(model, x, encoder, 2000, np.random.default_rng(seed)).deviation(truth) for seed in SEEDS
    ]
    assert_calibrated(found)


def test_bound_tightens_towards_log_marginal(model, x):
    encoder = Encoder(1.5, 0.5)
    counts = (1, 3, 10, 100, 1000)
    found = elbo.estimate_tighter_bounds(model, x, encoder, counts, 500, np.random.default_rng(0))
    values = np.array([each.value for each in found])
    exact = elbo.compute_bound(model, x, encoder)
    assert (np.diff(values) > 0).all()
    assert abs(found[0].deviation(exact.elbo)) < 4
    assert values[-1] == pytest.approx(exact.log_marginal, abs=0.01)
    by_weights = naive_sampling.estimate_log_marginal(
        naive_sampling.sample_log_weights(model, x, (50_000,), np.random.default_rng(1), encoder)
    )
    assert abs(by_weights.deviation(exact.log_marginal)) < 4


@pytest.mark.parametrize("beta", [0.3, 1.0, 4.0])
def test_linear_vae_is_what_an_optimiser_finds(beta):
    """Of one component at a time: minimise reconstruction + beta KL over w, v and log s."""
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
        assert closed.weights[k] == pytest.approx(abs(found.x[0]), abs=2e-3)
        assert closed.deviations[k] == pytest.approx(np.exp(found.x[2]), abs=2e-3)
        assert closed.gains[k] == pytest.approx(abs(found.x[1]), abs=2e-3)


def test_components_collapse_one_by_one():
    variances = np.array([4.0, 1.0, 0.2])
    kept = [int(LinearVAE(variances, 0.5, beta).active.sum()) for beta in (0.1, 1.0, 8.0, 32.0)]
    assert kept == [3, 2, 1, 0]
    assert LinearVAE(variances, 0.5, 32.0).kl.sum() == 0
    assert LinearVAE(variances, 0.5, 32.0).error.sum() == pytest.approx(5.2)


def test_drawn_linear_vae_is_the_closed_one_within_its_error():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3)) * [2.0, 1.0, 0.4]
    X -= X.mean(0)
    _, _, turn = np.linalg.svd(X, full_matrices=False)
    X = X @ turn.T
    X = np.tile(X, (20, 1))
    vae = LinearVAE(np.square(X).mean(0), 0.5, 1.5)
    truth = vae.reconstruction + vae.beta * vae.kl.sum()
    # The rows are fixed, so only the codes' part of the error is left: it is no larger than what is stated.
    found = [vae.estimate_loss(X, np.random.default_rng(seed)).deviation(truth) for seed in SEEDS]
    assert np.abs(found).max() < 3
    assert np.std(found) > 0.1
