"""Olivetti faces: 40 people, ten pictures of each."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import ndimage

from core import datasets
from core.datasets import MOST_CLASSES, Progress, download, file_formats, matlab_files
from core.datasets.subsets import choose_stratified
from core.errors import BadInput
from core.types import IMAGES, Dataset

SHAPES = {"x": (64, 64), "y": ()}
PEOPLE = 40
TEST_SHARE = 0.2
FOLDS = 5
SEED = 0
# Largest changes of a copy. Pictures are cropped closely: larger ones would show what lies beyond them.
TURN_DEGREES, SCALE, SHIFT_PIXELS = 6.0, 0.06, 2.0


def parse(paths: Sequence[Path]) -> dict[str, np.ndarray]:
    """Images from the columns of the published matrix, each of which is transposed."""
    x = matlab_files.read_images(paths[0], "faces", SHAPES["x"]).transpose(0, 2, 1)
    if len(x) > 10 * MOST_CLASSES:
        raise ValueError(f"it has {len(x):,} faces, and at most {10 * MOST_CLASSES:,} are allowed")
    y = (np.arange(len(x)) // 10).astype(np.uint8)
    return file_formats.parse_images({"x": x, "y": y})[0]


def split_rows(y: np.ndarray, held_out: str, fold: int) -> tuple[np.ndarray, np.ndarray]:
    """Train and test rows, (n_rows,) int64 each, increasing; `y` is the person in each picture.

    Test rows are two ``"pictures"`` of everyone, or ``"people"``: all of every fifth person, the first of whom is
    `fold`, 0 to 4. Raises BadInput for another fold than 0 with pictures.
    """
    if held_out == "people":
        test = np.flatnonzero(y % FOLDS == fold)
    elif fold:
        raise BadInput(f"fold={fold} is one of people, and pictures are held out: give held_out=people, or fold=0.")
    else:
        test = choose_stratified(y, round(len(y) * TEST_SHARE), SEED)
    return np.setdiff1d(np.arange(len(y)), test), test


def make_copies(images: np.ndarray, copies: int) -> np.ndarray:
    """Copies of images, slightly rotated, scaled and shifted; every other copy is also mirrored.

    (n, height, width) uint8 -> (copies * n, height, width): all images once, then all again. Pixels beyond an edge
    repeat those at the edge. Fewer copies are the first of more.
    """
    random = np.random.RandomState(SEED)
    centre = (np.array(images.shape[1:]) - 1) / 2
    made = np.empty((copies, *images.shape), np.uint8)
    for k in range(copies):
        seen = images[:, :, ::-1] if k % 2 == 0 else images
        draws = random.uniform(-1, 1, (len(images), 4))
        for i, (turn, scale, *shift) in enumerate(draws):
            angle = np.deg2rad(TURN_DEGREES * turn)
            turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            back = turned / (1 + SCALE * scale)  # from a pixel of the copy to one of the image
            offset = centre - back @ (centre + SHIFT_PIXELS * np.array(shift))
            pixels = ndimage.affine_transform(seen[i], back, offset, output=np.float64, order=1, mode="nearest")
            made[k, i] = np.rint(pixels)
    return made.reshape(-1, *images.shape[1:])


def load(name: str, *, held_out: str, fold: int, copies: int, progress: Progress | None = None) -> Dataset:
    """Labels are people; `held_out` and `fold` as in `split_rows`, `copies` of train pictures as in `make_copies`."""
    usual = tuple(f"person {k + 1}" for k in range(PEOPLE))
    arrays, names, notes = file_formats.read_images(download.get_stored_file(name, parse, progress), SHAPES, usual)
    x, y = arrays["x"], arrays["y"]
    train, test = split_rows(y, held_out, fold)
    X_train = np.concatenate([x[train], make_copies(x[train], copies)]).reshape(-1, 64 * 64)
    rows = (X_train, np.tile(y[train], 1 + copies), x[test].reshape(-1, 64 * 64), y[test])
    return Dataset(
        *(name, IMAGES, *rows, names),
        notes=notes,
        image_shape=(64, 64),
        licence=datasets.entry(name).licence,
        citation="F. Samaria, A. Harter: Parameterisation of a stochastic model for human face identification. "
        "IEEE Workshop on Applications of Computer Vision, 1994.",
    )
