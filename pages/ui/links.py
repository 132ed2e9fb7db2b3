"""A Spec as text for an address, and back."""

from __future__ import annotations

import base64
import binascii
import json
import zlib

from core import specs
from core.types import BadInput, Spec

_LONGEST = 4096
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
