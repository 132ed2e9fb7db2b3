"""Binarised images: black or white by a threshold, or drawn with the grey value as the probability of white."""

import hashlib
from dataclasses import replace

import numpy as np

from core.types import Dataset, Param

GREY, THRESHOLD, DYNAMIC = "grey", "threshold", "dynamic"
WHITE_FROM = 128  # of 255
_ABOUT = (
    f"Grey values; black or white by a threshold, white from {WHITE_FROM} of 255; or dynamic: drawn with the grey "
    "value as the probability of white, training images anew in each batch, test images once."
)
PIXELS = Param("pixels", GREY, (GREY, THRESHOLD, DYNAMIC), _ABOUT, implied=True)
_ROWS_AT_ONCE = 5000
_STEP = 0x9E3779B97F4A7C15


def binarise(dataset: Dataset, pixels: str) -> Dataset:
    """The images of a data set in black, 0, and white, 255; as they are if `pixels` is ``"grey"``.

    ``"dynamic"`` draws each image once, the same on every machine, and keeps the grey training images for
    `Dataset.make_fit_arguments`. Salakhutdinov and Murray 2008, On the quantitative analysis of deep belief networks.
    """
    if pixels == GREY:
        return dataset
    make, grey = (_draw, dataset.X_train) if pixels == DYNAMIC else (_divide, None)
    return replace(dataset, X_train=make(dataset.X_train), X_test=make(dataset.X_test), is_binary=True, grey_train=grey)


def _divide(X: np.ndarray) -> np.ndarray:
    return np.where(X >= WHITE_FROM, np.uint8(255), np.uint8(0))


def _draw(X: np.ndarray) -> np.ndarray:
    """One draw of each image, which depends on the image alone: equal in a data set and in a sample of it."""
    drawn, places = np.empty_like(X), np.arange(X.shape[1], dtype=np.uint64) * np.uint64(_STEP)
    for start in range(0, len(X), _ROWS_AT_ONCE):
        part = X[start : start + _ROWS_AT_ONCE]
        digests = b"".join(hashlib.blake2b(row, digest_size=8).digest() for row in np.ascontiguousarray(part))
        # Uniform on 0 to 254, so that a grey value of 255 is always white and 0 never.
        levels = (_mix(np.frombuffer(digests, "<u8")[:, None] + places) >> np.uint64(32)) % np.uint64(255)
        drawn[start : start + _ROWS_AT_ONCE] = np.where(part > levels, np.uint8(255), np.uint8(0))
    return drawn


def _mix(z: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele, Lea and Flood 2014): uint64 -> uint64, in place."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z ^= z >> np.uint64(shift)
        z *= np.uint64(factor)
    z ^= z >> np.uint64(31)
    return z
