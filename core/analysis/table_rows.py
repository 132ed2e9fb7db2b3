"""Rows of a table from a decoder: drawn as its model says, and in the units and with the decimals of the file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.datasets.own.cell_texts import format_cell
from core.datasets.own.columns import CATEGORY, DATE, NUMBER
from core.datasets.own.preparation import Feature, Prepared
from core.metrics.table_samples import marginal_distance

_DIGITS = 6  # of a float32 that are exact
_MOST_READ = 2000  # values of a column whose decimals are counted
_DAY = pd.Timedelta(days=1)


def draw_rows(estimator: Any, Z: np.ndarray, blocks: Sequence[int], random_state: int = 0) -> np.ndarray:
    """Draw a row from the output distribution of each code: (n, n_columns) float32, one category a block.

    A number is its mean, plus noise where the method has learned a variance (a VAE). A category is drawn by its
    probabilities; of a linear decoder these are its outputs, cut at 0.
    """
    rng = np.random.default_rng(random_state)
    rows = np.asarray(estimator.inverse_transform(Z), np.float32).copy()
    deviations = getattr(estimator, "deviations_", None)
    if deviations is not None:
        rows += deviations * rng.standard_normal(rows.shape, np.float32)
    start = 0
    for size in blocks:
        if size > 1:
            rows[:, start : start + size] = _draw_categories(rows[:, start : start + size], rng)
        start += size
    return rows


def _draw_categories(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    weights = weights.clip(min=0).astype(np.float64)
    weights[weights.sum(axis=1) <= 0] = 1
    shares = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    drawn = (rng.random((len(weights), 1)) > shares).sum(axis=1).clip(max=weights.shape[1] - 1)
    return np.eye(weights.shape[1], dtype=np.float32)[drawn]


def list_features(table: Prepared) -> list[Feature]:
    """The features that are columns of the file, in its order: all but those that mark missing cells."""
    places = {column.name: k for k, column in enumerate(table.recipe.columns)}
    return sorted((f for f in table.features if not f.of_missing), key=lambda feature: places[feature.name])


def to_cells(table: Prepared, X: np.ndarray, known: np.ndarray | None = None, *, has_gaps: bool = True) -> pd.DataFrame:
    """Rows (n, n_columns) as cells of the file: a column a feature, with the decimals that its values have there.

    `known` : (n, n_columns) bool, False where a cell is missing; `has_gaps` as in `Prepared.to_frame`.
    """
    frame = table.to_frame(X, has_gaps=has_gaps)
    for feature in list_features(table):
        cells = frame[feature.name]
        if known is not None:
            cells = cells.mask(~known[:, feature.start])
        if feature.type == NUMBER:
            cells = _round(cells, table.frame_train[feature.name], feature.scale)
        frame[feature.name] = cells
    return frame


def _round(cells: pd.Series, real: pd.Series, scale: float) -> pd.Series:
    real = real.dropna().to_numpy(np.float64)[:_MOST_READ]
    most = int(np.clip(_DIGITS - np.floor(np.log10(abs(scale) or 1.0)), 0, 15))
    exact = (d for d in range(most) if np.allclose(real, real.round(d), rtol=1e-12, atol=1e-12 * abs(scale)))
    decimals = next(exact, most)
    cells = cells.round(decimals)
    return cells.astype("Int64") if decimals == 0 and cells.abs().max() < 2**53 else cells


def measure_marginals(table: Prepared, real: pd.DataFrame, generated: pd.DataFrame) -> np.ndarray:
    """`core.metrics.table_samples.marginal_distance` of the cells of each feature of `list_features`: (n_features,)."""
    pairs = list(zip((real, generated), (to_numbers(table, cells)[0] for cells in (real, generated)), strict=True))
    names = [(feature.name, feature.type != CATEGORY) for feature in list_features(table)]
    return np.array([marginal_distance(*(pair[is_number][name] for pair in pairs)) for name, is_number in names])


def to_numbers(table: Prepared, cells: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Cells as numbers: dates in days, and a column of 0 and 1 for each category; and the feature of each column.

    Of two categories only the second has a column.
    """
    columns: dict[str, Any] = {}
    owners = []
    for k, feature in enumerate(list_features(table)):
        values, before = cells[feature.name], len(columns)
        if feature.type == CATEGORY:
            for category in feature.categories[1 if feature.size == 2 else 0 :]:
                columns[f"{feature.name} = {category}"] = (values == category).astype(float).mask(values.isna())
        else:
            values = values - pd.Timestamp(0) if feature.type == DATE else values
            columns[feature.name] = values / _DAY if feature.type == DATE else values.astype(float)
        owners += [k] * (len(columns) - before)
    return pd.DataFrame(columns), np.array(owners)


@dataclass(frozen=True)
class Decoded:
    """Decoded rows, cell by cell.

    Attributes
    ----------
    features : see `list_features`.
    values, texts : of each row, the cell of each feature, and the cell in words: of a category with its probability.
    positions : (n, n_features) where a number lies between the 5th (0) and the 95th (1) percentile of the train rows,
        cut to -0.05 and 1.05; of categories the probability of the most probable one.
    levels : (n, n_features) of numbers in standard deviations of the train rows.
    """

    features: list[Feature]
    values: list[list[Any]]
    texts: list[list[str]]
    positions: np.ndarray
    levels: np.ndarray

    @classmethod
    def make(cls, table: Prepared, X: np.ndarray, known: np.ndarray | None = None) -> "Decoded":
        """From rows (n, n_columns) as a decoder makes them, or real ones of which some cells are `known`."""
        features, cells = list_features(table), to_cells(table, X, known, has_gaps=False)
        values = [[cells[feature.name].iloc[k] for feature in features] for k in range(len(X))]
        texts = [[_format(value) for value in row] for row in values]
        positions, levels = np.zeros((2, len(X), len(features)))
        for j, feature in enumerate(features):
            block, train = X[:, feature.columns], table.X_train[:, feature.start]
            if feature.type != CATEGORY:
                low, high = np.quantile(train, [0.05, 0.95])
                positions[:, j] = ((block[:, 0] - low) / max(high - low, 1e-9)).clip(-0.05, 1.05)
                levels[:, j] = block[:, 0] / max(train.std(), 1e-9)
                continue
            positions[:, j] = block.max(axis=1).clip(0, 1)
            for k in range(len(X)):
                texts[k][j] += f" ({positions[k, j]:.0%})" if values[k][j] == values[k][j] else ""
        return cls(features, values, texts, positions, levels)

    def get_changes(self, reference: int) -> np.ndarray:
        """(n, n_features) of numbers the change from a row in standard deviations, of categories 1 if another one."""
        changes = self.levels - self.levels[reference]
        for j, feature in enumerate(self.features):
            if feature.type == CATEGORY:
                changes[:, j] = [row[j] != self.values[reference][j] for row in self.values]
        return changes

    def describe_change(self, j: int, before: int, after: int) -> str:
        """The change of a feature between two rows, in its unit: "+1.5", or the category before; "" without one."""
        old, new = self.values[before][j], self.values[after][j]
        if pd.isna(old) or pd.isna(new) or old == new:
            return ""
        if self.features[j].type == CATEGORY:
            return f"was {old}"
        if self.features[j].type == DATE:
            return f"{(new - old) / _DAY:+,.0f} days"
        return f"{'+' if new > old else ''}{_format(float(new) - float(old))}"


def _format(value: Any) -> str:
    if pd.isna(value) or not isinstance(value, float):
        return format_cell(None if pd.isna(value) else float(value) if isinstance(value, np.integer) else value)
    return f"{float(f'{value:.4g}'):{',' if abs(value) >= 10_000 else ''}.10g}".replace("-", "−")


def list_coloured(table: Prepared) -> list[str]:
    """What a plane of codes may be coloured by: number features, and each category as ``"<feature> = <category>"``."""
    return list(_find_columns(table))


def read_values(table: Prepared, X: np.ndarray, name: str, known: np.ndarray | None = None) -> np.ndarray:
    """Values of one of `list_coloured` in rows: (n,), numbers of the file, years, or shares; NaN where unknown."""
    column, feature = _find_columns(table)[name]
    values = X[:, column].astype(np.float64)
    if feature.type != CATEGORY:
        values = values * feature.scale + feature.center
        values = 1970 + values / 365.2425 if feature.type == DATE else values
    return values if known is None else np.where(known[:, column], values, np.nan)


def _find_columns(table: Prepared) -> dict[str, tuple[int, Feature]]:
    columns = {}
    for feature in list_features(table):
        names = [feature.name]
        if feature.type == CATEGORY:
            names = [f"{feature.name} = {category}" for category in feature.categories]
        columns |= {name: (feature.start + k, feature) for k, name in enumerate(names)}
    return columns
