"""How every page begins: its configuration, the theme's style sheet and the navigation."""

from __future__ import annotations

import base64
import gc
import sys
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from core.types import HourglassError
from pages.ui import choices, tour, trainings
from pages.ui.text import plain

# Streamlit adds to the browser's history whatever a page writes into its address, and Back would lead from a page to
# itself: what keeps the path takes the place of the entry before.
_ONE_ENTRY_A_PAGE = """<script>
if (!window.hourglassHistory) {
  const push = (window.hourglassHistory = history.pushState.bind(history));
  history.pushState = (state, title, url) => {
    const isSamePage = new URL(url ?? location, location).pathname === location.pathname;
    (isSamePage ? history.replaceState.bind(history) : push)(state, title, url);
  };
}
</script>"""
# Streamlit measures all but plotly's charts in the letters of the root.
_LARGE, _LARGE_NAME = "html { font-size: 150% !important; }", "large"
THEME = Path(__file__).parents[2] / "assets" / "theme"
# group -> (script, label, icon); a page is listed here once it exists.
PAGES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Look": (
        ("app.py", "Compare", ":material/compare_arrows:"),
        ("pages/embeddings.py", "Embeddings", ":material/scatter_plot:"),
        ("pages/reconstructions.py", "Reconstructions", ":material/hourglass_empty:"),
        ("pages/generation.py", "Generation", ":material/casino:"),
        ("pages/documents.py", "Documents", ":material/article:"),
        ("pages/labelled_fraction.py", "Labelled fraction", ":material/label:"),
    ),
    "Learn": (
        ("pages/tour.py", "Tour", ":material/signpost:"),
        ("pages/mechanisms.py", "Mechanisms", ":material/experiment:"),
    ),
    "Make": (("pages/training.py", "Training", ":material/model_training:"),),
}


def header(script: str) -> None:
    """Begin the page of `script`; the first call of each page."""
    label = next(label for group in PAGES.values() for s, label, _ in group if s == script)
    st.set_page_config(
        page_title=f"{label} · Hourglass",
        page_icon=_icon(),
        layout="wide",
        initial_sidebar_state=220,
    )
    # As Markdown, whose part of the front end is there first: the page never shows unstyled.
    st.markdown(f"<style>{_style()}</style>", unsafe_allow_html=True)
    choices.enter(script)
    if is_large():
        st.markdown(f"<style>{_LARGE}</style>", unsafe_allow_html=True)
    trainings.attach()
    with st.sidebar:
        st.html(
            '<div class="hg-brand"><div class="hg-name">Hourglass</div>'
            f"<div>Autoencoders, VAEs and GANs beside PCA and LSA, on the same rows.</div></div>{_ONE_ENTRY_A_PAGE}",
            unsafe_allow_javascript=True,
        )
        for group, pages in PAGES.items():
            if len(PAGES) > 1:
                st.caption(group)
            for path, name, icon in pages:
                st.page_link(path, label=name, icon=icon)
        _way_back(script)
    # A phone hides the sidebar, and shows this one.
    with st.container(key="tour-way-back"):
        _way_back(script)


def _way_back(script: str) -> None:
    """A link to the step of the tour that was looked at last, on all other pages."""
    if script != tour.SCRIPT and (step := choices.remembered(tour.STEP)):
        label = plain(f"Back to the tour, step {step} of {len(tour.STEPS)}")
        st.page_link(tour.SCRIPT, label=label, icon=":material/arrow_back:", query_params={tour.STEP: str(step)})


@st.cache_resource(show_spinner=False)
def _style() -> str:
    return (THEME / "app.css").read_text()


@st.cache_resource(show_spinner=False)
def _icon() -> str:
    """As a part of the page: a file of its own is forgotten when a run of the script is cut short by the next."""
    return f"data:image/png;base64,{base64.b64encode((THEME / 'icon.png').read_bytes()).decode()}"


def is_large() -> bool:
    """Whether the page is shown in a presenter's large type: as its link says, else as it was last chosen."""
    given = choices.asked(_LARGE_NAME)
    large = given == "yes" if given is not None else bool(choices.remembered(_LARGE_NAME))
    choices.keep(_LARGE_NAME, large, text="yes" if large else None)
    return large


def large_type() -> None:
    """The switch for a presenter's large type, on every page from then on."""
    widget = choices.key(_LARGE_NAME)
    st.session_state[widget] = bool(choices.remembered(_LARGE_NAME))
    st.toggle("Large type", key=widget, on_change=_switch, help="For a room: letters half as large again.")


def _switch() -> None:
    choices.keep(_LARGE_NAME, st.session_state[choices.key(_LARGE_NAME)])


def theme() -> str:
    """``"dark"`` or ``"light"``, whichever the browser shows."""
    return "dark" if st.context.theme.type == "dark" else "light"


@contextmanager
def in_words():
    """What goes wrong inside is shown as its one sentence; the rest of the page goes on."""
    try:
        yield
    except HourglassError as problem:
        st.error(plain(problem))


def settle() -> None:
    """Take what is loaded by now out of the garbage collector's rounds, which Streamlit makes after every rerun."""
    # A page that is visited later brings libraries of its own.
    _settle(len(sys.modules))


@st.cache_resource(max_entries=1, show_spinner=False)
def _settle(n_modules: int) -> None:
    gc.collect()
    gc.freeze()
