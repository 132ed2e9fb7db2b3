"""Tables in files: text, Parquet, Feather, Excel, JSON lines, NumPy arrays and ARFF, also in gz and zip files."""

from __future__ import annotations

import gzip
import io
import math
import re
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import PurePosixPath
from typing import BinaryIO

import numpy as np
import pandas as pd

from core import config, memory
from core.datasets.own import cells, sandbox
from core.datasets.own.encodings import guess_encoding
from core.datasets.own.text_formats import MOST_COLUMNS, TextFormat, guess_format, too_many_columns
from core.datasets.own.text_tables import name_columns, read_text
from core.errors import BadInput

ENDINGS = (
    *("csv", "tsv", "tab", "txt", "dat", "data", "parquet", "feather", "arrow", "xlsx", "xlsm", "xlsb", "xls", "ods"),
    *("jsonl", "ndjson", "json", "npz", "npy", "arff", "gz", "zip"),
)
_MOST_MEMBERS = 10_000
_LONGEST_CELL = 1_000_000
_BYTES_A_BYTE = 6  # memory for each byte of a file of numbers, while it is read and checked


@dataclass(frozen=True)
class Table:
    """What a file holds.

    Attributes
    ----------
    frame : text in each cell of a text file or a sheet; else the file's own types.
    format : how a text file was read; None for others.
    parts : names of the tables in the file that could be chosen, such as sheets; `part` is the one that was read.
    notes : sentences about what was left out or repaired.
    """

    frame: pd.DataFrame
    format: TextFormat | None = None
    parts: tuple[str, ...] = ()
    part: str = ""
    notes: tuple[str, ...] = ()


def read_table(content: bytes, name: str, form: TextFormat | None = None, part: str = "") -> Table:
    """Read the table of a file; its kind is known by its content, else by the ending of its name.

    Parameters
    ----------
    form : how a text file is read; guessed if not given.
    part : the sheet, array or member of a zip file to read; the first if not given.

    Raises BadInput, with a sentence for the person who brought the file.
    """
    limit = config.upload_limit()
    if len(content) > limit:
        raise _too_large(limit)
    if not content:
        raise BadInput("The file is empty.")
    _check_memory(len(content))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = _read(content, name, form, part, limit)
    except BadInput:
        raise
    except MemoryError:
        raise _too_large(limit) from None
    except Exception as problem:  # a library's own error about a damaged file
        reason = " ".join(str(problem).split())[:120] or type(problem).__name__
        raise BadInput(f"{name[:60]} is damaged, or is not what its name says ({reason}): save it again.") from None
    n_columns = table.frame.shape[1]
    if n_columns > MOST_COLUMNS:
        raise too_many_columns(n_columns)
    if table.frame.empty:
        raise BadInput("The file holds no table: it has no row with a value.")
    _check_cell_lengths(table.frame, len(content))
    return table


def _check_memory(n_bytes: int) -> None:
    needed, free = _BYTES_A_BYTE * n_bytes / 1e6, memory.available_megabytes()
    if needed > free:
        raise BadInput(
            f"Reading this file of {n_bytes / 1e6:,.0f} MB takes about {needed:,.0f} MB of memory, and {free:,.0f} MB "
            "are free: bring fewer rows, or try again when others have added their files."
        )


def _too_large(limit: int) -> BadInput:
    return BadInput(
        f"The file has more than {limit / 1e6:,.0f} MB, as it is or unpacked: "
        "keep fewer rows, or set HOURGLASS_UPLOAD_MB to a larger number."
    )


def _check_cell_lengths(frame: pd.DataFrame, n_bytes: int) -> None:
    for name in frame.select_dtypes("str"):
        longest = frame[name].str.len().max()
        if longest > _LONGEST_CELL:
            raise BadInput(
                f"A cell of the column “{name[:40]}” has {longest:,.0f} characters; at most {_LONGEST_CELL:,} are "
                "allowed: shorten it, or look for a quote that is never closed."
            )


def _read(content: bytes, name: str, form: TextFormat | None, part: str, limit: int, depth: int = 0) -> Table:
    ending = PurePosixPath(name.lower()).suffix
    if depth > 2:
        raise BadInput("The file is packed more than twice: unpack it first.")
    if content.startswith(b"\x1f\x8b"):
        try:
            content = _read_up_to(gzip.GzipFile(fileobj=io.BytesIO(content)), limit)
        except EOFError:
            raise BadInput("The gz file ends too early: it was not saved or sent completely.") from None
        return _read(content, name.removesuffix(".gz"), form, part, limit, depth + 1)
    if content.startswith(b"PK\x03\x04"):
        return _read_zip(content, ending, form, part, limit, depth)
    if ending == ".zip":
        raise BadInput("This is no zip file, or a damaged one: save or send it again.")
    if content.startswith(b"PAR1"):
        return _read_apart("parquet", content, part, limit)
    if content.startswith((b"ARROW1", b"FEA1")):
        return _read_apart("feather", content, part, limit)
    if content.startswith(b"\xd0\xcf\x11\xe0"):
        return _read_apart("workbook", content, part, limit)
    if content.startswith(b"\x93NUMPY"):
        return _read_array(content, limit)
    if ending in (".jsonl", ".ndjson", ".json") or re.match(rb'(\xef\xbb\xbf)?\s*(\[\s*)?\{\s*"', content[:1000]):
        return _read_apart("json", content, part, limit)
    if ending == ".arff" or re.match(rb"(?i)(\s*%[^\n]*\n|\s)*@relation\s", content[:10_000]):
        return _read_arff(content)
    form = form or guess_format(content)
    frame, notes = read_text(content, form)
    return Table(frame, form, notes=tuple(notes))


def _read_apart(kind: str, content: bytes, part: str, limit: int) -> Table:
    frame, about = sandbox.read_apart(kind, content, part, limit)
    parts, chosen, notes = about.get("parts", ()), about.get("part", ""), about.get("notes", ())
    return Table(frame, None, tuple(parts), chosen, tuple(notes))


def _read_up_to(file: BinaryIO, limit: int) -> bytes:
    """All bytes of a packed file, read in pieces so that a large one is refused before it fills the memory."""
    target = io.BytesIO()
    with file:
        while piece := file.read(1_000_000):
            target.write(piece)
            if target.tell() > limit:
                raise _too_large(limit)
    return target.getvalue()


def _read_zip(content: bytes, ending: str, form: TextFormat | None, part: str, limit: int, depth: int) -> Table:
    if content.count(b"PK\x01\x02") > _MOST_MEMBERS:
        raise BadInput(f"The zip file holds more than {_MOST_MEMBERS:,} files: keep those with tables.")
    archive = zipfile.ZipFile(io.BytesIO(content))
    members = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    if {"xl/workbook.xml", "xl/workbook.bin", "content.xml"} & members.keys():
        return _read_apart("workbook", content, part, limit)
    names = [name for name in members if not name.startswith("__MACOSX/") and PurePosixPath(name).name[:1] != "."]
    if not names:
        raise BadInput("The zip file is empty: put one table in it.")
    if all(name.endswith(".npy") for name in names):
        return _read_arrays({name.removesuffix(".npy"): partial(archive.open, name) for name in names}, part, limit)
    tables = [name for name in names if PurePosixPath(name.lower()).suffix[1:] in ENDINGS]
    chosen = part if part in names else (tables or names)[0]
    if members[chosen].flag_bits & 1:
        raise BadInput("The zip file is encrypted: unpack it first.")
    if members[chosen].file_size > limit:
        raise _too_large(limit)
    table = _read(_read_up_to(archive.open(chosen), limit), chosen, form, "", limit, depth + 1)
    return replace(table, parts=tuple(names), part=chosen)


def _read_array(content: bytes, limit: int) -> Table:
    array = _load_array(io.BytesIO(content), limit)
    return Table(_name_columns(_to_frame(array)))


def _read_arrays(files: dict[str, Callable[[], BinaryIO]], part: str, limit: int) -> Table:
    """The chosen array of an NPZ file or the first with two axes, beside the arrays of one value a row."""
    if {"indices", "indptr"} <= files.keys():
        raise BadInput("The file holds a sparse matrix, which is not read: save it as a dense array.")
    shapes = {}
    for name, start in files.items():
        with start() as file:
            shapes[name] = _read_array_header(file, limit)[0]
    tables = sorted(
        (name for name in files if len(shapes[name]) == 2), key=lambda name: name.lower() not in ("x", "data")
    )
    parts = tuple(tables or files)
    chosen = part if part in parts else parts[0]
    columns = [
        name for name in files if len(shapes[name]) == 1 and shapes[name] == shapes[chosen][:1] and name != chosen
    ]
    if sum(math.prod(shapes[name]) for name in (chosen, *columns)) > limit:
        raise _too_large(limit)

    def load(name: str) -> np.ndarray:
        with files[name]() as file:
            return _load_array(file, limit)

    frame = _to_frame(load(chosen))
    names = [chosen] if len(shapes[chosen]) == 1 else [""] * frame.shape[1]
    for name in files.keys() & {"columns", "feature_names"}:
        if shapes[name] == (frame.shape[1],):
            names = [str(text) for text in load(name)]
    frame.columns = name_columns([*names, *columns])[: len(names)]
    for name in columns:
        frame[name] = _to_frame(load(name))[0]
    return Table(frame, None, parts, chosen)


def _read_array_header(file: BinaryIO, limit: int) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise BadInput("The array holds Python objects, which are not read: save numbers or text, or the table as CSV.")
    if math.prod(shape) * max(dtype.itemsize, 1) > limit:
        raise _too_large(limit)
    return shape, dtype


def _load_array(file: BinaryIO, limit: int) -> np.ndarray:
    _read_array_header(file, limit)
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


def _to_frame(array: np.ndarray) -> pd.DataFrame:
    if array.dtype.names:
        return pd.DataFrame({name: _to_frame(array[name])[0] for name in array.dtype.names})
    if array.ndim not in (1, 2):
        raise BadInput(f"The array has the shape {array.shape}; a table has two axes: rows and columns.")
    if array.dtype.kind not in "biufmMUS":
        raise BadInput(f"The array holds {array.dtype}; a table holds numbers, truth values, dates or text.")
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "replace")
    if array.dtype.kind == "f":
        array = array.astype(np.float32 if array.dtype.itemsize < 4 else np.float64, copy=False)
    return pd.DataFrame(array)


def _name_columns(frame: pd.DataFrame) -> pd.DataFrame:
    names = ["" if isinstance(frame.columns, pd.RangeIndex) else str(name) for name in frame.columns]
    return frame.set_axis(name_columns(names), axis=1)


_ATTRIBUTE = re.compile(r"""\s*@attribute\s+('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\S+)\s+(.+)""", re.I)


def _read_arff(content: bytes) -> Table:
    head = re.match(rb"(?is).*?^\s*@data[^\n]*\n", content[:10_000_000], re.M)
    if not head:
        raise BadInput("The ARFF file has no line @data: save it again, or save the table as CSV.")
    encoding = guess_encoding(content)
    lines = head[0].decode(encoding, "replace").splitlines()
    attributes = [match for match in map(_ATTRIBUTE.match, lines) if match]
    body = re.sub(rb"(?m)^\s*%[^\n]*\n", b"", content[head.end() :])
    if body.lstrip().startswith(b"{"):
        raise BadInput("The ARFF file holds sparse rows, which are not read: save the table as CSV.")
    form = guess_format(body, ",")
    frame, notes = read_text(body, replace(form, encoding=encoding, n_skipped=0, has_header=False, decimal="."))
    if frame.shape[1] != len(attributes):
        raise BadInput(
            f"The ARFF file declares {len(attributes)} attributes, and its rows have {frame.shape[1]} cells: "
            "save it again, or save the table as CSV."
        )
    names = name_columns([match[1].strip("'\"") for match in attributes])
    frame = frame.set_axis(names, axis=1)
    for name, match in zip(names, attributes, strict=True):
        if re.match("(?i)(numeric|real|integer)", match[2]):
            frame[name] = cells.to_numbers(frame[name], ".")
    return Table(frame, notes=tuple(notes))
