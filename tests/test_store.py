import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import datasets, experiments, specs, store
from core.types import BrokenRun, HourglassError
from tests.conftest import locked


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
    yield "nested", lambda text: "[" * 200_000
    yield "no spec", without("spec")
    yield "no history", without("history")
    yield "no metrics", without("metrics")
    yield "no environment", without("environment")
    yield "no notes", without("notes")
    yield "no files", without("files")
    yield "a history of numbers", signed(history=[1, 2])
    yield "figures as a list", signed(metrics=[1])
    yield "a figure as text", signed(metrics={"seconds": 1.0, "squared_error": "small"})
    yield "no seconds", signed(metrics={})
    yield "no date", signed(environment={})
    yield "no Spec", signed(spec={"dataset": "digits"})


def signed(**changes):
    """A change by somebody who knows the checksum."""

    def damage(text):
        document = {**json.loads(text), **changes}
        del document["checksum"]
        return json.dumps({**document, "checksum": store._digest(store._canonical(document))})

    return damage


def without(part):
    def damage(text):
        document = {name: value for name, value in json.loads(text).items() if name not in (part, "checksum")}
        return json.dumps({**document, "checksum": store._digest(store._canonical(document))})

    return damage


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
    assert str(path) in problems[0]


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
    runs, problems = store.index()
    assert runs == []
    assert len(problems) == 1
    assert str(elsewhere) in problems[0]


@pytest.mark.parametrize("size", [None, "2", 2.0, True, 0])
def test_a_run_without_a_code_size_is_told(fitted, place, size):
    run, arrays = fitted
    params = {name: value for name, value in run.spec.params if name != "n_components"}
    spec = replace(run.spec, params=tuple(sorted((params | ({} if size is None else {"n_components": size})).items())))
    odd = store.write(replace(run, spec=spec), arrays)
    runs, problems = store.index()
    assert [r.key for r in runs] == [run.key]
    assert len(problems) == 1
    assert str(odd) in problems[0]
    assert "n_components" in problems[0]


def test_a_folder_that_can_not_be_looked_into_is_told_and_the_others_are_listed(fitted, place, monkeypatch):
    run, arrays = fitted
    store.write(run, arrays, store.SHIPPED)
    locked(monkeypatch, place.parent)
    runs, problems = store.index()
    assert [r.key for r in runs] == [run.key]
    assert problems == [f"The runs in {place.parent} can't be read (Permission denied)."]
    assert store.find(run.key) == store.SHIPPED / run.key


def test_a_run_that_can_not_be_opened_is_told_for_what_it_is(place, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(BrokenRun, match=r"run\.json can't be read \(Permission denied\)"):
        store.read(place)


def test_an_own_run_stands_before_the_shipped_one_of_its_key(fitted, place):
    run, arrays = fitted
    own = {**run.environment, "date": "2999-01-01T00:00:00+00:00"}
    store.write(run, arrays, store.SHIPPED)
    store.write(replace(run, environment=own), arrays)
    runs, problems = store.index()
    assert problems == []
    assert [r.environment["date"] for r in runs] == [own["date"]]
    assert store.read(store.find(run.key)).environment == own
    assert store.places()[0] == [place]
    assert not store.is_shipped(run.key)
    shutil.rmtree(place)
    assert store.find(run.key) == store.SHIPPED / run.key
    assert store.is_shipped(run.key)
    assert [r.environment["date"] for r in store.index()[0]] == [run.environment["date"]]


def test_the_runs_folder_may_begin_with_a_tilde(monkeypatch):
    monkeypatch.setenv("HOURGLASS_RUNS", "~/runs")
    assert store.runs_folder() == Path.home() / "runs"


def test_whether_a_run_can_be_stored_is_known_beforehand(tmp_path, monkeypatch):
    store.check_writable(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HourglassError, match="HOURGLASS_RUNS"):
        store.check_writable(tmp_path / "file")


def when_replacing(monkeypatch, number, do):
    """Do something instead of the rename of this number, counted from 1."""
    genuine, calls = os.replace, []

    def replaced(source, target):
        calls.append(source)
        return do(genuine, source, target) if len(calls) == number else genuine(source, target)

    monkeypatch.setattr(store.os, "replace", replaced)


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt()])
@pytest.mark.parametrize("number", [1, 2])
def test_a_replacement_that_fails_leaves_the_older_run(fitted, place, monkeypatch, number, error):
    def fail(genuine, source, target):
        raise error

    run, arrays = fitted
    when_replacing(monkeypatch, number, fail)
    with pytest.raises((HourglassError, KeyboardInterrupt)):
        store.write(replace(run, notes={"newer": True}), arrays)
    assert [p.name for p in place.parent.iterdir()] == [run.key]
    assert store.read(place).notes == run.notes


def test_an_interrupted_first_write_leaves_nothing(fitted, place, monkeypatch, tmp_path):
    def interrupted(self, data):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.write(*fitted, tmp_path / "empty")
    assert list((tmp_path / "empty").iterdir()) == []


def test_an_older_run_that_can_not_be_put_back_is_kept_aside(fitted, place, monkeypatch):
    run, arrays = fitted
    genuine, calls = os.replace, []

    def only_once(source, target):
        calls.append(source)
        if len(calls) > 1:
            raise OSError(5, "Input/output error")
        genuine(source, target)

    monkeypatch.setattr(store.os, "replace", only_once)
    with pytest.raises(HourglassError, match="Input/output error"):
        store.write(run, arrays)
    assert len(list(place.parent.rglob("run.json"))) == 1


def test_what_can_not_be_cleared_away_does_not_fail_a_write(fitted, place, monkeypatch):
    run, arrays = fitted
    genuine = os.rmdir

    def refused(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "rmdir", refused)
    store.write(replace(run, notes={"newer": True}), arrays)
    monkeypatch.setattr(os, "rmdir", genuine)
    assert store.read(place).notes == {"newer": True}


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("older", [True, False])
def test_two_writers_of_one_key_both_succeed(fitted, place, monkeypatch, number, older):
    run, arrays = fitted
    if not older:
        shutil.rmtree(place)

    def after_another(genuine, source, target):
        store.write(replace(run, notes={"writer": 2}), arrays)
        genuine(source, target)

    when_replacing(monkeypatch, number, after_another)
    store.write(replace(run, notes={"writer": 1}), arrays)
    assert [p.name for p in place.parent.iterdir()] == [run.key]
    assert store.read(place).notes == {"writer": 1}


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
    place.rename(shutil.copytree(place, store.SHIPPED / run.key).parent.parent / "away")
    assert [r.key for r in store.pick(runs, "digits", "ae", 2)] == [run.key, own.key]
    assert store.pick(runs, "digits", "ae", 10) == []
    assert [r.key for r in store.pick(runs, "digits", "gan", 10)] == [gan.key]
