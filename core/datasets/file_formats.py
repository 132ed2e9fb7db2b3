"""The file formats of data sets: arrays as npz, documents as gzipped JSON lines.

Files are read leniently if their meaning is certain (pixels of other types, classes by other names, a byte order
mark), and notes say so; all others are refused with the file and the line or row.
"""

import gzip
import json
import lzma
import re
import tarfile
import tokenize
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
# Of labels and titles also control characters, and those that change the direction of text.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
# Among them: an encrypted member of an archive, another compression, a header that breaks off.
UNREADABLE = (
    *(OSError, ValueError, KeyError, EOFError, MemoryError, OverflowError, SyntaxError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, tarfile.TarError, tokenize.TokenError),
)


def first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).split("\n")[0].rstrip(".")


def write(path: Path, content: Mapping[str, np.ndarray] | Iterable[Mapping[str, str]]) -> None:
    """Write named arrays as uncompressed ``.npz``, or rows of documents as gzipped JSON lines, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.open_replacing(path) as file:
        if isinstance(content, Mapping):
            np.savez(file, **content)
        else:
            with gzip.open(file, "wb", compresslevel=4) as lines:
                lines.writelines(json.dumps(row).encode("ascii") + b"\n" for row in content)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Turn an error of reading a file into DataUnavailable, which names the file and the problem."""
    try:
        yield
    except UNREADABLE as error:
        remedy = "correct it, or delete it and load again"
        raise DataUnavailable(f"{path} can't be read ({first_line(error)}): {remedy}.") from error


def read_images(
    path: Path, shapes: Mapping[str, tuple[int, ...]], usual: Sequence[str] = ()
) -> tuple[dict[str, np.ndarray], tuple[str, ...], tuple[str, ...]]:
    """Arrays of a data set of images, the names of its classes, and notes of how they were read.

    Pixels (arrays ``x...``) become uint8 in 0..255, labels (arrays ``y...``) indices of the names; `usual` are the
    published names. Raises DataUnavailable as `read_arrays`, and for pixels or labels whose meaning is not certain.
    """
    with _refusing(path):
        arrays, notes = parse_images(read_arrays(path, shapes, "uifbUS"))
        labels = {name: values for name, values in arrays.items() if name.startswith("y")}
        codes, names = parse_labels(labels, usual) if labels else ({}, ())
        return {**arrays, **codes}, names, notes


def read_arrays(path: Path, shapes: Mapping[str, tuple[int, ...]], kinds: str = "u") -> dict[str, np.ndarray]:
    """Named arrays in an ``.npz``; DataUnavailable if it is absent, damaged, or contains something else.

    `shapes` are those of a row; rows of the same size in another shape are reshaped. `kinds` are NumPy's letters of
    the types allowed.
    """
    # NumPy leaves a damaged file open that it opened itself.
    with _refusing(path), path.open("rb") as opened:
        with np.lib.npyio.NpzFile(opened, allow_pickle=False) as file:
            arrays = {name: file[name] for name in shapes}
        for name, shape in shapes.items():
            a = arrays[name]
            if a.dtype.kind not in kinds or not a.ndim or not len(a) or a[0].size != np.prod(shape):
                wanted = ", ".join(["n", *map(str, shape)])
                raise ValueError(f"{name} is {a.dtype} {a.shape} and not ({wanted})")
            arrays[name] = a.reshape(-1, *shape)
        for name, values in arrays.items():
            images = arrays.get(name.replace("y", "x", 1).replace("rows", "x", 1))
            if images is not None and len(images) != len(values):
                raise ValueError(f"{name} has {len(values)} rows for {len(images)} images")
        return arrays


def read_documents(path: Path) -> list[dict[str, str]]:
    """Rows of gzipped JSON lines, see `parse_documents`; DataUnavailable if absent, damaged or others."""
    with _refusing(path), gzip.open(path, "rb") as lines:
        return parse_documents(lines)


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
    """A row with its label as text and its title or ""; ValueError names a value that is missing or of another type."""
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
    return row


def missing_split(rows: Sequence[Mapping[str, str]]) -> str | None:
    """The split without rows, if there is one."""
    return next((split for split in _SPLITS if not any(row["split"] == split for row in rows)), None)


def clean_documents(rows: Sequence[Mapping[str, str]]) -> tuple[list[dict[str, str]], tuple[str, ...]]:
    """Documents without control characters and invalid Unicode, and notes of what was replaced."""
    cleaned, replaced = [], []
    for row in rows:
        texts, n_replaced = dict(row), 0
        for name, text in row.items():
            if name != "text" or not text.isascii():
                wrong = _SURROGATE if name == "text" else _CONTROL
                texts[name], n = wrong.subn("\N{REPLACEMENT CHARACTER}", text.removeprefix(_BOM))
                n_replaced += n
        cleaned.append({**texts, "label": " ".join(texts["label"].split())})
        replaced += [n_replaced] if n_replaced else []
    if not replaced:
        return cleaned, ()
    characters = "1 character" if sum(replaced) == 1 else f"{sum(replaced):,} characters"
    where = f"{characters} in {len(replaced):,} of {len(cleaned):,} documents"
    return cleaned, (f"{where} are control characters or no valid Unicode and were replaced.",)


def parse_images(arrays: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Arrays with the pixels of those named ``x...`` as uint8 in 0..255, and notes of how they were read.

    Raises ValueError for pixels that are no grey levels: NaN, negative, of two scales, or of an unknown one.
    """
    pixels = {name: values for name, values in arrays.items() if name.startswith("x")}
    for name, values in pixels.items():
        _check_numbers(name, values)
    tops = {name: float(values.max()) for name, values in pixels.items()}
    highest = max(tops.values())
    if highest > 255 and len({values.dtype for values in pixels.values()}) > 1:
        kinds = ", ".join(f"{name} is {values.dtype}" for name, values in pixels.items())
        raise ValueError(f"its pixels are of two types ({kinds}): give all in one, such as uint8 in 0..255")
    if highest > 1 and any(0 < top <= 1 for top in tops.values()):
        told = ", ".join(f"{name} goes up to {top:,.6g}" for name, top in tops.items())
        raise ValueError(f"its pixels are of two scales ({told}): give all on one")
    scale, notes = _find_scale(pixels, highest)

    def to_bytes(values: np.ndarray) -> np.ndarray:
        if scale == 1:
            return values.astype(np.uint8, copy=False)
        # In parts: a float64 copy of all MNIST would take 400 MB.
        parts = (values[at : at + 5000] for at in range(0, len(values), 5000))
        return np.concatenate([np.rint(part.astype(np.float64) * scale).astype(np.uint8) for part in parts])

    return {**arrays, **{name: to_bytes(values) for name, values in pixels.items()}}, notes


def _check_numbers(name: str, values: np.ndarray) -> None:
    if not len(values):
        raise ValueError(f"{name} has no image")
    if values.dtype.kind not in "uifb":
        raise ValueError(f"{name} is {values.dtype}, and pixels are numbers")
    if values.dtype.kind in "ub":
        return
    rows = values.reshape(len(values), -1)
    for what, wrong in (("not finite", ~np.isfinite(rows)), ("negative", rows < 0)):
        if len(bad := np.flatnonzero(wrong.any(axis=1))):
            raise ValueError(f"{len(bad):,} rows of {name} have pixels that are {what}, first row {bad[0]:,}")


def _find_scale(pixels: Mapping[str, np.ndarray], highest: float) -> tuple[float, tuple[str, ...]]:
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
    raise ValueError(f"its pixels go up to {highest:,.6g}, which is none of the scales that are known: {remedy}")


def parse_labels(
    given: Mapping[str, np.ndarray], usual: Sequence[str]
) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Labels as indices of class names (-1: none), and these names.

    Whole numbers that index `usual` and texts in `usual` mean these classes; other labels are themselves the names.
    Raises ValueError for labels that are NaN, fractions or empty, or of more than `MOST_CLASSES` classes.
    """
    values = {name: _check_labels(name, labels) for name, labels in given.items()}
    if len(kinds := {labels.dtype.kind for labels in values.values()}) > 1:
        raise ValueError(f"{' and '.join(values)} are of two types, numbers and text")
    classes = np.unique(np.concatenate(list(values.values()))).tolist()
    classes = [label for label in classes if label != UNLABELLED]
    names, published = tuple(map(str, classes)), range(len(usual)) if "i" in kinds else usual
    if set(classes) <= set(published):
        names, classes = tuple(usual), published
    elif len(classes) > MOST_CLASSES:
        raise ValueError(f"{' and '.join(values)} name {len(classes):,} classes: at most {MOST_CLASSES} are allowed")
    code = {label: k for k, label in enumerate(classes)} | {UNLABELLED: UNLABELLED}
    return {n: np.array([code[each] for each in labels.tolist()], np.int64) for n, labels in values.items()}, names


def _check_labels(name: str, values: np.ndarray) -> np.ndarray:
    """Labels as int64 or as text; ValueError names a row that is neither."""
    values = np.char.decode(values, "utf-8", "replace") if values.dtype.kind == "S" else values
    if values.dtype.kind == "U":
        values = np.array([" ".join(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", str(each)).split()) for each in values])
        if not (filled := values != "").all():
            raise ValueError(f"{name} is empty in {(~filled).sum():,} rows, first row {filled.argmin():,}")
        return values
    with np.errstate(invalid="ignore"):
        whole = values.astype(np.int64)
    if not (same := whole == values).all():
        row = same.argmin()
        raise ValueError(f"{name} holds {values[row]} in row {row:,}: labels are whole numbers or text")
    return whole
