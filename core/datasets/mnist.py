"""MNIST and Fashion-MNIST from their original IDX files."""

import gzip
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from core import datasets
from core.datasets import Progress, download, file_formats
from core.datasets.binarisation import DYNAMIC, THRESHOLD
from core.datasets.file_formats import WrongFile
from core.types import IMAGES, Dataset

SHAPES = {"x_train": (28, 28), "y_train": (), "x_test": (28, 28), "y_test": ()}

_CLOTHES = "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot"
CREDITS = {
    "mnist": {
        "target_names": tuple("0123456789"),
        "citation": "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document "
        "recognition. Proceedings of the IEEE 86(11), 1998.",
    },
    "fashion-mnist": {
        "target_names": tuple(_CLOTHES.split(",")),
        "citation": "H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST: a novel image dataset for benchmarking machine "
        "learning algorithms. arXiv:1708.07747, 2017.",
    },
}
# `core.types.Dataset.checksum` of the reference: with grey pixels, and binarised.
CHECKSUMS = {
    "mnist": "1e35582d42a90940c55b956deb61875c020b567ed20e3c5b174f52bf7809ed9b",
    "fashion-mnist": "ece172613115fb18b120bec8f6c02271af90b8b8f0a5af5c51cbd5ceed68e619",
}
BINARY_CHECKSUMS = {
    ("mnist", THRESHOLD): "b1028f20fdff91e53e069bc5b2d58e8cfb62585c8e2835c041ca76ccfcf51a28",
    ("mnist", DYNAMIC): "6ec8d8dc4bc6487a05345ed9d8f02f904b37359726a71873f70286e4c3115b6c",
}


def read_idx(path: Path) -> np.ndarray:
    """Array in an IDX file of unsigned bytes, gzipped or not; ValueError for another header or length.

    The header is two zero bytes, the type (8), the number of axes, and each axis as a big-endian 32-bit integer.
    """
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    if len(content) < 8 or content[:3] != b"\0\0\x08":
        raise ValueError("not an IDX file of unsigned bytes")
    start = 4 + 4 * content[3]
    shape = tuple(int(n) for n in np.frombuffer(content[4:start], ">u4"))
    values = np.frombuffer(content, np.uint8, offset=start)
    if len(shape) != content[3] or values.size != np.prod(shape):
        raise ValueError(f"its header says {shape}, it holds {values.size} values")
    return values.reshape(shape)


def parse(paths: Sequence[Path]) -> dict[str, np.ndarray]:
    """The arrays of `SHAPES` from the four files in the same order."""
    arrays = {}
    for (array, shape), path in zip(SHAPES.items(), paths, strict=True):
        try:
            values = arrays[array] = read_idx(path)
            if values.shape[1:] != shape:
                raise ValueError(f"it holds {values.shape} values")
            n_images = len(arrays[array.replace("y", "x")])
            if len(values) != n_images:
                raise ValueError(f"it has {len(values):,} labels for {n_images:,} images")
        except file_formats.UNREADABLE as error:
            raise WrongFile(path, file_formats.first_line(error)) from error
    return arrays


def load(name: str, *, progress: Progress | None = None) -> Dataset:
    path = download.get_stored_file(name, parse, progress)
    dataset = make_dataset(name, path, name)
    entry = datasets.entry(name)
    if (len(dataset.y_train), len(dataset.y_test)) != entry.rows or dataset.checksum == CHECKSUMS[name]:
        return dataset
    return replace(dataset, notes=(*dataset.notes, f"This copy of {entry.label} has other rows than the reference."))


def make_dataset(name: str, path: Path, credit: str) -> Dataset:
    """Data set of a stored file with the arrays of `SHAPES`; `credit` names the full set."""
    usual = CREDITS[credit]["target_names"]
    arrays, names, notes = file_formats.read_images(path, SHAPES, usual)
    if names != usual:
        listed = ", ".join(names if len(names) <= 10 else [*names[:9], "…", names[-1]])
        notes = (*notes, f"The classes of this copy are named {listed}, as its labels are.")
    rows = (arrays["x_train"].reshape(-1, 784), arrays["y_train"], arrays["x_test"].reshape(-1, 784), arrays["y_test"])
    credits = CREDITS[credit] | {"target_names": names, "usual_classes": names == usual}
    licence = datasets.entry(name).licence
    return Dataset(name, IMAGES, *rows, image_shape=(28, 28), notes=notes, licence=licence, **credits)
