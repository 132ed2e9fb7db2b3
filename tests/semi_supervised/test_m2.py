import numpy as np
import pytest
import torch
from scipy import integrate, stats
from sklearn.datasets import load_digits
from sklearn.utils.estimator_checks import parametrize_with_checks

from core.errors import BadInput
from core.methods.vae import VAE
from core.semi_supervised.m2 import M2, compute_unlabelled_bound


@pytest.fixture(scope="module")
def digits():
    """Training rows, of which 20 are labelled, and rows to be classified."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    partly = np.full(1437, -1)
    for label in range(10):
        partly[np.flatnonzero(y[:1437] == label)[:2]] = label
    return X[:1437], partly, X[1437:], y[1437:]


def m2(**params):
    return M2(**{"n_components": 2, "width": 32, "epochs": 5, "batch_size": 64, "random_state": 0, **params})


@parametrize_with_checks(
    [M2(2, output="normal", width=32, epochs=40, batch_size=32, dropout=0.0, noise=0.0, average=0.9)],
    expected_failed_checks=lambda _: {"check_classifiers_classes": "its class -1 means unlabelled here"},
)
def test_estimator_check(estimator, check):
    check(estimator)


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


def test_likelihoods_are_those_of_scipy():
    rng = np.random.default_rng(0)
    x, out = rng.random((4, 1, 3), dtype=np.float32), rng.normal(size=(4, 2, 3)).astype(np.float32)
    p = 1 / (1 + np.exp(-out.astype(float)))
    expected = (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(-1)
    assert m2()._log_likelihood(torch.tensor(x), torch.tensor(out)).numpy() == pytest.approx(expected, rel=1e-4)
    out = rng.normal(size=(4, 2, 6)).astype(np.float32)
    lowest = 2 * np.log(0.02)
    deviation = np.exp(0.5 * (lowest + np.log1p(np.exp(out[..., 3:] - lowest))))
    expected = stats.norm.logpdf(x, out[..., :3], deviation).sum(-1)
    found = m2(output="normal")._log_likelihood(torch.tensor(x), torch.tensor(out)).numpy()
    assert found == pytest.approx(expected, rel=1e-3)


def test_the_bound_lies_below_the_likelihood_by_integration():
    """One pixel, one number z: the mean of the bound over draws is at most log p(x), found by integrating over z."""
    model = m2(n_components=1, width=4)
    model.classes_ = np.arange(2)
    networks = model._networks(1)
    x = 0.7

    def density(z, y):
        with torch.inference_mode():
            out = networks["decoder"]
            h = (out["of_row"](torch.tensor([[z]])) + out["of_class"](torch.tensor([y]))).relu()
            logit = float(out["out"](h))
        return np.exp(x * logit - np.log1p(np.exp(logit))) * stats.norm.pdf(z)

    log_p = [np.log(integrate.quad(density, -6, 6, args=(y,))[0]) for y in (0, 1)]
    rows, classes = torch.full((20000, 1), x), torch.tensor([[0, 1]]).expand(20000, 2)
    with torch.inference_mode():
        likelihood, kl = model._terms(networks, rows, classes, torch.Generator().manual_seed(0))
    bound = (likelihood - kl).mean(0).numpy()
    assert (bound <= np.array(log_p) + 0.01).all()
    assert bound == pytest.approx(log_p, abs=0.5)


def test_digits_are_classified_better_than_by_the_labels_alone(digits):
    X, y, X_test, y_test = digits
    settings = {"width": 128, "n_components": 5, "epochs": 40, "batch_size": 100, "alpha": 1.0, "noise": 0.0}
    model = m2(**settings).fit(X, y)
    alone = m2(**settings).fit(X[y >= 0], y[y >= 0])
    error, of_alone = ((each.predict(X_test) != y_test).mean() for each in (model, alone))
    assert error < of_alone
    assert error < 0.25
    P = model.predict_proba(X_test)
    assert P.shape == (360, 10)
    assert P.sum(1) == pytest.approx(1)
    assert model.codes(X_test).shape == (360, 128)


def test_m1_m2_draws_codes_in_training_and_takes_means_after(digits):
    X, y, X_test, _ = digits
    vae = VAE(6, width=32, layers=1, epochs=3, batch_size=64, random_state=0).fit(X)
    model = m2(embedder=vae, output="normal").fit(X, y)
    assert model.n_features_in_ == 64
    assert model.networks_["classifier"][0].in_features == 6
    rows = torch.as_tensor(model._validated(X[:2000], reset=False))
    mean, deviation = rows.numpy()[:, :6], rows.numpy()[:, 6:]
    assert mean == pytest.approx(vae.transform(X), abs=1e-5)
    z = (model._drawn(rows, torch.Generator().manual_seed(0)).numpy() - mean) / deviation
    assert z.mean() == pytest.approx(0, abs=0.05)
    assert z.std() == pytest.approx(1, abs=0.05)
    assert np.array_equal(model.predict_proba(X_test), model.predict_proba(X_test))


def test_a_class_without_labels_stays_unknown(digits):
    X, y, X_test, _ = digits
    model = m2(epochs=1).fit(X, np.where(y == 7, -1, y))
    assert model.classes_.tolist() == [0, 1, 2, 3, 4, 5, 6, 8, 9]
    assert model.predict_proba(X_test).shape == (360, 9)


def test_the_same_seed_gives_the_same_classifier_and_training_can_be_ended(digits):
    X, y, X_test, _ = digits
    first, second = (m2(epochs=2).fit(X, y).predict_proba(X_test) for _ in range(2))
    assert np.array_equal(first, second)
    assert len(m2().fit(X, y, on_epoch=lambda row: True).history_) == 1


def test_bad_input_is_one_clear_sentence(digits):
    X, y, *_ = digits
    with pytest.raises(BadInput, match="No row has a label"):
        m2().fit(X, np.full(len(X), -1))
    with pytest.raises(BadInput, match="scale them"):
        m2().fit(16 * X, y)
