"""Which rows of a table are left out, and which are test rows."""

import numpy as np
import pandas as pd

from core.datasets import subsets
from core.datasets.own import columns, labels
from core.datasets.own.columns import DATE
from core.datasets.own.recipe import BY_COLUMN, BY_GROUP, BY_TIME, DROP, Recipe
from core.errors import BadInput

FEWEST = 6  # rows of a split


def leave_out_rows(frame: pd.DataFrame, recipe: Recipe) -> tuple[pd.DataFrame, list[str]]:
    """The rows that the recipe keeps, and sentences about the others."""
    notes, features = [], [column.name for column in recipe.list_columns(columns.FEATURE)]
    keeps = pd.Series(True, frame.index)
    if recipe.missing == DROP and (has_gap := frame[features].isna().any(axis=1)).any():
        notes.append(f"{has_gap.sum():,} rows with a missing cell are left out.")
        keeps &= ~has_gap
    if recipe.split == BY_COLUMN:
        parts = columns.to_split(frame[_require(recipe, columns.SPLIT)])
        # A validation split is for choosing settings, which the test rows must not be.
        test = "test" if (parts == "test").any() else "validation"
        is_neither = ~parts.isin(["train", test])
        if is_neither.any():
            notes.append(f"{is_neither.sum():,} rows that are neither train nor test rows are left out.")
            keeps &= ~is_neither
    have_copies = columns.have_copies(column.type for column in recipe.list_columns(columns.FEATURE))
    if recipe.drop_duplicates and have_copies:
        compared = features + [column.name for column in recipe.list_columns(columns.LABEL)]
        is_copy = _find_copies(frame.loc[keeps, compared])
        if n_copies := int(is_copy.sum()):
            copies = (
                "1 row that equals another row is" if n_copies == 1 else f"{n_copies:,} rows that equal another row are"
            )
            notes.append(f"{copies} left out.")
            keeps[is_copy.index[is_copy]] = False
    return frame[keeps].reset_index(drop=True), notes


def _find_copies(rows: pd.DataFrame) -> pd.Series:
    """Whether each row equals an earlier one."""
    is_copy, repeats = pd.Series(False, rows.index), columns.find_repeats(rows)
    is_copy[repeats.index] = repeats.duplicated()
    return is_copy


def choose_test_rows(frame: pd.DataFrame, recipe: Recipe) -> np.ndarray:
    """(n,) bool, True for test rows."""
    n = len(frame)
    n_test = max(min(FEWEST, n // 2), round(recipe.test_size * n))
    is_test = np.zeros(n, bool)
    if recipe.split == BY_COLUMN:
        return (columns.to_split(frame[_require(recipe, columns.SPLIT)]) != "train").to_numpy()
    if recipe.split == BY_TIME:
        dates = [column.name for column in recipe.columns if column.type == DATE]
        if not dates:
            raise BadInput("A split in time order needs a column of dates, and there is none: choose another split.")
        # Rows without a date come first.
        order = np.argsort(frame[dates[0]].to_numpy().view(np.int64), kind="stable")
        is_test[order[n - n_test :]] = True
    elif recipe.split == BY_GROUP:
        groups, _ = pd.factorize(frame[_require(recipe, columns.GROUP)].astype(object))
        is_test = np.isin(groups, _choose_groups(groups, n_test, recipe.seed))
    else:
        is_test[subsets.choose_stratified(labels.find_strata(frame, recipe), n_test, recipe.seed)] = True
    return is_test


def _choose_groups(groups: np.ndarray, n_test: int, seed: int) -> np.ndarray:
    """Groups in random order, as many as have at most `n_test` rows; rows without a group, -1, are train rows."""
    sizes = np.bincount(groups + 1)[1:]
    if len(sizes) < 2:
        raise BadInput("A split by group needs rows of at least two groups: choose another column, or another split.")
    order = np.random.RandomState(seed).permutation(len(sizes))
    chosen, n_chosen = [], 0
    for group in order:
        if n_chosen + sizes[group] <= n_test:
            chosen.append(group)
            n_chosen += sizes[group]
    return np.array(chosen or [np.argmin(sizes)])


def _require(recipe: Recipe, role: str) -> str:
    if (column := recipe.find_column(role)) is None:
        raise BadInput(f"A split by {role} needs a column with the role {role}: choose one, or another split.")
    return column.name
