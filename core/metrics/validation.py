"""Checks of the arrays that metrics receive, and blocks of bounded size."""

from typing import Any

import numpy as np

from core.errors import BadInput
from core.types import UNLABELLED

CHUNK_ELEMENTS = 4_000_000


def chunks(n_rows: int, n_columns: int) -> list[slice]:
    """Slices over `n_rows` rows such that a float64 block of `n_columns` columns stays near 32 MB."""
    size = max(1, CHUNK_ELEMENTS // max(1, n_columns))
    return [slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size)]


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


def select_labelled(Z: Any, y: Any, name: str) -> tuple[Any, np.ndarray]:
    """The rows of `Z` that have a class, and their classes as int64."""
    y = np.asarray(y)
    if y.shape != (Z.shape[0],):
        n = Z.shape[0]
        raise BadInput(f"{name} holds {n} codes but {y.size} labels: give one label a row, -1 where there is none.")
    known = y != UNLABELLED
    if not known.any():
        raise BadInput(f"No row of {name} has a class: this number needs labels.")
    return Z[known], y[known].astype(np.int64)


def check_two_classes(y: np.ndarray) -> None:
    """Refuse labels of one class, for which any prediction would be correct."""
    if np.all(y == y[0]):
        raise BadInput("All labelled rows are of one class: comparing classes needs at least two.")
