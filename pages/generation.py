"""Generation: what each decoder can make."""

from __future__ import annotations

import streamlit as st

from core.types import IMAGES
from pages.ui import between, choices, compare, manifold, morph, nav, runs, sampled

# section -> (what people read, what draws it); only the chosen one computes.
SECTIONS = {
    "samples": ("Samples", sampled.draw),
    "manifold": ("2-D manifold", manifold.draw),
    "sliders": ("Sliders", morph.draw),
    "between": ("Between two images", between.interpolate),
    "arithmetic": ("Arithmetic", between.add),
}

nav.header("pages/generation.py")
stored, problems = runs.stored()
problems = list(problems)

st.header("Generation", anchor=False)
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
