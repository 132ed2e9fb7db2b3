"""Loss surface of a linear autoencoder in the plane with tied weights: x_hat = w w^T x.

With C the covariance of the rows, L(w) = E |x - w w^T x|^2 = tr C - 2 w^T C w + |w|^2 w^T C w. For C with eigenvalues
l1 > l2 and directions u1, u2 the stationary points are +-u1 (minima, L = l2), +-u2 (saddles, L = l1) and 0 (a local
maximum, L = l1 + l2).

References
----------
Baldi and Hornik 1989, Neural networks and principal component analysis: learning from examples without local minima.
Oja 1982, A simplified neuron model as a principal component analyzer.
"""

from dataclasses import dataclass

import numpy as np


def make_covariance(large: float, small: float, degrees: float) -> np.ndarray:
    """(2, 2) with these variances, the larger along a direction at so many degrees."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    rotation = np.array([[cos, -sin], [sin, cos]])
    return rotation @ np.diag([large, small]) @ rotation.T


def compute_loss(C: np.ndarray, W: np.ndarray) -> np.ndarray:
    """L(w), squared error per row, mean over rows: (2, 2), (..., 2) -> (...)."""
    along = np.einsum("...i,ij,...j->...", W, C, W)
    return np.trace(C) + (np.square(W).sum(-1) - 2) * along


def compute_gradient(C: np.ndarray, W: np.ndarray) -> np.ndarray:
    """dL/dw: (2, 2), (..., 2) -> (..., 2)."""
    along = np.einsum("...i,ij,...j->...", W, C, W)[..., None]
    return 2 * (np.square(W).sum(-1, keepdims=True) - 2) * (W @ C) + 2 * along * W


def compute_hessian(C: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The second derivatives of L at w (2,): (2, 2)."""
    Cw = C @ w
    return 2 * (w @ w - 2) * C + 4 * (np.outer(Cw, w) + np.outer(w, Cw)) + 2 * (w @ Cw) * np.eye(2)


@dataclass(frozen=True)
class StationaryPoint:
    """A stationary point: w (2,), its loss, and "minimum", "saddle" or "maximum"."""

    w: np.ndarray
    loss: float
    kind: str


def find_stationary_points(C: np.ndarray) -> list[StationaryPoint]:
    """u1, -u1, u2, -u2 and 0; if both variances are equal, u1 is any direction."""
    _, directions = np.linalg.eigh(C)
    found = [*(sign * directions[:, k] for k in (1, 0) for sign in (1, -1)), np.zeros(2)]
    return [
        StationaryPoint(w, float(compute_loss(C, w)), _classify(np.linalg.eigvalsh(compute_hessian(C, w))))
        for w in found
    ]


def _classify(curvatures: np.ndarray) -> str:
    flat = 1e-9 * max(1.0, np.abs(curvatures).max())
    if (curvatures > -flat).all():
        return "minimum"
    return "maximum" if (curvatures < flat).all() else "saddle"


def descend(C: np.ndarray, start: np.ndarray, rate: float, steps: int) -> np.ndarray:
    """The path (steps + 1, 2) of plain gradient descent from `start` (2,); it ends early where it diverges.

    The step is `rate` times the gradient divided by the larger variance, so that it means the same for every C.
    """
    scale = np.linalg.eigvalsh(C)[-1]
    path = [np.asarray(start, float)]
    for _ in range(steps):
        w = path[-1] - rate * compute_gradient(C, path[-1]) / scale
        if not np.abs(w).max() < 10:
            break
        path.append(w)
    return np.array(path)
