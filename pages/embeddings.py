"""Embeddings: the same rows under several methods, as linked maps."""

import streamlit as st

from pages.ui.embeddings import (
    colours,
    controls,
    map_scores,
    map_state,
    maps_component,
    neighbours,
    own_image,
    selection,
)
from pages.ui.shared import header, page_state, stored_runs
from pages.ui.shared.glossary import draw_text

header.begin_page("pages/embeddings.py")

stored, problems = stored_runs.list_runs()
problems = list(dict.fromkeys([*problems, *map_scores.take_problems()]))

st.title("Embeddings", anchor=False)
explanation = st.empty()
view = controls.choose(stored, problems)
notices = st.container()
if view is not None and view.maps:
    draw_text(map_scores.explain(view), explanation)
    pair = neighbours.choose_pair(view, problems) if view.colour == colours.OVERLAP else None
    values = colours.compute_values(view, pair, problems)
    own_points = own_image.draw(view)
    selection.select_linked(view, problems)
    positions = maps_component.read_selection(view.rows, problems)
    nearest = neighbours.find_nearest(view, positions)
    maps_component.draw(view.rows, map_scores.make_maps(view, nearest, own_points), positions, view.look, values)
    selection.remember(view, positions)
    map_state.offer_tsne(view)
    map_scores.draw_confusion(view, problems)
    selection.draw(view, positions, nearest)
    neighbours.draw_disagreement(view, pair)
    map_scores.draw_table(view)
    maps_component.send_pictures(view.rows)
with notices:
    page_state.show_problems(problems)

header.end_page()
if view is not None:
    map_scores.compute(view, problems)
