"""Stored runs behind bounded caches, keyed by folder and time: new runs appear at once."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from core import config, datasets, methods
from core.datasets import checksums
from core.datasets.own import catalogue
from core.errors import BadInput, BrokenRun
from core.metrics import bootstrap
from core.metrics.definitions import DEFINITIONS
from core.runs import layout, presets, reader, selection, specs, store
from core.tasks import task_files
from core.types import Run, Spec
from pages.ui.shared import permalinks
from pages.ui.shared.number_format import number
from pages.ui.shared.text import plain

USUAL_SIZES = (2, 10)
LARGEST_SIZE = 256
# Word weightings other than the usual one, as a run's label names them.
_WEIGHTED = {"log": "log counts", "counts": "raw counts"}
OF_CODES = ("knn_accuracy", "probe_accuracy", "silhouette", "trustworthiness", "continuity")
_ANOTHER_COPY = " (another copy)"

# See `make_stamp`.
Stamp = tuple[str, int]


@dataclass(frozen=True)
class Line:
    """A row of a comparison: one method and the run that is shown of it.

    Attributes
    ----------
    label : see `label_run`, with the settings that tell the run from others and a mark of another copy of the data.
    candidates : stored runs that fit the view, the default first; without views.
    run : the one shown, with its views, not to be changed; None if there is none or it can't be read.
    missing : the Spec that a link names and that is not stored.
    problem : a sentence why `run` can't be shown.
    index : number of the row among those of its method.
    """

    method: str
    label: str
    candidates: tuple[Run, ...] = ()
    run: Run | None = None
    stamp: Stamp | None = None
    missing: Spec | None = None
    problem: str | None = None
    index: int = 0

    @property
    def entry(self) -> methods.Entry:
        """What its method can do."""
        return methods.entry(self.method)

    @property
    def name(self) -> str:
        """The key of the row's widgets and pictures."""
        return f"{self.method}-{self.index}" if self.index else self.method

    @property
    def title(self) -> str:
        """The label without the mark of another copy."""
        return self.label.removesuffix(_ANOTHER_COPY)

    @property
    def is_here(self) -> bool:
        """Whether the run, if any, is on the copy of the data set on this machine."""
        return self.run is None or checksums.is_here(self.run)


def make_stamp(place: Path, file: str = "run.json") -> Stamp:
    """A folder and the time and size of a file in it; (folder, 0) without the file."""
    try:
        stat = (place / file).stat()
        return str(place), stat.st_mtime_ns + stat.st_size
    except OSError:
        return str(place), 0


def get_stamp(key: str) -> Stamp:
    """The stamp of the run with this key; an empty one if it is gone."""
    return make_stamp(place) if (place := store.find_place(key)) else ("", 0)


@st.cache_resource(max_entries=2, show_spinner=False)
def _index(stamps: str) -> tuple[tuple[Run, ...], tuple[str, ...]]:
    runs, problems = store.list_runs()
    names = {*datasets.REGISTRY, *catalogue.list_all()}
    known = [run for run in runs if run.spec.dataset in names and run.spec.method in methods.REGISTRY]
    return tuple(known), tuple(problems)


def list_runs() -> tuple[tuple[Run, ...], tuple[str, ...]]:
    """All stored runs that this visitor may see, without views; and a sentence for each that can't be read."""
    places, unreadable = store.list_places()
    # One text is looked up faster than hundreds of small values.
    runs, problems = _index(repr((list(map(make_stamp, places)), unreadable, sorted(catalogue.list_all()))))
    if not config.is_workshop():
        return runs, problems
    names = set(datasets.names())
    return tuple(run for run in runs if run.spec.dataset in names), problems


@st.cache_resource(max_entries=64, show_spinner=False)
def _read(stamp: Stamp) -> Run:
    return reader.read_run(Path(stamp[0]))


def read_run(key: str) -> tuple[Run, Stamp]:
    """The run with this key, not to be changed, and its stamp; BrokenRun if unreadable."""
    stamp = get_stamp(key)
    if not stamp[0]:
        raise _deleted(key)
    run = _read(stamp)
    # A data set may be deleted, or not be shared any more, while a page shows its runs.
    if not datasets.is_known(run.spec.dataset):
        raise _deleted(key)
    return run, stamp


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs={Spec: lambda spec: spec.key})
def read_shipped(spec: Spec) -> Run:
    """The shipped run of `spec`, not to be changed: the same one, whatever runs a visitor stores."""
    return reader.read_run(layout.place_of(layout.SHIPPED, spec))


def find_shipped(dataset: str, method: str, n_components: int, *, is_best: bool = False) -> Run:
    """The shipped run of a method that a comparison shows first, or its best effort."""
    among = presets.BEST_EFFORT if is_best else presets.RUNS
    recipe = next(r for r in among if r[:2] == (dataset, method) and r[2]["n_components"] == n_components)
    return read_shipped(specs.make_from_settings(*recipe))


def _deleted(key: str) -> BrokenRun:
    return BrokenRun(f"The run {key} was deleted: reload this page.")


def list_datasets(runs: Sequence[Run]) -> list[str]:
    """All registered data sets, those with runs first."""
    trained = {run.spec.dataset for run in runs}
    return sorted(datasets.list_for_pages(), key=lambda name: name not in trained)


def choose_default_dataset(names: Sequence[str], runs: Sequence[Run]) -> str:
    wanted = {run.spec.dataset for run in runs} or names
    return datasets.DEFAULT if datasets.DEFAULT in names and datasets.DEFAULT in wanted else names[0]


def list_code_sizes(runs: Sequence[Run], dataset: str) -> list[int]:
    """Numbers of latent dimensions with runs on this data set, or the usual ones."""
    of_data = [run for run in runs if run.spec.dataset == dataset]
    sizes = {selection.code_size(run) for run in of_data if not methods.entry(run.spec.method).has_own_code_size}
    return sorted(sizes) or list_usual_sizes(datasets.entry(dataset))


def list_usual_sizes(entry: datasets.Entry) -> list[int]:
    """The usual numbers of latent dimensions, below the number of features of a narrow table."""
    n_features = entry.count_features(dict(entry.default_params))
    small, large = USUAL_SIZES
    return sorted({min(small, n_features), max(min(large, n_features - 1), min(small, n_features))})


def parse_code_size(text: str) -> int:
    """A number of latent dimensions from an address; BadInput if no method may have it."""
    if text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= LARGEST_SIZE:
        return int(text)
    raise BadInput(f"It must be a whole number from 1 to {LARGEST_SIZE}.")


def parse_linked_run(token: str, dataset: str, method: str, size: int) -> Spec:
    """The Spec that a link names; BadInput if it is invalid or belongs to another view."""
    spec = permalinks.decode(token)
    if not selection.fits_view(spec, dataset, method, size):
        raise BadInput(
            f"The link names a run of {methods.label(method)} with another data set or number of latent dimensions: "
            "the default is shown."
        )
    return spec if store.find_place(spec.key) else permalinks.check_spec(spec)


def label_run(spec: Spec) -> str:
    """The method's name, with an unusual word weighting: ``"LSA (log counts)"``."""
    method = methods.label(spec.method) if spec.method in methods.REGISTRY else spec.method
    weighting = spec.param("weighting", selection.USUAL_WEIGHTING)
    return method if weighting == selection.USUAL_WEIGHTING else f"{method} ({_WEIGHTED.get(weighting, weighting)})"


def mark_other_copy(name: str) -> str:
    """Label a run on another copy of the data set than the one on this machine."""
    return name + _ANOTHER_COPY


def describe_origin(run: Run) -> str:
    """``"trained on another copy of MNIST"``; "" for a run on the copy on this machine."""
    return "" if checksums.is_here(run) else f"trained on another copy of {datasets.entry(run.spec.dataset).label}"


def is_complete(runs: Sequence[Run], spec: Spec) -> bool:
    """Whether `runs` has the run of `spec`, trained to its end on this copy of the data."""
    return any(run.spec == spec and not run.environment.get("stopped_early") and checksums.is_here(run) for run in runs)


def check_known(spec: Spec) -> Spec:
    """The Spec of a link, if its run or training exists or could be made; else BadInput."""
    datasets.entry(spec.dataset)
    if spec.method in methods.REGISTRY and (store.find_place(spec.key) or task_files.task_folder(spec.key).exists()):
        return spec
    return permalinks.check_spec(spec)


def make_line(method: str, candidates: Sequence[Run], spec: Spec | None = None) -> Line:
    """The row of `method` that shows the run of `spec`, if it is one of the candidates."""
    line = Line(method, label_run(spec) if spec else methods.label(method), tuple(candidates))
    if spec is None:
        return line
    if all(run.key != spec.key for run in candidates):
        return replace(line, missing=spec)
    try:
        run, stamp = read_run(spec.key)
    except BrokenRun as problem:
        return replace(line, problem=str(problem))
    label = line.label if checksums.is_here(run) else mark_other_copy(line.label)
    return replace(line, label=label, run=run, stamp=stamp)


def link_missing(dataset: str, size: int, line: Line) -> None:
    """Draw a link to the page Training for the run that a line lacks."""
    query = {"data": dataset, "method": line.method}
    if line.missing:
        query["spec"] = permalinks.encode(line.missing)
    elif not line.entry.has_own_code_size:
        query["size"] = str(size)
    link_training(f"Train {line.title}", query)


def link_training(label: str, query: Mapping[str, str]) -> None:
    """Draw a link to the page Training."""
    st.page_link("pages/training.py", label=plain(label), icon=":material/model_training:", query_params=dict(query))


def select_comparable(lines: Sequence[Line]) -> list[Line]:
    """The lines that may be ranked: those with a run on one copy of the data."""
    with_run = [line for line in lines if line.run]
    alike = [line for line in with_run if line.is_here] or with_run
    return alike if selection.have_same_rows(line.run for line in alike) else []


def find_best(lines: Sequence[Line], metric: str) -> str | None:
    """The key of the comparable run that is significantly better than the runner-up, else None."""
    ranked = [line for line in select_comparable(lines) if f"rows.{metric}" in line.run.views]
    if metric in OF_CODES:
        ranked = [line for line in ranked if not line.entry.not_ranked]
    shown = {line.method: number(line.run.metrics[metric].value) for line in ranked if metric in line.run.metrics}
    # A method that has reached the one that it converges to is neither better nor worse.
    has_converged = lambda line: shown.get(line.entry.converges_to, "") == shown.get(line.method)
    return _find_best([line for line in ranked if not has_converged(line)], metric)


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs={Line: lambda line: line.stamp})
def _find_best(ranked: list[Line], metric: str) -> str | None:
    scores = {line.run.key: line.run.views[f"rows.{metric}"] for line in ranked}
    with suppress(BadInput):  # NaN among the scores, or a single row
        return bootstrap.find_best(scores, DEFINITIONS[metric].higher_is_better)
    return None
