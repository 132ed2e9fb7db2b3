"""Columns of a table: their types, and the roles they play in a data set."""

from dataclasses import dataclass

import pandas as pd

from core.datasets.own.readers import Table

NUMBER, CATEGORY, DATE, TEXT, CONSTANT, IDENTIFIER = "number", "category", "date", "text", "constant", "identifier"
TYPES = (NUMBER, CATEGORY, DATE, TEXT, CONSTANT, IDENTIFIER)
FEATURE, LABEL, ID, GROUP, SPLIT, TITLE, IGNORED = "feature", "label", "id", "group", "split", "title", "ignored"
ROLES = (FEATURE, LABEL, ID, GROUP, SPLIT, TITLE, IGNORED)


@dataclass(frozen=True)
class Column:
    """What a column holds.

    Attributes
    ----------
    type : one of `TYPES`; role : one of `ROLES`, a suggestion that a person may change.
    n_missing, n_distinct : missing cells; distinct values of the others.
    n_stray : cells of a column of numbers or dates that hold something else, and count as missing.
    counts : rows in each of at most 12 bins of numbers or dates, or of the most frequent values.
    labels : the bins' lower ends, or the values, as text; one a count.
    """

    name: str
    type: str
    role: str
    n_missing: int
    n_distinct: int
    n_stray: int = 0
    counts: tuple[int, ...] = ()
    labels: tuple[str, ...] = ()


def describe_columns(table: Table) -> tuple[Column, ...]:
    """Find the type of each column of a table, and suggest its role."""
    raise NotImplementedError


def to_values(column: pd.Series, type: str, decimal: str = ".") -> pd.Series:
    """Convert cells to values of a type, missing where a cell holds none: float64, datetime64[ns] or text."""
    raise NotImplementedError
