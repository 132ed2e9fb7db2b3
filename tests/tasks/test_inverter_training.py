"""The regressor that inverts a GAN: fitted in a process of its own, cached, and shipped."""

import functools
import os

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from core import datasets
from core.errors import HourglassError
from core.methods import gan_inverter
from core.methods.gan_inverter import GANInverter
from core.runs import layout, presets, reader, specs, store
from core.tasks import computation, inverter_training
from tests.trainings import awaited

# The matched ones: best efforts come without a regressor.
SHIPPED = [specs.make(*recipe) for recipe in presets.MATCHED if recipe[1] == "gan"]
SAMPLES = {"mnist": "mnist-sample", "fashion-mnist": "fashion-sample"}
DIGITS_KEY = next(spec.key for spec in SHIPPED if spec.dataset == "digits")
DIGITS = store.find_place(DIGITS_KEY)


@pytest.fixture
def gan():
    return reader.read_estimator(DIGITS)


@pytest.fixture
def folder(own_cache, monkeypatch):
    """Where regressors are fitted, in a moment."""
    monkeypatch.setattr(gan_inverter, "GANInverter", functools.partial(GANInverter, fit_steps=40))
    return own_cache / "inverters"


def fit_here(folder, run=DIGITS, name=None):
    name = name or inverter_training.regressor_key(reader.read_estimator(DIGITS))
    (folder / name).mkdir(parents=True)
    (folder / name / "run").write_bytes(os.fsencode(run))
    (folder / name / "progress.json").write_text('{"share": 0.0, "waits": false, "started": 0}')
    inverter_training.WORK.run(folder / name)
    return inverter_training.WORK.read_state(name)


def test_fitted_regressor_is_found(folder, gan):
    assert inverter_training.load_inverter("0" * 16, gan) is None
    state = fit_here(folder)
    assert state.problem == ""
    expected = GANInverter(gan, fit_steps=40).fit(datasets.load("digits").floats("train"))
    assert set(state.arrays) == set(expected.arrays())
    images = datasets.load("digits").floats("test")[:20]
    inverter = inverter_training.load_inverter("0" * 16, gan)
    assert inverter.regress(images) == pytest.approx(expected.regress(images), abs=1e-5)
    assert not [path for path in folder.iterdir() if path.is_dir()]


def test_regressor_without_the_data_is_fitted_to_generated_images(folder, gan, monkeypatch):
    images = datasets.load("digits").floats("test")[:20]
    monkeypatch.setattr(datasets, "is_available", lambda name: False)
    monkeypatch.setattr(datasets, "load", lambda *_, **__: pytest.fail("the data are not here"))
    fit_here(folder)
    assert inverter_training.load_inverter("0" * 16, gan).regress(images).shape == (20, 16)


def test_changed_or_deleted_run_is_reported(folder, tmp_path):
    assert "This run was trained again meanwhile" in fit_here(folder, name="0" * 16).problem
    assert "gone" in fit_here(folder, tmp_path / "gone").problem


def test_fit_is_started_and_stopped(folder, gan, started):
    name = inverter_training.regressor_key(gan)
    inverter_training.start_fit(DIGITS, gan)
    awaited(lambda: (inverter_training.WORK.read_state(name).share or 0) > 0, "the fit of the regressor")
    inverter_training.WORK.stop(name)
    assert [process.wait(60) for process in started] == [0]
    assert inverter_training.WORK.read_state(name) == computation.State()
    folder.rename(folder.with_name("other"))
    folder.write_bytes(b"")
    with pytest.raises(HourglassError, match=r"The regressor can't be started in .*: free some space there"):
        inverter_training.start_fit(DIGITS, gan)


def test_shipped_gans_have_their_regressor():
    assert {path.stem for path in inverter_training.FOLDER.iterdir()} == {spec.key for spec in SHIPPED}
    for spec in SHIPPED:
        gan = reader.read_estimator(layout.place_of(layout.SHIPPED, spec))
        path = inverter_training.regressor_path(spec.key)
        assert path.stat().st_size < 1_500_000
        assert all(array.dtype == np.int8 for array in load_file(path).values() if array.size > 50_000)
        data = datasets.load(SAMPLES.get(spec.dataset, spec.dataset))
        X = data.floats("test")[:40]
        inversion = inverter_training.load_inverter(spec.key, gan).invert(X)
        mean = ((X - data.floats("train").mean(axis=0)) ** 2).sum(1).mean()
        assert inversion.regressed_errors.mean() < 0.55 * mean, spec
        assert inversion.errors.mean() < 0.9 * inversion.regressed_errors.mean(), spec


def test_regressor_of_another_gan_or_damaged_counts_as_absent(folder, gan, tmp_path, monkeypatch):
    whole = inverter_training.regressor_path(DIGITS_KEY)
    monkeypatch.setattr(inverter_training, "FOLDER", tmp_path)
    path = inverter_training.regressor_path(DIGITS_KEY)
    write = lambda arrays: inverter_training.write_regressor(DIGITS_KEY, gan, arrays)
    for damage in (
        lambda: None,  # missing
        lambda: path.write_bytes(whole.read_bytes()[:-100]),
        lambda: write(GANInverter(gan, fit_steps=1, width=8).fit().arrays()),
        lambda: save_file(load_file(whole), path),  # no metadata
    ):
        damage()
        assert inverter_training.load_inverter(DIGITS_KEY, gan) is None
    write(load_file(whole))
    assert inverter_training.load_inverter(DIGITS_KEY, gan) is not None
    next(gan.networks_["averaged"].parameters()).data[0, 0] += 0.01
    assert inverter_training.load_inverter(DIGITS_KEY, gan) is None


def test_shipped_mnist_inverter_reaches_its_error(full_data):
    spec = next(spec for spec in SHIPPED if spec.dataset == "mnist")
    X = datasets.load("mnist").floats("test")[:100]
    gan = reader.read_estimator(layout.place_of(layout.SHIPPED, spec))
    inversion = inverter_training.load_inverter(spec.key, gan).invert(X)
    assert inversion.errors.mean() < 19
    assert inversion.errors.mean() < inversion.regressed_errors.mean() < 27
