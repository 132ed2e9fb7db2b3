"""Projections of latent codes to the plane, and alignment of 2-D maps."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.types import Run


@dataclass(frozen=True)
class Plane:
    """An affine map of codes to the plane, ``Z @ axes + origin``."""

    axes: np.ndarray
    origin: np.ndarray

    def points(self, Z: np.ndarray) -> np.ndarray:
        return (np.asarray(Z, np.float64) @ self.axes + self.origin).astype(np.float32)


def project_to_plane(Z: np.ndarray, Z_train: np.ndarray, are: str) -> tuple[np.ndarray, str]:
    """Project codes Z to the plane by PCA of Z_train, and describe how; `are` names the codes."""
    size = Z.shape[1]
    if size == 2:
        return Z.astype(np.float32), f"the 2-D {are}"
    if size == 1:
        return np.column_stack([Z, np.zeros(len(Z))]).astype(np.float32), f"the 1-D {are}, on a line"
    from sklearn.decomposition import PCA

    pca = PCA(2, svd_solver="covariance_eigh").fit(Z_train)
    return pca.transform(Z).astype(np.float32), f"the {size}-D {are}, projected by PCA"


def fit_plane(run: Run, shown_codes: Callable[[], np.ndarray]) -> Plane:
    """Recover the projection of a run's stored map: the identity for 2-D codes, else PCA's.

    PCA was fitted to all train codes when the run was measured; its axes are recovered by least squares, with minimum
    norm if fewer rows are stored than a code has dimensions. `shown_codes` returns those of the rows that are shown.
    """
    points = np.asarray(run.views["map"], np.float64)
    Z = np.asarray(run.views["codes"] if "codes" in run.views else shown_codes(), np.float64)
    if Z.shape[1] == 2:
        return Plane(np.eye(2), np.zeros(2))
    if Z.shape[1] == 1:
        return Plane(np.array([[1.0, 0.0]]), np.zeros(2))
    middle = Z.mean(axis=0)
    axes = np.linalg.lstsq(Z - middle, points - points.mean(axis=0), rcond=None)[0]
    return Plane(axes, points.mean(axis=0) - middle @ axes)


def align(points: np.ndarray, reference: np.ndarray) -> Plane | None:
    """Find the rotation, reflection, shift and scale of `points` nearest to `reference`.

    Rows without a position (NaN) in either map are left out of the fit. None if fewer than two rows have a position in
    both maps, or if either map is one point.
    """
    from scipy.linalg import orthogonal_procrustes

    points, reference = np.asarray(points, np.float64), np.asarray(reference, np.float64)
    both = np.isfinite(points).all(axis=1) & np.isfinite(reference).all(axis=1)
    if both.sum() < 2:
        return None
    ours, theirs = points[both], reference[both]
    if not (np.ptp(ours, axis=0).any() and np.ptp(theirs, axis=0).any()):
        return None
    middle, target = ours.mean(axis=0), theirs.mean(axis=0)
    rotation, strength = orthogonal_procrustes(ours - middle, theirs - target)
    axes = rotation * strength / np.square(ours - middle).sum()
    return Plane(axes, target - middle @ axes)
