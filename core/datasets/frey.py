"""Frey faces: 1,965 frames of one video, in order, without labels.

Neighbouring frames are near-copies, so the split goes by blocks of consecutive frames, and train frames close to a test
block belong to neither split.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.datasets import download
from core.datasets.matlab import read_matrix
from core.types import IMAGES, UNLABELLED, Dataset

SHAPES = {"x": (None, 28, 20)}
# Of the published frames, (1965, 28, 20) uint8: no checksum of the .mat itself is published.
FRAMES_SHA256 = "2438ba4f0d2a6bd8bac43de756141eaa33c8d248dd613d464bdb1210d9b7af78"
BLOCK = 65
TEST_EVERY = 5
GAP = 5


def parse(name: str, paths: Sequence[Path]) -> dict[str, np.ndarray]:
    """Frames in order; the published matrix ``ff`` holds one a column.

    Raises
    ------
    ValueError
        If they are not the published frames.
    """
    frames = read_matrix(paths[0], "ff")
    x = np.ascontiguousarray(frames.T.reshape(-1, 28, 20).astype(np.uint8))
    if hashlib.sha256(x.tobytes()).hexdigest() != FRAMES_SHA256:
        raise ValueError("its pixels are not the published ones")
    return {"x": x}


def split(n_frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Train and test frames.

    Every fifth block of 65 frames is test; the five frames on either side of a test block are left out.

    Returns
    -------
    train, test : (n,) int64, increasing.
    """
    frames = np.arange(n_frames)
    is_test = (frames // BLOCK) % TEST_EVERY == TEST_EVERY - 1
    test = frames[is_test]
    near = (test[:, None] + np.arange(-GAP, GAP + 1)).ravel()
    return np.setdiff1d(frames, near), test


def load(name: str, *, progress: download.Progress | None = None) -> Dataset:
    frames = download.read_arrays(download.stored(name, parse, progress), SHAPES)["x"]
    train, test = split(len(frames))
    X = frames.reshape(-1, 28 * 20)
    return Dataset(
        name=name,
        kind=IMAGES,
        X_train=X[train],
        y_train=np.full(len(train), UNLABELLED, np.int64),
        X_test=X[test],
        y_test=np.full(len(test), UNLABELLED, np.int64),
        target_names=(),
        image_shape=(28, 20),
        redistributable=False,
        licence="Published for research by Brendan Frey and Sam Roweis; no licence stated",
        citation=(
            "S. Roweis, L. Saul: Nonlinear dimensionality reduction by locally linear embedding. Science 290, 2000."
        ),
    )
