"""What colours the maps: the class, or a value of each row."""

from dataclasses import replace

import numpy as np
import streamlit as st

from core.analysis.codes import describe_error
from core.analysis.columns import CATEGORY, DATE, Column
from core.analysis.neighbourhoods import MOST_COMPARED
from core.analysis.rows import BOTH, Rows
from core.figures import palette
from core.frontend.maps import Values
from core.types import DOCUMENTS
from pages.ui.embeddings import maps_component, neighbours
from pages.ui.embeddings.map_state import MapView, RunMap
from pages.ui.shared import header, page_state
from pages.ui.shared.number_format import cell
from pages.ui.shared.text import shorten

CLASSES, OVERLAP, ERROR, SPLIT, LENGTH, COLUMN = "class", "overlap", "error", "split", "length", "column-"
_LABELS = {CLASSES: "Class", OVERLAP: "Disagreement", ERROR: "Reconstruction error"}
_LABELS |= {SPLIT: "Split", LENGTH: "Document length"}
_HELP = "Disagreement: how differently two methods rank a row's nearest neighbours. Split needs both splits."
_HELP_OF_COLUMNS = f"{_HELP} Below them are all columns of the file, also those that are no features."
# The scale ignores outliers.
_QUANTILES = (0.01, 0.99)
_MOST_NAMED = len(palette.CLASSES["light"])
_LONGEST = 40
_OF = "hourglass.coloured"


def choose(rows: Rows, problems: list[str]) -> str:
    """Draw the choice of what colours the maps."""
    is_offered = {SPLIT: rows.split == BOTH, LENGTH: rows.kind == DOCUMENTS}
    labels = {colour: label for colour, label in _LABELS.items() if is_offered.get(colour, True)}
    if rows.columns and not rows.has_labels:
        labels[CLASSES] = "Nothing"
    for k, column in enumerate(rows.columns):
        name = shorten(column.name, _LONGEST)
        labels[f"{COLUMN}{k}"] = f"{name} (column)" if name in labels.values() else name
    look = {"format_func": labels.get, "width": 190, "help": _HELP_OF_COLUMNS if rows.columns else _HELP}
    memory = None
    if rows.columns:
        # A column of another table is none of this one.
        memory, widget = f"colour/{rows.dataset}", page_state.key("colour")
        if st.session_state.get(_OF) not in (None, rows.dataset):
            st.session_state.pop(widget, None)
        st.session_state[_OF] = rows.dataset
    return page_state.choose_with(
        st.selectbox, "colour", "Colour by", list(labels), CLASSES, problems, memory=memory, **look
    )


def compute_values(view: MapView, pair: tuple[RunMap, RunMap] | None, problems: list[str]) -> Values | None:
    """The value of each row by which it is coloured; None for the class."""
    rows = view.rows
    if view.colour == OVERLAP and pair is not None:
        shared = neighbours.compute_overlap(*pair)
        label = f"Disagreement of {pair[0].name} and {pair[1].name}"
        if (n := int(np.isfinite(shared).sum())) == MOST_COMPARED < len(rows):
            label += f", on a sample of {n:,} rows"
        return _scale(label, 1 - shared)
    if view.colour == ERROR:
        return _choose_errors(view, problems)
    if view.colour == SPLIT:
        return Values("Split", rows.is_test.astype(float), categories=("train", "test"))
    if view.colour == LENGTH:
        return _scale("Known words", np.asarray(rows.X.sum(axis=1), np.float64).ravel())
    if view.colour.startswith(COLUMN):
        return _make_values(rows.columns[int(view.colour.removeprefix(COLUMN))])
    return None


def _choose_errors(view: MapView, problems: list[str]) -> Values | None:
    offered = [run_map for run_map in view.one_per_run if run_map.reconstructs]
    if not offered:
        problems.append("No method shown reconstructs its input, so there is no error to colour by.")
        return None
    chosen = offered[0]
    if len(offered) > 1:
        chosen = neighbours.choose_run("error-of", "Reconstruction error of", offered, problems)
    with header.show_errors():
        return _scale(f"{chosen.name}, {describe_error(view.rows)}", chosen.errors)
    return None


def _make_values(column: Column) -> Values:
    """A column of a table as colours: the most frequent categories by name, the others as one."""
    label = shorten(column.name, maps_component.LONGEST_CELL)
    if column.type != CATEGORY:
        return _scale(label, column.values, column.type == DATE)
    names, values = list(column.categories), np.where(column.is_known, column.values, np.nan)
    if has_others := len(names) > _MOST_NAMED + 1:
        names[_MOST_NAMED:] = [f"{len(names) - _MOST_NAMED:,} others"]
        values = np.minimum(values, _MOST_NAMED)
    return Values(label, values, categories=tuple(shorten(name, _LONGEST) for name in names), has_others=has_others)


def _scale(label: str, values: np.ndarray, is_date: bool = False) -> Values:
    known = values[np.isfinite(values)]
    found = Values(label, values, names=("0", "1"), is_date=is_date)
    if not len(known):
        return found
    ends = [float(end) for end in np.quantile(known, _QUANTILES)]
    if np.array_equal(known, np.rint(known)):
        ends = [round(end) for end in ends]
    write = (lambda days: str(np.datetime64(round(days), "D"))) if is_date else cell
    low = write(ends[0]) + (" or less" if known.min() < ends[0] else "")
    high = write(ends[1]) + (" or more" if known.max() > ends[1] else "")
    return replace(found, low=ends[0], high=ends[1], names=(low, high))
