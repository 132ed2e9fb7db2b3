"""One exercise: prediction, view, check, answer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import BadInput
from core.lecture import exercises
from core.lecture.exercises import Exercise
from pages.ui.exercises import progress
from pages.ui.exercises.progress import Progress
from pages.ui.shared import header, page_state
from pages.ui.shared.html_blocks import make_note
from pages.ui.shared.text import Markup, html, plain

_COMPARE = "compare"
# Name of a page in an exercise's file -> its script
PAGES = {
    _COMPARE if script == "app.py" else Path(script).stem: script
    for group in header.PAGES.values()
    for script, _, _ in group
    if script not in (header.TOUR, header.EXERCISES)
}


@st.cache_resource(max_entries=2, show_spinner=False)
def _read(stamp: str) -> tuple[list[Exercise], list[str]]:
    return exercises.read_exercises(tuple(PAGES))


def read_all() -> tuple[list[Exercise], list[str]]:
    """All exercises, and a sentence for each file that can't be read; files that change are read again."""
    return _read(repr([(file.name, file.stat().st_mtime_ns) for file in sorted(exercises.FOLDER.glob("*.toml"))]))


@st.cache_resource(max_entries=256, ttl=600, show_spinner=False)
def _compute(key: str, chosen: tuple, _exercise: Exercise) -> dict[str, float]:
    return exercises.compute_numbers(_exercise, dict(chosen))


def _compute_numbers(exercise: Exercise, chosen: Mapping[str, Any]) -> dict[str, float]:
    key = exercise.model_dump_json()
    try:
        return _compute(key, tuple(sorted(chosen.items())), exercise)
    except BadInput:
        # The view offers more than a quantity can be computed for, such as one's own data.
        return _compute(key, (), exercise)


def draw(exercise: Exercise, number: int, state: Progress) -> None:
    """Draw an exercise as far as the person has come."""
    about = f"Exercise {number}, slides {exercise.slides}, {exercise.minutes} minutes"
    texts = "".join(f"<p>{html(text)}</p>" for text in (exercise.task, exercise.question))
    st.html(Markup(f'<div class="hg-tour">{make_note(about)}<h2>{html(exercise.title)}</h2>{texts}</div>'))
    _draw_prediction(exercise, state)
    _draw_hints(exercise, state)
    if state.prediction is None:
        return
    chosen = {name: value for name in exercise.followed if (value := page_state.recall(name)) is not None}
    with header.show_errors(), st.spinner("Computing …"):
        values = _compute_numbers(exercise, chosen)
        _draw_view(exercise, number, values, bool(chosen))
        if state.is_revealed:
            _draw_answer(exercise, state, values)
        else:
            key = page_state.key(f"reveal-{exercise.name}")
            st.button("Show the answer", key=key, on_click=progress.reveal, args=(exercise.name,), type="primary")


def _draw_prediction(exercise: Exercise, state: Progress) -> None:
    st.subheader("1. Your prediction", anchor=False)
    widget = page_state.key(f"prediction-{exercise.name}")
    if state.prediction is not None:
        default = state.prediction if exercise.guess else int(state.prediction)
        st.session_state.setdefault(widget, default)
    if exercise.guess is None:
        options = range(len(exercise.choices))
        label = lambda k: plain(exercise.choices[k].text)
        st.radio(
            "Prediction", options, None, label, key=widget, disabled=state.is_revealed, label_visibility="collapsed"
        )
    else:
        guess, middle = exercise.guess, None if widget in st.session_state else exercise.guess.low
        label = f"Prediction ({guess.unit})" if guess.unit else "Prediction"
        limits = (guess.low, guess.high, middle, guess.step)
        st.slider(plain(label), *limits, key=widget, disabled=state.is_revealed, width=420)
    if state.is_revealed:
        st.caption("The answer has been shown, so the prediction stays as it is.")
        return
    with st.container(horizontal=True, vertical_alignment="center", key="exercise-commit"):
        label = "Commit" if state.prediction is None else "Change the prediction"
        key = page_state.key(f"commit-{exercise.name}")
        st.button(label, key=key, on_click=progress.commit, args=(exercise.name, widget), type="primary")
        if state.prediction is not None:
            st.caption("Committed. You can change it until you see the answer.")


def _draw_hints(exercise: Exercise, state: Progress) -> None:
    for k, hint in enumerate(exercise.hints[: state.hints], 1):
        st.info(plain(f"Hint {k}: {hint}"))
    if state.hints < len(exercise.hints) and not state.is_revealed:
        label = f"Hint {state.hints + 1} of {len(exercise.hints)}"
        key = page_state.key(f"hint-{exercise.name}")
        st.button(label, key=key, on_click=progress.add_hint, args=(exercise.name,), icon=":material/lightbulb:")


def _draw_view(exercise: Exercise, number: int, values: Mapping[str, float], has_begun: bool) -> None:
    st.subheader("2. Try it", anchor=False)
    st.markdown(plain(exercise.check.task))
    script, link = PAGES[exercise.view.page], exercise.view
    header.set_exercise(f"exercise {number}", script, exercise.check.task)
    st.page_link(script, label=plain(link.label), icon=":material/arrow_forward:", query_params=dict(link.choices))
    is_met = exercise.check.holds(values[exercise.check.number])
    if is_met:
        st.success(plain(exercises.fill(exercise.check.met, values)), icon=":material/check:")
    elif has_begun:
        st.info(plain(exercises.fill(exercise.check.unmet, values)))


def _draw_answer(exercise: Exercise, state: Progress, values: Mapping[str, float]) -> None:
    st.subheader("3. The answer", anchor=False)
    verdict = exercises.judge(exercise, state.prediction, values)
    if verdict.is_right:
        st.success("Your prediction is right.", icon=":material/check:")
    else:
        st.warning(plain(f"Your prediction is not right. {verdict.why}"), icon=":material/lightbulb:")
    st.markdown(plain(exercises.fill(exercise.explanation, values)))
    if exercise.formula:
        st.latex(exercise.formula)
