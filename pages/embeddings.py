"""Embeddings: the same rows under several methods, as linked maps."""

from __future__ import annotations

import streamlit as st

from pages.ui import choices, embeddings, linked, mapped, nav, neighbours, own_point, projected, runs, selection

nav.header("pages/embeddings.py")
linked.prepare()

stored, problems = runs.stored()
problems = list(dict.fromkeys([*problems, *mapped.carried()]))

st.header("Embeddings", anchor=False)
explained = st.empty()
view = embeddings.choose(stored, problems)
notices = st.container()
if view is not None and view.shown:
    explained.markdown(mapped.explanation(view))
    both = neighbours.pair(view, problems)
    own = own_point.draw(view)
    selection.linked_rows(view, problems)
    positions = linked.read(view.rows, problems)
    near = neighbours.near(view, positions)
    linked.draw(
        view.rows,
        mapped.drawn(view, near, {key: each.point for key, each in own.items()}),
        positions,
        neighbours.values(both),
    )
    selection.remember(view, positions)
    projected.offer(view)
    selection.draw(view, positions, near)
    neighbours.where_two_disagree(view, both)
    mapped.table(view)
    linked.pictures(view.rows)
with notices:
    choices.show(problems)

choices.share()
if view is not None:
    mapped.measure(view, problems)
nav.settle()
