"""Embeddings: the same rows under several methods, as linked maps."""

from __future__ import annotations

import streamlit as st

from pages.ui import choices, embeddings, linked, nav, runs, selection

nav.header("pages/embeddings.py")

stored, problems = runs.stored()
problems = list(problems)

st.header("Embeddings", anchor=False)
explained = st.empty()
view = embeddings.choose(stored, problems)
if view is not None and view.shown:
    linked.pictures(view.rows)
    explained.markdown(embeddings.explanation(view))
    positions = linked.draw(view.rows, embeddings.drawn(view), problems)
    selection.draw(view, positions)
choices.show(problems)

st.subheader("Share this", anchor=False)
st.code(choices.permalink(), language=None, wrap_lines=True)
nav.settle()
