"""Own data sets on pages: who sees them, who may change them, and when those of a workshop are deleted."""

import threading
import time

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core import config, datasets
from core.datasets.own import catalogue
from core.errors import BadInput
from pages.ui.shared import training_queue
from pages.ui.shared.text import plain

# What one person brings to a workshop is deleted this long after their last page was open.
UNSEEN_SECONDS = 30 * 60
_SEEN_EVERY = 5 * 60
_ADDED = "hourglass.added"
_sweeping = threading.Lock()
_seen: dict[str, float] = {}  # person -> time


def get_owner() -> str:
    """Who owns what this visitor adds, see `core.datasets.own.catalogue`."""
    return training_queue.get_person() if config.is_workshop() else catalogue.HOST


def _get_viewer() -> str | None:
    # Threads without a visitor compute for all of them.
    has_visitor = get_script_run_ctx(suppress_warning=True) is not None
    return training_queue.get_person() if config.is_workshop() and has_visitor else None


catalogue.get_viewer = _get_viewer


def is_owner(name: str) -> bool:
    """Whether this visitor may change and delete an own data set."""
    return not config.is_workshop() or get_owner() in catalogue.read_about(name).get("owners", {})


def delete(name: str) -> None:
    """Delete an own data set and its runs; in a workshop only for this visitor if others brought it too."""
    from core.datasets.own import store  # other pages do without pandas and pydantic
    from core.tasks import own_datasets

    if not is_owner(name):
        raise BadInput("Another person brought this data set, so only they can delete it.")
    if not config.is_workshop() or not store.leave(name, get_owner()):
        own_datasets.remove(name)


def watch_visitors() -> None:
    """In a workshop: note that this visitor's page is open, and delete what others who have left brought."""
    if config.is_workshop():
        st.fragment(_note_visitor, run_every=_SEEN_EVERY)()


def _note_visitor() -> None:
    _seen[get_owner()] = time.monotonic()
    sweep()


def sweep() -> None:
    """Delete what people brought who have not been seen for `UNSEEN_SECONDS`, unless it is shared."""
    now = time.monotonic()
    # A person whom an earlier process of the app saw counts as seen at its end.
    brought = [(name, person) for name, about in catalogue.list_all().items() for person in about["owners"]]
    gone = [(name, person) for name, person in brought if now - _seen.setdefault(person, now) > UNSEEN_SECONDS]
    if gone and _sweeping.acquire(blocking=False):
        from core.tasks import own_datasets

        try:
            for name, person in gone:
                own_datasets.forget_owner(name, person)
        finally:
            _sweeping.release()


def show_added() -> None:
    """Say that a data set was added, once, with links to what comes next."""
    name = st.session_state.pop(_ADDED, None)
    if name is not None and datasets.is_known(name):
        entry = datasets.entry(name)
        st.success(plain(f"{entry.label} is added: {entry.rows[0]:,} train and {entry.rows[1]:,} test rows."))
        draw_links(name, "added")


def keep_added(name: str) -> None:
    """Let the page say that this data set was added."""
    st.session_state[_ADDED] = name


def draw_links(name: str, place: str) -> None:
    """Draw links to pages of a data set; `place` on the page is for the key."""
    with st.container(horizontal=True, key=f"links-{place}"):
        for page, label, icon in (
            ("app.py", "Compare", ":material/compare_arrows:"),
            ("pages/embeddings.py", "Embeddings", ":material/scatter_plot:"),
            ("pages/training.py", "Training", ":material/model_training:"),
        ):
            st.page_link(page, label=label, icon=icon, query_params={"data": name})


def format_bytes(n_bytes: int) -> str:
    """``"120 bytes"``, ``"11.2 kB"``, ``"3.4 MB"``."""
    if n_bytes < 1000:
        return f"{n_bytes} bytes"
    return f"{n_bytes / 1e6:,.1f} MB" if n_bytes >= 1e5 else f"{n_bytes / 1e3:,.1f} kB"
