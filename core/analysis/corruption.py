"""Corruptions of images, and the error of each method's reconstruction of a corrupted image.

A corruption maps ``(X, image_shape, amount, random_state)`` to a new (n, n_features) float32 array in [0, 1]; X is such
an array and image_shape is (height, width). It is drawn once per row and seed and grows with the amount, so methods
are compared on the same corrupted images and amounts on the same rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from core.analysis import error_comparison
from core.metrics import bootstrap, reconstruction

GREY, BLACK = 0.5, 0.0
_STEPS = np.array([(0, 1), (0, -1), (1, 0), (-1, 0)])  # down and right: right, left, down, up


def add_noise(X: np.ndarray, image_shape: tuple[int, int], amount: float, random_state: int = 0) -> np.ndarray:
    """Add Gaussian noise of standard deviation `amount`, 0 to 1, and clip to [0, 1]."""
    draw = np.random.default_rng(random_state).standard_normal(X.shape, np.float32)
    return np.clip(X + np.float32(amount) * draw, 0, 1)


def cover_patch(
    X: np.ndarray, image_shape: tuple[int, int], amount: float, random_state: int = 0, *, value: float = GREY
) -> np.ndarray:
    """Cover one patch of each image, of the image's proportions, at a random place inside it.

    Its side is `amount` percent of the image's, 0 to 100, in whole pixels: at 50 a quarter of the area. A larger patch
    is about the same place. It is filled with `value`, in [0, 1].
    """
    height, width = image_shape
    h, w = (int(np.floor(side * amount / 100 + 0.5)) for side in image_shape)
    places = np.random.default_rng(random_state).random((len(X), 2))
    top, left = np.floor(places * (height - h + 1, width - w + 1)).astype(int).T
    down, right = np.arange(height), np.arange(width)
    inside_rows = (down >= top[:, None]) & (down < top[:, None] + h)  # (n, height)
    inside_columns = (right >= left[:, None]) & (right < left[:, None] + w)  # (n, width)
    inside = (inside_rows[:, :, None] & inside_columns[:, None, :]).reshape(X.shape)
    return np.where(inside, np.float32(value), X)


def shift_images(X: np.ndarray, image_shape: tuple[int, int], amount: int, random_state: int = 0) -> np.ndarray:
    """Shift each image by `amount` pixels, 0 to its longer side, to the right, left, down or up at random.

    Pixels that enter are black.
    """
    (height, width), n, k = image_shape, len(X), amount
    drawn = np.random.default_rng(random_state).integers(0, 4, n)
    images = X.reshape(n, height, width)
    padded = np.pad(images, ((0, 0), (k, k), (k, k)))
    shifted = np.empty_like(images)
    for direction, (down, right) in enumerate(_STEPS * k):
        rows = drawn == direction
        shifted[rows] = padded[rows, k - down : k - down + height, k - right : k - right + width]
    return shifted.reshape(X.shape)


@dataclass(frozen=True)
class Corruption:
    """A kind of corruption: label, the meaning of its amount, description, and function."""

    label: str
    axis: str
    about: str
    apply: Callable[..., np.ndarray]

    def levels(self, image_shape: tuple[int, int]) -> tuple[float, ...]:
        """The amounts that are measured, from 0 on."""
        if self.apply is shift_images:
            return tuple(range(min(10, max(image_shape) // 2) + 1))
        return tuple(round(0.1 * k, 1) for k in range(11)) if self.apply is add_noise else tuple(range(0, 101, 10))


cover_black = partial(cover_patch, value=BLACK)
_NOISE_AXIS = "standard deviation of the noise (pixel units, 0 to 1)"
_PATCH_AXIS = "side of the patch (% of the image's side)"
KINDS: dict[str, Corruption] = {
    "noise": Corruption("Noise", _NOISE_AXIS, "Gaussian noise on every pixel, clipped to [0, 1]", add_noise),
    "grey": Corruption("Grey patch", _PATCH_AXIS, "a grey patch at a random position", cover_patch),
    "black": Corruption("Black patch", _PATCH_AXIS, "a black patch at a random position", cover_black),
    "shift": Corruption("Shift", "shift (pixels)", "moved in a random direction, empty pixels black", shift_images),
}


def compute_errors(
    reconstruct: Callable[[np.ndarray], np.ndarray],
    X: np.ndarray,
    image_shape: tuple[int, int],
    kind: str,
    random_state: int,
    on_level: Callable[[int, int], None],
) -> np.ndarray:
    """Measure the squared error, a sum over pixels, of reconstructions of corrupted images to the clean images.

    `reconstruct` maps (n, n_features) float32 to the same shape; the identity gives the error of the corrupted images.
    ``on_level(done, of)`` is called after each amount. Returns (n_levels, n) float32, a row for each of `levels`.
    """
    levels = KINDS[kind].levels(image_shape)
    errors = np.empty((len(levels), len(X)), np.float32)
    for k, amount in enumerate(levels):
        corrupted = KINDS[kind].apply(X, image_shape, amount, random_state)
        errors[k] = reconstruction.squared_error(X, reconstruct(corrupted))
        on_level(k + 1, len(levels))
    return errors


def compute_band(errors: np.ndarray) -> np.ndarray:
    """(n_levels, n) errors -> (n_levels, 3) mean and ends of its 95% bootstrap interval."""
    return np.array([(row.mean(dtype=np.float64), *bootstrap.mean_interval(row)) for row in errors])


def compare_with_input(errors: np.ndarray, nothing: np.ndarray) -> np.ndarray:
    """Compare errors with those without a model: 1 significantly lower, -1 higher, 0 neither."""
    intervals = (bootstrap.paired_difference_interval(*rows) for rows in zip(errors, nothing, strict=True))
    return np.array([-1 if low > 0 else 1 if high < 0 else 0 for low, high in intervals])


def find_leaders(errors: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Find the methods with the lowest mean error at each amount, and those tied with it."""
    leaders = []
    for k in range(min(map(len, errors.values()), default=0)):
        at = {name: np.asarray(levels[k], np.float64) for name, levels in errors.items()}
        first = min(at, key=lambda name, at=at: at[name].mean())
        leaders.append(tuple(name for name in at if name == first or error_comparison.is_tied(at[name], at[first])))
    return leaders
