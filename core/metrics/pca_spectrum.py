"""Principal components and variances of rows in float64, and PCA's error at every code size."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from core.types import Dataset

ROWS_AT_ONCE = 4096
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
