"""A Spec as text for an address, and back."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterable

import numpy as np

from core import specs
from core.types import BadInput, Spec

_LONGEST = 4096
_MOST_ROWS = 100_000
_REFUSAL = "The link names a run in a form that can't be read: the default is shown."


def encode(spec: Spec) -> str:
    text = json.dumps(spec.to_json(), sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def decode(token: str) -> Spec:
    """Inverse of `encode`, for text that anybody may have written.

    Raises
    ------
    BadInput
        If it is not a Spec. Its parameters are not checked here, see `checked`.
    """
    if len(token) > _LONGEST:
        raise BadInput(_REFUSAL)
    try:
        packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(packed, _LONGEST)
        if unpacker.unconsumed_tail:
            raise BadInput(_REFUSAL)
        data = json.loads(text)
        spec = Spec.from_json(data)
        spec.key  # noqa: B018 - a Spec that has no key, for example for NaN, is none
        return spec
    except (binascii.Error, zlib.error, ValueError, TypeError, RecursionError, OverflowError):
        raise BadInput(_REFUSAL) from None


def checked(spec: Spec) -> Spec:
    """`spec` if it could be fitted, every parameter declared and within its bounds, for the method's present version.

    Raises
    ------
    BadInput
        In a sentence that says what is not allowed.
    """
    return specs.make(spec.dataset, spec.method, dict(spec.params), spec.seed, dict(spec.dataset_params))


def encode_rows(numbers: Iterable[int]) -> str:
    """Row numbers, 0 to 99,999, as text; their order is not kept."""
    ordered = np.unique(np.fromiter(numbers, np.int64))
    steps = np.diff(ordered, prepend=0).astype("<u4")
    return base64.urlsafe_b64encode(zlib.compress(steps.tobytes(), 9)).decode().rstrip("=")


def decode_rows(token: str, most: int) -> list[int]:
    """Inverse of `encode_rows`, for text that anybody may have written: at most so many numbers, ascending.

    Raises
    ------
    BadInput
        If it is none, or holds more.
    """
    refusal = BadInput("The link names selected rows in a form that can't be read: none is selected.")
    if len(token) > _LONGEST:
        raise refusal
    try:
        packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(packed, 4 * most)
        if unpacker.unconsumed_tail or not unpacker.eof or len(data) % 4:
            raise refusal
    except (binascii.Error, zlib.error, ValueError):
        raise refusal from None
    numbers = np.cumsum(np.frombuffer(data, "<u4").astype(np.int64))
    if len(numbers) and (numbers[-1] >= _MOST_ROWS or (np.diff(numbers) <= 0).any()):
        raise refusal
    return numbers.tolist()
