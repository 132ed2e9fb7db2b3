"""Cells of test rows of a table: which count, what hides them, and the errors of their reconstructions."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.metrics import tables
from core.types import Dataset


def measure_baselines(dataset: Dataset) -> dict[str, float]:
    """Scores on the test rows without a code, by the train rows' most frequent category and class: metric -> share."""
    cells, found = Cells(dataset, np.arange(len(dataset.X_test))), {}
    wrong = cells.compare(np.tile(cells.filling, (len(cells.rows), 1))).by_row(of_numbers=False)
    if wrong is not None:
        found["category_accuracy"] = 1 - float(wrong.mean())
    y_train, y_test = (y[y >= 0] for y in (dataset.y_train, dataset.y_test))
    if dataset.has_labels and len(y_train) and len(y_test):
        found["knn_accuracy"] = float((y_test == np.bincount(y_train).argmax()).mean())
    return found


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
        known = self.dataset.known_test
        known = None if known is None else known[self.rows]
        counted = tables.select_counted(known, self.dataset.table.features, self.X.shape)
        return np.ones(self.X.shape, bool) if counted is None else counted

    @cached_property
    def variances(self) -> np.ndarray:
        """(n_features,) variance of each feature among all test rows."""
        X, dataset = self.dataset.X_test, self.dataset
        counted = tables.select_counted(dataset.known_test, dataset.table.features, X.shape)
        return tables.feature_variances(X, dataset.blocks, counted)

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
        """The errors of reconstructions of these rows, (n, n_columns)."""
        return tables.compare_cells(self.X, X_hat, self.dataset.blocks, self.counted, self.variances)

    def measure_rows(self, X_hat: np.ndarray) -> np.ndarray:
        """(n,) error of each reconstructed row: of its numbers, or without any of its categories."""
        cells = self.compare(X_hat)
        of_numbers = cells.by_row(of_numbers=True)
        return cells.by_row(of_numbers=False) if of_numbers is None else of_numbers
