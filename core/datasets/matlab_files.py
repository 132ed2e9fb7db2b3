"""Reads MATLAB files in a process of its own, since SciPy's parser ends the process on some damaged files."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np

_LONGEST = 120  # seconds, on a busy machine
_LARGEST = 100_000_000  # bytes; the faces have less than 2 MB


def read_images(path: Path, name: str, image_shape: tuple[int, int]) -> np.ndarray:
    """Images (n, height, width), the columns of a matrix in a ``.mat`` file; ValueError if damaged or of others."""
    if not 128 <= (size := path.stat().st_size) <= _LARGEST:
        raise ValueError(f"it has {size:,} bytes, which is no MATLAB file of faces")
    command = [sys.executable, "-I", __file__, str(path.absolute()), name]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_LONGEST)
    except subprocess.TimeoutExpired:
        raise ValueError(f"its parser takes longer than {_LONGEST} s") from None
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().split("\n")[-1].removeprefix("ValueError: ")
        raise ValueError(said if done.returncode == 1 and said else "it is damaged: its parser ends on it")
    images = np.load(io.BytesIO(done.stdout), allow_pickle=False).T
    if images.shape[1] != np.prod(image_shape):
        raise ValueError(f"its images have {images.shape[1]:,} pixels and not {np.prod(image_shape):,}")
    return images.reshape(-1, *image_shape)


def _write(path: str, name: str) -> None:
    """Write the matrix to standard output in NumPy's format; the last line of an error says what is wrong."""
    from scipy.io import loadmat

    found = loadmat(path, variable_names=[name])
    if name not in found:
        raise ValueError(f"it has no matrix {name}")
    matrix = np.asarray(found[name])
    if matrix.dtype.kind not in "uif" or matrix.ndim != 2:
        raise ValueError(f"{name} is no matrix of numbers")
    file = io.BytesIO()  # a pipe has no position, which NumPy asks for
    np.save(file, matrix)
    sys.stdout.buffer.write(file.getvalue())


if __name__ == "__main__":
    _write(*sys.argv[1:])
