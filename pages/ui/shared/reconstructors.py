"""The methods of a view that reconstruct given images, with errors and reconstructions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.analysis import codes
from core.analysis.rows import Rows, as_floats, check_same_data
from core.errors import BadInput, HourglassError
from core.types import Run
from pages.ui.shared.cached import load_estimator
from pages.ui.shared.run_picker import View
from pages.ui.shared.stored_runs import Line, Stamp
from pages.ui.shared.text import plain

NO_ENCODER = "A GAN has no encoder, so it cannot reconstruct an image."


@dataclass(frozen=True)
class Reconstructor:
    """A method that reconstructs the rows shown.

    Attributes
    ----------
    errors : (n_rows,) squared error of each row, from unclipped reconstructions.
    """

    line: Line
    errors: np.ndarray

    @property
    def label(self) -> str:
        return self.line.label

    def reconstruct(self, X: np.ndarray) -> np.ndarray:
        """Reconstructions of any images, (n, n_features) float32, not clipped."""
        fitted = load_estimator(self.line.stamp)
        return np.asarray(fitted.inverse_transform(fitted.transform(X)), np.float32)

    def reconstruct_rows(self, rows: Rows, positions: Sequence[int]) -> np.ndarray:
        """Reconstructions of some of the rows."""
        return _reconstruct_rows(self.line.stamp, rows.key, tuple(map(int, positions)), self, rows)


def find_reconstructors(view: View, rows: Rows) -> tuple[list[Reconstructor], dict[str, str]]:
    """The methods that reconstruct these rows; and label -> reason for runs that can't."""
    methods: list[Reconstructor] = []
    refused: dict[str, str] = {}
    for line in view.lines:
        if line.problem:
            refused[line.label] = line.problem
        if line.run is None or not line.entry.reconstructs:
            continue
        try:
            check_same_data(line.run, rows)
            errors = _errors(line.stamp, rows.key, line.run, rows)
            if errors is None:
                raise BadInput("Its errors are not stored: train again.")
            load_estimator(line.stamp)
            methods.append(Reconstructor(line, errors))
        except HourglassError as problem:
            refused[line.label] = str(problem)
    return methods, refused


def find_gan(view: View) -> Line | None:
    """The line of the trained GAN, which has no encoder; None without one."""
    return next((line for line in view.trained if line.entry.can_be_inverted), None)


def describe_none_trained(view: View) -> str:
    """The sentence, as Markdown, that this view has no run."""
    return plain(f"No method is trained on {view.entry.label} at {view.size}-D yet.")


def describe_none_reconstructs(view: View) -> str:
    """The sentence that this view has no run with an encoder and a decoder."""
    return f"No method that reconstructs images is trained on {view.entry.label} at {view.size}-D yet."


def to_phrase(label: str) -> str:
    """A method's label within a sentence: ``"PCA"``, ``"the AE"``, ``"the linear AE"``."""
    return label if label == "PCA" else f"the {label.replace('Linear', 'linear')}"


@st.cache_resource(max_entries=24, show_spinner="Computing reconstruction errors …")
def _errors(stamp: Stamp, rows_key: str, _run: Run, _rows: Rows) -> np.ndarray | None:
    return codes.compute_errors(_run, stamp, _rows, lambda: load_estimator(stamp))


@st.cache_resource(max_entries=128, show_spinner=False)
def _reconstruct_rows(
    stamp: Stamp, rows_key: str, positions: tuple[int, ...], _reconstructor: Reconstructor, _rows: Rows
) -> np.ndarray:
    at = list(positions)
    return _reconstructor.reconstruct(as_floats(_rows.X[at], _rows.kind))
