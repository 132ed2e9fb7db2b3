"""A table and a recipe become train and test rows, by scikit-learn's transformers fitted to the train rows."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from core import memory
from core.datasets.own import columns, labels, splits
from core.datasets.own.cell_texts import format_cell
from core.datasets.own.columns import CATEGORY, DATE, NUMBER
from core.datasets.own.readers import Table
from core.datasets.own.recipe import MIN_MAX, ROBUST, STANDARD, STRATIFIED, UNSCALED, Recipe
from core.errors import BadInput

_EPOCH = pd.Timestamp("1970-01-01")
_DAY = pd.Timedelta(days=1)
_MOST_SHOWN = 12  # cells of a row that its text names
_FARTHEST = 9.2e9  # seconds from 1970, about 1678 to 2261, which nanoseconds can count
_ROWS_AT_ONCE = 10_000
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
    is_daily : whether all dates of the train rows are whole days.
    """

    name: str
    type: str
    start: int
    size: int = 1
    center: float = 0.0
    scale: float = 1.0
    categories: tuple[str, ...] = ()
    of_missing: str = ""
    is_daily: bool = False

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

    def to_frame(self, X: np.ndarray, *, has_gaps: bool = True) -> pd.DataFrame:
        """Rows as `X_train`, or probabilities of categories, in original units: a column a column of the file.

        A category is the most probable one. With `has_gaps` a cell is empty where the feature that marks missing cells
        says so.
        """
        values: dict[str, Any] = {}
        for feature in self.features:
            block = np.asarray(X[:, feature.columns], np.float64)
            if feature.type == CATEGORY:
                names = np.array(feature.categories, object)[block.argmax(axis=1)]
                # A category that the train rows lack.
                names[~block.any(axis=1)] = None
                values[feature.name] = pd.Series(names, dtype=object)
                continue
            numbers = block[:, 0] * feature.scale + feature.center
            values[feature.name] = _to_dates(numbers, feature.is_daily) if feature.type == DATE else numbers
        frame = pd.DataFrame(values)
        for feature in self.features:
            if feature.of_missing:
                frame[feature.of_missing] = frame[feature.of_missing].mask(frame.pop(feature.name) == ABSENT)
        return frame[[column.name for column in self.recipe.columns if column.name in frame]]

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

    def write_titles(self, frame: pd.DataFrame) -> list[str]:
        """The title of each row, "" where it has none."""
        if self.title_column is None:
            return [""] * len(frame)
        cells = frame[self.title_column]
        return [format_cell(value) if known else "" for value, known in zip(cells, cells.notna(), strict=True)]

    @cached_property
    def _spreads(self) -> dict[str, float]:
        """The standard deviation of each number column among the train rows."""
        return self.frame_train.select_dtypes("float").std().to_dict()

    def format_cells(self, column: pd.Series) -> list[str]:
        """Cells of a column of the file, or of their reconstructions, as text, see `format_cell`."""
        spread = self._spreads.get(column.name, 0.0)
        return [format_cell(value, spread) for value in column]

    def describe_rows(self, frame: pd.DataFrame) -> Iterator[tuple[str, str]]:
        """The title of each row, see `write_titles`, and its cells: ``"alcohol 13.2 · hue 1.04"``."""
        shown, titles = self.shown_columns, self.write_titles(frame)
        cells = [[f"{name} {cell}" for cell in self.format_cells(frame[name])] for name in shown]
        more = " …" if len(shown) == _MOST_SHOWN else ""
        for title, *row in zip(titles, *cells, strict=True):
            yield title, " · ".join(row) + more


def _to_dates(days: np.ndarray, is_daily: bool) -> np.ndarray:
    """Days since 1970 as datetime64[ns]: whole days, or to the second, which float32 keeps of them."""
    seconds = (np.round(days) * 86_400 if is_daily else np.round(days * 86_400)).clip(-_FARTHEST, _FARTHEST)
    return seconds.astype(np.int64).astype("datetime64[s]").astype("datetime64[ns]")


def prepare(table: Table, recipe: Recipe) -> Prepared:
    """Return the train and test rows of a table.

    Raises BadInput if a column of the recipe is not in the table, if its label is no class, if too few rows or no
    feature is left, if there is no memory for the rows, or if a value does not fit into a float32.
    """
    names = [column.name for column in recipe.columns]
    if lacking := [name for name in names if name not in table.frame.columns]:
        raise BadInput(f"The file has no column {lacking[0]:.80}, which the recipe names.")
    decimal = recipe.format.decimal if recipe.format else "."
    frame = pd.DataFrame({c.name: columns.to_values(table.frame[c.name], c.type, decimal) for c in recipe.columns})
    frame, notes = splits.leave_out_rows(frame, recipe)
    is_test = splits.choose_test_rows(frame, recipe)
    for name, n in (("train", (~is_test).sum()), ("test", is_test.sum())):
        if n < splits.FEWEST:
            rows = "1 row" if n == 1 else f"{n} rows"
            remedy = "add rows" if recipe.split == STRATIFIED else "choose another split, or add rows"
            raise BadInput(f"The {name} split has {rows}, and at least {splits.FEWEST} are needed: {remedy}.")
    y, target_names = labels.read_labels(frame, is_test, recipe)
    cells, features, constant = _select_features(frame, is_test, recipe)
    if constant:
        notes.append(f"Constant in the train rows, so left out: {', '.join(constant)}.")
    _check_memory(len(frame), features, recipe)
    with np.errstate(all="ignore"):
        fitted = _make_transformer(features, recipe).fit(cells[~is_test])
        features = _describe_features(fitted, features)
        X = [_transform(fitted, cells[rows], features) for rows in (~is_test, is_test)]
    known = [_find_known(cells[rows], x, features) for rows, x in zip((~is_test, is_test), X, strict=True)]
    known_train, known_test = (None, None) if known[0].all() and known[1].all() else known
    frames = frame[~is_test].reset_index(drop=True), frame[is_test].reset_index(drop=True)
    rows = *X, known_train, known_test, y[~is_test], y[is_test]
    return Prepared(features, *rows, target_names, *frames, recipe, tuple(notes))


def _select_features(
    frame: pd.DataFrame, is_test: np.ndarray, recipe: Recipe
) -> tuple[np.ndarray, list[Feature], list[str]]:
    """Cells of both splits, (n, n_features) float64 with numbers first and categories as codes, NaN where missing.

    Also the features without what is learned, and the columns that are constant in the train rows.
    """
    numbers, categories, marks, constant = [], [], [], []
    taken = {column.name for column in recipe.columns}
    for column in recipe.list_columns(columns.FEATURE):
        values, kinds = frame[column.name], ()
        type = column.type if column.type in (NUMBER, DATE) else CATEGORY
        if type == DATE:
            values = (values - _EPOCH) / _DAY
        elif type == CATEGORY:
            codes, kinds = pd.factorize(values, sort=True)
            values = pd.Series(codes).where(codes >= 0)
        cells = values.to_numpy(np.float64)
        of_train = cells[~is_test]
        known = of_train[~np.isnan(of_train)]
        if not len(known) or known.min() == known.max():
            constant.append(column.name)
            continue
        is_daily = type == DATE and not (known % 1).any()
        feature = Feature(column.name, type, 0, categories=tuple(map(str, kinds)), is_daily=is_daily)
        (categories if type == CATEGORY else numbers).append((feature, cells))
        if len(known) < len(of_train):
            name = f"{column.name}: missing"
            while name in taken:
                name += "?"
            taken.add(name)
            mark = Feature(name, CATEGORY, 0, categories=(PRESENT, ABSENT), of_missing=column.name)
            marks.append((mark, np.isnan(cells).astype(np.float64)))
    every = numbers + categories + marks
    if not every:
        raise BadInput("No feature is left: give at least one column with two or more values the role feature.")
    return np.column_stack([cells for _, cells in every]), [feature for feature, _ in every], constant


def _check_memory(n: int, features: list[Feature], recipe: Recipe) -> None:
    """Raise BadInput if there is no room for the rows: cells, the rows prepared, and where they are known."""
    n_columns = sum(min(max(1, len(feature.categories)), recipe.most_categories) for feature in features)
    megabytes = n * (16 * len(features) + 9 * n_columns) / 1e6
    if megabytes > memory.available_megabytes():
        raise BadInput(
            f"{n:,} rows of {n_columns:,} columns need {megabytes:,.0f} MB to prepare, and "
            f"{memory.available_megabytes():,.0f} MB are free: give columns the role ignored, or bring fewer rows."
        )


def _make_transformer(features: list[Feature], recipe: Recipe):
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, RobustScaler, StandardScaler

    scalers = {STANDARD: StandardScaler, MIN_MAX: MinMaxScaler, ROBUST: RobustScaler, UNSCALED: FunctionTransformer}
    of_numbers = make_pipeline(SimpleImputer(strategy="median"), scalers[recipe.scale]())
    one_hot = {"max_categories": recipe.most_categories, "handle_unknown": "infrequent_if_exist"}
    encoder = OneHotEncoder(**one_hot, sparse_output=False, dtype=np.float32)
    of_categories = make_pipeline(SimpleImputer(strategy="most_frequent"), encoder)
    kinds = np.array(["marks" if f.of_missing else "categories" if f.type == CATEGORY else "numbers" for f in features])
    transformers = {"numbers": of_numbers, "categories": of_categories, "marks": FunctionTransformer(_encode_marks)}
    return ColumnTransformer([(kind, how, np.flatnonzero(kinds == kind)) for kind, how in transformers.items()])


def _encode_marks(is_missing: np.ndarray) -> np.ndarray:
    """0 and 1 as the two categories `PRESENT` and `ABSENT`: (n, k) -> (n, 2 k)."""
    return np.stack([1 - is_missing, is_missing], axis=2).reshape(len(is_missing), -1)


def _describe_features(fitted: Any, features: list[Feature]) -> tuple[Feature, ...]:
    """The features with their places, units and categories."""
    described, start = [], 0
    n_numbers = sum(feature.type != CATEGORY for feature in features)
    if n_numbers:
        centers, scales = _read_scales(fitted.named_transformers_["numbers"][-1], n_numbers)
        for k, feature in enumerate(features[:n_numbers]):
            if not np.isfinite(centers[k]) or not 0 < scales[k] < np.inf:
                raise BadInput(f"Numbers in the column “{feature.name:.40}” are too large: give it the role ignored.")
            described.append(replace(feature, start=k, center=float(centers[k]), scale=float(scales[k])))
        start = n_numbers
    for k, feature in enumerate(features[n_numbers:]):
        categories = feature.categories
        if not feature.of_missing:
            encoder = fitted.named_transformers_["categories"][-1]
            joined = encoder.infrequent_categories_[k]
            joined = set() if joined is None else set(joined)
            kept = [categories[int(code)] for code in encoder.categories_[k] if code not in joined]
            other = f"other ({len(joined)})"
            while other in kept:
                other += "?"
            categories = (*kept, *([other] if joined else []))
        described.append(replace(feature, start=start, categories=categories, size=len(categories)))
        start += len(categories)
    return tuple(described)


def _read_scales(scaler: Any, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Center and scale of each number, see `Feature`."""
    if hasattr(scaler, "data_min_"):
        return scaler.data_min_, 1 / scaler.scale_
    center = getattr(scaler, "mean_", getattr(scaler, "center_", np.zeros(n)))
    return center, getattr(scaler, "scale_", np.ones(n))


def _transform(fitted: Any, cells: np.ndarray, features: tuple[Feature, ...]) -> np.ndarray:
    X = np.empty((len(cells), sum(feature.size for feature in features)), np.float32)
    for start in range(0, len(cells), _ROWS_AT_ONCE):
        X[start : start + _ROWS_AT_ONCE] = fitted.transform(cells[start : start + _ROWS_AT_ONCE])
    if not np.isfinite(X).all():
        raise BadInput("Some numbers are too large to be trained on: choose the scaling “standard”.")
    return X


def check_test_rows(prepared: Prepared) -> None:
    """Raise BadInput if no cell of the test rows can be compared with its reconstruction, see `core.metrics.tables`."""
    X, known, features = prepared.X_test, prepared.known_test, prepared.features
    known = np.ones(X.shape, bool) if known is None else known
    numbers = [X[known[:, f.start], f.start] for f in features if f.type != CATEGORY]
    can_compare = any(len(x) and np.ptp(x) > 1e-6 * max(1.0, np.abs(x).max()) for x in numbers)
    if not numbers:
        can_compare = any(known[:, f.start].any() for f in features if not f.of_missing)
    if not can_compare:
        what = "number or date varies" if numbers else "category of the train rows is"
        raise BadInput(f"No {what} among the test rows, so no error can be measured there: choose another split.")


def _find_known(cells: np.ndarray, X: np.ndarray, features: tuple[Feature, ...]) -> np.ndarray:
    """(n, n_columns) bool, False where a cell is missing, or a category is not among those of the train rows."""
    is_known = ~np.isnan(cells)
    starts = [feature.start for feature in features if feature.type == CATEGORY]
    if starts:
        is_known[:, len(features) - len(starts) :] &= np.add.reduceat(X, starts, axis=1) > 0
    return np.repeat(is_known, [feature.size for feature in features], axis=1)
