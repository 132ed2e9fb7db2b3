"""The file formats of data sets: arrays as npz, documents as gzipped JSON lines.

Files are read leniently if their meaning is certain (pixels of other types, classes by other names, a byte order
mark), and notes say so; all others are refused with the file and the line or row.
"""

from __future__ import annotations

import gzip
import json
import lzma
import re
import tarfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core import files
from core.datasets import MOST_CLASSES
from core.errors import DataUnavailable
from core.types import UNLABELLED

_SPLITS = ("train", "test")
_BOM = "\ufeff"
_SURROGATE = re.compile("[\ud800-\udfff]")
# Control characters, and those that change the direction of text.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
UNREADABLE = (
    *(OSError, ValueError, KeyError, EOFError, MemoryError, OverflowError, SyntaxError),
    *(zipfile.BadZipFile, zlib.error, tarfile.TarError),
)
# An encrypted member or another compression, damaged LZMA, a header that breaks off.
_UNREADABLE_NPZ = (*UNREADABLE, RuntimeError, lzma.LZMAError, tokenize.TokenError)


def first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).split("\n")[0].rstrip(".")


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray], *, compressed: bool = False) -> None:
    """Write named arrays as ``.npz`` atomically; uncompressed ones load ten times as fast."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.open_replacing(path) as file:
        (np.savez_compressed if compressed else np.savez)(file, **arrays)


def write_documents(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Write rows as gzipped JSON lines atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.open_replacing(path) as file, gzip.open(file, "wb", compresslevel=4) as lines:
        for row in rows:
            lines.write(json.dumps(row).encode("ascii") + b"\n")


def unreadable(path: Path, why: str) -> DataUnavailable:
    return DataUnavailable(f"{path} can't be read ({why}): correct it, or delete it and load again.")


def read_images(
    path: Path, shapes: Mapping[str, tuple[int | None, ...]], usual: Sequence[str] = ()
) -> tuple[dict[str, np.ndarray], tuple[str, ...], tuple[str, ...]]:
    """Arrays of a data set of images, the names of its classes, and notes of how they were read.

    Pixels (arrays ``x...``) become uint8 in 0..255, labels (arrays ``y...``) indices of the names; `usual` are the
    published names. Raises DataUnavailable as `read_arrays`, and for pixels or labels whose meaning is not certain.
    """
    arrays = read_arrays(path, shapes, "uifbUS")
    try:
        arrays, notes = parse_images(path, arrays)
        labels = {name: values for name, values in arrays.items() if name.startswith("y")}
        codes, names = parse_labels(path, labels, usual) if labels else ({}, ())
        return {**arrays, **codes}, names, notes
    except WrongFile as error:
        raise unreadable(path, first_line(error)) from error


def read_arrays(path: Path, shapes: Mapping[str, tuple[int | None, ...]], kinds: str = "u") -> dict[str, np.ndarray]:
    """Named arrays in an ``.npz``; DataUnavailable if it is absent, damaged, or contains something else.

    `shapes` has None for any length; rows of the same size in another shape are reshaped. `kinds` are NumPy's letters
    of the types allowed.
    """
    try:
        # NumPy leaves a damaged file open that it opened itself.
        with path.open("rb") as opened:
            file = np.load(opened, allow_pickle=False)
            if not isinstance(file, np.lib.npyio.NpzFile):
                raise ValueError("it is a single array and no npz")
            with file:
                arrays = {name: file[name] for name in shapes}
    except _UNREADABLE_NPZ as error:
        raise unreadable(path, first_line(error)) from error
    for name, shape in shapes.items():
        array = arrays[name]
        if array.ndim and len(array) and array[0].size == np.prod(shape[1:]) and shape[0] is None:
            array = arrays[name] = array.reshape(-1, *shape[1:])
        fits = len(array.shape) == len(shape) and all(n in (None, m) for n, m in zip(shape, array.shape, strict=True))
        if not fits or array.dtype.kind not in kinds or not len(array):
            wanted = ", ".join("n" if n is None else str(n) for n in shape)
            raise unreadable(path, f"{name} is {array.dtype} {array.shape} and not ({wanted})")
    for name, values in arrays.items():
        images = arrays.get(name.replace("y", "x", 1).replace("rows", "x", 1))
        if images is not None and len(images) != len(values):
            raise unreadable(path, f"{name} has {len(values)} rows for {len(images)} images")
    return arrays


def read_documents(path: Path) -> list[dict[str, str]]:
    """Rows of gzipped JSON lines, see `parse_documents`; DataUnavailable if absent, damaged or others."""
    try:
        with gzip.open(path, "rb") as lines:
            return parse_documents(lines)
    except UNREADABLE as error:
        raise unreadable(path, first_line(error)) from error


class WrongFile(ValueError):
    """A file that can't be used; the text says where and why."""

    def __init__(self, path: Path, why: str):
        super().__init__(why)
        self.path = path


def text_lines(lines: Iterator[bytes]) -> Iterator[tuple[int, str]]:
    """Yield number and text of each line that is not blank, without byte order mark; lines end with CR, LF or both.

    Raises ValueError with the number of a line that is not UTF-8; halves of surrogate pairs pass, see
    `clean_documents`.
    """
    parts = (part for line in lines for part in line.rstrip(b"\r\n").split(b"\r"))
    for number, line in enumerate(parts, 1):
        try:
            text = line.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            byte = f"byte 0x{line[error.start]:02x} at position {error.start + 1}"
            why = f"line {number} is not UTF-8 ({byte}, which Latin-1 and other encodings use): save the file as UTF-8"
            raise ValueError(why) from None
        text = text.removeprefix(_BOM) if number == 1 else text
        if text.strip():
            yield number, text


def parse_documents(lines: Iterator[bytes]) -> list[dict[str, str]]:
    """Rows ``{"split", "label", "text"}``, perhaps with ``"title"``, of JSON lines; ValueError names a wrong line."""
    rows = []
    for number, line in text_lines(lines):
        try:
            rows.append(_document(json.loads(line)))
        except (ValueError, RecursionError) as error:
            why = f"it is no JSON, {error.msg}" if isinstance(error, json.JSONDecodeError) else error
            raise ValueError(f"line {number}: {why}") from None
    if split := missing_split(rows):
        raise ValueError(f"it has no {split} document")
    return rows


def _document(row: Any) -> dict[str, str]:
    """A row with its label as text; ValueError if it has no split, label or text, or one of another type."""
    if not isinstance(row, dict):
        raise ValueError("it is no object with split, label and text")
    label = row.get("label")
    label = str(label) if isinstance(label, int) and not isinstance(label, bool) else label
    row = {"split": row.get("split"), "label": label, "text": row.get("text"), "title": row.get("title") or ""}
    if row["split"] not in _SPLITS:
        raise ValueError("its split is neither train nor test")
    for name in ("label", "text", "title"):
        if not isinstance(row[name], str) or (name == "label" and not label.strip(f" \t\r\n{_BOM}")):
            raise ValueError(f"its {name} is no text")
    return row if row["title"] else {name: row[name] for name in ("split", "label", "text")}


def missing_split(rows: Sequence[Mapping[str, str]]) -> str | None:
    """The split without rows, if there is one."""
    return next((split for split in _SPLITS if not any(row["split"] == split for row in rows)), None)


def clean_documents(rows: Sequence[Mapping[str, str]]) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    """Documents without control characters and invalid Unicode, and notes of what was replaced."""
    cleaned, replaced = [], []
    for row in rows:
        texts, n_replaced = {}, 0
        for name, text in row.items():
            for wrong, in_text in ((_SURROGATE, not text.isascii()), (_CONTROL, name in ("label", "title"))):
                text, n = wrong.subn("\N{REPLACEMENT CHARACTER}", text.removeprefix(_BOM)) if in_text else (text, 0)
                n_replaced += n
            texts[name] = " ".join(text.split()) if name == "label" else text
        cleaned.append(texts)
        replaced += [n_replaced] if n_replaced else []
    if not replaced:
        return cleaned, ()
    characters = "1 character" if sum(replaced) == 1 else f"{sum(replaced):,} characters"
    where = f"{characters} in {len(replaced):,} of {len(cleaned):,} documents"
    return cleaned, (f"{where} are control characters or no valid Unicode and were replaced.",)


def parse_images(path: Path, arrays: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Arrays of a file with the pixels of those named ``x...`` as uint8 in 0..255, and notes of how they were read.

    Raises WrongFile for pixels that are no grey levels: NaN, negative, of two scales, or of an unknown one.
    """
    pixels = {name: values for name, values in arrays.items() if name.startswith("x")}
    for name, values in pixels.items():
        if not len(values):
            raise WrongFile(path, f"{name} has no image")
        _check_numbers(path, name, values)
    tops = {name: float(values.max()) for name, values in pixels.items()}
    highest = max(tops.values())
    if highest > 255 and len({values.dtype for values in pixels.values()}) > 1:
        kinds = ", ".join(f"{name} is {values.dtype}" for name, values in pixels.items())
        raise WrongFile(path, f"its pixels are of two types ({kinds}): give all in one, such as uint8 in 0..255")
    if highest > 1 and any(0 < top <= 1 for top in tops.values()):
        told = ", ".join(f"{name} goes up to {top:,.6g}" for name, top in tops.items())
        raise WrongFile(path, f"its pixels are of two scales ({told}): give all on one")
    scale, note = _scale_of(path, pixels, highest)

    def to_bytes(values: np.ndarray) -> np.ndarray:
        if scale == 1:
            return values.astype(np.uint8, copy=False)
        # In parts: a float64 copy of all MNIST would take 400 MB.
        parts = (values[at : at + 5000] for at in range(0, len(values), 5000))
        return np.concatenate([np.rint(part.astype(np.float64) * scale).astype(np.uint8) for part in parts])

    return {**arrays, **{name: to_bytes(values) for name, values in pixels.items()}}, note


def _check_numbers(path: Path, name: str, values: np.ndarray) -> None:
    if values.dtype.kind not in "uifb":
        raise WrongFile(path, f"{name} is {values.dtype}, and pixels are numbers")
    if values.dtype.kind in "ub":
        return
    rows = values.reshape(len(values), -1)
    for what, wrong in (("not finite", ~np.isfinite(rows)), ("negative", rows < 0)):
        bad = np.flatnonzero(wrong.any(axis=1))
        if len(bad):
            raise WrongFile(path, f"{len(bad):,} rows of {name} have pixels that are {what}, first row {bad[0]:,}")


def _scale_of(path: Path, pixels: Mapping[str, np.ndarray], highest: float) -> tuple[float, tuple[str, ...]]:
    """The factor of the pixels, and a note unless it is 1."""
    whole = all(values.dtype.kind in "uib" or not (values % 1).any() for values in pixels.values())
    if 0 < highest <= 1:
        return 255, ("The pixels of this copy are numbers from 0 to 1; they were multiplied by 255.",)
    if highest <= 255 and whole:
        return 1, ()
    if highest <= 65535 and whole:
        note = f"The pixels of this copy are 16-bit levels up to {highest:,.0f}; they were divided by 257."
        return 255 / 65535, (note,)
    remedy = "give numbers from 0 to 1, or whole numbers from 0 to 255 or from 0 to 65,535"
    raise WrongFile(path, f"its pixels go up to {highest:,.6g}, which is none of the scales that are known: {remedy}")


def parse_labels(
    path: Path, given: Mapping[str, np.ndarray], usual: Sequence[str]
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Labels as indices of class names (-1: none), and these names.

    Whole numbers that index `usual` and texts in `usual` mean these classes; other labels are themselves the names.
    Raises WrongFile for labels that are NaN, fractions or empty, or of more than `MOST_CLASSES` classes.
    """
    values = {name: _names_of(path, name, each) for name, each in given.items()}
    if len({each.dtype.kind for each in values.values()}) > 1:
        raise WrongFile(path, f"{' and '.join(values)} are of two types, numbers and text")
    every = np.unique(np.concatenate(list(values.values())))
    if every.dtype.kind == "i" and every[0] >= UNLABELLED and every[-1] < len(usual):
        return values, tuple(usual)
    if every.dtype.kind == "U" and np.isin(every, usual).all():
        names = np.array(usual)
        order = np.argsort(names)
        return {n: order[np.searchsorted(names[order], each)] for n, each in values.items()}, tuple(usual)
    every = every[every != UNLABELLED] if every.dtype.kind == "i" else every
    if len(every) > MOST_CLASSES:
        raise WrongFile(path, f"{' and '.join(values)} name {len(every):,} classes: at most {MOST_CLASSES} are allowed")
    codes = {n: np.searchsorted(every, each).astype(np.int64) for n, each in values.items()}
    if every.dtype.kind == "i":
        codes = {n: np.where(values[n] == UNLABELLED, UNLABELLED, each) for n, each in codes.items()}
    return codes, tuple(map(str, every.tolist()))


def _names_of(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    """Labels as int64 or as text."""
    values = np.char.decode(values, "utf-8", "replace") if values.dtype.kind == "S" else values
    if values.dtype.kind == "U":
        values = np.array([" ".join(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(each)).split()) for each in values])
        if not (filled := values != "").all():
            raise WrongFile(path, f"{name} is empty in {(~filled).sum():,} rows, first row {filled.argmin():,}")
        return values
    with np.errstate(invalid="ignore"):
        whole = values.astype(np.int64)
    if not (same := whole == values).all():
        value, row = values[same.argmin()], same.argmin()
        raise WrongFile(path, f"{name} holds {value} in row {row:,}: labels are whole numbers or text")
    return whole
