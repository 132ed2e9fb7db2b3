"""The maps as sent to the front end, their scores, confusion matrices and measures."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core import cache
from core.analysis import neighbourhoods, projection
from core.frontend.maps import Map
from core.metrics.definitions import get_definition
from core.types import ROW_NAMES, TABLES
from pages.ui.embeddings import confusion_matrices, maps_component
from pages.ui.embeddings.map_state import MapView, RunMap
from pages.ui.embeddings.own_image import OwnPoint
from pages.ui.shared import diagnoses, header, page_state, stored_runs, tables
from pages.ui.shared.number_format import counted, interval, number
from pages.ui.shared.text import plain

_OF_CODES = ("knn_accuracy", "probe_accuracy", "trustworthiness", "continuity", "silhouette")
_OF_CODES += ("kmeans_ari", "kmeans_nmi")
_OF_MAPS = ("map_knn_accuracy", "map_trustworthiness")
_SCORES, _PROBLEMS, _CONFUSION = "hourglass.scored", "hourglass.carried", "confusion"
# Name, value, interval and n, and help of a score.
Score = tuple[str, str, str, str]


def explain(view: MapView) -> str:
    """What is shown, in two sentences."""
    text = f"{view.entry.label}: {view.rows.summary}, the same in every map."
    return f"{text} In a good embedding, similar rows are close."


def _list_scores(run_map: RunMap) -> tuple[Score, ...]:
    """The scores below a map; they may not be computed yet, see `compute`."""
    if run_map.problem:
        return ()
    if (scores := _keep_scores(run_map)) is None:
        return (("", "computing …", "", ""),)
    # Which classes were scored, if not all.
    n_all = len(np.unique(run_map.rows.y))
    classes = f", {n_all - len(run_map.hidden)} of {n_all} classes" if run_map.hidden else ""
    formatted = format_scores(scores, _OF_MAPS, run_map.rows.kind)
    notes = {get_definition(_OF_MAPS[0], run_map.rows.kind).label: _describe_baseline(run_map)}
    return tuple((name, value, f"{note}{classes}{notes.get(name, '')}", help) for name, value, note, help in formatted)


def _describe_baseline(run_map: RunMap) -> str:
    """The accuracy of the most frequent class among the labelled rows of a table; classes are often of other sizes."""
    y = run_map.rows.y
    y = y[(y >= 0) & ~np.isin(y, run_map.hidden)]
    if run_map.rows.kind != TABLES or not len(y):
        return ""
    return f", most frequent class {number(np.bincount(y).max() / len(y))}"


def format_scores(metrics: Mapping[str, Any], names: Sequence[str], kind: str) -> tuple[Score, ...]:
    """Those of the named metrics that were computed."""
    scores = []
    for name in [name for name in names if name in metrics]:
        definition, note = get_definition(name, kind), f"{interval(metrics, name)}, {counted(metrics, name)}"
        scores.append((definition.label, number(metrics[name].value), note, definition.help))
    return tuple(scores)


def _keep_scores(run_map: RunMap, read: Callable[..., Any] = neighbourhoods.read_scores) -> dict[str, Any] | None:
    # Kept in the session too, in case the cache can't be written.
    return page_state.keep_computed(_SCORES, run_map.points_key, lambda: read(run_map.seen, run_map.rows), 64)


def take_problems() -> list[str]:
    """The problems that the page showed before `compute` had it drawn again."""
    return st.session_state.pop(_PROBLEMS, [])


def compute(view: MapView, problems: Sequence[str]) -> None:
    """Compute the missing scores of the maps, once these are drawn, and draw the page again."""
    if missing := [run_map for run_map in view.drawable if _keep_scores(run_map) is None]:
        with st.spinner("Computing the scores of the maps …"):
            for run_map in missing:
                _keep_scores(run_map, neighbourhoods.score_map)
        st.session_state[_PROBLEMS] = list(problems)
        st.rerun()


def draw_table(view: MapView) -> None:
    """Draw known failures of the runs and, in a drawer, the measures of their latent codes."""
    maps = {run_map.run.key: run_map for run_map in view.maps if run_map.run}.values()
    lines = [stored_runs.Line(m.choice.spec.method, m.name, run=m.run, stamp=m.stamp) for m in maps]
    if not lines:
        return
    for line in lines:
        diagnoses.draw(line.label, line.run)
    drawer = st.expander("Embedding quality: all measures", key=page_state.key("quality"), on_change="rerun")
    if drawer.open:
        about = "Computed on the latent codes before projection, on all test rows unless n says otherwise. "
        with drawer:
            st.markdown(f"{about}t-SNE has no latent code; its 2-D map is used.")
            tables.draw_measures(lines, _OF_CODES, "measures")


def make_maps(view: MapView, nearest: Mapping[str, np.ndarray], own_points: Mapping[str, OwnPoint]) -> list[Map]:
    """The maps as the front end takes them, with marked rows and the visitor's own point."""
    reference = next((run_map.points for run_map in view.drawable), None)
    maps: list[Map] = []
    for run_map in view.maps:
        key, points = run_map.choice.key, run_map.points
        star = own_points[key].point if key in own_points else None
        turn = projection.align(points, reference) if view.is_aligned and not run_map.problem else None
        if turn is not None:
            points, star = turn.points(points), None if star is None else turn.points(star[None])[0]
        remark = "can't embed your image" if key in own_points and star is None else ""
        note = f"{run_map.note}, aligned to the first map" if turn is not None and maps else run_map.note
        marked = tuple(nearest.get(key, ()))
        maps.append(Map(key, run_map.name, note, points, _list_scores(run_map), run_map.problem, remark, star, marked))
    return maps


def draw_confusion(view: MapView, problems: list[str]) -> None:
    """Draw the drawer of confusion matrices of the maps or latent codes, for the classes shown."""
    rows = view.rows
    if not rows.has_labels or not view.drawable:
        return
    widget = page_state.key(_CONFUSION)
    if (linked := page_state.read_link(_CONFUSION)) is not None:
        st.session_state[widget] = linked == "yes"
    st.session_state.setdefault(widget, bool(page_state.recall(_CONFUSION)))
    drawer = st.expander("Confusion matrices", key=widget, on_change="rerun")
    page_state.keep(_CONFUSION, bool(drawer.open), text="yes" if drawer.open else None)
    if not drawer.open:
        return
    with drawer, header.show_errors():
        spaces = {"map": "2-D map", "code": "Latent code"}
        space = page_state.choose("space", "Look for neighbours in", spaces, problems)
        if space == "map":
            codes = {run_map.choice.label: run_map.seen for run_map in view.drawable}
        else:
            codes = {run_map.name: run_map.codes for run_map in view.one_per_run}
        y = np.where(np.isin(rows.y, view.look.hidden), -1, rows.y)
        where = "the 2-D map" if space == "map" else "the latent code"
        key = cache.make_key(rows.key, view.look.hidden, space, list(codes))

        def select(positions: np.ndarray) -> None:
            maps_component.select(rows, positions)
            st.rerun()

        about = where, ROW_NAMES[rows.kind], rows.dataset, lambda: rows, select
        data = confusion_matrices.ClassifiedRows(key, y, rows.target_names, rows.numbers, codes, *about)
        confusion_matrices.draw(data, problems)
        if len(data.labels) > 2 and (pair := page_state.recall(f"pair/{rows.dataset}")):
            a, b = map(data.name_class, pair)
            label, key = plain(f"Show only {a} and {b} in the maps"), page_state.key("only-pair")
            st.button(label, key, on_click=maps_component.show_only, args=(rows, pair))
