"""Columns of a table: their types and values, and the roles that they may play in a data set."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api import types as dtypes

from core.datasets.own import cells as texts
from core.datasets.own.cell_texts import format_cell

NUMBER, CATEGORY, DATE, TEXT, CONSTANT, IDENTIFIER = "number", "category", "date", "text", "constant", "identifier"
TYPES = (NUMBER, CATEGORY, DATE, TEXT, CONSTANT, IDENTIFIER)
FEATURE, LABEL, ID, GROUP, SPLIT, TITLE, IGNORED = "feature", "label", "id", "group", "split", "title", "ignored"
ROLES = (FEATURE, LABEL, ID, GROUP, SPLIT, TITLE, IGNORED)
ROLES_OF_ONE = (LABEL, ID, GROUP, SPLIT, TITLE)  # which only one column can have
MOST_CLASSES = 50
LARGEST = float(np.finfo(np.float32).max)  # rows of data sets are float32

_BINS, LONGEST_LABEL = 12, 40  # bars of a histogram; characters of a value that it names
_SAMPLE = 2000  # cells that a type is guessed from, before all are read
FEW = 20  # values of a column of codes, such as species_id, that is a category
_TRUTH = {"true": "true", "yes": "true", "y": "true", "1": "true", "false": "false", "no": "false", "n": "false"}
_TRUTH["0"] = "false"
_WHOLE = re.compile(r"([+-]?(?:0|[1-9]\d*))[.,]0+")
# How a cell begins that is a number with signs, or a date.
_OTHER_VALUE = (
    rf"^[^a-zA-Z0-9]*[0-9]|^[+-]?(?:(?i:inf)|{texts.UNIT}\s*[0-9])"
    "|^(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mon|tue|wed|thu|fri|sat|sun)[a-z]*[-., ]"
)
_ID_WORDS = frozenset(("id", "ids", "uid", "uuid", "guid", "identifier"))
_COUNTERS = frozenset(("index", "idx", "nr", "no", "number", "row", "rowid", "rownames", "unnamed", "sno", "obs", "#"))
_UNITS = frozenset(("patient", "subject", "participant", "user", "customer", "session", "household", "family"))
PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test", "holdout": "test"}
PARTS |= dict.fromkeys(("val", "valid", "validation", "dev"), "validation")


@dataclass(frozen=True)
class Column:
    """What a column holds.

    Attributes
    ----------
    type : one of `TYPES`; role : one of `ROLES`, a suggestion that a person may change.
    n_missing, n_distinct : missing cells; distinct values of the others.
    n_stray : cells of a column of numbers or dates that hold something else, and count as missing.
    n_respelled : cells of a category that get the spelling of most others.
    counts : rows in each of at most 12 bins of numbers or dates, or of the most frequent values.
    labels : the bins' lower ends and the highest value, or the values that are counted, as text.
    """

    name: str
    type: str
    role: str
    n_missing: int
    n_distinct: int
    n_stray: int = 0
    n_respelled: int = 0
    counts: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()


class _Coded(NamedTuple):
    """Text cells: the position of each in the distinct texts, -1 where missing."""

    codes: np.ndarray
    distinct: list[str]
    n_respelled: int = 0

    def count(self) -> np.ndarray:
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.distinct))


def describe_column(column: pd.Series, decimal: str = ".", type: str = "") -> Column:
    """Describe a column, as a `type` that a person chose or else the one that fits; its role is that of the type."""
    name = str(column.name)
    cells = _simplify(column)
    n_missing = cells.null_count if isinstance(cells, pa.Array) else int(cells.isna().sum())
    if not type:
        type, values = _guess(cells, decimal, name)
    elif type in (NUMBER, DATE):
        values = _convert(cells, type, decimal, name)
    else:
        values = _encode(cells, type)
    role = {TEXT: IGNORED, CONSTANT: IGNORED, IDENTIFIER: ID}.get(type, FEATURE)
    if isinstance(values, _Coded):
        sizes = values.count()
        first = np.argsort(-sizes, kind="stable")[:_BINS]
        counts, labels = sizes[first], [values.distinct[at][:LONGEST_LABEL] for at in first]
        sizes_shown, n_changed = tuple(map(int, counts)), values.n_respelled
        return Column(name, type, role, n_missing, len(sizes), 0, n_changed, sizes_shown, tuple(labels))
    known = values.to_numpy()[values.notna().to_numpy()]
    n_stray = len(values) - len(known) - n_missing
    distinct = pd.unique(known)
    counts, labels = _count(known, np.sort(distinct))
    return Column(name, type, role, n_missing, len(distinct), n_stray, 0, tuple(map(int, counts)), tuple(labels))


def to_values(column: pd.Series, type: str, decimal: str = ".") -> pd.Series:
    """Convert cells to values of a type, missing where a cell holds none: float64, datetime64[ns] or text.

    Infinities are missing, and so are numbers beyond `LARGEST`. Text is without spaces at its ends, and None where
    missing. Of categories that differ in case only, or as ``"1"`` and ``"1.0"`` or ``"yes"`` and ``"true"`` do, the
    most frequent spelling stands for all.
    """
    return _convert(_simplify(column), type, decimal, str(column.name)).set_axis(column.index)


def have_copies(types: Iterable[str]) -> bool:
    """Whether equal rows of features of these types are copies: rows of categories only are often equal without."""
    return any(type in (NUMBER, DATE) for type in types)


def find_repeats(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows that may equal others, among them all that do; most differ from all others in a few columns already."""
    width = 4
    while width < rows.shape[1] and len(rows):
        rows, width = rows[rows.iloc[:, :width].duplicated(keep=False)], 4 * width
    return rows


def can_be_classes(values: pd.Series) -> bool:
    """Whether values are classes: text, or 2 to `MOST_CLASSES` different whole numbers."""
    if values.dtype != np.float64:
        return values.dtype == object
    distinct = values.dropna().unique()
    return 2 <= len(distinct) <= MOST_CLASSES and not (distinct % 1).any()


def to_split(values: pd.Series) -> pd.Series:
    """``"train"``, ``"test"`` or ``"validation"`` for each text that names a part of a data set, else None."""
    return values.map(lambda text: PARTS.get(str(text).lower()))


def _simplify(column: pd.Series) -> pd.Series | pa.Array:
    """The cells as float64, as dates in UTC, or as an Arrow array of text without spaces at its ends."""
    dtype = column.dtype
    if isinstance(dtype, pd.StringDtype):
        return _strip(column)
    if dtypes.is_datetime64_any_dtype(dtype):
        return _drop_zone(column)
    if dtypes.is_bool_dtype(dtype):
        return _strip(column.map({True: "true", False: "false"}))
    if dtypes.is_any_real_numeric_dtype(dtype):
        return pd.Series(column.to_numpy(np.float64, na_value=np.nan))
    return _strip(column.astype(object).map(_to_text))


def _to_text(cell: Any) -> str | None:
    if cell is None or (dtypes.is_scalar(cell) and pd.isna(cell)):
        return None
    if isinstance(cell, (bool, np.bool_)):
        return str(cell).lower()
    return f"{cell:.0f}" if isinstance(cell, (float, np.floating)) and cell == cell // 1 else str(cell)


def _strip(column: pd.Series) -> pa.Array:
    array = pa.array(column, pa.large_string(), from_pandas=True)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    array = pc.utf8_trim_whitespace(array)
    is_missing = pc.is_in(pc.utf8_lower(array), value_set=pa.array(sorted(texts.MISSING), array.type))
    return pc.if_else(is_missing, pa.scalar(None, array.type), array) if pc.any(is_missing).as_py() else array


def _drop_zone(dates: pd.Series) -> pd.Series:
    return dates if dates.dt.tz is None else dates.dt.tz_convert("UTC").dt.tz_localize(None)


def _to_nanoseconds(dates: pd.Series) -> pd.Series:
    return dates.where(dates.between("1677-09-22", "2262-04-11")).astype("datetime64[ns]")


def _guess(cells: pd.Series | pa.Array, decimal: str, name: str) -> tuple[str, pd.Series | _Coded]:
    """The type that fits, and the values."""
    if isinstance(cells, pa.Array):
        kind = _guess_kind(cells.drop_null(), decimal, name)
    else:
        kind = texts.NUMBER if cells.dtype == np.float64 else texts.DATE
    if kind != texts.TEXT:
        values = _convert(cells, kind, decimal, name)
        known = values.to_numpy()[values.notna().to_numpy()]
        n_distinct = len(pd.unique(known))
        if n_distinct <= 1:
            return CONSTANT, values
        return (IDENTIFIER if kind == texts.NUMBER and _is_identifier(name, known, n_distinct) else kind), values
    values = _encode(cells, TEXT)
    n_known = int((values.codes >= 0).sum())
    n_distinct = len(values.distinct)
    if n_distinct > 1:
        if _is_identifier(name, values.distinct, n_distinct, n_known):
            return IDENTIFIER, values
        if n_distinct > max(2, n_known / (2 if n_distinct <= MOST_CLASSES else 5)):
            return TEXT, values
    values = _unify(values)
    return (CATEGORY if len(values.distinct) > 1 else CONSTANT), values


def _guess_kind(known: pa.Array, decimal: str, name: str) -> str:
    """`NUMBER`, `DATE` or `TEXT`: as `cells.guess_kind`, on a sample unless all cells are plain."""
    n = len(known) or 1

    def share(pattern: str) -> float:
        return (pc.sum(pc.match_substring_regex(known, pattern)).as_py() or 0) / n

    has_code = share(f"^(?:{texts.CODE})$") > 0
    if share(_plain_number(decimal)) >= 0.9 and not has_code and not texts.DATE_NAME.search(name):
        distinct = set(pc.unique(pc.utf8_lower(known[:_SAMPLE])).to_pylist())
        return TEXT if {"0", "1"} < distinct <= _TRUTH.keys() else NUMBER
    if share(_OTHER_VALUE) < 0.75:
        return TEXT
    kind = texts.guess_kind(known[:: -(-n // _SAMPLE)].to_pandas().astype("str"), decimal, name)
    return TEXT if kind == texts.NUMBER and has_code else kind


def _plain_number(decimal: str) -> str:
    mark = re.escape(decimal)
    return rf"^[+-]?(\d+({mark}\d*)?|{mark}\d+)([eE][+-]?\d+)?$"


def _is_identifier(name: str, known: np.ndarray | list[str], n_distinct: int, n_known: int = 0) -> bool:
    """Whether values tell rows, or units of several rows, apart and mean nothing else."""
    words = split_words(name)
    is_named, is_number = bool(words & _ID_WORDS), isinstance(known, np.ndarray)
    if n_distinct < (n_known or len(known)):
        few = 4 if words & _UNITS else FEW  # five patients are a group, five species_ids are not
        is_unit = is_named or (len(words) == 1 and words <= _UNITS)
        return is_unit and n_distinct > few and not (is_number and (known % 1).any())
    if is_number:
        is_counter = re.fullmatch(r"column_\d+", name) and known[0] in (0, 1) and (np.diff(known) == 1).all()
        is_counter = is_counter or is_named or (words and words <= _COUNTERS | {"0"})
        return bool(is_counter) and not (known % 1).any()
    return is_named or all(re.fullmatch(r"\S*\d\S*", text) for text in known[:200])


def split_words(name: str) -> set[str]:
    """The words of a name in snake_case or CamelCase, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|#|[^\W\d_a-zA-Z]+", name)}


def _convert(cells: pd.Series | pa.Array, type: str, decimal: str, name: str) -> pd.Series:
    if type == NUMBER:
        numbers = _to_numbers(cells, decimal)
        return numbers.where(numbers.abs() <= LARGEST)
    if type == DATE:
        return _to_dates(cells, name)
    codes, distinct, _ = _encode(cells, type)
    return pd.Series(np.array([*distinct, None], object)[codes], dtype=object)


def _encode(cells: pd.Series | pa.Array, type: str) -> _Coded:
    if isinstance(cells, pa.Array):
        encoded = cells.dictionary_encode()
        values = _Coded(encoded.indices.fill_null(-1).to_numpy(), encoded.dictionary.to_pylist())
    else:
        codes, distinct = pd.factorize(cells)
        values = _Coded(codes, [_to_text(value) or "" for value in distinct])
    return values if type in (TEXT, IDENTIFIER) else _unify(values)


def _to_numbers(cells: pd.Series | pa.Array, decimal: str) -> pd.Series:
    if not isinstance(cells, pa.Array):
        if cells.dtype == np.float64:
            return cells
        return (cells.astype("datetime64[s]").astype("int64") / 86_400).where(cells.notna())  # days since 1970
    with suppress(pa.ArrowInvalid):
        if decimal == ".":
            return pd.Series(pc.cast(cells, pa.float64()).to_numpy(zero_copy_only=False))
    is_plain = pc.match_substring_regex(cells, _plain_number(decimal))
    plain = pc.if_else(is_plain, cells, pa.scalar(None, cells.type))
    plain = plain if decimal == "." else pc.replace_substring(plain, decimal, ".")
    numbers = pc.cast(plain, pa.float64()).to_numpy(zero_copy_only=False)
    is_other = pc.and_(pc.invert(is_plain), pc.match_substring_regex(cells, "[0-9]")).fill_null(False)
    if pc.any(is_other).as_py():
        numbers = numbers.copy()
        codes, distinct, _ = _encode(cells.filter(is_other), TEXT)
        found = texts.to_numbers(pd.Series(distinct), decimal).to_numpy()
        numbers[is_other.to_numpy(zero_copy_only=False)] = found[codes]
    return pd.Series(numbers)


def _to_dates(cells: pd.Series | pa.Array, name: str) -> pd.Series:
    if not isinstance(cells, pa.Array):
        if cells.dtype != np.float64:
            return _to_nanoseconds(cells)
        cells = _strip(cells.map(_to_text))  # years, or days as Excel counts them
    codes, distinct, _ = _encode(cells, TEXT)
    distinct = pd.Series(distinct, dtype="str")
    dated = distinct[distinct.str.contains("[0-9]")]
    found = texts.to_dates(dated, name) if len(dated) else None
    if found is None:
        with warnings.catch_warnings(action="ignore"):  # the order of day and month varies
            found = pd.to_datetime(dated, format="mixed", dayfirst=True, errors="coerce", utc=True)
    dates = _to_nanoseconds(_drop_zone(found)).reindex(distinct.index)
    return pd.Series(np.append(dates.to_numpy(), np.datetime64("NaT", "ns"))[codes])


def _unify(values: _Coded) -> _Coded:
    """One spelling for all categories that mean the same: the most frequent."""
    keys = [_WHOLE.sub(r"\1", text).lower() if _WHOLE.fullmatch(text) else text.lower() for text in values.distinct]
    if len(set(keys)) > 2 and set(keys) <= _TRUTH.keys():
        keys = [_TRUTH[key] for key in keys]
    if len(set(keys)) == len(keys):
        return values
    sizes = values.count()
    spellings: dict[str, str] = {}
    for at in np.argsort(-sizes, kind="stable"):
        spellings.setdefault(keys[at], values.distinct[at])
    positions = {key: at for at, key in enumerate(spellings)}
    is_changed = [spellings[key] != text for key, text in zip(keys, values.distinct, strict=True)]
    codes = np.array([*map(positions.get, keys), -1])[values.codes]
    return _Coded(codes, list(spellings.values()), int(sizes[is_changed].sum()))


def _count(known: np.ndarray, distinct: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """A histogram of numbers or dates: rows in each bin, or at each value if these are few; and the bins' labels."""
    is_date = known.dtype != np.float64
    numbers = known.view(np.int64) if is_date else known
    if len(distinct) <= _BINS:
        edges, counts = distinct, np.bincount(np.searchsorted(distinct, known), minlength=len(distinct))
    else:
        # Neither the widest range of floats nor the narrowest breaks this.
        shares = np.arange(_BINS) / _BINS
        edges = numbers.min() * (1 - shares) + numbers.max() * shares
        counts = np.bincount(np.clip(np.searchsorted(edges, numbers, "right") - 1, 0, None), minlength=_BINS)
        edges = np.append(edges, numbers.max())
        edges = edges.astype(np.int64).view(known.dtype) if is_date else edges
    return counts, list(map(_label, pd.to_datetime(edges) if is_date else edges))


def _label(value: Any) -> str:
    if isinstance(value, pd.Timestamp):
        return format_cell(value)
    return f"{value:,.0f}" if 10_000 <= abs(value) < 1e15 else f"{value:.4g}"
