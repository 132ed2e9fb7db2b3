"""A pad to draw on: what a person draws, as strokes."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import drawings
from core.types import BadInput
from pages.ui.components import component, nothing


def strokes(widget_key: str, label: str = "Your own point") -> str:
    """Show a drawing pad and return what is drawn on it.

    What is drawn stays with the visitor, also while other pages are shown.

    Parameters
    ----------
    widget_key : the page's own, see `pages.ui.choices.key`
    label : what the pad is for, in a screen reader's words

    Returns
    -------
    str : the strokes, packed for `core.drawings.unpack`; "" where nothing is drawn

    Raises
    ------
    BadInput
        If the browser sent something that is no drawing.
    """
    # Streamlit forgets a widget's value once another page is shown.
    kept = f"{widget_key}.kept"
    drawn = st.session_state.get(widget_key, {}).get("strokes", st.session_state.get(kept, ""))
    try:
        drawings.unpack(drawn)
    except BadInput:
        st.session_state.pop(widget_key, None)  # or every rerun would end here
        raise
    st.session_state[kept] = drawn
    data = {
        "strokes": drawn,
        "label": label,
        "brush": drawings.BRUSH,
        "most_points": drawings.MOST_POINTS,
        "most_strokes": drawings.MOST_STROKES,
    }
    component("pad")(key=widget_key, data=data, default={"strokes": drawn}, on_strokes_change=nothing)
    return drawn


def draw(widget_key: str, label: str = "Your own point") -> list[np.ndarray] | None:
    """The same as (n, 2) uint8 points of each stroke, see `core.drawings.unpack`; None where nothing is drawn."""
    return drawings.unpack(strokes(widget_key, label)) or None


def put(widget_key: str, packed: str) -> None:
    """Have the pad of this key begin with strokes, packed for `core.drawings.unpack`."""
    st.session_state[f"{widget_key}.kept"] = packed
    st.session_state.pop(widget_key, None)
