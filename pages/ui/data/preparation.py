"""How rows of a new data set are prepared and split: in words, as choices, and as JSON."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.datasets.own import columns, recipe
from core.datasets.own.recipe import Recipe
from pages.ui.data import draft
from pages.ui.data.draft import Draft
from pages.ui.shared import page_state
from pages.ui.shared.html_blocks import make_code
from pages.ui.shared.text import plain, shorten

_MISSING = {
    recipe.MEDIAN: "fill, and mark where",
    recipe.DROP: "leave out the rows",
}
_SCALES = {
    recipe.STANDARD: "standard",
    recipe.MIN_MAX: "min-max",
    recipe.ROBUST: "robust",
    recipe.UNSCALED: "none",
}
_SPLITS = {
    recipe.STRATIFIED: "at random",
    recipe.BY_GROUP: "by group",
    recipe.BY_TIME: "in time order",
    recipe.BY_COLUMN: "by column",
}
_HELP = {
    "missing": "Fill: numbers and dates by their median, categories by the most frequent one, with a feature that says "
    "where cells were missing. Or leave out each row with a missing cell.",
    "scale": "Standard: mean 0 and variance 1. Min-max: from 0 to 1. Robust: median 0 and interquartile range 1. None: "
    "as in the file.",
    "most_categories": "Categories of a column that are kept; rarer ones are joined into one.",
    "split": "At random: by class if there is a label. By group: rows of a group stay together. In time order: the "
    "latest rows are the test rows. By column: as a column says.",
    "test_size": "Share of the rows that no method is trained on.",
    "seed": "Another seed draws other test rows.",
    "bins": "Divides a label of numbers or dates into classes of equal size. Few values can be classes themselves.",
    "drop_duplicates": "Leave out a row that equals another in all features and the label, so that no test row is "
    "among the train rows.",
}
_TEST_SIZES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
_CATEGORIES = (2, 5, 10, 20, 50, 100, 200)
_BINS = (0, 2, 3, 4, 5, 10)
_SEEDS = 10
_RECIPE_HEIGHT, _MOST_SHOWN = 300, 300  # pixels, columns


def draw(found: Draft) -> None:
    """Draw the recipe in words, with its choices and its JSON in a drawer."""
    made = found.make_recipe()
    st.markdown("**Preparation**")
    st.markdown(plain(_describe(found, made)))
    drawer = st.expander("Change the preparation", key=page_state.key("preparation"), on_change="rerun")
    if not drawer.open:
        return
    with drawer:
        with st.container(key="data-preparation"):
            _draw_choices(found, made)
        st.markdown("**Recipe**. Saved with the file; loading the data set repeats it.")
        if len(made.columns) > _MOST_SHOWN:
            st.caption(f"It lists {len(made.columns):,} columns: see it in the download of the added data set.")
            return
        with st.container(height=_RECIPE_HEIGHT, border=False):
            st.html(make_code(made.model_dump_json(indent=1)))


def _describe(found: Draft, made: Recipe) -> str:
    """The recipe in sentences."""
    sentences = []
    features = [column for column in found.columns if column.role == columns.FEATURE]
    if any(column.n_missing + column.n_stray for column in features):
        filled = "filled by the median or the most frequent category, and a feature marks where"
        is_filled = made.missing == recipe.MEDIAN
        sentences.append(f"Missing cells are {filled}." if is_filled else "Rows with a missing cell are left out.")
    is_measured = columns.have_copies(column.type for column in features)
    if any(column.type in (columns.NUMBER, columns.DATE) for column in features):
        scaled = "Numbers are not scaled" if made.scale == recipe.UNSCALED else f"Numbers get {made.scale} scaling"
        sentences.append(f"{scaled}.")
    if any(column.type not in (columns.NUMBER, columns.DATE) for column in features):
        sentences.append(f"Categories are one-hot encoded, at most {made.most_categories} a column.")
    if made.drop_duplicates and is_measured:
        sentences.append("Rows that equal another row are left out.")
    if (name := found.find_label()) is not None:
        divided = f" is divided into {made.bins} classes and" if made.bins else ""
        sentences.append(f"The label {shorten(name)}{divided} is no feature.")
    how = {
        recipe.STRATIFIED: f"{made.test_size:.0%} of the rows, drawn at random with seed {made.seed}, are test rows",
        recipe.BY_GROUP: f"Groups with {made.test_size:.0%} of the rows, drawn with seed {made.seed}, are test rows",
        recipe.BY_TIME: f"The latest {made.test_size:.0%} of the rows are test rows",
        recipe.BY_COLUMN: "The split column says which rows are test rows",
    }
    by_time = made.split == recipe.STRATIFIED and recipe.BY_TIME in draft.list_splits(found.columns)
    other = ["A split in time order, with the latest rows as test rows, is possible too."] if by_time else []
    return " ".join([*sentences, f"{how[made.split]}.", *other, "All that is learned is learned from the train rows."])


def _draw_choices(found: Draft, made: Recipe) -> None:
    def choose(name: str, label: str, options: Any, describe: Callable[[Any], str] = str) -> None:
        _choose(found, name, label, getattr(made, name), options, describe)

    choose("missing", "Missing cells", list(_MISSING), _MISSING.get)
    choose("scale", "Scaling of numbers", list(_SCALES), _SCALES.get)
    choose("most_categories", "Most categories", list(_CATEGORIES))
    choose("drop_duplicates", "Duplicate rows", [True, False], lambda drops: "leave out" if drops else "keep")
    choose("split", "Test rows", draft.list_splits(found.columns), _SPLITS.get)
    choose("test_size", "Share of test rows", list(_TEST_SIZES), lambda share: f"{share:.0%}")
    choose("seed", "Seed of the split", list(range(_SEEDS)))


def draw_bins(found: Draft) -> None:
    """Draw the choice of how a label of numbers is divided into classes."""
    label = found.find_label()
    if label is not None and found.find_column(label).type in (columns.NUMBER, columns.DATE):
        describe = lambda n: f"{n} bins" if n else "each value"
        _choose(found, "bins", "Classes of the label", found.settings.get("bins", 0), list(_BINS), describe, width=220)


def _choose(
    found: Draft,
    name: str,
    label: str,
    value: Any,
    options: list[Any],
    describe: Callable[[Any], str],
    **look: Any,
) -> None:
    """Draw a choice of the recipe."""
    widget = page_state.key(f"{found.key}/{name}")
    options = [*options, *([] if value in options else [value])]
    st.session_state[widget] = value
    take = lambda: found.settings.update({name: st.session_state[widget]})
    st.selectbox(label, options, key=widget, help=_HELP[name], format_func=describe, on_change=take, **look)


def list_sizes(found: Draft) -> list[tuple[int, ...]]:
    """Choices of latent dimensions, the usual first."""
    n_columns = max(1, sum(found.estimate_blocks()))
    larger = min(10, n_columns - 1)
    return [(min(2, n_columns),), *([(2, larger)] if larger > 2 else [])]
