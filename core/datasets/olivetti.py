"""Olivetti faces: 40 people, ten pictures of each, of which eight are train and two are test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.datasets import download
from core.datasets.matlab import read_matrix
from core.datasets.splits import complement, stratified
from core.types import IMAGES, Dataset

SHAPES = {"x": (None, 64, 64), "y": (None,)}
TEST_SHARE = 0.2
SEED = 0


def parse(name: str, paths: Sequence[Path]) -> dict[str, np.ndarray]:
    """Images upright and row by row; the published matrix holds one image a column, each transposed."""
    faces = read_matrix(paths[0], "faces")
    x = faces.T.reshape(-1, 64, 64).transpose(0, 2, 1).astype(np.uint8)
    return {"x": x, "y": (np.arange(len(x)) // 10).astype(np.uint8)}


def load(name: str, *, progress: download.Progress | None = None) -> Dataset:
    """Every person is in both splits: the task is to know a face again, not to know a stranger."""
    arrays = download.read_arrays(download.stored(name, parse, progress), SHAPES)
    X, y = arrays["x"].reshape(-1, 64 * 64), arrays["y"].astype(np.int64)
    test = stratified(y, round(len(y) * TEST_SHARE), SEED)
    train = complement(test, len(y))
    return Dataset(
        name=name,
        kind=IMAGES,
        X_train=X[train],
        y_train=y[train],
        X_test=X[test],
        y_test=y[test],
        target_names=tuple(f"person {k + 1}" for k in range(int(y.max()) + 1)),
        image_shape=(64, 64),
        licence="Free to use with credit to AT&T Laboratories Cambridge",
        citation=(
            "F. Samaria, A. Harter: Parameterisation of a stochastic model for human face identification. "
            "IEEE Workshop on Applications of Computer Vision, 1994."
        ),
    )
