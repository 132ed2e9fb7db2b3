"""The picture of documents: codes of LSA and of an autoencoder in the plane, linked."""

from collections.abc import Mapping

import numpy as np
import streamlit as st

from core import methods
from core.metrics import bootstrap
from core.types import Run
from pages.ui.documents import stored_maps
from pages.ui.shared import stored_runs
from pages.ui.shared.experiment import Controls

_SUBJECTS = {"reuters-r8": "Reuters", "docstrings": "Docstrings", "newsgroups": "20 Newsgroups"}
_METHODS = ("lsa", "ae")
_SCORE = "knn_accuracy"


def draw_maps(controls: Controls) -> str:
    """Test documents in the plane by LSA and by an AE; the control chooses the documents."""
    subject = controls.choose_segment("of", "Documents", _SUBJECTS)
    message, finding = _make_maps(subject)
    stored_maps.draw(message, f"tour-maps-{subject}")
    return finding


@st.cache_resource(max_entries=4, show_spinner=False)
def _make_maps(subject: str) -> tuple[bytes, str]:
    """The message of the maps, and what the accuracies say."""
    runs = {method: stored_runs.find_shipped(subject, method, 2) for method in _METHODS}
    labels = next(iter(runs.values())).views["labels"]
    message = stored_maps.make_message(f"tour-{subject}", {methods.label(m): run for m, run in runs.items()})
    return message, _compare(runs, np.bincount(labels).max() / len(labels))


def _compare(runs: Mapping[str, Run], largest: float) -> str:
    lsa, ae = (runs[method].metrics[_SCORE] for method in _METHODS)
    text = (
        f"The 15 nearest codes predict the right class for {ae.value:.1%} of the {ae.n:,} test documents with the AE, "
        f"and for {lsa.value:.1%} with LSA"
    )
    rows = {method: run.views[f"rows.{_SCORE}"] for method, run in runs.items()}
    told = "" if bootstrap.find_best(rows, higher_is_better=True) else ", which is not significantly different"
    return f"{text}{told}. The largest class has {largest:.1%} of them."
