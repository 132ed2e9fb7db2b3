"""Known cells of a table that are hidden from the methods, which then fill them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.metrics import tables
from core.types import Dataset

SHARE, STEPS = 0.05, 30
_MOST_CELLS = 4_000_000  # of the rows of all rounds together
_IMPUTER_ROWS, _IMPUTER_NEIGHBOURS = 5_000, 100

Reconstruct = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Cells:
    """Cells of some test rows of a table.

    Attributes
    ----------
    dataset : a table; rows : (n,) numbers of the rows in the test split.
    """

    dataset: Dataset
    rows: np.ndarray

    @cached_property
    def X(self) -> np.ndarray:
        """(n, n_columns) float32"""
        return self.dataset.X_test[self.rows]

    @cached_property
    def counted(self) -> np.ndarray:
        """(n, n_columns) bool, the cells that may be hidden and that errors are computed of."""
        counted = tables.select_counted(self.dataset.known_test, self.dataset.table.features, self.dataset.X_test.shape)
        return np.ones(self.X.shape, bool) if counted is None else counted[self.rows]

    @cached_property
    def variances(self) -> np.ndarray:
        """(n_features,) variance of each feature among these rows."""
        return tables.feature_variances(self.X, self.dataset.blocks, self.counted)

    @cached_property
    def filling(self) -> np.ndarray:
        """(n_columns,) what a hidden cell holds: the train rows' median or most frequent category."""
        X, known, start, parts = self.dataset.X_train, self.dataset.known_train, 0, []
        for size in self.dataset.blocks:
            block = X[:, start : start + size]
            block = block if known is None else block[known[:, start]]
            parts.append(np.median(block, axis=0) if size == 1 else np.eye(size)[block.sum(axis=0).argmax()])
            start += size
        return np.concatenate(parts).astype(np.float32)

    def to_columns(self, of_features: np.ndarray) -> np.ndarray:
        """A mask of features as one of columns: (n, n_features) -> (n, n_columns)."""
        return np.repeat(of_features, self.dataset.blocks, axis=1)

    def compare(self, X_hat: np.ndarray) -> tables.CellErrors:
        """The errors of reconstructions of these rows."""
        return tables.compare_cells(self.X, X_hat, self.dataset.blocks, self.counted, self.variances)

    def measure_rows(self, X_hat: np.ndarray) -> np.ndarray:
        """(n,) error of each reconstructed row: of its numbers, or without any of its categories."""
        cells = self.compare(X_hat)
        of_numbers = cells.by_row(of_numbers=True)
        return cells.by_row(of_numbers=False) if of_numbers is None else of_numbers


@dataclass(frozen=True)
class Hidden:
    """Copies of rows, each with other cells hidden.

    Attributes
    ----------
    at : (m,) the position of the row that is copied; cells : (m, n_features) bool, True for a hidden cell.
    n_rounds : how often all rows were copied.
    """

    at: np.ndarray
    cells: np.ndarray
    n_rounds: int


def hide(cells: Cells, share: float = SHARE, random_state: int = 0) -> Hidden:
    """Hide a share of the known cells in each of as many rounds as hide each cell once, or in fewer of large tables."""
    starts = np.cumsum(cells.dataset.blocks) - cells.dataset.blocks
    known = np.argwhere(cells.counted[:, starts])
    n_rounds = max(1, min(round(1 / share), _MOST_CELLS // cells.X.size))
    order = np.random.default_rng(random_state).permutation(len(known))
    rounds = np.zeros((n_rounds, len(cells.rows), len(starts)), bool)
    for k, part in enumerate(np.array_split(order, round(1 / share))[:n_rounds]):
        rounds[k, *known[part].T] = True
    has_hidden = rounds.any(axis=2)
    return Hidden(np.nonzero(has_hidden)[1], rounds[has_hidden], n_rounds)


def fill(reconstruct: Reconstruct, cells: Cells, hidden: Hidden, on_step: Callable[[int], None] = lambda k: None):
    """Fill hidden cells: from the median on, they are replaced by their reconstruction `STEPS` times: (m, n_columns).

    Source: Rezende, Mohamed and Wierstra (2014), Stochastic backpropagation, appendix F, with means in place of draws.
    """
    columns = cells.to_columns(hidden.cells)
    filled = np.where(columns, cells.filling, cells.X[hidden.at])
    for k in range(STEPS):
        filled = np.where(columns, reconstruct(filled), filled)
        on_step(k + 1)
    return filled


def fill_by_median(cells: Cells, hidden: Hidden) -> np.ndarray:
    """Rows with the train rows' medians and most frequent categories in their hidden cells: (m, n_columns)."""
    return np.where(cells.to_columns(hidden.cells), cells.filling, cells.X[hidden.at])


def fill_by_regressions(cells: Cells, hidden: Hidden) -> np.ndarray:
    """Fill hidden cells by scikit-learn's IterativeImputer, a Bayesian ridge regression a column: (m, n_columns).

    It is fitted to the train rows, at most 5,000. Source: van Buuren and Groothuis-Oudshoorn (2011), mice.
    """
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401
    from sklearn.impute import IterativeImputer

    dataset = cells.dataset
    rows = np.random.default_rng(0).permutation(len(dataset.X_train))[:_IMPUTER_ROWS]
    train = dataset.X_train[rows].astype(np.float64)
    if dataset.known_train is not None:
        train[~dataset.known_train[rows]] = np.nan
    n_columns = train.shape[1]
    neighbours = _IMPUTER_NEIGHBOURS if n_columns > _IMPUTER_NEIGHBOURS else None
    imputer = IterativeImputer(
        initial_strategy="median", n_nearest_features=neighbours, keep_empty_features=True, random_state=0
    ).fit(train)
    X = cells.X[hidden.at].astype(np.float64)
    columns = cells.to_columns(hidden.cells)
    X[columns] = np.nan
    if dataset.known_test is not None:
        X[~dataset.known_test[cells.rows[hidden.at]]] = np.nan
    return np.where(columns, imputer.transform(X), cells.X[hidden.at])


def compute_errors(cells: Cells, hidden: Hidden, filled: np.ndarray) -> tables.CellErrors:
    """The errors of filled cells, NaN for cells that were not hidden: (n, n_features)."""
    columns = cells.to_columns(hidden.cells)
    found = tables.compare_cells(cells.X[hidden.at], filled, cells.dataset.blocks, columns, cells.variances)
    errors = np.full((len(cells.rows), hidden.cells.shape[1]), np.nan)
    copy, feature = np.nonzero(hidden.cells)
    errors[hidden.at[copy], feature] = found.errors[copy, feature]
    return tables.CellErrors(errors, found.is_number)
