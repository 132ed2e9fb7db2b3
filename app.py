"""Compare: every method on the same rows of the same data, side by side."""

from __future__ import annotations

import streamlit as st

from pages.ui import choices, commands, compare, enlarge, measures, nav, runs, samples, scorecard, words
from pages.ui.text import plain

nav.header("app.py")

stored, problems = runs.stored()
problems = list(problems)

st.header("Compare", anchor=False)
explained = st.empty()
view = compare.choose(stored, problems)
choices.show(problems)
if not stored:
    st.info("No trained models are stored here yet. Each row below names the line that trains one.")

winners = {metric: runs.best(view.lines, metric) for metric in scorecard.ranked(view.entry)}
explanation = [words.compared(view.entry, view.size, view.lines), words.made(view.entry, view.lines)]
explained.markdown(plain(" ".join(explanation)))
if not runs.same_rows(view.lines):
    st.warning("These runs were measured on different copies of the data, so none is marked as best.")
if changed := runs.changed_libraries(view.entry, view.lines):
    st.warning(plain(words.changed(view.entry, changed)))

opened = scorecard.draw(view.entry, view.size, view.lines, winners)
st.markdown(plain(words.verdict(view.lines, winners)))
opened = samples.draw(view.lines) or opened

more = st.expander("All measures", key="compare:measures", on_change="rerun")
if more.open:
    with more, nav.in_words():
        measures.draw(view.lines)

st.subheader("Repeat this", anchor=False)
st.markdown(
    "The command measures the same methods on the same rows, and trains what is missing; the link opens this view."
)
st.code(commands.repeat(view.entry.name, view.lines, view.size), language=None, wrap_lines=True)
st.code(choices.permalink(), language=None, wrap_lines=True)

if opened:
    enlarge.opened(*opened, view.lines)
nav.settle()
