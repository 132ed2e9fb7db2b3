"""Tables in text files: cells are read as text, and what is no row or column of the table is left out."""

from __future__ import annotations

import csv
import io
import re
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from core import config
from core.datasets.own import cells
from core.datasets.own.encodings import count_broken
from core.datasets.own.text_formats import (
    COMMENT,
    MOST_COLUMNS,
    SAMPLE_ROWS,
    TextFormat,
    check_format,
    find_width,
    is_rule,
    no_row,
    read_sample,
    sample_columns,
    split_rows,
    too_many_columns,
)
from core.errors import BadInput

# pandas joins its warnings of a chunk in a time that grows with their square.
_CHUNK_CELLS, _CHUNK_ROWS = 1_000_000, 20_000
_FOOTER = re.compile(r"\s*(source|note|quelle|total|sum|\*|\(|_|—|©)", re.I)


def read_text(content: bytes, form: TextFormat) -> tuple[pd.DataFrame, list[str]]:
    """Read a table as `form` says: text in each cell, and sentences about what was left out or repaired.

    Raises BadInput for a file without a table, in another encoding, or too large for memory.
    """
    check_format(form)
    notes = []
    if not content.isascii() or form.encoding.startswith("utf-16"):
        n_broken, n_foreign = count_broken(content, form.encoding)
        if n_broken > 0.1 * n_foreign:
            raise BadInput(f"The file is not text in the encoding {form.encoding}: choose another encoding.")
        if n_broken:
            notes.append(f"{_count(n_broken, 'character')} that {form.encoding} does not allow: shown as \ufffd.")
    if b"\x00" in content and not form.encoding.startswith("utf-16") and form.encoding != "utf-32":
        content = content.replace(b"\x00", b"")
        notes.append("Left out: characters with the code 0.")
    sample = read_sample(content, form.encoding).split("\n")[form.n_skipped :]
    names: list[str] = []
    if form.has_header:
        sample[:1] = [COMMENT.sub("", line, 1) for line in sample[:1]]
    rows = split_rows("\n".join(sample), form)
    n_skipped = form.n_skipped
    if form.has_header and rows:
        names = rows[0].cells
        n_skipped += rows.pop(0).end
    if not rows:
        raise no_row(content)
    width = max(find_width(rows), len(names))
    if width > MOST_COLUMNS:
        raise too_many_columns(width)
    n_lines = max(content.count(b"\n"), content.count(b"\r")) + 1
    check_memory(2 * len(content) + 7 * n_lines * width)
    frame, n_long = _read_cells(content, replace(form, n_skipped=n_skipped), width)
    if n_long:
        notes.append(f"{_count(n_long, 'row')} with more than {width} cells: left out.")
    frame, more_notes = _to_table(frame, names, form)
    return frame, notes + more_notes


def check_memory(n_bytes: int) -> None:
    """Raise BadInput if a file and its table would take more than twice the limit of an upload."""
    limit = config.upload_limit()
    if n_bytes > 2.1 * limit:
        raise BadInput(
            f"The table would take {n_bytes / 1e6:,.0f} MB of memory; {2 * limit / 1e6:,.0f} MB are allowed: "
            "keep fewer rows or columns, or set HOURGLASS_UPLOAD_MB to a larger number."
        )


def _read_cells(content: bytes, form: TextFormat, width: int) -> tuple[pd.DataFrame, int]:
    """All rows with at most `width` cells, and how many have more."""
    pool = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())  # takes two thirds of the default pool's memory for such cells
    try:
        return _read_chunks(content, form, width)
    except pd.errors.ParserError:  # a quote that is not closed
        return _read_chunks(content + f"{form.quote}\n".encode(form.encoding.removesuffix("-sig")), form, width)
    finally:
        pa.set_memory_pool(pool)


def _read_chunks(content: bytes, form: TextFormat, width: int) -> tuple[pd.DataFrame, int]:
    lines = io.TextIOWrapper(io.BytesIO(content), form.encoding, errors="replace")
    for _ in range(form.n_skipped):
        lines.readline()
    chunks, n_rows, n_long = [], 0, 0
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for chunk in pd.read_csv(
            lines,
            sep=r"\s+" if form.delimiter == " " else form.delimiter,
            quotechar=form.quote or None,
            quoting=csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
            escapechar=form.escape or None,
            skipinitialspace=True,
            header=None,
            names=range(width),
            index_col=False,
            dtype=str,
            keep_default_na=False,
            on_bad_lines="warn",
            chunksize=min(_CHUNK_ROWS, max(1, _CHUNK_CELLS // width)),
        ):
            # A row that is too short lacks the last cell; no other cell is ever missing.
            chunks.append(chunk.fillna("") if chunk.iloc[:, -1].isna().any() else chunk)
            n_long += sum(str(each.message).count("Skipping line") for each in caught)
            n_rows += len(chunk)
            caught.clear()
            if n_long > 1000 + 0.2 * n_rows:
                raise BadInput(
                    f"{n_long:,} of the first {n_long + n_rows:,} rows have more than {width} cells: "
                    "choose another delimiter, or put text that holds it in quotes."
                )
    return pd.concat(chunks, ignore_index=True), n_long


def _to_table(frame: pd.DataFrame, names: list[str], form: TextFormat) -> tuple[pd.DataFrame, list[str]]:
    """Name the columns, and leave out what is no row or column of the table."""
    notes, width = [], frame.shape[1]
    # R names no column of row names; others end rows, but no header, with a delimiter.
    if len(names) == width - 1 and (frame.iloc[:, -1].str.strip() != "").any():
        names = ["", *names]
    names = names + [""] * (width - len(names))
    is_row = (frame.iloc[:, 0] != "").to_numpy(copy=True)
    is_row[~is_row] = (frame[~is_row] != "").any(axis=1)
    if width > 1 and (is_comment := (frame[0].str.startswith("#") & (frame[1] == "")).to_numpy()).any():
        is_row &= ~is_comment
        notes.append(f"{_count(is_comment.sum(), 'line')} of comments: left out.")
    is_row[:5] &= np.array([not is_rule(row, form) for row in frame.iloc[:5].to_numpy()], bool)
    frame = frame if is_row.all() else frame[is_row]
    is_header = (frame[0] == names[0]).to_numpy(copy=True) & (names[-1] == frame[width - 1]).to_numpy()
    is_header[is_header] = (frame[is_header] == names).all(axis=1)
    if width > 1 and form.has_header and is_header.any():
        notes.append(f"{_count(is_header.sum(), 'row')} equal to the header: left out.")
        frame = frame[~is_header]
    if n_footers := _count_footers(frame, form.decimal):
        text = " ".join(frame.iloc[-n_footers, 0].split())[:60]
        notes.append(f"{_count(n_footers, 'line')} at the end, from “{text}” on: left out.")
        frame = frame.iloc[:-n_footers]
    n_units = 0
    while form.has_header and n_units < 3 and _is_row_of_units(frame.iloc[n_units:], form.decimal):
        n_units += 1
    if n_units:
        notes.append(f"{_count(n_units, 'row')} of units or descriptions below the header: left out.")
        frame = frame.iloc[n_units:]
    is_used = [bool(name.strip()) or bool((frame[k].str.strip() != "").any()) for k, name in enumerate(names)]
    frame = frame.set_axis(name_columns(names), axis=1)
    return frame.loc[:, is_used].reset_index(drop=True), notes


def _count(n: int, noun: str) -> str:
    return f"{n:,} {noun if n == 1 else noun + 's'}"


def name_columns(names: list[str]) -> list[str]:
    """Distinct names: an empty one becomes ``column_<position>``, and a repeated one gets a number."""
    distinct: dict[str, None] = {}
    numbers: dict[str, int] = {}
    for position, name in enumerate(names, 1):
        name = "".join(filter(str.isprintable, " ".join(name.split())))[:200] or f"column_{position}"
        unique, number = name, numbers.get(name, 1)
        while unique in distinct:
            number += 1
            unique = f"{name}_{number}"
        numbers[name] = number
        distinct[unique] = None
    return list(distinct)


def _count_footers(frame: pd.DataFrame, decimal: str) -> int:
    """Lines at the end that fill the first cell alone, from the first that is unlike the column's other cells."""
    tail = frame.iloc[-20:].to_numpy()
    n = 0
    while n < len(tail) and frame.shape[1] > 1 and not any(cell.strip() for cell in tail[-1 - n, 1:]):
        n += 1
    column = frame.iloc[: len(frame) - n].iloc[:SAMPLE_ROWS, 0]
    if not n or column.empty:
        return 0
    kind, longest = cells.guess_kind(column, decimal), column.str.len().max()
    for k in range(n, 0, -1):
        cell = frame.iloc[[-k], 0]
        is_other = kind != cells.TEXT and cells.guess_kind(cell, decimal) != kind
        if is_other or len(cell.iloc[0]) > longest or _FOOTER.match(cell.iloc[0]):
            return k
    return 0


def _is_row_of_units(frame: pd.DataFrame, decimal: str) -> bool:
    """Whether the first row has text in columns of numbers and dates, and no number or date."""
    if len(frame) < 4:
        return False
    texts = []
    for name in sample_columns(frame):
        first, kind = frame[name].iloc[:1], cells.guess_kind(frame[name].iloc[1:SAMPLE_ROWS], decimal)
        if kind == cells.TEXT:
            continue
        if cells.guess_kind(first, decimal) == kind:
            return False
        texts.append("" if cells.is_missing(first).all() else first.iloc[0])
    return any(texts) and (len(texts) > 1 or not re.search(r"\d", texts[0]))
