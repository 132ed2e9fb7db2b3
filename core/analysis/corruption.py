"""Corruptions of images, and the error of each method's reconstruction of a corrupted image.

The corruption is drawn once per row and seed and grows with the amount, so methods are compared on the same corrupted
images and amounts on the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.analysis import error_comparison
from core.errors import BadInput
from core.metrics import bootstrap, reconstruction

GREY, BLACK = 0.5, 0.0
_MOST_SIGMA, _MOST_SHARE = 1.0, 100.0
_STEPS = np.array([(0, 1), (0, -1), (1, 0), (-1, 0)])  # down and right: right, left, down, up


def add_noise(X: np.ndarray, image_shape: tuple[int, int], amount: float, random_state: int = 0) -> np.ndarray:
    """Add Gaussian noise to every pixel, then clip to [0, 1].

    Parameters
    ----------
    X : (n, n_features) float32 in [0, 1]
    image_shape : (height, width) in pixels
    amount : standard deviation before clipping, in pixel units, 0 to 1
    random_state : seed of a local generator; a larger amount scales the same draw

    Returns
    -------
    (n, n_features) float32 in [0, 1], a new array

    Raises
    ------
    BadInput
        For an amount outside its range, or rows that are not images of this shape.
    """
    X = _checked(X, image_shape, "noise", amount, _MOST_SIGMA)
    draw = np.random.default_rng(random_state).standard_normal(X.shape, np.float32)
    return np.clip(X + np.float32(amount) * draw, 0, 1)


def cover_patch(
    X: np.ndarray, image_shape: tuple[int, int], amount: float, random_state: int = 0, *, value: float = GREY
) -> np.ndarray:
    """Cover one patch of each image, of the image's proportions, at a random place.

    Parameters
    ----------
    X : (n, n_features) float32 in [0, 1]
    image_shape : (height, width) in pixels
    amount : the patch's side in percent of the image's, 0 to 100, rounded to whole pixels: at 50 a quarter of the area
    random_state : seed of a local generator; at a larger amount the patch grows about the same place, inside the image
    value : what the patch is filled with, in [0, 1]

    Returns
    -------
    (n, n_features) float32 in [0, 1], a new array

    Raises
    ------
    BadInput
        For an amount outside its range, or rows that are not images of this shape.
    """
    X = _checked(X, image_shape, "patch", amount, _MOST_SHARE)
    height, width = image_shape
    h, w = (int(np.floor(side * amount / 100 + 0.5)) for side in image_shape)
    places = np.random.default_rng(random_state).random((len(X), 2))
    top, left = np.floor(places * (height - h + 1, width - w + 1)).astype(int).T
    down, right = np.arange(height), np.arange(width)
    inside_rows = (down >= top[:, None]) & (down < top[:, None] + h)  # (n, height)
    inside_columns = (right >= left[:, None]) & (right < left[:, None] + w)  # (n, width)
    inside = (inside_rows[:, :, None] & inside_columns[:, None, :]).reshape(X.shape)
    return np.where(inside, np.float32(value), X)


def cover_black_patch(X: np.ndarray, image_shape: tuple[int, int], amount: float, random_state: int = 0) -> np.ndarray:
    """As `cover_patch`, filled with black."""
    return cover_patch(X, image_shape, amount, random_state, value=BLACK)


def shift_images(X: np.ndarray, image_shape: tuple[int, int], amount: int, random_state: int | None = 0) -> np.ndarray:
    """Shift each image by whole pixels; pixels that enter are black.

    Parameters
    ----------
    X : (n, n_features) float32 in [0, 1]
    image_shape : (height, width) in pixels
    amount : pixels, from 0 to the image's longer side
    random_state : seed of a local generator, which draws right, left, down or up for each row; None: all to the right

    Returns
    -------
    (n, n_features) float32 in [0, 1], a new array

    Raises
    ------
    BadInput
        For an amount that is no whole number in its range, or rows that are not images of this shape.
    """
    X = _checked(X, image_shape, "shift", amount, max(image_shape))
    if amount != int(amount):
        raise BadInput(f"shift={amount} is not allowed: it is a whole number of pixels.")
    height, width = image_shape
    n, k = len(X), int(amount)
    drawn = np.zeros(n, int) if random_state is None else np.random.default_rng(random_state).integers(0, 4, n)
    images = X.reshape(n, height, width)
    moved = np.zeros_like(images)
    for direction, (down, right) in enumerate(_STEPS * k):
        rows = drawn == direction
        to_rows, from_rows = _overlap(down, height)
        to_columns, from_columns = _overlap(right, width)
        part = moved[rows]
        part[:, to_rows, to_columns] = images[rows][:, from_rows, from_columns]
        moved[rows] = part
    return moved.reshape(X.shape)


def _overlap(step: int, size: int) -> tuple[slice, slice]:
    """The target and the source of the pixels that stay inside after a shift by `step`."""
    kept = max(size - abs(step), 0)
    low = min(abs(step), size)
    return (slice(low, low + kept), slice(0, kept)) if step >= 0 else (slice(0, kept), slice(low, low + kept))


def _checked(X: np.ndarray, image_shape: tuple[int, int], name: str, amount: float, most: float) -> np.ndarray:
    X = np.asarray(X, np.float32)
    if X.ndim != 2 or X.shape[1] != image_shape[0] * image_shape[1]:
        raise BadInput(f"Rows of shape {X.shape} are no images of {image_shape[0]} x {image_shape[1]} pixels.")
    if not 0 <= amount <= most:
        raise BadInput(f"{name}={amount} is not allowed: it is from 0 to {most:g}.")
    return X


@dataclass(frozen=True)
class Corruption:
    """A kind of corruption.

    Attributes
    ----------
    label : what people read; axis : what the amount is, with its unit; about : a sentence.
    apply : ``apply(X, image_shape, amount, random_state)``.
    """

    label: str
    axis: str
    about: str
    apply: Callable[..., np.ndarray]

    def levels(self, image_shape: tuple[int, int]) -> tuple[float, ...]:
        """The amounts that are measured, from 0 on."""
        if self.apply is shift_images:
            return tuple(range(min(10, max(image_shape) // 2) + 1))
        return tuple(round(0.1 * k, 1) for k in range(11)) if self.apply is add_noise else tuple(range(0, 101, 10))


_PATCH_AXIS = "side of the patch (% of the image's side)"
KINDS: dict[str, Corruption] = {
    "noise": Corruption(
        "Noise",
        "standard deviation of the noise (pixel units, 0 to 1)",
        "Gaussian noise on every pixel, clipped to [0, 1]",
        add_noise,
    ),
    "grey": Corruption("Grey patch", _PATCH_AXIS, "a grey patch at a random position", cover_patch),
    "black": Corruption("Black patch", _PATCH_AXIS, "a black patch at a random position", cover_black_patch),
    "shift": Corruption("Shift", "shift (pixels)", "moved in a random direction, empty pixels black", shift_images),
}


def compute_errors(
    reconstruct: Callable[[np.ndarray], np.ndarray],
    X: np.ndarray,
    image_shape: tuple[int, int],
    kind: str,
    random_state: int = 0,
    on_level: Callable[[int, int], None] = lambda done, of: None,
) -> np.ndarray:
    """Measure the squared error between reconstructions of corrupted images and the clean images.

    Parameters
    ----------
    reconstruct : (n, n_features) float32 -> (n, n_features); the identity gives the error of the corrupted images
    X : (n, n_features) float32 in [0, 1], the clean images
    kind : one of `KINDS`
    on_level : called as ``on_level(done, of)`` after each amount

    Returns
    -------
    (n_levels, n) float32 : a row for each of the kind's `levels`; summed over pixels, see
    `core.metrics.reconstruction.squared_error`
    """
    levels = KINDS[kind].levels(image_shape)
    found = np.empty((len(levels), len(X)), np.float32)
    for k, amount in enumerate(levels):
        broken = KINDS[kind].apply(X, image_shape, amount, random_state)
        found[k] = reconstruction.squared_error(X, reconstruct(broken))
        on_level(k + 1, len(levels))
    return found


def compute_band(errors: np.ndarray) -> np.ndarray:
    """(n_levels, n) errors -> (n_levels, 3) mean and ends of its 95% bootstrap interval over the rows."""
    return np.array([(row.mean(dtype=np.float64), *bootstrap.mean_interval(row)) for row in errors])


def compare_with_input(errors: np.ndarray, nothing: np.ndarray) -> np.ndarray:
    """Compare errors with those without a model: 1 significantly lower, -1 significantly higher, 0 neither.

    Parameters
    ----------
    errors, nothing : (n_levels, n) of the same rows
    """
    verdicts = []
    for ours, theirs in zip(errors, nothing, strict=True):
        low, high = bootstrap.paired_difference_interval(ours, theirs)
        verdicts.append(-1 if low > 0 else 1 if high < 0 else 0)
    return np.array(verdicts)


def find_leaders(errors: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Find the methods with the lowest mean error at each amount, ties as in `core.analysis.error_comparison.is_tied`.

    Parameters
    ----------
    errors : method -> (n_levels, n) of the same rows
    """
    n_levels = min((len(each) for each in errors.values()), default=0)
    found = []
    for k in range(n_levels):
        at = {name: np.asarray(each[k], np.float64) for name, each in errors.items()}
        first = min(at, key=lambda name, at=at: at[name].mean())
        found.append(tuple(name for name in at if name == first or error_comparison.is_tied(at[name], at[first])))
    return found
