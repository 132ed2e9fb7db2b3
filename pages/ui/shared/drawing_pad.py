"""A drawing pad, which returns strokes."""

import numpy as np
import streamlit as st

from core.datasets import user_image
from core.errors import BadInput
from pages.ui.shared.components import do_nothing, get_component


def read_strokes(widget_key: str, label: str = "Your own image") -> str:
    """Draw a pad and return its strokes, which the visitor keeps while other pages are shown.

    They are packed for `core.datasets.user_image.unpack_strokes`, "" if nothing is drawn; BadInput for anything else.
    """
    # Streamlit drops a widget's value when another page is shown.
    memory = f"{widget_key}.kept"
    drawn = st.session_state.get(widget_key, {}).get("strokes", st.session_state.get(memory, ""))
    try:
        user_image.unpack_strokes(drawn)
    except BadInput:
        st.session_state.pop(widget_key, None)  # or every rerun would end here
        raise
    st.session_state[memory] = drawn
    limits = {"most_points": user_image.MOST_POINTS, "most_strokes": user_image.MOST_STROKES}
    data = {"strokes": drawn, "label": label, "brush": user_image.BRUSH, **limits}
    get_component("pad")(key=widget_key, data=data, default={"strokes": drawn}, on_strokes_change=do_nothing)
    return drawn


def read_points(widget_key: str, label: str = "Your own image") -> list[np.ndarray] | None:
    """Draw a pad and return the (n, 2) uint8 points of each stroke; None if nothing is drawn."""
    return user_image.unpack_strokes(read_strokes(widget_key, label)) or None


def preset_strokes(widget_key: str, packed: str) -> None:
    """Put packed strokes, see `user_image.pack_strokes`, on the pad with this key."""
    st.session_state[f"{widget_key}.kept"] = packed
    st.session_state.pop(widget_key, None)
