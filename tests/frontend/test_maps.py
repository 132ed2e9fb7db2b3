"""Messages of the linked maps: read as the browser reads them, and hostile answers."""

import base64

import numpy as np
import pytest

from core.errors import BadInput
from core.figures import palette
from core.frontend.maps import Map, Values, make_maps_message, make_pictures_message, pack, parse_selection, quantise
from tests.frontend.messages import TYPES, read_message

HOSTILE = ["</script><script>alert(1)</script>", '"; alert(1) //', "\u2028\u2029\0\x1b[31m", "Zoë 猫 \U0001f40c", ""]
ROWS = "0123456789abcdef"


def test_packed_arrays_are_read_bit_by_bit():
    for n in [0, 1, 7, 1000]:
        rng = np.random.default_rng(n)
        arrays = {kind: np.frombuffer(rng.bytes(8 * n), dtype)[: 2 * n : 2] for kind, dtype in TYPES.items()}
        for filling in range(8):
            header = {"text": HOSTILE, "filling": "x" * filling, "number": 0.1, "nothing": None}
            found, read = read_message(pack(header, arrays))
            assert found == header
            for kind, array in arrays.items():
                assert (read[kind].dtype, read[kind].tobytes()) == (array.dtype, array.tobytes())
    with pytest.raises(ValueError, match="JSON"):
        pack({"a": float("nan")}, {})


def test_points_are_quantised_to_half_a_step():
    points = np.random.default_rng(0).normal(size=(500, 2)) * (3, 0.5) + (100, -7)
    low, high = points.min(axis=0), points.max(axis=0)
    step = (high - low).max() / 65534
    # The narrower axis is centred, to the same scale.
    back = (low + high) / 2 + (quantise(points)[0] - 65534 / 2) * step
    assert np.abs(back - points).max() <= step / 2 * (1 + 1e-9)
    # Points that are not finite, all equal, or outside.
    places, _ = quantise(np.array([[0, 0], [np.nan, 1], [1, 2], [5, np.inf]]))
    assert places.tolist() == [[16384, 0], [65535, 65535], [49150, 65534], [65535, 65535]]
    assert quantise(np.full((3, 2), np.nan), np.zeros(2))[1] is None
    assert quantise(np.array([[0.0, 0.0], [10.0, 4.0]]), np.array([20.0, -8.0]))[1] == [131068, -32767]
    places, star = quantise(np.full((4, 2), 1e30, np.float32), np.full(2, 1e30, np.float32))
    assert (places.tolist(), star) == ([[32767, 32767]] * 4, [32767, 32767])


def message(**given):
    points = np.random.default_rng(0).normal(size=(5, 2)).astype(np.float32)
    maps = [
        Map("ae:direct", "AE 2-D", "the 2-D code", points, (("Accuracy", "0.9", "0.8 to 1", "of 5 rows"),)),
        Map(*HOSTILE[:3], points[::-1], star=points[1], near=(np.int64(3), 0), remark=HOSTILE[3]),
    ]
    numbers, labels = np.array([2, 3, 5, 7, 99_999]), np.array([0, 4, -1, 1, 2])
    return read_message(make_maps_message(ROWS, numbers, "test", labels, HOSTILE, given.pop("maps", maps), **given))


def test_maps_message_has_all_that_is_drawn():
    header, arrays = message(selected=np.array([4, 1]), heard="17:4", pictures="fedc")
    assert [header[name] for name in ("id", "heard", "names")] == [ROWS, "17:4", HOSTILE]
    sent = [arrays[name].tolist() for name in ("rows", "labels", "selected")]
    assert sent == [[2, 3, 5, 7, 99_999], [0, 4, -1, 1, 2], [4, 1]]
    assert header["colours"]["dark"] == [palette.get_class_style(k, "dark").colour for k in range(5)]
    first, second = header["maps"]
    assert first["figures"] == [["Accuracy", "0.9", "0.8 to 1", "of 5 rows"]]
    assert [second[name] for name in ("key", "title", "note", "remark", "near")] == [*HOSTILE[:4], [3, 0]]
    # The star is at row 1 of the points, which is the last but one of the map.
    assert second["star"] == pytest.approx(arrays["map1"].reshape(-1, 2)[3].tolist(), abs=0.5)
    sprite = b"\x89PNG\r\n\x1a\n odd", "image/png", 28, 20, 45
    header, arrays = read_message(make_pictures_message("id", sprite=sprite))
    assert arrays["sprite"].tobytes() == sprite[0]
    assert tuple(header[name] for name in ("type", "width", "height", "columns")) == sprite[1:]


def test_map_has_another_shape_only_if_a_point_moves():
    shape = lambda points, **about: message(maps=[Map("a", "A", "", points, **about)])[0]["maps"][0]["shape"]
    points = np.random.default_rng(0).normal(size=(5, 2))
    moved = points + 0.01 * np.eye(5, 2)
    assert shape(points) == shape(2 * points + 1) == shape(points, star=points[0], remark="near") != shape(moved)


def test_values_are_sent_in_steps():
    given = np.array([0.0, 0.25, 1.0, np.nan, 0.5])
    cases = [(given, 0, 1, [0, 16, 63, 255, 32]), ([-1, 0, 1, 2, 3], 0, 2, [0, 0, 32, 63, 63])]
    for numbers, low, high, steps in (*cases, ([4, 5, 6, np.inf, np.nan], 5, 5, [0, 0, 63, 255, 255])):
        header, arrays = message(values=Values(HOSTILE[0], np.array(numbers), low, high, ("same 0", "1 other")))
        assert arrays["values"].tolist() == steps
        assert np.array_equal(arrays["exact"], numbers, equal_nan=True)
    assert [header["ramp"][name] for name in ("label", "low", "high")] == [HOSTILE[0], "same 0", "1 other"]
    assert len(header["ramp"]["light"]) == len(header["ramp"]["dark"]) == 64


def test_selection_comes_back_and_a_malformed_one_is_refused():
    for n in [1, 8, 9, 10_000]:
        # As the browser sets the bits: ``bytes[k >> 3] |= 128 >> (k & 7)``.
        rows, mask = np.flatnonzero(np.random.default_rng(n).random(n) < 0.3), bytearray(-(-n // 8))
        for k in rows:
            mask[k >> 3] |= 128 >> (k & 7)
        assert parse_selection(f"{ROWS}:17:{base64.b64encode(mask).decode()}", ROWS, n).tolist() == rows.tolist()
    # Bits after the last row are ignored, and so is a selection of other rows.
    assert parse_selection(f"{ROWS}:1://8=", ROWS, 9).tolist() == [*range(9)]
    assert parse_selection("fedcba9876543210:x:not base64", ROWS, 9) is None
    bad_bits = ("", "AA==", "AAAA", "AAA", "AA =", "__A=", "äÄA=", "\ud800AA=", "A" * 2_000_000)
    for text in (
        None,
        5,
        b"0:1:AAA=",
        {},
        "",
        f"{ROWS}:1",
        f"{ROWS}:1:AAA=:",
        *(f"{ROWS}:1:{bits}" for bits in bad_bits),
    ):
        with pytest.raises(BadInput, match="reload this page"):
            parse_selection(text, ROWS, 9)
