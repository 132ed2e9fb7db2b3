"""Large weight matrices as 8-bit integers with a scale a row, for shipped runs."""

from collections.abc import Mapping

import numpy as np

FEWEST = 10_000  # smaller matrices save too little
_SCALE = ".scale"


def to_int8(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Arrays with each floating matrix of at least `FEWEST` numbers as int8 and its scales as ``NAME.scale``.

    Symmetric, with a scale for each row (output unit): scale = max |w| / 127, q = round(w / scale). Jacob et al. 2018,
    Quantization and training of neural networks for efficient integer-arithmetic-only inference.
    """
    stored: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        if array.ndim < 2 or array.size < FEWEST or not np.issubdtype(array.dtype, np.floating):
            stored[name] = array
            continue
        weights = array.astype(np.float32)
        scales = np.abs(weights).max(axis=tuple(range(1, weights.ndim)), keepdims=True) / 127
        scales[scales == 0] = 1
        stored[name] = np.round(weights / scales).astype(np.int8)
        stored[name + _SCALE] = scales.astype(np.float32)
    return stored


def to_floats(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Inverse of `to_int8`, up to rounding: int8 matrices with scales as float32, all others as they are."""
    return {
        name: array.astype(np.float32) * arrays[name + _SCALE] if name + _SCALE in arrays else array
        for name, array in arrays.items()
        if not (name.endswith(_SCALE) and arrays.get(name.removesuffix(_SCALE), array).dtype == np.int8)
    }
