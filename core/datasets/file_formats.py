"""The file formats of data sets: arrays as npz, documents as gzipped JSON lines."""

from __future__ import annotations

import gzip
import json
import lzma
import tarfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from core import files
from core.datasets import validation
from core.datasets.validation import WrongFile
from core.errors import DataUnavailable

UNREADABLE = (
    *(OSError, ValueError, KeyError, EOFError, MemoryError, OverflowError, SyntaxError),
    *(zipfile.BadZipFile, zlib.error, tarfile.TarError),
)
# An encrypted member or another compression, damaged LZMA, a header that breaks off.
_UNREADABLE_NPZ = (*UNREADABLE, RuntimeError, lzma.LZMAError, tokenize.TokenError)


def first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).split("\n")[0].rstrip(".")


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], *, compressed: bool = False) -> None:
    """Write named arrays as ``.npz`` atomically; uncompressed ones load ten times as fast."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.open_replacing(path) as file:
        (np.savez_compressed if compressed else np.savez)(file, **arrays)


def write_documents(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows as gzipped JSON lines atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.open_replacing(path) as file, gzip.open(file, "wb", compresslevel=4) as lines:
        for row in rows:
            lines.write(json.dumps(row).encode("ascii") + b"\n")


def unreadable(path: Path, why: str) -> DataUnavailable:
    return DataUnavailable(f"{path} can't be read ({why}): correct it, or delete it and load again.")


def read_images(
    path: Path, shapes: Mapping[str, tuple[int | None, ...]], usual: Sequence[str] = ()
) -> tuple[dict[str, np.ndarray], tuple[str, ...], tuple[str, ...]]:
    """Arrays of a data set of images, the names of its classes, and notes of how they were read.

    Pixels (arrays ``x...``) become uint8 in 0..255, labels (arrays ``y...``) indices of the names; `usual` are the
    published names. Raises DataUnavailable as `read_arrays`, and for pixels or labels whose meaning is not certain.
    """
    arrays = read_arrays(path, shapes, "uifbUS")
    try:
        arrays, notes = validation.parse_images(path, arrays)
        labels = {name: values for name, values in arrays.items() if name.startswith("y")}
        codes, names = validation.parse_labels(path, labels, usual) if labels else ({}, ())
        return {**arrays, **codes}, names, notes
    except WrongFile as error:
        raise unreadable(path, first_line(error)) from error


def read_arrays(path: Path, shapes: Mapping[str, tuple[int | None, ...]], kinds: str = "u") -> dict[str, np.ndarray]:
    """Named arrays in an ``.npz``; DataUnavailable if it is absent, damaged, or contains something else.

    Parameters
    ----------
    shapes : shape of each array, None for any length; rows of the same size in another shape are reshaped.
    kinds : NumPy's letters of the types allowed.
    """
    try:
        # NumPy leaves a damaged file open that it opened itself.
        with path.open("rb") as opened:
            file = np.load(opened, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise ValueError("it is a single array and no npz")
            with file:
                arrays = {name: file[name] for name in shapes}
    except _UNREADABLE_NPZ as error:
        raise unreadable(path, first_line(error)) from error
    for name, shape in shapes.items():
        array = arrays[name]
        if array.ndim and len(array) and array[0].size == np.prod(shape[1:]) and shape[0] is None:
            array = arrays[name] = array.reshape(-1, *shape[1:])
        fits = len(array.shape) == len(shape) and all(n in (None, m) for n, m in zip(shape, array.shape, strict=True))
        if not fits or array.dtype.kind not in kinds or not len(array):
            wanted = ", ".join("n" if n is None else str(n) for n in shape)
            raise unreadable(path, f"{name} is {array.dtype} {array.shape} and not ({wanted})")
    for name, values in arrays.items():
        images = arrays.get(name.replace("y", "x", 1).replace("rows", "x", 1))
        if images is not None and len(images) != len(values):
            raise unreadable(path, f"{name} has {len(values)} rows for {len(images)} images")
    return arrays


def read_documents(path: Path) -> list[dict[str, str]]:
    """Rows of gzipped JSON lines, see `validation.parse_documents`; DataUnavailable if absent, damaged or others."""
    try:
        with gzip.open(path, "rb") as lines:
            return validation.parse_documents(lines)
    except UNREADABLE as error:
        raise unreadable(path, first_line(error)) from error
