"""Text cells of a column: which are missing, and their values as numbers or dates."""

from __future__ import annotations

import re
from datetime import datetime

import pandas as pd

NUMBER, DATE, TEXT = "number", "date", "text"
MISSING = frozenset(
    (
        *("", "na", "n/a", "#n/a", "<na>", "n.a.", "n/d", "k.a.", "nan", "nat", "none", "nil", "missing", "?"),
        *("null", "(null)", "<null>", "[null]", "\\n", "-", "--", "---", "–", "—", ".", "..", "...", "…", ":"),
        *("#null!", "#value!", "#div/0!", "#ref!", "#name?", "#num!"),
    )
)
YEAR = re.compile(r"(1[5-9]|20)\d\d")
_SPACES = r"'’ \u00a0\u202f\u2009"  # between thousands, beside the mark that is not the decimal one
UNIT = r"(?:US\$|R\$|[$€£¥₹₽%‰]|EUR|USD|GBP|CHF|kr\.?|zł)"
_UNIT_BEFORE, _UNIT_AFTER = rf"^([+-]?){UNIT}\s*", rf"\s*{UNIT}$"
# Digits that stand for no quantity: leading zeros, more than a float holds, or a country code.
CODE = r"0\d+|\d{16,}|\+\d+ .*"
# A column of numbers or dates may hold this share of other text, or more among a few cells.
_MOST_STRAY, _MOST_STRAY_OF_FEW, _FEW = 0.1, 0.25, 20
DATE_NAME = re.compile("date|day|datum|time|jour|fecha", re.I)
_EXCEL_DAYS = (20_000, 60_000)  # serial dates from 1954 to 2064
_LOOKS_LIKE_DATE = r"\d{1,4}[-/. ].*\d.*|\d{1,2}[A-Za-z]{3}\d{2}.*|[A-Za-z]{3,9}[-., ].*\d|(?:19|20)\d{6}"
_DAYS = (
    *("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m-%d", "%Y-%m"),
    *("%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y", "%d %b %Y", "%d %B %Y", "%d. %b %Y", "%d. %B %Y"),
    *("%d-%b-%Y", "%d-%b-%y", "%d%b%Y", "%d%b%y", "%b %d, %Y", "%B %d, %Y", "%b %Y", "%B %Y", "%a, %d %b %Y"),
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")


def is_missing(column: pd.Series) -> pd.Series:
    return column.str.strip().str.lower().isin(MISSING)


def strip_numbers(column: pd.Series) -> pd.Series:
    """Cells without signs of currency and percent; ``"(5)"``, ``"5-"`` and ``"−5"`` become ``"-5"``."""
    texts = column.str.strip().str.replace("−", "-", regex=False).str.replace(r"^\((.*)\)$", r"-\1", regex=True)
    texts = texts.str.replace(_UNIT_BEFORE, r"\1", regex=True).str.replace(_UNIT_AFTER, "", regex=True)
    return texts.str.replace(r"^(\d.*)-$", r"-\1", regex=True)


def to_numbers(column: pd.Series, decimal: str) -> pd.Series:
    """The numbers of text cells, NaN where a cell holds none; ``"12 %"`` is 12."""
    mark, other = re.escape(decimal), "." if decimal == "," else ","
    plain = rf"(?i:[+-]?(?:\d+(?:{mark}\d*)?|{mark}\d+)(?:e[+-]?\d+)?|[+-]?inf(?:inity)?)"
    texts = column.str.strip()
    is_plain = texts.str.fullmatch(plain)
    if not is_plain.all():
        between = rf"[{re.escape(other)}{_SPACES}]"
        grouped = rf"[+-]?\d{{1,3}}(?:{between}\d{{2,3}})*{between}\d{{3}}(?:{mark}\d+)?"
        stripped = strip_numbers(texts[~is_plain])
        is_grouped = stripped.str.fullmatch(grouped)
        stripped = stripped.where(~is_grouped, stripped.str.replace(between, "", regex=True))
        texts = texts.copy()
        texts[~is_plain] = stripped.where(stripped.str.fullmatch(plain))
    if decimal == ",":
        texts = texts.str.replace(",", ".", regex=False)
    return pd.to_numeric(texts, errors="coerce").astype(float)


def to_dates(column: pd.Series, name: str = "") -> pd.Series | None:
    """The dates of text cells in the order that fits most of them, day first where two do.

    NaT where a cell is no date; None where too many are none.
    """
    texts = column.str.strip()
    is_named = bool(DATE_NAME.search(name))
    if is_named and texts.str.fullmatch(r"\d{5}(?:\.\d+)?").all():
        days = pd.to_numeric(texts)
        is_date = days.between(*_EXCEL_DAYS).all()
        return (pd.Timestamp("1899-12-30") + pd.to_timedelta(days, unit="D")).dt.round("s") if is_date else None
    likely = texts[texts.str.fullmatch(_LOOKS_LIKE_DATE)]
    if _has_too_many_stray(len(texts) - len(likely), len(texts)):
        return None
    if likely.str.match(r"\d{4}-\d\d-\d\d").all():
        return _parse_dates(texts, ("ISO8601",))
    # "31JAN2024:10:30:00" and "31/01/2024, 10:30" become "31JAN2024 10:30:00" and "31/01/2024 10:30".
    texts = texts.str.replace(r"^(.*?\d)(?:,? +|T|:)(\d{1,2}:\d\d)", r"\1 \2", regex=True)
    sample = texts[likely.index].iloc[[0, -1]]
    formats = [form for form in _FORMATS if any(_is_date(text, form) for text in sample)]
    if is_named and likely.str.fullmatch(r"\d{8}").all():
        formats = ["%Y%m%d"]
    return _parse_dates(texts, formats)


def _find_signs(text: str) -> set[str]:
    return set(re.findall(r"[^\w%]", text))


_FORMATS = {day + time: _find_signs(day + time) for day in _DAYS for time in _TIMES}


def _is_date(text: str, form: str) -> bool:
    if _FORMATS[form] != _find_signs(text):  # much faster than a trial
        return False
    try:
        return bool(datetime.strptime(text, form))
    except ValueError:
        return False


def _parse_dates(texts: pd.Series, formats) -> pd.Series | None:
    best, fewest = None, len(texts)
    for form in formats:
        dates = pd.to_datetime(texts, format=form, errors="coerce", utc=True)
        if (n_stray := int(dates.isna().sum())) < fewest:
            best, fewest = dates, n_stray
    return None if best is None or _has_too_many_stray(fewest, len(texts)) else best.dt.tz_localize(None)


def _has_too_many_stray(n_stray: int, n: int) -> bool:
    return n_stray > (_MOST_STRAY_OF_FEW if n < _FEW else _MOST_STRAY) * n


def guess_kind(column: pd.Series, decimal: str, name: str = "") -> str:
    """`NUMBER`, `DATE` or `TEXT`: what the cells of a column are that are not missing."""
    known = column[~is_missing(column)]
    if known.empty:
        return TEXT
    if to_dates(known.iloc[:100], name) is not None and to_dates(known, name) is not None:
        return DATE
    if known.str.strip().str.fullmatch(CODE).any():
        return TEXT
    n_stray = int(to_numbers(known, decimal).isna().sum())
    return TEXT if _has_too_many_stray(n_stray, len(known)) else NUMBER
