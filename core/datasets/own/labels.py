"""The classes of rows: names of categories, or parts of the range of a number."""

import re
from itertools import pairwise

import numpy as np
import pandas as pd

from core.datasets import MOST_CLASSES
from core.datasets.own import columns
from core.datasets.own.cell_texts import format_cell
from core.datasets.own.columns import DATE, NUMBER
from core.datasets.own.recipe import Recipe
from core.errors import BadInput
from core.types import UNLABELLED


def find_strata(frame: pd.DataFrame, recipe: Recipe) -> np.ndarray:
    """The class of each row, or the part of the range of its number, -1 without a label: (n,) int64."""
    if (column := recipe.find_column(columns.LABEL)) is None:
        return np.full(len(frame), UNLABELLED)
    values = frame[column.name]
    if column.type in (NUMBER, DATE) and recipe.bins:
        return np.ceil(values.rank(pct=True) * recipe.bins).fillna(UNLABELLED).to_numpy(np.int64)
    return pd.factorize(values, sort=True)[0].astype(np.int64)


def read_labels(frame: pd.DataFrame, is_test: np.ndarray, recipe: Recipe) -> tuple[np.ndarray, tuple[str, ...]]:
    """Classes as indices, and their names; numbers are divided by quantiles of the train rows."""
    column = recipe.find_column(columns.LABEL)
    if column is None:
        return np.full(len(frame), UNLABELLED), ()
    values = frame[column.name]
    is_ordered = column.type in (NUMBER, DATE)
    if is_ordered and recipe.bins:
        return _bin(values, ~is_test, recipe.bins)
    n_distinct, kind = values.nunique(), {DATE: "dates", NUMBER: "numbers"}.get(column.type, "values")
    if n_distinct > MOST_CLASSES or (is_ordered and n_distinct and not columns.can_be_classes(values)):
        remedy = "divide it into bins, give it the type category" if is_ordered else "join classes"
        raise BadInput(
            f"The label “{column.name:.40}” has {n_distinct:,} different {kind}, and labels are classes, at most "
            f"{MOST_CLASSES}: {remedy}, or give it the role feature or ignored."
        )
    codes, names = pd.factorize(values, sort=True)
    names = [format_cell(name).replace(",", "") if is_ordered else str(name) for name in names]
    if all(re.fullmatch(r"[+-]?\d{1,15}(\.\d{1,15})?", name) for name in names):
        order = np.argsort([float(name) for name in names], kind="stable")
        codes, names = np.append(np.argsort(order), UNLABELLED)[codes], [names[k] for k in order]
    return codes.astype(np.int64), tuple(names)


def _bin(values: pd.Series, is_train: np.ndarray, n_bins: int) -> tuple[np.ndarray, tuple[str, ...]]:
    known = values[is_train].dropna()
    edges = np.unique(known.quantile(np.arange(1, n_bins) / n_bins, interpolation="lower").to_numpy())
    edges = edges[edges < known.max()]
    codes = np.searchsorted(edges, values.to_numpy(), side="left").astype(np.int64)
    codes[values.isna()] = UNLABELLED
    if not len(edges):
        return codes, ("all",)
    texts = [format_cell(value) for value in pd.Series(edges)]
    if len(set(texts)) < len(texts):
        texts = list(map(str, edges))
    names = [f"to {texts[0]}", *(f"{low} to {high}" for low, high in pairwise(texts)), f"over {texts[-1]}"]
    return codes, tuple(names)
