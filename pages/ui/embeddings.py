"""What the reader of Embeddings chooses: data set, rows, two to four maps, colours; and the maps these lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from core import datasets, maps, methods, store
from core.maps import BY_PCA, BY_TSNE, DIRECT, Rows
from core.types import BadInput, BrokenRun, HourglassError, Run, Spec
from pages.ui import choices, dataset_choice, links, projected, runs
from pages.ui.loaded import DEFAULT_COUNT, rows_here
from pages.ui.shown import PROJECTIONS, Pick, Shown, View, points
from pages.ui.text import plain, shortened

MOST_MAPS, FEWEST_MAPS = 4, 2
_COUNTS = ("500", "1000", "2000", "5000", "10000")
# Which methods a data set's first view shows.
_FIRST = ("pca", "lsa", "ae", "vae", "tsne", "gan", "linear_ae")
CLASSES, OVERLAP = "class", "overlap"
_SPLITS = {split: split.capitalize() for split in maps.SPLITS}
_SPLIT_HELP = "Test rows were not seen while training; train rows were."
_COLOUR_HELP = "Disagreement: how few of a row's 15 nearest neighbours two of the methods share."
_COLOURS = {CLASSES: "Class", OVERLAP: "Disagreement"}


def choose(stored: Sequence[Run], problems: list[str]) -> View | None:
    """Draw the choices and take the rows; None where the rows can't be had, which is said."""
    with st.container(key="choices", horizontal=True, vertical_alignment="bottom"):
        entry = datasets.entry(dataset_choice.choose(stored, problems))
        split = choices.segments("split", "Split", _SPLITS, problems, _SPLIT_HELP)
        n = _count(problems)
        colour = choices.segments("colour", "Colour", _COLOURS, problems, _COLOUR_HELP)
        is_aligned = _align()
    picks = _picks(stored, entry, problems)
    params = picks[0].spec.dataset_params if picks else entry.default_params
    try:
        rows = rows_here(entry, params, problems, split=split, n=n)
    except HourglassError as problem:
        st.error(plain(problem))
        return None
    if rows is None:
        return None
    return View(entry, rows, tuple(_shown(pick, rows) for pick in picks), colour, is_aligned)


def _count(problems: list[str]) -> int:
    widget = choices.key("rows")
    asked = choices.asked("rows")
    if asked is not None:
        st.session_state[widget] = asked
    elif widget not in st.session_state:
        st.session_state[widget] = str(choices.remembered("rows") or DEFAULT_COUNT)
    now = st.session_state[widget]
    text = st.selectbox(
        "Rows",
        [*_COUNTS, *([now] if now not in _COUNTS else [])],
        key=widget,
        format_func=lambda text: f"{int(text):,}" if text.isdecimal() and len(text) < 9 else shortened(text, 12),
        accept_new_options=True,
        width=130,
        help=f"How many rows are drawn, by stratified sampling: each class in about its share. From "
        f"{maps.FEWEST_ROWS} to {maps.MOST_ROWS:,}; type another number if you like.",
    )
    try:
        n = _whole(text)
        maps.check_count(n)
    except BadInput as problem:
        n = _nearest_count(text)
        problems.append(f"{problem} Shown are {n:,}.")
    choices.keep("rows", n)
    return n


def _whole(text: Any) -> int:
    cleaned = str(text or "").replace(",", "").strip()
    if not (cleaned.isascii() and cleaned.isdecimal() and len(cleaned) < 10):
        raise BadInput(f"“{shortened(text, 20)}” is no number of rows: it is a whole number, such as 2000.")
    return int(cleaned)


def _nearest_count(text: Any) -> int:
    try:
        return min(max(_whole(text), maps.FEWEST_ROWS), maps.MOST_ROWS)
    except BadInput:
        return DEFAULT_COUNT


def _align() -> bool:
    widget, asked = choices.key("align"), choices.asked("align")
    if asked is not None:
        st.session_state[widget] = asked == "yes"
    elif widget not in st.session_state:
        st.session_state[widget] = bool(choices.remembered("align"))
    chosen = st.toggle(
        "Align",
        key=widget,
        help="Turns, mirrors, shifts and scales every map as a whole to lie as near to the first as can be "
        "(Procrustes): what a method's axes mean is arbitrary, so nothing is lost.",
    )
    choices.keep("align", chosen, text="yes" if chosen else None)
    return chosen


def _picks(stored: Sequence[Run], entry: datasets.Entry, problems: list[str]) -> list[Pick]:
    offered = {pick.key: pick for pick in _offered(stored, entry)}
    memory = f"maps/{entry.name}"
    widget = choices.key(memory)
    if (asked := choices.asked("maps")) is not None:
        linked = _linked(asked, entry, list(offered.values()), problems)
        offered |= {pick.key: pick for pick in linked}
        st.session_state[choices.key("linked-maps")] = linked
        if linked:
            st.session_state[widget] = [pick.key for pick in linked]
    for pick in st.session_state.get(choices.key("linked-maps"), []):
        if pick.spec.dataset == entry.name:
            offered.setdefault(pick.key, pick)
    chosen = st.session_state.get(widget, choices.remembered(memory))
    chosen = [key for key in chosen if key in offered] if chosen is not None else None
    st.session_state[widget] = _first(list(offered.values())) if chosen is None else chosen
    picked = st.multiselect(
        "Maps",
        list(offered),
        key=widget,
        format_func=lambda key: offered[key].label if key in offered else key,
        max_selections=MOST_MAPS,
        placeholder="Choose two to four maps",
        help="A code of two numbers is a map as it is; a longer one is projected, by PCA or by t-SNE.",
    )
    picks = [offered[key] for key in picked]
    choices.keep("maps", picked, text=",".join(pick.token for pick in picks) or None, memory=memory)
    if len(offered) < FEWEST_MAPS:
        few = "Only one map" if offered else "No method"
        st.info(plain(f"{few} is trained on {entry.label} yet: {FEWEST_MAPS} to {MOST_MAPS} can be compared."))
        _to_training("Train a method on it", {"data": entry.name})
    elif len(picks) < FEWEST_MAPS:
        st.info(f"Choose {FEWEST_MAPS} to {MOST_MAPS} maps to compare them.")
    for pick in picks:
        if store.find(pick.spec.key) is None:
            _to_training(f"Train {pick.name}", {"spec": links.encode(pick.spec)})
    return picks


def _to_training(label: str, query: Mapping[str, str]) -> None:
    st.page_link("pages/training.py", label=plain(label), icon=":material/model_training:", query_params=dict(query))


def _offered(stored: Sequence[Run], entry: datasets.Entry) -> list[Pick]:
    offered: list[Pick] = []
    for method in methods.names(entry.kind):
        sizes = sorted({store.code_size(r) for r in stored if (r.spec.dataset, r.spec.method) == (entry.name, method)})
        for size in sizes:
            fitting = [r for r in store.pick(list(stored), entry.name, method, size) if store.code_size(r) == size]
            for k, run in enumerate(fitting):
                for projection in _projections(run.spec):
                    offered.append(Pick(run.spec, projection, k == 0))
    return offered


def _projections(spec: Spec) -> tuple[str, ...]:
    is_flat = spec.method == "tsne" or (spec.method != "gan" and spec.param("n_components") <= 2)
    return (DIRECT,) if is_flat else (BY_PCA, BY_TSNE)


def _first(offered: Sequence[Pick]) -> list[str]:
    """One map of each method, as flat a code as there is, those that the lecture compares first."""
    found = []
    for method in _FIRST:
        of_method = [pick for pick in offered if pick.spec.method == method and pick.projection != BY_TSNE]
        found += [min(of_method, key=lambda pick: pick.spec.param("n_components")).key] if of_method else []
    return found[:MOST_MAPS]


def _linked(text: str, entry: datasets.Entry, offered: Sequence[Pick], problems: list[str]) -> list[Pick]:
    by_token = {pick.token: pick for pick in offered}
    found: list[Pick] = []
    for token in text.split(",")[:MOST_MAPS]:
        try:
            pick = by_token.get(token) or _of_token(token, entry)
        except BadInput as problem:
            problems.append(str(problem))
            continue
        if pick.key not in [each.key for each in found]:
            found.append(next((each for each in offered if each.key == pick.key), pick))
    return found


def _of_token(token: str, entry: datasets.Entry) -> Pick:
    encoded, _, projection = token.rpartition(".")
    if not encoded or projection not in PROJECTIONS:
        raise BadInput(f"The link asks for the map “{shortened(token, 30)}”, which is not known.")
    method, _, size = encoded.partition("-")
    if method in methods.LISTED and size.isdecimal() and len(size) <= 3:
        raise BadInput(f"The link asks for {methods.label(method)} {size}-D, of which no run is stored here.")
    try:
        spec = links.decode(encoded)
    except BadInput:
        raise BadInput(f"The link asks for the map “{shortened(token, 30)}”, which is not known.") from None
    if spec.dataset != entry.name:
        raise BadInput("The link names a run of another data set: it is left out.")
    spec = links.checked(spec)
    if projection not in _projections(spec):
        raise BadInput(f"The link asks for the map “{shortened(token, 30)}”, which is not known.")
    return Pick(spec, projection, is_default=False)


def _shown(pick: Pick, rows: Rows) -> Shown:
    nowhere = np.full((len(rows), 2), np.nan, np.float32)
    if store.find(pick.spec.key) is None:
        return Shown(pick, rows, nowhere, "", problem="Not trained yet: see the link above.")
    try:
        run, stamp = runs.read(pick.spec.key)
        maps.check_same_data(run, rows)
        if "map" not in run.views:
            raise BrokenRun("This run holds no map.")
        if pick.projection == BY_TSNE:
            return projected.shown(pick, rows, run, stamp)
        found = points(stamp, rows.key, pick.projection, run, rows)
    except HourglassError as problem:
        return Shown(pick, rows, nowhere, "", problem=str(problem))
    is_empty = not np.isfinite(found).all(axis=1).any()
    why = f"It maps other rows: none of these {len(rows):,}." if is_empty else ""
    return Shown(pick, rows, found, run.notes["map"], run, stamp, why)
