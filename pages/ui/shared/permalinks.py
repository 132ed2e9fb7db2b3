"""Specs and row numbers as text for an address, and back."""

import base64
import json
import zlib
from collections.abc import Iterable

import numpy as np

from core.errors import BadInput
from core.runs import specs
from core.types import Spec

_LONGEST = 4096
_MOST_ROWS = 10_000_000


def encode(spec: Spec) -> str:
    return _pack(json.dumps(spec.to_json(), sort_keys=True, separators=(",", ":")).encode())


def decode(token: str) -> Spec:
    """Inverse of `encode`, for untrusted text; BadInput if it is not a Spec."""
    try:
        spec = Spec.from_json(json.loads(_unpack(token, _LONGEST)))
        spec.key  # noqa: B018 - a Spec without a key, for example with NaN, is invalid
        return spec
    except (zlib.error, ValueError, TypeError, RecursionError, OverflowError):
        raise BadInput("The link names a run in an unreadable form: the default is shown.") from None


def check_spec(spec: Spec) -> Spec:
    """The Spec with the method's present version, if it could be fitted; else BadInput."""
    return specs.make(spec.dataset, spec.method, dict(spec.params), spec.seed, dict(spec.dataset_params))


def encode_rows(numbers: Iterable[int]) -> str:
    """Row numbers, below ten million, as text; their order is lost."""
    ordered = np.unique(np.fromiter(numbers, np.int64))
    return _pack(np.diff(ordered, prepend=0).astype("<u4").tobytes())


def decode_rows(token: str, most: int) -> list[int]:
    """Inverse of `encode_rows`, for untrusted text: at most `most` numbers; else BadInput."""
    try:
        steps = np.frombuffer(_unpack(token, 4 * most), "<u4").astype(np.int64)
        numbers = np.cumsum(steps)
        if len(numbers) and (numbers[-1] >= _MOST_ROWS or (steps[1:] <= 0).any()):
            raise ValueError("numbers")
    except (zlib.error, ValueError):
        raise BadInput("The link names selected rows in an unreadable form: none is selected.") from None
    return numbers.tolist()


def _pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(data, 9)).decode().rstrip("=")


def _unpack(token: str, most: int) -> bytes:
    """Inverse of `_pack`; zlib.error or ValueError for other text and over `most` bytes."""
    if len(token) > _LONGEST:
        raise ValueError("length")
    packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    unpacker = zlib.decompressobj()
    data = unpacker.decompress(packed, most)
    if unpacker.unconsumed_tail or not unpacker.eof:
        raise ValueError("length")
    return data
