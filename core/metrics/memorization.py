"""Whether a sampler makes new rows or hands out the training rows again: each sample's nearest training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import BadInput
from core.metrics.validation import chunks, columns_of_smallest

# Yoon et al. 2023: a sample is a copy where its nearest training row is nearer than a third of the second nearest.
COPY_RATIO = 1 / 3
ROWS_AT_ONCE = 4096
_ROUNDING = 1e-4  # of the distance of two images that are the same, in float32


@dataclass(frozen=True)
class Nearest:
    """The two nearest training rows of each of n rows.

    Attributes
    ----------
    rows : (n,) int64, the nearest one's number among the training rows.
    distances : (n, 2) float64, Euclidean distances to the nearest and the second nearest.
    """

    rows: np.ndarray
    distances: np.ndarray

    @property
    def is_copy(self) -> np.ndarray:
        """(n,) bool, see `COPY_RATIO`. Of training rows that are there twice, only an exact copy counts as one."""
        first, second = self.distances.T
        return first <= COPY_RATIO * second + _ROUNDING


def nearest_training_rows(X: Any, X_train: np.ndarray) -> Nearest:
    """The two nearest training rows of each row, by Euclidean distance of the pixels.

    Parameters
    ----------
    X : (n, n_features) floats in [0, 1], such as samples as they are shown
    X_train : (m, n_features) uint8 pixels 0..255, m >= 2, as a data set keeps them

    Returns
    -------
    Nearest : distances in pixels of [0, 1], exact for the rows found

    Raises BadInput for rows of another size, fewer than two training rows, NaN or infinite values.
    """
    X = np.asarray(X, np.float32)
    if X.ndim != 2 or X_train.ndim != 2 or X.shape[1] != X_train.shape[1]:
        raise BadInput(f"Rows {X.shape} and training rows {X_train.shape} are not images of one size.")
    if len(X_train) < 2:
        raise BadInput("The nearest training rows need at least two of them.")
    if not np.isfinite(X).all():
        raise BadInput("The rows hold NaN or infinite values.")
    best = np.full((len(X), 2), np.inf, np.float32)
    rows = np.zeros((len(X), 2), np.int64)
    for start in range(0, len(X_train), ROWS_AT_ONCE):
        block = X_train[start : start + ROWS_AT_ONCE].astype(np.float32) / np.float32(255)
        squares = np.einsum("ij,ij->i", block, block)
        for part in chunks(len(X), len(block)):
            # Less |x|^2, which changes no order.
            squared = squares - 2 * (X[part] @ block.T)
            two = columns_of_smallest(squared, min(2, len(block)))
            found = np.concatenate([best[part], np.take_along_axis(squared, two, 1)], axis=1)
            which = np.concatenate([rows[part], two + start], axis=1)
            order = np.argsort(found, axis=1, kind="stable")[:, :2]
            best[part] = np.take_along_axis(found, order, 1)
            rows[part] = np.take_along_axis(which, order, 1)
    # A difference of large squares has few digits left for a copy: the distances of those found are taken anew.
    distances = np.empty((len(X), 2))
    for k in range(2):
        for part in chunks(len(X), X.shape[1]):
            difference = X[part].astype(np.float64) - X_train[rows[part, k]] / 255
            distances[part, k] = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    order = np.argsort(distances, axis=1, kind="stable")
    return Nearest(np.take_along_axis(rows, order, 1)[:, 0], np.take_along_axis(distances, order, 1))
