"""Reconstructions: what each code keeps of an image."""

from __future__ import annotations

import streamlit as st

from core.types import IMAGES
from pages.ui import by_class, by_depth, by_size, choices, compare, damaged, linear, nav, rebuilt, runs

# section -> (what people read, what draws it); only the chosen one computes.
SECTIONS = {
    "images": ("Images", rebuilt.draw),
    "classes": ("Error by class", by_class.draw),
    "size": ("Code size", by_size.draw),
    "depth": ("Depth", by_depth.draw),
    "linear": ("Linear AE = PCA", linear.draw),
    "damage": ("Broken input", damaged.draw),
}

nav.header("pages/reconstructions.py")
stored, problems = runs.stored()
problems = list(problems)

st.header("Reconstructions", anchor=False)
view = compare.choose(stored, problems, IMAGES)
named = {name: label for name, (label, _) in SECTIONS.items()}
section = choices.segments(
    "section",
    "What to look at",
    named,
    problems,
    memory=choices.key("section"),
    label_visibility="collapsed",
)
notices = st.container()
with nav.in_words():
    SECTIONS[section][1](view, stored, problems)
with notices:
    choices.show(problems)
choices.share()
nav.settle()
