import json
import shutil

import numpy as np
import pytest

from core import datasets, experiments, specs, store
from core.types import BrokenRun, HourglassError


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def fitted(digits):
    spec = specs.make("digits", "ae", {"epochs": 2, "width": 32, "n_components": 2})
    return experiments.fit(spec, digits)


@pytest.fixture
def place(fitted, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "shipped")
    return store.write(*fitted)


def test_a_run_comes_back_as_it_was(fitted, place, digits):
    run, _ = fitted
    again = store.read(place)
    assert place.name == run.key
    assert (again.spec, again.history, again.metrics, again.notes) == (run.spec, run.history, run.metrics, run.notes)
    assert set(again.views) == set(run.views)
    assert all(np.array_equal(again.views[name], run.views[name]) for name in run.views)
    X = digits.floats("test")
    assert np.array_equal(store.estimator(place).transform(X), run.estimator.transform(X))


def test_figures_are_those_of_the_stored_weights(place, digits):
    run, estimator = store.read(place), store.estimator(place)
    X = digits.floats("test")
    error = ((estimator.inverse_transform(estimator.transform(X)).astype(float) - X) ** 2).sum(1)
    assert run.metrics["squared_error"] == pytest.approx(error.mean(), rel=1e-6)
    assert run.views["rows.squared_error"] == pytest.approx(error, rel=1e-5)


def test_nothing_pickled_and_nothing_else_in_the_folder(place):
    assert sorted(p.name for p in place.iterdir()) == ["run.json", "views.safetensors", "weights.safetensors"]
    assert [p.name for p in place.parent.iterdir()] == [place.name]


def test_storing_again_replaces(fitted, place):
    assert store.write(*fitted) == place
    assert [p.name for p in place.parent.iterdir()] == [place.name]


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["weights.safetensors", "views.safetensors"])
@pytest.mark.parametrize("damage", ["flipped", "truncated", "missing"])
def test_a_damaged_file_is_named(place, name, damage):
    path = place / name
    if damage == "flipped":
        flip(path, -20)
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        path.unlink()
    reader = store.estimator if name.startswith("weights") else store.read
    with pytest.raises(BrokenRun, match=name):
        reader(place)


def damaged_documents():
    yield "truncated", lambda text: text[: len(text) // 2]
    yield "changed figure", lambda text: json.dumps({**json.loads(text), "metrics": {"squared_error": 0.0}})
    yield "missing key", lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != "spec"})
    yield "no object", lambda text: "[]"
    yield "nonsense", lambda text: "\0\0"


@pytest.mark.parametrize("damage", [pytest.param(d, id=name) for name, d in damaged_documents()])
def test_a_damaged_document_is_named_and_the_others_are_listed(fitted, place, damage):
    run, arrays = fitted
    other = specs.make("digits", "ae", {"epochs": 3, "width": 32, "n_components": 2})
    store.write(type(run)(other, run.history, run.metrics, run.environment, run.notes, run.views), arrays)
    path = place / "run.json"
    path.write_text(damage(path.read_text()))
    with pytest.raises(BrokenRun, match=r"run\.json"):
        store.read(place)
    runs, problems = store.index()
    assert [r.key for r in runs] == [other.key]
    assert len(problems) == 1
    assert str(place) in problems[0]


def test_a_run_of_another_version_is_not_taken_for_this_ones(place, monkeypatch):
    from dataclasses import replace

    from core import methods

    changed = replace(methods.get("ae"), version=99)
    monkeypatch.setattr(methods, "get", lambda name: changed)
    with pytest.raises(BrokenRun, match="made by version 1 of AE"):
        store.estimator(place)


def test_a_renamed_folder_is_told(place):
    elsewhere = place.parent / "0123456789abcdef"
    place.rename(elsewhere)
    with pytest.raises(BrokenRun, match="belongs in a folder named"):
        store.read(elsewhere)


def test_a_full_disk_is_one_sentence_and_older_runs_stay(fitted, place, monkeypatch):
    run, arrays = fitted

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(HourglassError, match=r"No space left on device.*free some space"):
        store.write(run, arrays)
    monkeypatch.undo()
    assert [p.name for p in place.parent.iterdir()] == [place.name]
    assert store.read(place).key == run.key


def test_a_folder_that_can_not_be_made_is_one_sentence(fitted, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HourglassError, match="HOURGLASS_RUNS"):
        store.write(*fitted, tmp_path / "file" / "runs")


def test_shipped_runs_are_picked_before_own_ones_and_a_gan_at_every_size(fitted, place):
    run, arrays = fitted
    own = specs.make("digits", "ae", {"epochs": 5, "width": 32, "n_components": 2})
    newer = {**run.environment, "date": "2999-01-01T00:00:00+00:00"}
    store.write(type(run)(own, run.history, run.metrics, newer, run.notes, run.views), arrays)
    gan = specs.make("digits", "gan", {"n_components": 16})
    store.write(type(run)(gan, run.history, run.metrics, newer, run.notes, run.views), arrays)
    runs, _ = store.index()
    assert [r.key for r in store.pick(runs, "digits", "ae", 2)] == [own.key, run.key]
    shutil.copytree(place, store.SHIPPED / run.key)
    assert [r.key for r in store.pick(runs, "digits", "ae", 2)] == [run.key, own.key]
    assert store.pick(runs, "digits", "ae", 10) == []
    assert [r.key for r in store.pick(runs, "digits", "gan", 10)] == [gan.key]
