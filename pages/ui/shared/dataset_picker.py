"""The choice of a data set, the same on every page that shows runs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import datasets
from core.types import Run
from pages.ui.shared import page_state, stored_runs
from pages.ui.shared.text import shorten


def choose(stored: Sequence[Run], problems: list[str], kind: str | None = None) -> str:
    """Draw the choice of a data set, of one kind or of all, and return its name; `problems` takes a wrong link."""
    names = [name for name in stored_runs.list_datasets(stored) if kind in (None, datasets.entry(name).kind)]
    trained = {run.spec.dataset for run in stored}

    def describe(name: str) -> str:
        return datasets.entry(name).label + ("" if name in trained else " (not trained yet)")

    refused: list[str] = []
    widget = page_state.seed_widget("data", names, stored_runs.choose_default_dataset(names, stored), refused)
    chosen = st.selectbox("Data set", names, format_func=describe, key=widget, width=250)
    if refused:
        linked = shorten(page_state.read_link("data"))
        why = f"which has no {kind}" if linked in datasets.names() else "which is not known"
        problems.append(f"The link asks for the data set “{linked}”, {why}. {describe(chosen)} is shown.")
    page_state.keep("data", chosen)
    return chosen
