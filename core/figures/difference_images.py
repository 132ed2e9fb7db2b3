"""Signed differences as pictures, on one scale: below zero, nothing, above zero."""

from __future__ import annotations

import math

import numpy as np

from core.figures import palette

# Below zero, zero, above zero. Blue and orange stay apart for every common kind of colour blindness; zero is the
# ground of the page's panels, so that a difference stands out by its contrast in light and in dark.
COLOURS = {"light": ("#0b4aa2", "#f3f5f7", "#b03a00"), "dark": ("#6cb4ff", "#1e232a", "#ff9a3d")}


def colour_differences(values: np.ndarray, limit: float, theme: str) -> np.ndarray:
    """Colours of signed values, from -limit to limit; what lies beyond has the colour of the end.

    Parameters
    ----------
    values : floats of any shape
    limit : > 0, the same for all that are to be compared
    theme : "light" or "dark"

    Returns (*values.shape, 3) uint8
    """
    below, zero, above = (palette.to_rgb(colour) for colour in COLOURS[theme])
    share = np.clip(np.asarray(values, np.float64) / limit, -1, 1)[..., None]
    return np.rint(zero + np.abs(share) * (np.where(share < 0, below, above) - zero)).astype(np.uint8)


def make_montage(
    differences: np.ndarray,
    shape: tuple[int, int],
    columns: int,
    limit: float,
    theme: str,
    *,
    cell: int = 112,
    gap: int = 4,
) -> np.ndarray:
    """Signed differences in rows of `columns`, laid out as `core.figures.montages.make_montage` lays out images.

    Parameters
    ----------
    differences : (n, height * width) floats

    Returns
    -------
    (rows * h + (rows - 1) * gap, columns * w + (columns - 1) * gap, 4) uint8 : colour and alpha
    """
    height, width = shape
    scale = max(1, cell // max(shape))
    rows = max(1, math.ceil(len(differences) / columns))
    h, w = height * scale, width * scale
    picture = np.zeros((rows * (h + gap) - gap, columns * (w + gap) - gap, 4), np.uint8)
    painted = colour_differences(differences, limit, theme).reshape(-1, height, width, 3)
    for k, image in enumerate(painted):
        top, left = (k // columns) * (h + gap), (k % columns) * (w + gap)
        picture[top : top + h, left : left + w, :3] = image.repeat(scale, 0).repeat(scale, 1)
        picture[top : top + h, left : left + w, 3] = 255
    return picture


def make_colour_bar(theme: str, width: int = 201, height: int = 1) -> np.ndarray:
    """The scale itself, from -limit at the left to limit: (height, width, 3) uint8."""
    return np.broadcast_to(colour_differences(np.linspace(-1, 1, width), 1.0, theme), (height, width, 3)).copy()
