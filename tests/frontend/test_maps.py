"""What the linked maps are sent and send back: read as the browser reads it, and whatever anybody may have written."""

import base64
import json
import math

import numpy as np
import pytest

from core.errors import BadInput
from core.figures import palette
from core.frontend.maps import (
    Map,
    Values,
    make_maps_message,
    make_pictures_message,
    pack,
    parse_selection,
    quantise,
    unpack,
)

HOSTILE = ["</script><script>alert(1)</script>", '"; alert(1) //', "\u2028\u2029\0\x1b[31m", "Zoë 猫 \U0001f40c", ""]
TYPES = {"u1": "<u1", "u2": "<u2", "i2": "<i2", "i4": "<i4", "f4": "<f4"}
ROWS = "0123456789abcdef"


def read(data):
    """As the browser does: the header's length, the header, arrays that each begin at a multiple of 8."""
    length = int.from_bytes(data[:4], "little")
    header = json.loads(data[4 : 4 + length].decode("ascii"))
    at, arrays = 4 + length, {}
    for name, count, kind in header["arrays"]:
        assert at % 8 == 0
        arrays[name] = np.frombuffer(data, TYPES[kind], count, at)
        at += math.ceil(arrays[name].nbytes / 8) * 8
    assert at == len(data)
    return header, arrays


def bits(positions, n):
    """A bit a row, as the browser sets them: ``bytes[k >> 3] |= 128 >> (k & 7)``."""
    mask = bytearray(-(-n // 8))
    for k in positions:
        mask[k >> 3] |= 128 >> (k & 7)
    return base64.b64encode(bytes(mask)).decode()


# --- Bytes --------------------------------------------------------------------------------------------------------


def test_what_is_packed_is_read_as_the_browser_reads_it():
    for n in [0, 1, 2, 3, 7, 8, 9, 1000]:
        rng = np.random.default_rng(n)
        arrays = {
            "a": rng.integers(0, 255, n, np.uint8, endpoint=True),
            "b": rng.integers(0, 65535, (n, 2), np.uint16, endpoint=True),
            "c": rng.integers(-(2**15), 2**15, n, np.int16),
            "d": rng.integers(-(2**31), 2**31, n, np.int32),
            "è 猫": np.arange(3 * n, dtype=np.uint8)[::3],
        }
        for filling in range(8):
            header = {"text": HOSTILE, "filling": "x" * filling, "number": 0.1, "nothing": None}
            data = pack(header, arrays)
            for found, of in (read(data), unpack(data)):
                found.pop("arrays", None)
                assert found == header
                assert of.keys() == arrays.keys()
                for name, array in arrays.items():
                    assert of[name].dtype == array.dtype
                    assert np.array_equal(of[name], array.ravel()), name


def test_a_number_that_json_does_not_know_is_refused_here_and_not_in_the_browser():
    with pytest.raises(ValueError, match="JSON"):
        pack({"a": float("nan")}, {})


# --- Places -------------------------------------------------------------------------------------------------------


def test_places_are_as_exact_as_their_steps_are_fine():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(500, 2)) * (3, 0.5) + (100, -7)
    places, star = quantise(points)
    assert star is None
    assert places.dtype == np.uint16
    low, high = points.min(axis=0), points.max(axis=0)
    step = (high - low).max() / 65534
    assert places[:, 0].min() == 0
    assert places[:, 0].max() == 65534
    # The narrower axis stands in the middle, to the same scale.
    assert places[:, 1].min() + places[:, 1].max() == pytest.approx(65534, abs=1)
    back = (low + high) / 2 + (places - 65534 / 2) * step
    assert np.abs(back - points).max() <= step / 2 * (1 + 1e-9)


def test_a_row_that_is_not_finite_has_no_place_and_moves_no_other():
    points = np.array([[0, 0], [np.nan, 1], [1, 2], [5, np.inf], [-np.inf, np.nan], [2, 1]], np.float32)
    places, _ = quantise(points)
    known = [0, 2, 5]
    assert (places[[1, 3, 4]] == 65535).all()
    assert np.array_equal(places[known], quantise(points[known])[0])
    assert places[known].max() == 65534
    nowhere, star = quantise(np.full((3, 2), np.nan), np.zeros(2))
    assert (nowhere == 65535).all()
    assert star is None
    assert quantise(np.zeros((0, 2)))[0].shape == (0, 2)


def test_where_all_points_are_one_it_stands_in_the_middle():
    for n in [1, 4]:
        for at in [(0.0, 0.0), (5.0, -3.0), (1e30, 0.1)]:
            places, star = quantise(np.tile(np.float32(at), (n, 1)), np.float32(at))
            assert places.tolist() == [[32767, 32767]] * n
            assert star == [32767, 32767]
            _, elsewhere = quantise(np.tile(np.float32(at), (n, 1)), np.float32(at) + np.float32(1e35))
            assert np.isfinite(elsewhere).all()
            assert min(elsewhere) > 65534


def test_a_star_lies_where_a_row_of_the_same_place_lies_or_outside():
    points = np.array([[0.0, 0.0], [10.0, 4.0]])
    places, star = quantise(points, np.array([10.0, 4.0]))
    assert star == pytest.approx(places[1].tolist(), abs=0.5)
    assert quantise(points, np.array([5.0, 2.0]))[1] == [32767, 32767]
    assert quantise(points, np.array([20.0, -8.0]))[1] == [131068, -32767]
    assert np.array_equal(quantise(points, np.array([1e6, 0.0]))[0], places)
    assert quantise(points, np.array([np.nan, 0.0]))[1] is None


def test_any_floats_make_places_and_a_message_that_can_be_sent():
    rng = np.random.default_rng(0)
    odd = np.array([0, -0.0, 1, -1, 1e-45, 1e-38, 3e38, -3e38, 1e-3, np.nan, np.inf, -np.inf, 5.5], np.float32)
    for _ in range(300):
        points, star = rng.choice(odd, (rng.integers(0, 6), 2)), rng.choice(odd, 2)
        places, at = quantise(points, star)
        known = np.isfinite(points).all(axis=1)
        assert (places[known] <= 65534).all()
        assert (places[~known] == 65535).all()
        pack({"star": at}, {"map0": places})


# --- Messages -----------------------------------------------------------------------------------------------------


def message(**given):
    rng = np.random.default_rng(0)
    points = rng.normal(size=(5, 2)).astype(np.float32)
    drawn = [
        Map("ae:direct", "AE 2-D", "the 2-D code", points, (("Accuracy", "0.9", "0.8 to 1", "of 5 rows"),)),
        Map(HOSTILE[0], HOSTILE[1], HOSTILE[2], points[::-1], star=points[1], near=(np.int64(3), 0), remark=HOSTILE[3]),
        Map("gan", "GAN", "", np.full((5, 2), np.nan), absent="It is not trained yet."),
    ]
    rows = {"numbers": np.array([2, 3, 5, 7, 99_999]), "labels": np.array([0, 4, -1, 1, 2])}
    return make_maps_message(
        ROWS, rows["numbers"], "test", rows["labels"], given.pop("names", HOSTILE), given.pop("maps", drawn), **given
    )


def test_the_maps_are_sent_with_all_that_is_drawn_and_said_of_them():
    header, arrays = read(message(selected=np.array([4, 1]), heard="17:4", pictures="fedc"))
    assert {name: header[name] for name in ("kind", "id", "split", "selected", "heard", "pictures")} == {
        "kind": "maps",
        "id": ROWS,
        "split": "test",
        "selected": [4, 1],
        "heard": "17:4",
        "pictures": "fedc",
    }
    assert arrays["rows"].tolist() == [2, 3, 5, 7, 99_999]
    assert arrays["labels"].tolist() == [0, 4, -1, 1, 2]
    first, second, third = header["maps"]
    assert first["figures"] == [["Accuracy", "0.9", "0.8 to 1", "of 5 rows"]]
    assert (first["star"], first["near"], first["absent"]) == (None, [], "")
    assert second["near"] == [3, 0]
    # The star stands at row 1 of the points, which is the last but one of the map.
    assert second["star"] == pytest.approx(arrays["map1"].reshape(-1, 2)[3].tolist(), abs=0.5)
    assert third["absent"] == "It is not trained yet."
    assert (arrays["map2"] == 65535).all()
    assert len({each["shape"] for each in header["maps"]}) == 3
    assert "ramp" not in header
    assert "values" not in arrays


def test_a_map_has_another_shape_once_a_point_moves_and_only_then():
    def shape(points, **about):
        return read(message(maps=[Map("a", "A", "", points, **about)]))[0]["maps"][0]["shape"]

    points = np.random.default_rng(0).normal(size=(5, 2))
    moved = points.copy()
    moved[0] += 0.01
    assert shape(points) == shape(2 * points + 1) == shape(points, star=points[0], remark="near")
    assert shape(points) != shape(moved)


def test_names_travel_letter_by_letter_as_plain_text():
    header, _ = read(message())
    assert header["names"] == HOSTILE
    second = header["maps"][1]
    assert [second[name] for name in ("key", "title", "note", "remark")] == HOSTILE[:4]


def test_each_class_has_the_colour_and_the_mark_it_has_everywhere():
    header, _ = read(message(names=[f"class {k}" for k in range(23)]))
    for theme in ("light", "dark"):
        assert header["colours"][theme] == [palette.get_class_style(k, theme).colour for k in range(23)]
        assert header["none"][theme] == palette.get_class_style(-1, theme).colour
    assert header["marks"] == [palette.get_class_style(k, "light").mark for k in range(23)]
    assert len({*zip(header["colours"]["dark"], header["marks"], strict=True)}) == 23


def test_values_are_sent_in_steps_and_a_row_without_one_has_none():
    given = np.array([0.0, 0.25, 1.0, np.nan, 0.5])
    header, arrays = read(message(values=Values(HOSTILE[0], given, 0.0, 1.0, ("same 0", "1 other"))))
    steps = arrays["values"]
    assert steps[[0, 2, 3]].tolist() == [0, 63, 255]
    assert np.abs(steps[[1, 4]] / 63 - given[[1, 4]]).max() <= 0.5 / 63
    ramp = header["ramp"]
    assert {name: ramp[name] for name in ("label", "low", "high")} == {
        "label": HOSTILE[0],
        "low": "same 0",
        "high": "1 other",
    }
    assert np.array_equal(arrays["exact"], given.astype(np.float32), equal_nan=True)
    assert len(ramp["light"]) == len(ramp["dark"]) == 64


def test_values_beyond_the_ends_and_of_one_height():
    for given, low, high, steps in [
        ([-1, 0, 1, 2, 3], 0, 2, [0, 0, 32, 63, 63]),
        ([5, 5, 5, 5, 5], 5, 5, [0] * 5),
        ([4, 5, 6, 1e30, np.nan], 5, 5, [0, 0, 63, 63, 255]),
        ([np.inf, -np.inf, np.nan, 0, 1], 0, 1, [255, 255, 255, 0, 63]),
        ([np.nan] * 5, 0, 1, [255] * 5),
    ]:
        values = Values("v", np.array(given, np.float64), np.float32(low), np.float32(high))
        assert read(message(values=values))[1]["values"].tolist() == steps


def test_pictures_are_sent_as_they_were_made():
    sprite = b"\x89PNG\r\n\x1a\n odd", "image/png", 28, 20, 45
    header, arrays = read(make_pictures_message("id", sprite=sprite))
    assert arrays["sprite"].tobytes() == sprite[0]
    assert [header[name] for name in ("kind", "id", "type", "width", "height", "columns", "texts")] == [
        "pictures",
        "id",
        *sprite[1:],
        None,
    ]
    header, arrays = read(make_pictures_message("id", texts=tuple((text, text) for text in HOSTILE)))
    assert header["texts"] == [[text, text] for text in HOSTILE]
    assert arrays == {}


# --- What comes back ----------------------------------------------------------------------------------------------


def test_a_selection_comes_back_as_the_browser_made_it():
    for n in [1, 7, 8, 9, 63, 64, 65, 10_000]:
        rng = np.random.default_rng(n)
        for rows in ([], [0], [n - 1], range(n), np.flatnonzero(rng.random(n) < 0.3)):
            found = parse_selection(f"{ROWS}:17:{bits(rows, n)}", ROWS, n)
            assert found.tolist() == list(rows)


def test_bits_behind_the_last_row_are_nobody():
    assert parse_selection(f"{ROWS}:1:{base64.b64encode(bytes([255, 255])).decode()}", ROWS, 9).tolist() == list(
        range(9)
    )


def test_a_selection_of_other_rows_is_none_whatever_it_holds():
    assert parse_selection("::", ROWS, 9) is None
    for rest in (f"1:{bits([3], 9)}", "1:", "x:not base64"):
        assert parse_selection(f"fedcba9876543210:{rest}", ROWS, 9) is None


def test_nonsense_is_refused_in_a_sentence():
    for text in [
        None,
        5,
        2.5,
        True,
        b"0123456789abcdef:1:AAA=",
        [],
        {},
        object(),
        "",
        ":",
        f"{ROWS}",
        f"{ROWS}:1",
        f"{ROWS}:1:AAA=:",
        f"{ROWS}:1:",
        f"{ROWS}:1:AA==",
        f"{ROWS}:1:AAAA",
        f"{ROWS}:1:AAA",
        f"{ROWS}:1:AA =",
        f"{ROWS}:1:A\nAA=",
        f"{ROWS}:1:__A=",
        f"{ROWS}:1:äÄA=",
        f"{ROWS}:1:\0\0A=",
        f"{ROWS}:1:\ud800AA=",
        f"{ROWS}:1:{'A' * 2_000_000}",
    ]:
        with pytest.raises(BadInput, match="reload this page"):
            parse_selection(text, ROWS, 9)


def test_whatever_is_sent_gives_rows_or_none_or_a_sentence():
    rng = np.random.default_rng(0)
    good = f"{ROWS}:1:{bits([1, 5], 40)}"
    letters = "ABCxyz019+/=:_-. \n\0é猫"
    for _ in range(2000):
        text = list(good)
        for _ in range(rng.integers(1, 4)):
            at = int(rng.integers(0, len(text)))
            text[at : at + int(rng.integers(0, 3))] = [letters[k] for k in rng.integers(0, len(letters), 2)]
        try:
            found = parse_selection("".join(text), ROWS, 40)
        except BadInput:
            continue
        assert found is None or (len(set(found.tolist())) == len(found) and set(found.tolist()) <= set(range(40)))
