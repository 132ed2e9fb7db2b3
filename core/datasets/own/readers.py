"""Tables in files: text, Parquet, Feather, Excel, JSON lines, NumPy arrays and ARFF."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from core import config
from core.datasets.own import text_tables
from core.datasets.own.text_tables import TextFormat
from core.errors import BadInput

MOST_COLUMNS = 10_000


@dataclass(frozen=True)
class Table:
    """What a file holds.

    Attributes
    ----------
    frame : text in each cell of a text file; else the file's own types.
    format : how a text file was read; None for others.
    parts : names of the tables in the file that could be chosen, such as sheets; `part` is the one that was read.
    notes : sentences about what was left out.
    """

    frame: pd.DataFrame
    format: TextFormat | None = None
    parts: tuple[str, ...] = ()
    part: str = ""
    notes: tuple[str, ...] = field(default=())


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
    if content.startswith(b"\x1f\x8b"):
        content, name = _unzip(lambda: gzip.GzipFile(fileobj=io.BytesIO(content)), limit), name.removesuffix(".gz")
    is_zip = content.startswith(b"PK\x03\x04")
    ending = PurePosixPath(name.lower()).suffix
    try:
        if is_zip and ending not in (".xlsx", ".xlsm", ".xlsb", ".ods", ".npz"):
            return _read_member(content, form, part, limit)
        table = _read(content, ending, form, part, limit)
    except BadInput:
        raise
    except Exception as problem:  # a library's own error about a damaged file
        reason = " ".join(str(problem).split())[:120] or type(problem).__name__
        raise BadInput(f"{name[:60]} is damaged, or is not what its name says ({reason}): save it again.") from None
    if table.frame.shape[1] > MOST_COLUMNS:
        raise BadInput(f"The table has {table.frame.shape[1]:,} columns; at most {MOST_COLUMNS:,} are allowed.")
    if table.frame.empty:
        raise BadInput("The file holds no table: it has no row with a value.")
    return table


def _too_large(limit: int) -> BadInput:
    return BadInput(f"The file has more than {limit / 1e6:,.0f} MB: take fewer rows, or set HOURGLASS_UPLOAD_MB.")


def _unzip(start: Callable[[], Any], limit: int) -> bytes:
    with start() as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise _too_large(limit)
    return content


def _read_member(content: bytes, form: TextFormat | None, part: str, limit: int) -> Table:
    archive = zipfile.ZipFile(io.BytesIO(content))
    names = [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
    if not names:
        raise BadInput("The zip file is empty.")
    chosen = part if part in names else names[0]
    table = _read(_unzip(lambda: archive.open(chosen), limit), PurePosixPath(chosen.lower()).suffix, form, "", limit)
    return Table(table.frame, table.format, tuple(names), chosen, table.notes)


def _read(content: bytes, ending: str, form: TextFormat | None, part: str, limit: int) -> Table:
    if content.startswith(b"PAR1"):
        return _read_arrow(content, "parquet", limit)
    if content.startswith((b"ARROW1", b"FEA1")):
        return _read_arrow(content, "feather", limit)
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) and ending != ".npz":
        return _read_workbook(content, part)
    if content.startswith((b"\x93NUMPY", b"PK\x03\x04")):
        return _read_arrays(content, part, limit)
    if ending in (".jsonl", ".ndjson", ".json"):
        return _read_json_lines(content)
    if ending == ".arff":
        return _read_arff(content)
    if b"\x00" in content[:1000] and not content.startswith((b"\xff\xfe", b"\xfe\xff")) and form is None:
        encoding = text_tables.decode(content)[1]
        if not encoding.startswith("utf-16"):
            raise BadInput("The file is neither text nor of a kind that is read here: save the table as CSV.")
    table = text_tables.read_text(content, form or text_tables.guess_format(content))
    return Table(table.frame, table.format, notes=table.notes)


def _read_arrow(content: bytes, kind: str, limit: int) -> Table:
    import pyarrow as pa
    from pyarrow import feather, parquet

    source = pa.BufferReader(content)
    if kind == "parquet":
        file = parquet.ParquetFile(source)
        size = sum(file.metadata.row_group(k).total_byte_size for k in range(file.metadata.num_row_groups))
        if size > 4 * limit or file.metadata.num_rows > limit:
            raise _too_large(limit)
        table = file.read()
    else:
        table = feather.read_table(source)
    return Table(_name(table.to_pandas(types_mapper=None).reset_index(drop=True)))


def _read_workbook(content: bytes, part: str) -> Table:
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    names = tuple(book.sheet_names)
    chosen = part if part in names else names[0]
    rows = [row for row in book.get_sheet_by_name(chosen).to_python() if any(cell not in ("", None) for cell in row)]
    if len(rows) < 2:
        raise BadInput(f"The sheet “{chosen[:40]}” holds no table: choose another sheet.")
    head, *body = rows
    return Table(
        pd.DataFrame(body, columns=text_tables.name_columns([str(cell) for cell in head])), None, names, chosen
    )


def _read_arrays(content: bytes, part: str, limit: int) -> Table:
    loaded = np.load(io.BytesIO(content), allow_pickle=False)
    names: tuple[str, ...] = ()
    array = loaded
    if isinstance(loaded, np.lib.npyio.NpzFile):
        names = tuple(loaded.files)
        part = part if part in names else next((name for name in ("X", "data", "x") if name in names), names[0])
        member = loaded.zip.getinfo(f"{part}.npy")
        if member.file_size > limit:
            raise _too_large(limit)
        array = loaded[part]
    if array.ndim != 2:
        raise BadInput(f"The array has the shape {array.shape}; a table has two axes.")
    frame = pd.DataFrame(array)
    if names and "y" in names and loaded["y"].shape == array.shape[:1]:
        frame["y"] = loaded["y"]
    return Table(_name(frame), None, names, part)


def _read_json_lines(content: bytes) -> Table:
    text, _ = text_tables.decode(content)
    rows = (
        json.loads(text)
        if text.lstrip().startswith("[")
        else [json.loads(line) for line in text.split("\n") if line.strip()]
    )
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise BadInput("The file holds no table: each line must be an object with a value for each column.")
    return Table(_name(pd.json_normalize(rows)))


def _read_arff(content: bytes) -> Table:
    from scipy.io import arff

    text, _ = text_tables.decode(content)
    rows, _ = arff.loadarff(io.StringIO(text))
    frame = pd.DataFrame(rows)
    for name in frame.select_dtypes(object):
        frame[name] = frame[name].str.decode("utf-8")
    return Table(_name(frame))


def _name(frame: pd.DataFrame) -> pd.DataFrame:
    numbered = isinstance(frame.columns, pd.RangeIndex)
    frame.columns = text_tables.name_columns(["" if numbered else str(name) for name in frame.columns])
    return frame
