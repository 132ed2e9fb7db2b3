"""The maps of Embeddings: runs, rows and points; slow results behind bounded caches."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import numpy as np
import streamlit as st

from core import cache, datasets, methods
from core.analysis import projection
from core.analysis.codes import compute_codes, find_positions, has_reconstructions, map_rows, to_pixels
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
PROJECTIONS = {DIRECT: "", BY_PCA: "by PCA", BY_TSNE: "by t-SNE"}


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
        method = methods.entry(self.spec.method)
        if method.maps_rows:
            name = f"{method.label} of the rows"
        elif not method.encodes:
            name = f"{method.label} features"
        else:
            name = f"{stored_runs.label_run(self.spec)} {self.spec.param('n_components')}-D"
        name = name if self.is_default else f"{name} ({self.spec.key[:4]})"
        return name if self.is_here else stored_runs.mark_other_copy(name)

    @property
    def label(self) -> str:
        projection = PROJECTIONS[self.projection]
        return f"{self.name}, {projection}" if projection else self.name

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

    def reconstruct_rows(self, positions: np.ndarray) -> np.ndarray:
        """Reconstructions of some rows as pixels, (n_positions, n_features) uint8."""
        return to_pixels(self.estimator().inverse_transform(self.codes[positions]))

    def list_expected_words(self, positions: np.ndarray) -> list[str]:
        """The words with the highest mean reconstruction over some documents."""
        weights = self.estimator().inverse_transform(self.codes[positions]).mean(axis=0)
        return [self.rows.vocabulary[k] for k in np.argsort(-weights, kind="stable")[:15]]

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
        return select_one_per_run(self.drawable)


def select_one_per_run(maps: Iterable[RunMap]) -> list[RunMap]:
    """One map per run."""
    return list({run_map.choice.spec.key: run_map for run_map in maps}.values())


@st.cache_resource(max_entries=24, show_spinner=False)
def _plane(stamp: Stamp, _run: Run) -> projection.Plane:
    def load_shown_codes() -> np.ndarray:
        # The rows of a stored map are the first that every map of the data set shows.
        first = load_rows(_run.spec.dataset, _run.spec.dataset_params, "test", len(_run.views["shown_rows"]))
        if not np.array_equal(first.numbers, _run.views["shown_rows"]):
            raise BrokenRun("Its stored map shows other rows than this version: train again.")
        return compute_codes(_run, stamp, first, lambda: load_estimator(stamp))[0]

    return projection.fit_plane(_run, load_shown_codes)


@st.cache_resource(max_entries=24, show_spinner=False)
def compute_points(stamp: Stamp, rows_key: str, _run: Run, _rows: Rows) -> np.ndarray:
    """(n_rows, 2) positions of the rows in a run's map."""
    at = find_positions(_run, _rows)
    if at is not None:
        return _run.views["map"][at].astype(np.float32)
    if methods.entry(_run.spec.method).maps_rows:
        return map_rows(load_estimator(stamp), _rows)
    return _plane(stamp, _run).points(load_codes(stamp, _rows.key, _run, _rows)[0])


def make_map(choice: MapChoice, rows: Rows) -> RunMap:
    """The map of a choice, with a problem if it can't be shown."""
    nowhere = np.full((len(rows), 2), np.nan, np.float32)
    if store.find_place(choice.spec.key) is None:
        return RunMap(choice, rows, nowhere, "", problem="Not trained yet: see the link above.")
    try:
        run, stamp = stored_runs.read_run(choice.spec.key)
        check_same_data(run, rows)
        if "map" not in run.views:
            raise BrokenRun("This run has no map.")
        if choice.projection == BY_TSNE:
            return _make_tsne_map(choice, rows, run, stamp)
        points = compute_points(stamp, rows.key, run, rows)
    except HourglassError as problem:
        return RunMap(choice, rows, nowhere, "", problem=str(problem))
    is_empty = not np.isfinite(points).all(axis=1).any()
    problem = f"Its map has other rows: none of these {len(rows):,}." if is_empty else ""
    return RunMap(choice, rows, points, run.notes["map"], run, stamp, problem)


def _make_tsne_map(choice: MapChoice, rows: Rows, run: Run, stamp: Stamp) -> RunMap:
    """The t-SNE map of a run's latent codes, with a problem if it is not computed yet."""
    Z, description = load_codes(stamp, rows.key, run, rows)
    key = tsne_projection.map_key(Z)
    result = page_state.keep_computed(_POINTS, key, partial(tsne_projection.WORK.find_result, key), 8)
    note = f"the {Z.shape[1]}-D {description}, projected by t-SNE"
    if result is None:
        nowhere = np.full((len(rows), 2), np.nan, np.float32)
        return RunMap(choice, rows, nowhere, note, run, stamp, problem="Not computed yet: see below.")
    return RunMap(choice, rows, result["points"], note, run, stamp)


def offer_tsne(view: MapView) -> None:
    """Offer to compute each missing t-SNE map, or draw its progress."""
    maps = [run_map for run_map in view.maps if run_map.choice.projection == BY_TSNE]
    follow_tasks([_make_task(run_map.name, run_map.codes) for run_map in maps if run_map.problem and run_map.run])


def _make_task(name: str, Z: np.ndarray) -> Task:
    key = tsne_projection.map_key(Z)
    return Task(
        name=f"tsne-{key}",
        title=f"t-SNE of {name}",
        label=f"Compute the t-SNE map of {name}",
        work=tsne_projection.WORK,
        key=key,
        start=partial(tsne_projection.start_map, Z),
        about=f"{len(Z):,} rows: {_estimate_time(len(Z))}. The result is kept on this computer.",
    )


def _estimate_time(n: int) -> str:
    seconds = 1 + n / 150  # on one thread of an idle machine
    return f"about {seconds:.0f} seconds" if seconds < 90 else f"about {seconds / 60:.0f} minutes"
