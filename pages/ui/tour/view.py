"""How a step of the tour is laid out: the bar, the picture, and what the lecture says about it."""

from collections.abc import Callable

import streamlit as st

from core.lecture.listing import Heading, list_headings
from pages.ui.shared import header, page_state
from pages.ui.shared.experiment import Controls, state_finding
from pages.ui.shared.formulas import draw_formulas
from pages.ui.shared.glossary import mark_html
from pages.ui.shared.html_blocks import make_note
from pages.ui.shared.text import Markup, html, plain
from pages.ui.tour import steps
from pages.ui.tour.step import Link, Step


def choose_step(count: int, problems: list[str]) -> int:
    """Draw the bar that chooses a step, 1 to `count`, and return the chosen one."""
    widget = page_state.seed_widget(header.TOUR_STEP, range(1, count + 1), 1, problems, parse=page_state.parse_integer)
    with st.container(horizontal=True, vertical_alignment="bottom", key="tour-bar"):
        number = st.selectbox(
            "Step",
            range(1, count + 1),
            format_func=lambda k: f"{k} of {count}: {steps.STEPS[k - 1].title}",
            key=widget,
            width=540 if header.is_large() else 360,
            label_visibility="collapsed",
        )
        page_state.keep(header.TOUR_STEP, number)
        page_state.keep(header.TOUR_TITLES, tuple(step.title for step in steps.STEPS), text=None)
        # Above the picture: a step of another length doesn't move them.
        draw_turn_buttons(number, lambda opened: _open_step(widget, opened))
    return number


def _open_step(widget: str, number: int) -> None:
    page_state.keep(header.TOUR_STEP, number)
    st.session_state[widget] = number


def draw_turn_buttons(number: int, open_step: Callable[[int], None]) -> None:
    """Draw buttons, with arrow keys, to the steps beside this one; page keys press them too, see app.js."""
    for label, by in (("Back", -1), ("Next", 1)):
        st.button(
            label,
            type="primary" if by > 0 else "secondary",
            disabled=not 1 <= number + by <= len(steps.STEPS),
            on_click=open_step,
            args=(number + by,),
            key=f"tour-{label}",
            shortcut="right" if by > 0 else "left",
        )


def draw_step(step: Step, problems: list[str]) -> None:
    """Draw a step: its picture with one control, and beside it what the lecture says."""
    # The choices of other steps leave the address.
    page_state.forget(f"{other.name}." for other in steps.STEPS if other.name != step.name)
    st.html(Markup(f'<div class="hg-tour"><h1>{html(step.title)}</h1>{make_note(step.source)}</div>'))
    draw_picture = step.load_picture()
    if draw_picture is None:
        _explain(step)
        return
    # A key a step: nothing of the last step stays on the page while this one is drawn.
    with st.container(key=f"tour-step-{step.name}"):
        places = (st.container(), st.container()) if step.is_wide else st.columns([1.7, 1], gap="medium")
        picture, explanation = places
        with picture, header.show_errors():
            if finding := draw_picture(Controls(step.name, problems)):
                state_finding(finding)
        with explanation:
            _explain(step)


def _explain(step: Step) -> None:
    """Draw the text, the formulas, what to look for, and the links."""
    st.html(Markup(f'<div class="hg-tour"><p>{mark_html(step.text)}</p></div>'))
    if step.formulas:
        draw_formulas(step.formulas, step.symbols, f"tour-formula-{step.name}")
    if step.look_for:
        st.html(Markup(f'<p class="hg-look-for"><b>Look for:</b> {mark_html(step.look_for)}</p>'))
    for link in step.links:
        st.page_link(
            link.page, label=plain(link.label), icon=":material/arrow_forward:", query_params=dict(link.choices)
        )
    for link in list_exercise_links(step):
        st.page_link(link.page, label=plain(link.label), icon=":material/quiz:", query_params=dict(link.choices))
    st.caption(plain(f"The steps follow {steps.LECTURE}."))


def list_exercise_links(step: Step) -> list[Link]:
    """Links to the exercises on the slides of a step."""
    found = [(k, one) for k, one in enumerate(_list_exercises(), 1) if one.slides == step.source.split()[-1]]
    return [Link(header.EXERCISES, f"Exercise {k}: {one.title}", {header.EXERCISE: one.name}) for k, one in found]


@st.cache_resource(max_entries=1, ttl=600, show_spinner=False)
def _list_exercises() -> tuple[Heading, ...]:
    return list_headings()
