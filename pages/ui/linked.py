"""The linked maps' front end: what it is sent, and the selection that comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from core.figures import linked, rasters
from core.maps import Rows
from core.types import IMAGES, BadInput
from pages.ui.components import component

_KEY = "maps:maps"
_SELECTED, _SEEN = "hourglass.selected", "hourglass.maps-seen"


@dataclass(frozen=True)
class Selected:
    """Row numbers of one split of one data set."""

    dataset: str
    split: str
    numbers: tuple[int, ...]


def _mount(data: bytes, key: str, **callbacks: Any) -> Any:
    return component("maps")(data=data, key=key, **callbacks)


def prepare() -> None:
    """Have the browser fetch what components need before it fetches what the widgets do: the maps are there sooner."""
    with st.container(key="maps-early"):
        _mount(b"", "maps:early")


def pictures(rows: Rows) -> None:
    """Send what the hover shows of `rows`: large, so after what is seen; the same while only the maps change."""
    with st.container(key="maps-pictures"):
        _mount(_pictures(rows.key, rows), "maps:pictures")


@st.cache_resource(max_entries=6, show_spinner=False)
def _pictures(key: str, _rows: Rows) -> bytes:
    sprite = rasters.sprite(_rows.X, _rows.image_shape) if _rows.kind == IMAGES else None
    return linked.pictures_message(key, sprite=sprite, texts=_rows.texts or None)


def read(rows: Rows, problems: list[str]) -> np.ndarray:
    """Positions of the selected rows, increasing: what a person selected in the maps just now, or before."""
    sent = (st.session_state.get(_KEY) or {}).get("selection")
    if sent is not None and sent != st.session_state.get(_SEEN):
        st.session_state[_SEEN] = sent
        try:
            positions = linked.chosen(sent, rows.key, len(rows))
        except BadInput as problem:
            problems.append(str(problem))
            positions = None
        # Of other rows it is what was selected before these were chosen.
        if positions is not None:
            _remember(rows, positions)
    return selected(rows)


def draw(rows: Rows, maps: Sequence[linked.Map], positions: np.ndarray, values: linked.Values | None = None) -> None:
    """Draw the maps with these rows selected."""
    data = linked.maps_message(
        rows.key,
        rows.numbers,
        rows.split,
        rows.y,
        rows.target_names if rows.has_labels else (),
        maps,
        selected=positions,
        heard=_turn(st.session_state.get(_SEEN)),
        pictures=rows.key,
        values=values,
    )
    # Without a callback Streamlit would not keep the state.
    _mount(data, _KEY, on_selection_change=lambda: None)


def selected(rows: Rows) -> np.ndarray:
    """Positions of the selected rows among `rows`, increasing."""
    kept: Selected | None = st.session_state.get(_SELECTED)
    if kept is None or (kept.dataset, kept.split) != (rows.dataset, rows.split):
        return np.empty(0, int)
    return np.flatnonzero(np.isin(rows.numbers, kept.numbers))


def select(rows: Rows, positions: Sequence[int]) -> None:
    """Select these rows in the maps, instead of what a person selected there."""
    _remember(rows, np.asarray(positions, int))


def restore(chosen: Selected) -> None:
    """Select what a link names."""
    st.session_state[_SELECTED] = chosen


def _turn(sent: object) -> str:
    """Which selection of the maps this was."""
    parts = sent.split(":") if isinstance(sent, str) else []
    return parts[1] if len(parts) == 3 else ""


def _remember(rows: Rows, positions: np.ndarray) -> None:
    numbers = tuple(int(k) for k in rows.numbers[positions])
    st.session_state[_SELECTED] = Selected(rows.dataset, rows.split, numbers)
