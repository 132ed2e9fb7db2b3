"""Messages read as the browser reads them."""

import json
import math

import numpy as np

TYPES = {"u1": "<u1", "i1": "<i1", "u2": "<u2", "i2": "<i2", "i4": "<i4", "f2": "<f2", "f4": "<f4", "f8": "<f8"}


def read_message(data: bytes) -> tuple[dict, dict[str, np.ndarray]]:
    """The header, and its arrays, which each begin at a multiple of 8."""
    at = 4 + int.from_bytes(data[:4], "little")
    header, arrays = json.loads(data[4:at].decode("ascii")), {}
    for name, count, kind in header.pop("arrays"):
        assert at % 8 == 0
        arrays[name] = np.frombuffer(data, TYPES[kind], count, at)
        at += math.ceil(arrays[name].nbytes / 8) * 8
    assert at == len(data)
    return header, arrays
