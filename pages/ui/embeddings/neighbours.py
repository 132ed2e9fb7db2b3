"""Nearest neighbours of a row under each method, and where two methods disagree on them."""

from collections.abc import Callable, Mapping, Sequence, Set
from itertools import combinations

import numpy as np
import streamlit as st

from core.analysis import neighbourhoods
from core.analysis.rows import Rows
from core.metrics.definitions import DEFINITIONS
from core.types import IMAGES, TABLES
from pages.ui.embeddings import maps_component
from pages.ui.embeddings.map_state import MapView, RunMap
from pages.ui.shared import header, page_state
from pages.ui.shared.html_blocks import make_columns, make_list, make_named_rows, make_note
from pages.ui.shared.images import montage
from pages.ui.shared.number_format import number
from pages.ui.shared.text import Markup, html, join_words, make_breakable, plain

NEAREST = 10
_LISTED = 24


def find_nearest(view: MapView, positions: np.ndarray) -> dict[str, np.ndarray]:
    """Key of a map -> positions of the rows nearest to the one selected row, by latent code."""
    if len(positions) != 1:
        return {}
    position, nearest = int(positions[0]), {}
    with header.show_errors():
        for run_map in view.drawable:
            Z = run_map.codes
            if np.isfinite(Z[position]).all():
                which, _ = neighbourhoods.find_nearest(Z[position], Z, NEAREST, leave_out=position)
                nearest[run_map.choice.key] = which
    return nearest


def draw_nearest(view: MapView, position: int, nearest: Mapping[str, np.ndarray]) -> None:
    """Draw the nearest neighbours of one row under each method, and how many the methods share."""
    rows = view.rows
    by_run = {shown.name: nearest[shown.choice.key] for shown in view.one_per_run if shown.choice.key in nearest}
    shared = set.intersection(*(set(which.tolist()) for which in by_run.values())) if len(by_run) > 1 else set()
    st.markdown(
        f"**The {NEAREST} nearest neighbours of {rows.name_row(position)}** by latent code, among the {len(rows):,} "
        f"{rows.noun}s drawn; a ring marks them in the maps. " + plain(_describe_shared(by_run, len(shared))),
        help="Euclidean distance of the latent codes, before projection to 2-D; nearest first.",
    )
    draw, make_rows = (make_strip, make_named_rows) if rows.kind == IMAGES else (_list_titles, make_columns)
    st.html(make_rows((name, "", draw(rows, which, shared)) for name, which in by_run.items()))


def _describe_shared(by_run: Mapping[str, np.ndarray], n_shared: int) -> str:
    if len(by_run) < 2:
        return ""
    if len(by_run) == 2:
        return f"Both methods share {n_shared} of {NEAREST}."
    pairs = [f"{a} and {b} {len(np.intersect1d(by_run[a], by_run[b]))}" for a, b in combinations(by_run, 2)]
    return f"All {len(by_run)} methods share {n_shared} of {NEAREST}; {join_words(pairs)}."


def _list_titles(rows: Rows, which: np.ndarray, shared: Set[int]) -> Markup:
    items = []
    for k in map(int, which):
        style, about = "hg-in" if k in shared else "", html(rows.texts[k][1] if rows.kind == TABLES else "")
        title = f'<span class="{style}" title="{about}">{make_breakable(rows.get_title(k))}</span>'
        items.append(title + make_note(rows.get_class(k)))
    return make_list(items)


def thin(positions: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the positions, evenly spread."""
    n = len(positions)
    return positions if n <= most else positions[np.linspace(0, n - 1, most).round().astype(int)]


def make_titles(rows: Rows, which: np.ndarray, describe: Callable[[int], str]) -> Markup:
    """HTML list of the rows' titles, each after its description."""
    items = [
        f'<span class="hg-note">{html(describe(k))}</span> {html(rows.texts[k][0] or rows.texts[k][1])}'
        for k in map(int, which)
    ]
    return make_list(items, "hg-titles")


def make_strip(
    rows: Rows, which: np.ndarray, framed: Set[int] = frozenset(), *, notes: Mapping[int, str] = {}, first: str = ""
) -> Markup:
    """HTML of the images of some rows side by side with class and note, after the picture `first`; some are framed."""
    cells = []
    for k in map(int, which):
        name, caption = rows.name_row(k), f"{rows.get_class(k)} {notes.get(k, '')}"
        picture = montage(rows.X[[k]], rows.image_shape, 1, name, "hg-near-image")
        cells.append(
            f'<span class="hg-near{" hg-shared" if k in framed else ""}" title="{html(name)}">'
            f"{picture}<small>{html(caption)}</small></span>"
        )
    return Markup(f'<div class="hg-nears">{first}{"".join(cells)}</div>')


def choose_pair(view: MapView, problems: list[str]) -> tuple[RunMap, RunMap] | None:
    """Draw the choice of two methods to compare."""
    offered = view.one_per_run
    if len(offered) < 2:
        problems.append("Disagreement compares the latent codes of two methods: choose maps of different runs.")
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        first = choose_run("between", "Disagreement between", offered, problems)
        second = choose_run("and", "and", [run_map for run_map in offered if run_map is not first], problems)
    return first, second


def choose_run(name: str, label: str, offered: Sequence[RunMap], problems: list[str]) -> RunMap:
    """Draw a choice among the runs of maps."""
    by_token = {run_map.choice.token: run_map for run_map in offered}
    tokens, look = list(by_token), {"format_func": lambda token: by_token[token].name, "width": 220}
    refused: list[str] = []
    chosen = by_token[page_state.choose_with(st.selectbox, name, label, tokens, tokens[0], refused, **look)]
    if refused:
        problems.append(f"The link asks for a map that is not shown: {chosen.name} is used.")
    return chosen


def compute_overlap(a: RunMap, b: RunMap) -> np.ndarray:
    """(n_rows,) average overlap of the neighbours of each row under two methods."""
    return _overlap(a.stamp, b.stamp, a.rows.key, a, b)


@st.cache_resource(max_entries=12, show_spinner="Comparing neighbourhoods …")
def _overlap(a_stamp, b_stamp, rows_key: str, _a: RunMap, _b: RunMap) -> np.ndarray:
    return neighbourhoods.compute_overlap(_a.codes, _b.codes)


def draw_disagreement(view: MapView, pair: tuple[RunMap, RunMap] | None) -> None:
    """Draw the rows whose neighbours two methods rank most differently."""
    if pair is None:
        return
    rows, shared = view.rows, compute_overlap(*pair)
    a, b = (run_map.name for run_map in pair)
    st.header("Where they disagree", anchor=False, help=plain(DEFINITIONS["neighbour_overlap"].help))
    placed = np.flatnonzero(np.isfinite(shared))
    if len(placed) == 0:
        st.markdown(plain(f"No row has a position under both {a} and {b}."))
        return
    lowest = placed[np.lexsort((placed, shared[placed]))][:_LISTED]
    depth = min(neighbourhoods.DEPTH, len(placed) - 1)
    mean = f"{number(float(shared[placed].mean()))} (n = {len(placed):,})"
    below = f"Below: the {len(lowest)} rows with the lowest."
    st.markdown(plain(f"Average overlap of the {depth} nearest neighbours under {a} and {b}: {mean}. {below}"))
    overlaps = {int(k): number(float(shared[k])) for k in lowest}
    if rows.kind == IMAGES:
        st.html(make_strip(rows, lowest, notes=overlaps))
    else:
        name = rows.name_row if rows.kind == TABLES else rows.get_class
        st.html(make_titles(rows, lowest, lambda k: f"{name(k)} · overlap {overlaps[k]}"))
    key, args = page_state.key("select-disagreeing"), (rows, lowest)
    st.button("Select these rows in the maps", key, on_click=maps_component.select, args=args)
