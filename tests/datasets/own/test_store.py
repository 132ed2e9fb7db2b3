import hashlib
import io
import json
import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import config, datasets
from core.datasets.own import catalogue, examples, recipe, store
from core.errors import BadInput, DataUnavailable, HourglassError
from core.methods import ae, pca
from core.runs import specs

ROOT = Path(__file__).parents[3]


def add(content, file="table.csv", label="", roles=None, **settings):
    brought = store.read_file(content, file)
    found = [c.__class__(**vars(c) | {"role": (roles or {}).get(c.name, c.role)}) for c in brought.columns]
    return store.add(content, file, brought.table, recipe.make_recipe(found, brought.table.format, **settings), label)


@pytest.fixture
def wine():
    file, content = examples.make_file("wine")
    return add(content, file)


def make_text(n=120, seed=0):
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(random.normal(size=(n, 4)), columns=list("abcd"))
    frame["sort"] = random.choice(["u", "v", ""], n)
    frame["when"] = (pd.Timestamp("2020-01-01") + pd.to_timedelta(random.integers(0, 900, n), "D")).strftime("%d.%m.%Y")
    frame["label"] = random.choice(["p", "q"], n)
    frame["part"] = np.where(np.arange(n) % 4 == 3, "test", "train")
    return frame


def to_csv(frame):
    return frame.to_csv(index=False).encode()


def test_own_data_set_is_listed_and_loaded(wine):
    entry, dataset = datasets.entry(wine), datasets.load(wine)
    assert catalogue.NAME.fullmatch(wine)
    assert entry.is_own
    assert entry.label == "wine"
    assert wine in datasets.names("tables")
    assert datasets.list_for_pages()[0] == wine
    assert entry.rows == (len(dataset.y_train), len(dataset.y_test)) == (142, 36)
    assert entry.blocks == dataset.blocks == (1,) * 13
    assert dataset.target_names == ("class_0", "class_1", "class_2")
    assert not datasets.is_known("own-000000000000")
    with pytest.raises(BadInput, match="not on this machine"):
        datasets.entry("own-000000000000")


def test_each_example_can_be_added():
    for name in examples.LABELS:
        file, content = examples.make_file(name)
        dataset = datasets.load(add(content, file))
        assert dataset.n_features > 9
        assert dataset.has_labels == (name != "diabetes")


def test_each_loading_gives_the_same_rows_also_elsewhere():
    name = add(to_csv(make_text()), seed=3)
    first = datasets.load(name).checksum
    code = f"from core import datasets; print(datasets.load({name!r}).checksum)"
    there = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert datasets.load(name).checksum == first == there.stdout.strip()


def test_name_is_of_content_and_recipe(wine):
    content = to_csv(make_text())
    names = [add(content), add(content, label="other"), add(content, seed=1), add(content + b"1,2,3,4,u,,p,train\n")]
    assert names[0] == names[1]
    assert len(set(names)) == 3
    assert datasets.entry(names[0]).label == "other"


def test_changed_file_is_refused_and_mended_by_adding_it_again(wine):
    file, content = examples.make_file("wine")
    for part, change in (
        (catalogue.DATA, b"1,2\n"),
        (catalogue.RECIPE, b"{}"),
        (catalogue.RECIPE, "other"),
        (catalogue.DATA, None),
    ):
        path = catalogue.folder() / wine / part
        if change == "other":
            change = path.read_bytes().replace(b'"standard"', b'"robust"')
        path.unlink() if change is None else path.write_bytes(change)
        with pytest.raises(DataUnavailable, match=r"is damaged .*: add its file again"):
            datasets.load(wine)
        assert add(content, file) == wine
        assert datasets.load(wine).n_features == 13


@pytest.mark.parametrize(
    "damage", ['{"kind": "tables"}', "[1]", '{"rows": [1e9', '{"owners": []}', '{"blocks": []}', '{"n_marks": 13}']
)
def test_damaged_description_is_as_if_the_data_were_not_here_and_is_mended(wine, damage):
    path = catalogue.folder() / wine / catalogue.ABOUT
    about, given = json.loads(path.read_text()), json.loads(damage) if damage.endswith("}") else None
    whole = json.dumps(about | given) if given and "kind" not in given else damage
    path.write_text(whole)
    os.utime(path, ns=(0, len(damage)))
    assert catalogue.list_names() == []
    assert not datasets.is_known(wine)
    for change in (lambda: store.rename(wine, "new"), lambda: store.share(wine, True), lambda: store.pack(wine)):
        with pytest.raises(HourglassError, match=r"not here any more|not on this machine"):
            change()
    assert path.read_text() == whole
    file, content = examples.make_file("wine")
    assert add(content, file) == wine
    assert datasets.load(wine).blocks == (1,) * 13


def test_two_people_who_add_one_file_at_the_same_time_both_have_it():
    file, content = examples.make_file("wine")
    brought = store.read_file(content, file)
    made = recipe.make_recipe(brought.columns, brought.table.format)
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(store.add, content, file, brought.table, made, owner=person) for person in "abcdef"]
        (name,) = {each.result() for each in asked}
    assert catalogue.read_about(name)["owners"] == dict.fromkeys("abcdef", "wine")


def test_unwritable_folder_gives_a_sentence_and_leaves_nothing(wine, monkeypatch):
    content = to_csv(make_text())
    for what, error in ((Path, "write_bytes"), (os, "rename")):
        with monkeypatch.context() as patch:
            patch.setattr(what, error, lambda *args, **kwargs: (_ for _ in ()).throw(OSError(28, os.strerror(28))))
            with pytest.raises(HourglassError, match="No space left"):
                add(content)
        assert {place.name for place in catalogue.folder().iterdir()} <= {wine, ".lock"}
    monkeypatch.setenv("HOURGLASS_QUOTA_GB", "0.000001")
    with pytest.raises(HourglassError, match="no room"):
        add(content)
    monkeypatch.setenv("HOURGLASS_RUNS", str(catalogue.folder() / wine / catalogue.DATA))
    with pytest.raises(HourglassError, match="could not be stored"):
        add(content)


def test_packed_data_set_is_the_same_elsewhere(tmp_path, monkeypatch):
    name = add(to_csv(make_text()), "my table.csv", "My table", scale="robust")
    packed, checksum = store.pack(name), datasets.load(name).checksum
    assert store.is_packed(packed)
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    assert store.unpack(packed) == name
    assert datasets.entry(name).label == "My table"
    assert datasets.load(name).checksum == checksum


def repack(packed, **changes):
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(out, "w") as new:
        for info in old.infolist():
            content = changes.get(info.filename.split(".")[0], old.read(info))
            if content is not None:
                new.writestr(info.filename, content)
    return out.getvalue()


def test_hostile_packed_data_sets_are_refused(wine):
    packed = store.pack(wine)
    store.remove(wine)
    assert not datasets.is_known(wine)
    about = {"label": "x", "file": "wine.csv"}
    hostile = [
        repack(packed, about=None),
        repack(packed, about=b"[" * 100_000),
        repack(packed, about=json.dumps(about | {"label": "\x00"})),
        repack(packed, about=json.dumps({"file": "x"})),
        repack(packed, data=b""),
        repack(packed, data=b"\x00" * 1000),
        repack(packed, data=packed),
        repack(packed, recipe=b"null"),
        repack(packed, recipe=b'{"columns": []}'),
        packed[:-100],
        packed[: len(packed) // 2],
        packed.replace(b"class_1", b"class_9"),
    ]
    for content in hostile[:-1]:
        with pytest.raises(BadInput):
            store.unpack(content)
    assert not datasets.names("tables")
    # A path as the file's name is a name only.
    name = store.unpack(repack(packed, about=json.dumps(about | {"file": "../../evil/wine.csv"})))
    assert store.read_about(name)["file"] == "wine.csv"
    left = {place.name for place in config.runs_folder().rglob("*") if place.is_file()}
    assert left <= {".lock", "about.json", "data", "recipe.json"}


def test_label_of_a_data_set_is_one_short_line(wine):
    for label in ("", " ", "x" * 61, "a\x07"):
        with pytest.raises(BadInput, match="1 to 60 printable characters"):
            store.check_label(label)
    assert store.check_label(" a\n b ") == "a b"
    assert datasets.entry(add(to_csv(make_text()), "n" * 90 + ".csv")).label == "n" * 60


def test_table_that_no_method_can_be_fitted_to_is_refused():
    few = make_text()[["a", "label"]]
    for frame, match in ((few, "rows have one feature"), (make_text(8), "at least 6 are needed")):
        with pytest.raises(BadInput, match=match):
            add(to_csv(frame))
    assert not datasets.names("tables")


def test_permuted_labels_change_no_code():
    frame = make_text(200)
    permuted = frame.assign(label=np.random.default_rng(1).permutation(frame["label"]))
    codes = []
    for rows in (frame, permuted):
        dataset = datasets.load(add(to_csv(rows), roles={"part": "split", "label": "label"}))
        form, X = dataset.form, dataset.floats("train")
        small = {"n_components": 2, "width": 8, "layers": 1, "epochs": 2, "batch_size": 64}
        spec = specs.make(dataset.name, "ae", small)
        fitted = [
            ae.METHOD.estimator(dict(spec.params), form, 0).fit(X, dataset.y_train, known=dataset.known_train),
            pca.METHOD.estimator({"n_components": 2}, form, 0).fit(X),
        ]
        codes.append([estimator.transform(dataset.floats("test")) for estimator in fitted])
    for before, after in zip(*codes, strict=True):
        np.testing.assert_array_equal(before, after)


def test_content_is_stored_as_it_was_brought(wine):
    _, content = examples.make_file("wine")
    assert (catalogue.folder() / wine / catalogue.DATA).read_bytes() == content
    assert store.read_about(wine)["sha256"] == hashlib.sha256(content).hexdigest()
