"""How far a reconstruction is from its row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core.errors import BadInput
from core.metrics.validation import check_finite, chunks
from core.types import UNLABELLED


def squared_error(X: Any, X_hat: Any) -> np.ndarray:
    """Squared error of each image: the sum over pixels of (x - x_hat)^2, not the mean over pixels.

    Parameters
    ----------
    X : (n, n_pixels) floats in [0, 1]
    X_hat : (n, n_pixels) floats, as the method gives them; PCA's may leave [0, 1] and are not clipped here

    Returns (n,) float64, summed in float64, in [0, inf)
    Raises BadInput for different shapes, whole-number pixels (0..255), NaN or infinite values.
    Source: Hinton and Salakhutdinov (2006), Reducing the dimensionality of data with neural networks: "average squared
    error".
    """
    X, X_hat = np.asarray(X), np.asarray(X_hat)
    _check_same_shape(X.shape, X_hat.shape)
    if not (np.issubdtype(X.dtype, np.floating) and np.issubdtype(X_hat.dtype, np.floating)):
        raise BadInput(f"Pixels are {X.dtype} and {X_hat.dtype}: give floats in [0, 1], for 0..255 divide by 255.")
    errors = np.empty(len(X))
    for part in chunks(*X.shape):
        difference = X[part].astype(np.float64) - X_hat[part]
        errors[part] = np.einsum("ij,ij->i", difference, difference)
    return check_finite("The squared error", errors, 1)


def cosine(X: Any, X_hat: Any) -> np.ndarray:
    """Cosine of the angle between each row and its reconstruction; 0 where either is all zero.

    Parameters
    ----------
    X, X_hat : (n, n_features), dense or sparse; documents as tf-idf vectors and the word weights a method expects

    Returns (n,) float64 in [-1, 1]
    Raises BadInput for different shapes, NaN or infinite values.
    """
    from scipy import sparse

    X, X_hat = (A.toarray() if sparse.issparse(A) else np.asarray(A) for A in (X, X_hat))
    _check_same_shape(X.shape, X_hat.shape)
    X, X_hat = check_finite("X", X, 2), check_finite("X_hat", X_hat, 2)
    lengths = np.linalg.norm(X, axis=1) * np.linalg.norm(X_hat, axis=1)
    products = np.einsum("ij,ij->i", X, X_hat)
    return np.divide(products, lengths, out=np.zeros(len(X)), where=lengths > 0).clip(-1, 1)


def reconstruction_cosine(rebuild: Callable[[np.ndarray], np.ndarray], Z: np.ndarray, X: Any) -> np.ndarray:
    """`cosine` of rows and what is rebuilt from their codes, a bounded number of rows at once.

    Parameters
    ----------
    rebuild : maps codes (m, n_components) to rows (m, n_features), such as an estimator's `inverse_transform`
    Z : (n, n_components) codes
    X : (n, n_features), dense or sparse; documents as tf-idf vectors

    Returns (n,) float64 in [-1, 1]
    """
    return np.concatenate([cosine(X[part], rebuild(Z[part])) for part in chunks(*X.shape)])


def class_means(scores: Any, y: Any, target_names: Sequence[str]) -> dict[str, float]:
    """Mean score of each class, in the order of `target_names`.

    Parameters
    ----------
    scores : (n,) numbers
    y : (n,) int, index into `target_names`; rows with -1 are left out

    Returns
    -------
    dict : class name -> mean score; a class without a row has no entry

    Raises BadInput for lengths that differ, a class outside `target_names`, NaN or infinite scores.
    """
    scores, y = check_finite("scores", scores, 1), np.asarray(y)
    if y.shape != scores.shape:
        raise BadInput(f"{scores.size} scores came with {y.size} labels: give one label a row.")
    if y.min() < UNLABELLED or y.max() >= len(target_names):
        raise BadInput(f"Labels run from {y.min()} to {y.max()}, but there are {len(target_names)} classes from 0 on.")
    return {name: float(scores[y == c].mean()) for c, name in enumerate(target_names) if np.any(y == c)}


def _check_same_shape(given: tuple[int, ...], reconstructed: tuple[int, ...]) -> None:
    if given != reconstructed or len(given) != 2 or 0 in given:
        raise BadInput(
            f"Rows of shape {given} and reconstructions of shape {reconstructed} do not pair: both are (n, n_features)."
        )
