"""Tables in text files: encoding, delimiter, header and decimal mark are guessed, and cells are read as text."""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
from collections import Counter
from dataclasses import dataclass

import clevercsv
import pandas as pd

from core.datasets.own import cells
from core.errors import BadInput

_SAMPLE = 100_000  # characters that guesses are made from
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1")
_COMMENT = re.compile(r"\s*(#|%|//)")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?')  # Excel's first line
_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+|[+-]?\d{1,3}(\.\d{3})+(,\d+)?")
_DECIMAL_POINT = re.compile(r"[+-]?\d*\.\d+(e[+-]?\d+)?|[+-]?\d{1,3}(,\d{3})+(\.\d+)?", re.I)
_AMBIGUOUS = re.compile(r"[+-]?\d{1,3}([.,])\d{3}(\1\d{3})*")


@dataclass(frozen=True)
class TextFormat:
    """How a text file is read.

    Attributes
    ----------
    delimiter : between cells; a space stands for any number of them.
    n_skipped : lines before the table, such as comments and titles.
    has_header : whether the first line of the table names the columns.
    decimal : ``"."`` or ``","``.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    escape: str = ""
    n_skipped: int = 0
    has_header: bool = True
    decimal: str = "."


@dataclass(frozen=True)
class TextTable:
    """A table of text cells.

    Attributes
    ----------
    frame : a column of text each; ``""`` where a row is too short.
    notes : sentences about what was left out or changed.
    """

    frame: pd.DataFrame
    format: TextFormat
    notes: tuple[str, ...] = ()


def decode(content: bytes, encoding: str | None = None) -> tuple[str, str]:
    """Return the text with ``"\\n"`` between its lines, and its encoding, guessed if it is not given."""
    candidates = [encoding] if encoding else _guess_encodings(content)
    for name in candidates:
        try:
            text = content.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
        return text.replace("\r\n", "\n").replace("\r", "\n"), name
    raise BadInput(f"The file is not text in {encoding}: choose another encoding.")


def _guess_encodings(content: bytes) -> list[str]:
    for bom, name in _BOMS:
        if content.startswith(bom):
            return [name, "latin-1"]
    head = content[:_SAMPLE]
    even, odd = (head[k::2].count(0) / (len(head[k::2]) or 1) for k in (0, 1))
    if max(even, odd) > 0.3 and min(even, odd) < 0.05:
        return ["utf-16-le" if odd > even else "utf-16-be", "latin-1"]
    return ["utf-8", "cp1252", "latin-1"]


def guess_format(content: bytes) -> TextFormat:
    """Guess how a text file is to be read; the guess may be changed before `read_text`."""
    text, encoding = decode(content)
    sample = text if len(text) <= _SAMPLE else text[: text.rindex("\n", 0, _SAMPLE) + 1] if "\n" in text else text
    lines = sample.split("\n")
    separator = _SEPARATOR_LINE.fullmatch(lines[0])
    n_skipped = 1 if separator else 0
    while n_skipped < len(lines) - 1 and _COMMENT.match(lines[n_skipped]):
        n_skipped += 1
    body = "\n".join(lines[n_skipped:])
    dialect = clevercsv.Sniffer().sniff(body)
    delimiter, quote, escape = (dialect.delimiter, dialect.quotechar, dialect.escapechar) if dialect else ("", "", "")
    delimiter = separator[1] if separator else delimiter or ","
    guess = TextFormat(encoding, delimiter, quote or '"', escape or "")
    rows = _split_rows(body, guess)
    if delimiter == "," and len(rows) > 1 and all(len(row) == 2 for row in rows[1:]) and len(rows[0]) == 1:
        # One column with a header and decimal commas.
        return TextFormat(encoding, ";", guess.quote, guess.escape, n_skipped, True, ",")
    width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 1
    n_titles = next((k for k, row in enumerate(rows) if len(row) in (width, width - 1)), 0)
    if n_titles:
        n_skipped += _count_lines(body, guess, n_titles)
        rows = rows[n_titles:]
    table = pd.DataFrame(_fit_width(rows, width), dtype=str)
    decimal = _guess_decimal(table.iloc[1:201])
    is_named = len(rows[0]) == width - 1 if rows else False
    has_header = is_named or _has_header(table, decimal)
    return TextFormat(encoding, delimiter, guess.quote, guess.escape, n_skipped, has_header, decimal)


def _split_rows(text: str, form: TextFormat) -> list[list[str]]:
    """The rows of a short text that are not blank."""
    if form.delimiter == " ":
        return [line.split() for line in text.split("\n") if line.strip()]
    reader = csv.reader(
        io.StringIO(text), delimiter=form.delimiter, quotechar=form.quote, escapechar=form.escape or None
    )
    return [row for row in reader if any(cell.strip() for cell in row)]


def _count_lines(text: str, form: TextFormat, n_rows: int) -> int:
    """Lines up to the end of the first `n_rows` rows that are not blank."""
    found = 0
    for number, line in enumerate(text.split("\n"), 1):
        found += bool(line.strip())
        if found == n_rows:
            return number
    return 0


def _fit_width(rows: list[list[str]], width: int) -> list[list[str]]:
    return [(row + [""] * (width - len(row)))[:width] for row in rows if len(row) <= width or not any(row[width:])]


def _guess_decimal(table: pd.DataFrame) -> str:
    texts = [cells.strip_number(text) for text in table.to_numpy().ravel()]
    clear = [text for text in texts if not _AMBIGUOUS.fullmatch(text)]
    commas, points = (sum(map(bool, map(mark.fullmatch, clear))) for mark in (_DECIMAL_COMMA, _DECIMAL_POINT))
    return "," if commas > points else "."


def _has_header(table: pd.DataFrame, decimal: str) -> bool:
    """Whether the first row names the columns: its cells are of other kinds than those below, or all new text."""
    if len(table) < 2:
        return True
    first, rest = table.iloc[0].str.strip(), table.iloc[1:201]
    votes = 0
    for name in table:
        kind = cells.guess_kind(rest[name], decimal)
        if kind != cells.TEXT and first[name]:
            is_year = cells.YEAR.fullmatch(first[name]) and not rest[name].str.fullmatch(cells.YEAR).any()
            votes += 1 if is_year or cells.guess_kind(first[[name]], decimal) != kind else -1
    if votes:
        return votes > 0
    return bool(first.is_unique and not any(first[name] in set(rest[name].str.strip()) for name in table))


def read_text(content: bytes, form: TextFormat) -> TextTable:
    """Read a table as `form` says; rows with too many cells are left out, and noted.

    Raises BadInput for a file without a table, or in another encoding.
    """
    text, _ = decode(content, form.encoding)
    body = "\n".join(text.split("\n")[form.n_skipped :]) if form.n_skipped else text
    rows = _split_rows(body[:_SAMPLE], form)
    if not rows:
        raise BadInput("The file holds no table: it has no row with a value.")
    width = Counter(map(len, rows[:-1] or rows)).most_common(1)[0][0]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        frame = pd.read_csv(
            io.StringIO(body),
            sep=r"\s+" if form.delimiter == " " else form.delimiter,
            quotechar=form.quote,
            escapechar=form.escape or None,
            header=None,
            names=range(width),
            index_col=False,
            dtype=str,
            keep_default_na=False,
            on_bad_lines="warn",
        ).fillna("")
    notes = []
    if n_bad := sum(str(each.message).count("Skipping line") for each in caught):
        notes.append(f"{n_bad:,} rows have more than {width} cells and are left out.")
    first = rows[0]
    names = [""] * width
    if form.has_header:
        names = first
        if len(first) == width - 1:  # R names no column of row names; others end rows, but no header, with a delimiter
            names = ["", *first] if (frame.iloc[1:, -1].str.strip() != "").any() else [*first, ""]
        frame = frame.iloc[1:]
    while width > 1 and len(frame) > 3 and (frame.iloc[-1, 1:] == "").all() and (frame.iloc[-2, 1:] != "").any():
        notes.append(f"The last line, “{frame.iloc[-1, 0][:40]}”, is no row of the table and is left out.")
        frame = frame.iloc[:-1]
    while width > 1 and not names[width - 1].strip() and (frame.iloc[:, -1].str.strip() == "").all():
        width, frame = width - 1, frame.iloc[:, :-1]
    frame.columns = name_columns(names[:width])
    if form.has_header and _is_row_of_units(frame, form.decimal):
        notes.append("The row below the header holds units and is left out.")
        frame = frame.iloc[1:]
    return TextTable(frame.reset_index(drop=True), form, tuple(notes))


def name_columns(names: list[str]) -> list[str]:
    """Distinct names: an empty one becomes ``column_<position>``, and a repeated one gets a number."""
    distinct: list[str] = []
    for position, name in enumerate(names, 1):
        name = " ".join(name.split()) or f"column_{position}"
        number = 2
        unique = name
        while unique in distinct:
            unique, number = f"{name}_{number}", number + 1
        distinct.append(unique)
    return distinct


def _is_row_of_units(frame: pd.DataFrame, decimal: str) -> bool:
    """Whether the first row has text in every column whose other cells are numbers."""
    if len(frame) < 4:
        return False
    numbers = [name for name in frame if cells.guess_kind(frame[name].iloc[1:201], decimal) == cells.NUMBER]
    firsts = [frame[name].iloc[:1] for name in numbers]
    return bool(numbers) and all(
        cells.guess_kind(first, decimal) == cells.TEXT and not cells.is_missing(first).all() for first in firsts
    )
