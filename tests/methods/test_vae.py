import numpy as np
import pytest
import torch
from scipy import stats

from core.errors import BadInput
from core.methods.vae import VAE


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).random((300, 10), dtype=np.float32)


SMALL = {"n_components": 2, "width": 16, "layers": 1, "epochs": 5, "batch_size": 64, "random_state": 0}


def vae(**params):
    return VAE(**{**SMALL, **params})


def test_bernoulli_reconstruction_is_cross_entropy_in_nats(X):
    model = vae().fit(X)
    reconstruction, _ = model.elbo_terms(X, at_mean=True)
    p = model.inverse_transform(model.transform(X)).astype(float)
    expected = -(X * np.log(p) + (1 - X) * np.log(1 - p)).sum(1)
    assert reconstruction == pytest.approx(expected, rel=1e-4)


def test_bounds_equal_the_evidence_with_the_true_posterior():
    """x = 2 z + 1 + N(0, 1/4), its exact posterior as encoder: then the bound is log p(x) itself."""
    model = vae(n_components=1, output="normal", network="mlp")
    model.n_features_in_ = 1
    variance = 1 / (1 + 4 / 0.25)
    encoder, decoder = torch.nn.Linear(1, 2), torch.nn.Linear(1, 2)
    with torch.no_grad():
        encoder.weight[:] = torch.tensor([[variance * 2 / 0.25], [0.0]])
        encoder.bias[:] = torch.tensor([-variance * 2 / 0.25, np.log(variance)])
        raw = 2 * np.log(0.02) + np.log(np.expm1(np.log(0.25) - 2 * np.log(0.02)))
        decoder.weight[:] = torch.tensor([[2.0], [0.0]])
        decoder.bias[:] = torch.tensor([1.0, raw])
    model.networks_ = torch.nn.ModuleDict({"encoder": encoder, "decoder": decoder})
    x = np.linspace(-3, 5, 9, dtype=np.float32)[:, None]
    evidence = stats.norm.logpdf(x[:, 0], 1, np.sqrt(4 + 0.25))
    # With the exact posterior every importance weight is p(x), so one draw is enough.
    assert model.score_samples(x, 1, random_state=0) == pytest.approx(evidence, abs=1e-4)
    draws = -sum(model.elbo_terms(np.tile(x, (4000, 1)), random_state=0)).reshape(4000, 9)
    assert draws.mean(0) == pytest.approx(evidence, abs=0.06)


def test_more_importance_samples_tighten_the_bound(X):
    model = vae(epochs=60, beta=0.1).fit(X)
    bounds = [model.score_samples(X, k, random_state=0).mean() for k in (1, 10, 100)]
    assert bounds[0] + 0.01 < bounds[1] < bounds[2]
    assert bounds[0] == pytest.approx(-sum(model.elbo_terms(X, random_state=1)).mean(), abs=0.1)


def test_beta_trades_kl_against_reconstruction(X):
    loose, tight = (vae(beta=beta, epochs=30).fit(X).elbo_terms(X, random_state=0)[1].mean() for beta in (0.01, 10))
    assert tight < 0.1 < loose


def test_vae_refuses_values_that_its_output_can_not_have(X):
    with pytest.raises(BadInput, match=r"values in \[0, 1\], these run from 0.* to 25"):
        vae().fit(X * 255)
    with pytest.raises(BadInput, match="can't be negative"):
        vae(kind="documents").fit(-X)
