"""The section Maps of Documents: linked maps of the same documents, and the selected ones."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

import numpy as np
import streamlit as st

from core import datasets
from core.analysis.rows import BY_PCA, DIRECT, Rows, check_same_data
from core.datasets import Entry, bag_of_words
from core.errors import HourglassError
from core.frontend.maps import Map
from core.types import DOCUMENTS, Run, as_floats
from pages.ui.compare import summary
from pages.ui.documents import document, stored_maps
from pages.ui.embeddings import map_scores, maps_component, neighbours, selection
from pages.ui.embeddings.map_state import MapChoice, MapView, RunMap, compute_points
from pages.ui.shared import page_state, stored_runs
from pages.ui.shared.run_picker import View
from pages.ui.shared.section import begin_section
from pages.ui.shared.stored_runs import Line
from pages.ui.shared.text import plain, shorten

_OF_MAPS = ("knn_accuracy", "retrieval_precision_15")
_MOST_OFFERED = 200
LONGEST_IN_A_LINK = 300  # letters of a query


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    with begin_section(view) as section:
        section.require(view.trained)
        is_absent, where = not datasets.is_available(view.entry.name), "Metrics are in the section Measures."
        if is_absent and _draw_stored(view) and not datasets.can_fetch(view.entry.name):
            files, folder = datasets.get_expected_files(view.entry.name)
            section.end(
                f"Stored maps: the documents of {view.entry.label} may not be handed on. To open one, put {files} in "
                f"{folder}. {where}"
            )
        rows = section.find_rows(problems, f"To open a document, {view.entry.label} is needed. {where}")
        maps = make_view(view, rows)
        look = maps_component.read_look(rows, [run_map.choice.key for run_map in maps.maps], problems)
        help = "Maps are projections to 2-D: overlapping here does not mean overlapping in the code."
        winners = {name: stored_runs.find_best(view.lines, name) for name in _OF_MAPS}
        found = summary.describe_winners(view.lines, winners)
        section.explain(f"{_explain(view, rows)} {found}", help if view.size > 2 else None)
        selection.select_linked(maps, problems)
        positions = maps_component.read_selection(rows, problems)
        nearest = neighbours.find_nearest(maps, positions)
        text, query = _read_query(view.entry, rows)
        stars = _embed_query(query, maps.drawable)
        maps_component.draw(rows, _make_maps(maps, nearest, stars), positions, look)
        if stars:
            st.caption(plain(f"★ Your query: “{shorten(text, 80)}”."))
        selection.remember(maps, positions)
        position = _choose_document(rows, positions)
        if position is not None:
            document.draw(maps, position, query.known if query else ())
        if len(positions) == 1:
            neighbours.draw_nearest(maps, int(positions[0]), nearest)
        elif len(positions):
            selection.draw(maps, positions, nearest)
        maps_component.send_pictures(rows)


def _draw_stored(view: View) -> bool:
    """Draw the stored maps, whose documents are absent; returns whether there are any."""
    runs = stored_maps.select_drawable([line.run for line in view.trained])
    titles = {line.run.key: line.title for line in view.trained}
    if runs:
        message = stored_maps.make_message(
            f"stored-{view.entry.name}-{view.size}", {titles[run.key]: run for run in runs}
        )
        stored_maps.draw(message, "documents-stored-maps")
    return bool(runs)


def make_view(view: View, rows: Rows) -> MapView:
    """The maps of the view's runs with these rows."""
    return MapView(view.entry, rows, tuple(_make_map(line, rows) for line in view.trained), "class", is_aligned=False)


def _make_map(line: Line, rows: Rows) -> RunMap:
    spec = line.run.spec
    projection = DIRECT if spec.param("n_components") <= 2 else BY_PCA
    choice = MapChoice(spec, projection, line.run.key == line.candidates[0].key, line.is_here)
    try:
        check_same_data(line.run, rows)
        points = compute_points(line.run, line.stamp, rows)
    except HourglassError as problem:
        return RunMap(choice, rows, np.full((len(rows), 2), np.nan, np.float32), "", problem=str(problem))
    return RunMap(choice, rows, points, line.run.notes["map"], line.run, line.stamp)


def _explain(view: View, rows: Rows) -> str:
    size = {1: "one dimension", 2: "two dimensions"}.get(view.size, f"{view.size} dimensions")
    shown = f"{rows.summary} of {view.entry.label}"
    return f"Each document's word counts, compressed to {size}: {shown}, one colour per class."


def name_memory(entry: Entry) -> str:
    """The name under which the query of a data set is remembered."""
    return f"query/{entry.name}"


def keep_query(entry: Entry, text: str) -> None:
    """Remember a query and write it into the address, if it is short enough."""
    in_link = text if 0 < len(text) <= LONGEST_IN_A_LINK else None
    page_state.keep("query", text, text=in_link, memory=name_memory(entry))


def _read_query(entry: Entry, rows: Rows) -> tuple[str, bag_of_words.Query | None]:
    """The link's or the last query: its text and its words; None without a known word."""
    text = page_state.read_link("query") or page_state.recall(name_memory(entry)) or ""
    if text:
        keep_query(entry, text)
    query = bag_of_words.parse_query(text, rows.vocabulary)
    return text, query if query.known else None


def _embed_query(query: bag_of_words.Query | None, maps: Sequence[RunMap]) -> dict[str, np.ndarray]:
    """Key of a map -> position of the query, (2,); a code of zeros has none."""
    points = {}
    for run_map in maps if query else ():
        with suppress(HourglassError):
            code = run_map.estimator().transform(as_floats(query.counts, DOCUMENTS))
            if np.any(code):
                points[run_map.choice.key] = run_map.plane.points(code)[0]
    return points


def _make_maps(view: MapView, nearest: Mapping[str, np.ndarray], stars: Mapping[str, np.ndarray]) -> list[Map]:
    maps = []
    for run_map in view.maps:
        key, metrics = run_map.choice.key, run_map.run.metrics if run_map.run else {}
        scores = map_scores.format_scores(metrics, _OF_MAPS, view.rows.kind)
        shown = key, run_map.name, run_map.note, run_map.points, scores, run_map.problem
        maps.append(Map(*shown, star=stars.get(key), near=tuple(nearest.get(key, ()))))
    return maps


def _choose_document(rows: Rows, positions: np.ndarray) -> int | None:
    """Draw the choice of a selected or random document; returns its position."""
    offered = [int(k) for k in positions[:_MOST_OFFERED]]
    chosen = offered[0] if len(offered) == 1 else None
    with st.container(key="find-document", horizontal=True, vertical_alignment="bottom"):
        if len(offered) > 1:
            widget, label = page_state.key("open"), "Open one of the selected documents"
            if st.session_state.get(widget) not in offered:
                st.session_state[widget] = None
            title = lambda k: f"{shorten(rows.texts[k][0], 70)} · {rows.get_class(k)}"
            look = {"format_func": title, "placeholder": f"{len(positions):,} are selected", "width": 520}
            chosen = st.selectbox(label, offered, key=widget, **look)
        st.button("Open a random document", key=page_state.key("by-chance"), on_click=_select_random, args=(rows,))
    return chosen


def _select_random(rows: Rows) -> None:
    page_state.advance_seed()
    drawn = np.random.default_rng(page_state.recall("draw")).integers(len(rows))
    maps_component.select(rows, [int(drawn)])
