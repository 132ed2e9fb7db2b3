"""Neighbourhoods: of one row under each method, and the rows of which two methods think most differently."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from itertools import combinations

import numpy as np
import streamlit as st

from core import maps
from core.figures import rasters
from core.figures.linked import Values
from core.metrics import DEFINITIONS
from core.types import IMAGES
from pages.ui import choices, embeddings, linked, nav
from pages.ui.numbers import number
from pages.ui.pictures import image
from pages.ui.shown import Shown, View
from pages.ui.text import Markup, breakable, html, listed, plain

NEAREST = 10
_LISTED = 24


# --- One row ------------------------------------------------------------------------------------------------------


def near(view: View, positions: np.ndarray) -> dict[str, np.ndarray]:
    """Positions of the ten rows nearest to the one selected, in each map's code, by the map's key."""
    if len(positions) != 1:
        return {}
    at, found = int(positions[0]), {}
    with nav.in_words():
        for each in view.there:
            Z = each.codes
            if np.isfinite(Z[at]).all():
                found[each.pick.key] = maps.nearest_to(Z[at], Z, NEAREST, leave_out=at)[0]
    return found


def of_one(view: View, position: int, found: Mapping[str, np.ndarray]) -> None:
    """The ten nearest neighbours of one row in each method's code, and how many of them the methods share."""
    rows = view.rows
    of_runs = {each.name: found[each.pick.key] for each in view.of_runs if each.pick.key in found}
    everywhere = set.intersection(*map(set, map(np.ndarray.tolist, of_runs.values()))) if len(of_runs) > 1 else set()
    kind = "row" if rows.kind == IMAGES else "document"
    st.markdown(
        f"**The {NEAREST} nearest neighbours of {rows.split} {kind} {rows.numbers[position]:,}** in each method's "
        f"code, among the {len(rows):,} {kind}s shown, nearest first; a ring marks them in the maps. "
        + plain(_shared(of_runs, len(everywhere))),
        help="By Euclidean distance of the codes, before any projection to the plane.",
    )
    draw, style = (_images, "hg-rebuilds") if rows.kind == IMAGES else (_documents, "hg-answers")
    found_by = "".join(draw(rows, name, which, everywhere) for name, which in of_runs.items())
    st.html(Markup(f'<div class="{style}">{found_by}</div>'))


def _shared(of_runs: dict[str, np.ndarray], of_all: int) -> str:
    if len(of_runs) < 2:
        return ""
    pairs = [f"{a} and {b} {len(np.intersect1d(of_runs[a], of_runs[b]))}" for a, b in combinations(of_runs, 2)]
    if len(of_runs) == 2:
        return f"Both share {of_all} of {NEAREST}."
    return f"All {len(of_runs)} methods share {of_all} of {NEAREST}; {listed(pairs)}."


def _images(rows: maps.Rows, name: str, which: np.ndarray, everywhere: set[int]) -> str:
    images = strip(rows, which, everywhere)
    return f'<div class="hg-rebuilt"><div><b>{html(name)}</b></div><div class="hg-nears">{images}</div></div>'


def _documents(rows: maps.Rows, name: str, which: np.ndarray, everywhere: set[int]) -> str:
    lines = (
        f'<li><span class="{"hg-in" if k in everywhere else ""}">{breakable(rows.texts[k][0])}</span>'
        f'<div class="hg-note">{html(rows.class_of(k))}</div></li>'
        for k in map(int, which)
    )
    return f"<div><b>{html(name)}</b><ol>{''.join(lines)}</ol></div>"


def titles(rows: maps.Rows, which: np.ndarray, about: Callable[[int], str]) -> str:
    """Titles of some documents as a list, a few words about each before it."""
    lines = (
        f'<li><span class="hg-note">{html(about(k))}</span> {html(rows.texts[k][0])}</li>' for k in map(int, which)
    )
    return f'<ol class="hg-titles">{"".join(lines)}</ol>'


def strip(
    rows: maps.Rows, which: np.ndarray, framed: Set[int] = frozenset(), beside: Mapping[int, str] | None = None
) -> str:
    """Images of some rows side by side with their class, some framed, perhaps with a word beside the class."""
    cells = []
    for k in map(int, which):
        about = f"{rows.split} row {rows.numbers[k]}"
        below = " ".join(filter(None, [rows.class_of(k), (beside or {}).get(k, "")]))
        cells.append(
            f'<span class="hg-near{" hg-shared" if k in framed else ""}" title="{html(about)}">'
            f"{image(_picture(rows, k), about, 'hg-near-image')}<small>{html(below)}</small></span>"
        )
    return "".join(cells)


def _picture(rows: maps.Rows, k: int) -> bytes:
    return rasters.png(rasters.montage(rows.X[[k]], rows.image_shape, 1, cell=56))


# --- Disagreement -------------------------------------------------------------------------------------------------


def pair(view: View, problems: list[str]) -> tuple[Shown, Shown] | None:
    """Which two methods are held against each other; drawn where the maps are coloured by it."""
    offered = {each.pick.key: each for each in view.of_runs}
    if view.colour != embeddings.OVERLAP:
        return None
    if len(offered) < 2:
        problems.append("Disagreement needs the codes of two methods: choose two maps of different runs.")
        return None
    keys = list(offered)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = _one_of("between", "Disagreement between", keys, keys[0], offered)
        others = [key for key in keys if key != first]
        second = _one_of("and", "and", others, others[0], offered)
    return offered[first], offered[second]


def _one_of(name: str, label: str, keys: list[str], default: str, offered: dict[str, Shown]) -> str:
    names = {key: offered[key].name for key in keys}
    tokens = {offered[key].pick.token: key for key in keys}
    asked = choices.asked(name)
    if asked in tokens:
        st.session_state[choices.key(name)] = tokens[asked]
    elif st.session_state.get(choices.key(name)) not in keys:
        known = choices.remembered(name)
        st.session_state[choices.key(name)] = known if known in keys else default
    chosen = st.selectbox(label, keys, key=choices.key(name), format_func=names.get, width=220)
    choices.keep(name, chosen, text=offered[chosen].pick.token)
    return chosen


def values(both: tuple[Shown, Shown] | None) -> Values | None:
    """What the maps are coloured by."""
    if both is None:
        return None
    label = f"Disagreement of {both[0].name} and {both[1].name}"
    return Values(label, 1 - _overlap(both), 0.0, 1.0, ("same neighbours 0", "1 no neighbour shared"))


def _overlap(both: tuple[Shown, Shown]) -> np.ndarray:
    a, b = both
    return _cached_overlap(a.stamp, b.stamp, a.rows.key, a, b)


@st.cache_resource(max_entries=12, show_spinner="Comparing the neighbourhoods …")
def _cached_overlap(a_stamp, b_stamp, rows_key: str, _a: Shown, _b: Shown) -> np.ndarray:
    return maps.overlap(_a.codes, _b.codes)


def where_two_disagree(view: View, both: tuple[Shown, Shown] | None) -> None:
    """The rows of which two methods think most differently, as a list, and what they are."""
    if both is None:
        return
    rows, shared = view.rows, _overlap(both)
    a, b = (each.name for each in both)
    st.subheader("Where they disagree", anchor=False, help=plain(DEFINITIONS["neighbour_overlap"].help))
    known = np.flatnonzero(np.isfinite(shared))
    if len(known) == 0:
        st.markdown(plain(f"No row has a place under both {a} and {b}."))
        return
    most = known[np.lexsort((known, shared[known]))][:_LISTED]
    apart = int((shared[known] == 0).sum())
    st.markdown(
        plain(
            f"On average {a} and {b} share {number(float(shared[known].mean()))} of a row's neighbourhood (Jaccard "
            f"index of the {maps.K} nearest, {len(known):,} rows); of {apart:,} rows they share no neighbour. Below "
            f"are the {len(most)} rows with the least in common."
        )
    )
    said = {int(k): number(float(shared[k])) for k in most}
    if rows.kind == IMAGES:
        st.html(Markup(f'<div class="hg-nears">{strip(rows, most, beside=said)}</div>'))
    else:
        st.html(Markup(titles(rows, most, lambda k: f"{rows.class_of(k)} · shares {said[k]}")))
    st.button(
        "Select these rows in the maps",
        key=choices.key("select-disagreeing"),
        on_click=linked.select,
        args=(rows, [int(k) for k in most]),
    )
