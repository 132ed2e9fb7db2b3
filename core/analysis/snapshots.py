"""Snapshots of a training: map, reconstructions and samples of the same rows."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from core import files
from core.analysis.codes import encode, predict_words, select_strip, to_pixels
from core.analysis.projection import project_to_plane
from core.datasets import embedded_samples
from core.errors import BrokenRun
from core.types import DOCUMENTS, IMAGES, TABLES, UNLABELLED, Dataset, as_floats

FILE = "replay.safetensors"
MOST_EPOCHS = 40
MOST_BYTES = 2_000_000
# Pictures may take this share of the training time; within a long epoch they come at most this often.
_SHARE = 0.05
_SECONDS_WITHIN = 5.0
_STRIP, _SAMPLES = 10, 16
# Codes beyond are those of a training that diverges; float16 holds little more.
_HUGE = 6e4
_TRAIN_ROWS = 1000
_PICTURES = ("map", "reconstructions", "samples")


@dataclass(frozen=True)
class Snapshot:
    """One moment of a training; see `Replay` for the arrays, here without their first axis."""

    epoch: float
    seconds: float
    map: np.ndarray | None = None
    reconstructions: np.ndarray | None = None
    samples: np.ndarray | None = None
    documents: list[dict[str, Any]] | None = None

    def has_shape_of(self, other: Snapshot) -> bool:
        parts = (*_PICTURES, "documents")
        return all(np.shape(getattr(self, part)) == np.shape(getattr(other, part)) for part in parts)


@dataclass(frozen=True)
class Replay:
    """The k snapshots of a training.

    Attributes
    ----------
    epochs, seconds : (k,) floats, ascending, when each was taken; epochs may be fractions.
    map : (k, n, 2) float, codes of the same n test rows in the plane; or None.
    reconstructions : (k, m, pixels) uint8, of the same m test images; or None.
    samples : (k, s, pixels) uint8, from the same s codes; or None.
    originals : (m, pixels) uint8, or None where the data may not be passed on.
    labels, rows : (n,) int, class and number of the map's test rows; labels None for data without classes.
    about : ``map``, ``samples``: how they came about; ``target_names``; ``image_shape``; ``data_checksum``;
        ``documents``: k lists of documents with the words they hold and those expected.
    """

    epochs: np.ndarray
    seconds: np.ndarray
    map: np.ndarray | None
    reconstructions: np.ndarray | None
    samples: np.ndarray | None
    originals: np.ndarray | None
    labels: np.ndarray | None
    rows: np.ndarray
    about: dict[str, Any]

    def __len__(self) -> int:
        return len(self.epochs)


def parse(arrays: Mapping[str, np.ndarray]) -> Replay | None:
    """Parse the arrays of `Recorder.arrays`; None if empty, BrokenRun if they are wrong."""
    if "epochs" not in arrays:
        return None
    try:
        about = json.loads(bytes(arrays["about"]))
        optional = map(arrays.get, (*_PICTURES, "originals", "labels"))
        replay = Replay(arrays["epochs"], arrays["seconds"], *optional, arrays["rows"], about)
        is_whole = _is_whole(replay)
    except (KeyError, ValueError, TypeError, IndexError, AttributeError, RecursionError):
        is_whole = False
    if not is_whole:
        raise BrokenRun("The pictures of this training are not what was recorded: train the run again to have them.")
    return replay


def _is_whole(replay: Replay) -> bool:
    k, n = len(replay.epochs), len(replay.rows)
    names = replay.about.get("target_names", [])
    return (
        0 < k <= MOST_EPOCHS
        and all(_are_finite(a, (k,)) for a in (replay.epochs, replay.seconds))
        and bool((np.diff(replay.epochs) > 0).all())
        and (replay.map is None or _are_finite(replay.map, (k, n, 2)))
        and _are_whole(replay.rows, n, 0, np.inf)
        and all(isinstance(name, str) for name in names)
        and (replay.labels is None or _are_whole(replay.labels, n, UNLABELLED, len(names)))
        and _are_images(replay, k)
        and all(isinstance(replay.about.get(name, ""), str) for name in ("map", "samples"))
        and _are_documents(replay.about.get("documents", [[]] * k), k)
    )


def _are_images(replay: Replay, k: int) -> bool:
    shape = replay.about.get("image_shape")
    size = shape[0] * shape[1] if shape else -1
    m = replay.reconstructions.shape[1] if replay.reconstructions is not None else 0
    s = replay.samples.shape[1] if replay.samples is not None else 0
    given = ((replay.reconstructions, (k, m, size)), (replay.samples, (k, s, size)), (replay.originals, (m, size)))
    return all(a is None or (a.shape == expected and a.dtype == np.uint8) for a, expected in given)


def _are_finite(a: np.ndarray, shape: tuple[int, ...]) -> bool:
    return a.shape == shape and a.dtype.kind == "f" and bool(np.isfinite(a).all())


def _are_whole(a: np.ndarray, n: int, lowest: float, end: float) -> bool:
    return a.shape == (n,) and a.dtype.kind in "iu" and bool(((a >= lowest) & (a < end)).all())


def _are_documents(pictures: list[list[dict[str, Any]]], k: int) -> bool:
    return len(pictures) == k and all(
        isinstance(document["title"], str)
        and isinstance(document["class"], str)
        and all(isinstance(word, str) and count > 0 for word, count in document["has"])
        and all(isinstance(word, str) and share >= 0 and held in (0, 1) for word, share, held in document["expects"])
        for picture in pictures
        for document in picture
    )


def read(folder: Path) -> Replay | None:
    """Read the snapshots of the training in `folder` so far; None if there are none yet."""
    try:
        return parse(load_file(folder / FILE))
    # Of an array of a type that numpy lacks, safetensors raises what it happens upon.
    except (OSError, SafetensorError, BrokenRun, KeyError, TypeError, ValueError):
        return None


class Recorder:
    """Takes the snapshots of one training, and keeps them in a file of a folder."""

    def __init__(self, dataset: Dataset, folder: Path | None = None):
        self.dataset, self.folder = dataset, folder
        self.shown = embedded_samples.sample_rows(dataset)
        self.taken: list[Snapshot] = []
        self.about: dict[str, Any] = {
            "target_names": list(dataset.target_names) if dataset.has_labels else [],
            "data_checksum": dataset.checksum,
        }
        self.took, self.at, self.is_warm = 0.0, time.monotonic(), False
        self.X_shown = as_floats(dataset.X_test[self.shown], dataset.kind)
        n_train = dataset.X_train.shape[0]
        some = np.linspace(0, n_train - 1, min(n_train, _TRAIN_ROWS)).astype(int)
        self.X_train = as_floats(dataset.X_train[some], dataset.kind)
        self.strip = select_strip(dataset, self.shown)
        if dataset.kind == IMAGES:
            self.about["image_shape"] = list(dataset.image_shape)
        self._resume()

    def tick(self, row: Mapping[str, Any], estimator: Any) -> None:
        """Take a snapshot within an epoch: at the start, and several in a long epoch."""
        if not self.taken or time.monotonic() - self.at > max(_SECONDS_WITHIN, self.took / _SHARE):
            self.take(row, estimator)

    def epoch(self, row: Mapping[str, Any], estimator: Any) -> None:
        """Take a snapshot after an epoch, unless they take too much of the time."""
        if self.took <= _SHARE * (time.monotonic() - self.at):
            self.take(row, estimator)

    def take(self, row: Mapping[str, Any], estimator: Any) -> None:
        """Take a snapshot of the training at `row` of its history."""
        started, pictures = time.monotonic(), None
        # Codes that collapse or run away have no principal components and no Gaussian. That ends no training.
        with suppress(ValueError, ArithmeticError), np.errstate(all="ignore"):
            pictures = self._take_pictures(estimator)
        if pictures is None:
            return
        taken = Snapshot(float(row["epoch"]), float(row["seconds"]), **pictures)
        # A resumed training comes by again where pictures were taken after its last checkpoint; and those that are
        # not like the others are of another version of this program.
        self.taken = [s for s in self.taken if s.epoch < taken.epoch and s.has_shape_of(taken)]
        self.taken.append(taken)
        if len(self.taken) > MOST_EPOCHS:
            # The inner one with the smallest gap between its neighbours.
            epochs = np.array([snapshot.epoch for snapshot in self.taken])
            del self.taken[1 + int(np.argmin(epochs[2:] - epochs[:-2]))]
        self._store()
        self.at = time.monotonic()
        # The first brings libraries along, which says nothing of the others.
        self.took, self.is_warm = self.at - started if self.is_warm else 0.0, True

    def arrays(self) -> dict[str, np.ndarray]:
        """All snapshots as arrays, for the store and for `parse`; at most `MOST_BYTES`."""
        if not self.taken:
            return {}
        names, about = [name for name in _PICTURES if getattr(self.taken[0], name) is not None], dict(self.about)
        stacked = {name: np.stack([getattr(snapshot, name) for snapshot in self.taken]) for name in names}
        stacked["epochs"] = np.array([snapshot.epoch for snapshot in self.taken])
        stacked["seconds"] = np.array([snapshot.seconds for snapshot in self.taken])
        stacked["rows"] = self.shown.astype(np.int32)
        if self.taken[0].documents is not None:
            about["documents"] = [snapshot.documents for snapshot in self.taken]
        if self.dataset.has_labels:
            stacked["labels"] = self.dataset.y_test[self.shown].astype(np.int16)
        if "reconstructions" in stacked and self.dataset.redistributable:
            stacked["originals"] = self.dataset.X_test[self.strip[: stacked["reconstructions"].shape[1]]]
        stacked["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
        return stacked

    def _take_pictures(self, estimator: Any) -> dict[str, Any] | None:
        """None if the codes are huge, since the training is about to diverge."""
        (Z_train, _), (Z, are) = (encode(estimator, X) for X in (self.X_train, self.X_shown))
        pictures: dict[str, Any] = {}
        if Z is not None:
            if not (_are_small(Z) and _are_small(Z_train)):
                return None
            points, self.about["map"] = project_to_plane(Z, Z_train, are)
            points = self._followed(points, Z.shape[1])
            if not _are_small(points):
                return None
            pictures["map"] = points.astype(np.float16)
        if self.dataset.kind == TABLES:
            return pictures
        if self.dataset.kind == DOCUMENTS:
            codes = np.zeros((len(self.dataset.y_test), Z.shape[1]), np.float32)
            codes[self.shown] = Z
            return {**pictures, "documents": predict_words(estimator, self.dataset, self.shown, codes)}
        from core.analysis.samplers import describe_sampler, fit_default_sampler

        strip, samples = self._count_images(hasattr(estimator, "transform"))
        if strip:
            where = np.searchsorted(self.shown, self.strip[:strip])
            pictures["reconstructions"] = to_pixels(estimator.inverse_transform(Z[where]))
        sampler = fit_default_sampler(estimator, Z_train)
        self.about["samples"] = describe_sampler(estimator, sampler.kind)
        pictures["samples"] = to_pixels(estimator.inverse_transform(sampler.sample(samples, 0)))
        return pictures

    def _count_images(self, has_reconstructions: bool) -> tuple[int, int]:
        """How many reconstructions and samples fit into a snapshot."""
        room = MOST_BYTES / MOST_EPOCHS * 0.95 - 4 * len(self.shown)
        images = int(room // self.dataset.n_features)
        strip = min(_STRIP, max(1, images * _STRIP // (_STRIP + _SAMPLES))) if has_reconstructions else 0
        return strip, min(_SAMPLES, max(1, images - strip))

    def _followed(self, points: np.ndarray, size: int) -> np.ndarray:
        """Rotate and reflect a projection towards the snapshot before, since its axes are arbitrary."""
        if size <= 2 or not self.taken:
            return points
        from scipy.linalg import orthogonal_procrustes

        # About the origin, which stays: it is the mean of the train rows.
        turn, _ = orthogonal_procrustes(points, self.taken[-1].map.astype(np.float64))
        return points @ turn

    def _store(self) -> None:
        if self.folder is None:
            return
        # A disk too full for pictures is no reason to end a training: its checkpoint will say so.
        with suppress(OSError, SafetensorError):
            self.folder.mkdir(parents=True, exist_ok=True)
            with files.replace_file(self.folder / FILE) as aside:
                save_file(self.arrays(), aside)

    def _resume(self) -> None:
        before = read(self.folder) if self.folder else None
        if before is None or not np.array_equal(before.rows, self.shown):
            return
        if before.about.get("data_checksum") != self.dataset.checksum:
            return
        columns = {name: getattr(before, name) for name in _PICTURES}
        columns["documents"] = before.about.pop("documents", None)
        self.about = before.about | self.about
        for k, (epoch, seconds) in enumerate(zip(before.epochs, before.seconds, strict=True)):
            parts = {name: column[k] for name, column in columns.items() if column is not None}
            self.taken.append(Snapshot(float(epoch), float(seconds), **parts))


def _are_small(a: np.ndarray) -> bool:
    return bool(np.abs(a).max() < _HUGE)
