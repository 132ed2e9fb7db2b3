"""The room of a workshop on pages: who presents, where the presenter is, and what people predict.

Outside of a workshop there is no room: nothing is drawn, counted or sent.
"""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from core.room import room
from core.room.room import Place
from pages.ui.shared import page_state, training_queue
from pages.ui.shared.text import Markup, html

_THEME = Path(__file__).parents[3] / "assets" / "theme"
PAGE = "pages/presenter.py"
# In the address of a browser that the room's script brings to the presenter's place.
LED = "room"
# Another page, or another value of one of these, is another place.
_PLACE_NAMES = ("step", "experiment", "section", "exercise")
# Choices of the presenter's screen that are nobody else's.
_PERSONAL = ("large", "progress")
_REPORTED = "hourglass.place"


def is_presenter() -> bool:
    """Whether this browser is the presenter's."""
    state = room.find_room()
    return state is not None and state.is_presenter(str(st.context.cookies.get(room.COOKIE, "")))


def take_link() -> None:
    """Begin a page: if the room's script brought this browser here, all of the address counts as a link's."""
    if room.find_room() and st.query_params.pop(LED, None) is not None:
        page_state.trust_link()
        st.session_state[_REPORTED] = None


def report_place(label: str) -> None:
    """End a page: tell the room where the presenter is."""
    state, script = room.find_room(), page_state.get_page()
    if state is None or script == PAGE or not is_presenter():
        return
    choices = {name: value for name, value in st.query_params.to_dict().items() if name not in _PERSONAL}
    here = Place(find_path(script), urlencode(choices), label)
    before = st.session_state.get(_REPORTED, ())
    st.session_state[_REPORTED] = here_name = name_place(here)
    # A browser that was brought here doesn't lead others here; nor does a page that ends after the room has moved on.
    is_known = here_name == name_place(state.view)
    if before is not None and (is_known or here_name != before):
        state.note_view(here, is_new=not is_known)


def find_path(script: str) -> str:
    """The path of a page's address."""
    return "/" if script == "app.py" else f"/{script.removeprefix('pages/').removesuffix('.py')}"


def name_place(view: Place) -> tuple[str | None, ...]:
    """What tells a view's place from others: its path and some of its choices."""
    choices = dict(parse_qsl(view.query))
    return view.path, *map(choices.get, _PLACE_NAMES)


def load_style() -> str:
    """The style sheet of the room's bar; "" outside of a workshop."""
    return (_THEME / "room.css").read_text("utf-8") if room.find_room() else ""


def load_script() -> str:
    """The script of the room's bar; "" outside of a workshop."""
    return f"<script>{(_THEME / 'room.js').read_text('utf-8')}</script>" if room.find_room() else ""


def commit(exercise: str, choice: str) -> str:
    """Keep this visitor's prediction in the room, if there is one; returns the one that counts, their first."""
    state = room.find_room()
    return state.commit(exercise, choice, training_queue.get_person()) if state else choice


def read_counts(exercise: str) -> dict[str, int]:
    """How many people in the room predict each choice, once the presenter shows it; {} before and elsewhere."""
    state = room.find_room()
    return state.read_counts(exercise) if state and state.is_revealed(exercise) else {}


def draw_counts(counts: Mapping[str, int]) -> None:
    """Draw how many people predict each choice, as bars."""
    most, n_people = max(1, *counts.values()), sum(counts.values())
    caption = f"The room predicts: {n_people} {'person' if n_people == 1 else 'people'}"
    rows = ""
    for label, n in counts.items():
        bar = f"<div style='width: {100 * n / most:.0f}%'></div>"
        rows += f"<li><span>{html(label)}</span><div>{bar}</div><b>{n}</b></li>"
    st.html(Markup(f'<figure class="hg-counts"><figcaption>{caption}</figcaption><ul>{rows}</ul></figure>'))
