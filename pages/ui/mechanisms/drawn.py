"""Data that a person draws: every point of the strokes becomes a small Gaussian."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core import drawings
from core.mechanisms import mixtures
from core.types import BadInput
from pages.ui import choices, pad
from pages.ui.mechanisms.frame import Controls

NAME, LABEL = "drawn", "Draw them"
_LONGEST_IN_A_LINK = 1200


def points(controls: Controls) -> np.ndarray | None:
    """The pad, and the points of its strokes, (n, 2), None before; the strokes stand in the address while few."""
    name, key = f"{controls.experiment}.strokes", choices.key(f"{controls.experiment}-pad")
    if (asked := choices.asked(name)) is not None:
        try:
            drawings.unpack(asked)
            pad.put(key, asked)
        except BadInput:
            controls.problems.append("The link holds a drawing that can't be read: draw anew.")
    strokes = pad.strokes(key, "The data, drawn")
    choices.keep(name, strokes, text=strokes if 0 < len(strokes) <= _LONGEST_IN_A_LINK else None)
    if found := drawings.unpack(strokes):
        return np.concatenate(found)
    st.info("Draw the data above: every point of your strokes becomes a small Gaussian.")
    return None


def mixture(controls: Controls) -> mixtures.Mixture | None:
    """The pad, and the mixture that is drawn on it, None before."""
    found = points(controls)
    return None if found is None else _mixture(found)


@st.cache_resource(max_entries=16, show_spinner=False)
def _mixture(points: np.ndarray) -> mixtures.Mixture:
    return mixtures.drawn(points)
