"""Reading runs whose files are damaged, forged, unreadable or of another version."""

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import methods
from core.errors import BrokenRun
from core.runs import layout, reader, store
from tests.runs.conftest import FILES, PICTURES, read_files, spec_of, with_spec

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
PARTS = ("spec", "history", "metrics", "environment", "notes", "files")
QUICKLY = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def sign(document):
    """The text of a document as somebody writes it who knows how its checksum is made."""
    document = {name: value for name, value in document.items() if name != "checksum"}
    return json.dumps({**document, "checksum": reader.digest(reader.canonical_json(document))})


def test_damaged_file_is_named(fitted, place):
    readers = {"weights": reader.read_estimator, "views": reader.read_run, "replay": reader.read_replay}
    store.write_run(*fitted, replay=PICTURES)
    for name in (*FILES[1:], layout.REPLAY):
        whole = (place / name).read_bytes()
        for damaged in (whole[:-20] + b"x" * 20, b""):
            (place / name).write_bytes(damaged)
            for part, read in readers.items():
                with pytest.raises(BrokenRun, match=name) if name.startswith(part) else nullcontext():
                    read(place)
        (place / name).write_bytes(whole)


def read_or_refuse(read):
    """What `read` gives, or the sentence of its refusal."""
    try:
        return read()
    except BrokenRun as problem:
        return str(problem)


def test_damaged_document_is_named_and_the_other_runs_are_listed(fitted, place):
    run, arrays = fitted
    store.write_run(with_spec(run, epochs=3), arrays)
    path = place / "run.json"
    text = path.read_text()
    whole = json.loads(text)
    spec, environment = whole["spec"], whole["environment"]
    sizeless = {name: value for name, value in spec["params"].items() if name != "n_components"}
    changes = [
        *({"spec": {**spec, "params": {**sizeless, "n_components": size}}} for size in ("2", 2.0, True, 0, [])),
        {"spec": {**spec, "params": sizeless}},
        {"format": 2},
        {"history": [1, 2]},
        {"metrics": {**whole["metrics"], "squared_error": "small"}},
        {"metrics": {}},
        {"environment": {**environment, "date": None}},
        {"environment": {**environment, "image_shape": [8]}},
    ]
    damaged = [text[: len(text) // 2], text.replace('"seconds"', '"second"', 1), "[]", "[" * 200_000]
    damaged += [text + " " * reader.LARGEST_DOCUMENT]
    damaged += [sign({**whole, **change}) for change in changes]
    damaged += [sign({name: value for name, value in whole.items() if name != part}) for part in PARTS]
    for text in damaged:
        path.write_text(text)
        with pytest.raises(BrokenRun, match=r"run\.json"):
            reader.read_run(place)
        runs, problems = store.list_runs()
        assert [found.key for found in runs] == [spec_of(epochs=3).key]
        assert [str(path) in problem for problem in problems] == [True]


@QUICKLY
@given(st.sampled_from(PARTS), st.text(max_size=8), JSON)
def test_forged_document_is_a_run_or_one_sentence(trained, part, name, value):
    document = json.loads((trained / "run.json").read_text())
    entries = document[part]
    forged = value if name == "" else {**entries, name: value} if isinstance(entries, dict) else [*entries, value]
    files = reader.RunFiles(trained, {"run.json": sign({**document, part: forged}).encode()})
    assert "\n" not in read_or_refuse(lambda: files.parse_run().key)


@QUICKLY
@given(st.sampled_from([*FILES, layout.REPLAY]), st.floats(0, 1, exclude_max=True), st.integers(0, 255))
def test_changed_byte_gives_the_same_run_or_one_sentence(trained, name, at, byte):
    whole = read_files(trained)
    data = bytearray(whole[name])
    data[int(at * len(data))] = byte
    files = reader.RunFiles(trained, {**whole, name: bytes(data)})
    found = read_or_refuse(lambda: files.parse_whole()[0].metrics)
    assert found == reader.read_run(trained).metrics or name in found


def test_run_of_another_version_is_not_restored(place, monkeypatch):
    changed = replace(methods.get("ae"), version=99)
    monkeypatch.setattr(methods, "get", lambda name: changed)
    with pytest.raises(BrokenRun, match="made by version 1 of AE"):
        reader.read_estimator(place)


def test_renamed_folder_is_reported(fitted, place):
    for name in ("0123456789abcdef", "pca" + place.name[2:], "mine"):
        place = place.rename(place.parent / name)
        with pytest.raises(BrokenRun, match=f"belongs in a folder named ae-2-{fitted[0].key[:8]}"):
            reader.read_run(place)
        assert str(place) in store.list_runs()[1][0]


def test_run_that_is_replaced_while_it_is_read_is_read_again(fitted, place, monkeypatch):
    run, arrays = fitted
    genuine, reads = Path.read_bytes, []

    def replace_between(path):
        reads.append(path)
        if len(reads) == 2:
            store.write_run(replace(run, notes={"newer": True}, views={"map": run.views["map"]}), arrays)
        return genuine(path)

    monkeypatch.setattr(Path, "read_bytes", replace_between)
    again = reader.read_run(place)
    assert again.notes == {"newer": True}
    assert set(again.views) == {"map"}
