"""The roles that columns of a table are suggested to play in a data set, and how a role passes to another column."""

import re
from dataclasses import replace

import pandas as pd

from core.datasets.own.columns import (
    CATEGORY,
    DATE,
    FEATURE,
    FEW,
    GROUP,
    ID,
    IDENTIFIER,
    IGNORED,
    LABEL,
    LONGEST_LABEL,
    MOST_CLASSES,
    NUMBER,
    PARTS,
    SPLIT,
    TEXT,
    TITLE,
    Column,
    can_be_classes,
    describe_column,
    split_words,
    to_values,
)
from core.datasets.own.readers import Table

_TITLE_WORDS = frozenset(("name", "title", "player", "country", "city", "company", "product", "model", "movie", "song"))
_SPLIT_NAMES = frozenset(("split", "set", "fold", "partition", "subset"))
_TARGETS = ("label", "target", "outcome", "response")
# The earlier, the likelier; "class" may also be that of a ticket.
_LABEL_NAMES = (*_TARGETS, "diagnosis", "survived", "churn", "fraud", "species", "class", "labels", "classes", "y")


def describe_columns(table: Table) -> tuple[Column, ...]:
    """Find the type of each column of a table, and suggest its role."""
    decimal = table.format.decimal if table.format else "."
    columns = [describe_column(table.frame[name], decimal) for name in table.frame]
    return tuple(_suggest_roles(columns, table.frame, decimal))


def release(column: Column) -> Column:
    """The column without a role that another column takes from it."""
    return replace(column, role=FEATURE if column.type in (NUMBER, CATEGORY, DATE) else IGNORED)


def is_target(name: str) -> bool:
    """Whether a name says that a column is to be predicted."""
    return name.lower() in _TARGETS


def _suggest_roles(columns: list[Column], frame: pd.DataFrame, decimal: str) -> list[Column]:
    n_rows = len(frame)
    columns = [_suggest_split(column) for column in columns]
    first = columns[0]
    if first.name == "column_1" and first.type == NUMBER and first.n_distinct == n_rows and len(columns) > 1:
        # The only column without a name numbers the rows, in any order.
        is_whole = not (to_values(frame[first.name], NUMBER, decimal) % 1).any()
        if is_whole and columns[1].name != "column_2":
            columns[0] = describe_column(frame[first.name], decimal, IDENTIFIER)
    columns = [
        replace(column, role=GROUP) if column.role == ID and column.n_distinct < n_rows - column.n_missing else column
        for column in columns
    ]
    for role, other in ((SPLIT, FEATURE), (ID, IGNORED), (GROUP, IGNORED)):
        same = [at for at, column in enumerate(columns) if column.role == role]
        for at in same[1:]:
            columns[at] = replace(columns[at], role=other)
    titles = [at for at, column in enumerate(columns) if _can_be_title(column, n_rows)]
    if titles:
        at = next((at for at in titles if split_words(columns[at].name) & _TITLE_WORDS), titles[0])
        columns[at] = replace(columns[at], role=TITLE)
    at = _find_label(columns, frame, decimal)
    if at is not None:
        name = columns[at].name
        columns[at] = replace(describe_column(frame[name], decimal, CATEGORY), role=LABEL)
    return [
        replace(column, role=IGNORED) if column.role == FEATURE and is_target(column.name) else column
        for column in columns
    ]


def _suggest_split(column: Column) -> Column:
    if column.type != CATEGORY or not split_words(column.name) & _SPLIT_NAMES or column.n_distinct > len(PARTS):
        return column
    parts = {PARTS.get(label.lower()) for label in column.labels}
    return replace(column, role=SPLIT) if {"train", "test"} <= parts and None not in parts else column


def _can_be_title(column: Column, n_rows: int) -> bool:
    n_known = n_rows - column.n_missing
    is_short = all(len(label) < LONGEST_LABEL for label in column.labels)
    return column.type == TEXT and column.n_distinct >= 0.9 * n_known >= 0.8 * n_rows and is_short


def _find_label(columns: list[Column], frame: pd.DataFrame, decimal: str) -> int | None:
    """The position of the column that is likeliest the label."""
    features = [at for at, column in enumerate(columns) if column.role == FEATURE and column.type in (NUMBER, CATEGORY)]
    for name in _LABEL_NAMES:
        for at in reversed(features):
            column = columns[at]
            is_named = re.fullmatch(name if name == "y" else rf"(.*[_ .])?{name}", column.name.lower())
            if is_named and can_be_classes(to_values(frame[column.name], column.type, decimal)):
                return at
    categories = [at for at in features if columns[at].type == CATEGORY and 2 <= columns[at].n_distinct <= MOST_CLASSES]
    if categories:
        return categories[-1]
    last = columns[-1]
    if last.type == NUMBER and re.fullmatch(r"column_\d+", last.name) and last.n_distinct <= min(FEW, len(frame) / 10):
        # Many tables without a header end with the class.
        return len(columns) - 1 if can_be_classes(to_values(frame[last.name], NUMBER, decimal)) else None
    return None
