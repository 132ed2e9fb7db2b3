"""Columns of a table, as colours and comparisons take them: numbers, dates, or categories by frequency."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

NUMBER, DATE, CATEGORY = "number", "date", "category"
_FEW = 50  # different values of text such as "17" that are categories
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True)
class Column:
    """The cells of a column, one a row.

    Attributes
    ----------
    type : ``"number"``, ``"date"`` or ``"category"``.
    values : (n,) float64, numbers or days since 1970, NaN where missing; of categories (n,) int32 indices, -1 where
        missing.
    categories : the most frequent first.
    """

    name: str
    type: str
    values: np.ndarray
    categories: tuple[str, ...] = ()

    @property
    def is_known(self) -> np.ndarray:
        """(n,) bool, False where the cell is missing."""
        return self.values >= 0 if self.type == CATEGORY else np.isfinite(self.values)


def read_columns(frame: Any, features: Collection[str] = ()) -> tuple[Column, ...]:
    """Read the columns of a frame of numbers, dates and text.

    Text that is no feature is read as numbers if all its many values are numbers, such as those of rows.
    """
    return tuple(_read_column(str(name), frame[name], str(name) in features) for name in frame)


def _read_column(name: str, cells: Any, is_feature: bool) -> Column:
    import pandas as pd

    if cells.dtype.kind == "M":
        days = cells.to_numpy("datetime64[s]")
        return Column(name, DATE, np.where(np.isnat(days), np.nan, (days - np.datetime64(0, "s")) / _DAY))
    if cells.dtype.kind == "f":
        return Column(name, NUMBER, cells.to_numpy(np.float64))
    codes, distinct = pd.factorize(cells)
    if not len(distinct):
        return Column(name, NUMBER, np.full(len(cells), np.nan))
    if not is_feature and len(distinct) > _FEW:
        numbers = pd.to_numeric(pd.Series(distinct), errors="coerce").to_numpy(np.float64)
        if np.isfinite(numbers).all():
            return Column(name, NUMBER, np.append(numbers, np.nan)[codes])
    order = np.argsort(-np.bincount(codes[codes >= 0], minlength=len(distinct)), kind="stable")
    ranks = np.full(len(distinct) + 1, -1, np.int32)
    ranks[order] = np.arange(len(distinct))
    return Column(name, CATEGORY, ranks[codes], tuple(str(distinct[k]) for k in order))
