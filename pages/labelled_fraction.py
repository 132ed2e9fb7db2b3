"""Labelled fraction: what rows without a label are worth to a classifier."""

from __future__ import annotations

import streamlit as st

from pages.ui import choices, error_by_labels, fairness, nav, point, sweep

# section -> (what people read, what draws it)
SECTIONS = {
    "point": ("Behind a point", point.draw),
    "sweep": ("Run a sweep", sweep.draw),
    "fair": ("How it is kept fair", fairness.draw),
}

nav.header("pages/labelled_fraction.py")
problems: list[str] = []
st.header("Labelled fraction", anchor=False)
view = error_by_labels.choose(problems)
with nav.in_words():
    error_by_labels.draw(view, problems)
section = choices.segments(
    "part",
    "What to look at",
    {name: label for name, (label, _) in SECTIONS.items()},
    problems,
    label_visibility="collapsed",
)
with nav.in_words():
    SECTIONS[section][1](view, problems)
choices.show(problems)
choices.share()
nav.settle()
