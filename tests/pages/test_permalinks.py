"""Row numbers in an address: they come back, and forged text is refused."""

import base64
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from pages.ui.shared.permalinks import decode_rows, encode_rows

NUMBERS = st.sets(st.integers(0, 99_999), max_size=500)
URL_SAFE = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(data, 9)).decode().rstrip("=")


def refuses(text: str, most: int = 500) -> bool:
    with pytest.raises(BadInput, match="none is selected"):
        decode_rows(text, most)
    return True


@given(NUMBERS)
def test_rows_come_back_sorted_from_a_short_address(numbers):
    text = encode_rows(reversed([*numbers, *numbers]))
    assert decode_rows(text, max(len(numbers), 1)) == sorted(numbers)
    assert set(text) <= URL_SAFE
    assert len(text) < 2000


def test_forged_steps_and_a_zip_bomb_are_refused():
    forged = [[3, 0], [5, 2**32 - 1], [99_999, 1], [2**32 - 1] * 200, [0] * 1_000_000]
    assert all(refuses(pack(np.array(steps, "<u4").tobytes())) for steps in forged)
    assert all(refuses(pack(data)) for data in (b"x", b"\1\0\0\0\2\0\0"))


@given(st.one_of(st.text(max_size=60), st.text("AZaz09-_=+/", max_size=60)))
def test_any_text_gives_rows_or_is_refused(text):
    try:
        numbers = decode_rows(text, 5)
    except BadInput:
        return
    assert numbers == sorted(set(numbers))
    assert len(numbers) <= 5
    assert all(0 <= number < 100_000 for number in numbers)


def test_cut_and_long_addresses_are_refused():
    text = encode_rows(range(0, 3000, 7))
    assert all(refuses(text[:n]) for n in range(0, len(text), 5))
    assert refuses("A" * 10**6)
    assert refuses(encode_rows(range(11)), 10)
