"""A linear autoencoder compared with PCA: distances of subspaces and errors, and the transformation of the code.

The decoder D has the autoencoder's axes as columns, the principal components U are orthonormal rows. Any invertible R
may transform the code without changing the reconstructions: D z = (D R^-1) (R z). So the squared error determines the
span of the axes and not the axes (Baldi and Hornik 1989).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from core.errors import BadInput
from core.metrics.pca_spectrum import Spectrum

_LEAST_STRETCH = 1e-6  # of a meaningful inverse


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
        """From the arrays of a `core.methods.linear_ae.LinearAutoencoder`, in float64."""
        names = ("encoder.weight", "encoder.bias", "decoder.weight", "decoder.bias", "mean_")
        return cls(*(np.asarray(arrays[name], np.float64) for name in names))

    def encode(self, X: np.ndarray) -> np.ndarray:
        """Codes of rows: (n, n_features) -> (n, n_components)."""
        return (X - self.mean) @ self.encoder.T + self.encoder_bias

    def reconstruct(self, Z: np.ndarray) -> np.ndarray:
        """Rows from codes: (n, n_components) -> (n, n_features)."""
        return Z @ self.decoder.T + self.decoder_bias + self.mean


def principal_angles(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Principal angles between the column spaces of A and B, (n_features, k) and (n_features, l), in degrees.

    Returns (min(k, l),) float64 in [0, 90], the largest first; dependent columns count as 90 degrees.
    Source: Björck and Golub 1973, Numerical methods for computing angles between linear subspaces, Math. Comp. 27;
    Knyazev and Argentati 2002, SIAM J. Sci. Comput. 23.
    """
    from scipy import linalg

    A, B = np.asarray(A, np.float64), np.asarray(B, np.float64)
    m = min(A.shape[1], B.shape[1])
    found = np.degrees(linalg.subspace_angles(A, B)) if A.any() and B.any() else np.empty(0)
    return np.concatenate([np.full(m - len(found), 90.0), found])


def excess_error(pair: LinearPair, spectrum: Spectrum) -> float:
    """Squared error per row of a linear autoencoder minus that of PCA of the same size, on the decomposed rows.

    It needs no row: with the covariance C and M = D E - I, the mean squared error is tr(M C M^T) plus the squared
    error of the mean.
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
    """Largest and mean principal angle in degrees between the decoder's columns and PCA's, and the excess error."""
    first = spectrum.components[: len(pair.encoder)].T
    # Equal rows have no component, and any subspace is optimal.
    angles = principal_angles(pair.decoder, first) if first.size else np.zeros(1)
    distances = {"largest_angle": float(angles.max()), "mean_angle": float(angles.mean())}
    return distances | {"excess_error": excess_error(pair, spectrum)}


@dataclass(frozen=True)
class CodeRotation:
    """The transformation of an autoencoder's code into PCA's, within the autoencoder's subspace.

    Attributes
    ----------
    matrix : (k, k) R, which maps the autoencoder's code, up to a constant, to PCA's.
    signs : (k,) 1 or -1, factors of the principal components that minimise the rotation.
    """

    matrix: np.ndarray
    signs: np.ndarray

    @classmethod
    def between(cls, decoder: np.ndarray, components: np.ndarray) -> CodeRotation:
        """From a decoder, (n_features, k), to the first principal components, (k, n_features).

        Raises BadInput if the axes are dependent in PCA's subspace.
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
        """A rotation's planes (columns) and angles in radians; a stretch's directions (rows) and factors."""
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
        # Reversed directions come in pairs, each pair a plane rotated by half a turn.
        order = [j for j in range(len(blocks)) if j not in singles] + singles
        angles[singles[::2]] = np.pi
        return planes[:, order], angles[order], right, stretch

    @property
    def angles(self) -> np.ndarray:
        """(k // 2,) total rotation of each plane of the code in degrees, the largest first."""
        _, angles, _, _ = self._polar
        found = np.sort(np.degrees(np.abs(angles[angles != 0])))[::-1]
        return np.concatenate([found, np.zeros(max(0, len(angles) // 2 - len(found)))])

    def left(self, share: float) -> np.ndarray:
        """The remaining transformation, (k, k), after a share of the way."""
        return np.linalg.solve(self.at(share).T, self.matrix.T).T

    def at(self, share: float) -> np.ndarray:
        """The transformation after a share of the way, (k, k): the identity at 0, `matrix` at 1.

        With the polar decomposition R = Q P it is Q^share P^share: planes rotate and directions stretch evenly.
        """
        planes, angles, directions, stretch = self._polar
        turned = np.eye(len(angles))
        for j in np.flatnonzero(angles):
            c, s = np.cos(share * angles[j]), np.sin(share * angles[j])
            turned[j : j + 2, j : j + 2] = [[c, -s], [s, c]]
        return planes @ turned @ planes.T @ (directions.T * stretch**share) @ directions


def rotate_code(pair: LinearPair, by: np.ndarray) -> LinearPair:
    """The same autoencoder with codes R z and axes D R^-1, for an invertible matrix R, (k, k)."""
    axes = np.linalg.solve(by.T, pair.decoder.T).T
    return LinearPair(by @ pair.encoder, by @ pair.encoder_bias, axes, pair.decoder_bias, pair.mean)
