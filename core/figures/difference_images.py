"""Signed differences as pictures, on one scale: negative, zero, positive."""

import numpy as np

from core.figures import montages, palette

# Negative, zero, positive. Blue and orange stay apart for every common kind of colour blindness; zero is the ground of
# the page's panels, so that a difference stands out by its contrast in light and in dark.
COLOURS = {"light": ("#0b4aa2", "#f3f5f7", "#b03a00"), "dark": ("#6cb4ff", "#1e232a", "#ff9a3d")}


def colour_differences(values: np.ndarray, limit: float, theme: str) -> np.ndarray:
    """Colours of signed values, clipped to -limit and limit: any shape -> (*shape, 3) uint8."""
    negative, zero, positive = (palette.to_rgb(colour) for colour in COLOURS[theme])
    share = np.clip(np.asarray(values, np.float64) / limit, -1, 1)[..., None]
    return np.rint(zero + np.abs(share) * (np.where(share < 0, negative, positive) - zero)).astype(np.uint8)


def make_montage(
    differences: np.ndarray, shape: tuple[int, int], columns: int, limit: float, theme: str, *, cell: int = 112
) -> np.ndarray:
    """Signed differences (n, height * width) laid out as in `montages.make_montage`, in colour."""
    return montages.make_montage(colour_differences(differences, limit, theme), shape, columns, cell=cell)


def make_colour_bar(theme: str, width: int = 201) -> np.ndarray:
    """The scale itself, from negative to positive: (1, width, 3) uint8."""
    return colour_differences(np.linspace(-1, 1, width), 1.0, theme)[None]
