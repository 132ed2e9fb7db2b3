"""The regressor that inverts a GAN: fitted in a process of its own, kept, and shipped."""

import functools
import os

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from core import cache, config, datasets
from core.errors import HourglassError
from core.methods import gan_inverter
from core.methods.gan_inverter import GANInverter
from core.runs import layout, presets, reader, specs, store
from core.tasks import computation, inverter_training
from tests.trainings import awaited, processes_of

# The matched ones: best efforts come without a regressor.
SHIPPED = [specs.make(*recipe) for recipe in presets.MATCHED if recipe[1] == "gan"]
SAMPLES = {"mnist": "mnist-sample", "fashion-mnist": "fashion-sample"}
DIGITS_KEY = next(spec.key for spec in SHIPPED if spec.dataset == "digits")
DIGITS = store.find_place(DIGITS_KEY)


@pytest.fixture
def images():
    return datasets.load("digits").floats("test")[:20]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where regressors are fitted; a process that is started finds the same user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(config, "user_cache", lambda: tmp_path / "hourglass" / "data")
    return tmp_path / "hourglass" / "data" / "inverters"


@pytest.fixture
def short(monkeypatch):
    """The fit takes a moment."""
    monkeypatch.setattr(gan_inverter, "GANInverter", functools.partial(GANInverter, fit_steps=40))


@pytest.fixture
def started(monkeypatch):
    """The processes that a test started; none outlives it."""
    yield from processes_of(inverter_training.WORK.module, monkeypatch)


def waiting(folder, gan, place):
    """The folder of a fit whose process is not there."""
    at = folder / inverter_training.regressor_key(gan)
    at.mkdir(parents=True)
    (at / "run").write_bytes(os.fsencode(place))
    (at / "progress.json").write_text('{"share": 0.0, "waits": false, "started": 0}')
    return at


def test_fitted_regressor_is_kept_and_found(folder, short, images):
    gan = reader.read_estimator(DIGITS)
    assert inverter_training.load_inverter("0" * 16, gan) is None
    computation.do_work(inverter_training.WORK, waiting(folder, gan, DIGITS))
    now = inverter_training.read_state(inverter_training.regressor_key(gan))
    assert now.problem == ""
    expected = GANInverter(gan, fit_steps=40).fit(datasets.load("digits").floats("train"))
    assert set(now.arrays) == set(expected.arrays())
    found = inverter_training.load_inverter("0" * 16, gan)
    assert found.regress(images) == pytest.approx(expected.regress(images), abs=1e-5)
    assert not [path for path in folder.iterdir() if path.is_dir()]


def test_regressor_without_the_data_is_fitted_on_generated_images(folder, short, images, monkeypatch):
    monkeypatch.setattr(datasets, "is_available", lambda name: False)
    monkeypatch.setattr(datasets, "load", lambda *_, **__: pytest.fail("the data are not here"))
    gan = reader.read_estimator(DIGITS)
    computation.do_work(inverter_training.WORK, waiting(folder, gan, DIGITS))
    assert inverter_training.load_inverter("0" * 16, gan).transform(images).shape == (20, 16)


def test_run_trained_again_meanwhile_is_reported(folder):
    gan = reader.read_estimator(DIGITS)
    at = waiting(folder, gan, DIGITS)
    at = at.rename(at.with_name("0" * 16))
    computation.do_work(inverter_training.WORK, at)
    now = inverter_training.read_state(at.name)
    assert now.arrays is None
    assert now.problem == "This run was trained again meanwhile: fit its regressor again."


def test_deleted_run_is_reported(folder, tmp_path):
    at = waiting(folder, reader.read_estimator(DIGITS), tmp_path / "gone")
    computation.do_work(inverter_training.WORK, at)
    assert "gone" in inverter_training.read_state(at.name).problem


def test_regressor_process_can_be_started_and_stopped(folder, started):
    gan = reader.read_estimator(DIGITS)
    name = inverter_training.regressor_key(gan)
    inverter_training.start_fit(DIGITS, gan)
    inverter_training.start_fit(DIGITS, gan)
    assert len(started) == 1
    awaited(lambda: (inverter_training.read_state(name).share or 0) > 0, "the fit of the regressor")
    inverter_training.stop_fit(name)
    assert started[0].wait(60) == 0
    assert inverter_training.read_state(name) == computation.State()
    assert cache.find_arrays(inverter_training.WORK.kept_as(name)) is None
    assert not [path for path in folder.iterdir() if path.is_dir()]


def test_regressor_that_cannot_be_started_is_reported(folder):
    folder.parent.mkdir(parents=True)
    folder.write_bytes(b"")
    with pytest.raises(HourglassError, match=r"The regressor can't be started in .*: free some space there"):
        inverter_training.start_fit(DIGITS, reader.read_estimator(DIGITS))


@pytest.mark.parametrize("spec", SHIPPED, ids=lambda spec: spec.dataset)
def test_shipped_gans_have_their_regressor(spec):
    gan = reader.read_estimator(layout.place_of(layout.SHIPPED, spec))
    path = inverter_training.regressor_path(spec.key)
    assert path.stat().st_size < 1_500_000
    assert all(array.dtype == np.int8 for array in load_file(path).values() if array.size > 50_000)
    data = datasets.load(SAMPLES.get(spec.dataset, spec.dataset))
    X = data.floats("test")[:40]
    found = inverter_training.load_inverter(spec.key, gan).invert(X)
    mean = ((X - data.floats("train").mean(axis=0)) ** 2).sum(1).mean()
    assert found.regressed_errors.mean() < 0.55 * mean
    assert found.errors.mean() < 0.9 * found.regressed_errors.mean()


def test_no_other_regressor_is_shipped():
    assert {path.stem for path in inverter_training.FOLDER.iterdir()} == {spec.key for spec in SHIPPED}


def test_regressor_of_another_gan_is_refused(folder, tmp_path, monkeypatch):
    gan = reader.read_estimator(DIGITS)
    assert inverter_training.load_inverter(DIGITS_KEY, gan) is not None
    next(gan.networks_["averaged"].parameters()).data[0, 0] += 0.01
    assert inverter_training.load_inverter(DIGITS_KEY, gan) is None


@pytest.mark.parametrize("damage", ["missing", "cut", "other network", "no metadata"])
def test_damaged_regressor_counts_as_absent(folder, tmp_path, monkeypatch, damage):
    gan = reader.read_estimator(DIGITS)
    whole = inverter_training.regressor_path(DIGITS_KEY)
    monkeypatch.setattr(inverter_training, "FOLDER", tmp_path)
    path = inverter_training.regressor_path(DIGITS_KEY)
    if damage == "cut":
        path.write_bytes(whole.read_bytes()[:-100])
    elif damage == "other network":
        inverter_training.write_regressor(DIGITS_KEY, gan, GANInverter(gan, fit_steps=1, width=8).fit().arrays())
    elif damage == "no metadata":
        save_file(load_file(whole), path)
    assert inverter_training.load_inverter(DIGITS_KEY, gan) is None
    inverter_training.write_regressor(DIGITS_KEY, gan, load_file(whole))
    assert inverter_training.load_inverter(DIGITS_KEY, gan) is not None


def test_shipped_mnist_inverter_reaches_its_error(full_data):
    spec = next(spec for spec in SHIPPED if spec.dataset == "mnist")
    X = datasets.load("mnist").floats("test")[:100]
    gan = reader.read_estimator(layout.place_of(layout.SHIPPED, spec))
    found = inverter_training.load_inverter(spec.key, gan).invert(X)
    assert found.errors.mean() < 19
    assert found.errors.mean() < found.regressed_errors.mean() < 27
