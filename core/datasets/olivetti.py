"""Olivetti faces: 40 people, ten pictures of each.

Test are two pictures of everyone, or all those of every fifth person; the train pictures may have moved copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import ndimage

from core.datasets import download
from core.datasets.matlab import read_matrix
from core.datasets.splits import complement, stratified
from core.types import IMAGES, BadInput, Dataset

SHAPES = {"x": (None, 64, 64), "y": (None,)}
TEST_SHARE = 0.2
FOLDS = 5
SEED = 0
# Of a moved copy, either way. Pictures are cropped closely: a larger move would show more of what was made up beyond
# their edge than of the face.
TURN_DEGREES, SCALE, SHIFT_PIXELS = 6.0, 0.06, 2.0


def parse(name: str, paths: Sequence[Path]) -> dict[str, np.ndarray]:
    """Images upright and row by row; the published matrix holds one image a column, each transposed."""
    faces = read_matrix(paths[0], "faces")
    x = faces.T.reshape(-1, 64, 64).transpose(0, 2, 1).astype(np.uint8)
    return {"x": x, "y": (np.arange(len(x)) // 10).astype(np.uint8)}


def split(y: np.ndarray, held_out: str, fold: int) -> tuple[np.ndarray, np.ndarray]:
    """Train and test rows.

    Parameters
    ----------
    y : (n,) int, the person in each picture.
    held_out : {"pictures", "people"}
        Two pictures of everyone, where the task is to know a face again; or all of every fifth person, from person
        `fold` on, where it is to describe strangers.
    fold : 0 to 4; the folds share no person and together have everyone. There are none of pictures: it is 0.

    Returns
    -------
    train, test : (n_rows,) int64, increasing.

    Raises
    ------
    BadInput
        For another fold than 0 of pictures.
    """
    if held_out == "people":
        test = np.flatnonzero(y % FOLDS == fold)
    elif fold:
        raise BadInput(f"fold={fold} is one of people, and pictures are held out: give held_out=people, or fold=0.")
    else:
        test = stratified(y, round(len(y) * TEST_SHARE), SEED)
    return complement(test, len(y)), test


def moved(images: np.ndarray, copies: int) -> np.ndarray:
    """Copies of images, each a little turned, scaled and shifted; every other copy of an image is also mirrored.

    What comes in over an edge repeats the pixel at that edge.

    Parameters
    ----------
    images : (n, height, width) uint8.
    copies : of each image; a smaller number gives the first of the same ones.

    Returns
    -------
    (copies * n, height, width) uint8, all images once, then all again.
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
            # From a pixel of the copy to where it was.
            back = turned / (1 + SCALE * scale)
            offset = centre - back @ (centre + SHIFT_PIXELS * np.array(shift))
            pixels = ndimage.affine_transform(seen[i], back, offset, output=np.float64, order=1, mode="nearest")
            made[k, i] = np.rint(pixels)
    return made.reshape(-1, *images.shape[1:])


def load(name: str, *, held_out: str, fold: int, copies: int, progress: download.Progress | None = None) -> Dataset:
    """Labels are people in either split; where people are held out, no label of one split is in the other.

    Parameters
    ----------
    held_out, fold : see `split`.
    copies : of each train picture, behind all of them, see `moved`; test pictures have none.
    """
    arrays = download.read_arrays(download.stored(name, parse, progress), SHAPES)
    x, y = arrays["x"], arrays["y"].astype(np.int64)
    train, test = split(y, held_out, fold)
    return Dataset(
        name=name,
        kind=IMAGES,
        X_train=np.concatenate([x[train], moved(x[train], copies)]).reshape(-1, 64 * 64),
        y_train=np.tile(y[train], 1 + copies),
        X_test=x[test].reshape(-1, 64 * 64),
        y_test=y[test],
        target_names=tuple(f"person {k + 1}" for k in range(int(y.max()) + 1)),
        image_shape=(64, 64),
        licence="Free to use with credit to AT&T Laboratories Cambridge",
        citation=(
            "F. Samaria, A. Harter: Parameterisation of a stochastic model for human face identification. "
            "IEEE Workshop on Applications of Computer Vision, 1994."
        ),
    )
