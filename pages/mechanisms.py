"""Mechanisms: the lecture's ideas as live experiments, one at a time."""

from __future__ import annotations

import streamlit as st

from pages.ui import choices, nav
from pages.ui.mechanisms import (
    bound,
    estimators,
    frame,
    generator,
    naive,
    players,
    random_codes,
    similarity,
    surface,
    versus,
)

# experiment -> (what people read, what draws it)
EXPERIMENTS = {
    "generator": ("Generator", generator.draw),
    "codes": ("AE as generator", random_codes.draw),
    "naive": ("Naive sampling", naive.draw),
    "elbo": ("ELBO", bound.draw),
    "gradients": ("Reparameterization", estimators.draw),
    "similarity": ("Which similarity?", similarity.draw),
    "players": ("Two players", players.draw),
    "versus": ("VAE against GAN", versus.draw),
    "linear": ("Linear AE and PCA", surface.draw),
}

nav.header("pages/mechanisms.py")
problems: list[str] = []
st.header("Mechanisms", anchor=False)
chosen = choices.segments(
    "experiment",
    "Experiment",
    {name: label for name, (label, _) in EXPERIMENTS.items()},
    problems,
    label_visibility="collapsed",
)
told = st.empty()
choices.forget(f"{name}." for name in EXPERIMENTS if name != chosen)
with nav.in_words():
    EXPERIMENTS[chosen][1](frame.Controls(chosen, problems))
if problems:
    with told.container():
        choices.show(problems)
choices.share()
nav.settle()
