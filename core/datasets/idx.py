"""MNIST and Fashion-MNIST from their original IDX files."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from core.datasets import download
from core.types import IMAGES, Dataset

SHAPES = {"x_train": (None, 28, 28), "y_train": (None,), "x_test": (None, 28, 28), "y_test": (None,)}

CREDITS = {
    "mnist": {
        "target_names": tuple("0123456789"),
        "licence": "CC BY-SA 3.0",
        "citation": (
            "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document recognition. "
            "Proceedings of the IEEE 86(11), 1998."
        ),
    },
    "fashion-mnist": {
        "target_names": (
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        "licence": "MIT, copyright 2017 Zalando SE",
        "citation": (
            "H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine learning "
            "algorithms. arXiv:1708.07747, 2017."
        ),
    },
}


def read_idx(path: Path) -> np.ndarray:
    """Array in a gzipped IDX file of unsigned bytes.

    The header is two zero bytes, the type (8), the number of axes, and each axis as a big-endian 32-bit integer.

    Raises
    ------
    ValueError
        If the header is of another form, or the bytes after it are not as many as it says.
    """
    content = gzip.decompress(path.read_bytes())
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise ValueError("not an IDX file of unsigned bytes")
    start = 4 + 4 * content[3]
    shape = tuple(int(n) for n in np.frombuffer(content[4:start], ">u4"))
    values = np.frombuffer(content, np.uint8, offset=start)
    if len(shape) != content[3] or values.size != np.prod(shape):
        raise ValueError(f"its header says {shape}, it holds {values.size} values")
    return values.reshape(shape)


def parse(name: str, paths: Sequence[Path]) -> dict[str, np.ndarray]:
    """The four files, in the order of the table of sources, as the arrays of `SHAPES`."""
    return dict(zip(SHAPES, map(read_idx, paths), strict=True))


def load(name: str, *, progress: download.Progress | None = None) -> Dataset:
    arrays = download.read_arrays(download.stored(name, parse, progress), SHAPES)
    return as_dataset(name, arrays, name)


def as_dataset(name: str, arrays: dict[str, np.ndarray], credit: str) -> Dataset:
    """Data set of the arrays of `SHAPES`, credited as the full set named `credit`."""
    return Dataset(
        name=name,
        kind=IMAGES,
        X_train=arrays["x_train"].reshape(-1, 784),
        y_train=arrays["y_train"].astype(np.int64),
        X_test=arrays["x_test"].reshape(-1, 784),
        y_test=arrays["y_test"].astype(np.int64),
        image_shape=(28, 28),
        **CREDITS[credit],
    )
