"""The MATLAB files that the faces are published in."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def read_matrix(path: Path, name: str) -> np.ndarray:
    """One matrix of a ``.mat`` file.

    Raises
    ------
    ValueError
        If the file is truncated, is none, or has no matrix of that name.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        found = loadmat(path, variable_names=[name])
    except (MatReadError, NotImplementedError) as error:
        raise ValueError(str(error)) from error
    if name not in found:
        raise ValueError(f"it has no matrix {name}")
    return np.asarray(found[name])
