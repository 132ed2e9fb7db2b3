"""Frey faces: 1,965 frames of one video, in order, without labels.

Neighbouring frames are near-copies, so the split is by blocks of frames, with a gap beside each test block.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core import datasets
from core.datasets import Progress, download, file_formats, matlab_files
from core.types import IMAGES, UNLABELLED, Dataset

SHAPES = {"x": (28, 20)}
# Of the published frames, (1965, 28, 20) uint8; no checksum of the .mat file is published.
FRAMES_SHA256 = "2438ba4f0d2a6bd8bac43de756141eaa33c8d248dd613d464bdb1210d9b7af78"
BLOCK = 65
TEST_EVERY = 5
GAP = 5


def parse(paths: Sequence[Path]) -> dict[str, np.ndarray]:
    """Frames in order, the columns of the published matrix ``ff``; ValueError for other frames."""
    x = np.ascontiguousarray(matlab_files.read_images(paths[0], "ff", SHAPES["x"]).astype(np.uint8))
    if hashlib.sha256(x.tobytes()).hexdigest() != FRAMES_SHA256:
        raise ValueError("its pixels are not the published ones")
    return {"x": x}


def split_frames(n_frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Train and test frames, (n,) int64: every fifth block of 65 is test, and five frames beside it are unused."""
    frames = np.arange(n_frames)
    is_test = (frames // BLOCK) % TEST_EVERY == TEST_EVERY - 1
    test = frames[is_test]
    near = (test[:, None] + np.arange(-GAP, GAP + 1)).ravel()
    return np.setdiff1d(frames, near), test


def load(name: str, *, progress: Progress | None = None) -> Dataset:
    arrays, _, notes = file_formats.read_images(download.get_stored_file(name, parse, progress), SHAPES)
    X = arrays["x"].reshape(-1, 28 * 20)
    train, test = split_frames(len(X))
    y = np.full(len(X), UNLABELLED, np.int64)
    return Dataset(
        *(name, IMAGES, X[train], y[train], X[test], y[test], ()),
        image_shape=(28, 20),
        redistributable=False,
        notes=notes,
        licence=datasets.entry(name).licence,
        citation="S. Roweis, L. Saul: Nonlinear dimensionality reduction by locally linear embedding. Science 290, "
        "2000.",
    )
