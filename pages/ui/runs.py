"""Cached doors to the store. Caches are bounded and keyed by folders and their times, so a new run shows at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core import datasets, jobs, methods, store
from core.metrics import DEFINITIONS, intervals
from core.types import BadInput, BrokenRun, Run, Spec
from pages.ui import links

# Of data sets that have runs, these come first.
_FIRST = ("digits", "mnist", "fashion-mnist", "docstrings", "frey")
_DEFAULT = "mnist"
_SIZES = (2, 10)
_LARGEST_SIZE = 256
# A GAN's neighbours are those of its discriminator's many features: no match for a narrow code. t-SNE has no code.
NOT_RANKED_AGAINST_CODES = {"gan": "features, not ranked", "tsne": "a map, not ranked"}
# What a run's name says of weights of words that are not the usual ones.
_WEIGHTED = {"log": "log counts", "counts": "raw counts"}
OF_CODES = ("knn_accuracy", "probe_accuracy", "silhouette", "trustworthiness", "continuity")


# A run's folder and the time it was written there.
Stamp = tuple[str, int]


@dataclass(frozen=True)
class Line:
    """What Compare shows of one method.

    Attributes
    ----------
    label : see the function `label`; of a method without a run its name.
    candidates : stored runs that fit the view, the default first; without views.
    run : the one shown, with its views, not to be changed; None where there is none or it can't be read.
    stamp : of `run`; keys what is cached of it.
    missing : the Spec that a link asks for and the store does not have.
    problem : a sentence why `run` can't be shown.
    """

    method: str
    label: str
    candidates: tuple[Run, ...] = ()
    run: Run | None = None
    stamp: Stamp | None = None
    missing: Spec | None = None
    problem: str | None = None


def _stamp(place: Path) -> Stamp:
    try:
        return str(place), (place / "run.json").stat().st_mtime_ns
    except OSError:
        return str(place), 0


@st.cache_resource(max_entries=2, show_spinner=False)
def _index(stamps: str) -> tuple[tuple[Run, ...], tuple[str, ...]]:
    runs, problems = store.index()
    registered = set(datasets.names())
    known = (run for run in runs if run.spec.dataset in registered and run.spec.method in methods.LISTED)
    return tuple(known), tuple(problems)


def stored() -> tuple[tuple[Run, ...], tuple[str, ...]]:
    """Every stored run that a page can show, without views; and a sentence for each that can't be read."""
    places, unreadable = store.places()
    # As one text, which the cache looks up faster than it does hundreds of small values.
    return _index(repr((list(map(_stamp, places)), unreadable)))


@st.cache_resource(max_entries=64, show_spinner=False)
def _read(stamp: Stamp) -> Run:
    return store.read(Path(stamp[0]))


def read(key: str) -> tuple[Run, Stamp]:
    """The run with this key, with its views, not to be changed; and its stamp.

    Raises
    ------
    BrokenRun
        If it is gone or can't be read.
    """
    place = store.find(key)
    if place is None:
        raise BrokenRun(f"The run {key} is no longer stored: reload this page.")
    stamp = _stamp(place)
    return _read(stamp), stamp


def dataset_names(runs: Sequence[Run]) -> list[str]:
    """Every registered data set, those with runs first."""
    trained = {run.spec.dataset for run in runs}
    order = [*_FIRST, *(name for name in datasets.names() if name not in _FIRST)]
    known = [name for name in order if name in datasets.names()]
    return sorted(known, key=lambda name: name not in trained)


def default_dataset(names: Sequence[str], runs: Sequence[Run]) -> str:
    trained = {run.spec.dataset for run in runs}
    return _DEFAULT if _DEFAULT in names and (_DEFAULT in trained or not trained) else names[0]


def code_sizes(runs: Sequence[Run], dataset: str) -> list[int]:
    """Code sizes that have runs on this data set, or the usual ones."""
    sizes = {store.code_size(run) for run in runs if run.spec.dataset == dataset and run.spec.method != "gan"}
    return sorted(sizes) or list(_SIZES)


def code_size(text: str) -> int:
    """A code size from an address, trained or not.

    Raises
    ------
    BadInput
        If it is not a whole number a method may have.
    """
    if text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= _LARGEST_SIZE:
        return int(text)
    raise BadInput(f"A code size is a whole number from 1 to {_LARGEST_SIZE}.")


def linked(token: str, dataset: str, method: str, size: int) -> Spec:
    """The Spec that a link asks for.

    Raises
    ------
    BadInput
        If it is none, belongs to another view, or could never be fitted.
    """
    spec = links.decode(token)
    if not store.fits(spec, dataset, method, size):
        raise BadInput(
            f"The link names a run of {methods.label(method)} that does not belong to this data set and code size: "
            "the default is shown."
        )
    return spec if store.find(spec.key) else links.checked(spec)


def label(spec: Spec) -> str:
    """The method's name, ``"LSA"``; with its weights of words where they are not the usual: ``"LSA (log counts)"``.

    A folder may hold a run of what this program does not know.
    """
    method = methods.LISTED.get(spec.method, (spec.method,))[0]
    weighting = spec.param("weighting", store.USUAL_WEIGHTING)
    return method if weighting == store.USUAL_WEIGHTING else f"{method} ({_WEIGHTED.get(weighting, weighting)})"


def newest(runs: Sequence[Run], dataset: str, method: str) -> Spec | None:
    """The Spec of the default run, see `core.store.pick`, at the code size of which a run was made last.

    Where a person's own run is the last, it is the default of the own ones.
    """
    of_both = [run for run in runs if (run.spec.dataset, run.spec.method) == (dataset, method)]
    if not of_both:
        return None
    last = max(of_both, key=lambda run: run.environment["date"])
    alike = [run for run in of_both if store.is_shipped(run.key) == store.is_shipped(last.key)]
    return store.pick(alike, dataset, method, store.code_size(last))[0].spec


def is_whole(runs: Sequence[Run], spec: Spec) -> bool:
    """Whether the run of `spec` is among `runs`, trained to its end."""
    return any(run.spec == spec and not run.environment.get("stopped_early") for run in runs)


def known(spec: Spec) -> Spec:
    """A Spec that a link names, of a run or training that is there or could be made.

    Raises
    ------
    BadInput
        If it is neither.
    """
    datasets.entry(spec.dataset)
    if spec.method in methods.LISTED and (store.find(spec.key) or jobs.folder_of(spec.key).exists()):
        return spec
    return links.checked(spec)


def line(method: str, candidates: Sequence[Run], missing: Spec | None, key: str | None) -> Line:
    """The line of `method`, showing the candidate with `key`."""
    specs = {run.key: run.spec for run in candidates} | ({missing.key: missing} if missing else {})
    named = label(specs[key]) if key in specs else methods.label(method)
    about = {"method": method, "label": named, "candidates": tuple(candidates)}
    if missing is not None and key == missing.key:
        return Line(**about, missing=missing)
    if key is None:
        return Line(**about)
    try:
        run, stamp = read(key)
    except BrokenRun as problem:
        return Line(**about, problem=str(problem))
    return Line(**about, run=run, stamp=stamp)


def changed_libraries(entry: datasets.Entry, lines: Sequence[Line]) -> list[str]:
    """Libraries that the data are taken from and that are installed in another release than when a run was made."""
    changed = [entry.changed_libraries(line.run.environment.get("versions", {})) for line in lines if line.run]
    return sorted({name for names in changed for name in names})


def same_rows(lines: Sequence[Line]) -> bool:
    """Whether all runs shown may be ranked, see `core.store.same_rows`."""
    return store.same_rows(line.run for line in lines if line.run)


def best(lines: Sequence[Line], metric: str) -> str | None:
    """The method whose `metric` the paired rows tell from the runner-up's, see `core.metrics.intervals.best`."""
    ranked = [line for line in lines if line.run and f"rows.{metric}" in line.run.views]
    if metric in OF_CODES:
        ranked = [line for line in ranked if line.method not in NOT_RANKED_AGAINST_CODES]
    if metric not in DEFINITIONS or not same_rows(lines):
        return None
    scores = {line.method: line.run.views[f"rows.{metric}"] for line in ranked}
    return _best(tuple((line.method, line.stamp) for line in ranked), metric, scores)


@st.cache_data(max_entries=256, show_spinner=False)
def _best(stamps: tuple[tuple[str, Stamp], ...], metric: str, _scores: Mapping[str, Any]) -> str | None:
    try:
        return intervals.best(_scores, DEFINITIONS[metric].higher_is_better)
    except BadInput:
        return None  # NaN among the scores, or a single row: nothing can be told apart
