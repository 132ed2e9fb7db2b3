"""What the reader of Embeddings chooses: data set, rows, two to four maps, colours; and what these lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import streamlit as st

from core import cache, datasets, maps, methods, store, views
from core.figures.linked import Map
from core.maps import BY_PCA, BY_TSNE, DIRECT, Rows
from core.metrics import DEFINITIONS
from core.types import BadInput, BrokenRun, Dataset, HourglassError, Run, Spec
from pages.ui import choices, links, measures, runs
from pages.ui.numbers import counted, interval, number
from pages.ui.runs import Stamp
from pages.ui.text import plain, shortened

MOST_MAPS, FEWEST_MAPS = 4, 2
_COUNTS = ("500", "1000", "2000", "5000", "10000")
_DEFAULT_COUNT = 2000
_PROJECTIONS = {DIRECT: "", BY_PCA: "by PCA", BY_TSNE: "by t-SNE"}
# Which methods a data set's first view shows.
_FIRST = ("pca", "lsa", "ae", "vae", "tsne", "gan", "linear_ae")
_OF_CODES = (
    "knn_accuracy",
    "probe_accuracy",
    "trustworthiness",
    "continuity",
    "silhouette",
    "kmeans_ari",
    "kmeans_nmi",
)
_SCORED, _MOST_SCORED = "hourglass.scored", 64
_CARRIED = "hourglass.carried"
_UNDER_A_MAP = ("map_knn_accuracy", "map_trustworthiness")
CLASSES, OVERLAP = "class", "overlap"
_COLOURS = {CLASSES: "Class", OVERLAP: "Disagreement"}


@dataclass(frozen=True)
class Pick:
    """One map: a run, stored or not, and how its code becomes a plane."""

    spec: Spec
    projection: str
    is_default: bool

    @property
    def key(self) -> str:
        return f"{self.spec.key}:{self.projection}"

    @property
    def name(self) -> str:
        """``"AE 10-D"``; of several such runs, those that are not the default have the beginning of their key."""
        if self.spec.method == "tsne":
            name = "t-SNE of the rows"
        elif self.spec.method == "gan":
            name = "GAN features"
        else:
            name = f"{methods.label(self.spec.method)} {self.spec.param('n_components')}-D"
        return name if self.is_default else f"{name} ({self.spec.key[:4]})"

    @property
    def label(self) -> str:
        how = _PROJECTIONS[self.projection]
        return f"{self.name}, {how}" if how else self.name

    @property
    def token(self) -> str:
        """For an address: short where the run is the one that everybody has."""
        short = f"{self.spec.method}-{self.spec.param('n_components')}"
        return f"{short if self.is_default else links.encode(self.spec)}.{self.projection}"


@dataclass(frozen=True)
class Shown:
    """One map as it is shown: its run, its codes on demand, its points.

    `problem` is a sentence why it can't be shown; `points` are all NaN then.
    """

    pick: Pick
    rows: Rows
    points: np.ndarray
    note: str
    run: Run | None = None
    stamp: Stamp | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        return self.pick.name

    @cached_property
    def points_key(self) -> str:
        return cache.key(self.points, self.rows.key)

    def estimator(self) -> Any:
        return estimator(self.stamp)

    @cached_property
    def codes(self) -> np.ndarray:
        """(n, n_components) of the rows."""
        return codes(self.stamp, self.rows.key, self.run, self.rows)

    @cached_property
    def errors(self) -> np.ndarray | None:
        """(n,), see `core.maps.errors`."""
        return _errors(self.stamp, self.rows.key, self.run, self.rows)

    def rebuilt(self, positions: np.ndarray) -> np.ndarray:
        """Reconstructions of some of the rows, as they are shown: (m, n_features) uint8."""
        return views.pixels(self.estimator().inverse_transform(self.codes[positions]))

    def expected(self, positions: np.ndarray, n_words: int = 15) -> list[str]:
        """The words that the method expects most in some of the documents, on average."""
        weights = self.estimator().inverse_transform(self.codes[positions]).mean(axis=0)
        return [self.rows.vocabulary[k] for k in np.argsort(-weights, kind="stable")[:n_words]]

    @cached_property
    def plane(self) -> maps.Plane:
        return _plane(self.stamp, self.run)


@dataclass(frozen=True)
class View:
    entry: datasets.Entry
    rows: Rows
    shown: tuple[Shown, ...]
    colour: str
    is_aligned: bool
    dataset_params: tuple[tuple[str, Any], ...]

    @property
    def there(self) -> list[Shown]:
        return [each for each in self.shown if not each.problem]


# --- Doors, bounded -----------------------------------------------------------------------------------------------


@st.cache_resource(max_entries=2, show_spinner="Loading the data …")
def dataset(name: str, params: tuple[tuple[str, Any], ...]) -> Dataset:
    return datasets.load(name, **dict(params))


@st.cache_resource(max_entries=8, show_spinner="Taking the rows …")
def _rows_of(name: str, params: tuple[tuple[str, Any], ...], split: str, n: int) -> Rows:
    if split == "test" and n <= _DEFAULT_COUNT and (shipped := maps.shipped_rows(name, n)) is not None:
        return shipped
    return maps.rows_of(dataset(name, params), split, n)


@st.cache_resource(max_entries=10, show_spinner=False)
def estimator(stamp: Stamp) -> Any:
    from pathlib import Path

    return store.estimator(Path(stamp[0]))


@st.cache_resource(max_entries=24, show_spinner="Computing the codes …")
def codes(stamp: Stamp, rows_key: str, _run: Run, _rows: Rows) -> np.ndarray:
    return maps.codes(_run, stamp, _rows, lambda: estimator(stamp))[0]


@st.cache_resource(max_entries=24, show_spinner="Measuring the reconstructions …")
def _errors(stamp: Stamp, rows_key: str, _run: Run, _rows: Rows) -> np.ndarray | None:
    return maps.errors(_run, stamp, _rows, lambda: estimator(stamp))


@st.cache_resource(max_entries=24, show_spinner=False)
def _plane(stamp: Stamp, _run: Run) -> maps.Plane:
    def shown_codes() -> np.ndarray:
        # The rows whose map is stored are those that every map of the data set shows first.
        first = _rows_of(_run.spec.dataset, _run.spec.dataset_params, "test", len(_run.views["shown_rows"]))
        if not np.array_equal(first.numbers, _run.views["shown_rows"]):
            raise BrokenRun("Its stored map shows other rows than this version of the program: train it again.")
        return maps.codes(_run, stamp, first, lambda: estimator(stamp))[0]

    return maps.plane(_run, shown_codes)


@st.cache_resource(max_entries=24, show_spinner=False)
def _points(stamp: Stamp, rows_key: str, projection: str, _run: Run, _rows: Rows) -> np.ndarray:
    at = maps.where_shown(_run, _rows)
    if at is not None:
        return _run.views["map"][at].astype(np.float32)
    if _run.spec.method == "tsne":
        return maps.mapped(estimator(stamp), _rows)
    return _plane(stamp, _run).points(codes(stamp, _rows.key, _run, _rows))


# --- Choices ------------------------------------------------------------------------------------------------------


def choose(stored: Sequence[Run], problems: list[str]) -> View | None:
    """Draw the choices and take the rows; None where the rows can't be had, which is said."""
    with st.container(key="choices", horizontal=True, vertical_alignment="bottom"):
        entry = datasets.entry(_dataset(stored, problems))
        split = _split(problems)
        n = _count(problems)
        colour = _colour(problems)
        is_aligned = _align()
    picks = _picks(stored, entry, problems)
    params = picks[0].spec.dataset_params if picks else _default_params(entry)
    try:
        rows = _rows_here(entry, params, split, n, problems)
    except HourglassError as problem:
        st.error(plain(problem))
        return None
    if rows is None:
        return None
    return View(entry, rows, tuple(_shown(pick, rows) for pick in picks), colour, is_aligned, params)


def _rows_here(entry: datasets.Entry, params, split: str, n: int, problems: list[str]) -> Rows | None:
    """The rows asked for; while the data set is not on this machine, its shipped test rows, or None."""
    has_shipped = maps.has_shipped_rows(entry.name)
    if datasets.available(entry.name) or (has_shipped and split == "test" and n <= _DEFAULT_COUNT):
        return _rows_of(entry.name, params, split, n)
    st.info(
        plain(
            f"{entry.label} is not on this machine yet. It is downloaded once, checked, and kept in the user's cache."
            + (f" Until then its {_DEFAULT_COUNT:,} shipped test rows are shown." if has_shipped else "")
        )
    )
    if st.button(f"Download {entry.label}", type="primary", key=choices.key("download")):
        _download(entry, problems)
    return _rows_of(entry.name, params, "test", _DEFAULT_COUNT) if has_shipped else None


def _download(entry: datasets.Entry, problems: list[str]) -> None:
    bar = st.progress(0.0, f"Downloading {entry.label} …")
    # Whatever is clicked ends the download, which leaves nothing half-written.
    st.button("Cancel", key=choices.key("cancel-download"))

    def progress(done: int, total: int) -> None:
        share = min(done / total, 1.0) if total else 0.0
        of_all = f" of {total / 1e6:,.1f}" if total else ""
        bar.progress(share, f"Downloading {entry.label}: {done / 1e6:,.1f}{of_all} MB")

    try:
        datasets.fetch(entry.name, progress)
    except HourglassError as problem:
        problems.append(str(problem))
        return
    st.rerun()


def _default_params(entry: datasets.Entry) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted((p.name, p.default) for p in entry.params))


def _dataset(stored: Sequence[Run], problems: list[str]) -> str:
    names = runs.dataset_names(stored)
    trained = {run.spec.dataset for run in stored}

    def named(name: str) -> str:
        return datasets.entry(name).label + ("" if name in trained else " (not trained yet)")

    refused: list[str] = []
    widget = choices.seed("data", names, runs.default_dataset(names, stored), refused)
    chosen = st.selectbox("Data set", names, format_func=named, key=widget, width=230)
    if refused:
        asked = shortened(choices.asked("data"))
        problems.append(f"The link asks for the data set “{asked}”, which is not known: {named(chosen)} is shown.")
    choices.keep("data", chosen)
    return chosen


def _split(problems: list[str]) -> str:
    widget = choices.seed("split", maps.SPLITS, "test", problems)
    chosen = st.segmented_control(
        "Split",
        maps.SPLITS,
        key=widget,
        format_func=str.capitalize,
        required=True,
        help="Test rows were not seen while training; train rows were.",
    )
    choices.keep("split", chosen)
    return chosen


def _count(problems: list[str]) -> int:
    widget = choices.key("rows")
    asked = choices.asked("rows")
    if asked is not None:
        st.session_state[widget] = asked
    elif widget not in st.session_state:
        st.session_state[widget] = str(choices.remembered("rows") or _DEFAULT_COUNT)
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
        return _DEFAULT_COUNT


def _colour(problems: list[str]) -> str:
    widget = choices.seed("colour", list(_COLOURS), CLASSES, problems)
    chosen = st.segmented_control(
        "Colour",
        list(_COLOURS),
        key=widget,
        format_func=_COLOURS.get,
        required=True,
        help="Disagreement: how few of a row's 15 nearest neighbours two of the methods share.",
    )
    choices.keep("colour", chosen)
    return chosen


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
    if not encoded or projection not in _PROJECTIONS:
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


# --- What is shown ------------------------------------------------------------------------------------------------


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
            from pages.ui import projected

            return projected.shown(pick, rows, run, stamp)
        points = _points(stamp, rows.key, pick.projection, run, rows)
    except HourglassError as problem:
        return Shown(pick, rows, nowhere, "", problem=str(problem))
    if not np.isfinite(points).all(axis=1).any():
        why = f"It maps other rows: none of these {len(rows):,}."
        return Shown(pick, rows, points, run.notes["map"], run, stamp, problem=why)
    return Shown(pick, rows, points, run.notes["map"], run, stamp)


def figures(each: Shown) -> tuple[tuple[str, str, str, str], ...]:
    """The numbers under a map: name, value, interval and n, help. They may not be measured yet, see `measure`."""
    if each.problem:
        return ()
    measured = _kept_scores(each)
    if measured is None:
        return (("", "measuring …", "", ""),)
    return tuple(
        (
            DEFINITIONS[name].label,
            number(measured[name]),
            f"{interval(measured, name)}, {counted(measured, name)}",
            DEFINITIONS[name].help,
        )
        for name in _UNDER_A_MAP
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
    of_runs = {each.pick.spec.key: each for each in view.shown if each.run}
    lines = [runs.Line(each.pick.spec.method, each.name, run=each.run, stamp=each.stamp) for each in of_runs.values()]
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
