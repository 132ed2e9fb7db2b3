"""A linear autoencoder beside PCA: how far their subspaces and errors are apart, and what turns one code into another.

The decoder D has the autoencoder's axes as columns, the principal components U are orthonormal rows. A code may be
turned, stretched and mixed by any invertible R without a change of what is rebuilt: D z = (D R^-1) (R z). So the
squared error fixes the span of the axes and never the axes themselves (Baldi and Hornik 1989).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.errors import BadInput
from core.metrics.pca_spectrum import Spectrum

# A code of which one number hardly changes the image has no inverse that means anything.
_LEAST_STRETCH = 1e-6


@dataclass(frozen=True)
class LinearPair:
    """An affine encoder and decoder of rows: z = E (x - mean) + c, x_hat = D z + b + mean.

    Attributes
    ----------
    encoder : (n_components, n_features) E; encoder_bias : (n_components,) c.
    decoder : (n_features, n_components) D; decoder_bias : (n_features,) b.
    mean : (n_features,)
    """

    encoder: np.ndarray
    encoder_bias: np.ndarray
    decoder: np.ndarray
    decoder_bias: np.ndarray
    mean: np.ndarray

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> LinearPair:
        """From what `core.methods.linear_ae.LinearAutoencoder.arrays` returns, in float64."""
        names = ("encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias", "mean_")
        return cls(*(np.asarray(arrays[name], np.float64) for name in names))

    def encode(self, X: np.ndarray) -> np.ndarray:
        """Codes of rows: (n, n_features) -> (n, n_components)."""
        return (X - self.mean) @ self.encoder.T + self.encoder_bias

    def reconstruct(self, Z: np.ndarray) -> np.ndarray:
        """Rows from codes: (n, n_components) -> (n, n_features)."""
        return Z @ self.decoder.T + self.decoder_bias + self.mean


def principal_angles(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Principal angles between the column spaces of A and B, in degrees, the largest first.

    Parameters
    ----------
    A, B : (n_features, k), (n_features, l)

    Returns (m,) float64 in [0, 90], with m the smaller of k and l; small ones are as exact as large ones. Where the
    columns of A or B are dependent, what they lack of m dimensions counts as 90 degrees.
    Source: Björck and Golub 1973, Numerical methods for computing angles between linear subspaces, Math. Comp. 27;
    Knyazev and Argentati 2002, SIAM J. Sci. Comput. 23.
    """
    from scipy import linalg

    A, B = np.asarray(A, np.float64), np.asarray(B, np.float64)
    m = min(A.shape[1], B.shape[1])
    found = np.degrees(linalg.subspace_angles(A, B)) if A.any() and B.any() else np.empty(0)
    return np.concatenate([np.full(m - len(found), 90.0), found])


def excess_error(pair: LinearPair, spectrum: Spectrum) -> float:
    """Squared error a row of a linear autoencoder less that of PCA with as many numbers, both on the decomposed rows.

    It needs no row: with the covariance C and M = D E - I, the mean squared error is tr(M C M^T) plus the squared
    length of what the mean itself is missed by.
    """
    E, D = np.asarray(pair.encoder, np.float64), np.asarray(pair.decoder, np.float64)
    k = len(E)
    weighted = (E @ spectrum.components.T) * np.sqrt(spectrum.variances)  # E C^(1/2), (k, n)
    crossed = (spectrum.components @ D).T * np.sqrt(spectrum.variances)  # D^T C^(1/2), (k, n)
    # tr(M C M^T) = tr(C) - 2 tr(E C D) + tr(D^T D E C E^T)
    change = np.sum((D.T @ D) * (weighted @ weighted.T)) - 2 * np.sum(weighted * crossed)
    off = spectrum.mean - pair.mean
    missed = D @ (E @ off + pair.encoder_bias) + pair.decoder_bias - off
    return float(change + missed @ missed + spectrum.variances[:k].sum())


def distance_to_pca(pair: LinearPair, spectrum: Spectrum) -> dict[str, float]:
    """What a history row of a linear autoencoder tells.

    Returns
    -------
    dict : ``largest_angle`` and ``mean_angle``, principal angles in degrees between the decoder's columns and the first
        principal components; ``excess_error``, see `excess_error`.
    """
    first = spectrum.components[: len(pair.encoder)].T
    # Rows that are all alike have no component, and any subspace is as good.
    angles = principal_angles(pair.decoder, first) if first.size else np.zeros(1)
    return {
        "largest_angle": float(angles.max()),
        "mean_angle": float(angles.mean()),
        "excess_error": excess_error(pair, spectrum),
    }


@dataclass(frozen=True)
class CodeRotation:
    """The way from an autoencoder's own axes to PCA's, within the autoencoder's subspace.

    Attributes
    ----------
    matrix : (k, k) R, which takes the autoencoder's code, but for a constant, to PCA's.
    signs : (k,) 1 or -1, by which the principal components were multiplied: a component has no sign of its own, and
        these are the ones with the least to turn.
    """

    matrix: np.ndarray
    signs: np.ndarray

    @classmethod
    def between(cls, decoder: np.ndarray, components: np.ndarray) -> CodeRotation:
        """From the axes of a decoder to the first principal components.

        Parameters
        ----------
        decoder : (n_features, k); components : (k, n_features), orthonormal rows

        Raises BadInput if an axis, seen in PCA's subspace, is a mix of the others: there is no way back then.
        """
        matrix = np.asarray(components, np.float64) @ np.asarray(decoder, np.float64)
        left, stretch, right = np.linalg.svd(matrix)
        if stretch[-1] <= _LEAST_STRETCH * stretch[0]:
            raise BadInput(
                f"The linear AE's {len(matrix)} axes span fewer dimensions of PCA's subspace: it has not converged, "
                "so no turning of its code is PCA's."
            )
        rotation = left @ right
        signs = np.where(np.diag(rotation) < 0, -1.0, 1.0)
        # Only a proper rotation can be reached step by step.
        if np.linalg.det(rotation * signs[:, None]) < 0:
            signs[np.abs(np.diag(rotation)).argmin()] *= -1
        return cls(matrix * signs[:, None], signs)

    @cached_property
    def _polar(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """A rotation's planes (as the columns of an orthogonal matrix) and its angle for each column's plane, in
        radians; a stretch's directions (rows) and factors."""
        from scipy import linalg

        left, stretch, right = np.linalg.svd(self.matrix)
        blocks, planes = linalg.schur(left @ right, output="real")
        angles = np.zeros(len(blocks))
        singles = []
        j = 0
        while j < len(blocks):
            if j + 1 < len(blocks) and abs(blocks[j + 1, j]) > 1e-9:
                angles[j] = np.arctan2(blocks[j + 1, j], blocks[j, j])
                j += 2
            else:
                singles += [j] * bool(blocks[j, j] < 0)
                j += 1
        # Directions that are turned round come in pairs, each pair a plane turned by half a turn.
        order = [j for j in range(len(blocks)) if j not in singles] + singles
        angles[singles[::2]] = np.pi
        return planes[:, order], angles[order], right, stretch

    @property
    def angles(self) -> np.ndarray:
        """(k // 2,) degrees by which each plane of the code is turned in all, the largest first."""
        _, angles, _, _ = self._polar
        found = np.sort(np.degrees(np.abs(angles[angles != 0])))[::-1]
        return np.concatenate([found, np.zeros(max(0, len(angles) // 2 - len(found)))])

    def left(self, share: float) -> np.ndarray:
        """R of a code that was turned by a share of the way: what still takes it to PCA's code, (k, k)."""
        return np.linalg.solve(self.at(share).T, self.matrix.T).T

    def at(self, share: float) -> np.ndarray:
        """The matrix that has turned and stretched a code by a share of the way: 0 the identity, 1 `matrix`.

        With the polar decomposition R = Q P it is Q^share P^share: each plane is turned, and each direction
        stretched, at an even pace.

        Returns (k, k) float64, invertible
        """
        planes, angles, directions, stretch = self._polar
        turned = np.eye(len(angles))
        for j in np.flatnonzero(angles):
            c, s = np.cos(share * angles[j]), np.sin(share * angles[j])
            turned[j : j + 2, j : j + 2] = [[c, -s], [s, c]]
        return planes @ turned @ planes.T @ (directions.T * stretch**share) @ directions


def rotate_code(pair: LinearPair, by: np.ndarray) -> LinearPair:
    """The same autoencoder with its code multiplied by an invertible matrix: it rebuilds every row as before.

    Parameters
    ----------
    by : (k, k) R; codes become R z, and the decoder's axes D R^-1
    """
    axes = np.linalg.solve(by.T, pair.decoder.T).T
    return LinearPair(by @ pair.encoder, by @ pair.encoder_bias, axes, pair.decoder_bias, pair.mean)


def squared_error(pair: LinearPair, X: np.ndarray) -> float:
    """Mean over the rows of X of the squared error of what is rebuilt, in float64: (n, n_features) in [0, 1]."""
    X = np.asarray(X, np.float64)
    off = pair.reconstruct(pair.encode(X)) - X
    return float(np.einsum("ij,ij->i", off, off).mean())


def row_angles(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Degrees in [0, 180] between each row of A and that of B: (n, n_features) each -> (n,)."""
    lengths = np.linalg.norm(A, axis=1) * np.linalg.norm(B, axis=1)
    cosines = np.divide((A * B).sum(axis=1), lengths, out=np.zeros(len(A)), where=lengths > 0)
    return np.degrees(np.arccos(cosines.clip(-1, 1)))
