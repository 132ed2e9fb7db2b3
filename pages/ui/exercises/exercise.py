"""One exercise: prediction, view, check, answer."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.errors import BadInput
from core.lecture import exercises
from core.lecture.exercises import Exercise, fill
from core.room.room import group_numbers
from pages.ui.exercises import progress
from pages.ui.exercises.progress import Progress
from pages.ui.shared import header, page_state, room
from pages.ui.shared.formulas import draw_formulas
from pages.ui.shared.glossary import mark_html
from pages.ui.shared.html_blocks import make_list, make_note
from pages.ui.shared.text import Markup, html, plain


@st.cache_resource(max_entries=2, show_spinner=False)
def _read(stamp: str) -> tuple[list[Exercise], list[str]]:
    return exercises.read_exercises(tuple(header.VIEWS))


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
    chosen = {name: value for name in exercise.followed if (value := page_state.recall(name)) is not None}
    with header.show_errors(), st.spinner("Computing …"):
        values = _compute_numbers(exercise, chosen)
        about = f"Exercise {number}, {exercise.source}, {exercise.minutes} minutes"
        texts = "".join(f"<p>{mark_html(fill(text, values))}</p>" for text in (exercise.task, exercise.question))
        body = f"<h2>{html(exercise.title)}</h2>{make_note(about)}{texts}"
        st.html(Markup(f'<div class="hg-tour hg-exercise">{body}</div>'))
        st.header("1. Your prediction", anchor=False)
        counts = room.read_counts(exercise.name)
        if state.prediction is not None:
            _draw_committed(exercise, state, values)
        elif not (counts and room.is_presenter()):
            _choose_prediction(exercise)
        if counts:
            room.draw_counts(count_predictions(exercise, counts))
        _draw_hints(exercise, state, values)
        if state.prediction is None:
            return
        _draw_view(exercise, number, state, values, bool(chosen))
        if state.is_revealed:
            _draw_answer(exercise, state, values)
        else:
            key = page_state.key(f"reveal-{exercise.name}")
            st.button("Show the answer", key=key, on_click=progress.reveal, args=(exercise.name,), type="primary")


def describe_answer(exercise: Exercise) -> str:
    """The right prediction, for the presenter."""
    return exercises.describe_answer(exercise, _compute_numbers(exercise, {}))


def count_predictions(exercise: Exercise, counts: Mapping[str, int]) -> dict[str, int]:
    """People by the text of a choice, or by groups of guessed numbers, from the room's predictions."""
    if exercise.guess is not None:
        return group_numbers(counts, exercise.guess.low, exercise.guess.high, exercise.guess.step)
    return {choice.text: counts.get(str(k), 0) for k, choice in enumerate(exercise.choices)}


def _choose_prediction(exercise: Exercise) -> None:
    widget, guess = page_state.key(f"prediction-{exercise.name}"), exercise.guess
    if guess is None:
        label, choices = lambda k: plain(exercise.choices[k].text), range(len(exercise.choices))
        drawn = st.radio("Prediction", choices, None, label, key=widget, label_visibility="collapsed")
    else:
        label = f"{guess.low:,g} to {guess.high:,g}{f' {guess.unit}' if guess.unit else ''}"
        help = f"Right within a factor of {guess.factor:g}."
        is_whole = all(float(number).is_integer() for number in (guess.low, guess.high, guess.step))
        limits = [(int if is_whole else float)(number) for number in (guess.low, guess.high)]
        step = (int if is_whole else float)(guess.step)
        drawn = st.number_input(plain(label), *limits, None, step, help=help, width=260, key=widget)
    key = page_state.key(f"commit-{exercise.name}")
    look = {"type": "primary", "disabled": drawn is None}
    st.button("Commit", key=key, on_click=progress.commit, args=(exercise, widget, drawn), **look)


def _draw_committed(exercise: Exercise, state: Progress, values: Mapping[str, float]) -> None:
    """Draw the prediction, which stays as it is; with the answer, also what was right."""
    if exercise.guess is not None:
        st.markdown(f"You predict **{state.prediction:g}** {plain(exercise.guess.unit)}.")
        return
    right = exercises.find_right_choice(exercise, values) if state.is_revealed else None
    items = []
    for k, choice in enumerate(exercise.choices):
        marks = [text for text, is_so in (("your prediction", k == state.prediction), ("right", k == right)) if is_so]
        item = html(choice.text)
        items.append(f"<b>{item}</b> ({', '.join(marks)})" if marks else item)
    st.html(make_list(items, "hg-choices"))


def _draw_hints(exercise: Exercise, state: Progress, values: Mapping[str, float]) -> None:
    for k, hint in enumerate(exercise.hints[: state.hints], 1):
        st.info(plain(f"Hint {k}: {fill(hint, values)}"))
    if state.hints < len(exercise.hints) and not state.is_revealed:
        label = f"Hint {state.hints + 1} of {len(exercise.hints)}"
        key = page_state.key(f"hint-{exercise.name}")
        st.button(label, key=key, on_click=progress.add_hint, args=(exercise.name,), icon=":material/lightbulb:")


def _draw_view(exercise: Exercise, number: int, state: Progress, values: Mapping[str, float], has_begun: bool) -> None:
    st.header("2. Try it", anchor=False)
    st.markdown(plain(exercise.check.task))
    script, link = header.VIEWS[exercise.view.page], exercise.view
    header.set_exercise(f"exercise {number}", script, exercise.check.task)
    st.page_link(script, label=plain(link.label), icon=":material/arrow_forward:", query_params=dict(link.choices))
    if exercise.check.holds(values[exercise.check.number]):
        progress.finish(exercise.name)
        st.success(plain(fill(exercise.check.met, values)), icon=":material/check:")
    elif state.is_done:
        st.success("You have done this.", icon=":material/check:")
    elif has_begun:
        st.info(plain(fill(exercise.check.unmet, values)))


def _draw_answer(exercise: Exercise, state: Progress, values: Mapping[str, float]) -> None:
    st.header("3. The answer", anchor=False)
    verdict = exercises.judge(exercise, state.prediction, values)
    if verdict.is_right:
        st.success("Your prediction is right.", icon=":material/check:")
    else:
        st.warning(plain(f"Your prediction is not right. {verdict.why}"), icon=":material/lightbulb:")
    st.html(Markup(f'<div class="hg-tour"><p>{mark_html(fill(exercise.explanation, values))}</p></div>'))
    if exercise.formula:
        draw_formulas((exercise.formula,), {}, page_state.key(f"formula-{exercise.name}"))
