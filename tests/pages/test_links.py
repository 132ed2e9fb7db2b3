"""Rows in an address: what is written comes back, and nothing that anybody may have written does harm."""

import base64
import zlib

import numpy as np
import pytest

from core.types import BadInput
from pages.ui.links import decode_rows, encode_rows


def token(data, level=9):
    return base64.urlsafe_b64encode(zlib.compress(data, level)).decode().rstrip("=")


def steps(*numbers):
    """As `encode_rows` writes numbers, whether or not they are allowed."""
    return np.array(numbers, "<u4").tobytes()


@pytest.mark.parametrize(
    "numbers",
    [[], [0], [99_999], [0, 99_999], [0, 1, 2, 3], [5, 17, 4096, 65_535, 65_536, 70_000], range(0, 100_000, 301)],
)
def test_rows_come_back_from_an_address(numbers):
    text = encode_rows(numbers)
    assert decode_rows(text, 1000) == list(numbers)
    assert decode_rows(text, max(len(numbers), 1)) == list(numbers)
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_any_500_rows_come_back_and_fit_into_an_address():
    rng = np.random.default_rng(0)
    for highest in (500, 10_000, 100_000):
        numbers = np.sort(rng.choice(highest, 500, replace=False))
        text = encode_rows(rng.permutation(numbers))
        assert decode_rows(text, 500) == numbers.tolist()
        assert len(text) < 2000


def test_a_row_named_twice_is_one_row():
    assert decode_rows(encode_rows([7, 3, 7, 3]), 10) == [3, 7]


def test_more_rows_than_asked_for_are_refused():
    text = encode_rows(range(11))
    assert decode_rows(text, 11) == list(range(11))
    with pytest.raises(BadInput, match="none is selected"):
        decode_rows(text, 10)


@pytest.mark.parametrize("data", [bytes(4_000_000), steps(*[1] * 1_000_000)], ids=["zeros", "ones"])
def test_what_unpacks_to_far_more_is_refused_before_it_is_unpacked(data, monkeypatch):
    text = token(data)
    monkeypatch.setattr(np, "frombuffer", lambda *_: pytest.fail("it was unpacked"))
    with pytest.raises(BadInput, match="none is selected"):
        decode_rows(text, 500)


@pytest.mark.parametrize(
    "data",
    [
        steps(3, 0),
        steps(0, 0),
        steps(5, 4294967295),
        steps(100_000),
        steps(99_999, 1),
        steps(4294967295),
        steps(*[4294967295] * 200),
        steps(1, 2)[:-1],
        b"x",
    ],
    ids=["twice", "zero twice", "back", "beyond", "beyond in steps", "huge", "sum huge", "cut", "a letter"],
)
def test_forged_rows_are_refused(data):
    with pytest.raises(BadInput, match="none is selected"):
        decode_rows(token(data), 500)


@pytest.mark.parametrize(
    "text",
    ["", "A", "AAAA", "=", "====", "a b", "eJw\n", "é", "猫", "\0", "\ud800", "../..", "+/+/", "A" * 4096, "A" * 10**6],
)
def test_nonsense_is_refused_in_a_sentence(text):
    with pytest.raises(BadInput, match="none is selected"):
        decode_rows(text, 500)


def test_an_address_cut_short_anywhere_is_refused():
    text = encode_rows(range(0, 3000, 7))
    for n in range(len(text)):
        with pytest.raises(BadInput, match="none is selected"):
            decode_rows(text[:n], 500)


def test_an_address_with_any_letter_changed_gives_rows_or_a_sentence():
    rng = np.random.default_rng(0)
    text, refused = encode_rows([0, 3, 99, 4000]), 0
    for _ in range(2000):
        letters = list(text)
        letters[rng.integers(len(text))] = chr(rng.integers(32, 300))
        try:
            numbers = decode_rows("".join(letters), 5)
        except BadInput:
            refused += 1
            continue
        assert numbers == sorted(set(numbers))
        assert len(numbers) <= 5
        assert all(0 <= number < 100_000 for number in numbers)
    assert refused > 1000
