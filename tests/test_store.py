import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from core import archive, datasets, experiments, replay, specs, store
from core.types import BadInput, BrokenRun, HourglassError
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


FILES = ["run.json", "views.safetensors", "weights.safetensors"]


def test_nothing_pickled_and_nothing_else_in_the_folder(place):
    assert sorted(p.name for p in place.iterdir()) == FILES
    assert [p.name for p in place.parent.iterdir()] == [place.name]


def test_storing_again_replaces(fitted, place):
    assert store.write(*fitted) == place
    assert [p.name for p in place.parent.iterdir()] == [place.name]


PICTURES = {"map": np.zeros((2, 3, 2), np.float16), "epochs": np.array([0.5, 1.0], np.float32)}


def test_a_replay_comes_back_as_it_was_and_a_run_without_one_has_none(fitted, place):
    assert store.replay(place) == {}
    assert store.write(*fitted, replay=PICTURES) == place
    assert sorted(p.name for p in place.iterdir()) == sorted([*FILES, "replay.safetensors"])
    again = store.replay(place)
    assert set(again) == set(PICTURES)
    assert all(np.array_equal(again[name], PICTURES[name]) for name in PICTURES)
    assert all(again[name].dtype == PICTURES[name].dtype for name in PICTURES)
    assert set(json.loads((place / "run.json").read_text())["files"]) == {*FILES[1:], "replay.safetensors"}
    store.write(*fitted, replay={})
    assert sorted(p.name for p in place.iterdir()) == FILES
    assert store.replay(place) == {}


def test_a_file_that_the_document_does_not_list_is_no_replay(place):
    shutil.copy(place / "views.safetensors", place / "replay.safetensors")
    assert store.replay(place) == {}


def test_a_very_long_history_is_thinned_evenly(fitted, place):
    run, arrays = fitted
    rows = [{"epoch": k} for k in range(20_001)]
    store.write(replace(run, history=rows), arrays)
    epochs = np.array([row["epoch"] for row in store.read(place).history])
    assert len(epochs) == 5000
    assert (epochs[0], epochs[-1]) == (0, 20_000)
    assert set(np.diff(epochs)) == {4, 5}
    store.write(replace(run, history=rows[:5000]), arrays)
    assert store.read(place).history == rows[:5000]
    store.write(replace(run, history=[]), arrays)
    assert store.read(place).history == []


def flip(path, at):
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["weights.safetensors", "views.safetensors", "replay.safetensors"])
@pytest.mark.parametrize("damage", ["flipped", "truncated", "missing"])
def test_a_damaged_file_is_named(fitted, place, name, damage):
    store.write(*fitted, replay=PICTURES)
    path = place / name
    if damage == "flipped":
        flip(path, -20)
    elif damage == "truncated":
        path.write_bytes(path.read_bytes()[:-100])
    else:
        path.unlink()
    readers = {"weights": store.estimator, "views": store.read, "replay": store.replay}
    for part, reader in readers.items():
        if name.startswith(part):
            with pytest.raises(BrokenRun, match=name):
                reader(place)
        else:
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
    yield "a nested spec", nested_spec
    yield "another format", signed(format=2)
    yield "very large", lambda text: text + " " * store._LARGEST_DOCUMENT


def nested_spec(text):
    """A spec that can be checked, but is so deep that it has no key."""
    value = []
    for _ in range(500):
        value = [value]
    spec = json.loads(text)["spec"]
    return signed(spec={**spec, "params": {**spec["params"], "width": value}})(text)


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


def test_runs_that_were_stopped_early_come_after_whole_ones(fitted, place):
    run, arrays = fitted
    dates = {3: "2999-01-01T00:00:00+00:00", 4: "2000-01-01T00:00:00+00:00", 5: "2998-01-01T00:00:00+00:00"}
    keys = {}
    for epochs, date in dates.items():
        own = specs.make("digits", "ae", {"epochs": epochs, "width": 32, "n_components": 2})
        environment = {**run.environment, "date": date, "stopped_early": epochs in (3, 5)}
        store.write(replace(run, spec=own, environment=environment), arrays)
        keys[epochs] = own.key
    runs, _ = store.index()
    order = [keys[4], keys[3], keys[5]]
    assert [r.key for r in store.pick(runs, "digits", "ae", 2)] == [run.key, *order]
    shutil.copytree(place.parent / keys[3], store.SHIPPED / keys[3])
    shutil.rmtree(place.parent / keys[3])
    assert [r.key for r in store.pick(runs, "digits", "ae", 2)] == [keys[3], run.key, keys[4], keys[5]]


def test_of_shipped_runs_the_first_made_leads_and_of_own_ones_the_newest(fitted, place):
    run, arrays = fitted
    keys = {}
    for year in (2001, 2003, 2002):
        for home in (store.SHIPPED, None):
            spec = specs.make("digits", "ae", {"epochs": year - 1990, "width": 64 if home else 32, "n_components": 2})
            environment = {**run.environment, "date": f"{year}-01-01T00:00:00+00:00"}
            store.write(replace(run, spec=spec, environment=environment), arrays, home)
            keys[year, bool(home)] = spec.key
    runs = [each for each in store.index()[0] if each.key != run.key]
    order = [(2001, True), (2002, True), (2003, True), (2003, False), (2002, False), (2001, False)]
    assert [r.key for r in store.pick(runs, "digits", "ae", 2)] == [keys[each] for each in order]


def make_a_mess(folder):
    """What else may lie in a folder of runs; returns the names that are runs to nobody but a reader should hear of."""
    (folder / "notes.txt").write_text("a file instead of a folder")
    (folder / "0123456789abcdee").write_text("a file that is named as a run")
    (folder / ".jobs").mkdir()
    (folder / "round").symlink_to("round")
    (folder / "nowhere").symlink_to("missing")
    told = ["empty", "its-own", "folder", "pipe", "device", "link", os.fsdecode(b"\xff")]
    for name in told:
        (folder / name).mkdir()
    (folder / "its-own" / "its-own").symlink_to("..")
    (folder / "folder" / "run.json").mkdir()
    os.mkfifo(folder / "pipe" / "run.json")
    (folder / "device" / "run.json").symlink_to("/dev/zero")
    (folder / "link" / "run.json").symlink_to("run.json")
    return told


def test_whatever_lies_beside_the_runs_they_are_listed(fitted, place):
    told = make_a_mess(place.parent)
    runs, problems = store.index()
    assert [r.key for r in runs] == [place.name]
    assert len(problems) == len(told)
    for name in told:
        shown = "\\xff" if name == os.fsdecode(b"\xff") else name
        assert sum(f"{place.parent}/{shown}" in problem for problem in problems) == 1
    "".join(problems).encode()
    assert store.used() > store.size(place) > 0


def test_a_folder_without_rights_is_told_and_the_others_are_listed(fitted, place, monkeypatch):
    locked(monkeypatch, place)
    run, arrays = fitted
    store.write(run, arrays, store.SHIPPED)
    other = specs.make("digits", "ae", {"epochs": 3, "width": 32, "n_components": 2})
    store.write(replace(run, spec=other), arrays, store.SHIPPED)
    runs, problems = store.index()
    assert [r.key for r in runs] == [other.key]
    assert problems == [f"{place / 'run.json'} can't be read (Permission denied)."]


def test_a_key_never_leads_out_of_the_runs(place):
    (place.parent.parent / "0123456789abcdef").mkdir(exist_ok=True)
    for key in ("", ".", "..", "../0123456789abcdef", str(place), place.name.upper() + "A", place.name + "\n"):
        assert store.find(key) is None
        for function in (store.folder_of, store.delete):
            with pytest.raises(BadInput, match="is no key of a run: a key is 16 of the digits"):
                function(key)
    assert store.folder_of(place.name) == place
    assert (place / "run.json").exists()


# Size and quota


def blocks(folder, **sizes):
    for name, n_bytes in sizes.items():
        path = folder / name.replace("_", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(n_bytes))


def test_size_counts_every_byte_below(tmp_path, monkeypatch):
    blocks(tmp_path, a=1, b_c=20, b_d_e=300)
    blocks(tmp_path / ".jobs", f=4000)
    assert store.size(tmp_path / "b") == 320
    assert store.size(tmp_path / "missing") == 0
    assert store.used(tmp_path) == 4321
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    assert store.used() == 4321
    (tmp_path / "link").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "up").symlink_to(tmp_path)
    assert store.used() == 4321


def test_what_vanishes_while_it_is_counted_does_not_count(tmp_path, monkeypatch):
    blocks(tmp_path, a=1, b=20, c=300, d_e=4000)
    genuine = os.lstat

    def vanishing(path, **kwargs):
        if os.fspath(path).endswith("b"):
            os.remove(path)
        return genuine(path, **kwargs)

    monkeypatch.setattr(os, "lstat", vanishing)
    assert store.used(tmp_path) == 4301


@pytest.mark.parametrize(("given", "n_bytes"), [(None, 5e9), ("", 5e9), ("2", 2e9), ("0.25", 0.25e9), (" 1e3 ", 1e12)])
def test_the_quota_is_given_in_gigabytes(monkeypatch, given, n_bytes):
    monkeypatch.delenv("HOURGLASS_QUOTA_GB", raising=False)
    if given is not None:
        monkeypatch.setenv("HOURGLASS_QUOTA_GB", given)
    assert store.quota() == n_bytes


@pytest.mark.parametrize("given", ["much", "5 GB", "nan", "inf", "0", "-1", "1,5"])
def test_a_quota_that_is_none_is_told(monkeypatch, given):
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", given)
    with pytest.raises(BadInput, match=f"HOURGLASS_QUOTA_GB={given} is not allowed: it is a number of gigabytes"):
        store.quota()
    with pytest.raises(BadInput):
        store.check_writable()


def test_the_last_byte_of_the_quota_may_be_used(tmp_path, monkeypatch):
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", "5")
    (tmp_path / "sparse").touch()
    os.truncate(tmp_path / "sparse", 4_980_000_000)
    store.check_room(20_000_000, tmp_path)
    with pytest.raises(HourglassError) as refusal:
        store.check_room(20_000_001, tmp_path)
    assert str(refusal.value) == (
        f"There is no room for 20.0 MB more: the runs in {tmp_path} take 4.98 of 5.00 GB. Delete runs on the page "
        "Training, or set HOURGLASS_QUOTA_GB to a larger number of gigabytes."
    )


def files_of(place):
    return {path.name: path.read_bytes() for path in place.iterdir()}


def test_a_run_above_the_quota_is_refused_before_anything_changes(fitted, place, monkeypatch):
    run, arrays = fitted
    other = replace(run, spec=specs.make("digits", "ae", {"epochs": 3, "width": 32, "n_components": 2}))
    before = files_of(place)
    # Room for one and a half.
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", f"{1.5 * store.size(place) / 1e9:.9f}")
    with pytest.raises(HourglassError, match=r"no room .* Delete runs on the page Training"):
        store.write(other, arrays)
    with pytest.raises(HourglassError, match="no room"):
        store.write(run, arrays, replay={"map": np.zeros(store.size(place), np.uint8)})
    assert files_of(place) == before
    assert [p.name for p in place.parent.iterdir()] == [place.name]
    store.write(replace(run, notes={"newer": True}), arrays)
    assert store.read(place).notes == {"newer": True}
    store.write(other, arrays, store.SHIPPED)
    assert store.is_shipped(other.key)


def test_a_run_may_become_smaller_above_the_quota(fitted, place, monkeypatch):
    run, arrays = fitted
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", "0.000001")
    with pytest.raises(HourglassError, match="no room"):
        store.check_writable()
    store.write(replace(run, history=[]), arrays)
    assert store.read(place).history == []


# Delete


def test_a_deleted_run_is_gone_and_the_others_stay(fitted, place):
    run, arrays = fitted
    other = replace(run, spec=specs.make("digits", "ae", {"epochs": 3, "width": 32, "n_components": 2}))
    store.write(other, arrays)
    store.delete(run.key)
    assert [p.name for p in place.parent.iterdir()] == [other.key]
    assert [r.key for r in store.index()[0]] == [other.key]
    with pytest.raises(BadInput, match=f"There is no run {run.key}"):
        store.delete(run.key)


def test_a_broken_run_can_be_deleted(place):
    (place / "run.json").write_text("broken")
    store.delete(place.name)
    assert list(place.parent.iterdir()) == []


def test_a_shipped_run_can_not_be_deleted_but_an_own_one_in_its_place(fitted, place, monkeypatch):
    run, arrays = fitted
    store.write(run, arrays, store.SHIPPED)
    store.delete(run.key)
    for folder in (place.parent, store.SHIPPED):
        monkeypatch.setenv("HOURGLASS_RUNS", str(folder))
        with pytest.raises(BadInput, match="came with the project and can't be deleted"):
            store.delete(run.key)
    assert store.read(store.SHIPPED / run.key).key == run.key


def test_a_deletion_that_fails_leaves_the_run_whole(place, monkeypatch):
    def refused(source, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(store.os, "replace", refused)
    with pytest.raises(HourglassError, match=f"The run {place.name} can't be removed from .*Permission denied"):
        store.delete(place.name)
    assert [p.name for p in place.parent.iterdir()] == [place.name]
    assert store.read(place).key == place.name


def test_a_deletion_that_is_cut_short_leaves_no_run(place, monkeypatch):
    def refused(path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(store.shutil, "rmtree", refused)
    with pytest.raises(HourglassError, match=f"What the deleted run {place.name} left can't be removed"):
        store.delete(place.name)
    assert store.index() == ([], [])
    assert store.find(place.name) is None


def test_two_people_delete_one_run(place, monkeypatch):
    genuine = os.replace

    def after_another(source, target):
        monkeypatch.setattr(store.os, "replace", genuine)
        store.delete(place.name)
        genuine(source, target)

    monkeypatch.setattr(store.os, "replace", after_another)
    with pytest.raises(BadInput, match=f"There is no run {place.name}"):
        store.delete(place.name)
    assert list(place.parent.iterdir()) == []


# A run as a zip file


@pytest.fixture(scope="module")
def pictures(fitted, digits):
    recorder = replay.Recorder(digits)
    for row in fitted[0].history:
        recorder.take(row, fitted[0].estimator)
    return recorder.arrays()


@pytest.fixture
def packed(fitted, pictures, place):
    """The zip file of a run with a replay, which is no longer stored."""
    store.write(*fitted, replay=pictures)
    data = store.pack(place)
    store.delete(place.name)
    return data


def unzipped(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name.partition("/")[2]: file.read(name) for name in file.namelist()}


def changed_run(fitted, pictures, change):
    """The zip file of a run that was changed by somebody who knows the checksums."""
    run, arrays = fitted
    run = change(run)
    return archive.pack(run.key, store._contents(run, arrays, pictures))


def test_a_packed_run_is_its_folder(fitted, pictures, place):
    store.write(*fitted, replay=pictures)
    with zipfile.ZipFile(io.BytesIO(store.pack(place))) as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == {
            f"{place.name}/{name}": data for name, data in files_of(place).items()
        }


@pytest.mark.parametrize("name", [*FILES, "replay.safetensors"])
def test_a_damaged_run_is_not_packed(fitted, pictures, place, name):
    store.write(*fitted, replay=pictures)
    flip(place / name, -20)
    with pytest.raises(BrokenRun, match=name):
        store.pack(place)
    (place / name).unlink()
    with pytest.raises(BrokenRun, match=f"{name} is missing"):
        store.pack(place)


def test_a_run_that_would_not_be_taken_back_is_not_packed(place, monkeypatch):
    monkeypatch.setattr(store, "LARGEST_PACKED", store.size(place) - 1)
    with pytest.raises(BadInput, match="can't be handed on: copy its folder instead"):
        store.pack(place)


def test_a_packed_run_comes_back_and_says_that_it_was_loaded(fitted, pictures, packed, digits):
    run, arrays = fitted
    before = datetime.now(UTC).replace(microsecond=0)
    loaded = store.unpack(packed, check_weights=True)
    place = store.find(run.key)
    again = store.read(place)
    assert place.parent == store.runs_folder()
    assert sorted(p.name for p in place.iterdir()) == sorted([*FILES, "replay.safetensors"])
    for found in (loaded, again):
        assert before <= datetime.fromisoformat(found.environment["loaded"]) <= datetime.now(UTC)
        assert found.environment == run.environment | {"loaded": found.environment["loaded"]}
        assert (found.spec, found.history, found.metrics, found.notes) == (
            (run.spec, run.history, run.metrics, run.notes)
        )
        assert all(np.array_equal(found.views[name], run.views[name]) for name in run.views)
    assert all(np.array_equal(store.replay(place)[name], pictures[name]) for name in pictures)
    assert all(np.array_equal(store.arrays(place)[name], arrays[name]) for name in arrays)
    X = digits.floats("test")
    assert np.array_equal(store.estimator(place).transform(X), run.estimator.transform(X))
    assert [p.name for p in place.parent.iterdir()] == [run.key]


def test_loading_a_run_needs_no_torch(packed, tmp_path):
    (tmp_path / "run.zip").write_bytes(packed)
    program = (
        "import sys; from pathlib import Path; from core import store; store.SHIPPED = Path('none')\n"
        "run = store.unpack(Path(sys.argv[1]).read_bytes())\n"
        "assert store.find(run.key); assert 'torch' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", program, tmp_path / "run.zip"], check=True, cwd=Path(store.__file__).parents[1]
    )


@pytest.mark.parametrize("where", ["own", "shipped", "broken"])
def test_a_run_that_is_there_is_never_replaced(fitted, packed, where):
    run, arrays = fitted
    folder = store.SHIPPED if where == "shipped" else store.runs_folder()
    place = store.write(replace(run, notes={"mine": True}), arrays, folder)
    if where == "broken":
        (place / "run.json").write_text("broken")
    before = files_of(place)
    with pytest.raises(BadInput, match=f"The run {run.key} is already here, and loading a file replaces no run"):
        store.unpack(packed)
    assert files_of(place) == before
    assert where != "shipped" or list(store.runs_folder().iterdir()) == []


def test_a_run_that_another_stores_meanwhile_is_not_replaced(fitted, packed, monkeypatch):
    run, arrays = fitted

    def after_another(genuine, source, target):
        monkeypatch.undo()
        store.write(replace(run, notes={"mine": True}), arrays, target.parent)
        genuine(source, target)

    folder = store.runs_folder()
    when_replacing(monkeypatch, 1, after_another)
    with pytest.raises(BadInput, match="is already here"):
        store.unpack(packed, folder)
    assert [p.name for p in folder.iterdir()] == [run.key]
    assert store.read(folder / run.key).notes == {"mine": True}


def nothing_is_stored():
    return not store.runs_folder().exists() or list(store.runs_folder().iterdir()) == []


@pytest.mark.parametrize("name", [*FILES, "replay.safetensors"])
@pytest.mark.parametrize("damage", ["flipped", "truncated", "empty"])
def test_a_damaged_file_in_a_zip_file_is_named(fitted, packed, name, damage):
    contents = unzipped(packed)
    data = bytearray(contents[name])
    data[len(data) // 2] ^= 1
    contents[name] = {"flipped": bytes(data), "truncated": contents[name][:-100], "empty": b""}[damage]
    with pytest.raises(BadInput, match=f"{name} in this zip file is not what was written: export the run again"):
        store.unpack(archive.pack(fitted[0].key, contents))
    assert nothing_is_stored()


def test_files_that_the_document_does_not_list_are_refused(fitted, packed):
    contents = unzipped(packed)
    del contents["replay.safetensors"]
    with pytest.raises(BadInput, match="not what was written"):
        store.unpack(archive.pack(fitted[0].key, contents))
    contents = store._contents(*fitted, {}) | {"replay.safetensors": b"anything"}
    with pytest.raises(BadInput, match="not what was written"):
        store.unpack(archive.pack(fitted[0].key, contents))
    assert nothing_is_stored()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: "[" * 200_000, r"run\.json in this zip file is not what was written"),
        (lambda text: text + " " * 1000, None),
    ]
    + [(signed(format=2), r"run\.json in this zip file has format 2, this program reads 1")]
    + [(without(part), "describes no run of this program") for part in store._PARTS],
)
def test_a_document_in_a_zip_file_is_checked_as_in_a_folder(fitted, packed, change, message):
    contents = unzipped(packed)
    contents["run.json"] = change(contents["run.json"].decode()).encode()
    data = archive.pack(fitted[0].key, contents)
    if message is None:
        assert store.unpack(data).key == fitted[0].key
        return
    with pytest.raises(BadInput, match=message):
        store.unpack(data)
    assert nothing_is_stored()


def test_a_run_under_another_key_is_refused(fitted, packed):
    with pytest.raises(BadInput, match=f"belongs in a folder named {fitted[0].key}"):
        store.unpack(archive.pack("0123456789abcdef", unzipped(packed)))
    with pytest.raises(BadInput, match="holds no exported run"):
        store.unpack(archive.pack("..", unzipped(packed)))
    with pytest.raises(BadInput, match="no zip file"):
        store.unpack(b"a text")
    assert nothing_is_stored()


def test_a_run_that_no_page_could_show_is_refused(fitted, pictures, packed):
    def change(run):
        return replace(run, views={**run.views, "map": run.views["map"][:, :1]})

    with pytest.raises(BadInput, match="view 'map'"):
        store.unpack(changed_run(fitted, pictures, change))
    assert nothing_is_stored()


@pytest.mark.parametrize(
    "change",
    [
        lambda run: replace(run, environment={**run.environment, "n_test": 501}),
        lambda run: replace(run, notes={**run.notes, "target_names": [*"abcdefghij"]}),
        lambda run: replace(run, views={**run.views, "labels": run.views["labels"][::-1]}),
    ],
)
def test_a_run_that_claims_other_rows_of_the_same_data_is_refused(fitted, packed, change):
    run, arrays = fitted
    measured_here = replace(run, spec=specs.make("digits", "ae", {"epochs": 3, "width": 32, "n_components": 2}))
    hostile = changed_run(fitted, {}, change)
    store.write(measured_here, arrays)
    with pytest.raises(BadInput, match="its rows are not those of the runs of digits that are here"):
        store.unpack(hostile)
    assert [p.name for p in store.runs_folder().iterdir()] == [measured_here.key]
    other_data = changed_run(
        fitted, {}, lambda run: change(replace(run, environment={**run.environment, "data_checksum": "another"}))
    )
    assert store.unpack(other_data).key == run.key
    store.delete(run.key)
    assert store.unpack(packed).key == run.key


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays: dict(list(arrays.items())[1:]),
        lambda arrays: {name: a[..., :1] if a.ndim == 2 else a for name, a in arrays.items()},
        lambda arrays: {name: a.astype(np.float32) * 1e14 if a.ndim == 2 else a for name, a in arrays.items()},
    ],
    ids=["one missing", "another shape", "beyond all floats"],
)
def test_weights_that_do_not_fit_are_told_before_they_are_stored_or_when_they_are_built(fitted, packed, change):
    run, arrays = fitted
    data = archive.pack(run.key, store._contents(run, change(arrays), {}))
    with pytest.raises(BadInput, match="The weights in this zip file do not fit AE") as refusal:
        store.unpack(data, check_weights=True)
    assert "\n" not in str(refusal.value)
    assert nothing_is_stored()
    store.unpack(data)
    with pytest.raises(BrokenRun, match="do not fit AE"):
        store.estimator(store.find(run.key))


def test_linear_weights_of_another_shape_are_told(digits):
    run, arrays = experiments.fit(specs.make("digits", "pca", {"n_components": 3}), digits)
    for changes in ({"mean_": arrays["mean_"][1:]}, {"components_": arrays["components_"][:2]}):
        data = archive.pack(run.key, store._contents(run, arrays | changes, {}))
        with pytest.raises(BadInput, match="The weights in this zip file do not fit PCA"):
            store.unpack(data, check_weights=True)


def test_a_run_that_does_not_fit_the_quota_is_not_loaded(packed, monkeypatch):
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", "0.00001")
    with pytest.raises(HourglassError, match="no room"):
        store.unpack(packed)
    assert nothing_is_stored()


def test_a_full_disk_while_loading_leaves_nothing(packed, monkeypatch):
    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(HourglassError, match="No space left on device"):
        store.unpack(packed)
    assert nothing_is_stored()
