"""Training: choose, press Train, watch it learn; stop, resume, look back."""

from __future__ import annotations

import streamlit as st

from pages.ui import choices, library, nav, runs, settings, trainings, watch

nav.header("pages/training.py")

stored, problems = runs.stored()
problems = list(problems)

st.header("Training", anchor=False)
watched = trainings.watched(problems)
with st.container(key="training"):
    with st.container(key="training-form"):
        spec = settings.choose(stored, problems)
        settings.button(stored, spec)
    with st.container(key="training-watch"):
        watch.draw(watched, runs.newest(stored, *settings.chosen()))
choices.show(problems)

library.draw(stored, settings.chosen()[0])

st.subheader("Share this", anchor=False)
st.code(choices.permalink(), language=None, wrap_lines=True)
nav.settle()
