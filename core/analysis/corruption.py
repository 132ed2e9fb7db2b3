"""Corruptions of images and of rows of tables, and the error of each method's reconstruction of a corrupted row.

A corruption of images maps ``(X, image_shape, amount, random_state)`` to a new (n, n_features) float32 array in [0, 1];
X is such an array and image_shape is (height, width). One of tables takes `core.analysis.table_cells.Cells` in place
of image_shape. It is drawn once per row and seed and grows with the amount, so methods are compared on the same
corrupted rows and amounts on the same rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from core.analysis import error_comparison
from core.analysis.table_cells import Cells
from core.metrics import bootstrap, reconstruction
from core.types import IMAGES, TABLES

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


def hide_cells(X: np.ndarray, cells: Cells, amount: float, random_state: int = 0) -> np.ndarray:
    """Replace `amount` percent of the cells, drawn at random, by the train rows' median or most frequent category."""
    return np.where(_draw_cells(cells, amount, np.random.default_rng(random_state)), cells.filling, X)


def shuffle_cells(X: np.ndarray, cells: Cells, amount: float, random_state: int = 0) -> np.ndarray:
    """Replace `amount` percent of the cells, drawn at random, by the cell of their column in another row."""
    rng = np.random.default_rng(random_state)
    is_drawn = _draw_cells(cells, amount, rng)
    # The rows in a circle: each takes the cell of a row at some distance, another one for each feature.
    distances = np.repeat(rng.integers(1, max(2, len(X)), len(cells.dataset.blocks)), cells.dataset.blocks)
    donors = (np.arange(len(X))[:, None] + distances) % len(X)
    return np.where(is_drawn, np.take_along_axis(X, donors, axis=0), X)


def _draw_cells(cells: Cells, amount: float, rng: np.random.Generator) -> np.ndarray:
    is_drawn = rng.random((len(cells.rows), len(cells.dataset.blocks))) < amount / 100
    return cells.to_columns(is_drawn) & cells.counted


@dataclass(frozen=True)
class Corruption:
    """A kind of corruption: label, the meaning of its amount, description, and function."""

    label: str
    axis: str
    about: str
    apply: Callable[..., np.ndarray]

    def levels(self, image_shape: tuple[int, int] | None) -> tuple[float, ...]:
        """The amounts that are measured, from 0 on; `image_shape` is of images."""
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
_CELLS_AXIS = "cells (%)"
_ABOUT_HIDDEN = "random cells replaced by the training median or most frequent category"
_ABOUT_SHUFFLED = "random cells replaced by those of another row in the same column"
OF_TABLES: dict[str, Corruption] = {
    "hidden": Corruption("Hidden cells", _CELLS_AXIS, _ABOUT_HIDDEN, hide_cells),
    "shuffled": Corruption("Shuffled cells", _CELLS_AXIS, _ABOUT_SHUFFLED, shuffle_cells),
}
BY_KIND = {IMAGES: KINDS, TABLES: OF_TABLES}


def compute_errors(
    reconstruct: Callable[[np.ndarray], np.ndarray],
    X: np.ndarray,
    form: tuple[int, int] | Cells,
    corruption: Corruption,
    random_state: int,
    on_level: Callable[[int, int], None],
) -> np.ndarray:
    """Measure the error of reconstructions of corrupted rows to the clean rows: (n_levels, n) float32.

    Of images (`form` is their shape) the squared error, a sum over pixels; of tables see `Cells.measure_rows`.
    `reconstruct` maps (n, n_features) float32 to the same shape; the identity gives the error of the corrupted rows.
    ``on_level(done, of)`` is called after each amount.
    """
    levels = corruption.levels(None if isinstance(form, Cells) else form)
    errors = np.empty((len(levels), len(X)), np.float32)
    for k, amount in enumerate(levels):
        X_hat = reconstruct(corruption.apply(X, form, amount, random_state))
        errors[k] = form.measure_rows(X_hat) if isinstance(form, Cells) else reconstruction.squared_error(X, X_hat)
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
