"""Heavy elements, drawn once a visitor scrolls to them or points at them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

import streamlit as st

from pages.ui.shared import page_state
from pages.ui.shared.text import Markup


def is_near(name: str, height: int) -> bool:
    """Whether the visitor has scrolled to an element; until then draw an empty place, which app.js observes."""
    if st.session_state.get(_flag(name)):
        return True
    with st.container(key=f"late-{name}", height=height, border=False):
        st.button("Show", key=page_state.key(f"late/{name}"), type="tertiary", on_click=_show, args=(name,))
    return False


def is_pointed_at(name: str) -> bool:
    """Whether the visitor has pointed at chart `name`; until then `draw_still` shows it."""
    return bool(st.session_state.get(_flag(name)))


def draw_still(name: str, pictures: Sequence[str], about: str, height: int) -> None:
    """Draw SVG documents of a chart, for decreasing page widths, until the pointer is over them."""
    images = "".join(
        f'<img class="hg-still-{k}" alt="{escape(about)}" style="height:{height}px" '
        f'src="data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()}">'
        for k, picture in enumerate(pictures)
    )
    with st.container(key=f"still-{name}", gap=None):
        st.html(Markup(images))
        st.button("Read values", key=page_state.key(f"late/{name}"), type="tertiary", on_click=_show, args=(name,))


def _flag(name: str) -> str:
    return f"hourglass.shown/{page_state.key(name)}"


def _show(name: str) -> None:
    st.session_state[_flag(name)] = True
