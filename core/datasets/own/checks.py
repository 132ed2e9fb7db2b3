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
from core.datasets.own.roles import is_target
from core.errors import BadInput

FEWEST_ROWS = 12
_NUMBER_LABEL = "number_label"  # the kind of a fault that bins mend
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
        raise BadInput(f"The table has {_number(n_rows, 'row', 'rows')}; at least {FEWEST_ROWS} are needed.")
    for role in kinds.ROLES_OF_ONE:
        names = [column.name for column in columns if column.role == role]
        if len(names) > 1:
            raise BadInput(f"{_list(names)} have the role {role}, which only one column can have: change the others.")
    if not any(column.role == kinds.FEATURE and column.type != kinds.CONSTANT for column in columns):
        raise BadInput("No column is a feature: give the role feature to a column that has more than one value.")


def find_problems(
    table: Table, columns: Sequence[Column], split: np.ndarray | None = None, *, has_bins: bool = False
) -> tuple[Finding, ...]:
    """Find what is wrong with a table whose columns have these types and roles.

    Parameters
    ----------
    split : (n_rows,) bool, True in test rows; by default as the column of the role split says, if there is one.
    has_bins : whether a label of numbers is divided into classes.

    Raises BadInput if the table can be no data set, see `check_roles`.
    """
    check_roles(columns, len(table.frame))
    view = _View(table, columns, split)
    checks = (_check_rows, _check_duplicates, _check_label, _check_leaks, _check_columns, _check_features)
    found = (finding for check in checks for finding in check(view))
    return tuple(finding for finding in found if not (has_bins and finding.kind == _NUMBER_LABEL))


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
            split = (kinds.to_split(self.convert(parts, kinds.CATEGORY)) != "train").to_numpy()
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


def _number(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


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
    if not kinds.have_copies(column.type for column in view.features):
        return
    rows = pd.DataFrame(view.values)
    hashes = _hash_repeats(rows.assign(**{"": view.classes}))
    if count := int(hashes.duplicated().sum()):
        text = _number(count, "row is a copy of an earlier row", "rows are copies of earlier rows")
        text += " in all features and the label. Copies are left out, unless duplicates are kept."
        yield Finding("duplicates", (), count, text)
    if view.split is None:
        return
    hashes = _hash_repeats(rows)
    is_test = view.split[hashes.index]
    if count := int(hashes[is_test].isin(hashes[~is_test]).sum()):
        text = _number(count, "test row equals a train row", "test rows equal train rows")
        text += " in all features. Test scores are too good unless copies are left out or lie in one split."
        yield Finding("split_duplicates", (), count, text)


def _hash_repeats(rows: pd.DataFrame) -> pd.Series:
    """Hashes of the rows that may equal others, by position."""
    return pd.util.hash_pandas_object(kinds.find_repeats(rows), index=False)


def _check_label(view: _View) -> Iterator[Finding]:
    label = view.label
    refused = [c for c in view.columns if c.role == kinds.IGNORED and c.type == kinds.NUMBER and is_target(c.name)]
    for column in refused if label is None else [] if view.is_classified else [label]:
        text = f"{_list([column.name])} has {column.n_distinct:,} different "
        text += f"{'dates' if column.type == kinds.DATE else 'numbers'}, and labels are classes: "
        text += "divide it into bins, give it the role feature or ignored, or choose another label."
        yield Finding(_NUMBER_LABEL, (column.name,), column.n_distinct, text)
    if label is None:
        return
    if label.n_missing:
        text = _number(label.n_missing, "row has", "rows have") + f" no label in {_list([label.name])}. "
        text += "Methods that use no labels are trained on all rows; the others leave out such rows."
        yield Finding("unlabelled", (label.name,), label.n_missing, text)
    sizes = view.classes.value_counts()
    if single := sorted(sizes.index[sizes == 1]):
        text = (
            _number(len(single), "class has", "classes have") + f" only one row: {_list(single)}. It is in either the "
        )
        text += "train or the test rows: join such a class with another, or delete its row."
        yield Finding("small_classes", (label.name,), len(single), text)
    if not sizes.empty and sizes.iloc[0] >= _MOST_EQUAL * sizes.sum():
        text = f"{sizes.iloc[0]:,} of {sizes.sum():,} rows ({sizes.iloc[0] / sizes.sum():.1%}) have the class "
        text += f"{_list(sizes.index[:1])}. "
        if len(sizes) > 1:
            text += "Accuracy is high even if every other class is misclassified: compare the recall of each class."
        else:
            text += "With one class there is nothing to classify: choose another label."
        yield Finding("imbalance", (label.name,), int(sizes.iloc[0]), text)


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
            text = f"{_list(names)} {'equal' if equals else 'determine'}{'s' if len(names) == 1 else ''} the label "
            text += _list([view.label.name]) + (
                "" if equals else ": each value, or range of values, belongs to one class"
            )
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
    if names := tuple(column.name for column in view.columns if column.type == kinds.CONSTANT):
        text = _number(len(names), "column has", "columns have") + f" at most one value: {_list(names)}. "
        yield Finding("constant", names, len(names), text + "Constant columns are left out.")
    identifiers = [column for column in view.columns if column.type == kinds.IDENTIFIER]
    for is_feature in (True, False):
        if names := tuple(c.name for c in identifiers if (c.role == kinds.FEATURE) == is_feature):
            text = f"{_list(names)} {'identifies' if len(names) == 1 else 'identify'} rows or groups of rows. "
            if is_feature:
                text += (
                    f"A model can memorize rows by such a feature: give {_them(names)} the role id, group or ignored."
                )
            else:
                text += "Such a column is not used as a feature, since a model could memorize rows by it."
            yield Finding("identifier", names, len(names), text)
    used = [*view.features, *([view.label] if view.label else [])]
    yield from _check_stray(view, [c for c in used if c.n_stray and c.type in (kinds.NUMBER, kinds.DATE)])
    for column in used:
        if column.n_respelled:
            written, unified = (view.convert(column.name, type) for type in (kinds.TEXT, kinds.CATEGORY))
            first = (written.notna() & (written != unified)).idxmax()
            text = f"{_list([column.name])} has several spellings of one "
            text += f"{'class' if column.role == kinds.LABEL else 'category'}, such as "
            text += f"{_list([written[first], unified[first]])}. The most frequent spelling replaces the others in "
            text += _number(column.n_respelled, "row.", "rows.")
            yield Finding("spellings", (column.name,), column.n_respelled, text)


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
    infinite = f" infinite or beyond ±{kinds.LARGEST:.2g}"
    for kind, counts, one, many in (
        ("stray", n_text, f"can't be read as a number or date{example}", ""),
        ("infinite", n_infinite, "is" + infinite, "are" + infinite),
    ):
        names = tuple(name for name, count in counts.items() if count)
        if count := sum(counts.values()):
            text = f"{_number(count, 'cell', 'cells')} of {_list(names)} {one if count == 1 else many or one}. "
            yield Finding(kind, names, count, text + "Such cells count as missing.")


def _check_features(view: _View) -> Iterator[Finding]:
    if names := tuple(c.name for c in view.features if c.n_missing + c.n_stray > view.n / 2):
        text = _number(len(names), "feature has", "features have") + f" no value in most rows: {_list(names)}. "
        yield Finding(
            "missing", names, len(names), text + f"Give {_them(names)} the role ignored, or most is filled in."
        )
    many = [c for c in view.features if c.type == kinds.CATEGORY and c.n_distinct > MOST_CATEGORIES]
    if names := tuple(column.name for column in many):
        text = _number(len(names), "feature has", "features have") + f" more than {MOST_CATEGORIES} categories: "
        rare = max(view.values[name].value_counts(normalize=True)[MOST_CATEGORIES - 1 :].sum() for name in names)
        yield Finding(
            "many_categories",
            names,
            len(names),
            f"{text}{_list(names)}. The rarer ones are joined into one, in {'up to ' * bool(names[1:])}{rare:.0%} of "
            "the rows. Where a value names what was observed several times, such as a country, the role group keeps "
            "its rows in one split.",
        )
    # Two values are flags, not measurements in another unit.
    numbers = [column.name for column in view.features if column.type == kinds.NUMBER and column.n_distinct > 2]
    spreads = {name: view.values[name].std() for name in numbers}
    spreads = {name: spread for name, spread in spreads.items() if 0 < spread < np.inf}
    if len(spreads) > 1:
        (narrow, least), *_, (wide, most) = sorted(spreads.items(), key=lambda item: item[1])
        if most >= _WIDEST * least:
            least, most = (f"{spread:,.0f}" if spread >= 1000 else f"{spread:.3g}" for spread in (least, most))
            text = f"The standard deviations of the {len(spreads):,} number features range from {least} "
            text += f"({_list([narrow])}) to {most} ({_list([wide])}). "
            text += "Scaling gives all features the same weight; without it, those with a large one dominate."
            yield Finding("scales", (narrow, wide), len(spreads), text)
