"""What is wrong with a table, in sentences with counts and remedies."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from core.datasets.own import columns as kinds
from core.datasets.own.columns import Column
from core.datasets.own.readers import Table
from core.errors import BadInput

FEWEST_ROWS = 12
MOST_CATEGORIES = 20  # of a feature; rarer ones are joined
_FEW_ROWS = 100
_FEWEST_OF_CLASS = 5  # rows that show that a feature determines a class
_MOST_EQUAL = 0.99  # share of one class
_WIDEST = 10  # ratio of standard deviations that needs scaling


@dataclass(frozen=True)
class Finding:
    """A fault of a table.

    Attributes
    ----------
    kind : a word for programs, such as "duplicates".
    columns : the columns that have the fault; empty if rows have it.
    count : rows, cells, classes or columns with the fault, as the text says.
    text : a sentence on what is wrong, and one on what is done or can be done about it.
    """

    kind: str
    columns: tuple[str, ...]
    count: int
    text: str


def check_roles(columns: Sequence[Column], n_rows: int) -> None:
    """Raise BadInput if columns of these roles, and so many rows, can be no data set."""
    if n_rows < FEWEST_ROWS:
        raise BadInput(f"The table has {_number(n_rows, 'row')}; at least {FEWEST_ROWS} are needed.")
    for role in (kinds.LABEL, kinds.SPLIT, kinds.ID, kinds.GROUP):
        names = [column.name for column in columns if column.role == role]
        if len(names) > 1:
            raise BadInput(f"{_list(names)} have the role {role}, which only one column can have: change the others.")
    if not any(column.role == kinds.FEATURE and column.type != kinds.CONSTANT for column in columns):
        raise BadInput("No column is a feature: give the role feature to a column that has more than one value.")


def find_problems(table: Table, columns: Sequence[Column], split: np.ndarray | None = None) -> tuple[Finding, ...]:
    """Find what is wrong with a table whose columns have these types and roles.

    Parameters
    ----------
    split : (n_rows,) bool, True in test rows; by default as the column of the role split says, if there is one.

    Raises BadInput if the table can be no data set, see `check_roles`.
    """
    check_roles(columns, len(table.frame))
    view = _View(table, columns, split)
    checks = (_check_rows, _check_duplicates, _check_label, _check_classes, _check_leaks)
    return tuple(finding for check in (*checks, _check_columns, _check_features) for finding in check(view))


class _View:
    """The table as its columns' types and roles say."""

    def __init__(self, table: Table, columns: Sequence[Column], split: np.ndarray | None) -> None:
        self.table, self.frame, self.columns = table, table.frame, columns
        self.n = len(self.frame)
        self.decimal = table.format.decimal if table.format else "."
        self.features = [c for c in columns if c.role == kinds.FEATURE and c.type != kinds.CONSTANT]
        self.values = {column.name: self.convert(column.name, column.type) for column in self.features}
        self.label = next((column for column in columns if column.role == kinds.LABEL), None)
        parts = next((column.name for column in columns if column.role == kinds.SPLIT), None)
        if split is None and parts is not None:
            split = (kinds.to_split(self.convert(parts, kinds.CATEGORY)) == "test").to_numpy()
        self.split = split

    def convert(self, name: str, type: str) -> pd.Series:
        return kinds.to_values(self.frame[name], type, self.decimal).reset_index(drop=True)

    @cached_property
    def is_classified(self) -> bool:
        """Whether the label has classes, rather than many numbers or dates."""
        if self.label is None:
            return False
        as_numbers = self.convert(self.label.name, kinds.NUMBER)
        if self.label.n_distinct <= 1:
            return True
        if self.label.type == kinds.CATEGORY and as_numbers.nunique() <= kinds.MOST_CLASSES:
            return True
        is_number = as_numbers.notna().sum() >= 0.9 * (self.n - self.label.n_missing)
        return kinds.can_be_classes(as_numbers) if is_number else self.label.type != kinds.DATE

    @cached_property
    def classes(self) -> pd.Series:
        """The class of each row; None for all if there are none."""
        if self.label is None or not self.is_classified:
            return pd.Series([None] * self.n, dtype=object)
        return self.convert(self.label.name, kinds.CATEGORY)


def _number(count: int, noun: str, plural: str = "") -> str:
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def _them(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "them"


def _list(names: Sequence[object]) -> str:
    """Quoted names: all, or the first three and how many more there are."""
    quoted = [f"“{str(name)[:40]}”" for name in names[:3]]
    if len(names) > 3:
        return f"{', '.join(quoted)} and {len(names) - 3:,} more"
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]] if quoted[1:] else quoted)


def _check_rows(view: _View) -> Iterator[Finding]:
    for note in view.table.notes:
        count = re.match(r"[\d,]+", note)
        yield Finding("unparsed", (), int(count[0].replace(",", "")) if count else 1, note)
    if view.n < _FEW_ROWS:
        text = f"The table has only {view.n} rows. Confidence intervals will be wide; results can change with the seed."
        yield Finding("few_rows", (), view.n, text)


def _check_duplicates(view: _View) -> Iterator[Finding]:
    rows = pd.DataFrame(view.values)
    hashes = _hash_copies(rows.assign(**{"": view.classes}))
    if count := int(hashes.duplicated().sum()):
        are = "row is a copy of an earlier row" if count == 1 else "rows are copies of earlier rows"
        text = (
            f"{count:,} {are} in all features and the label. They are kept: delete those that are no new observation."
        )
        yield Finding("duplicates", (), count, text)
    if view.split is None:
        return
    hashes = _hash_copies(rows)
    is_test = view.split[hashes.index]
    if count := int(hashes[is_test].isin(hashes[~is_test]).sum()):
        equal = "test row equals a train row" if count == 1 else "test rows equal train rows"
        text = f"{count:,} {equal} in all features. Test scores are too good: delete the copies, or split by a group."
        yield Finding("split_duplicates", (), count, text)


def _hash_copies(rows: pd.DataFrame) -> pd.Series:
    """Hashes of the rows that may be equal to others, by position."""
    width = 2
    while width < rows.shape[1] and len(rows):
        rows, width = rows[rows.iloc[:, :width].duplicated(keep=False)], width * 4
    return pd.util.hash_pandas_object(rows, index=False)


def _check_label(view: _View) -> Iterator[Finding]:
    label = view.label
    if label is None:
        return
    if not view.is_classified:
        noun = "date" if label.type == kinds.DATE else "number"
        text = f"The label {_list([label.name])} is a {noun} with {label.n_distinct:,} values, and labels are classes. "
        text += "It is not used: bin it into classes, give it the role feature, or choose another label."
        yield Finding("number_label", (label.name,), label.n_distinct, text)
    if count := label.n_missing:
        have = "row has" if count == 1 else "rows have"
        text = f"{count:,} {have} no label in {_list([label.name])}. They are kept for methods that need no labels."
        yield Finding("unlabelled", (label.name,), count, text)


def _check_classes(view: _View) -> Iterator[Finding]:
    sizes = view.classes.value_counts()
    if view.label is None or sizes.empty:
        return
    single = sorted(sizes.index[sizes == 1])
    if single:
        have = "class has" if len(single) == 1 else "classes have"
        text = f"{len(single):,} {have} only one row: {_list(single)}. A class needs a train and a test row: "
        text += "join it with another class, or delete the row."
        yield Finding("small_classes", (view.label.name,), len(single), text)
    if sizes.iloc[0] >= _MOST_EQUAL * sizes.sum():
        text = f"{_number(sizes.iloc[0], 'row')} of {sizes.sum():,} ({sizes.iloc[0] / sizes.sum():.1%}) have the class "
        text += f"{_list(sizes.index[:1])}. "
        text += (
            "Accuracy is high even if every other class is misclassified: compare F1 scores."
            if len(sizes) > 1
            else "With one class, nothing can be classified: choose another label."
        )
        yield Finding("imbalance", (view.label.name,), int(sizes.iloc[0]), text)


def _check_leaks(view: _View) -> Iterator[Finding]:
    codes = pd.factorize(view.classes)[0]
    sizes = np.bincount(codes[codes >= 0])
    large = np.flatnonzero(sizes >= _FEWEST_OF_CLASS)
    if view.label is None or len(large) < 2:
        return
    rows = np.flatnonzero(np.isin(codes, large))
    rows = rows[np.argsort(codes[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(codes[rows], prepend=-1))
    found: dict[bool, list[str]] = {True: [], False: []}
    for name, values in view.values.items():
        numbers = values if values.dtype == np.float64 else pd.Series(pd.factorize(values, sort=True)[0], dtype=float)
        equals = _determines(numbers.where(values.notna()).to_numpy()[rows], starts, values.dtype != object)
        if equals is not None:
            found[equals].append(name)
    for equals, names in found.items():
        if names:
            verb = "equal" if equals else "determine"
            text = f"{_list(names)} {verb}{'s' if len(names) == 1 else ''} the label {_list([view.label.name])}"
            text += "" if equals else ": each value, or range of values, belongs to one class"
            text += f". Give {_them(names)} the role ignored if known only after the label."
            yield Finding("leak", tuple(names), len(names), text)


def _determines(numbers: np.ndarray, starts: np.ndarray, is_ordered: bool) -> bool | None:
    """Whether a feature, in the order of classes that begin at `starts`, equals the class; None if it varies freely."""
    if (np.add.reduceat(~np.isnan(numbers), starts) < _FEWEST_OF_CLASS).any():
        return None
    low, high = np.fmin.reduceat(numbers, starts), np.fmax.reduceat(numbers, starts)
    order = np.argsort(low)
    if is_ordered and (high[order][:-1] < low[order][1:]).all():
        return bool((low == high).all())
    if (low == high).all():
        return True if len(np.unique(low)) == len(low) else None
    values, codes = np.unique(numbers[~np.isnan(numbers)], return_inverse=True)
    if len(values) > len(numbers) / _FEWEST_OF_CLASS:
        return None
    classes = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(numbers)))[~np.isnan(numbers)]
    return False if len(np.unique(codes * len(starts) + classes)) == len(values) else None


def _check_columns(view: _View) -> Iterator[Finding]:
    constant = tuple(column.name for column in view.columns if column.type == kinds.CONSTANT)
    if constant:
        have = "has" if len(constant) == 1 else "have"
        text = f"{_number(len(constant), 'column')} {have} at most one value: {_list(constant)}. Constant columns are "
        yield Finding("constant", constant, len(constant), text + "dropped.")
    for is_feature in (True, False):
        names = tuple(
            column.name
            for column in view.columns
            if column.type == kinds.IDENTIFIER and (column.role == kinds.FEATURE) == is_feature
        )
        if names:
            text = f"{_list(names)} {'identifies' if len(names) == 1 else 'identify'} rows or groups of rows. "
            text += (
                f"A model can memorize rows by such a feature: give {_them(names)} the role id, group or ignored."
                if is_feature
                else "Such a column is not used as a feature, since a model could memorize rows by it."
            )
            yield Finding("identifier", names, len(names), text)
    used = [*view.features, *([view.label] if view.label else [])]
    yield from _check_stray(view, [c for c in used if c.n_stray and c.type in (kinds.NUMBER, kinds.DATE)])
    yield from _check_spellings(view, [column for column in used if column.n_respelled])


def _check_stray(view: _View, columns: list[Column]) -> Iterator[Finding]:
    n_infinite, n_text, example = {}, {}, ""
    for column in columns:
        cells = view.frame[column.name].reset_index(drop=True).astype(object).map(str)
        is_infinite = pd.to_numeric(cells, errors="coerce").abs() > kinds.LARGEST
        n_infinite[column.name] = int(is_infinite.sum())
        n_text[column.name] = column.n_stray - n_infinite[column.name]
        if n_text[column.name] and not example:
            is_stray = view.convert(column.name, column.type).isna() & ~is_infinite
            is_stray &= view.convert(column.name, kinds.TEXT).notna()
            example = f", such as “{cells[is_stray].iloc[0].strip()[:40]}”"
    for kind, counts, what in (
        ("stray", n_text, f"that should be numbers or dates hold text{example}"),
        ("infinite", n_infinite, f"are infinite or beyond {kinds.LARGEST:.2g}"),
    ):
        names = tuple(name for name, count in counts.items() if count)
        if count := sum(counts.values()):
            text = f"{_number(count, 'cell')} of {_list(names)} {what}. They count as missing."
            yield Finding(kind, names, count, text)


def _check_spellings(view: _View, columns: list[Column]) -> Iterator[Finding]:
    for column in columns:
        written, unified = (view.convert(column.name, type) for type in (kinds.TEXT, kinds.CATEGORY))
        first = (written.notna() & (written != unified)).idxmax()
        what = "class" if column.role == kinds.LABEL else "category"
        text = f"{_list([column.name])} has several spellings of one {what}, such as "
        text += f"{_list([written[first], unified[first]])}. "
        text += f"The most frequent spelling replaces the others in {_number(column.n_respelled, 'row')}."
        yield Finding("spellings", (column.name,), column.n_respelled, text)


def _check_features(view: _View) -> Iterator[Finding]:
    empty = [column for column in view.features if column.n_missing + column.n_stray > view.n / 2]
    if empty:
        names = tuple(column.name for column in empty)
        text = f"{_number(len(empty), 'feature')} {'has' if len(empty) == 1 else 'have'} no value in more than half of "
        text += f"the rows: {_list(names)}. Give {_them(names)} the role ignored, or the gaps are filled by a guess."
        yield Finding("missing", names, len(empty), text)
    many = [c for c in view.features if c.type == kinds.CATEGORY and c.n_distinct > MOST_CATEGORIES]
    if many:
        names = tuple(column.name for column in many)
        text = f"{_number(len(many), 'feature')} {'has' if len(many) == 1 else 'have'} more than {MOST_CATEGORIES} "
        text += f"categories: {_list(names)}. Rare categories are joined into one."
        yield Finding("many_categories", names, len(many), text)
    # Two values are flags, not measurements in another unit.
    numbers = [column.name for column in view.features if column.type == kinds.NUMBER and column.n_distinct > 2]
    spreads = {name: view.values[name].std() for name in numbers}
    spreads = {name: spread for name, spread in spreads.items() if 0 < spread < np.inf}
    if len(spreads) > 1:
        (narrow, least), *_, (wide, most) = sorted(spreads.items(), key=lambda item: item[1])
        if most >= _WIDEST * least:
            text = f"The standard deviations of the {len(spreads):,} number features range from {least:.3g} "
            text += f"({_list([narrow])}) to {most:.3g} ({_list([wide])}). "
            text += "Scaling gives all features the same weight; without it, those with a large one dominate."
            yield Finding("scales", (narrow, wide), len(spreads), text)
