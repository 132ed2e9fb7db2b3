"""The maps as the front end takes them, the numbers under each, and what each code keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core import maps
from core.figures.linked import Map
from core.metrics import DEFINITIONS
from pages.ui import measures, runs
from pages.ui.numbers import counted, interval, number
from pages.ui.shown import Shown, View, one_a_run
from pages.ui.text import plain

_OF_CODES = (
    "knn_accuracy",
    "probe_accuracy",
    "trustworthiness",
    "continuity",
    "silhouette",
    "kmeans_ari",
    "kmeans_nmi",
)
_UNDER_A_MAP = ("map_knn_accuracy", "map_trustworthiness")
_SCORED, _MOST_SCORED = "hourglass.scored", 64
_CARRIED = "hourglass.carried"


def figures(each: Shown) -> tuple[tuple[str, str, str, str], ...]:
    """The numbers under a map: name, value, interval and n, help. They may not be measured yet, see `measure`."""
    if each.problem:
        return ()
    measured = _kept_scores(each)
    if measured is None:
        return (("", "measuring …", "", ""),)
    return told(measured, _UNDER_A_MAP)


def told(measured: Mapping[str, Any], names: Sequence[str]) -> tuple[tuple[str, str, str, str], ...]:
    """Name, value, interval and n, help of each of these figures that was measured."""
    return tuple(
        (
            DEFINITIONS[name].label,
            number(measured[name]),
            f"{interval(measured, name)}, {counted(measured, name)}",
            DEFINITIONS[name].help,
        )
        for name in names
        if name in measured
    )


def _kept_scores(each: Shown) -> dict[str, Any] | None:
    measured = st.session_state.setdefault(_SCORED, {})
    if each.points_key not in measured:
        found = maps.kept_scores(each.points, each.rows)
        if found is None:
            return None
        _keep_scores(each, found)
    return measured[each.points_key]


def _keep_scores(each: Shown, found: dict[str, Any]) -> None:
    measured = st.session_state[_SCORED]
    measured[each.points_key] = found
    while len(measured) > _MOST_SCORED:
        measured.pop(next(iter(measured)))


def carried() -> list[str]:
    """Problems that the page told before it was drawn again, see `measure`."""
    return st.session_state.pop(_CARRIED, [])


def measure(view: View, problems: Sequence[str]) -> None:
    """Measure what the maps that are drawn by now keep, where that is not known yet, and draw the page again."""
    missing = [each for each in view.there if _kept_scores(each) is None]
    if not missing:
        return
    with st.spinner("Measuring the maps …"):
        # Kept here too: where the cache can't be written they would be missing again.
        for each in missing:
            _keep_scores(each, maps.scores(each.points, each.rows))
    st.session_state[_CARRIED] = list(problems)
    st.rerun()


def table(view: View) -> None:
    """What each code keeps, one column a run."""
    of_runs = one_a_run(each for each in view.shown if each.run)
    lines = [runs.Line(each.pick.spec.method, each.name, run=each.run, stamp=each.stamp) for each in of_runs]
    if not lines:
        return
    st.subheader("What each code keeps", anchor=False)
    st.markdown(
        "Of the codes before any projection, on all test rows or on as many as stand under the number, as on the page "
        "Compare. t-SNE has no code: its map stands for it, on the rows it holds. Open a measure to read how it is "
        "computed."
    )
    st.html(measures.table(lines, _OF_CODES))


def drawn(view: View, near: Mapping[str, np.ndarray], stars: Mapping[str, np.ndarray | None]) -> list[Map]:
    """The maps as the front end takes them."""
    reference = next((each.points for each in view.there), None)
    found = []
    for each in view.shown:
        points, star = each.points, stars.get(each.pick.key)
        turn = maps.alignment(points, reference) if view.is_aligned and not each.problem else None
        if turn is not None:
            points, star = turn.points(points), None if star is None else turn.points(star[None])[0]
        remark = "can't place your point" if each.pick.key in stars and star is None else ""
        note = f"{each.note}, aligned to the first map" if turn is not None and found else each.note
        marked = tuple(near.get(each.pick.key, ()))
        found.append(Map(each.pick.key, each.name, note, points, figures(each), each.problem, remark, star, marked))
    return found


def explanation(view: View) -> str:
    """What is seen, in two sentences."""
    rows = view.rows
    alike = "alike, such as those of one class," if rows.has_labels else "alike"
    return plain(
        f"{view.entry.label}: {rows.drawn}, the same in every map. A map keeps the data well where rows that are "
        f"{alike} lie together."
    )
