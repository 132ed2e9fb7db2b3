"""What a presenter sees on a screen of their own: notes, the next step, predictions, time, and orders to the room."""

import time
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from core.lecture.exercises import Exercise
from core.room.room import Place, Room
from pages.ui.exercises import exercise
from pages.ui.shared import header, room
from pages.ui.shared.text import Markup, html, plain
from pages.ui.tour import steps, view
from pages.ui.tour.step import Link, Step

_STEP = "hourglass.presented"
_TIMERS = (1, 3, 5, 10)


def draw(state: Room) -> None:
    """Draw the presenter's page, anew every second."""
    with st.container(key="presenter"):
        st.fragment(_draw, run_every=1.0)(state)


def _draw(state: Room) -> None:
    number = _find_step(state)
    step = steps.STEPS[number - 1]
    with st.container(horizontal=True, vertical_alignment="center", key="presenter-bar"):
        view.draw_turn_buttons(number, lambda opened: _open_step(state, opened))
        st.button("Everybody look here", on_click=state.call_everybody, icon=":material/visibility:")
        _draw_switch("The room follows", "leads", state.is_leading, state.set_leading)
        _draw_switch("Show how to join", "code", state.shows_code, state.show_code)
    _draw_readings(state, step)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _draw_step(state, number)
    with right:
        _draw_timer(state)
        _draw_predictions(state)
        _draw_joining(state)


def _find_step(state: Room) -> int:
    """The step that the presenter is at, or was at before they opened another page."""
    number = dict(parse_qsl(state.view.query)).get(header.TOUR_STEP, "1")
    if state.view.path == room.find_path(header.TOUR) and number in map(str, range(1, len(steps.STEPS) + 1)):
        st.session_state[_STEP] = int(number)
    return st.session_state.get(_STEP, 1)


def _open_step(state: Room, number: int) -> None:
    label = f"step {number}, {steps.STEPS[number - 1].title}"
    state.move(Place(room.find_path(header.TOUR), urlencode({header.TOUR_STEP: number}), label))


def _open_link(state: Room, link: Link) -> None:
    state.move(Place(room.find_path(link.page), urlencode(link.choices), link.label))


def _draw_switch(label: str, name: str, value: bool, act) -> None:
    """Draw a switch of the room's, which the other screens switch too."""
    widget = f"presenter-{name}"
    st.session_state[widget] = value
    st.toggle(label, key=widget, on_change=lambda: act(st.session_state[widget]))


def _draw_readings(state: Room, step: Step) -> None:
    spent = max(0, time.time() - state.moved_at) / 60
    shown = _find_exercise(state)
    minutes = shown.minutes if shown else step.minutes
    later = sum(each.minutes for each in steps.STEPS[steps.STEPS.index(step) + 1 :])
    readings = {
        "following": f"{state.n_following}",
        f"of {minutes} minutes on this view": f"{int(spent)}",
        "minutes planned for the steps after it": f"{later}",
    }
    cells = "".join(f"<div><b>{html(value)}</b> {html(label)}</div>" for label, value in readings.items())
    st.html(Markup(f'<div class="hg-readings">{cells}</div>'))


def _draw_step(state: Room, number: int) -> None:
    step = steps.STEPS[number - 1]
    st.html(Markup(f"<h1>{html(f'{number}. {step.title}')}</h1>"))
    if state.view.path and state.view.path != room.find_path(header.TOUR):
        st.caption(plain(f"Your screen shows {state.view.label}."))
    for paragraph in (step.notes, f"Look for: {step.look_for}" if step.look_for else ""):
        if paragraph:
            st.html(Markup(f'<p class="hg-notes">{html(paragraph)}</p>'))
    with st.container(horizontal=True, key="presenter-links"):
        for k, link in enumerate([*step.links, *view.list_exercise_links(step)]):
            st.button(
                plain(link.label),
                on_click=_open_link,
                args=(state, link),
                key=f"presenter-link-{number}-{k}",
                icon=":material/open_in_new:",
            )
        if state.view.path != room.find_path(header.TOUR):
            st.button("Show the step", on_click=_open_step, args=(state, number), icon=":material/signpost:")
    if number < len(steps.STEPS):
        following = steps.STEPS[number]
        st.html(Markup(f"<h2>{html(f'Next: {following.title}')}</h2><p>{html(following.notes or following.text)}</p>"))


def _find_exercise(state: Room) -> Exercise | None:
    """The exercise that the presenter is at."""
    return next((one for one in exercise.read_all()[0] if one.name == state.exercise), None)


def _draw_timer(state: Room) -> None:
    left = None if state.ends_at is None else state.ends_at - time.time()
    with st.container(horizontal=True, vertical_alignment="center", key="presenter-timer"):
        for minutes in _TIMERS:
            st.button(f"{minutes} min", on_click=state.start_timer, args=(minutes,), icon=":material/timer:")
        if left is not None:
            text = f"{left // 60:.0f}:{left % 60:02.0f} left" if left > 0 else "Time is up"
            st.button(f"Stop ({text})", on_click=state.stop_timer)


def _draw_predictions(state: Room) -> None:
    """Draw what the room predicts in the exercise that the presenter is at."""
    asked = _find_exercise(state)
    if asked is None:
        return
    st.html(Markup(f"<h2>{html(f'Exercise: {asked.title}')}</h2>"))
    with header.show_errors():
        st.caption(
            plain(f"The answer: {exercise.describe_answer(asked)}. The room sees its predictions when you show them.")
        )
    room.draw_counts(exercise.count_predictions(asked, state.read_counts(asked.name)))
    act = "Show later predictions too" if state.is_revealed(asked.name) else "Show the predictions to the room"
    key, icon = "presenter-reveal", ":material/bar_chart:"
    st.button(act, key=key, on_click=state.reveal, args=(asked.name,), icon=icon)


def _draw_joining(state: Room) -> None:
    done, count, problems = state.warmed
    st.html(Markup(f'<p class="hg-notes">People join at <b>{html(state.address)}</b></p>'))
    if done < count:
        st.progress(done / count, f"Opening all views beforehand: {done} of {count}")
    elif count:
        st.caption(plain(f"All {count} views were opened beforehand. {' '.join(problems)}"))
