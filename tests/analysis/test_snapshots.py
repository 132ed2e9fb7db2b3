"""Snapshots of trainings: their limits, their content, resume, and hostile files."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from core import methods
from core.analysis import snapshots
from core.analysis.snapshots import Recorder
from core.errors import BrokenRun
from core.experiments import fit
from core.experiments.scores import Scores
from core.runs import specs
from core.types import IMAGES, Dataset
from tests.trainings import short


class Linear:
    """An estimator that learns nothing: a fixed projection, and back."""

    def __init__(self, n_features):
        self.into = np.random.default_rng(1).normal(size=(n_features, 3)).astype(np.float32)

    def transform(self, X):
        return np.asarray(X @ self.into) / 100

    def inverse_transform(self, Z):
        return np.abs(Z @ self.into.T)


def take(recorder, estimator, epochs):
    for epoch in epochs:
        recorder.take({"epoch": epoch, "seconds": 2.0 * epoch}, estimator)


def test_pictures_of_large_images_stay_below_their_limits(tmp_path):
    X, y = np.random.default_rng(0).integers(256, size=(2400, 4096), dtype=np.uint8), np.full(2400, -1)
    rows = (X[:400], y[:400], X[400:], y[400:])
    recorder = Recorder(Dataset("noise", IMAGES, *rows, (), "", "", image_shape=(64, 64)), tmp_path)
    take(recorder, Linear(4096), range(snapshots.MOST_EPOCHS + 3))
    assert (tmp_path / snapshots.FILE).stat().st_size <= snapshots.MOST_BYTES
    found = snapshots.read(tmp_path)
    assert (len(found), found.labels) == (snapshots.MOST_EPOCHS, None)
    assert min(found.reconstructions.shape[1], found.samples.shape[1]) >= 3


@pytest.fixture(scope="module")
def recorded(digits, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    recorder = Recorder(digits, folder)
    run, _ = fit.fit(short(epochs=6, n_components=3), digits, recorder=recorder)
    return run, recorder, folder


def test_the_pictures_are_of_the_rows_of_compare_and_end_as_it_shows_them(recorded, digits):
    run, recorder, folder = recorded
    found = snapshots.read(folder)
    assert np.array_equal(found.rows, run.views["shown_rows"])
    assert np.array_equal(found.labels, run.views["labels"])
    assert (found.epochs[[0, -1]].tolist(), found.about["image_shape"]) == ([0, 6], [8, 8])
    m = found.reconstructions.shape[1]
    assert np.array_equal(found.originals, run.views["originals"][:m])
    # The run's are of weights rounded to float16.
    assert np.abs(found.reconstructions[-1].astype(int) - run.views["reconstructions"][:m]).max() <= 2
    assert np.array_equal(snapshots.parse(recorder.arrays()).map, found.map)


def test_pictures_change_no_training(digits, corpus, monkeypatch):
    monkeypatch.setattr("core.nn.training.TICK_SECONDS", 0.0)
    monkeypatch.setattr(snapshots, "_SECONDS_WITHIN", 0.0)
    monkeypatch.setattr(snapshots, "_SHARE", 1e9)
    monkeypatch.setattr(fit, "evaluate", lambda *a, **k: Scores())
    few = replace(digits, X_train=digits.X_train[:200], y_train=digits.y_train[:200])
    small = {"epochs": 3, "batch_size": 50, "width": 32, "layers": 1, "n_components": 3}
    for dataset, method in ((few, "ae"), (few, "vae"), (few, "gan"), (corpus, "vae")):
        declared = {p.name for p in methods.get(method).params}
        spec = specs.make(dataset.name, method, {name: value for name, value in small.items() if name in declared})
        recorder = Recorder(dataset)
        _, watched = fit.fit(spec, dataset, recorder=recorder)
        _, alone = fit.fit(spec, dataset)
        assert len(recorder.taken) > 9, method
        assert all(np.array_equal(watched[name], alone[name]) for name in alone), method


def test_a_resumed_recorder_goes_on_where_it_was_and_has_no_epoch_twice(digits, tmp_path):
    estimator = Linear(64)
    take(Recorder(digits, tmp_path), estimator, [0, 0.3333, 1, 2, 3])
    recorder = Recorder(digits, tmp_path)
    assert [snapshot.epoch for snapshot in recorder.taken] == [0, 0.3333, 1, 2, 3]
    take(recorder, estimator, [0.3333, 2.5, 3])
    found = snapshots.read(tmp_path)
    assert (found.epochs.tolist(), found.seconds.tolist()) == ([0, 0.3333, 2.5, 3], [0, 0.6666, 5, 6])


def test_snapshots_take_a_bounded_share_of_the_time(digits, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(snapshots.time, "monotonic", lambda: clock[0])

    class Slow(Linear):
        def inverse_transform(self, Z):
            clock[0] += 0.5  # twice a snapshot
            return super().inverse_transform(Z)

    recorder, estimator = Recorder(digits), Slow(64)
    for epoch in range(1, 1001):
        clock[0] += 0.1
        recorder.epoch({"epoch": epoch, "seconds": clock[0]}, estimator)
    assert 3 < len(recorder.taken) <= 2 + 0.06 * clock[0]


def test_a_full_disk_loses_pictures_and_no_training(digits, tmp_path, monkeypatch):
    def full(arrays, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    take(Recorder(digits, tmp_path), Linear(64), [0])
    monkeypatch.setattr(snapshots, "save_file", full)
    take(Recorder(digits, tmp_path), Linear(64), [1])
    assert snapshots.read(tmp_path).epochs.tolist() == [0]
    assert [path.name for path in tmp_path.iterdir()] == [snapshots.FILE]


def test_nonsense_is_refused(recorded, tmp_path, digits):
    arrays = load_file(recorded[2] / snapshots.FILE)
    change = lambda **about: np.frombuffer(json.dumps(json.loads(bytes(arrays["about"])) | about).encode(), np.uint8)
    damages = [
        *({name: arrays[name][:-1]} for name in ("epochs", "rows", "labels", "map", "samples")),
        {"about": np.frombuffer(b"[" * 100_000, np.uint8)},
        {"epochs": arrays["epochs"][::-1]},
        {"labels": arrays["labels"] + 100},
        {"about": change(image_shape=[8])},
        {"about": change(documents=[[{"title": 1}]] * 7)},
    ]
    for damage in damages:
        with pytest.raises(BrokenRun, match="train the run again"):
            snapshots.parse(arrays | damage)
    save_file(arrays | {"rows": -arrays["rows"] - 1}, tmp_path / snapshots.FILE)
    assert snapshots.read(tmp_path) is None
    for content in (b"", b"\xff" * 100, b"\x08\0\0\0\0\0\0\0nonsense"):
        (tmp_path / snapshots.FILE).write_bytes(content)
        assert snapshots.read(tmp_path) is None
        assert Recorder(digits, tmp_path).taken == []
