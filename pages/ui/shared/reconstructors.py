"""The methods of a view that reconstruct given images, with errors and reconstructions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.analysis.rows import Rows, as_floats
from pages.ui.shared.cached import load_estimator
from pages.ui.shared.run_picker import View
from pages.ui.shared.stored_runs import Line


@dataclass(frozen=True)
class Reconstructor:
    """A method that reconstructs the rows shown, with their (n_rows,) squared errors."""

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
        return _reconstruct_rows(self, rows, list(map(int, positions)))


def find_gan(view: View) -> Line | None:
    """The line of the trained GAN, which has no encoder; None without one."""
    return next((line for line in view.trained if line.entry.can_be_inverted), None)


def to_phrase(label: str) -> str:
    """A method's label within a sentence: ``"PCA"``, ``"the AE"``, ``"the linear AE"``."""
    return label if label == "PCA" else f"the {label.replace('Linear', 'linear')}"


_KEYS = {Reconstructor: lambda method: method.line.stamp, Rows: lambda rows: rows.key}


@st.cache_resource(max_entries=128, show_spinner=False, hash_funcs=_KEYS)
def _reconstruct_rows(method: Reconstructor, rows: Rows, positions: list[int]) -> np.ndarray:
    return method.reconstruct(as_floats(rows.X[positions], rows.kind))
