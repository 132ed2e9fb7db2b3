"""Reconstruction errors of rows."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from core.errors import BadInput
from core.metrics.validation import check_finite, chunks


def squared_error(X: Any, X_hat: Any) -> np.ndarray:
    """Squared error of each image: the sum, not the mean, over pixels of (x - x_hat)^2, (n,) float64.

    X, X_hat : (n, n_pixels) floats; x in [0, 1], x_hat is not clipped. Raises BadInput for NaN or infinite values.
    Source: Hinton and Salakhutdinov (2006), Reducing the dimensionality of data with neural networks.
    """
    X, X_hat = np.asarray(X), np.asarray(X_hat)
    _check_same_shape(X.shape, X_hat.shape)
    errors = np.empty(len(X))
    for part in chunks(*X.shape):
        difference = X[part].astype(np.float64) - X_hat[part]
        errors[part] = np.einsum("ij,ij->i", difference, difference)
    return check_finite("The squared error", errors, 1)


def cosine(X: Any, X_hat: Any) -> np.ndarray:
    """Cosine of each row and its reconstruction, (n,) float64; 0 if either is all zero.

    X, X_hat : (n, n_features), dense or sparse. Raises BadInput for different shapes, NaN or infinite values.
    """
    from scipy import sparse

    X, X_hat = (A.toarray() if sparse.issparse(A) else np.asarray(A) for A in (X, X_hat))
    _check_same_shape(X.shape, X_hat.shape)
    X, X_hat = check_finite("X", X, 2), check_finite("X_hat", X_hat, 2)
    lengths = np.linalg.norm(X, axis=1) * np.linalg.norm(X_hat, axis=1)
    products = np.einsum("ij,ij->i", X, X_hat)
    return np.divide(products, lengths, out=np.zeros(len(X)), where=lengths > 0).clip(-1, 1)


def reconstruction_cosine(reconstruct: Callable[[np.ndarray], np.ndarray], Z: np.ndarray, X: Any) -> np.ndarray:
    """`cosine` of rows X and their reconstructions from codes Z, (n, n_components), in blocks: (n,) float64."""
    return np.concatenate([cosine(X[part], reconstruct(Z[part])) for part in chunks(*X.shape)])


def class_means(scores: np.ndarray, y: np.ndarray, target_names: Sequence[str]) -> dict[str, float]:
    """Mean score of each class with rows; `y`, (n,) int, indexes `target_names`."""
    return {name: float(scores[y == c].mean()) for c, name in enumerate(target_names) if np.any(y == c)}


def _check_same_shape(given: tuple[int, ...], reconstructed: tuple[int, ...]) -> None:
    if given != reconstructed or len(given) != 2 or 0 in given:
        raise BadInput(
            f"Rows of shape {given} and reconstructions of shape {reconstructed} do not pair: both are (n, n_features)."
        )
