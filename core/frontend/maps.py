"""Messages of the linked maps; assets/components/maps.js is the other side."""

import base64
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from core.errors import BadInput
from core.figures import palette

_TYPES = {"uint8": "u1", "int8": "i1", "uint16": "u2", "int16": "i2", "int32": "i4", "float16": "f2", "float32": "f4"}
_TYPES |= {"float64": "f8"}
_ALIGNED = 8
_NOWHERE, _LAST = 65535, 65534
_RAMP = {
    "light": ("#5a92d3", "#4f6dd1", "#683bb4", "#671165", "#3d0d1d"),
    "dark": ("#3f6ebe", "#538ec7", "#93acac", "#c7cf7f", "#ffee99"),
}
_STEPS = 64
_FARTHEST = 1000.0  # from a map, in its own width


@dataclass(frozen=True)
class Map:
    """One of the maps.

    Attributes
    ----------
    key : stays the same while the map is shown.
    title, note : the method, and what the plane is.
    points : (n, 2), one for each row; NaN for a row without a position.
    figures : (name, value, interval and n, help) of each number below the map.
    absent : a sentence in place of a map that can't be shown.
    remark : a few words below the map.
    star : (2,) position of a person's own point.
    near : positions among the rows that are marked.
    """

    key: str
    title: str
    note: str
    points: np.ndarray
    figures: tuple[tuple[str, str, str, str], ...] = ()
    absent: str = ""
    remark: str = ""
    star: np.ndarray | None = None
    near: tuple[int, ...] = ()


@dataclass(frozen=True)
class Values:
    """A value for each row to colour by, (n,), NaN where a row has none.

    Attributes
    ----------
    low, high : ends of the scale, `names` are at them; of dates, as `is_date` says, in days since 1970.
    categories : of the values 0, 1, ..., which have colours and no scale then; the last one is grey if it stands for
        all others, as `has_others` says.
    """

    label: str
    values: np.ndarray
    low: float = 0.0
    high: float = 1.0
    names: tuple[str, str] = ("low", "high")
    categories: tuple[str, ...] = ()
    has_others: bool = False
    is_date: bool = False


@dataclass(frozen=True)
class Cells:
    """A column of the cells that the hover text shows: (n,) floats, or indices of `categories`, -1 for a missing one.

    Numbers are NaN where missing; dates, as `is_date` says, are days since 1970.
    """

    name: str
    values: np.ndarray
    categories: tuple[str, ...] = ()
    is_date: bool = False


@dataclass(frozen=True)
class Look:
    """The view of the maps, which is kept in the page's address.

    Attributes
    ----------
    hidden : classes that are not shown; -1 for the rows without one.
    zooms : key of a map -> x and y of the centre, and the shorter side that is visible, as shares of its wider axis.
    enlarged : key of the map that is shown alone; "" for none.
    """

    hidden: tuple[int, ...] = ()
    zooms: Mapping[str, tuple[float, float, float]] = field(default_factory=dict)
    enlarged: str = ""


def pack(header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> bytes:
    """A JSON header and arrays as bytes: the header's length, uint32, little endian; both.

    The header's ``arrays`` are ``[name, length, type]`` in their order, types u1, i1, u2, i2, i4, f2, f4, f8; header
    and arrays are padded so that each array begins at a multiple of 8.
    """
    flat = {name: np.ascontiguousarray(a).ravel() for name, a in arrays.items()}
    about = [[name, a.size, _TYPES[a.dtype.name]] for name, a in flat.items()]
    head = json.dumps({**header, "arrays": about}, allow_nan=False, separators=(",", ":")).encode()
    head += b" " * (-(4 + len(head)) % _ALIGNED)
    padded = (a.tobytes() + b"\0" * (-a.nbytes % _ALIGNED) for a in flat.values())
    return b"".join([struct.pack("<I", len(head)), head, *padded])


def make_class_header(n_classes: int) -> dict[str, Any]:
    """Colours by theme, and marks, of the classes."""
    styles = {theme: [palette.get_class_style(k, theme) for k in range(n_classes)] for theme in palette.CLASSES}
    colours = {theme: [style.colour for style in own] for theme, own in styles.items()}
    return {"colours": colours, "marks": [style.mark for style in styles["light"]]}


def quantise(points: np.ndarray, star: np.ndarray | None = None) -> tuple[np.ndarray, list[float] | None]:
    """Points (n, 2), and another one (2,) that may lie outside, as whole numbers to one scale.

    Returns
    -------
    (n, 2) uint16 : 0..65534 over the wider axis; 65535 for a row that is not finite
    list or None : the star on the same scale
    """
    points = np.asarray(points, np.float64)
    known = np.isfinite(points).all(axis=1)
    places = np.full(points.shape, _NOWHERE, np.uint16)
    if not known.any():
        return places, None
    low, high = points[known].min(axis=0), points[known].max(axis=0)
    # A narrower axis is centred, and so are points that are all equal.
    middle, span = (low + high) / 2, float((high - low).max()) or 1.0
    places[known] = np.rint(np.clip((points[known] - middle) / span + 0.5, 0, 1) * _LAST)
    if star is None or not np.isfinite(star).all():
        return places, None
    return places, (((np.asarray(star, np.float64) - middle) / span + 0.5) * _LAST).round(2).tolist()


def make_maps_message(
    rows_id: str,
    numbers: np.ndarray,
    split: str,
    labels: np.ndarray,
    names: Sequence[str],
    maps: Sequence[Map],
    *,
    selected: Sequence[int] = (),
    heard: str = "",
    pictures: str = "",
    values: Values | None = None,
    look: Look = Look(),
    heard_look: str = "",
    is_test: np.ndarray | None = None,
    noun: str = "row",
    file: str = "hourglass-maps",
    is_bare: bool = False,
) -> bytes:
    """All that the maps draw.

    Parameters
    ----------
    rows_id : of the rows that the maps' selection refers to.
    numbers : (n,) row numbers in `split`, for the hover text.
    labels : (n,) int, index into `names`, -1 where a row has no class.
    selected, look : positions among the rows, and the view, as the server knows them.
    heard, heard_look : turns of the last ones that the maps sent and the server knows; later ones are kept.
    pictures : id of the message of `make_pictures_message`.
    is_test : (n,) bool, of rows of both splits.
    noun : what a row is called where its number follows.
    file : name of a saved picture, without its extension.
    is_bare : whether the maps stand alone, without tools and the list of selected rows.
    """
    arrays: dict[str, np.ndarray] = {"rows": numbers.astype(np.int32), "labels": labels.astype(np.int16)}
    arrays["selected"] = np.asarray(selected, np.int32)
    drawn = []
    for k, each in enumerate(maps):
        arrays[f"map{k}"], star = quantise(each.points, each.star)
        about = {name: getattr(each, name) for name in ("key", "title", "note", "figures", "absent", "remark")}
        near, shape = list(map(int, each.near)), zlib.crc32(arrays[f"map{k}"])
        drawn.append({**about, "star": star, "near": near, "shape": shape})
    header: dict[str, Any] = {
        "kind": "maps",
        "id": rows_id,
        "split": split,
        "names": list(map(str, names)),
        "noun": noun,
        "maps": drawn,
        "heard": heard,
        "pictures": pictures,
        "look": asdict(look),
        "heardLook": heard_look,
        "file": file,
        "bare": is_bare,
        **make_class_header(len(names)),
        "none": palette.NO_CLASS if len(names) or values is not None else palette.SINGLE,
    }
    if is_test is not None:
        arrays["isTest"] = np.asarray(is_test, np.uint8)
    if values is not None:
        n_categories = len(values.categories)
        style = make_class_header(n_categories)
        if values.has_others:
            for theme, colours in style["colours"].items():
                colours[-1] = palette.SOFT[theme]
        ramps = style["colours"] if n_categories else {theme: make_ramp(theme) for theme in _RAMP}
        arrays["values"] = _quantise_values(values)
        arrays["exact"] = np.asarray(values.values, np.float64)
        about = {"label": values.label, "low": values.names[0], "high": values.names[1], "isDate": values.is_date}
        header["ramp"] = {**about, "categories": list(values.categories), "marks": style["marks"], **ramps}
    return pack(header, arrays)


def _quantise_values(values: Values) -> np.ndarray:
    """Step of the ramp, or category, for each row, (n,) uint8; 255 for a row without a value."""
    given = np.asarray(values.values, np.float64)
    known = np.isfinite(given)
    steps = np.full(len(given), 255, np.uint8)
    if values.categories:
        steps[known] = given[known]
        return steps
    span = float(values.high - values.low) or 1.0
    steps[known] = np.rint(np.clip((given[known] - values.low) / span, 0, 1) * (_STEPS - 1))
    return steps


def make_ramp(theme: str) -> list[str]:
    """64 colours from low to high, each farther in lightness from the page than the one before."""
    stops = np.array([palette.to_rgb(colour) for colour in _RAMP[theme]])
    at = np.linspace(0, len(stops) - 1, _STEPS)
    mixed = np.column_stack([np.interp(at, np.arange(len(stops)), stops[:, k]) for k in range(3)])
    return ["#{:02x}{:02x}{:02x}".format(*map(int, np.rint(colour))) for colour in mixed]


def make_pictures_message(
    pictures_id: str,
    *,
    sprite: tuple[bytes, str, int, int, int] | None = None,
    texts: Sequence[tuple[str, str]] | None = None,
    titles: Sequence[str] = (),
    cells: Sequence[Cells] = (),
) -> bytes:
    """What the hover text shows: a sprite of `montages.make_sprite`, title and words, or title and cells."""
    arrays, columns = {}, []
    for k, column in enumerate(cells):
        arrays[f"cells{k}"] = np.asarray(column.values, np.int32 if column.categories else np.float64)
        columns.append({"name": column.name, "categories": list(column.categories), "isDate": column.is_date})
    header: dict[str, Any] = {"kind": "pictures", "id": pictures_id, "texts": texts, "cells": columns}
    header["titles"] = list(titles)
    if sprite is not None:
        data, media, width, height, columns = sprite
        header |= {"type": media, "width": width, "height": height, "columns": columns}
        arrays["sprite"] = np.frombuffer(data, np.uint8)
    return pack(header, arrays)


def parse_selection(text: object, rows_id: str, n: int) -> np.ndarray | None:
    """Positions of the rows selected in the maps; None if of other rows, BadInput if it is no selection of `n` rows.

    Anybody may have written ``"<rows_id>:<turn>:<a bit for each row, base64>"``.
    """
    parts = text.split(":") if isinstance(text, str) else []
    if len(parts) != 3:
        raise BadInput("What the maps sent is no selection: reload this page.")
    if parts[0] != rows_id:
        return None
    with suppress(ValueError):
        bits = np.frombuffer(base64.b64decode(parts[2], validate=True), np.uint8)
        if len(bits) == -(-n // 8):
            return np.flatnonzero(np.unpackbits(bits)[:n])
    raise BadInput(f"What the maps sent is no selection of {n:,} rows: reload this page.")


def parse_look(text: object, rows_id: str, keys: Sequence[str], labels: Sequence[int]) -> tuple[Look, str] | None:
    """The view that the maps sent, and its turn; None if it is of other rows, BadInput if malformed.

    Anybody may have written the JSON, see `LinkedMaps.sendLook`; unknown keys and labels are left out.
    """
    try:
        found = json.loads(text) if isinstance(text, str) and len(text) < 20_000 else None
        if found["id"] != rows_id:
            return None
        look = make_look(found["hidden"], found["zooms"], found["enlarged"], keys, labels)
        return look, str(found["turn"])[:40]
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError):
        raise BadInput("What the maps sent can't be read: reload this page.") from None


def make_look(hidden: Any, zooms: Any, enlarged: Any, keys: Sequence[str], labels: Sequence[int]) -> Look:
    """A `Look` of known maps and classes; ValueError, TypeError or AttributeError if it is malformed."""
    known = {}
    for key, zoom in zooms.items():
        x, y, side = (float(value) for value in zoom)
        if not (abs(x) <= _FARTHEST and abs(y) <= _FARTHEST and 0 < side <= _FARTHEST):
            raise ValueError("It is no place in a map.")
        if key in keys:
            known[key] = (x, y, side)
    away = sorted({int(label) for label in hidden} & {int(label) for label in labels})
    return Look(tuple(away), known, enlarged if enlarged in keys else "")
