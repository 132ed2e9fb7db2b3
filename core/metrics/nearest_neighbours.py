"""Exact nearest neighbours among train codes, the same on any number of threads."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from core.errors import BadInput
from core.metrics.validation import chunks, is_sparse

_TREE_DIMENSIONS = 3
_DECIMALS = 12
_ROUNDING = 10.0**-_DECIMALS


def find_nearest(train: Any, test: Any, k: int, metric: str) -> np.ndarray:
    """The `k` train rows nearest to each test row, nearest first, ties by row number: (n_test, k) int64.

    Parameters
    ----------
    train, test : (n_train, n_components), (n_test, n_components) finite float64; with cosine also sparse
    metric : "euclidean", or "cosine", which is 0 for all-zero rows

    Raises BadInput if k is not in 1..n_train.
    """
    n_train = train.shape[0]
    if not 1 <= k <= n_train:
        raise BadInput(f"{k} neighbours are asked for among {n_train} labelled train rows: choose 1 to {n_train}.")
    if is_sparse(train):
        return np.concatenate([_first(squared, k) for _, squared in iterate_cosine_distances(train, test)])
    if metric == "cosine":
        train, test = _on_the_sphere(train, test)
    squared, rows = _search(train, test, min(k + 1, n_train))
    centre = train.mean(axis=0)
    scale = ((train - centre) ** 2).sum(axis=1).max() + ((test - centre) ** 2).sum(axis=1)
    tied = np.flatnonzero((np.diff(squared, axis=1) <= _ROUNDING * scale[:, None]).any(axis=1))
    rows = rows[:, :k]
    if len(tied):
        rows[tied] = _ordered_by_distance_then_row(train, test[tied], k, unit=metric == "cosine")
    return rows


def iterate_cosine_distances(train: Any, test: Any) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield slices of test rows with their 2 - 2 cosine to all train rows, (n, n_train) float64 in [0, 4].

    Rounded to twelve decimals, so that rows that differ only in length are equally near. `train` and `test` are both
    dense or both sparse; the cosine of an all-zero row is 0.
    """
    if is_sparse(train):
        from sklearn.preprocessing import normalize

        # One row a feature: a transposed view would be converted for each block.
        by_feature, test = normalize(train).T.tocsr(), normalize(test)
    else:
        from scipy.spatial.distance import cdist

        train, test = _on_the_sphere(train, test)
    for part in chunks(test.shape[0], train.shape[0]):
        if is_sparse(train):
            squared = 2 - 2 * (test[part] @ by_feature).toarray()
        else:
            squared = cdist(test[part], train, "sqeuclidean")
        yield part, squared.round(_DECIMALS)


def _on_the_sphere(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Unit rows, whose squared Euclidean distance is 2 - 2 cosine.

    All-zero rows get an axis of their own, one for train and one for test, so that their cosine to others is 0.
    """
    units = []
    for rows, axis in ((train, (1.0, 0.0)), (test, (0.0, 1.0))):
        largest = np.abs(rows).max(axis=1, keepdims=True)
        rows = rows / np.where(largest == 0, 1.0, largest)
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        units.append(np.hstack([rows / np.where(norms == 0, 1.0, norms), np.where(norms == 0, axis, 0.0)]))
    return units[0], units[1]


def _search(train: np.ndarray, test: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Squared distances (n_test, k), ascending, and row numbers; near ties in any order."""
    centre = train.mean(axis=0)  # distances by a matrix product lose digits far from the origin
    if train.shape[1] <= _TREE_DIMENSIONS:
        from scipy.spatial import cKDTree

        distances, rows = cKDTree(train - centre).query(test - centre, k=range(1, k + 1))
    else:
        from sklearn.neighbors import NearestNeighbors

        search = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(train - centre)
        distances, rows = search.kneighbors(test - centre)
    return distances**2, rows.astype(np.int64)


def _ordered_by_distance_then_row(train: np.ndarray, test: np.ndarray, k: int, unit: bool) -> np.ndarray:
    """Neighbours by direct sums of squares, which are equal for equal rows; those of `unit` rows are rounded."""
    from scipy.spatial.distance import cdist

    distinct, which = np.unique(test, axis=0, return_inverse=True)
    rows = np.empty((len(distinct), k), dtype=np.int64)
    for part in chunks(len(distinct), len(train)):
        squared = cdist(distinct[part], train, "sqeuclidean")
        rows[part] = _first(squared.round(_DECIMALS) if unit else squared, k)
    return rows[which]


def _first(squared: np.ndarray, k: int) -> np.ndarray:
    """Columns of the `k` smallest of each row, smallest first, ties by column."""
    columns = np.empty((len(squared), k), dtype=np.int64)
    for i, row in enumerate(squared):
        near = np.flatnonzero(row <= np.partition(row, k - 1)[k - 1])
        columns[i] = near[np.argsort(row[near], kind="stable")[:k]]
    return columns
