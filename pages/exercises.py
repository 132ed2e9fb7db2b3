"""Exercises: a prediction, a view to test it in, and an answer computed from the same numbers."""

import streamlit as st

from pages.ui.exercises import exercise, progress
from pages.ui.shared import header, page_state
from pages.ui.shared.text import plain

header.begin_page(header.EXERCISES)
found, problems = exercise.read_all()
problems = list(problems)
st.title("Exercises", anchor=False)
if not found:
    page_state.show_problems(problems)
    st.info("There are no exercises in assets/exercises.")
    header.end_page()
    st.stop()
names = [one.name for one in found]
states = progress.load(found, problems)


def describe(name: str) -> str:
    done = "✓ " if states.get(name, progress.Progress()).is_revealed else ""
    return f"{done}{names.index(name) + 1} of {len(names)}: {found[names.index(name)].title}"


def draw_button(label: str, name: str) -> None:
    """Draw a button to another exercise; an empty name is none."""
    open_exercise = lambda: st.session_state.update({page_state.key(header.EXERCISE): name})
    st.button(label, disabled=not name, on_click=open_exercise, key=page_state.key(f"go-{label}"))


with st.container(horizontal=True, vertical_alignment="bottom", key="exercise-choice"):
    look = {"format_func": describe, "width": 640}
    name = page_state.choose_with(st.selectbox, header.EXERCISE, "Exercise", names, names[0], problems, **look)
    number = names.index(name) + 1
    draw_button("Back", names[number - 2] if number > 1 else "")
    draw_button("Next", names[number] if number < len(names) else "")
page_state.show_problems(problems)
progress.show_kept_error()
exercise.draw(found[number - 1], number, states.get(name, progress.Progress()))
n_answered = sum(state.is_revealed for state in states.values())
st.caption(plain(f"{n_answered} of {len(found)} answered. Nobody is graded; the link below keeps your progress."))
header.end_page()
