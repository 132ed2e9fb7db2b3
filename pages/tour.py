"""Tour: the lecture in its order, one step a topic."""

from __future__ import annotations

import streamlit as st

from pages.ui import choices, nav, tour
from pages.ui.text import Markup, html, plain

nav.header(tour.SCRIPT)
problems: list[str] = []
count = len(tour.STEPS)
widget = choices.seed(tour.STEP, range(1, count + 1), 1, problems, parse=choices.whole)


def go(number: int) -> None:
    choices.keep(tour.STEP, number)
    st.session_state[widget] = number


def turn(label: str, by: int) -> None:
    """A button, and an arrow key, to the next step or the one before."""
    st.button(
        label,
        type="primary" if by > 0 else "secondary",
        disabled=not 1 <= number + by <= count,
        on_click=go,
        args=(number + by,),
        key=f"tour-{label}",
        shortcut="right" if by > 0 else "left",
    )


with st.container(horizontal=True, vertical_alignment="bottom", key="tour-bar"):
    number = st.selectbox(
        "Step",
        range(1, count + 1),
        format_func=lambda k: f"{k} of {count}: {tour.STEPS[k - 1].title}",
        key=widget,
        width=360,
    )
    choices.keep(tour.STEP, number)
    # Above the text: a step of another length doesn't move them.
    turn("Back", -1)
    turn("Next", 1)
    nav.large_type()
choices.show(problems)
step = tour.STEPS[number - 1]
of = "The lecture's code" if step.slides == "–" else f"{'Slides' if '–' in step.slides else 'Slide'} {step.slides}"
st.html(
    Markup(
        f'<div class="hg-tour"><div class="hg-note">{html(of)}</div>'
        f"<h2>{html(step.title)}</h2><p>{html(step.text)}</p></div>"
    )
)
for look in step.looks:
    label = plain(look.label)
    st.page_link(look.page, label=label, icon=":material/arrow_forward:", query_params=dict(look.choices))
st.caption(plain(f"The order is that of {tour.LECTURE}. Nothing here has to be trained or downloaded first."))
choices.share()
nav.settle()
