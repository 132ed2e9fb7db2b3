"""The front end of the linked maps: messages to it, selection and look from it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from core.analysis.columns import DATE
from core.analysis.rows import BOTH, Rows
from core.figures import montages
from core.frontend import maps as messages
from core.frontend.maps import Cells, Look, Map, Values
from core.types import DOCUMENTS, IMAGES
from pages.ui.shared import page_state
from pages.ui.shared.components import do_nothing, get_component
from pages.ui.shared.text import shorten

_KEY = "maps:maps"
_SELECTED, _SEEN = "hourglass.selected", "hourglass.maps-seen"
_LOOKS, _LOOK_SEEN = "hourglass.looks", "hourglass.look-seen"
LONGEST_CELL = 60  # characters
_IN_ADDRESS = ("classes", "zoom", "enlarged")


def send_pictures(rows: Rows) -> None:
    """Send the pictures or texts for hovering, which are large, so after the rest of the page."""
    with st.container(key="maps-pictures"):
        get_component("maps")(data=_pack_pictures(rows.key, rows), key="maps:pictures")


@st.cache_resource(max_entries=6, show_spinner=False)
def _pack_pictures(key: str, _rows: Rows) -> bytes:
    if _rows.kind == IMAGES:
        return messages.make_pictures_message(key, sprite=montages.make_sprite(_rows.X, _rows.image_shape))
    if _rows.kind == DOCUMENTS:
        return messages.make_pictures_message(key, texts=_rows.texts)
    table, shown = _rows.table, _rows.table.shown_columns
    titles = [] if table.title_column is None else _shorten_all(table.write_titles(_rows.frame))
    cells = [
        Cells(shorten(c.name, LONGEST_CELL), c.values, _shorten_all(c.categories), c.type == DATE)
        for c in _rows.columns
        if c.name in shown
    ]
    return messages.make_pictures_message(key, titles=titles, cells=cells)


def _shorten_all(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(shorten(name, LONGEST_CELL) for name in names)


def read_selection(rows: Rows, problems: list[str]) -> np.ndarray:
    """Increasing positions of the rows that are selected in the maps."""
    if (sent := _take_sent("selection", _SEEN)) is not None:
        with page_state.append_error(problems):
            # None: the selection was made in other rows.
            if (positions := messages.parse_selection(sent, rows.key, len(rows))) is not None:
                select(rows, positions)
    dataset, split, numbers = st.session_state.get(_SELECTED, ("", "", ()))
    is_same = (dataset, split) == (rows.dataset, rows.split)
    return np.flatnonzero(np.isin(rows.numbers, numbers)) if is_same else np.empty(0, int)


def _take_sent(name: str, seen: str) -> Any:
    """What the browser sent last as `name`, if that is new."""
    sent = (st.session_state.get(_KEY) or {}).get(name)
    if sent is None or sent == st.session_state.get(seen):
        return None
    st.session_state[seen] = sent
    return sent


def read_look(rows: Rows, keys: Sequence[str], problems: list[str]) -> Look:
    """Which classes and places the maps show, by the browser, the link or as before."""
    labels = np.unique(rows.y).tolist()
    looks = st.session_state.setdefault(_LOOKS, {})
    if (sent := _take_sent("look", _LOOK_SEEN)) is not None:
        with page_state.append_error(problems):
            if (sent_look := messages.parse_look(sent, rows.key, keys, labels)) is not None:
                looks[rows.dataset] = sent_look
    look, turn = looks.get(rows.dataset, (Look(), ""))
    linked = {name: page_state.read_link(name) for name in _IN_ADDRESS}
    if any(text is not None for text in linked.values()):
        try:
            look = _parse_look(linked, keys, labels)
        except (ValueError, TypeError):
            problems.append("The link names the classes and places that the maps show in an unreadable form.")
    looks[rows.dataset] = look, turn
    for name, text in _format_look(look, keys, labels).items():
        page_state.keep(name, text, text=text or None, memory=f"look/{name}")
    return look


def show_only(rows: Rows, labels: Sequence[int]) -> None:
    """Show only these classes in the maps."""
    looks = st.session_state.setdefault(_LOOKS, {})
    look, turn = looks.get(rows.dataset, (Look(), ""))
    hidden = [label for label in np.unique(rows.y).tolist() if label not in labels]
    looks[rows.dataset] = replace(look, hidden=tuple(hidden)), turn


def _format_look(look: Look, keys: Sequence[str], labels: Sequence[int]) -> dict[str, str]:
    """The texts of `_IN_ADDRESS`."""
    shown = ",".join(str(label) for label in labels if label not in look.hidden)
    zooms = ["_".join(f"{value:.4g}" for value in look.zooms[key]) if key in look.zooms else "" for key in keys]
    return {
        "classes": (shown or "none") if look.hidden else "",
        "zoom": ",".join(zooms) if any(zooms) else "",
        "enlarged": str(1 + keys.index(look.enlarged)) if look.enlarged in keys else "",
    }


def _parse_look(texts: Mapping[str, str | None], keys: Sequence[str], labels: Sequence[int]) -> Look:
    """Inverse of `_format_look`; raises ValueError or TypeError for other texts."""
    hidden: list[int] = []
    if classes := texts["classes"]:
        shown = [] if classes == "none" else [int(label) for label in classes.split(",")]
        hidden = [label for label in labels if label not in shown]
    zooms = dict(zip(keys, (texts["zoom"] or "").split(","), strict=False))
    known = {key: zoom.split("_") for key, zoom in zooms.items() if zoom}
    place = texts["enlarged"] or ""
    enlarged = keys[int(place) - 1] if place.isdecimal() and 0 < int(place) <= len(keys) else ""
    return messages.make_look(hidden, known, enlarged, keys, labels)


def draw(rows: Rows, maps: Sequence[Map], positions: np.ndarray, look: Look, values: Values | None = None) -> None:
    """Draw the maps with the rows at `positions` selected."""
    sent = st.session_state.get(_SEEN)
    data = messages.make_maps_message(
        rows.key,
        rows.own_numbers,
        rows.split,
        rows.y,
        _shorten_all(rows.target_names) if rows.has_labels else (),
        maps,
        selected=positions,
        heard=sent.split(":")[1] if isinstance(sent, str) and sent.count(":") == 2 else "",
        pictures=rows.key,
        values=values,
        look=look,
        heard_look=st.session_state[_LOOKS][rows.dataset][1],
        is_test=rows.is_test if rows.split == BOTH else None,
        noun=rows.noun,
        file=f"hourglass-{rows.dataset}-{rows.split}-maps",
    )
    # Streamlit keeps the state only with a callback.
    get_component("maps")(data=data, key=_KEY, on_selection_change=do_nothing, on_look_change=do_nothing)


def select(rows: Rows, positions: Sequence[int]) -> None:
    """Select the rows at these positions in the maps."""
    select_numbers(rows, rows.numbers[np.asarray(positions, int)])


def select_numbers(rows: Rows, numbers: Iterable[int]) -> None:
    """Select the rows with these numbers in the maps."""
    st.session_state[_SELECTED] = rows.dataset, rows.split, tuple(map(int, numbers))
