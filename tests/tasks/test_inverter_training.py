"""The regressor that inverts a GAN: fitted in a process of its own, cached, and shipped."""

import functools
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from core import cache, datasets
from core.methods import gan_inverter
from core.methods.gan_inverter import GANInverter
from core.runs import layout, presets, reader, specs, store
from core.tasks import inverter_training
from core.tasks.inverter_training import WORK

# The matched ones: best efforts come without a regressor.
SHIPPED = [specs.make(*recipe) for recipe in presets.MATCHED if recipe[1] == "gan"]
SAMPLES = {"mnist": "mnist-sample", "fashion-mnist": "fashion-sample"}
DIGITS_KEY = next(spec.key for spec in SHIPPED if spec.dataset == "digits")
DIGITS = store.find_place(DIGITS_KEY)


@pytest.fixture
def gan():
    return reader.read_estimator(DIGITS)


def test_regressor_is_fitted_to_the_data_or_without_them_to_generated_images(in_process, gan, monkeypatch):
    monkeypatch.setattr(gan_inverter, "GANInverter", functools.partial(GANInverter, fit_steps=40))
    X, images = datasets.load("digits").floats("train"), datasets.load("digits").floats("test")[:20]
    for data in (X, None):
        assert inverter_training.load_inverter("0" * 16, gan) is None
        monkeypatch.setattr(datasets, "is_available", lambda name, data=data: data is not None)
        inverter_training.start_fit(DIGITS, gan)
        found, expected = inverter_training.load_inverter("0" * 16, gan), GANInverter(gan, fit_steps=40).fit(data)
        assert found.arrays().keys() == expected.arrays().keys()
        assert found.regress(images) == pytest.approx(expected.regress(images), abs=1e-5)
        shutil.rmtree(cache.folder())


def test_changed_or_deleted_run_is_reported(in_process, gan, tmp_path):
    key = inverter_training.regressor_key(gan)
    inverter_training.start_fit(tmp_path / "gone", gan)
    assert "gone" in WORK.read_state(key).problem
    next(gan.networks_["averaged"].parameters()).data[0, 0] += 0.01
    inverter_training.start_fit(DIGITS, gan)
    assert "This run was trained again meanwhile" in WORK.read_state(inverter_training.regressor_key(gan)).problem


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


def test_regressor_of_another_gan_or_damaged_counts_as_absent(own_cache, gan, tmp_path, monkeypatch):
    whole = inverter_training.regressor_path(DIGITS_KEY)
    monkeypatch.setattr(inverter_training, "FOLDER", tmp_path)
    path = inverter_training.regressor_path(DIGITS_KEY)
    write = lambda arrays: inverter_training.write_regressor(DIGITS_KEY, gan, arrays)
    for damage in (
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
