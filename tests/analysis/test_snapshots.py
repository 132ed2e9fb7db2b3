import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from scipy import sparse

from core import datasets, methods
from core.analysis import snapshots
from core.analysis.snapshots import Recorder
from core.errors import BrokenRun
from core.experiments import fit
from core.experiments.scores import Scores
from core.runs import layout, reader, specs, store
from core.types import DOCUMENTS, IMAGES, Dataset
from tests.trainings import short

SHAPES = {(entry.image_shape, entry.has_labels): entry for entry in map(datasets.entry, datasets.names(IMAGES))}


def images(shape, has_labels=True, n=2400):
    random = np.random.default_rng(0)
    y = random.integers(10, size=n) if has_labels else np.full(n, -1)
    X = random.integers(256, size=(n, shape[0] * shape[1])).astype(np.uint8)
    names = tuple("0123456789") if has_labels else ()
    return Dataset("noise", IMAGES, X[:400], y[:400], X[400:], y[400:], names, "", "", image_shape=shape)


def documents(n=2400, words=300):
    random = np.random.default_rng(0)
    X = sparse.csr_array(random.poisson(0.5, size=(n, words)))
    titles = tuple(f"The title of document {k} of very many" for k in range(n))
    vocabulary = tuple(f"word{k}" for k in range(words))
    y = random.integers(3, size=n)
    given = {"vocabulary": vocabulary, "titles_train": titles[:400], "titles_test": titles[400:]}
    return Dataset("texts", DOCUMENTS, X[:400], y[:400], X[400:], y[400:], ("a", "b", "c"), "", "", **given)


class Linear:
    """An estimator that learns nothing: a fixed projection, and back."""

    def __init__(self, n_features, size=3):
        self.into = np.random.default_rng(1).normal(size=(n_features, size)).astype(np.float32)

    def transform(self, X):
        return np.asarray(X @ self.into) / 100

    def inverse_transform(self, Z):
        return np.abs(Z @ self.into.T)


def take(recorder, estimator, epochs):
    for epoch in epochs:
        recorder.take({"epoch": epoch, "seconds": 2.0 * epoch}, estimator)


@pytest.mark.parametrize("entry", SHAPES.values(), ids=lambda entry: entry.name)
def test_pictures_of_images_stay_below_their_limits(entry, tmp_path):
    dataset = images(entry.image_shape, entry.has_labels)
    recorder = Recorder(dataset, tmp_path)
    take(recorder, Linear(dataset.n_features), range(snapshots.MOST_EPOCHS + 3))
    assert (tmp_path / snapshots.FILE).stat().st_size <= snapshots.MOST_BYTES
    found = snapshots.read(tmp_path)
    assert len(found) == snapshots.MOST_EPOCHS
    assert found.reconstructions.shape[1] >= 3
    assert found.samples.shape[1] >= 4
    assert (found.labels is not None) == entry.has_labels


def test_pictures_of_documents_stay_below_their_limits(tmp_path):
    dataset = documents()
    take(Recorder(dataset, tmp_path), Linear(dataset.n_features), range(snapshots.MOST_EPOCHS + 3))
    assert (tmp_path / snapshots.FILE).stat().st_size <= snapshots.MOST_BYTES
    found = snapshots.read(tmp_path)
    assert len(found) == len(found.about["documents"]) == snapshots.MOST_EPOCHS
    assert {len(picture) for picture in found.about["documents"]} == {3}
    assert found.reconstructions is found.samples is None


@pytest.mark.parametrize("n", [41, 100, 1000])
def test_first_and_last_are_kept_and_the_others_spread_evenly(n):
    dataset = images((4, 4), n=500)
    recorder = Recorder(dataset)
    recorder._pictures = lambda estimator: {"map": np.zeros((100, 2), np.float16)}
    take(recorder, None, range(n))
    epochs = snapshots.parse(recorder.arrays()).epochs
    assert len(epochs) == snapshots.MOST_EPOCHS
    assert epochs[0] == 0
    assert epochs[-1] == n - 1
    # No better can be done by leaving out as they come: gaps differ by a factor of about two.
    gaps = np.diff(epochs)
    assert gaps.max() <= 4 * np.median(gaps)
    assert gaps.max() <= 4 * (n - 1) / (snapshots.MOST_EPOCHS - 1)


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def recorded(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    spec = short(epochs=6, n_components=3)
    recorder = Recorder(digits, folder)
    run, arrays = fit.fit(spec, digits, recorder=recorder)
    return run, arrays, recorder, folder


def test_the_pictures_are_of_the_rows_of_compare_and_end_as_it_shows_them(recorded, digits):
    run, _, recorder, folder = recorded
    found = snapshots.read(folder)
    assert np.array_equal(found.rows, run.views["shown_rows"])
    assert np.array_equal(found.labels, run.views["labels"])
    assert found.epochs[0] == 0
    assert found.epochs[-1] == 6
    m = found.reconstructions.shape[1]
    assert np.array_equal(found.originals, run.views["originals"][:m])
    # The run's are of weights rounded to float16.
    assert np.abs(found.reconstructions[-1].astype(int) - run.views["reconstructions"][:m]).max() <= 2
    assert found.about["target_names"] == list(digits.target_names)
    assert found.about["image_shape"] == [8, 8]
    again = snapshots.parse(recorder.arrays())
    assert np.array_equal(again.map, found.map)


TRAINED = [(kind, m) for kind in (IMAGES, DOCUMENTS) for m in methods.names(kind) if m not in ("pca", "lsa", "tsne")]


@pytest.mark.parametrize(("kind", "method"), TRAINED)
def test_pictures_change_no_training(kind, method, digits, monkeypatch):
    monkeypatch.setattr("core.nn.training.TICK_SECONDS", 0.0)
    monkeypatch.setattr(snapshots, "_SECONDS_WITHIN", 0.0)
    monkeypatch.setattr(snapshots, "_SHARE", 1e9)
    monkeypatch.setattr(fit, "evaluate", lambda *a, **k: Scores())
    dataset = replace(digits, X_train=digits.X_train[:200], y_train=digits.y_train[:200])
    if kind == DOCUMENTS:
        dataset = documents(n=600, words=60)
    declared = {p.name for p in methods.get(method).params}
    small = {"epochs": 3, "batch_size": 50, "width": 32, "layers": 1, "n_components": 3}
    name = "digits" if kind == IMAGES else "docstrings"
    spec = specs.make(name, method, {name: value for name, value in small.items() if name in declared})
    recorder = Recorder(dataset)
    _, watched = fit.fit(spec, dataset, recorder=recorder)
    _, alone = fit.fit(spec, dataset)
    assert len(recorder.taken) > 9
    assert all(np.array_equal(watched[name], alone[name]) for name in alone)


class Turned(Linear):
    """Codes that are turned and mirrored, more and more."""

    def __init__(self, n_features):
        super().__init__(n_features)
        self.turn = np.eye(3)

    def transform(self, X):
        return super().transform(X) @ self.turn


def test_projections_follow_each_other(digits):
    """A code that is only turned or mirrored in its space is the same picture."""
    recorder, estimator = Recorder(digits), Turned(64)
    random = np.random.default_rng(0)
    for epoch in range(5):
        take(recorder, estimator, [epoch])
        estimator.turn = np.linalg.qr(random.normal(size=(3, 3)))[0].astype(np.float32)
    pictures = snapshots.parse(recorder.arrays()).map.astype(float)
    spread = pictures[0].std()
    assert np.abs(pictures - pictures[0]).max() < 0.02 * spread


def test_a_resumed_recorder_goes_on_where_it_was_and_has_no_epoch_twice(digits, tmp_path):
    estimator = Linear(64)
    take(Recorder(digits, tmp_path), estimator, [0, 0.3333, 1, 2, 3])
    recorder = Recorder(digits, tmp_path)
    assert [picture["epochs"] for picture in recorder.taken] == [0, 0.3333, 1, 2, 3]
    take(recorder, estimator, [0.3333, 2.5, 3])
    assert snapshots.read(tmp_path).epochs.tolist() == [0, 0.3333, 2.5, 3]
    assert snapshots.read(tmp_path).seconds.tolist() == [0, 0.6666, 5, 6]


def test_pictures_of_another_copy_of_the_data_are_not_gone_on_with(digits, tmp_path):
    take(Recorder(digits, tmp_path), Linear(64), [0, 1])
    assert len(Recorder(digits, tmp_path).taken) == 2
    assert Recorder(replace(digits, X_train=digits.X_train[::-1]), tmp_path).taken == []


def test_pictures_of_other_rows_or_counts_are_not_gone_on_with(digits, tmp_path, monkeypatch):
    estimator = Linear(64)
    take(Recorder(replace(digits, X_test=digits.X_test[:300], y_test=digits.y_test[:300]), tmp_path), estimator, [0, 1])
    assert Recorder(digits, tmp_path).taken == []
    monkeypatch.setattr(snapshots, "_STRIP", 4)
    take(Recorder(digits, tmp_path), estimator, [0, 1])
    monkeypatch.undo()
    recorder = Recorder(digits, tmp_path)
    assert len(recorder.taken) == 2
    take(recorder, estimator, [2])
    assert snapshots.read(tmp_path).epochs.tolist() == [2]


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e7, 1e30])
def test_codes_that_run_away_or_collapse_are_not_pictured_and_end_nothing(digits, value):
    class Away(Linear):
        def transform(self, X):
            return super().transform(X) * np.float32(value)

    class Collapsed(Linear):
        def transform(self, X):
            return np.zeros((X.shape[0], 3), np.float32)

    recorder = Recorder(digits)
    for epoch, estimator in enumerate((Linear(64), Away(64), Collapsed(64), Linear(64))):
        take(recorder, estimator, [epoch])
    assert {0, 3} <= set(snapshots.parse(recorder.arrays()).epochs) <= {0, 2, 3}


def test_pictures_take_a_bounded_share_of_the_time(digits, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(snapshots.time, "monotonic", lambda: clock[0])
    recorder = Recorder(digits)

    def pictures(estimator):
        clock[0] += 1.0
        return {"map": np.zeros((len(recorder.shown), 2), np.float16)}

    recorder._pictures = pictures
    for epoch in range(1, 1001):
        clock[0] += 0.1
        recorder.epoch({"epoch": epoch, "seconds": clock[0]}, None)
    assert len(recorder.taken) > 3
    assert len(recorder.taken) <= 2 + 0.06 * clock[0]


def test_a_full_disk_loses_pictures_and_no_training(digits, tmp_path, monkeypatch):
    def full(arrays, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    take(Recorder(digits, tmp_path), Linear(64), [0])
    monkeypatch.setattr(snapshots, "save_file", full)
    take(Recorder(digits, tmp_path), Linear(64), [1])
    assert snapshots.read(tmp_path).epochs.tolist() == [0]
    assert [path.name for path in tmp_path.iterdir()] == [snapshots.FILE]


def test_pictures_are_stored_in_the_run_and_read_back(recorded, digits):
    run, arrays, recorder, folder = recorded
    place = store.write_run(run, arrays, replay=recorder.arrays())
    found, expected = snapshots.parse(reader.read_replay(place)), snapshots.read(folder)
    assert np.array_equal(found.samples, expected.samples)
    assert np.array_equal(found.epochs, expected.epochs)
    assert found.about == expected.about
    assert (place / layout.REPLAY).stat().st_size <= snapshots.MOST_BYTES


def test_without_pictures_there_is_no_replay(digits, tmp_path):
    assert Recorder(digits).arrays() == {}
    assert snapshots.parse({}) is None
    assert snapshots.read(tmp_path) is None


def about(**changes):
    def change(arrays):
        written = json.loads(bytes(arrays["about"])) | changes
        return {**arrays, "about": np.frombuffer(json.dumps(written).encode(), np.uint8)}

    return change


def put(**changes):
    return lambda arrays: {**arrays, **changes}


def cut(name, n=-1):
    return lambda arrays: {**arrays, name: arrays[name][:n]}


@pytest.mark.parametrize(
    "damage",
    [
        put(epochs=np.zeros(0)),
        put(epochs=np.arange(100.0)),
        put(epochs=np.array(["a", "b"])),
        cut("epochs"),
        cut("seconds"),
        cut("rows"),
        cut("labels"),
        cut("map"),
        cut("samples"),
        cut("originals"),
        cut("about", 20),
        lambda arrays: {name: value for name, value in arrays.items() if name != "about"},
        lambda arrays: {name: value for name, value in arrays.items() if name != "rows"},
        lambda arrays: {**arrays, "epochs": arrays["epochs"][::-1]},
        lambda arrays: {**arrays, "epochs": arrays["epochs"] * np.nan},
        lambda arrays: {**arrays, "seconds": arrays["seconds"] + np.inf},
        lambda arrays: {**arrays, "map": arrays["map"] * np.float16(np.nan)},
        lambda arrays: {**arrays, "map": arrays["map"].astype(np.uint8)},
        lambda arrays: {**arrays, "samples": arrays["samples"].astype(np.float32)},
        lambda arrays: {**arrays, "labels": arrays["labels"] + 100},
        lambda arrays: {**arrays, "rows": -arrays["rows"] - 1},
        lambda arrays: {**arrays, "rows": arrays["rows"].astype(float)},
        put(about=np.frombuffer(b"[1, 2]", np.uint8)),
        put(about=np.frombuffer(b"[" * 100_000, np.uint8)),
        put(about=np.frombuffer(b"\xff\xff", np.uint8)),
        about(image_shape=[8]),
        about(image_shape=[7, 7]),
        about(image_shape=None),
        about(image_shape="88"),
        about(target_names=[1, 2]),
        about(target_names=None),
        about(map=1),
        about(samples=["x"]),
        about(documents=[]),
        about(documents=7),
        about(documents=[[{"title": 1}]] * 7),
    ],
)
def test_nonsense_is_refused(recorded, damage, tmp_path):
    arrays = load_file(recorded[3] / snapshots.FILE)
    damaged = damage(arrays)
    with pytest.raises(BrokenRun, match="train the run again"):
        snapshots.parse(damaged)
    if all(array.dtype.kind != "U" for array in damaged.values()):
        save_file({name: np.ascontiguousarray(array) for name, array in damaged.items()}, tmp_path / snapshots.FILE)
        assert snapshots.read(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\xff" * 100, b"\x08\0\0\0\0\0\0\0nonsense"])
def test_a_file_of_nonsense_is_none(tmp_path, content, digits):
    (tmp_path / snapshots.FILE).write_bytes(content)
    assert snapshots.read(tmp_path) is None
    assert Recorder(digits, tmp_path).taken == []


def test_arrays_of_a_type_that_numpy_lacks_are_none(tmp_path):
    import torch
    from safetensors.torch import save_file

    save_file({"epochs": torch.zeros(2, dtype=torch.bfloat16)}, tmp_path / snapshots.FILE)
    assert snapshots.read(tmp_path) is None
