"""Exercises: a prediction, a view to test it in, and an answer computed from the same numbers."""

import streamlit as st

from pages.ui.exercises import exercise, progress
from pages.ui.shared import header, page_state
from pages.ui.shared.text import plain

header.begin_page(header.EXERCISES)
found, problems = exercise.read_all()
problems = list(problems)
st.header("Exercises", anchor=False)
if not found:
    page_state.show_problems(problems)
    st.info("There are no exercises in assets/exercises.")
    header.end_page()
    st.stop()
names = [one.name for one in found]
states = progress.load(found, problems)


def describe(name: str) -> str:
    done = " (answered)" if states.get(name, progress.Progress()).is_revealed else ""
    return f"{names.index(name) + 1} of {len(names)}: {found[names.index(name)].title}{done}"


look = {"format_func": describe, "width": 420}
name = page_state.choose_with(st.selectbox, header.EXERCISE, "Exercise", names, names[0], problems, **look)
page_state.show_problems(problems)
number = names.index(name) + 1
exercise.draw(found[number - 1], number, states.get(name, progress.Progress()))
n_answered = sum(state.is_revealed for state in states.values())
st.caption(plain(f"{n_answered} of {len(found)} answered. Nobody is graded; the link below keeps your progress."))
header.end_page()
