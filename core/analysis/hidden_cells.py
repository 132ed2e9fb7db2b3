"""Known cells of a table that are hidden from the methods, which then fill them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.analysis.table_cells import Cells
from core.metrics import tables

SHARE, STEPS = 0.05, 30
_MOST_CELLS = 4_000_000  # of the rows of all rounds together
_IMPUTER_ROWS, _IMPUTER_NEIGHBOURS = 5_000, 100

Reconstruct = Callable[[np.ndarray], np.ndarray]


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
    columns, filled = cells.to_columns(hidden.cells), fill_by_median(cells, hidden)
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

    dataset, blocks = cells.dataset, np.asarray(cells.dataset.blocks)
    rows = np.random.default_rng(0).permutation(len(dataset.X_train))[:_IMPUTER_ROWS]
    columns, ends = cells.to_columns(hidden.cells), np.cumsum(blocks)
    train, X = dataset.X_train[rows].astype(np.float64), cells.X[hidden.at].astype(np.float64)
    for part, known, at in ((train, dataset.known_train, rows), (X, dataset.known_test, cells.rows[hidden.at])):
        if known is not None:
            part[~known[at]] = np.nan
    X[columns] = np.nan
    # A category's last column is 1 minus the others: with it each could be told from the others, which are hidden too.
    is_last = np.zeros(train.shape[1], bool)
    is_last[ends[blocks > 1] - 1] = True
    n_columns = int((~is_last).sum())
    neighbours = _IMPUTER_NEIGHBOURS if n_columns > _IMPUTER_NEIGHBOURS else None
    options = {"initial_strategy": "median", "n_nearest_features": neighbours, "keep_empty_features": True}
    imputer = IterativeImputer(**options, random_state=0).fit(train[:, ~is_last])
    filled = np.zeros(X.shape)
    filled[:, ~is_last] = imputer.transform(X[:, ~is_last])
    for size, end in zip(blocks, ends, strict=True):
        if size > 1:
            filled[:, end - 1] = 1 - filled[:, end - size : end - 1].sum(axis=1)
    return np.where(columns, filled, cells.X[hidden.at])


def compute_errors(cells: Cells, hidden: Hidden, filled: np.ndarray) -> tables.CellErrors:
    """The errors of filled cells, NaN for cells that were not hidden: (n, n_features)."""
    columns = cells.to_columns(hidden.cells)
    found = tables.compare_cells(cells.X[hidden.at], filled, cells.dataset.blocks, columns, cells.variances)
    errors = np.full((len(cells.rows), hidden.cells.shape[1]), np.nan)
    copy, feature = np.nonzero(hidden.cells)
    errors[hidden.at[copy], feature] = found.errors[copy, feature]
    return tables.CellErrors(errors, found.is_number)
