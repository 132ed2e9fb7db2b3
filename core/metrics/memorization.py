"""Memorization: whether samples are near-duplicates of training rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.metrics.validation import check_finite, chunks

# Yoon et al. 2023: a copy's nearest training row is nearer than a third of the distance to the second nearest.
COPY_RATIO = 1 / 3
ROWS_AT_ONCE = 4096
_ROUNDING = 1e-4  # of the distance of two equal images in float32


@dataclass(frozen=True)
class Nearest:
    """The nearest training row of each of n rows, (n,) int64, and the distances to the nearest two, (n, 2) float64."""

    rows: np.ndarray
    distances: np.ndarray

    @property
    def is_copy(self) -> np.ndarray:
        """(n,) bool, see `COPY_RATIO`. Near-duplicates of repeated training rows do not count, only exact copies."""
        first, second = self.distances.T
        return first <= COPY_RATIO * second + _ROUNDING


def nearest_training_rows(X: Any, X_train: np.ndarray) -> Nearest:
    """The two nearest training rows of each row, by exact Euclidean distance, of pixels in [0, 1].

    X : (n, n_features) floats, pixels in [0, 1]; X_train : (m, n_features) uint8 pixels or floats, m >= 2.
    Raises BadInput for NaN or infinite values.
    """
    X = check_finite("X", X, 2).astype(np.float32)
    unit = 255 if X_train.dtype == np.uint8 else 1
    best = np.full((len(X), 2), np.inf, np.float32)
    rows = np.zeros((len(X), 2), np.int64)
    for start in range(0, len(X_train), ROWS_AT_ONCE):
        block = X_train[start : start + ROWS_AT_ONCE].astype(np.float32) / np.float32(unit)
        squares = np.einsum("ij,ij->i", block, block)
        for part in chunks(len(X), len(block)):
            # Without |x|^2, which does not change the order.
            squared = squares - 2 * (X[part] @ block.T)
            found, which = [best[part]], [rows[part]]
            for _ in range(2):
                nearest = squared.argmin(axis=1, keepdims=True)
                found.append(np.take_along_axis(squared, nearest, 1))
                which.append(nearest + start)
                np.put_along_axis(squared, nearest, np.inf, 1)
            found, which = np.hstack(found), np.hstack(which)
            order = np.argsort(found, axis=1, kind="stable")[:, :2]
            best[part], rows[part] = np.take_along_axis(found, order, 1), np.take_along_axis(which, order, 1)
    # A difference of large squares is inexact for copies: the distances are computed again.
    distances = np.empty((len(X), 2))
    for k in range(2):
        for part in chunks(len(X), X.shape[1]):
            difference = X[part].astype(np.float64) - X_train[rows[part, k]] / unit
            distances[part, k] = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    order = np.argsort(distances, axis=1, kind="stable")
    return Nearest(np.take_along_axis(rows, order, 1)[:, 0], np.take_along_axis(distances, order, 1))
