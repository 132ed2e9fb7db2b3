"""Computed arrays in the user's cache folder."""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import accumulate
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from core import config, files

MOST_BYTES = 1_000_000_000


def folder() -> Path:
    return config.user_cache() / "computed"


def make_key(*parts: object) -> str:
    """Sixteen hexadecimal digits of a hash of all `parts`: arrays by type, shape and bytes, others as text."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype} {part.shape} ".encode())
            digest.update(np.ascontiguousarray(part))
        else:
            digest.update(f"{len(str(part))} {part} ".encode())
    return digest.hexdigest()[:16]


def find_arrays(name: str) -> dict[str, np.ndarray] | None:
    """The arrays stored under `name`, or None if the file is absent or damaged."""
    path = folder() / f"{name}.safetensors"
    with suppress(OSError, SafetensorError, ValueError, KeyError, TypeError):
        data = path.read_bytes()
        if hashlib.sha256(data[32:]).digest() == data[:32]:
            arrays = load(data[32:])
            with suppress(OSError):
                os.utime(path)  # the least recently used files are removed first
            return arrays
    return None


def save_arrays(name: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Store `arrays` under `name`; an error such as a full disk is ignored."""
    data = save({part: np.array(a, order="C") for part, a in arrays.items()})
    with suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        files.write_atomically(folder() / f"{name}.safetensors", hashlib.sha256(data).digest() + data)
        _sweep()


def get_or_compute(name: str, compute: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The arrays stored under `name`; otherwise those that `compute` returns, which are then stored.

    `name` contains the `make_key` of all that the arrays depend on, as in ``"codes-0123456789abcdef"``.
    """
    if (arrays := find_arrays(name)) is None:
        arrays = {part: np.asarray(a) for part, a in compute().items()}
        save_arrays(name, arrays)
    return arrays


def get_checkpoint_folder(name: str) -> Path:
    """A folder for the checkpoint of a computation; those unused for a month are removed."""
    place = folder().parent / "unfinished"
    with suppress(OSError):
        for other in place.iterdir():
            if time.time() - other.stat().st_mtime > 30 * 24 * 3600:
                shutil.rmtree(other, ignore_errors=True)
    return place / name


def _sweep() -> None:
    """Remove the least recently used files if all take more than a gigabyte."""
    newest_first = sorted(folder().iterdir(), key=lambda file: -file.stat().st_mtime)
    for file, total in zip(newest_first, accumulate(file.stat().st_size for file in newest_first), strict=True):
        if total > MOST_BYTES:
            file.unlink(missing_ok=True)
