"""The generator of which everything is known, against scipy and numerical integrals."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from core.mechanisms import linear_gaussian
from core.mechanisms.linear_gaussian import LinearGaussian
from core.mechanisms.monte_carlo import Estimate, log_mean_exp


@pytest.fixture
def model():
    rng = np.random.default_rng(3)
    return LinearGaussian(rng.normal(size=(5, 2)), rng.normal(size=5), 0.6)


def test_likelihood_and_marginal_are_scipys(model):
    X, Z = model.sample(6, np.random.default_rng(0))
    expected = [[multivariate_normal(model.weights @ z + model.bias, 0.36 * np.eye(5)).logpdf(x) for z in Z] for x in X]
    np.testing.assert_allclose(model.log_likelihood(X, Z), expected)
    covariance = model.weights @ model.weights.T + 0.36 * np.eye(5)
    np.testing.assert_allclose(model.log_marginal(X), multivariate_normal(model.bias, covariance).logpdf(X))
    many = model.sample(200_000, np.random.default_rng(0))[0]
    np.testing.assert_allclose(np.cov(many.T), covariance, atol=0.06, rtol=0.02)


def test_posterior_is_bayes_rule(model):
    x = model.sample(1, np.random.default_rng(0))[0]
    mean, covariance = model.posterior(x)
    Z = np.random.default_rng(1).normal(size=(5, 2))
    by_bayes = model.log_likelihood(x, Z)[0] + multivariate_normal(np.zeros(2)).logpdf(Z) - model.log_marginal(x)
    np.testing.assert_allclose(multivariate_normal(mean[0], covariance).logpdf(Z), by_bayes)


def test_a_noise_without_code_directions_left():
    full = linear_gaussian.make_example(16, 0.5)
    x = np.random.default_rng(0).normal(size=(3, 16))
    np.testing.assert_allclose(full.log_marginal(x), multivariate_normal(np.zeros(16), 1.25 * np.eye(16)).logpdf(x))


def test_estimates():
    found = Estimate.from_draws(np.array([1.0, 2.0, 3.0]))
    assert found == Estimate(2.0, pytest.approx(1 / np.sqrt(3)), 3)
    assert (found.deviation(2.0), found.deviation(1.0)) == (0, pytest.approx(np.sqrt(3)))
    assert Estimate(1.0, 0.0, 5).deviation(2.0) == -np.inf
    assert log_mean_exp(np.array([1000.0, 1000.0 + np.log(3)])) == pytest.approx(1000 + np.log(2))
