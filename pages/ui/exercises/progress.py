"""What a person has predicted, looked up and asked for in each exercise: kept in the session and in the link."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.lecture.exercises import Exercise
from pages.ui.shared import page_state, room

_NAME = "progress"
_PART = re.compile(r"([a-z][a-z0-9]{0,23})-(\d{1,9}(?:\.\d{1,3})?)?(d?)(r?)(?:h(\d))?")
_LONGEST = 2000


@dataclass(frozen=True)
class Progress:
    """The prediction (index of a choice, or a number), whether the task was done and the answer shown, and hints."""

    prediction: float | None = None
    is_done: bool = False
    is_revealed: bool = False
    hints: int = 0


def pack(progress: Mapping[str, Progress]) -> str:
    """Exercise -> progress as a text for a link: ``"pairs-2drh1_bound-0"``."""
    parts = []
    for name, one in progress.items():
        prediction = "" if one.prediction is None else f"{one.prediction:g}"
        flags = f"{'d' if one.is_done else ''}{'r' if one.is_revealed else ''}{f'h{one.hints}' if one.hints else ''}"
        parts.append(f"{name}-{prediction}{flags}")
    return "_".join(parts)


def unpack(text: str) -> dict[str, Progress] | None:
    """Inverse of `pack` for untrusted text; None for any other text."""
    matches = [_PART.fullmatch(part) for part in text[: _LONGEST + 1].split("_")]
    if len(text) > _LONGEST or not all(matches):
        return None
    found = {}
    for name, prediction, done, revealed, hints in (match.groups() for match in matches):
        if (done or revealed) and prediction is None:
            return None
        value = None if prediction is None else float(prediction)
        found[name] = Progress(value, bool(done), bool(revealed), int(hints or 0))
    return found


def load(exercises: Collection[Exercise], problems: list[str]) -> dict[str, Progress]:
    """The progress of this session, with that of the link for exercises not begun here; written to both."""
    own: dict[str, Progress] = page_state.recall(_NAME) or {}
    if (text := page_state.read_link(_NAME)) is not None:
        linked = unpack(text)
        if linked is None:
            problems.append("The progress in the link can't be read: exercises begin anew.")
        else:
            by_name = {exercise.name: exercise for exercise in exercises}
            allowed = {name: one for name, one in linked.items() if name in by_name and _fits(by_name[name], one)}
            own = {**allowed, **own}
    _keep(own)
    return own


def _fits(exercise: Exercise, progress: Progress) -> bool:
    if progress.hints > len(exercise.hints) or progress.prediction is None:
        return progress.hints <= len(exercise.hints)
    if exercise.guess is not None:
        return exercise.guess.low <= progress.prediction <= exercise.guess.high
    return progress.prediction in range(len(exercise.choices))


def _keep(progress: dict[str, Progress]) -> None:
    page_state.keep(_NAME, progress, text=pack(progress) or None)


def commit(exercise: Exercise, widget: str, drawn: float | None) -> None:
    """Keep the prediction in a widget, the first one for good: the callback of a button.

    It counts as it was `drawn` if the widget is gone, as when the presenter of a room goes on in this moment.
    """
    name, value = exercise.name, st.session_state.get(widget, drawn)
    # A browser may send what its page doesn't offer.
    if value is not None and _fits(exercise, Progress(value)) and _get(name).prediction is None:
        # What was chosen in the view for another reason is not this exercise's task.
        page_state.forget_choices(exercise.followed)
        choice = f"{value:g}"
        with page_state.keep_error(_NAME):
            # In a workshop the person's first one counts, also if they have reloaded the page.
            choice = room.commit(name, choice)
        _change(name, prediction=float(choice))


def show_kept_error() -> None:
    """Draw why the room did not count a prediction."""
    page_state.show_kept_error(_NAME)


def finish(name: str) -> None:
    """Note that the task was done."""
    if not _get(name).is_done:
        _change(name, is_done=True)


def reveal(name: str) -> None:
    """Show the answer, if there is a prediction: the callback of a button."""
    if _get(name).prediction is not None:
        _change(name, is_revealed=True)


def add_hint(name: str) -> None:
    """Show one more hint: the callback of a button."""
    _change(name, hints=_get(name).hints + 1)


def _get(name: str) -> Progress:
    return (page_state.recall(_NAME) or {}).get(name, Progress())


def _change(name: str, **changes: Any) -> None:
    _keep({**(page_state.recall(_NAME) or {}), name: replace(_get(name), **changes)})
