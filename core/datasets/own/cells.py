"""Text cells of a column: which are missing, and their values as numbers or dates."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

NUMBER, DATE, TEXT = "number", "date", "text"
MISSING = frozenset(
    ("", "na", "n/a", "nan", "null", "none", "nil", "?", "-", "--", ".", "#n/a", "#null!", "missing", "<na>")
)
YEAR = re.compile(r"(19|20)\d\d")
_SPACES = "' \u00a0\u202f"  # between thousands, beside the mark that is not the decimal one
_CURRENCY = re.compile(r"^[$€£¥]\s*|\s*[$€£¥%]$")
# Digits that stand for no quantity: leading zeros, longer than a float holds, or a country code.
_CODE = r"0\d+|\d{16,}|\+\d+ .*"
# A column of numbers may hold this share of other text, or fewer cells.
_MOST_STRAY, _FEWEST = 0.1, 20
_DATE_NAME = re.compile("date|day|datum|time", re.I)
_EXCEL_DAYS = (20_000, 60_000)  # serial dates from 1954 to 2064
_DATE_FORMATS = (
    *("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d %b %Y", "%d %B %Y", "%b %d, %Y"),
    *("%d/%m/%y", "%m/%d/%y", "%d.%m.%y"),
)


def is_missing(column: pd.Series) -> pd.Series:
    return column.str.strip().str.lower().isin(MISSING)


def strip_number(text: str) -> str:
    """A cell without the signs of currency and percent; ``"(5)"`` becomes ``"-5"``."""
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        text = f"-{text[1:-1]}"
    return _CURRENCY.sub("", text)


def to_numbers(column: pd.Series, decimal: str) -> pd.Series:
    """The numbers of text cells, NaN where a cell holds none; ``"12 %"`` is 12."""
    texts = column.map(strip_number)
    mark, other = re.escape(decimal), "." if decimal == "," else ","
    between = f"[{re.escape(other)}{_SPACES}]"
    is_grouped = texts.str.fullmatch(rf"[+-]?\d{{1,3}}({between}\d{{3}})+({mark}\d+)?")
    is_plain = texts.str.fullmatch(rf"(?i:[+-]?(\d+({mark}\d*)?|{mark}\d+)(e[+-]?\d+)?|[+-]?inf(inity)?)")
    texts = texts.where(~is_grouped, texts.str.replace(between, "", regex=True))
    plain = texts.str.replace(decimal, ".", regex=False).where(is_grouped | is_plain)
    return pd.to_numeric(plain, errors="coerce").astype(float)


def to_dates(column: pd.Series, name: str = "") -> pd.Series | None:
    """The dates of text cells in one of the usual orders, day first where both fit; None if any cell is no date."""
    texts = column.str.strip()
    if _DATE_NAME.search(name) and texts.str.fullmatch(r"\d{5}").all():
        days = texts.astype(int)
        return (
            pd.Timestamp("1899-12-30") + pd.to_timedelta(days, unit="D") if days.between(*_EXCEL_DAYS).all() else None
        )
    if not texts.str.match(r"\d{1,4}[-/. ]|[A-Za-z]{3}").all():
        return None
    iso = ("ISO8601",) if texts.str.match(r"\d{4}-\d\d-\d\d").all() else ()
    for form in (*iso, *_DATE_FORMATS):
        dates = pd.to_datetime(texts, format=form, errors="coerce", utc=True)
        if dates.notna().all():
            return dates.dt.tz_localize(None)
    return None


def guess_kind(column: pd.Series, decimal: str, name: str = "") -> str:
    """`NUMBER`, `DATE` or `TEXT`: what the cells of a column are that are not missing."""
    known = column[~is_missing(column)]
    if known.empty:
        return TEXT
    if to_dates(known.iloc[:100], name) is not None and to_dates(known, name) is not None:
        return DATE
    if known.str.fullmatch(_CODE).any():
        return TEXT
    share = np.isnan(to_numbers(known, decimal)).mean()
    return NUMBER if share <= _MOST_STRAY or (share <= 0.25 and len(known) < _FEWEST) else TEXT
