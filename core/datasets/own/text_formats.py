"""How a text file holds a table: delimiter, quotes, header and decimal mark are guessed from its start."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from core.datasets.own import cells
from core.datasets.own.encodings import ENCODINGS, guess_encoding
from core.errors import BadInput

# Guesses are made from this many bytes, or from more where they hold too few lines; and from so many rows and columns.
_SAMPLE, _LARGEST_SAMPLE, _SAMPLE_LINES = 100_000, 2_000_000, 20
SAMPLE_ROWS, _SAMPLE_COLUMNS = 200, 60
MOST_COLUMNS = 10_000

# Weights of each delimiter, and of a cell of text between two of them: spaces and colons are usual in text.
_DELIMITERS = dict.fromkeys(",;\t|", (1.0, 0.8)) | {" ": (0.7, 0.25), ":": (0.6, 0.25)}
_DELIMITERS |= dict.fromkeys("^~\x1f", (0.6, 0.8))
COMMENT = re.compile(r"\s*(#+|%+|//)(?!\W*[,;|\t])\s*")  # but no column that is called "#"
_RULE = re.compile(r"[\s|+:=_-]*[-=_]{2}[\s|+:=_-]*")  # a line drawn in a printed table
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?')  # Excel's first line


@dataclass(frozen=True)
class TextFormat:
    """How a text file is read.

    Attributes
    ----------
    encoding : one of `ENCODINGS`.
    delimiter : between cells; a space stands for any number of spaces and tabs.
    quote : around cells that hold a delimiter or a line end; ``""`` if there is none.
    escape : before a quote inside of quotes; ``""`` where such a quote is doubled.
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


_VALUE = re.compile(
    r"[^\w\s,;|\t]{0,3}\s?\d[\d.,'\u00a0]*(e[+-]?\d+)?\s?([%€$£]|[a-z]{3})?\)?|-?inf"  # a number
    r"|\d{1,4}([-/.])\d{1,2}\3\d{1,4}([ T].*)?|[\d:.]+",  # a date or a time
    re.I,
)
_PART = re.compile(r"[;|\t]|^[\"']|[\"']$")  # of a cell that was cut, or of several that were not


def guess_format(content: bytes, delimiter: str | None = None) -> TextFormat:
    """Guess how a text file is to be read, with the delimiter if that is known.

    Raises BadInput for a file that is no text.
    """
    encoding = guess_encoding(content)
    sample = read_sample(content, encoding)
    n_control = sum((sign < " " and sign not in "\t\n\f\x1a\x1f\x00") or sign == "\x7f" for sign in sample[:_SAMPLE])
    if n_control > 0.01 * len(sample[:_SAMPLE]):
        raise BadInput("The file is neither text nor of a kind that can be read: save the table as CSV or Excel.")
    if re.match(r"\s*<(!doctype|html|table|\?xml)", sample, re.I):
        raise BadInput("The file is a web page or XML: open it in a spreadsheet program and save it as CSV or Excel.")
    lines = sample.split("\n")
    separator = _SEPARATOR_LINE.fullmatch(lines[0].strip())
    n_skipped = 1 if separator else 0
    while n_skipped < len(lines) - 1 and (COMMENT.match(lines[n_skipped]) or not lines[n_skipped].strip()):
        n_skipped += 1
    body = "\n".join(lines[n_skipped:])
    guess = _guess_dialect(body, TextFormat(encoding), separator[1] if separator else delimiter)
    rows = split_rows(body, guess)
    if not rows:
        raise no_row(content)
    if (width := find_width(rows)) > MOST_COLUMNS:
        raise too_many_columns(width)
    if _is_one_column(rows, width, guess.delimiter):
        unused = next((sign for sign in ";\t|" if sign not in body), "\x1f")
        decimal = _guess_decimal(pd.DataFrame(body.split("\n")[1:], dtype=str), ";")
        return replace(guess, delimiter=unused, n_skipped=n_skipped, decimal=decimal)
    start = _find_start(rows, width)
    table = _to_frame(rows[start:], width)
    decimal = _guess_decimal(table.iloc[1:], guess.delimiter)
    guess = replace(guess, n_skipped=n_skipped + (rows[start].line if start else 0), decimal=decimal)
    # A comment that has a cell for each column names them, as NumPy writes it.
    if start == 0 < n_skipped and not separator:
        names = split_rows(COMMENT.sub("", lines[n_skipped - 1]), guess)
        if width > 1 and names and len(names[0].cells) == width and _count_header_votes(table, decimal) <= 0:
            return replace(guess, n_skipped=n_skipped - 1)
    has_header = len(rows[start].cells) == width - 1 or _has_header(table, decimal)
    return replace(guess, has_header=has_header)


def _is_one_column(rows: list[_Row], width: int, delimiter: str) -> bool:
    """Whether the first line is a name and those below hold commas that are no delimiters."""
    name = rows[0].cells[0].strip()
    if delimiter not in ", :" or len(rows[0].cells) > 1 or width == 1 or len(rows) < 3 or " " in name:
        return False
    table = _to_frame(rows[1:], width)
    return _count_header_votes(table, _guess_decimal(table, delimiter)) <= 0


def read_sample(content: bytes, encoding: str) -> str:
    size = _SAMPLE
    while size < min(_LARGEST_SAMPLE, len(content)) and content.count(b"\n", 0, size) < _SAMPLE_LINES:
        size *= 2
    text = codecs.getincrementaldecoder(encoding)("replace").decode(content[:size])
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return text[: text.rindex("\n") + 1] if size < len(content) and "\n" in text else text


@dataclass(frozen=True)
class _Row:
    cells: list[str]
    line: int  # lines before this row
    end: int  # and up to its end

    @property
    def n_filled(self) -> int:
        return sum(map(bool, map(str.strip, self.cells)))


def split_rows(text: str, form: TextFormat) -> list[_Row]:
    """The first rows of a text that are neither blank nor a drawn line."""
    if form.delimiter == " ":
        text = text.replace("\t", " ")
    options = {"delimiter": form.delimiter, "escapechar": form.escape or None, "skipinitialspace": True}
    options |= {"quotechar": form.quote} if form.quote else {"quoting": csv.QUOTE_NONE}
    reader = csv.reader(io.StringIO(text, newline="\n"), **options)
    rows: list[_Row] = []
    line = 0
    try:
        for row in reader:
            if form.delimiter == " " and row and not row[-1]:
                row.pop()
            if any(cell.strip() for cell in row) and not (len(rows) < 5 and is_rule(row, form)):
                rows.append(_Row(row, line, reader.line_num))
            line = reader.line_num
            if len(rows) > SAMPLE_ROWS:
                break
    except csv.Error:  # a cell that is too long for a sample
        pass
    return rows


def is_rule(row, form: TextFormat) -> bool:
    return bool(_RULE.fullmatch(form.delimiter.join(row)))


def _guess_dialect(text: str, form: TextFormat, delimiter: str | None) -> TextFormat:
    """The delimiter and quote for which rows are alike in width, and columns are alike in their cells."""
    best, highest = replace(form, delimiter=delimiter or ","), 0.0
    for sign, weights in ({delimiter: (1.0, 0.8)} if delimiter else _DELIMITERS).items():
        if sign not in text and sign != ",":
            continue
        for quote in ('"', "'"):
            if quote not in text and quote != '"':
                continue
            between = re.escape(sign)
            is_escaped = re.search(rf"[^{between}\n]\\{quote}(?!\s*(?:{between}|\n|$))", text)
            candidate = replace(form, delimiter=sign, quote=quote, escape="\\" if is_escaped else "")
            score = _score_dialect(split_rows(text, candidate), *weights)
            if score > highest:
                best, highest = candidate, score
    return best


def find_width(rows: list[_Row]) -> int:
    """The width of most rows; the widest of rows with several cells counts more."""
    counts = Counter(len(row.cells) for row in rows)
    return max(counts, key=lambda width: (counts[width] * (width - 0.9) / width, width))


def _score_dialect(rows: list[_Row], weight: float, text_weight: float) -> float:
    """From 0 to `weight`: how many rows have the usual width, how large it is, and how much cells look like cells."""
    if not rows:
        return 0.0
    width = find_width(rows)
    table = [row.cells for row in rows if len(row.cells) == width]
    step = max(1, width // _SAMPLE_COLUMNS)
    scores = [_score_column([row[k].strip() for row in table], text_weight) for k in range(0, width, step)]
    return weight * len(table) / len(rows) * (width - 0.8) / width * float(np.mean(scores))


def _score_column(texts: list[str], text_weight: float) -> float:
    """From 0 to 1: how much a column's cells look like cells, and like each other."""
    n_values = sum(bool(_VALUE.fullmatch(text)) or text.lower() in cells.MISSING for text in texts)
    n = len(texts)
    if n_values >= n - 1 > 0:  # the first cell may be a header
        return 1.0
    weights = (0.1 if _PART.search(text) else 0.55 if "," in text else 0.8 for text in texts)
    return max(n_values / n * 0.9, sum(weights) / 0.8 * text_weight / n)


def _find_start(rows: list[_Row], width: int) -> int:
    """The row where the table starts: rows above it are titles, with few cells, or of another width."""
    usual = float(np.median([row.n_filled for row in rows if len(row.cells) == width]))
    for k, row in enumerate(rows[:50]):
        next_filled = max((below.n_filled for below in rows[k + 1 : k + 6]), default=0)
        is_text = not _VALUE.fullmatch(row.cells[0].strip() or "0")
        is_title = row.n_filled == 1 and is_text and next_filled >= min(3, width) > 1
        if len(row.cells) > width:
            names, below = _to_frame(rows[k:], width), _to_frame(rows[k + 1 :], width)
            if _count_header_votes(names, ".") > 0 >= _count_header_votes(below, "."):
                return k
        elif len(row.cells) >= width - 1 and row.n_filled >= 0.5 * usual and not is_title:
            return k
    return 0


def _to_frame(rows: list[_Row], width: int) -> pd.DataFrame:
    return pd.DataFrame([(row.cells + [""] * (width - len(row.cells)))[:width] for row in rows], dtype=str)


def sample_columns(frame: pd.DataFrame) -> list:
    return list(frame.columns[:: max(1, frame.shape[1] // _SAMPLE_COLUMNS)])


def _guess_decimal(table: pd.DataFrame, delimiter: str) -> str:
    """The mark before decimals; a mark before three digits may also stand between thousands."""
    votes = {".": 0.0, ",": 0.0}
    for name in sample_columns(table):
        texts = cells.strip_numbers(table[name])
        for mark, other in ((".", ","), (",", ".")):
            number = rf"[+-]?\d*\{mark}\d+(?:e[+-]?\d+)?|[+-]?\d{{1,3}}(?:\{other}\d{{2,3}})*\{other}\d{{3}}\{mark}\d+"
            group = rf"[+-]?[1-9]\d{{0,2}}(?:\{mark}\d{{3}})+"
            is_group = texts.str.fullmatch(group)
            votes[mark] += (texts.str.fullmatch(f"(?i:{number})") & ~is_group).sum()
            if not is_group.any():
                continue
            is_small, is_large = texts.str.fullmatch(r"[+-]?\d{1,3}"), texts.str.fullmatch(r"[+-]?\d{4,}")
            is_repeated = texts.str.count(re.escape(mark)) > 1
            if is_repeated.any() or (is_small.any() and not is_large.any()):
                votes[other] += 0.1
            elif mark == "." or delimiter == ";":
                votes[mark] += 0.1
    return "," if votes[","] > votes["."] else "."


def _has_header(table: pd.DataFrame, decimal: str) -> bool:
    """Whether the first row names the columns: its cells are of other kinds than those below, or all new text."""
    if len(table) < 2:
        return not any(map(_VALUE.fullmatch, table.iloc[0].str.strip()))
    if votes := _count_header_votes(table, decimal):
        return votes > 0
    first, rest = table.iloc[0].str.strip(), table.iloc[1:]
    rest = rest[~rest.eq(table.iloc[0]).all(axis=1)]  # some files repeat their header
    is_repeated = any(first[k] and first[k] in set(rest[k].str.strip()) for k in sample_columns(table))
    return first[first != ""].is_unique and not is_repeated


def _count_header_votes(table: pd.DataFrame, decimal: str) -> int:
    """Columns whose first cell is of another kind than the rest, minus those where it is of the same."""
    first, rest = table.iloc[0].str.strip(), table.iloc[1:]
    if len(first) > 2 and list(first) == [str(k) for k in range(len(first))]:
        return len(first)  # pandas numbers columns without names
    votes = 0
    for k in sample_columns(table):
        if first[k].lower() in cells.MISSING or rest.empty:
            continue
        if (kind := cells.guess_kind(rest[k], decimal)) != cells.TEXT:
            is_year = cells.YEAR.fullmatch(first[k]) and not rest[k].str.fullmatch(cells.YEAR).any()
            votes += 1 if is_year or cells.guess_kind(first[[k]], decimal) != kind else -1
        elif len(shapes := {_to_shape(text) for text in rest[k]}) == 1 and "0" in (shape := shapes.pop()):
            votes += 1 if _to_shape(first[k]) != shape else -1
    return votes


def _to_shape(text: str) -> str:
    """``"AB-12"`` becomes ``"aa-00"``."""
    return re.sub(r"[^\W\d_]", "a", re.sub(r"\d", "0", text.strip()))


def no_row(content: bytes) -> BadInput:
    if len(content) > _SAMPLE:
        return BadInput(
            f"The first {min(len(content), _LARGEST_SAMPLE) / 1e6:.1f} MB of the file hold no complete row: "
            "look for a cell that is too long, a quote that is never closed, or another delimiter."
        )
    return BadInput("The file holds no table: it has no row with a value below its header.")


def too_many_columns(n_columns: int) -> BadInput:
    return BadInput(f"The table has {n_columns:,} columns; at most {MOST_COLUMNS:,} are allowed: leave some out.")


def check_format(form: TextFormat) -> None:
    if form.encoding not in ENCODINGS:
        raise BadInput(f"The encoding {form.encoding[:40]} is not known: it is one of {', '.join(ENCODINGS)}.")
    for name, sign, is_optional in (
        ("delimiter", form.delimiter, False),
        ("quote", form.quote, True),
        ("escape sign", form.escape, True),
    ):
        if not (len(sign) == 1 or (is_optional and not sign)) or sign in ("\n", "\r", "\x00"):
            raise BadInput(f"The {name} {sign[:20]!r} is not allowed: it is one character.")
    if form.delimiter in (form.quote, form.escape):
        raise BadInput(f"The delimiter {form.delimiter!r} is also the quote or escape sign: choose another.")
    if form.decimal not in (".", ",") or form.n_skipped < 0:
        raise BadInput("The decimal mark is . or , and the number of skipped lines is 0 or more.")
