"""The beginning and the end of every page: configuration, style sheet, navigation, link and command lines."""

import base64
import gc
import socket
import sys
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from core import config
from core.errors import HourglassError
from core.tasks import worker_process
from pages.ui.shared import export, glossary, own_data, page_state, room, training_queue
from pages.ui.shared.html_blocks import make_code
from pages.ui.shared.text import plain

# Streamlit sizes everything but plotly's charts by the root's font size.
_LARGE_NAME = "large"
THEME = Path(__file__).parents[3] / "assets" / "theme"
# group -> (script, label, icon)
PAGES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Explore": (
        ("app.py", "Compare", ":material/compare_arrows:"),
        ("pages/embeddings.py", "Embeddings", ":material/scatter_plot:"),
        ("pages/reconstructions.py", "Reconstructions", ":material/hourglass_empty:"),
        ("pages/generation.py", "Generation", ":material/casino:"),
        ("pages/documents.py", "Documents", ":material/article:"),
        ("pages/labelled_fraction.py", "Labelled fraction", ":material/label:"),
    ),
    "Tutorials": (
        ("pages/tour.py", "Tour", ":material/signpost:"),
        ("pages/exercises.py", "Exercises", ":material/quiz:"),
        ("pages/mechanisms.py", "Concept demos", ":material/experiment:"),
        ("pages/glossary.py", "Glossary", ":material/dictionary:"),
    ),
    "Data and training": (
        ("pages/data.py", "Data", ":material/database:"),
        ("pages/training.py", "Training", ":material/model_training:"),
    ),
}
# Not for everybody.
_PRESENTER = (room.PAGE, "Presenter", ":material/co_present:")
TOUR, TOUR_STEP, TOUR_TITLES = "pages/tour.py", "step", "tour-titles"
EXERCISES, EXERCISE = "pages/exercises.py", "exercise"
GLOSSARY = "pages/glossary.py"
# What an exercise's file calls a page -> its script
VIEWS = {
    "compare" if script == "app.py" else Path(script).stem: script
    for group in PAGES.values()
    for script, _, _ in group
    if script not in (TOUR, EXERCISES, GLOSSARY)
}
_EXERCISE = "hourglass.exercise"
LINK, LINK_AND_COMMAND = "Link to this view", "Link and command line"


def begin_page(script: str) -> None:
    """Begin the page of `script`: the first call of each page."""
    send_without_delay()
    label = _find_label(script)
    # As a data URI: Streamlit may forget a media file when a run is cut short.
    icon = f"data:image/png;base64,{base64.b64encode((THEME / 'icon.png').read_bytes()).decode()}"
    # `st.html` drops a style sheet with anything that looks like a tag, such as "<length>".
    style = ((THEME / "app.css").read_text("utf-8") + room.load_style()).replace("<", r"\3c ")
    st.html(f"<style>{style}</style>")
    page_state.enter_page(script)
    glossary.begin_page()
    room.take_link()
    # A presenter's page has its whole width for what is shown.
    sidebar = "collapsed" if is_large() else 220
    st.set_page_config(page_title=f"{label} · Hourglass", page_icon=icon, layout="wide", initial_sidebar_state=sidebar)
    if is_large():
        st.html(f"<style>{(THEME / 'large.css').read_text('utf-8')}</style>")
    try:
        config.check_settings()
    except HourglassError as problem:
        st.error(plain(f"{problem} Correct it and restart the app."))
        st.stop()
    worker_process.attach_app()
    own_data.watch_visitors()
    with st.sidebar:
        st.html(
            f'<div class="hg-brand" data-theme="{get_theme()}" data-person="{training_queue.get_person()}">'
            '<div class="hg-name">Hourglass</div>'
            "<div>Compare PCA, LSA, autoencoders, VAEs and GANs on the same data.</div></div>"
            f"<script>{(THEME / 'app.js').read_text('utf-8')}</script>{export.load_script()}{room.load_script()}",
            unsafe_allow_javascript=True,
        )
        _draw_large_type_switch()
        for group, pages in PAGES.items():
            st.caption(group)
            for path, name, icon in pages:
                st.page_link(path, label=name, icon=icon)
        if room.is_presenter():
            st.page_link(room.PAGE, label=_PRESENTER[1], icon=_PRESENTER[2])
        _draw_way_back(script)
    if not _draw_exercise_bar(script):
        # A phone hides the sidebar and shows this one.
        with st.container(key="tour-way-back"):
            _draw_way_back(script)


def set_exercise(label: str, script: str, task: str) -> None:
    """Let other pages lead back to this exercise, and the page of this script show its task."""
    st.session_state[_EXERCISE] = label, script, task


def _find_label(script: str) -> str:
    pages = (_PRESENTER, *(page for group in PAGES.values() for page in group))
    return next(label for path, label, _ in pages if path == script)


def _name_place() -> str:
    """What the room calls the view of this page."""
    step, titles = page_state.recall(TOUR_STEP), page_state.recall(TOUR_TITLES)
    if page_state.get_page() == TOUR and step and titles:
        return f"step {step}, {titles[step - 1]}"
    return f"the page {_find_label(page_state.get_page())}"


def _draw_way_back(script: str) -> None:
    """Draw a link to the last visited exercise, or step of the tour, on all other pages."""
    if script == TOUR:
        st.session_state.pop(_EXERCISE, None)
    elif script != EXERCISES and _EXERCISE in st.session_state:
        _link_exercise(st.session_state[_EXERCISE][0])
    elif step := page_state.recall(TOUR_STEP):
        label = plain(f"Back to the tour, step {step}")
        st.page_link(TOUR, label=label, icon=":material/arrow_back:", query_params={TOUR_STEP: str(step)})


def _link_exercise(label: str) -> None:
    query = {EXERCISE: page_state.recall(EXERCISE)}
    st.page_link(EXERCISES, label=plain(f"Back to {label}"), icon=":material/arrow_back:", query_params=query)


def _draw_exercise_bar(script: str) -> bool:
    """Draw the task of the last visited exercise, on the page on which it is done; returns whether it is this one."""
    label, view, task = st.session_state.get(_EXERCISE, ("", "", ""))
    if script == view:
        with st.container(key="exercise-bar"):
            st.markdown(f"**{plain(label.capitalize())}.** {plain(task)}")
            _link_exercise(label)
    return script == view


@cache
def send_without_delay() -> None:
    """Disable Nagle's algorithm on all TCP sockets of this process, so on later connections to its server too.

    uvicorn leaves it on where it is given a socket, as by Streamlit (https://github.com/Kludex/uvicorn/issues/3149).
    The body of a small answer then waits for the browser's delayed acknowledgement: 40 ms on Linux.
    """
    # `isinstance` would ask proxies and deprecated objects for their class.
    for candidate in [each for each in gc.get_objects() if issubclass(type(each), socket.socket)]:
        is_tcp = candidate.type == socket.SOCK_STREAM and candidate.family in (socket.AF_INET, socket.AF_INET6)
        if is_tcp and candidate.fileno() >= 0:
            candidate.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def is_large() -> bool:
    """Whether the page is in the presenter's large type: as in its link, else as last chosen."""
    given = page_state.read_link(_LARGE_NAME)
    large = bool(page_state.recall(_LARGE_NAME)) if given is None else given == "yes"
    page_state.keep(_LARGE_NAME, large, text="yes" if large else None)
    return large


def _draw_large_type_switch() -> None:
    """Draw the switch for the presenter's large type on all pages."""
    widget = page_state.key(_LARGE_NAME)
    st.session_state[widget] = bool(page_state.recall(_LARGE_NAME))
    switch = lambda: page_state.keep(_LARGE_NAME, st.session_state[widget])
    st.toggle("Large type", key=widget, on_change=switch, help="For presentations: text and charts 50% larger.")


def get_theme() -> str:
    """``"dark"`` or ``"light"``, as the browser shows the page."""
    return "dark" if st.context.theme.type == "dark" else "light"


@contextmanager
def show_errors():
    """Show an error raised inside as its sentence; the rest of the page goes on."""
    try:
        yield
    except HourglassError as problem:
        st.error(plain(problem))


def _draw_tour_bar() -> None:
    """Draw links to the last visited step of the tour and the steps beside it, at the foot of all other pages."""
    step = page_state.recall(TOUR_STEP)
    if not step or page_state.get_page() == TOUR or _EXERCISE in st.session_state:
        return
    titles = page_state.recall(TOUR_TITLES)
    icons = {"back": "arrow_back", "here": "signpost", "next": "arrow_forward"}
    with st.container(horizontal=True, key="tour-foot"):
        for name, number in zip(icons, (step - 1, step, step + 1), strict=True):
            if 1 <= number <= len(titles):
                label = plain(f"Step {number}: {titles[number - 1]}")
                with st.container(key=f"tour-foot-{name}", width="content"):
                    icon = f":material/{icons[name]}:"
                    st.page_link(TOUR, label=label, icon=icon, query_params={TOUR_STEP: str(number)})


def end_page(command: str = "", about: str = "") -> None:
    """End the page: draw a closed drawer with its link and command lines, of which `about` says what they do."""
    _draw_tour_bar()
    label = LINK_AND_COMMAND if command else LINK
    drawer = st.expander(label, key=page_state.key("footer"), on_change="rerun", icon=":material/link:")
    if drawer.open:
        with drawer:
            if command:
                st.markdown("**Link**")
            st.html(make_code(f"{st.context.url or ''}?{urlencode(st.query_params.to_dict())}"))
            if command:
                st.markdown(f"**Command line**. {about}" if about else "**Command line**")
                st.html(make_code(command))
    room.report_place(_name_place())
    # Again when a page has imported more libraries.
    _freeze(len(sys.modules))


@st.cache_resource(max_entries=1, show_spinner=False)
def _freeze(n_modules: int) -> None:
    """Exempt all loaded objects from the garbage collection after every rerun."""
    gc.collect()
    gc.freeze()
