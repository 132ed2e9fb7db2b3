"""Data that a person draws: every point of the strokes becomes a small Gaussian."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.datasets import user_image
from core.errors import BadInput
from core.mechanisms import gaussian_mixtures
from pages.ui.mechanisms.experiment import Controls
from pages.ui.shared import drawing_pad, page_state

NAME, LABEL = "drawn", "Draw your own"
_LONGEST_IN_A_LINK = 1200


def choose_points(controls: Controls) -> np.ndarray | None:
    """Draw the pad; returns the points of its strokes, (n, 2), or None."""
    name, key = f"{controls.experiment}.strokes", page_state.key(f"{controls.experiment}-pad")
    if (linked := page_state.read_link(name)) is not None:
        try:
            user_image.unpack_strokes(linked)
            drawing_pad.preset_strokes(key, linked)
        except BadInput:
            controls.problems.append("The drawing in the link can't be read: draw it again.")
    strokes = drawing_pad.read_strokes(key, "Your data")
    page_state.keep(name, strokes, text=strokes if 0 < len(strokes) <= _LONGEST_IN_A_LINK else None)
    if points := user_image.unpack_strokes(strokes):
        return np.concatenate(points)
    st.info("Draw the data above: every point of a stroke becomes a small Gaussian.")
    return None


@st.cache_resource(max_entries=16, show_spinner=False)
def make_mixture(points: np.ndarray) -> gaussian_mixtures.Mixture:
    """The mixture around drawn points (n, 2), the same object for the same points."""
    return gaussian_mixtures.make_from_drawing(points)
