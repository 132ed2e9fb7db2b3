"""The choices of Embeddings: data set, rows, one to four maps, colours."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core import datasets, methods
from core.analysis.rows import BY_PCA, BY_TSNE, DIRECT, FEWEST_ROWS, MOST_ROWS, SPLITS, check_count
from core.datasets import checksums
from core.errors import BadInput, HourglassError
from core.runs import selection, store
from core.types import Run, Spec
from pages.ui.embeddings import colours, maps_component
from pages.ui.embeddings.map_state import MapChoice, MapView, make_map
from pages.ui.shared import cached, page_state, permalinks, run_picker, stored_runs
from pages.ui.shared.cached import DEFAULT_COUNT, find_rows
from pages.ui.shared.text import plain, shorten

_MOST_MAPS = 4
_COUNTS = (500, 1000, 2000, 5000, 10_000, 20_000, 50_000)
_SPLITS = {split: split.capitalize() for split in SPLITS}
_SPLIT_HELP = "Training rows were used to fit the methods, test rows were not."
_ALIGNED = {"no": "As fitted", "yes": "Aligned"}
_ALIGN_HELP = (
    "Aligned: each map is rotated, reflected, shifted and scaled as a whole to fit the first (Procrustes). The "
    "orientation of a map carries no information."
)


def choose(stored: Sequence[Run], problems: list[str]) -> MapView | None:
    """Draw the choices and return their view; None, with a message, if the rows can't be loaded."""
    choices_row = st.container(key="choices", horizontal=True, vertical_alignment="bottom")
    with choices_row:
        entry = datasets.entry(run_picker.choose_dataset(stored, problems))
        cached.find_copy(entry.name, entry.default_params)
        split = page_state.choose("split", "Split", _SPLITS, problems, _SPLIT_HELP)
        n = _choose_count(entry.kind, problems)
        is_aligned = page_state.choose("align", "Orientation", _ALIGNED, problems, _ALIGN_HELP) == "yes"
    choices = _choose_maps(stored, entry, problems)
    params = choices[0].spec.dataset_params if choices else entry.default_params
    try:
        rows = find_rows(entry, params, problems, split=split, n=n)
    except HourglassError as problem:
        st.error(plain(problem))
        return None
    if rows is None:
        return None
    with choices_row:
        colour = colours.choose(rows, problems)
    look = maps_component.read_look(rows, [choice.key for choice in choices], problems)
    maps = tuple(make_map(choice, rows, look.hidden) for choice in choices)
    return MapView(entry, rows, maps, colour, is_aligned, look)


def _choose_count(kind: str, problems: list[str]) -> int:
    memory, most = f"rows/{kind}", MOST_ROWS[kind]
    widget = page_state.key(memory)
    if (linked := page_state.read_link("rows")) is not None:
        st.session_state[widget] = linked
    value = st.session_state.setdefault(widget, str(page_state.recall(memory) or DEFAULT_COUNT))
    about = f"Number of rows drawn, stratified by class: {FEWEST_ROWS} to {most:,}. Other numbers can be typed."
    shown = lambda text: f"{int(text):,}" if text.isdecimal() and len(text) < 9 else shorten(text, 12)
    look = {"format_func": shown, "accept_new_options": True, "width": 130, "help": about}
    text = st.selectbox(
        "Rows", list(dict.fromkeys([*(str(count) for count in _COUNTS if count <= most), value])), key=widget, **look
    )
    n, cleaned = DEFAULT_COUNT, str(text or "").replace(",", "").strip()
    try:
        if not (cleaned.isascii() and cleaned.isdecimal() and len(cleaned) < 10):
            raise BadInput(f"“{shorten(text, 20)}” is not a number of rows: it must be a whole number, such as 2000.")
        n = min(max(int(cleaned), FEWEST_ROWS), most)
        check_count(int(cleaned), kind)
    except BadInput as problem:
        problems.append(f"{problem} Shown: {n:,}.")
    page_state.keep("rows", n, memory=memory)
    return n


def _choose_maps(stored: Sequence[Run], entry: datasets.Entry, problems: list[str]) -> list[MapChoice]:
    offered = {choice.key: choice for choice in _list_choices(stored, entry)}
    memory = f"maps/{entry.name}"
    widget = page_state.key(memory)
    linked = st.session_state.setdefault(page_state.key("linked-maps"), {})
    if (link := page_state.read_link("maps")) is not None:
        linked[entry.name] = _parse_choices(link, entry, list(offered.values()), problems)
        if linked[entry.name]:
            st.session_state[widget] = [choice.key for choice in linked[entry.name]]
    for choice in linked.get(entry.name, ()):
        offered.setdefault(choice.key, choice)
    keys = st.session_state.get(widget, page_state.recall(memory))
    keys = _list_first(list(offered.values())) if keys is None else keys
    st.session_state[widget] = [key for key in keys if key in offered]
    look = {"max_selections": _MOST_MAPS, "select_all": False, "placeholder": "Choose one to four maps"}
    look["help"] = "2-D latent codes are shown as they are, longer ones projected to 2-D by PCA or t-SNE."
    name = lambda key: offered[key].label if key in offered else key
    keys = st.multiselect("Maps", list(offered), key=widget, format_func=name, **look)
    choices = [offered[key] for key in keys]
    page_state.keep("maps", keys, text=",".join(choice.token for choice in choices) or None, memory=memory)
    if not offered:
        st.info(plain(f"No method is trained on {entry.label} yet."))
        stored_runs.link_training("Train a method", {"data": entry.name})
    elif not choices:
        st.info("No map is chosen.")
    for choice in choices:
        if store.find_place(choice.spec.key) is None or not choice.is_here:
            query = {"spec": permalinks.encode(choice.spec)}
            stored_runs.link_training(f"Train {replace(choice, is_here=True).name}", query)
    return choices


def _list_choices(stored: Sequence[Run], entry: datasets.Entry) -> list[MapChoice]:
    choices: list[MapChoice] = []
    for method in methods.names(entry.kind):
        of_method = [run for run in stored if (run.spec.dataset, run.spec.method) == (entry.name, method)]
        for size in sorted(set(map(selection.code_size, of_method))):
            runs = selection.select_runs(list(stored), entry.name, method, size)
            for k, run in enumerate(run for run in runs if selection.code_size(run) == size):
                for projection in _list_projections(run.spec):
                    choices.append(MapChoice(run.spec, projection, k == 0, checksums.is_here(run)))
    return choices


def _list_projections(spec: Spec) -> tuple[str, ...]:
    method = methods.entry(spec.method)
    is_flat = method.maps_rows or (method.encodes and spec.param("n_components") <= 2)
    return (DIRECT,) if is_flat else (BY_PCA, BY_TSNE)


def _list_first(offered: Sequence[MapChoice]) -> list[str]:
    """The keys of the first maps: one a method, of the fewest dimensions."""
    offered = [choice for choice in offered if choice.is_here] or offered
    keys = []
    entries = [methods.entry(name) for name in methods.names()]
    for entry in sorted(entries, key=lambda entry: (bool(entry.converges_to), entry.has_own_code_size)):
        of_method = [choice for choice in offered if choice.spec.method == entry.name and choice.projection != BY_TSNE]
        keys += [min(of_method, key=lambda choice: choice.spec.param("n_components")).key] if of_method else []
    return keys[:_MOST_MAPS]


def _parse_choices(
    text: str, entry: datasets.Entry, offered: Sequence[MapChoice], problems: list[str]
) -> list[MapChoice]:
    by_token, by_key = ({getattr(choice, name): choice for choice in offered} for name in ("token", "key"))
    linked: dict[str, MapChoice] = {}
    for token in text.split(",")[:_MOST_MAPS]:
        try:
            choice = by_token.get(token) or _parse_token(token, entry)
            linked.setdefault(choice.key, by_key.get(choice.key, choice))
        except BadInput as problem:
            problems.append(str(problem))
    return list(linked.values())


def _parse_token(token: str, entry: datasets.Entry) -> MapChoice:
    encoded, _, projection = token.rpartition(".")
    unknown = BadInput(f"The link asks for the map “{shorten(token, 30)}”, which is not known.")
    method, _, size = encoded.partition("-")
    if method in methods.REGISTRY and size.isdecimal() and len(size) <= 3:
        raise BadInput(f"The link asks for {methods.label(method)} {size}-D, which has no stored run.")
    try:
        spec = permalinks.decode(encoded)
    except BadInput:
        raise unknown from None
    if spec.dataset != entry.name:
        raise BadInput("The link names a run on another data set, which is left out.")
    spec = permalinks.check_spec(spec)
    if projection not in _list_projections(spec):
        raise unknown
    return MapChoice(spec, projection, is_default=False)
