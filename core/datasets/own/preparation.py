"""A table and a recipe become train and test rows, by scikit-learn's transformers fitted to the train rows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from core.datasets import subsets
from core.datasets.own import columns
from core.datasets.own.columns import CATEGORY, DATE, NUMBER
from core.datasets.own.readers import Table
from core.datasets.own.recipe import BY_COLUMN, BY_GROUP, BY_TIME, DROP, MIN_MAX, ROBUST, STANDARD, UNSCALED, Recipe
from core.errors import BadInput
from core.types import UNLABELLED

_EPOCH = pd.Timestamp("1970-01-01")
_DAY = pd.Timedelta(days=1)
_MOST_SHOWN = 12  # cells of a row that its text names
_FEWEST = 6  # rows of a split
PRESENT, ABSENT = "present", "missing"


@dataclass(frozen=True)
class Feature:
    """A feature of the prepared rows, one column of X or one a category.

    Attributes
    ----------
    name : of the column, or ``"<column>: missing"`` for the feature that says where it is missing.
    type : ``"number"``, ``"date"`` or ``"category"``.
    start, size : its columns in X.
    center, scale : of numbers and dates (in days since 1970): x = (value - center) / scale.
    categories : of the columns, for a category.
    of_missing : the column whose missing cells this feature marks; empty for others.
    """

    name: str
    type: str
    start: int
    size: int = 1
    center: float = 0.0
    scale: float = 1.0
    categories: tuple[str, ...] = ()
    of_missing: str = ""

    @property
    def columns(self) -> slice:
        return slice(self.start, self.start + self.size)


@dataclass(frozen=True)
class Prepared:
    """Rows of both splits.

    Attributes
    ----------
    features : in the order of the columns of X.
    X_train, X_test : (n, n_columns) float32 without missing values.
    known_train, known_test : (n, n_columns) bool, False where the cell was missing; None if no cell was.
    y_train, y_test : (n,) int64 indices into `target_names`, -1 without a label.
    frame_train, frame_test : all columns of the file as values, a row each.
    notes : sentences about rows and columns that were left out.
    """

    features: tuple[Feature, ...]
    X_train: np.ndarray
    X_test: np.ndarray
    known_train: np.ndarray | None
    known_test: np.ndarray | None
    y_train: np.ndarray
    y_test: np.ndarray
    target_names: tuple[str, ...]
    frame_train: pd.DataFrame
    frame_test: pd.DataFrame
    recipe: Recipe
    notes: tuple[str, ...] = ()

    @cached_property
    def blocks(self) -> tuple[int, ...]:
        """The number of columns of X of each feature."""
        return tuple(feature.size for feature in self.features)

    def to_frame(self, X: np.ndarray) -> pd.DataFrame:
        """Rows as `X_train`, or probabilities of categories, in original units: a column a column of the file.

        A category is the most probable one. A cell is empty where the feature that marks missing cells says so.
        """
        values: dict[str, Any] = {}
        for feature in self.features:
            block = np.asarray(X[:, feature.columns], np.float64)
            if feature.type == CATEGORY:
                values[feature.name] = np.array(feature.categories, object)[block.argmax(axis=1)]
                continue
            numbers = block[:, 0] * feature.scale + feature.center
            values[feature.name] = _EPOCH + numbers * _DAY if feature.type == DATE else numbers
        frame = pd.DataFrame(values)
        for feature in self.features:
            if feature.of_missing:
                frame[feature.of_missing] = frame[feature.of_missing].mask(frame.pop(feature.name) == ABSENT)
        return frame

    @property
    def title_column(self) -> str | None:
        """The column that names rows, or None."""
        column = self.recipe.find_column(columns.TITLE) or self.recipe.find_column(columns.ID)
        return None if column is None else column.name

    @property
    def shown_columns(self) -> list[str]:
        """The columns whose cells describe a row, at most 12."""
        shown = [c.name for c in self.recipe.columns if c.role != columns.IGNORED and c.name != self.title_column]
        return shown[:_MOST_SHOWN]

    def describe_rows(self, frame: pd.DataFrame) -> Iterator[tuple[str, str]]:
        """The title of each row, "" without a column of titles, and its cells: ``"alcohol 13.2 · hue 1.04"``."""
        title, shown = self.title_column, self.shown_columns
        titles = [""] * len(frame) if title is None else [format_cell(value) for value in frame[title]]
        cells = [[f"{name} {format_cell(value)}" for value in frame[name]] for name in shown]
        more = " …" if len(shown) == _MOST_SHOWN else ""
        for title, *row in zip(titles, *cells, strict=True):
            yield title, " · ".join(row) + more


def format_cell(value: Any) -> str:
    """A cell as text: four digits of a number, the day of a date, "–" for a missing cell."""
    if value is None or value != value or value is pd.NaT:
        return "–"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:.4g}"
    return str(value)


def prepare(table: Table, recipe: Recipe) -> Prepared:
    """Return the train and test rows of a table.

    Raises BadInput if a column of the recipe is not in the table, if too few rows or no feature is left, or a value
    does not fit into a float32.
    """
    names = [column.name for column in recipe.columns]
    if lacking := [name for name in names if name not in table.frame.columns]:
        raise BadInput(f"The file has no column {lacking[0]:.80}, which the recipe names.")
    decimal = recipe.format.decimal if recipe.format else "."
    frame = pd.DataFrame({c.name: columns.to_values(table.frame[c.name], c.type, decimal) for c in recipe.columns})
    frame, notes = _leave_out_rows(frame, recipe)
    y, target_names = _read_labels(frame, recipe)
    is_test = _split(frame, y, recipe)
    for name, rows in (("train", ~is_test), ("test", is_test)):
        if rows.sum() < _FEWEST:
            raise BadInput(f"The {name} split has {rows.sum()} rows, and at least {_FEWEST} are needed: add rows.")
    frames = frame[~is_test].reset_index(drop=True), frame[is_test].reset_index(drop=True)
    cells, features, constant = _select_features(frames, recipe)
    if constant:
        notes.append(f"Constant in the train rows, so left out: {', '.join(constant)}.")
    fitted = _make_transformer(cells[0], features, recipe).fit(cells[0])
    features = _describe_features(fitted, features)
    X_train, X_test = (_transform(fitted, part) for part in cells)
    known = [_find_known(part, X, features) for part, X in zip(cells, (X_train, X_test), strict=True)]
    known_train, known_test = (None, None) if known[0].all() and known[1].all() else known
    rows = X_train, X_test, known_train, known_test, y[~is_test], y[is_test]
    return Prepared(features, *rows, target_names, *frames, recipe, tuple(notes))


def _leave_out_rows(frame: pd.DataFrame, recipe: Recipe) -> tuple[pd.DataFrame, list[str]]:
    notes, features = [], [column.name for column in recipe.list_columns(columns.FEATURE)]
    if recipe.missing == DROP and (has_gap := frame[features].isna().any(axis=1)).any():
        notes.append(f"{has_gap.sum():,} rows with a missing cell are left out.")
        frame = frame[~has_gap]
    compared = features + [column.name for column in recipe.list_columns(columns.LABEL)]
    if recipe.drop_duplicates and compared and (repeats := frame.duplicated(compared)).any():
        notes.append(f"{repeats.sum():,} rows that equal another row are left out.")
        frame = frame[~repeats]
    return frame.reset_index(drop=True), notes


def _read_labels(frame: pd.DataFrame, recipe: Recipe) -> tuple[np.ndarray, tuple[str, ...]]:
    column = recipe.find_column(columns.LABEL)
    if column is None:
        return np.full(len(frame), UNLABELLED), ()
    values = frame[column.name]
    if column.type in (NUMBER, DATE) and recipe.bins:
        values = pd.qcut(values, recipe.bins, duplicates="drop")
        return values.cat.codes.to_numpy(np.int64), tuple(map(str, values.cat.categories))
    if column.type == NUMBER:
        values = values.map(lambda value: f"{value:g}", na_action="ignore")
    codes, names = pd.factorize(values.astype(object), sort=True)
    return codes.astype(np.int64), tuple(map(str, names))


def _split(frame: pd.DataFrame, y: np.ndarray, recipe: Recipe) -> np.ndarray:
    """(n,) bool, True for test rows."""
    n, n_test = len(frame), max(1, round(recipe.test_size * len(frame)))
    is_test = np.zeros(n, bool)
    if recipe.split == BY_COLUMN:
        column = _require(recipe, columns.SPLIT)
        return (columns.to_split(frame[column]) != "train").to_numpy()
    if recipe.split == BY_TIME:
        dates = [column.name for column in recipe.columns if column.type == DATE]
        if not dates:
            raise BadInput("A split in time order needs a column of dates, and there is none: choose another split.")
        order = np.argsort(frame[dates[0]].to_numpy(), kind="stable")
        is_test[order[n - n_test :]] = True
    elif recipe.split == BY_GROUP:
        groups, _ = pd.factorize(frame[_require(recipe, columns.GROUP)].astype(object))
        sizes = np.bincount(groups + 1)[1:]
        order = np.random.RandomState(recipe.seed).permutation(len(sizes))
        chosen = order[: max(1, int(np.searchsorted(np.cumsum(sizes[order]), n_test)))]
        is_test = np.isin(groups, chosen)
    else:
        is_test[subsets.choose_stratified(y, n_test, recipe.seed)] = True
    return is_test


def _require(recipe: Recipe, role: str) -> str:
    if (column := recipe.find_column(role)) is None:
        raise BadInput(f"A split by {role} needs a column with the role {role}: choose one, or another split.")
    return column.name


def _select_features(
    frames: tuple[pd.DataFrame, pd.DataFrame], recipe: Recipe
) -> tuple[list[pd.DataFrame], list[Feature], list[str]]:
    """The cells of the features of both splits, the features without what is learned, and constant columns."""
    cells: list[dict[str, pd.Series]] = [{}, {}]
    features, marks, constant = [], [], []
    for column in recipe.list_columns(columns.FEATURE):
        parts = [frame[column.name] for frame in frames]
        if parts[0].nunique() < 2:
            constant.append(column.name)
            continue
        type = column.type if column.type in (NUMBER, DATE) else CATEGORY
        for place, part in zip(cells, parts, strict=True):
            place[column.name] = (part - _EPOCH) / _DAY if type == DATE else part
        features.append(Feature(column.name, type, 0))
        if parts[0].isna().any():
            name = f"{column.name}: missing"
            for place, part in zip(cells, parts, strict=True):
                place[name] = part.isna().map({False: PRESENT, True: ABSENT}).astype(object)
            marks.append(Feature(name, CATEGORY, 0, of_missing=column.name))
    if not features:
        raise BadInput("No feature is left: give at least one column with two or more values the role feature.")
    return [pd.DataFrame(place) for place in cells], features + marks, constant


def _make_transformer(cells: pd.DataFrame, features: list[Feature], recipe: Recipe):
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler

    scalers = {STANDARD: StandardScaler, MIN_MAX: MinMaxScaler, ROBUST: RobustScaler, UNSCALED: FunctionTransformer}
    of_numbers = make_pipeline(SimpleImputer(strategy="median"), scalers[recipe.scale]())
    most_frequent = SimpleImputer(strategy="most_frequent", missing_values=None)
    one_hot = {"max_categories": recipe.most_categories, "handle_unknown": "infrequent_if_exist"}
    of_categories = make_pipeline(most_frequent, OneHotEncoder(**one_hot, sparse_output=False))
    numbers = [feature.name for feature in features if feature.type != CATEGORY]
    categories = [feature.name for feature in features if feature.type == CATEGORY]
    return ColumnTransformer([("numbers", of_numbers, numbers), ("categories", of_categories, categories)])


def _describe_features(fitted: Any, features: list[Feature]) -> tuple[Feature, ...]:
    """The features with their places, units and categories; numbers first."""
    numbers = [feature for feature in features if feature.type != CATEGORY]
    described = []
    if numbers:
        ends = np.zeros((2, len(numbers)))
        ends[1] = 1
        centers, scales = fitted.named_transformers_["numbers"][-1].inverse_transform(ends)
        for k, feature in enumerate(numbers):
            described.append(replace(feature, start=k, center=float(centers[k]), scale=float(scales[k] - centers[k])))
    start = len(numbers)
    for k, feature in enumerate(feature for feature in features if feature.type == CATEGORY):
        encoder = fitted.named_transformers_["categories"][-1]
        joined = encoder.infrequent_categories_[k]
        kept = [str(name) for name in encoder.categories_[k] if joined is None or name not in joined]
        categories = (*kept, *([f"other ({len(joined)})"] if joined is not None else []))
        described.append(replace(feature, start=start, categories=categories, size=len(categories)))
        start += len(categories)
    return tuple(described)


def _transform(fitted: Any, cells: pd.DataFrame) -> np.ndarray:
    with np.errstate(over="ignore"):
        X = np.asarray(fitted.transform(cells), np.float64).astype(np.float32)
    if not np.isfinite(X).all():
        raise BadInput("Some numbers are too large to be trained on: choose the scaling “standard”.")
    return X


def _find_known(cells: pd.DataFrame, X: np.ndarray, features: tuple[Feature, ...]) -> np.ndarray:
    """(n, n_columns) bool, False where a cell is missing, or a category is not among those of the train rows."""
    known = np.ones(X.shape, bool)
    for feature in features:
        is_known = cells[feature.name].notna().to_numpy()
        if feature.type == CATEGORY:
            is_known = is_known & X[:, feature.columns].any(axis=1)
        known[:, feature.columns] = is_known[:, None]
    return known
