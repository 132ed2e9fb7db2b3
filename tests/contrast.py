"""Contrast of colours as WCAG 2.2 defines it."""

import re

import numpy as np

from core.figures import palette

_TO_LUMINANCE = np.array([0.2126, 0.7152, 0.0722])


def channels(colour: str) -> np.ndarray:
    """``"#rrggbb"``, ``"rgb(r, g, b)"`` or ``"rgba(r, g, b, a)"`` -> red, green, blue in 0..255 and opacity."""
    if colour.startswith("#"):
        return np.append(palette.to_rgb(colour), 1.0)
    found = [float(part) for part in re.findall(r"[\d.]+", colour)]
    return np.array([*found, 1.0][:4])


def luminance(rgb: np.ndarray) -> float:
    share = rgb / 255
    return float(np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4) @ _TO_LUMINANCE)


def contrast(colour: str, ground: str, opacity: float = 1.0) -> float:
    """Of a colour, which may be seen through, on a ground: from 1 to 21."""
    below = channels(ground)[:3]
    *above, alpha = channels(colour)
    share = alpha * opacity
    low, high = sorted((luminance(share * np.array(above) + (1 - share) * below), luminance(below)))
    return (high + 0.05) / (low + 0.05)
