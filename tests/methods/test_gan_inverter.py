"""Inverting a GAN: codes of given images, by a regressor and gradient steps."""

import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.special import expit
from sklearn.base import clone

from core import datasets
from core.methods.gan import GAN
from core.methods.gan_inverter import GANInverter


def errors(gan, Z, X):
    return ((gan.inverse_transform(Z).astype(float) - X) ** 2).sum(1)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def gan(digits):
    return GAN(6, network="mlp", width=64, epochs=10, image_shape=(8, 8), random_state=0).fit(digits.floats("train"))


@pytest.fixture(scope="module")
def fitted(gan, digits):
    return GANInverter(gan, fit_steps=150, width=128, n_steps=20).fit(digits.floats("train"))


@pytest.fixture(scope="module")
def images(digits):
    return digits.floats("test")[:20]


@pytest.fixture(scope="module")
def linear():
    """A GAN of 20 pixels whose logits are a linear map of the code: what is nearest to an image is known elsewhere."""
    import torch

    gan = GAN(4, network="mlp", image_shape=None)
    gan.n_features_in_ = 20
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        gan.networks_ = torch.nn.ModuleDict({"averaged": torch.nn.Linear(4, 20)})
    return gan


def test_inversion_of_a_linear_generator_finds_the_code_or_the_nearest_image(linear):
    Z = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
    inverter = GANInverter(linear, fit_steps=100, width=32, n_steps=300).fit()
    found = inverter.invert(linear.inverse_transform(Z)).codes
    assert found == pytest.approx(Z, abs=0.01)
    # Of an image that it can't generate, the nearest one.
    X = np.random.default_rng(1).uniform(0.2, 0.8, size=(5, 20)).astype(np.float32)
    layer = linear.networks_["averaged"]
    W, b = layer.weight.detach().numpy().astype(float), layer.bias.detach().numpy().astype(float)
    found = inverter.invert(X)
    for x, code, error in zip(X, found.codes, found.errors, strict=True):
        nearest = least_squares(lambda z, x=x: expit(W @ z + b) - x, np.zeros(4))
        assert error == pytest.approx(2 * nearest.cost, rel=1e-3)
        assert code == pytest.approx(nearest.x, abs=0.03)


def test_inversion_errors_are_those_of_the_images_and_fall_with_steps(fitted, gan, images):
    found = fitted.invert(images)
    assert found.errors == pytest.approx(errors(gan, found.codes, images), rel=1e-4)
    assert found.regressed_errors == pytest.approx(errors(gan, fitted.regress(images), images), rel=1e-4)
    assert found.errors.mean() < 0.95 * found.regressed_errors.mean()
    few = clone(fitted).set_params(n_steps=3).restore(fitted.arrays()).invert(images)
    assert few.steps == 3
    assert (found.errors <= few.errors + 1e-5).all()
    assert (few.errors <= few.regressed_errors).all()
    blank = errors(gan, np.zeros((20, gan.n_components)), images)
    assert found.regressed_errors.mean() < 0.8 * blank.mean(), "the regressor has learned something"
    # A regressor whose training is stopped is fitted too.
    stopped = GANInverter(gan, fit_steps=100_000, width=32).fit(on_tick=lambda row: row["share"] > 0)
    assert stopped.environment_["stopped_early"]
    assert stopped.invert(images).codes.shape == (20, gan.n_components)


def test_inversion_is_stopped_with_the_best_codes_so_far(fitted, gan, images):
    rows, before = [], {name: array.copy() for name, array in gan.arrays().items()}
    found = fitted.invert(images, on_step=lambda row: rows.append(row) or row["step"] == 5)
    assert [row["share"] for row in rows] == [step / 20 for step in range(6)]
    assert rows[-1]["error"] == pytest.approx(found.errors.mean(), rel=1e-5)
    assert all(np.array_equal(gan.arrays()[name], array) for name, array in before.items()), "the GAN has changed"


def test_inverter_refuses_what_is_no_image_code_or_fitted_gan(fitted, gan, images):
    k = gan.n_components
    for call, values, says in (
        (fitted.fit, np.zeros((2, 65)), r"Images of this GAN have shape \(n, 64\), not \(2, 65\)"),
        (fitted.invert, np.full((2, 64), np.nan), r"Pixels are in \[0, 1\]"),
        (fitted.inverse_transform, np.zeros((2, k + 1)), rf"Codes have shape \(n, {k}\)"),
        (clone(fitted).invert, images, "not fitted yet"),
        (GANInverter(GAN(2)).fit, images, "not fitted yet"),
    ):
        with pytest.raises(ValueError, match=says):
            call(values)
