"""Runs as zip files: what is exported comes back, and nothing else gets in."""

import io
import json
import os
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from core.errors import BadInput, BrokenRun, HourglassError
from core.runs import archive, layout, reader, store, transfer
from tests.runs.conftest import FILES, call_at, list_names, read_files, spec_of, with_spec
from tests.runs.test_reader import sign

NAME = layout.folder_name(spec_of())


@pytest.fixture(scope="module")
def packed(trained):
    return transfer.pack_run(trained)


@pytest.fixture
def contents(packed):
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        return {name.partition("/")[2]: file.read(name) for name in file.namelist()}


def pack(run, arrays):
    """The zip file of a run that was changed by somebody who knows the checksums."""
    return archive.pack(NAME, store.files_of(run, arrays, {}))


@pytest.fixture
def refused(no_shipped_runs):
    """Import a file that must be refused in one sentence, and leave nothing behind."""
    layout.runs_folder().mkdir(exist_ok=True)

    def refuse(data, message, **options):
        before = list_names(layout.runs_folder())
        with pytest.raises(HourglassError, match=message) as refusal:
            transfer.unpack_run(data, **options)
        assert "\n" not in str(refusal.value)
        assert list_names(layout.runs_folder()) == before

    return refuse


def test_packed_run_comes_back_and_says_that_it_was_loaded(fitted, trained, contents):
    run, arrays = fitted
    pictures, before = reader.read_replay(trained), datetime.now(UTC).replace(microsecond=0)
    loaded = transfer.unpack_run(archive.pack(run.key, contents), check_weights=True)
    place = store.find_place(run.key)
    assert place == layout.runs_folder() / "digits" / NAME
    assert sorted(path.name for path in place.iterdir()) == sorted([*FILES, layout.REPLAY])
    for found in (loaded, reader.read_run(place)):
        assert before <= datetime.fromisoformat(found.environment["loaded"]) <= datetime.now(UTC)
        assert found.environment == run.environment | {"loaded": found.environment["loaded"]}
        assert found.notes == run.notes | {"is_verified": False}
        assert (found.spec, found.history, found.metrics) == (run.spec, run.history, run.metrics)
        assert all(np.array_equal(found.views[name], run.views[name]) for name in run.views)
    assert all(np.array_equal(a, pictures[name]) for name, a in reader.read_replay(place).items())
    assert all(np.array_equal(a, arrays[name]) for name, a in reader.read_weights(place).items())


def test_run_that_is_there_is_never_replaced(fitted, packed, refused):
    run, arrays = fitted
    for folder in (layout.SHIPPED, layout.runs_folder()):
        place = store.write_run(replace(run, notes={"mine": True}), arrays, folder)
        before = read_files(place)
        refused(packed, f"The run {run.key} is already here, and loading a file replaces no run")
        assert read_files(place) == before


def test_run_that_another_process_stores_meanwhile_is_not_replaced(fitted, packed, monkeypatch):
    run, arrays = fitted

    def after_another(genuine, source, target):
        store.write_run(replace(run, notes={"mine": True}), arrays)
        genuine(source, target)

    call_at(monkeypatch, 1, after_another)
    with pytest.raises(BadInput, match="is already here"):
        transfer.unpack_run(packed)
    assert list_names(layout.runs_folder()) == [NAME]
    assert reader.read_run(store.find_place(run.key)).notes == {"mine": True}


def test_anything_but_an_exported_run_is_refused(contents, refused):
    for name in (*FILES, layout.REPLAY):
        changed = bytearray(contents[name])
        changed[len(changed) // 2] ^= 1
        message = f"{name} in this zip file is not what was written: export the run again"
        refused(archive.pack(NAME, contents | {name: bytes(changed)}), message)
    forged = sign({**json.loads(contents["run.json"]), "notes": None}).encode()
    refused(archive.pack(NAME, contents | {"run.json": forged}), "describes no run of this")
    refused(archive.pack(NAME.replace("ae", "vae"), contents), f"belongs in a folder named {NAME}")
    refused(archive.pack("..", contents), "holds no exported run")
    refused(b"a text", "no zip file")


def test_run_that_claims_other_rows_of_the_same_data_is_refused(fitted, packed, refused):
    run, arrays = fitted
    store.write_run(with_spec(run, epochs=3), arrays)
    for change in (
        {"environment": {**run.environment, "n_test": 501}},
        {"notes": {**run.notes, "target_names": [*"abcdefghij"]}},
        {"views": {**run.views, "labels": run.views["labels"][::-1]}},
    ):
        hostile = replace(run, **change)
        refused(pack(hostile, arrays), "its rows are not those of the runs of digits that are here")
        elsewhere = replace(hostile, environment={**hostile.environment, "data_checksum": "another"})
        assert transfer.unpack_run(pack(elsewhere, arrays)).key == run.key
        store.delete_run(run.key)
    assert transfer.unpack_run(packed).key == run.key


def test_weights_that_do_not_fit_are_refused_or_found_when_they_are_built(fitted, refused):
    run, arrays = fitted
    missing = dict(list(arrays.items())[1:])
    huge = {name: a.astype(np.float32) * 1e14 if a.ndim == 2 else a for name, a in arrays.items()}
    for changed in (missing, huge):
        refused(pack(run, changed), "The weights in this zip file do not fit AE", check_weights=True)
    transfer.unpack_run(pack(run, missing))
    with pytest.raises(BrokenRun, match="do not fit AE"):
        reader.read_estimator(store.find_place(run.key))


def test_run_that_finds_no_room_leaves_nothing(packed, refused, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", Mock(side_effect=OSError(28, os.strerror(28))))
        refused(packed, "No space left on device")
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", "0.00001")
    refused(packed, "no room")
