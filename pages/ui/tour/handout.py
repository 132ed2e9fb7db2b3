"""The hand-out of the tour, to download or, by ``python -m core handout FILE``, to write."""

import sys
from pathlib import Path

import streamlit as st

from pages.ui.shared import header
from pages.ui.tour import steps

FILE = "hourglass-handout.html"
TITLE = "Unsupervised learning: autoencoders, VAEs and GANs"


def render() -> str:
    """The hand-out as an HTML document for print."""
    # Imported late: the tour opens without them.
    from core.lecture import handout
    from core.lecture.exercises import read_exercises
    from core.lecture.handout import Section

    sections = [
        Section(step.name, step.source, step.title, step.text, step.formulas, step.symbols) for step in steps.STEPS
    ]
    return handout.render(TITLE, f"After {steps.LECTURE}.", sections, read_exercises(tuple(header.VIEWS))[0])


@st.cache_resource(max_entries=1, ttl=3600, show_spinner=False)
def _render_once() -> str:
    return render()


def draw_button() -> None:
    """Draw a button that downloads the hand-out, which is made when it is asked for."""
    label, icon = "Hand-out to print", ":material/print:"
    help = "All steps, exercises with answers, and the glossary: an HTML file that a browser prints on A4 or Letter."
    st.download_button(
        label, _render_once, FILE, "text/html", icon=icon, help=help, on_click="ignore", key="tour-handout"
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(), "utf-8")
