"""Inverting a GAN: codes of given images, by a regressor and gradient steps."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import least_squares
from scipy.special import expit
from sklearn.base import clone

from core import datasets
from core.errors import BadInput
from core.methods import gan_inverter
from core.methods.ae import Autoencoder
from core.methods.gan import GAN
from core.methods.gan_inverter import GANInverter
from core.runs import layout, presets, reader, specs

CONVOLUTIONAL = next(
    layout.place_of(layout.SHIPPED, specs.make(*run)) for run in presets.BEST_EFFORT if run[:2] == ("digits", "gan")
)


def errors(gan, Z, X):
    return ((gan.inverse_transform(Z).astype(float) - X) ** 2).sum(1)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module", params=["conv", "mlp"])
def gan(request, digits):
    """The shipped one of convolutions, or one of a moment."""
    if request.param == "conv":
        return reader.read_estimator(CONVOLUTIONAL)
    return GAN(6, network="mlp", width=64, epochs=10, image_shape=(8, 8), random_state=0).fit(digits.floats("train"))


@pytest.fixture(scope="module")
def fitted(gan, digits):
    return GANInverter(gan, fit_steps=150, width=128, n_steps=20).fit(digits.floats("train"))


@pytest.fixture
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
    found = inverter.transform(linear.inverse_transform(Z))
    assert found.dtype == np.float32
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
    assert found.codes.shape == (20, gan.n_components)
    assert found.errors == pytest.approx(errors(gan, found.codes, images), rel=1e-4)
    assert found.regressed_errors == pytest.approx(errors(gan, found.regressed, images), rel=1e-4)
    assert np.array_equal(found.regressed, fitted.regress(images))
    assert found.errors.mean() < 0.95 * found.regressed_errors.mean()
    assert (found.errors <= found.regressed_errors).all()
    assert np.array_equal(fitted.transform(images), found.codes)
    assert fitted.transform(images[4:5]) == pytest.approx(found.codes[4:5], abs=1e-3)
    blank = errors(gan, np.zeros((20, gan.n_components)), images)
    assert found.regressed_errors.mean() < 0.8 * blank.mean(), "the regressor has learned something"


def test_more_steps_and_more_starts_are_never_worse(fitted, gan, images):
    def lowest(**budget):
        return clone(fitted).set_params(**budget).restore(fitted.arrays()).invert(images).errors

    of_steps = [lowest(n_steps=n) for n in (0, 3, 10, 40)]
    for fewer, more in pairwise(of_steps):
        assert (more <= fewer + 1e-5).all()
    assert (lowest(n_starts=3) <= lowest(n_starts=1) + 1e-4).all()
    assert lowest(n_starts=3).mean() < lowest(n_starts=1).mean()
    for step_size in (0.5, 1.0, 3.0):
        assert (lowest(step_size=step_size, n_steps=3) <= of_steps[0] + 1e-5).all(), "the best code is kept"


def test_inversion_counts_steps_and_passes(fitted, images):
    inverter = clone(fitted).set_params(n_steps=7, n_starts=2).restore(fitted.arrays())
    found = inverter.invert(images)
    assert (found.steps, found.passes) == (7, 20 * 2 * 8)
    assert 0 < found.seconds < 60
    alone = inverter.set_params(n_steps=0).invert(images)
    assert (alone.steps, alone.passes) == (0, 40)


def test_inversion_recovers_a_generated_image(fitted, gan):
    Z = np.random.default_rng(0).normal(size=(20, gan.n_components)).astype(np.float32)
    made = gan.inverse_transform(Z)
    found = clone(fitted).set_params(n_steps=150).restore(fitted.arrays()).invert(made)
    assert np.median(found.errors) < 0.02 * made.var(axis=0).sum()
    assert fitted.inverse_transform(Z) == pytest.approx(made)


def test_inversion_of_many_images_is_done_in_parts(fitted, images, monkeypatch):
    whole = fitted.invert(images)
    monkeypatch.setattr(gan_inverter, "ROWS_AT_ONCE", 8)
    shares = []
    parts = fitted.invert(images, on_step=lambda row: shares.append(row["share"]))
    assert parts.codes == pytest.approx(whole.codes, abs=1e-3)
    assert (parts.steps, parts.passes) == (whole.steps, whole.passes)
    assert len(shares) == 3 * 20
    assert shares == sorted(shares)
    assert 0 == shares[0] < shares[-1] < 1


def test_inversion_stopped_returns_the_best_codes_so_far(fitted, images, monkeypatch):
    monkeypatch.setattr(gan_inverter, "ROWS_AT_ONCE", 10)
    rows = []

    def fifth(row):
        rows.append(row)
        return row["step"] == 5

    found = fitted.invert(images, on_step=fifth)
    assert found.steps == 5
    assert found.passes == 10 * 6 + 10
    assert [row["step"] for row in rows] == [0, 1, 2, 3, 4, 5]
    assert rows[-1]["error"] == pytest.approx(found.errors[:10].mean(), rel=1e-5)
    # Those whose turn never came keep the regressor's code.
    assert np.array_equal(found.codes[10:], found.regressed[10:])
    assert found.errors[:10].mean() < found.regressed_errors[:10].mean()


def test_regressor_depends_on_the_seed_alone(gan, digits, images):
    X = digits.floats("train")
    one, same, other = (GANInverter(gan, fit_steps=20, width=32, random_state=seed).fit(X) for seed in (0, 0, 1))
    assert np.array_equal(one.transform(images), same.transform(images))
    assert not np.array_equal(one.regress(images), other.regress(images))


def test_inverter_leaves_the_gan_unchanged(gan, digits, images):
    before = {name: array.copy() for name, array in gan.arrays().items()}
    requires = [weight.requires_grad for weight in gan.networks_.parameters()]
    GANInverter(gan, fit_steps=5, width=16, n_steps=3).fit(digits.floats("train")).transform(images)
    after = gan.arrays()
    assert all(np.array_equal(after[name], array) for name, array in before.items())
    assert [weight.requires_grad for weight in gan.networks_.parameters()] == requires
    assert not gan.networks_.training


def test_regressor_stopped_early_is_fitted(gan, digits, images):
    rows = []

    def second(row):
        rows.append(row)
        return len(rows) > 1

    inverter = GANInverter(gan, fit_steps=100_000, width=32).fit(digits.floats("train"), on_tick=second)
    assert inverter.environment_["stopped_early"]
    assert 0 == rows[0]["share"] < rows[1]["share"] < 0.5
    assert inverter.transform(images).shape == (20, gan.n_components)


def test_clone_shares_the_gan_and_is_not_fitted(fitted, gan, images):
    again = clone(fitted.set_params(step_size=0.1))
    assert again.gan is gan
    assert again.get_params(deep=False) == fitted.get_params(deep=False)
    with pytest.raises(BadInput, match="not fitted: call fit first"):
        again.transform(images)


def test_inverter_refuses_what_is_no_image_or_code_of_the_gan(fitted, gan):
    k = gan.n_components
    images = {
        r"Images of this GAN have shape \(n, 64\), not \(2, 65\)": np.zeros((2, 65)),
        r"not \(64,\)": np.zeros(64),
        "There are no images here": np.zeros((0, 64)),
        "These images are not all finite numbers: leave such rows out": np.full((2, 64), np.nan),
        "not all finite": np.full((2, 64), np.inf),
        r"Pixels are in \[0, 1\], and these go from 255 to 255: scale them": np.full((2, 64), 255),
        r"go from -0\.5 to -0\.5": np.full((2, 64), -0.5),
        "an array of numbers of shape": [["a"] * 64],
        r"of shape \(n, 64\), not list": [[1], [1, 2]],
    }
    codes = {
        rf"Codes of this GAN have shape \(n, {k}\), not \(2, {k + 1}\)": np.zeros((2, k + 1)),
        rf"not \({k},\)": np.zeros(k),
        "These codes are not all finite": np.full((1, k), np.nan),
        "an array of numbers": [["a"] * k],
    }
    calls = [(call, images) for call in (fitted.transform, fitted.regress, fitted.fit)]
    for call, refused in (*calls, (fitted.inverse_transform, codes)):
        for says, values in refused.items():
            with pytest.raises(BadInput, match=says):
                call(values)
    for budget in ({"n_steps": -1}, {"n_starts": 0}):
        with pytest.raises(BadInput, match="is not allowed: choose a whole number"):
            clone(fitted).set_params(**budget).restore(fitted.arrays()).transform(np.zeros((1, 64)))


def test_inverter_refuses_what_is_no_fitted_gan(images):
    with pytest.raises(BadInput, match="Autoencoder is not a GAN"):
        GANInverter(Autoencoder(2)).fit(images)
    with pytest.raises(BadInput, match="NoneType"):
        GANInverter().fit(images)
    with pytest.raises(BadInput, match="This GAN is not fitted"):
        GANInverter(GAN(2)).fit(images)
