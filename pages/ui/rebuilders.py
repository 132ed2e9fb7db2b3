"""The methods of a view that rebuild given images: their errors, reconstructions, and why one has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core import maps
from core.jobs import Job
from core.maps import Rows
from core.types import BadInput, HourglassError, Run
from pages.ui import links, offers
from pages.ui.compare import View
from pages.ui.loaded import estimator
from pages.ui.runs import Line, Stamp
from pages.ui.text import listed, plain


@dataclass(frozen=True)
class Rebuilder:
    """A method that rebuilds the rows shown.

    Attributes
    ----------
    errors : (n_rows,) squared error of each of the rows, from unclipped reconstructions.
    """

    line: Line
    errors: np.ndarray

    @property
    def label(self) -> str:
        return self.line.label

    def rebuild(self, X: np.ndarray) -> np.ndarray:
        """Reconstructions of any images, (n, n_features) float32, as the method gives them: not clipped."""
        fitted = estimator(self.line.stamp)
        return np.asarray(fitted.inverse_transform(fitted.transform(X)), np.float32)

    def rebuilt(self, rows: Rows, positions: Sequence[int]) -> np.ndarray:
        """Reconstructions of some of the rows."""
        return _rebuilt(self.line.stamp, rows.key, tuple(map(int, positions)), self, rows)


def of(view: View, rows: Rows) -> tuple[list[Rebuilder], dict[str, str]]:
    """The methods with an encoder that rebuild these rows; for each whose run can't a sentence why, by its label."""
    found: list[Rebuilder] = []
    refused: dict[str, str] = {}
    for line in view.lines:
        if line.problem:
            refused[line.label] = line.problem
        if line.run is None or line.method == "gan":
            continue
        try:
            maps.check_same_data(line.run, rows)
            errors = _errors(line.stamp, rows.key, line.run, rows)
            if errors is None:
                raise BadInput("Its errors are not stored: train it again.")
            estimator(line.stamp)
            found.append(Rebuilder(line, errors))
        except HourglassError as problem:
            refused[line.label] = str(problem)
    return found, refused


def generator(view: View) -> Line | None:
    """The line of the GAN, which has no encoder, where it is trained."""
    return next((line for line in view.there if line.method == "gan"), None)


def absent(view: View) -> None:
    """Say which methods are not trained at this code size, each with a way to train it, or how far it is."""
    missing = [line for line in view.lines if line.run is None and not line.problem]
    if not missing:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="not-trained"):
        labels = listed([line.label for line in missing])
        st.markdown(plain(f"Not trained yet at this code size: {labels}."), width="content")
        for line in missing:
            st.page_link(
                "pages/training.py",
                label=f"Train {line.label}",
                icon=":material/model_training:",
                query_params=_query(view, line),
            )
    methods = {line.method for line in missing}
    offers.progress(lambda job: job.spec.method in methods and _is_of(job, view))


def none_trained(view: View) -> str:
    """That no method is trained at this code size, as Markdown."""
    return plain(f"No method is trained on {view.entry.label} at {view.size}-D yet.")


def _is_of(job: Job, view: View) -> bool:
    """Whether a training is of the view's data set, and of its code size; a GAN's is its own."""
    spec = job.spec
    return spec.dataset == view.entry.name and (spec.method == "gan" or spec.param("n_components") == view.size)


def called(label: str) -> str:
    """A method's label as it stands within a sentence: ``"PCA"``, ``"the AE"``, ``"the linear AE"``."""
    return label if label == "PCA" else f"the {label.replace('Linear', 'linear')}"


def _query(view: View, line: Line) -> dict[str, str]:
    query = {"data": view.entry.name, "method": line.method}
    if line.missing:
        return query | {"spec": links.encode(line.missing)}
    return query if line.method == "gan" else query | {"size": str(view.size)}


def reasons(refused: Mapping[str, str]) -> None:
    """Say why methods with a run are not shown."""
    for label, why in refused.items():
        st.warning(plain(f"{label} is not shown: {why}"))


@st.cache_resource(max_entries=24, show_spinner="Measuring the reconstructions …")
def _errors(stamp: Stamp, rows_key: str, _run: Run, _rows: Rows) -> np.ndarray | None:
    return maps.errors(_run, stamp, _rows, lambda: estimator(stamp))


@st.cache_resource(max_entries=128, show_spinner=False)
def _rebuilt(stamp: Stamp, rows_key: str, positions: tuple[int, ...], _rebuilder: Rebuilder, _rows: Rows) -> np.ndarray:
    at = list(positions)
    return _rebuilder.rebuild(maps.as_floats(_rows.X[at], _rows.kind))
