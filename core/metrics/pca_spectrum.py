"""The principal components of rows from one decomposition in float64, and PCA's error at every code size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from core.types import Dataset

ROWS_AT_ONCE = 4096
# Up to so many a fit may decompose its rows on the way: the work grows with their third power.
MOST_FEATURES = 1500


@dataclass(frozen=True)
class Spectrum:
    """Mean, principal components and variances of rows, in float64.

    Attributes
    ----------
    mean : (n_features,)
    components : (n, n_features), orthonormal rows, the largest variance first; n is n_features, or the dimensions that
        the rows span where they are fewer than the features.
    variances : (n,) mean squared length of the rows along each component, at least 0. Divided by the number of rows,
        so that their sum is the mean squared distance of a row from the mean.
    """

    mean: np.ndarray
    components: np.ndarray
    variances: np.ndarray

    @cached_property
    def total(self) -> float:
        """Mean squared distance of a row from the mean: the error of a code of no numbers."""
        return float(self.variances.sum())

    def error(self, n_components: int) -> float:
        """Squared error a row, on the rows decomposed, of PCA with `n_components`: no linear code has less."""
        return float(self.variances[n_components:].sum())


def decompose(X: Any) -> Spectrum:
    """The spectrum of the rows of X.

    Parameters
    ----------
    X : (n_samples, n_features) numbers

    Source: Hotelling 1933, Analysis of a complex of statistical variables into principal components, J. Educ. Psychol.
    24.
    """
    from scipy import linalg

    n, n_features = X.shape
    mean = X.mean(axis=0, dtype=np.float64)
    if n < n_features:
        _, lengths, components = linalg.svd(X - mean, full_matrices=False)
        # Fewer rows than features lie in a smaller space, and directions out of it would be arbitrary ones.
        there = lengths > lengths[0] * n_features * np.finfo(np.float64).eps
        return Spectrum(mean, components[there], np.square(lengths[there]) / n)
    variances, columns = linalg.eigh(_covariance(X, mean), overwrite_a=True, driver="evd")
    return Spectrum(mean, np.ascontiguousarray(columns[:, ::-1].T), variances[::-1].clip(min=0))


def pca_error_by_size(dataset: Dataset) -> np.ndarray:
    """PCA's squared error an image, mean over the test rows, for every code size.

    As the components are orthonormal and nested, the error at size k is that at k - 1 less what component k explains.

    Returns
    -------
    (n_features + 1,) float64 : at position k that of a code of k numbers; its unit is that of
        `core.metrics.reconstruction.squared_error`. Beyond the components that the train rows have it stays as it is.
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
    """How many numbers PCA needs to be no worse than `error`; None where no size is enough.

    Parameters
    ----------
    errors : (n + 1,) as `pca_error_by_size` returns them
    """
    enough = np.flatnonzero(errors <= error)
    return int(enough[0]) if len(enough) else None


def variance_left(errors: np.ndarray, error: float) -> float:
    """Share of the test rows' variance, about the train rows' mean, that `error` leaves; 0 where there is none."""
    return float(error / errors[0]) if errors[0] > 0 else 0.0


def _covariance(X: Any, mean: np.ndarray) -> np.ndarray:
    from scipy.linalg.blas import dsyrk

    total = np.zeros((len(mean), len(mean)), order="F")
    for rows in _centred(X, mean):
        # One triangle is half the work, and all that the decomposition reads.
        total = dsyrk(1 / len(X), rows.T, beta=1.0, c=total, lower=1, overwrite_c=1)
    return total


def _centred(X: Any, mean: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(X), ROWS_AT_ONCE):
        yield X[start : start + ROWS_AT_ONCE] - mean
