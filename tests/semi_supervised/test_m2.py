import numpy as np
import pytest
import torch
from scipy import integrate, stats

from core.errors import BadInput
from core.methods.vae import VAE
from core.semi_supervised.m2 import M2, compute_unlabelled_bound


def make_m2(**params):
    return M2(**{"n_components": 2, "width": 32, "epochs": 5, "batch_size": 64, "random_state": 0, **params})


def test_bound_of_the_true_posterior_is_the_log_likelihood():
    """With q(z|x,y) and q(y|x) exact, eq. 7 is log p(x) itself; another q(y|x) lies below it by the KL divergence."""
    joint = torch.tensor([[0.1, 0.02, 0.3]]).log()  # log p(x|y), the exact q(z|x,y) leaving no gap
    prior = -np.log(3)
    posterior = (joint + prior).log_softmax(1)
    zero = torch.zeros(1, 3)
    assert float(compute_unlabelled_bound(joint, zero, posterior, prior)) == pytest.approx(np.log(0.42 / 3), abs=1e-5)
    other = torch.tensor([[0.5, 0.3, 0.2]])
    gap = float((other * (other.log() - posterior)).sum())
    below = float(compute_unlabelled_bound(joint, zero, other.log(), prior))
    assert below == pytest.approx(np.log(0.42 / 3) - gap, abs=1e-5)


def test_bound_given_a_class_lies_below_the_likelihood_by_integration():
    """One pixel, one dimension: the mean of the bound over draws is at most log p(x), found by integrating over z."""
    X = np.random.default_rng(0).random((40, 1), np.float32)
    model, x = make_m2(n_components=1, width=4, epochs=1).fit(X, np.arange(40) % 2), 0.7
    networks = model.networks_

    def density(z, y):
        decoder = networks["decoder"]
        with torch.inference_mode():
            h = (decoder["of_row"](torch.tensor([[z]])) + decoder["of_class"](torch.tensor([y]))).relu()
            logit = float(decoder["out"](h))
        return np.exp(x * logit) / (1 + np.exp(logit)) * stats.norm.pdf(z)

    log_p = [np.log(integrate.quad(density, -6, 6, args=(y,))[0]) for y in (0, 1)]
    rows, classes = torch.full((20000, 1), x), torch.tensor([[0, 1]]).expand(20000, 2)
    with torch.inference_mode():
        likelihood, kl = model.bound_terms(networks, rows, classes, torch.Generator().manual_seed(0))
    bound = (likelihood - kl).mean(0).numpy()
    assert (bound <= np.array(log_p) + 0.01).all()
    assert bound == pytest.approx(log_p, abs=0.5)


def test_m1_m2_trains_on_draws_and_classifies_means(digits):
    X, y, X_test, _ = digits
    vae = VAE(6, width=32, layers=1, epochs=3, batch_size=64, random_state=0).fit(X)
    mean, deviation = vae.posterior(X)
    assert np.array_equal(mean, vae.transform(X))
    model = make_m2(embedder=vae, output="normal").fit(X, y)
    assert model.n_features_in_ == 64
    assert model.networks_["classifier"][0].in_features == 6
    moments = torch.as_tensor(np.concatenate([mean, deviation], 1))
    z = (model.draw_inputs(moments, torch.Generator().manual_seed(0)).numpy() - mean) / deviation
    assert (z.mean(), z.std()) == pytest.approx((0, 1), abs=0.05)
    assert np.array_equal(model.predict_proba(X_test), model.predict_proba(X_test))


def test_pixels_out_of_range_are_refused(digits):
    with pytest.raises(BadInput, match="scale them"):
        make_m2().fit(16 * digits[0], digits[1])
