"""Runs and row numbers in an address: they come back, and forged text is refused."""

import base64
import json
import string
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import BadInput
from pages.ui.shared.permalinks import decode_rows, encode_rows
from pages.ui.shared.stored_runs import parse_code_size, parse_linked_run


def pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(data, 9)).decode().rstrip("=")


@given(st.sets(st.integers(0, 9_999_999), max_size=500))
def test_rows_come_back_sorted_from_a_short_address(numbers):
    text = encode_rows(reversed([*numbers, *numbers]))
    assert decode_rows(text, max(len(numbers), 1)) == sorted(numbers)
    assert set(text) <= {*string.ascii_letters, *string.digits, *"-_"}
    assert len(text) < 2000


@given(st.one_of(st.text(max_size=60), st.text("AZaz09-_=+/", max_size=60)))
def test_any_text_gives_rows_or_is_refused(text):
    try:
        numbers = decode_rows(text, 5)
    except BadInput:
        return
    assert numbers == sorted(set(numbers))
    assert len(numbers) <= 5
    assert all(0 <= number < 10_000_000 for number in numbers)


def test_forged_rows_are_refused():
    whole = encode_rows(range(0, 3000, 7))
    forged = [[3, 0], [5, 2**32 - 1], [9_999_999, 1], [2**32 - 1] * 200, range(501), [0] * 1_000_000]
    packed = [pack(np.array(steps, "<u4").tobytes()) for steps in forged] + [pack(b"x"), pack(b"\1\0\0\0\2\0\0")]
    for text in (*packed, *(whole[:n] for n in range(0, len(whole), 5)), "A" * 10**6):
        with pytest.raises(BadInput, match="none is selected"):
            decode_rows(text, 500)


def test_forged_runs_and_code_sizes_are_refused():
    good = {"dataset": "digits", "dataset_params": {}, "method": "ae", "params": {}, "seed": 0, "version": 1}
    forged = [{"seed": 1e999}, {"params": [1, 2]}, {"params": {"n_components": 2}}]
    forged += [{"params": {"n_components": 10, "epochs": value}} for value in (-5, float("nan"), [1])]
    texts = [json.dumps(good | change).encode() for change in forged]
    tokens = [pack(text) for text in (*texts, b"[" * 4000, b"\xff\xfe", b"0" * 10_000_000)]
    for token in (*tokens, "é", "A" * 100_000):
        with pytest.raises(BadInput):
            parse_linked_run(token, "digits", "ae", 10)
    for size in ("0", "²", "257"):
        with pytest.raises(BadInput):
            parse_code_size(size)
