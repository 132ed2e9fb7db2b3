"""Checks of the arrays that metrics receive, and blocks of bounded size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from core.errors import BadInput
from core.types import UNLABELLED

CHUNK_ELEMENTS = 4_000_000


def chunks(n_rows: int, n_columns: int) -> list[slice]:
    """Slices over `n_rows` rows such that a float64 block of `n_columns` columns stays near 32 MB."""
    size = max(1, CHUNK_ELEMENTS // max(1, n_columns))
    return [slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]


def columns_of_smallest(block: np.ndarray, k: int) -> np.ndarray:
    """Columns of the `k` smallest values of each row of (m, n), in any order: (m, k).

    Columns are divided into about sqrt(n) groups. The k smallest values lie in the k groups with the smallest minima,
    which one pass over memory finds in a third of the time of a partition.
    """
    m, n = block.shape
    groups = math.isqrt(n)
    if k >= groups or n < 16 * k:
        return np.argpartition(block, min(k, n) - 1, axis=1)[:, :k]
    deep = n // groups
    dealt = block[:, : deep * groups].reshape(m, deep, groups)
    chosen = np.argpartition(dealt.min(axis=1), k - 1, axis=1)[:, :k]
    columns = (chosen[:, :, None] + groups * np.arange(deep)).reshape(m, -1)
    columns = np.hstack([columns, np.broadcast_to(np.arange(deep * groups, n), (m, n - deep * groups))])
    found = np.argpartition(np.take_along_axis(block, columns, 1), k - 1, axis=1)[:, :k]
    return np.take_along_axis(columns, found, 1)


def smallest(block: np.ndarray, k: int) -> np.ndarray:
    """The `k` smallest values of each row of (m, n), ascending: (m, k)."""
    return np.sort(np.take_along_axis(block, columns_of_smallest(block, k), 1), axis=1)


def is_sparse(values: Any) -> bool:
    return hasattr(values, "tocsr")


def check_finite(name: str, values: Any, ndim: int) -> Any:
    """`values` as float64, sparse if given so; BadInput if empty, of another dimension, or not finite."""
    array = values.tocsr().astype(np.float64) if is_sparse(values) else np.asarray(values, dtype=np.float64)
    if array.ndim != ndim or 0 in array.shape:
        raise BadInput(f"{name} has shape {array.shape}, but needs {ndim} axis(es) and at least one value.")
    if not np.isfinite(array.data if is_sparse(array) else array).all():
        raise BadInput(f"{name} holds NaN or infinite values: the fit diverged or its input was broken; fit it again.")
    return array


def check_code_pair(Z_train: Any, Z_test: Any) -> tuple[Any, Any]:
    """Train and test codes as float64 of one code size."""
    train, test = check_finite("Z_train", Z_train, 2), check_finite("Z_test", Z_test, 2)
    if train.shape[1] != test.shape[1]:
        raise BadInput(
            f"Train codes have {train.shape[1]} dimensions and test codes {test.shape[1]}: take both from one fit."
        )
    return train, test


def select_labelled(Z: Any, y: Any, name: str) -> tuple[Any, np.ndarray]:
    """The rows of `Z` that have a class, and their classes as int64."""
    y = np.asarray(y)
    if y.shape != (Z.shape[0],):
        raise BadInput(
            f"{name} holds {Z.shape[0]} codes but {y.size} labels: give one label a row, -1 where there is none."
        )
    known = y != UNLABELLED
    if not known.any():
        raise BadInput(f"No row of {name} has a class: this number needs labels.")
    return Z[known], y[known].astype(np.int64)


def check_two_classes(y: np.ndarray) -> None:
    """Refuse labels of one class, for which any prediction would be correct."""
    if np.all(y == y[0]):
        raise BadInput("All labelled rows are of one class: comparing classes needs at least two.")
