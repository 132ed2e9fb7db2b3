"""Choices of rows that are the same on every machine and with every version of NumPy."""

from __future__ import annotations

import numpy as np


def stratified(y: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Rows that hold each class in its share of all rows.

    Parameters
    ----------
    y : (n_rows,) class of each row; any values.
    n : how many rows to choose; all are chosen where there are no more than that.
    seed : of ``numpy.random.RandomState``, whose stream is frozen across versions.

    Returns
    -------
    (min(n, n_rows),) int64, increasing. Rounding leaves each class within one row of its share.
    """
    if n >= len(y):
        return np.arange(len(y))
    random = np.random.RandomState(seed)
    _, of_row, sizes = np.unique(y, return_inverse=True, return_counts=True)
    chosen = [random.permutation(np.flatnonzero(of_row == k))[:m] for k, m in enumerate(_shares(sizes, n))]
    return np.sort(np.concatenate(chosen))


def _shares(sizes: np.ndarray, n: int) -> np.ndarray:
    """`n` divided in proportion to `sizes` by the largest remainders, ties to the earlier class."""
    exact = sizes * n / sizes.sum()
    shares = np.floor(exact).astype(np.int64)
    largest = np.argsort(-(exact - shares), kind="stable")[: n - shares.sum()]
    shares[largest] += 1
    return shares


def in_turn(y: np.ndarray, seed: int, first: np.ndarray | None = None) -> np.ndarray:
    """All rows, in an order whose every beginning holds each class in about its share.

    Parameters
    ----------
    y : (n_rows,) class of each row; any values.
    seed : as in `stratified`.
    first : rows that lead, in their classes' shares too; those after them make up for classes they hold more of.

    Returns
    -------
    (n_rows,) int64, a permutation.
    """
    random = np.random.RandomState(seed)
    leads = np.zeros(len(y), bool)
    leads[[] if first is None else first] = True
    # A class of m rows has its r-th at (r + 1/2) / m of the way.
    share = np.empty(len(y))
    for label in np.unique(y):
        of_class = random.permutation(np.flatnonzero(y == label))
        of_class = of_class[np.argsort(~leads[of_class], kind="stable")]
        share[of_class] = (np.arange(len(of_class)) + 0.5) / len(of_class)
    return np.lexsort((share, ~leads))


def complement(rows: np.ndarray, n_rows: int) -> np.ndarray:
    """The rows of ``range(n_rows)`` that are not in `rows`, increasing."""
    return np.setdiff1d(np.arange(n_rows), rows)
