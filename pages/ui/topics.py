"""The section Maps of Documents: the same documents under each method, linked, and what is selected in them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core import maps
from core.figures.linked import Map
from core.maps import BY_PCA, DIRECT, Rows
from core.types import HourglassError, Run
from pages.ui import choices, compare, draws, linked, mapped, neighbours, opened, rebuilders, runs, selection, words
from pages.ui.loaded import rows_here
from pages.ui.runs import Line
from pages.ui.shown import Pick, Shown, View, points
from pages.ui.text import plain

_UNDER_A_MAP = ("knn_accuracy", "retrieval_precision_15")
_MOST_OFFERED = 200


def draw(view: compare.View, stored: Sequence[Run], problems: list[str]) -> None:
    explained = st.empty()
    rebuilders.absent(view)
    if not view.there:
        explained.markdown(rebuilders.none_trained(view))
        return
    rows = rows_here(view.entry, view.dataset_params, problems)
    if rows is None:
        explained.markdown(
            plain(
                f"The maps and words of {view.entry.label} need its documents. What was measured stands under "
                "Retrieval and Numbers."
            )
        )
        return
    found = of_rows(view, rows)
    explained.markdown(plain(_explanation(view, rows)))
    selection.linked_rows(found, problems)
    positions = linked.read(rows, problems)
    near = neighbours.near(found, positions)
    linked.draw(rows, _maps(found, near), positions)
    selection.remember(found, positions)
    position = _find(rows, positions)
    if position is not None:
        opened.draw(found, position)
    if len(positions) == 1:
        neighbours.of_one(found, int(positions[0]), near)
    elif len(positions):
        selection.draw(found, positions, near)
    linked.pictures(rows)


def of_rows(view: compare.View, rows: Rows) -> View:
    """The runs of the view with these rows, as the pages with linked maps take them."""
    return View(view.entry, rows, tuple(_shown(line, rows) for line in view.there), "class", is_aligned=False)


def _shown(line: Line, rows: Rows) -> Shown:
    spec = line.run.spec
    projection = DIRECT if spec.param("n_components") <= 2 else BY_PCA
    pick = Pick(spec, projection, is_default=line.run.key == line.candidates[0].key)
    try:
        maps.check_same_data(line.run, rows)
        found = points(line.stamp, rows.key, projection, line.run, rows)
    except HourglassError as problem:
        return Shown(pick, rows, np.full((len(rows), 2), np.nan, np.float32), "", problem=str(problem))
    return Shown(pick, rows, found, line.run.notes["map"], line.run, line.stamp)


def _explanation(view: compare.View, rows: Rows) -> str:
    """What is seen, and who is best at what where the rows can tell."""
    squeezed = "two numbers" if view.size == 2 else "one number" if view.size == 1 else f"{view.size} numbers"
    look = (
        "Look for classes that are mixed under one method and apart under another."
        if view.size <= 2
        else "The maps are projections of longer codes: two classes that lie on one another here may be apart there."
    )
    verdict = words.verdict(view.lines, {name: runs.best(view.lines, name) for name in _UNDER_A_MAP})
    return (
        f"The words of each document of {view.entry.label} through {squeezed}: {rows.drawn}, one colour a class. "
        f"{look} {verdict} Click a point to open the document below the maps, or drag around several."
    )


def _maps(view: View, near: dict[str, np.ndarray]) -> list[Map]:
    return [
        Map(
            each.pick.key,
            each.name,
            each.note,
            each.points,
            _figures(each),
            each.problem,
            near=tuple(near.get(each.pick.key, ())),
        )
        for each in view.shown
    ]


def _figures(each: Shown) -> tuple[tuple[str, str, str, str], ...]:
    if each.run is None:
        return ()
    return mapped.told(each.run.metrics, _UNDER_A_MAP)


def _find(rows: Rows, positions: np.ndarray) -> int | None:
    """The document to open: the selected one, or of several the one chosen by its title; and a way to one by chance."""
    offered = [int(k) for k in positions[:_MOST_OFFERED]]
    chosen = offered[0] if len(offered) == 1 else None
    with st.container(key="find-document", horizontal=True, vertical_alignment="bottom"):
        if len(offered) > 1:
            label = "Open one of the selected documents"
            chosen = opened.choose(rows, offered, "open", label, f"{len(positions):,} are selected")
        st.button("Open one by chance", key=choices.key("by-chance"), on_click=_by_chance, args=(rows,))
    return chosen


def _by_chance(rows: Rows) -> None:
    draws.another()
    drawn = np.random.default_rng(choices.remembered("draw")).integers(len(rows))
    linked.select(rows, [int(drawn)])
