"""Samplers of stored runs: which are shown, their names, their samples and their scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import streamlit as st

from core import methods
from core.analysis import samplers
from core.analysis.codes import to_pixels
from core.analysis.table_rows import draw_rows
from core.errors import BrokenRun, HourglassError
from core.runs import selection
from core.types import TABLES, Form, Run
from pages.ui.shared.cached import load_estimator
from pages.ui.shared.run_picker import View
from pages.ui.shared.stored_runs import Line, Stamp
from pages.ui.shared.text import join_words

COUNT = 32
NO_TRUNCATION = 5.0
# Kind of sampler -> name and distribution, in the order of the page
_KINDS = {
    methods.NORMAL: ("N(0, I) raw", "naive: the {label} has no prior"),
    methods.STANDARDISED: ("N(0, I) scaled", "naive: scaled to each dimension's mean and deviation"),
    methods.GAUSSIAN: ("one Gaussian", "fitted to the training codes"),
    methods.MIXTURE: ("mixture", "ten Gaussians, fitted to the training codes"),
}


@dataclass(frozen=True)
class Draw:
    """How codes are drawn, the same for every sampler."""

    seed: int
    temperature: float
    truncation: float


@dataclass(frozen=True)
class RunSampler:
    """One sampler of one run."""

    line: Line
    kind: str

    @property
    def is_prior(self) -> bool:
        """Whether the codes come from the distribution that the method was trained with."""
        return self.line.entry.has_prior and self.kind == methods.NORMAL

    @property
    def distribution(self) -> str:
        return "prior" if self.is_prior else _KINDS[self.kind][0]

    @property
    def label(self) -> str:
        return f"{self.line.entry.label}, {self.distribution}"

    @property
    def about(self) -> str:
        if self.is_prior:
            return "N(0, I), the training prior"
        is_ppca = self.line.entry.has_spectrum and self.kind == methods.GAUSSIAN
        about = _KINDS[self.kind][1].format(label=self.line.entry.label)
        return f"{about} (probabilistic PCA)" if is_ppca else about

    @property
    def key(self) -> str:
        return f"{self.line.method}-{self.kind}"

    @property
    def size(self) -> int:
        return selection.code_size(self.line.run)

    @property
    def image_shape(self) -> tuple[int, int]:
        return tuple(self.line.run.environment["image_shape"])

    @cached_property
    def scores(self) -> dict[str, Any]:
        return samplers.select_scores(self.line.run, self.kind)

    def draw_samples(self, draw: Draw, count: int = COUNT) -> tuple[np.ndarray, np.ndarray]:
        """Return codes (count, n_components) and images (count, n_features) uint8, or float32 rows of a table."""
        return _draw_samples(self.line.stamp, self.kind, draw, count, self.line.run)


@st.cache_data(max_entries=128, show_spinner=False)
def _draw_samples(stamp: Stamp, kind: str, draw: Draw, count: int, _run: Run) -> tuple[np.ndarray, np.ndarray]:
    estimator = load_estimator(stamp)
    sampler = samplers.restore_sampler(_run, kind, estimator)
    truncation = None if draw.truncation == NO_TRUNCATION else draw.truncation
    Z = sampler.sample(count, draw.seed, temperature=draw.temperature, truncation=truncation)
    form = Form.from_json(_run.environment)
    if form.kind == TABLES:
        return Z.astype(np.float32), draw_rows(estimator, Z, form.blocks, draw.seed)
    return Z.astype(np.float32), to_pixels(estimator.inverse_transform(Z))


def select_lines(view: View) -> View:
    """The view without methods that draw no samples, or the same as the method that they converge to."""
    lines = [line for line in view.lines if line.entry.samplers and not line.entry.converges_to]
    return replace(view, lines=tuple(lines))


def find_samplers(lines: Sequence[Line], draw: Draw) -> tuple[list[RunSampler], dict[str, str]]:
    """Return the samplers that can be drawn from, and by label why the others can not."""
    usable: list[RunSampler] = []
    refused: dict[str, str] = {}
    for line in lines:
        names: dict[str, list[str]] = {}
        for sampler in [RunSampler(line, kind) for kind in _KINDS if kind in line.entry.samplers]:
            try:
                if line.problem:
                    raise BrokenRun(line.problem)
                if line.run:
                    sampler.draw_samples(draw)
                    usable.append(sampler)
            except HourglassError as problem:
                names.setdefault(str(problem), []).append(sampler.distribution)
        for problem, distributions in names.items():
            is_all = len(distributions) == len(line.entry.samplers)
            refused[line.label if is_all else f"{line.label} with {join_words(distributions)}"] = problem
    return usable, refused


def find_floor(usable: Sequence[RunSampler]) -> Mapping[str, Any]:
    """Return the scores of training rows, from the first run that holds them."""
    return next((s.line.run.metrics for s in usable if "frechet_floor" in s.line.run.metrics), {})
