"""Principal components and variances of rows in float64, and PCA's error at every code size."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from core.metrics import tables
from core.types import Dataset

ROWS_AT_ONCE = 4096
MOST_SIZES = 256  # of a table's codes whose error is computed
MOST_FEATURES = 1500  # of rows decomposed during a fit: the work grows with their third power


@dataclass(frozen=True)
class Spectrum:
    """Mean, principal components and variances of rows, in float64.

    Attributes
    ----------
    mean : (n_features,)
    components : (n, n_features), orthonormal rows by decreasing variance; n is n_features, or the rank of fewer rows.
    variances : (n,) mean squared length of the rows along each component; they sum to the mean squared distance of a
        row from the mean.
    """

    mean: np.ndarray
    components: np.ndarray
    variances: np.ndarray

    @cached_property
    def total(self) -> float:
        """Mean squared distance of a row from the mean: the error of 0 components."""
        return float(self.variances.sum())

    def error(self, n_components: int) -> float:
        """Squared error per row of PCA with `n_components` on these rows, the lowest of all linear codes."""
        return float(self.variances[n_components:].sum())


def decompose(X: Any) -> Spectrum:
    """The spectrum of the rows of X, (n_samples, n_features).

    Source: Hotelling 1933, Analysis of a complex of statistical variables into principal components.
    """
    from scipy import linalg

    n, n_features = X.shape
    mean = X.mean(axis=0, dtype=np.float64)
    if n < n_features:
        _, lengths, components = linalg.svd(X - mean, full_matrices=False)
        # Directions outside the rows' span would be arbitrary.
        spanned = lengths > lengths[0] * n_features * np.finfo(np.float64).eps
        return Spectrum(mean, components[spanned], np.square(lengths[spanned]) / n)
    variances, columns = linalg.eigh(_covariance(X, mean), overwrite_a=True, driver="evd")
    return Spectrum(mean, np.ascontiguousarray(columns[:, ::-1].T), variances[::-1].clip(min=0))


def pca_error_by_size(dataset: Dataset) -> np.ndarray:
    """PCA's mean squared error per test image with k components, at index k: (n_features + 1,) float64.

    As the components are orthonormal and nested, each one lowers the error by what it explains. Beyond the rank of the
    train rows the error is constant.
    """
    spectrum = decompose(dataset.floats("train"))
    X = dataset.floats("test")
    explained = np.zeros(dataset.n_features)
    total = 0.0
    for rows in _centred(X, spectrum.mean):
        explained[: len(spectrum.components)] += np.square(rows @ spectrum.components.T).sum(axis=0)
        total += np.square(rows).sum()
    errors = total - np.concatenate([[0.0], np.cumsum(explained)])
    return errors.clip(min=0) / len(X)


def pca_table_error_by_size(dataset: Dataset) -> np.ndarray:
    """PCA's error on a table's test rows with k components, at index k: (n_sizes + 1,) float64.

    The error is the share of variance not explained, a mean over the features that are numbers; without any, the share
    of wrong categories. Up to `MOST_SIZES` components; the last error is that of all others.
    """
    spectrum, X = decompose(dataset.floats("train")), dataset.floats("test")
    known = tables.select_counted(dataset.known_test, dataset.table.features, X.shape)
    variances = tables.feature_variances(X, dataset.blocks, known)
    columns = (np.cumsum(dataset.blocks) - dataset.blocks)[variances > 0]
    has_numbers = len(columns) > 0
    # Residuals of the numbers, else of all columns.
    columns = columns if has_numbers else np.arange(X.shape[1])
    codes, components = (X - spectrum.mean) @ spectrum.components.T, spectrum.components[:, columns]
    residuals, errors = (X - spectrum.mean)[:, columns], []
    is_known = np.ones(residuals.shape) if known is None else known[:, columns].astype(np.float64)
    # With these weights the sum of squares is a mean over features of means over rows.
    weights = is_known / (is_known.sum(axis=0) * variances[variances > 0] * len(columns)) if has_numbers else is_known
    for k in range(min(len(components), MOST_SIZES) + 1):
        if k:
            residuals -= np.outer(codes[:, k - 1], components[k - 1])
        if has_numbers:
            errors.append(np.einsum("ij,ij,ij->", residuals, residuals, weights))
        else:
            wrong = tables.compare_cells(X, X - residuals, dataset.blocks, known).by_row(of_numbers=False)
            errors.append(0.0 if wrong is None else wrong.mean())
    return np.array(errors)


def find_size(errors: np.ndarray, error: float) -> int | None:
    """Fewest components with at most this error, None if there are none; `errors` from `pca_error_by_size`."""
    enough = np.flatnonzero(errors <= error)
    return int(enough[0]) if len(enough) else None


def variance_left(errors: np.ndarray, error: float) -> float:
    """`error` as a share of the test rows' variance about the train rows' mean."""
    return float(error / errors[0]) if errors[0] > 0 else 0.0


def _covariance(X: Any, mean: np.ndarray) -> np.ndarray:
    from scipy.linalg.blas import dsyrk

    total = np.zeros((len(mean), len(mean)), order="F")
    for rows in _centred(X, mean):
        # One triangle is enough for the decomposition.
        total = dsyrk(1 / len(X), rows.T, beta=1.0, c=total, lower=1, overwrite_c=1)
    return total


def _centred(X: Any, mean: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(X), ROWS_AT_ONCE):
        yield X[start : start + ROWS_AT_ONCE] - mean
