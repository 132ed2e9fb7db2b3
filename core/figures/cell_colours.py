"""Colours behind the cells of a table by their errors, on which the values stay readable."""

import numpy as np

from core.figures import palette

# Behind a cell without an error and one with the largest shown; text on both has a contrast of at least 4.5:1.
ENDS = {"light": (palette.GROUND["light"], "#ffac6b"), "dark": (palette.GROUND["dark"], "#8f3d00")}
LARGEST = 1.0  # squared error over variance: one standard deviation


def colour_errors(errors: np.ndarray, theme: str) -> list[str]:
    """Colours of errors, see `core.metrics.tables.CellErrors`, (n,), by their square roots; "" for NaN."""
    zero, full = (palette.to_rgb(colour) for colour in ENDS[theme])
    shares = np.sqrt(np.clip(np.asarray(errors, np.float64) / LARGEST, 0, 1))
    mixed = np.rint(zero + np.nan_to_num(shares)[:, None] * (full - zero)).astype(int)
    return [
        "" if share != share else "#{:02x}{:02x}{:02x}".format(*rgb) for share, rgb in zip(shares, mixed, strict=True)
    ]
