"""Writing, replacing, listing and deleting runs, also where the disk, another process or the user interferes."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from core.errors import BadInput, HourglassError
from core.files import size_of
from core.runs import layout, reader, store
from tests.runs.conftest import FILES, PICTURES, call_at, list_names, read_files, spec_of, with_spec


def test_run_comes_back_as_it_was(made, fitted, place, digits):
    run, again = made[0], reader.read_run(place)
    for part in ("spec", "history", "metrics", "environment", "notes"):
        assert getattr(again, part) == getattr(run, part)
    assert set(again.views) == set(run.views)
    assert all(np.array_equal(again.views[name], run.views[name]) for name in run.views)
    assert all(np.array_equal(a, fitted[1][name]) for name, a in reader.read_weights(place).items())
    X, estimator = digits.floats("test"), reader.read_estimator(place)
    assert np.array_equal(estimator.transform(X), run.estimator.transform(X))
    error = ((estimator.inverse_transform(estimator.transform(X)).astype(float) - X) ** 2).sum(1)
    assert run.metrics["squared_error"].value == pytest.approx(error.mean(), rel=1e-6)
    assert run.views["rows.squared_error"] == pytest.approx(error, rel=1e-5)


def test_replay_comes_back_and_is_absent_where_none_was_stored(fitted, place):
    assert reader.read_replay(place) == {}
    assert store.write_run(*fitted, replay=PICTURES) == place
    again = reader.read_replay(place)
    assert set(again) == set(PICTURES)
    assert all(np.array_equal(again[name], a) and again[name].dtype == a.dtype for name, a in PICTURES.items())
    store.write_run(*fitted, replay={})
    assert sorted(path.name for path in place.iterdir()) == FILES
    # A file that the document does not list is none.
    shutil.copy(place / layout.VIEWS, place / layout.REPLAY)
    assert reader.read_replay(place) == {}


def test_long_history_is_thinned_evenly(fitted, place):
    store.write_run(replace(fitted[0], history=[{"epoch": k} for k in range(20_001)]), fitted[1])
    epochs = np.array([row["epoch"] for row in reader.read_run(place).history])
    assert (len(epochs), epochs[0], epochs[-1]) == (5000, 0, 20_000)
    assert set(np.diff(epochs)) == {4, 5}


def test_own_run_comes_before_the_shipped_one_of_its_key(fitted, place):
    run, arrays = fitted
    own = with_spec(run, 2999)
    shipped = store.write_run(run, arrays, layout.SHIPPED)
    store.write_run(own, arrays)
    (found,), problems = store.list_runs()
    assert (problems, found.environment) == ([], own.environment)
    assert store.find_place(run.key) == place
    store.delete_run(run.key)
    assert store.find_place(run.key) == shipped
    assert store.is_shipped(store.list_runs()[0][0])


def fail(error):
    return Mock(side_effect=error)


def test_replacement_that_fails_leaves_the_older_run(fitted, place, monkeypatch):
    run, arrays = fitted
    for error in (OSError(5, "Input/output error"), KeyboardInterrupt()):
        for number in (1, 2):
            with monkeypatch.context() as patch:
                call_at(patch, number, fail(error))
                with pytest.raises((HourglassError, KeyboardInterrupt)):
                    store.write_run(replace(run, notes={"newer": True}), arrays)
            assert [path.name for path in place.parent.iterdir()] == [place.name]
            assert reader.read_run(place).notes == run.notes


def test_full_disk_leaves_nothing_of_the_new_run(fitted, place, monkeypatch, tmp_path):
    before = read_files(place)
    monkeypatch.setattr(Path, "write_bytes", fail(OSError(28, "No space left on device")))
    for folder in (None, tmp_path / "empty"):
        with pytest.raises(HourglassError, match=r"No space left on device.*free some space"):
            store.write_run(*fitted, folder)
    assert list((tmp_path / "empty").iterdir()) == []
    assert [path.name for path in place.parent.iterdir()] == [place.name]
    assert read_files(place) == before


def test_older_run_that_can_not_be_put_back_is_kept_aside(fitted, place, monkeypatch):
    moves = iter([os.replace, *2 * [fail(OSError(5, "Input/output error"))]])
    monkeypatch.setattr(os, "replace", lambda *paths: next(moves)(*paths))
    with pytest.raises(HourglassError, match="Input/output error"):
        store.write_run(*fitted)
    assert len(list(place.parent.rglob("run.json"))) == 1


@pytest.mark.parametrize(("number", "is_there"), [(1, True), (2, True), (2, False)])
def test_two_writers_of_one_key_both_succeed(fitted, place, monkeypatch, number, is_there):
    run, arrays = fitted
    if not is_there:
        shutil.rmtree(place)

    def after_another(genuine, source, target):
        store.write_run(replace(run, notes={"writer": 2}), arrays)
        genuine(source, target)

    call_at(monkeypatch, number, after_another)
    store.write_run(replace(run, notes={"writer": 1}), arrays)
    assert [path.name for path in place.parent.iterdir()] == [place.name]
    # The first one found the run of the second in its way, and left it, or replaced it.
    assert reader.read_run(place).notes == {"writer": number}


def test_run_above_the_quota_is_refused_before_anything_changes(fitted, place, monkeypatch):
    run, arrays = fitted
    other, before = with_spec(run, epochs=3), read_files(place)
    # Room for one and a half.
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", f"{1.5 * size_of(place) / 1e9:.9f}")
    large = {"map": np.zeros(size_of(place), np.uint8)}
    for write in (
        lambda: store.write_run(other, arrays),
        lambda: store.write_run(run, arrays, replay=large),
        lambda: store.rewrite_run(place, run, arrays, large),
    ):
        with pytest.raises(HourglassError, match=r"no room .* Delete runs on the page Training"):
            write()
    assert read_files(place) == before
    assert list_names(layout.runs_folder()) == [place.name]
    # A run may become smaller above the quota.
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", "0.000001")
    with pytest.raises(HourglassError, match="no room"):
        layout.check_writable()
    store.write_run(replace(run, history=[]), arrays)
    store.rewrite_run(place, replace(run, history=[], notes={}), arrays)
    assert reader.read_run(place).history == []


def test_deleted_run_is_gone_and_the_others_stay(fitted, place):
    other = store.write_run(with_spec(fitted[0], epochs=3), fitted[1])
    (place / "run.json").write_text("a broken run can be deleted too")
    store.delete_run(fitted[0].key)
    assert [path.name for path in place.parent.iterdir()] == [other.name]
    with pytest.raises(BadInput, match=f"There is no run {fitted[0].key}"):
        store.delete_run(fitted[0].key)
    store.delete_run(spec_of(epochs=3).key)
    assert list(layout.runs_folder().iterdir()) == []


def test_shipped_run_can_not_be_deleted(fitted, place, monkeypatch):
    run, arrays = fitted
    shipped = store.write_run(run, arrays, layout.SHIPPED)
    store.delete_run(run.key)
    for folder in (layout.runs_folder(), layout.SHIPPED):
        monkeypatch.setenv("HOURGLASS_RUNS", str(folder))
        with pytest.raises(BadInput, match="came with the project and can't be deleted"):
            store.delete_run(run.key)
    assert reader.read_run(shipped).key == run.key


def test_deletion_that_fails_leaves_the_run_whole(fitted, place, monkeypatch):
    before = read_files(place)
    monkeypatch.setattr(os, "replace", fail(PermissionError(13, "Permission denied")))
    with pytest.raises(HourglassError, match=f"The run {fitted[0].key} can't be removed from .*Permission denied"):
        store.delete_run(fitted[0].key)
    assert [path.name for path in place.parent.iterdir()] == [place.name]
    assert read_files(place) == before


def test_two_people_delete_one_run(fitted, place, monkeypatch):
    key = fitted[0].key
    call_at(monkeypatch, 1, lambda genuine, *paths: (store.delete_run(key), genuine(*paths)))
    with pytest.raises(BadInput, match=f"There is no run {key}"):
        store.delete_run(key)
    assert store.list_places() == ([], [])
