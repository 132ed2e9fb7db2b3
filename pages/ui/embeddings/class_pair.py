"""The choice of two classes that a classifier tells apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from core.metrics import confusion
from pages.ui.shared import page_state
from pages.ui.shared.text import shorten

if TYPE_CHECKING:
    from pages.ui.embeddings.confusion_matrices import ClassifiedRows


def choose(data: ClassifiedRows, predictions: Mapping[str, np.ndarray], problems: list[str]) -> tuple[int, int]:
    """Draw the choice: the link's pair, else the last one, else the most confused classes."""
    labels = data.labels
    linked = page_state.read_link("pair")
    memory = f"pair/{data.dataset}"
    remembered = page_state.recall(memory)
    widgets = page_state.key("pair-first"), page_state.key("pair-second")
    if linked is not None:
        pair = [int(part) for part in linked.split("-") if part.isdecimal() and len(part) < 6]
        if len(pair) == 2 and pair[0] != pair[1] and set(pair) <= set(labels):
            for widget, label in zip(widgets, pair, strict=True):
                st.session_state[widget] = label
        else:
            problems.append(f"The link asks for the pair of classes “{shorten(linked, 20)}”, which is not shown.")
    usual = remembered if remembered and set(remembered) <= set(labels) else _find_most_confused(data, predictions)
    chosen: list[int] = []
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for widget, title, default in zip(widgets, ("Pair of classes", "and"), usual, strict=True):
            offered = [label for label in labels if label not in chosen]
            if st.session_state.get(widget) not in offered:
                st.session_state[widget] = default if default in offered else offered[0]
            chosen.append(st.selectbox(title, offered, format_func=data.name_class, key=widget, width=180))
    first, second = chosen
    page_state.keep("pair", (first, second), text=f"{first}-{second}", memory=memory)
    return first, second


def _find_most_confused(data: ClassifiedRows, predictions: Mapping[str, np.ndarray]) -> tuple[int, int]:
    counts = np.zeros((max(data.labels) + 1,) * 2, int)
    for predicted in predictions.values():
        wrong = (predicted != confusion.NOT_ASKED) & (predicted != data.y)
        np.add.at(counts, (data.y[wrong], predicted[wrong]), 1)
    both = counts + counts.T
    a, b = np.unravel_index(both.argmax(), both.shape)
    return (int(a), int(b)) if both.max() else (data.labels[0], data.labels[1])
