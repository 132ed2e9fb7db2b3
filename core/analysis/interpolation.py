"""Paths between two latent codes, and the direction from one class to another."""

import numpy as np

from core.errors import BadInput


def lerp(start: np.ndarray, end: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Interpolate linearly between two codes at `shares` from 0 to 1: (n, n_components) float64."""
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    shares = np.asarray(shares, np.float64)[:, None]
    return (1 - shares) * start + shares * end


def slerp(start: np.ndarray, end: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Interpolate spherically between two codes, with linearly changing length.

    Samples from N(0, I) lie near a sphere, which the straight line between two of them leaves. For codes in the same
    or in opposite directions this is `lerp`. Shoemake 1985, Animating rotation with quaternion curves; White 2016,
    Sampling generative networks.
    """
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    if min(lengths) < 1e-12:
        return lerp(start, end, shares)
    one, other = start / lengths[0], end / lengths[1]
    angle = np.arccos(np.clip(one @ other, -1, 1))
    if np.sin(angle) < 1e-6:
        return lerp(start, end, shares)
    shares = np.asarray(shares, np.float64)[:, None]
    directions = (np.sin((1 - shares) * angle) * one + np.sin(shares * angle) * other) / np.sin(angle)
    return directions * ((1 - shares) * lengths[0] + shares * lengths[1])


def compute_class_difference(Z: np.ndarray, y: np.ndarray, plus: int, minus: int) -> np.ndarray:
    """Subtract the mean code of class `minus` from that of `plus`; BadInput without rows.

    Larsen et al. 2016, Autoencoding beyond pixels using a learned similarity metric (visual attribute vectors).
    """
    Z, y = np.asarray(Z, np.float64), np.asarray(y)
    means = []
    for label in (plus, minus):
        if not (y == label).any():
            raise BadInput(f"No row of class number {label} is here: choose another class, or more rows.")
        means.append(Z[y == label].mean(axis=0))
    return means[0] - means[1]
