"""Reconstruction errors of the cells of a table: numbers by variance, categories by the most probable one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class CellErrors:
    """The error of each cell of a table.

    Attributes
    ----------
    errors : (n, n_features); of numbers (x - x_hat)^2 over the feature's variance among the n rows, of categories 1
        where the most probable category is wrong, else 0; NaN where the cell is missing or the feature is constant.
    is_number : (n_features,) bool.
    """

    errors: np.ndarray
    is_number: np.ndarray

    def by_feature(self) -> np.ndarray:
        """Mean error of each feature, NaN without a known cell: (n_features,)."""
        counts = (~np.isnan(self.errors)).sum(axis=0)
        return np.divide(np.nansum(self.errors, axis=0), counts, out=np.full(len(counts), np.nan), where=counts > 0)

    def by_row(self, of_numbers: bool) -> np.ndarray | None:
        """A score a row whose mean is the mean over these features of their error: (n,); None without such a feature.

        Of numbers, this mean is one minus scikit-learn's ``r2_score(..., multioutput="uniform_average")``.
        """
        errors = self.errors[:, self.is_number == of_numbers]
        counts = (~np.isnan(errors)).sum(axis=0)
        if not (counts > 0).any():
            return None
        errors, counts = errors[:, counts > 0], counts[counts > 0]
        return np.nansum(errors * (len(errors) / counts), axis=1) / errors.shape[1]


def compare_cells(
    X: np.ndarray,
    X_hat: np.ndarray,
    blocks: Sequence[int],
    known: np.ndarray | None = None,
    variances: np.ndarray | None = None,
) -> CellErrors:
    """Compare rows with their reconstructions.

    X, X_hat : (n, n_columns); known : the same shape, bool, or None; blocks : see `core.types.Form`. `variances` :
    (n_features,) to divide by, by default those of X, see `feature_variances`.
    """
    sizes = np.asarray(blocks)
    starts, is_number = np.cumsum(sizes) - sizes, sizes == 1
    errors = np.empty((len(X), len(sizes)))
    numbers = starts[is_number]
    variances = feature_variances(X, blocks, known) if variances is None else variances
    with np.errstate(divide="ignore", invalid="ignore"):
        squared = np.square(X[:, numbers].astype(np.float64) - X_hat[:, numbers]) / variances[is_number]
    errors[:, is_number] = np.where(variances[is_number] > 0, squared, np.nan)
    for k in np.flatnonzero(~is_number):
        block = slice(starts[k], starts[k] + sizes[k])
        errors[:, k] = X[:, block].argmax(axis=1) != X_hat[:, block].argmax(axis=1)
    if known is not None:
        errors[~known[:, starts]] = np.nan
    return CellErrors(errors, is_number)


def select_counted(known: np.ndarray | None, features: Sequence[Any], shape: tuple[int, int]) -> np.ndarray | None:
    """Cells whose errors count: known ones of features that do not mark missing cells; None if all do.

    known : (n, n_columns) bool or None; features : see `core.datasets.own.preparation.Feature`.
    """
    marks = [feature.columns for feature in features if feature.of_missing]
    if not marks:
        return known
    counted = np.ones(shape, bool) if known is None else known.copy()
    for columns in marks:
        counted[:, columns] = False
    return counted


def feature_variances(X: np.ndarray, blocks: Sequence[int], known: np.ndarray | None = None) -> np.ndarray:
    """Variance of each number feature among known cells, 0 for categories and constant features: (n_features,)."""
    sizes = np.asarray(blocks)
    starts, variances = np.cumsum(sizes) - sizes, np.zeros(len(sizes))
    for k in np.flatnonzero(sizes == 1):
        values = X[:, starts[k]].astype(np.float64)
        values = values if known is None else values[known[:, starts[k]]]
        # Rounding leaves a trace of variance in a constant feature.
        if len(values) > 1 and np.ptp(values) > 1e-6 * max(1.0, np.abs(values).max()):
            variances[k] = values.var()
    return variances
