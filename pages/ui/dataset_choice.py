"""The choice of a data set, the same on every page that shows what is trained."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import datasets
from core.types import Run
from pages.ui import choices, runs
from pages.ui.text import shortened


def choose(stored: Sequence[Run], problems: list[str], kind: str | None = None) -> str:
    """Draw it; returns the data set's name. A sentence is added to `problems` where a link asks for an unknown one.

    Parameters
    ----------
    kind : the only kind of data set that is offered; None for all.
    """
    names = [name for name in runs.dataset_names(stored) if kind in (None, datasets.entry(name).kind)]
    trained = {run.spec.dataset for run in stored}

    def named(name: str) -> str:
        return datasets.entry(name).label + ("" if name in trained else " (not trained yet)")

    refused: list[str] = []
    widget = choices.seed("data", names, runs.default_dataset(names, stored), refused)
    chosen = st.selectbox("Data set", names, format_func=named, key=widget, width=250)
    if refused:
        asked = shortened(choices.asked("data"))
        why = f"which has no {kind}" if asked in datasets.names() else "which is not known"
        problems.append(f"The link asks for the data set “{asked}”, {why}: {named(chosen)} is shown.")
    choices.keep("data", chosen)
    return chosen
