"""Inverting a GAN: codes of given images, by a regressor and gradient steps."""

import functools
import os
from itertools import pairwise

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from scipy.optimize import least_squares
from scipy.special import expit
from sklearn.base import clone

from core import cache, computing, datasets, inversion, ship, store
from core.datasets import download
from core.inversion import GANInverter
from core.methods.ae import Autoencoder
from core.methods.gan import GAN
from core.types import BadInput, HourglassError
from tests.trainings import awaited, processes_of

SHIPPED = [spec for spec in ship.shipped_specs() if spec.method == "gan"]
SAMPLES = {"mnist": "mnist-sample", "fashion-mnist": "fashion-sample"}
DIGITS = next(store.SHIPPED / spec.key for spec in SHIPPED if spec.dataset == "digits")


def errors(gan, Z, X):
    return ((gan.inverse_transform(Z).astype(float) - X) ** 2).sum(1)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module", params=["conv", "mlp"])
def gan(request, digits):
    """The shipped one of convolutions, or one of a moment."""
    if request.param == "conv":
        return store.estimator(DIGITS)
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


def test_the_code_of_a_linear_generators_image_is_the_one_it_was_made_from(linear):
    Z = np.random.default_rng(0).normal(size=(10, 4)).astype(np.float32)
    inverter = GANInverter(linear, fit_steps=100, width=32, n_steps=300).fit()
    found = inverter.transform(linear.inverse_transform(Z))
    assert found.dtype == np.float32
    assert found == pytest.approx(Z, abs=0.01)


def test_of_an_image_it_cannot_make_it_finds_the_nearest_one(linear):
    X = np.random.default_rng(1).uniform(0.2, 0.8, size=(5, 20)).astype(np.float32)
    layer = linear.networks_["averaged"]
    W, b = layer.weight.detach().numpy().astype(float), layer.bias.detach().numpy().astype(float)
    found = GANInverter(linear, fit_steps=100, width=32, n_steps=300).fit().invert(X)
    for x, code, error in zip(X, found.codes, found.errors, strict=True):
        nearest = least_squares(lambda z, x=x: expit(W @ z + b) - x, np.zeros(4))
        assert error == pytest.approx(2 * nearest.cost, rel=1e-3)
        assert code == pytest.approx(nearest.x, abs=0.03)


def test_errors_are_those_of_the_images_and_steps_lower_them(fitted, gan, images):
    found = fitted.invert(images)
    assert found.codes.shape == (20, gan.n_components)
    assert found.errors == pytest.approx(errors(gan, found.codes, images), rel=1e-4)
    assert found.regressed_errors == pytest.approx(errors(gan, found.regressed, images), rel=1e-4)
    assert np.array_equal(found.regressed, fitted.regress(images))
    assert found.errors.mean() < 0.95 * found.regressed_errors.mean()
    assert (found.errors <= found.regressed_errors).all()
    assert np.array_equal(fitted.transform(images), found.codes)


def test_the_regressor_knows_more_than_the_commonest_code(fitted, gan, images):
    blank = errors(gan, np.zeros((20, gan.n_components)), images)
    assert errors(gan, fitted.regress(images), images).mean() < 0.8 * blank.mean()


def test_more_steps_and_more_starts_are_never_worse(fitted, gan, images):
    def lowest(**budget):
        return clone(fitted).set_params(**budget).restore(fitted.arrays()).invert(images).errors

    of_steps = [lowest(n_steps=n) for n in (0, 3, 10, 40)]
    for fewer, more in pairwise(of_steps):
        assert (more <= fewer + 1e-5).all()
    assert (lowest(n_starts=3) <= lowest(n_starts=1) + 1e-4).all()
    assert lowest(n_starts=3).mean() < lowest(n_starts=1).mean()


def test_the_cost_is_counted(fitted, images):
    inverter = clone(fitted).set_params(n_steps=7, n_starts=2).restore(fitted.arrays())
    found = inverter.invert(images)
    assert (found.steps, found.passes) == (7, 20 * 2 * 8)
    assert 0 < found.seconds < 60
    alone = inverter.set_params(n_steps=0).invert(images)
    assert (alone.steps, alone.passes) == (0, 40)


def test_a_generated_image_comes_back(fitted, gan):
    Z = np.random.default_rng(0).normal(size=(20, gan.n_components)).astype(np.float32)
    made = gan.inverse_transform(Z)
    found = clone(fitted).set_params(n_steps=150).restore(fitted.arrays()).invert(made)
    assert np.median(found.errors) < 0.02 * made.var(axis=0).sum()
    assert fitted.inverse_transform(Z) == pytest.approx(made)


def test_an_image_by_itself_has_the_code_it_has_among_others(fitted, images):
    together = fitted.transform(images)
    assert fitted.transform(images[4:5]) == pytest.approx(together[4:5], abs=1e-3)


def test_many_images_are_done_in_parts(fitted, images, monkeypatch):
    whole = fitted.invert(images)
    monkeypatch.setattr(inversion, "_ROWS_AT_ONCE", 8)
    shares = []
    parts = fitted.invert(images, on_step=lambda row: shares.append(row["share"]))
    assert parts.codes == pytest.approx(whole.codes, abs=1e-3)
    assert (parts.steps, parts.passes) == (whole.steps, whole.passes)
    assert len(shares) == 3 * 20
    assert shares == sorted(shares)
    assert 0 == shares[0] < shares[-1] < 1


def test_the_steps_can_be_stopped_and_the_best_so_far_is_the_result(fitted, images, monkeypatch):
    monkeypatch.setattr(inversion, "_ROWS_AT_ONCE", 10)
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


def test_one_seed_one_regressor(gan, digits, images):
    X = digits.floats("train")
    one, same, other = (GANInverter(gan, fit_steps=20, width=32, random_state=seed).fit(X) for seed in (0, 0, 1))
    assert np.array_equal(one.transform(images), same.transform(images))
    assert not np.array_equal(one.regress(images), other.regress(images))


def test_nothing_of_the_gan_is_changed(gan, digits, images):
    before = {name: array.copy() for name, array in gan.arrays().items()}
    requires = [weight.requires_grad for weight in gan.networks_.parameters()]
    GANInverter(gan, fit_steps=5, width=16, n_steps=3).fit(digits.floats("train")).transform(images)
    after = gan.arrays()
    assert all(np.array_equal(after[name], array) for name, array in before.items())
    assert [weight.requires_grad for weight in gan.networks_.parameters()] == requires
    assert not gan.networks_.training


def test_a_stopped_fit_is_one(gan, digits, images):
    rows = []

    def second(row):
        rows.append(row)
        return len(rows) > 1

    inverter = GANInverter(gan, fit_steps=100_000, width=32).fit(digits.floats("train"), on_tick=second)
    assert inverter.environment_["stopped_early"]
    assert 0 == rows[0]["share"] < rows[1]["share"] < 0.5
    assert inverter.transform(images).shape == (20, gan.n_components)


def test_a_clone_shares_the_gan_and_is_not_fitted(fitted, gan, images):
    again = clone(fitted.set_params(step_size=0.1))
    assert again.gan is gan
    assert again.get_params(deep=False) == fitted.get_params(deep=False)
    with pytest.raises(BadInput, match="not fitted: call fit first"):
        again.transform(images)


@pytest.mark.parametrize(
    ("X", "says"),
    [
        (np.zeros((2, 65)), r"makes images of 64 pixels: give them as \(n, 64\), not \(2, 65\)\."),
        (np.zeros(64), r"not \(64,\)"),
        (np.zeros((0, 64)), r"not \(0, 64\)"),
        (np.full((2, 64), np.nan), "no finite numbers: leave such images out"),
        (np.full((2, 64), np.inf), "no finite numbers"),
        (np.full((2, 64), 255), r"Pixels are in \[0, 1\], and these go from 255 to 255: scale them"),
        (np.full((2, 64), -0.5), r"go from -0\.5 to -0\.5"),
        ([["a"] * 64], "an array of numbers of shape"),
        ([[1], [1, 2]], "an array of numbers of shape"),
    ],
)
def test_what_is_no_image_of_the_gan_is_refused_in_a_sentence(fitted, X, says):
    for call in (fitted.transform, fitted.regress, fitted.fit):
        with pytest.raises(BadInput, match=says):
            call(X)


def test_what_is_no_code_of_the_gan_is_refused_in_a_sentence(fitted, gan):
    k = gan.n_components
    for Z, says in (
        (np.zeros((2, k + 1)), rf"codes have shape \(n, {k}\), not \(2, {k + 1}\)"),
        (np.zeros(k), rf"not \({k},\)"),
        (np.full((1, k), np.nan), "not all finite"),
        ([["a"] * k], "an array of numbers"),
    ):
        with pytest.raises(BadInput, match=says):
            fitted.inverse_transform(Z)


@pytest.mark.parametrize("budget", [{"n_steps": -1}, {"n_starts": 0}])
def test_a_budget_that_is_none_is_refused(fitted, images, budget):
    with pytest.raises(BadInput, match="is at least 0, n_starts at least 1"):
        clone(fitted).set_params(**budget).restore(fitted.arrays()).transform(images)


def test_only_a_fitted_gan_can_be_inverted(images):
    with pytest.raises(BadInput, match=r"Only a GAN can be inverted, and Autoencoder is none"):
        GANInverter(Autoencoder(2)).fit(images)
    with pytest.raises(BadInput, match="NoneType"):
        GANInverter().fit(images)
    with pytest.raises(BadInput, match="This GAN is not fitted"):
        GANInverter(GAN(2)).fit(images)


# What is kept, and the process that fits


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where regressors are fitted; a process that is started finds the same user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(download, "user_cache", lambda: tmp_path / "hourglass" / "data")
    return tmp_path / "hourglass" / "data" / "inverters"


@pytest.fixture
def short(monkeypatch):
    """The fit takes a moment."""
    monkeypatch.setattr(inversion, "GANInverter", functools.partial(GANInverter, fit_steps=40))


@pytest.fixture
def started(monkeypatch):
    """The processes that a test started; none outlives it."""
    yield from processes_of(inversion.WORK.module, monkeypatch)


def waiting(folder, gan, place):
    """The folder of a fit whose process is not there."""
    at = folder / inversion.key(gan)
    at.mkdir(parents=True)
    (at / "run").write_bytes(os.fsencode(place))
    (at / "progress.json").write_text('{"share": 0.0, "waits": false, "started": 0}')
    return at


def test_a_regressor_that_was_fitted_is_kept_and_found(folder, short, images):
    gan = store.estimator(DIGITS)
    assert inversion.load("0" * 16, gan) is None
    computing.make(inversion.WORK, waiting(folder, gan, DIGITS))
    now = inversion.state(inversion.key(gan))
    assert now.problem == ""
    expected = GANInverter(gan, fit_steps=40).fit(datasets.load("digits").floats("train"))
    assert set(now.arrays) == set(expected.arrays())
    found = inversion.load("0" * 16, gan)
    assert found.regress(images) == pytest.approx(expected.regress(images), abs=1e-5)
    assert not [path for path in folder.iterdir() if path.is_dir()]


def test_without_the_data_it_is_fitted_on_generated_images(folder, short, images, monkeypatch):
    monkeypatch.setattr(datasets, "available", lambda name: False)
    monkeypatch.setattr(datasets, "load", lambda *_, **__: pytest.fail("the data are not here"))
    gan = store.estimator(DIGITS)
    computing.make(inversion.WORK, waiting(folder, gan, DIGITS))
    assert inversion.load("0" * 16, gan).transform(images).shape == (20, 16)


def test_a_run_trained_anew_meanwhile_is_said(folder):
    gan = store.estimator(DIGITS)
    at = waiting(folder, gan, DIGITS)
    at = at.rename(at.with_name("0" * 16))
    computing.make(inversion.WORK, at)
    now = inversion.state(at.name)
    assert now.arrays is None
    assert now.problem == "This run was trained anew meanwhile: fit its regressor again."


def test_a_run_that_is_gone_is_said(folder, linear, tmp_path):
    at = waiting(folder, linear, tmp_path / "gone")
    computing.make(inversion.WORK, at)
    assert "gone" in inversion.state(at.name).problem


def test_its_process_can_be_started_and_stopped(folder, started):
    gan = store.estimator(DIGITS)
    name = inversion.key(gan)
    inversion.start(DIGITS, gan)
    inversion.start(DIGITS, gan)
    assert len(started) == 1
    awaited(lambda: (inversion.state(name).share or 0) > 0, "the fit of the regressor")
    inversion.stop(name)
    assert started[0].wait(60) == 0
    assert inversion.state(name) == computing.State()
    assert cache.find(inversion.WORK.kept_as(name)) is None
    assert not [path for path in folder.iterdir() if path.is_dir()]


def test_where_it_cannot_be_begun_a_sentence_says_so(folder, linear):
    folder.parent.mkdir(parents=True)
    folder.write_bytes(b"")
    with pytest.raises(HourglassError, match=r"The regressor can't be made in .*: free some space there"):
        inversion.start(DIGITS, linear)


@pytest.mark.parametrize("spec", SHIPPED, ids=lambda spec: spec.dataset)
def test_shipped_gans_have_their_regressor(spec):
    gan = store.estimator(store.SHIPPED / spec.key)
    path = inversion.path_of(spec.key)
    assert path.stat().st_size < 1_500_000
    assert all(array.dtype == np.float16 for array in load_file(path).values() if array.ndim > 1)
    data = datasets.load(SAMPLES.get(spec.dataset, spec.dataset))
    X = data.floats("test")[:40]
    found = inversion.load(spec.key, gan).invert(X)
    mean = ((X - data.floats("train").mean(axis=0)) ** 2).sum(1).mean()
    assert found.regressed_errors.mean() < 0.45 * mean
    assert found.errors.mean() < 0.8 * found.regressed_errors.mean()
    if spec.dataset == "mnist":
        assert found.errors.mean() < 9


def test_there_is_no_other_regressor():
    assert {path.stem for path in inversion.FOLDER.iterdir()} == {spec.key for spec in SHIPPED}


def test_a_regressor_of_another_gan_is_refused(folder, tmp_path, monkeypatch):
    gan = store.estimator(DIGITS)
    assert inversion.load(DIGITS.name, gan) is not None
    gan.networks_["averaged"][0].weight.data[0, 0] += 0.01
    assert inversion.load(DIGITS.name, gan) is None


@pytest.mark.parametrize("damage", ["missing", "cut", "other network", "no metadata"])
def test_a_damaged_regressor_is_as_none(folder, tmp_path, monkeypatch, damage):
    gan = store.estimator(DIGITS)
    whole = inversion.path_of(DIGITS.name)
    monkeypatch.setattr(inversion, "FOLDER", tmp_path)
    path = inversion.path_of(DIGITS.name)
    if damage == "cut":
        path.write_bytes(whole.read_bytes()[:-100])
    elif damage == "other network":
        inversion.write(DIGITS.name, gan, GANInverter(gan, fit_steps=1, width=8).fit().arrays())
    elif damage == "no metadata":
        save_file(load_file(whole), path)
    assert inversion.load(DIGITS.name, gan) is None
    inversion.write(DIGITS.name, gan, load_file(whole))
    assert inversion.load(DIGITS.name, gan) is not None


def test_with_full_data_the_promised_error_is_reached(full_data):
    spec = next(spec for spec in SHIPPED if spec.dataset == "mnist")
    X = datasets.load("mnist").floats("test")[:100]
    found = inversion.load(spec.key, store.estimator(store.SHIPPED / spec.key)).invert(X)
    assert found.errors.mean() < 8
    assert found.errors.mean() < found.regressed_errors.mean() < 15
