import numpy as np
import pytest
import torch
from scipy import integrate, stats

from core.methods.vae import VAE, _kl_to_standard_normal, _log_normal
from core.types import BadInput


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).random((300, 10), dtype=np.float32)


def vae(**params):
    return VAE(
        **{"n_components": 2, "width": 16, "layers": 1, "epochs": 5, "batch_size": 64, "random_state": 0, **params}
    )


def test_kl_is_that_of_the_integral():
    mean, deviation = 0.7, 0.4

    def integrand(z):
        log_q = stats.norm.logpdf(z, mean, deviation)
        return np.exp(log_q) * (log_q - stats.norm.logpdf(z))

    expected = integrate.quad(integrand, -6, 6)[0]
    found = _kl_to_standard_normal(torch.tensor([[mean]]), torch.tensor([[2 * np.log(deviation)]]))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_log_normal_is_scipys():
    x, mean, log_variance = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0)).unbind(0)
    expected = stats.norm.logpdf(x.numpy(), mean.numpy(), (0.5 * log_variance).exp().numpy()).sum(-1)
    assert _log_normal(x, mean, log_variance).numpy() == pytest.approx(expected, rel=1e-4)


def test_bernoulli_reconstruction_is_cross_entropy_in_nats(X):
    model = vae().fit(X)
    reconstruction, _ = model.elbo_terms(X, at_mean=True)
    p = model.inverse_transform(model.transform(X)).astype(float)
    expected = -(X * np.log(p) + (1 - X) * np.log(1 - p)).sum(1)
    assert reconstruction == pytest.approx(expected, rel=1e-4)


def linear_gaussian_vae():
    """x = 2 z + 1 + N(0, 1/4), its exact posterior as encoder: then the bound is log p(x) itself."""
    model = vae(n_components=1, output="normal", network="mlp")
    model.n_features_in_ = 1
    posterior_variance = 1 / (1 + 4 / 0.25)
    encoder, decoder = torch.nn.Linear(1, 2), torch.nn.Linear(1, 2)
    with torch.no_grad():
        encoder.weight[:] = torch.tensor([[posterior_variance * 2 / 0.25], [0.0]])
        encoder.bias[:] = torch.tensor([-posterior_variance * 2 / 0.25, np.log(posterior_variance)])
        low = 2 * np.log(0.02)
        raw = low + np.log(np.expm1(np.log(0.25) - low))
        decoder.weight[:] = torch.tensor([[2.0], [0.0]])
        decoder.bias[:] = torch.tensor([1.0, raw])
    model.networks_ = torch.nn.ModuleDict({"encoder": encoder, "decoder": decoder})
    return model


def test_bounds_equal_the_evidence_where_the_encoder_is_the_true_posterior():
    model = linear_gaussian_vae()
    x = np.linspace(-3, 5, 9, dtype=np.float32)[:, None]
    evidence = stats.norm.logpdf(x[:, 0], 1, np.sqrt(4 + 0.25))
    # With the exact posterior every importance weight is p(x), so one draw is enough.
    assert model.score_samples(x, 1, random_state=0) == pytest.approx(evidence, abs=1e-4)
    draws = [-sum(model.elbo_terms(x, random_state=seed)) for seed in range(2000)]
    assert np.mean(draws, 0) == pytest.approx(evidence, abs=0.06)


def test_more_importance_samples_tighten_the_bound(X):
    model = vae(epochs=60, beta=0.1).fit(X)
    bounds = [model.score_samples(X, k, random_state=0).mean() for k in (1, 10, 100)]
    assert bounds[0] + 0.01 < bounds[1] < bounds[2]
    assert bounds[0] == pytest.approx(-sum(model.elbo_terms(X, random_state=1)).mean(), abs=0.1)


def test_beta_trades_kl_against_reconstruction(X):
    loose, tight = (vae(beta=beta, epochs=30).fit(X).elbo_terms(X, random_state=0)[1].mean() for beta in (0.01, 10))
    assert tight < 0.1 < loose


def test_training_loss_is_the_reported_bound(X):
    model = vae(epochs=60).fit(X)
    assert model.history_[-1]["loss"] == pytest.approx(sum(model.elbo_terms(X, random_state=0)).mean(), rel=0.05)


def test_bernoulli_refuses_what_is_no_probability(X):
    with pytest.raises(BadInput, match=r"values in \[0, 1\], these run from 0.* to 25"):
        vae().fit(X * 255)


def test_documents_become_word_probabilities():
    counts = np.random.default_rng(0).poisson(1.0, (100, 10)).astype(np.float32)
    model = vae(kind="documents").fit(counts)
    words = model.sample(4, random_state=0)
    assert words.sum(1) == pytest.approx(np.ones(4), abs=1e-5)
    with pytest.raises(BadInput, match="can't be negative"):
        vae(kind="documents").fit(-counts)
