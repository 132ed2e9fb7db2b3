"""The maps of Embeddings: runs, rows and points; slow results behind bounded caches."""

from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import streamlit as st

from core import cache, datasets, methods
from core.analysis import projection
from core.analysis.codes import compute_codes, find_positions, has_reconstructions, map_rows
from core.analysis.rows import BY_PCA, BY_TSNE, DIRECT, Rows, check_same_data
from core.errors import BrokenRun, HourglassError
from core.frontend.maps import Look
from core.runs import store
from core.tasks import tsne_projection
from core.types import Run, Spec
from pages.ui.shared import page_state, permalinks, stored_runs
from pages.ui.shared.cached import load_codes, load_errors, load_estimator, load_rows
from pages.ui.shared.stored_runs import Stamp
from pages.ui.shared.task_progress import Task, follow_tasks

_POINTS = "hourglass.projected"
_PROJECTIONS = {DIRECT: "", BY_PCA: "by PCA", BY_TSNE: "by t-SNE"}


@dataclass(frozen=True)
class MapChoice:
    """The choice of a map: a run, stored or not, and the projection of its latent code."""

    spec: Spec
    projection: str
    is_default: bool
    is_here: bool = True  # whether the run is on the copy of the data set on this machine

    @property
    def key(self) -> str:
        return f"{self.spec.key}:{self.projection}"

    @property
    def name(self) -> str:
        """``"AE 10-D"``; with its key if it is not the default, and a mark of another copy."""
        method, name = methods.entry(self.spec.method), stored_runs.label_run(self.spec)
        if method.maps_rows:
            name += " of the rows"
        else:
            name += f" {self.spec.param('n_components')}-D" if method.encodes else " features"
        name = name if self.is_default else f"{name} ({self.spec.key[:4]})"
        return name if self.is_here else stored_runs.mark_other_copy(name)

    @property
    def label(self) -> str:
        return ", ".join(filter(None, (self.name, _PROJECTIONS[self.projection])))

    @property
    def token(self) -> str:
        """The text for an address: short for a default run."""
        short = f"{self.spec.method}-{self.spec.param('n_components')}"
        return f"{short if self.is_default else permalinks.encode(self.spec)}.{self.projection}"


@dataclass(frozen=True)
class RunMap:
    """A map as shown: its run, its (n_rows, 2) points, NaN with a `problem`, and a note."""

    choice: MapChoice
    rows: Rows
    points: np.ndarray
    note: str
    run: Run | None = None
    stamp: Stamp | None = None
    problem: str = ""
    hidden: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        return self.choice.name

    @property
    def reconstructs(self) -> bool:
        return self.run is not None and has_reconstructions(self.run)

    @cached_property
    def seen(self) -> np.ndarray:
        """The points; NaN for the rows of hidden classes."""
        return np.where(np.isin(self.rows.y, self.hidden)[:, None], np.float32(np.nan), self.points)

    @cached_property
    def points_key(self) -> str:
        return cache.make_key(self.seen, self.rows.key)

    def estimator(self) -> Any:
        return load_estimator(self.stamp)

    @cached_property
    def codes(self) -> np.ndarray:
        """(n_rows, n_components) latent codes."""
        return load_codes(self.stamp, self.rows.key, self.run, self.rows)[0]

    @cached_property
    def errors(self) -> np.ndarray | None:
        """(n_rows,) reconstruction errors, see `core.analysis.codes.compute_errors`."""
        return load_errors(self.stamp, self.rows.key, self.run, self.rows)

    @cached_property
    def plane(self) -> projection.Plane:
        return _plane(self.stamp, self.run)


@dataclass(frozen=True)
class MapView:
    """The maps of a page: data set, rows, maps, colour and how they are looked at."""

    entry: datasets.Entry
    rows: Rows
    maps: tuple[RunMap, ...]
    colour: str
    is_aligned: bool
    look: Look = field(default_factory=Look)

    @property
    def drawable(self) -> list[RunMap]:
        """Maps without a problem."""
        return [run_map for run_map in self.maps if not run_map.problem]

    @property
    def one_per_run(self) -> list[RunMap]:
        """One drawable map per run, of which two may be shown, by PCA and by t-SNE."""
        return list({run_map.choice.spec.key: run_map for run_map in self.drawable}.values())


@st.cache_resource(max_entries=24, show_spinner=False)
def _plane(stamp: Stamp, _run: Run) -> projection.Plane:
    def load_shown_codes() -> np.ndarray:
        # The rows of a stored map are the first that every map of the data set shows.
        first = load_rows(_run.spec.dataset, _run.spec.dataset_params, "test", len(_run.views["shown_rows"]))
        if not np.array_equal(first.numbers, _run.views["shown_rows"]):
            raise BrokenRun("Its stored map shows other rows than this version: train again.")
        return compute_codes(_run, stamp, first, lambda: load_estimator(stamp))[0]

    return projection.fit_plane(_run, load_shown_codes)


def compute_points(run: Run, stamp: Stamp, rows: Rows) -> np.ndarray:
    """(n_rows, 2) positions of the rows in a run's map."""
    if (at := find_positions(run, rows)) is not None:
        return run.views["map"][at].astype(np.float32)
    if methods.entry(run.spec.method).maps_rows:
        return map_rows(load_estimator(stamp), rows)
    return _plane(stamp, run).points(load_codes(stamp, rows.key, run, rows)[0])


def make_map(choice: MapChoice, rows: Rows, hidden: tuple[int, ...]) -> RunMap:
    """The map of a choice, with a problem if it can't be shown."""
    nowhere = np.full((len(rows), 2), np.nan, np.float32)
    try:
        if store.find_place(choice.spec.key) is None:
            raise BrokenRun("Not trained yet: see the link above.")
        run, stamp = stored_runs.read_run(choice.spec.key)
        check_same_data(run, rows)
        if "map" not in run.views:
            raise BrokenRun("This run has no map.")
        find_points = _find_tsne_points if choice.projection == BY_TSNE else _find_points
        points, note, problem = find_points(run, stamp, rows)
    except HourglassError as error:
        return RunMap(choice, rows, nowhere, "", problem=str(error))
    return RunMap(choice, rows, nowhere if points is None else points, note, run, stamp, problem, hidden)


def _find_points(run: Run, stamp: Stamp, rows: Rows) -> tuple[np.ndarray | None, str, str]:
    """The points of a run's map, its note, and a problem or ""."""
    points = compute_points(run, stamp, rows)
    has_some = np.isfinite(points).all(axis=1).any()
    return points, run.notes["map"], "" if has_some else f"Its map has other rows: none of these {len(rows):,}."


def _find_tsne_points(run: Run, stamp: Stamp, rows: Rows) -> tuple[np.ndarray | None, str, str]:
    """The same of the t-SNE map of a run's latent codes; None for its points if it is not computed yet."""
    Z, description = load_codes(stamp, rows.key, run, rows)
    note, key = f"the {Z.shape[1]}-D {description}, projected by t-SNE", tsne_projection.map_key(Z)
    result = page_state.keep_computed(_POINTS, key, partial(tsne_projection.WORK.find_result, key), 8)
    return (None, note, "Not computed yet: see below.") if result is None else (result["points"], note, "")


def offer_tsne(view: MapView) -> None:
    """Offer to compute each missing t-SNE map, or draw its progress."""
    maps = [run_map for run_map in view.maps if run_map.choice.projection == BY_TSNE]
    follow_tasks([_make_task(run_map.name, run_map.codes) for run_map in maps if run_map.problem and run_map.run])


def _make_task(name: str, Z: np.ndarray) -> Task:
    key, seconds = tsne_projection.map_key(Z), 1 + len(Z) / 150  # on one thread of an idle machine
    takes = f"about {seconds:.0f} seconds" if seconds < 90 else f"about {seconds / 60:.0f} minutes"
    about = f"{len(Z):,} rows: {takes}. The result is kept on this computer."
    title, label, start = f"t-SNE of {name}", f"Compute the t-SNE map of {name}", partial(tsne_projection.start_map, Z)
    return Task(f"tsne-{key}", title, label, tsne_projection.WORK, key, start, about)
