"""Arrays that took a while to compute, kept in the user's cache folder; whatever happens to it, nothing is lost."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from core.datasets import download

_MOST_BYTES = 1_000_000_000


def folder() -> Path:
    return download.user_cache() / "computed"


def key(*parts: object) -> str:
    """Sixteen hexadecimal digits that change with any of `parts`: arrays by type, shape and bytes, the rest as text."""
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            digest.update(f"{part.dtype} {part.shape} ".encode())
            digest.update(np.ascontiguousarray(part))
        else:
            digest.update(f"{len(str(part))} {part} ".encode())
    return digest.hexdigest()[:16]


def find(name: str) -> dict[str, np.ndarray] | None:
    """What is kept under `name`, or None where that is nothing, or not what was written."""
    path = folder() / f"{name}.safetensors"
    try:
        data = path.read_bytes()
        arrays = load(data[32:])
    except (OSError, SafetensorError, ValueError, KeyError, TypeError):
        return None
    if hashlib.sha256(data[32:]).digest() != data[:32]:
        return None
    with suppress(OSError):
        os.utime(path)  # the time it was last of use, by which the oldest goes first
    return arrays


def keep(name: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Keep `arrays` under `name`; where that fails, for example on a full disk, they are computed again next time."""
    data = save({each: np.array(a, order="C") for each, a in arrays.items()})
    aside = folder() / f".{name}.{os.getpid()}.tmp"
    with suppress(OSError):
        folder().mkdir(parents=True, exist_ok=True)
        aside.write_bytes(hashlib.sha256(data).digest() + data)
        os.replace(aside, folder() / f"{name}.safetensors")
        _sweep()
    with suppress(OSError):
        aside.unlink(missing_ok=True)


def kept(name: str, compute: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """What is kept under `name`, else what `compute` returns, kept from now on.

    Parameters
    ----------
    name : what the arrays are and the `key` of all they depend on, such as ``"codes-0123456789abcdef"``.
    """
    arrays = find(name)
    if arrays is None:
        arrays = {each: np.asarray(a) for each, a in compute().items()}
        keep(name, arrays)
    return arrays


def _sweep() -> None:
    """Remove what was of use longest ago where all take more than a gigabyte."""
    found = sorted(((file.stat(), file) for file in folder().iterdir()), key=lambda each: -each[0].st_mtime)
    total = 0
    for about, file in found:
        total += about.st_size
        if total > _MOST_BYTES:
            file.unlink(missing_ok=True)
