"""Choices of rows that are the same on every machine and with every version of NumPy."""

import hashlib

import numpy as np


def choose_stratified(y: np.ndarray, n: int, seed: int) -> np.ndarray:
    """At most `n` rows in proportion to the classes `y`, (n_rows,) of any values.

    Returns (min(n, n_rows),) int64, increasing. The stream of ``RandomState(seed)`` is frozen across NumPy's versions.
    """
    if n >= len(y):
        return np.arange(len(y))
    random = np.random.RandomState(seed)
    _, of_row, sizes = np.unique(y, return_inverse=True, return_counts=True)
    chosen = [random.permutation(np.flatnonzero(of_row == k))[:m] for k, m in enumerate(_shares(sizes, n))]
    return np.sort(np.concatenate(chosen))


def choose_by_content(X: np.ndarray, y: np.ndarray, n: int) -> np.ndarray:
    """As `choose_stratified`, independent of the order of the rows: from each class the rows with the smallest digests.

    Returns (min(n, n_rows),) int64, ordered by class and digest, or increasing if all rows are chosen.
    """
    if n >= len(y):
        return np.arange(len(y))
    digests = np.array([hashlib.blake2b(row, digest_size=8).digest() for row in np.ascontiguousarray(X)], "V8")
    order = np.lexsort((digests.view(">u8"), y))
    _, starts, sizes = np.unique(y[order], return_index=True, return_counts=True)
    return np.concatenate([order[at : at + m] for at, m in zip(starts, _shares(sizes, n), strict=True)])


def _shares(sizes: np.ndarray, n: int) -> np.ndarray:
    """`n` divided in proportion to `sizes` by the largest remainders, ties to the earlier class."""
    exact = sizes * n / sizes.sum()
    shares = np.floor(exact).astype(np.int64)
    largest = np.argsort(-(exact - shares), kind="stable")[: n - shares.sum()]
    shares[largest] += 1
    return shares


def order_by_share(y: np.ndarray, seed: int, first: np.ndarray | None = None) -> np.ndarray:
    """A permutation of all rows whose first n contain each class in about its share, for every n.

    The rows in `first` lead, also in proportion; later rows compensate for classes that have more of them.
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
