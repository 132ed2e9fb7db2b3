"""Specs and row numbers as text for an address, and back."""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from collections.abc import Iterable

import numpy as np

from core.errors import BadInput
from core.runs import specs
from core.types import Spec

_LONGEST = 4096
_MOST_ROWS = 100_000
_REFUSAL = "The link names a run in an unreadable form: the default is shown."


def encode(spec: Spec) -> str:
    text = json.dumps(spec.to_json(), sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")


def decode(token: str) -> Spec:
    """Inverse of `encode`, for untrusted text.

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
        spec.key  # noqa: B018 - a Spec without a key, for example with NaN, is invalid
        return spec
    except (binascii.Error, zlib.error, ValueError, TypeError, RecursionError, OverflowError):
        raise BadInput(_REFUSAL) from None


def check_spec(spec: Spec) -> Spec:
    """The Spec with the method's present version, if all its parameters are allowed.

    Raises
    ------
    BadInput
        If it could not be fitted.
    """
    return specs.make(spec.dataset, spec.method, dict(spec.params), spec.seed, dict(spec.dataset_params))


def encode_rows(numbers: Iterable[int]) -> str:
    """Row numbers, 0 to 99,999, as text; their order is lost."""
    ordered = np.unique(np.fromiter(numbers, np.int64))
    steps = np.diff(ordered, prepend=0).astype("<u4")
    return base64.urlsafe_b64encode(zlib.compress(steps.tobytes(), 9)).decode().rstrip("=")


def decode_rows(token: str, most: int) -> list[int]:
    """Inverse of `encode_rows`, for untrusted text: at most `most` numbers, ascending.

    Raises
    ------
    BadInput
        If the text is invalid or has more numbers.
    """
    refusal = BadInput("The link names selected rows in an unreadable form: none is selected.")
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
