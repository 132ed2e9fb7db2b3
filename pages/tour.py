"""Tour: the lecture in its order, one step a topic."""

import streamlit as st

from pages.ui.shared import header, page_state
from pages.ui.shared.html_blocks import make_note
from pages.ui.shared.text import Markup, html, plain
from pages.ui.tour import steps

header.begin_page(header.TOUR)
problems: list[str] = []
count = len(steps.STEPS)
widget = page_state.seed_widget(header.TOUR_STEP, range(1, count + 1), 1, problems, parse=page_state.parse_integer)


def open_step(number: int) -> None:
    page_state.keep(header.TOUR_STEP, number)
    st.session_state[widget] = number


def draw_button(label: str, by: int) -> None:
    """Draw a button, with an arrow key, to the next step or the one before."""
    st.button(
        label,
        type="primary" if by > 0 else "secondary",
        disabled=not 1 <= number + by <= count,
        on_click=open_step,
        args=(number + by,),
        key=f"tour-{label}",
        shortcut="right" if by > 0 else "left",
    )


with st.container(horizontal=True, vertical_alignment="bottom", key="tour-bar"):
    number = st.selectbox(
        "Step",
        range(1, count + 1),
        format_func=lambda k: f"{k} of {count}: {steps.STEPS[k - 1].title}",
        key=widget,
        width=360,
    )
    page_state.keep(header.TOUR_STEP, number)
    # Above the text: a step of another length doesn't move them.
    draw_button("Back", -1)
    draw_button("Next", 1)
    header.draw_large_type_switch()
page_state.show_problems(problems)
step = steps.STEPS[number - 1]
body = f"{make_note(step.source)}<h2>{html(step.title)}</h2><p>{html(step.text)}</p>"
st.html(Markup(f'<div class="hg-tour">{body}</div>'))
for link in step.links:
    label = plain(link.label)
    st.page_link(link.page, label=label, icon=":material/arrow_forward:", query_params=dict(link.choices))
st.caption(plain(f"The steps follow {steps.LECTURE}. No training or download is needed."))
header.end_page()
