"""What the maps of Embeddings are of: runs and rows, and the cached doors to what takes a while."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import streamlit as st

from core import cache, datasets, maps, views
from core.maps import BY_PCA, BY_TSNE, DIRECT, Rows
from core.types import BrokenRun, Run, Spec
from pages.ui import links, runs
from pages.ui.loaded import codes, estimator, rows_of
from pages.ui.runs import Stamp

PROJECTIONS = {DIRECT: "", BY_PCA: "by PCA", BY_TSNE: "by t-SNE"}


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
            name = f"{runs.label(self.spec)} {self.spec.param('n_components')}-D"
        return name if self.is_default else f"{name} ({self.spec.key[:4]})"

    @property
    def label(self) -> str:
        how = PROJECTIONS[self.projection]
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
        return codes(self.stamp, self.rows.key, self.run, self.rows)[0]

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

    @property
    def there(self) -> list[Shown]:
        return [each for each in self.shown if not each.problem]

    @property
    def of_runs(self) -> list[Shown]:
        """Of maps that are there, one a run: two may be of the same code, by PCA and by t-SNE."""
        return one_a_run(self.there)


def one_a_run(shown: Iterable[Shown]) -> list[Shown]:
    return list({each.pick.spec.key: each for each in shown}.values())


# --- Doors, bounded -----------------------------------------------------------------------------------------------


@st.cache_resource(max_entries=24, show_spinner="Measuring the reconstructions …")
def _errors(stamp: Stamp, rows_key: str, _run: Run, _rows: Rows) -> np.ndarray | None:
    return maps.errors(_run, stamp, _rows, lambda: estimator(stamp))


@st.cache_resource(max_entries=24, show_spinner=False)
def _plane(stamp: Stamp, _run: Run) -> maps.Plane:
    def shown_codes() -> np.ndarray:
        # The rows whose map is stored are those that every map of the data set shows first.
        first = rows_of(_run.spec.dataset, _run.spec.dataset_params, "test", len(_run.views["shown_rows"]))
        if not np.array_equal(first.numbers, _run.views["shown_rows"]):
            raise BrokenRun("Its stored map shows other rows than this version of the program: train it again.")
        return maps.codes(_run, stamp, first, lambda: estimator(stamp))[0]

    return maps.plane(_run, shown_codes)


@st.cache_resource(max_entries=24, show_spinner=False)
def points(stamp: Stamp, rows_key: str, projection: str, _run: Run, _rows: Rows) -> np.ndarray:
    at = maps.where_shown(_run, _rows)
    if at is not None:
        return _run.views["map"][at].astype(np.float32)
    if _run.spec.method == "tsne":
        return maps.mapped(estimator(stamp), _rows)
    return _plane(stamp, _run).points(codes(stamp, _rows.key, _run, _rows)[0])
