"""What takes a while to load, behind bounded caches: data sets, rows, estimators, codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core import datasets, maps, store
from core.maps import Rows
from core.types import Dataset, HourglassError, Run
from pages.ui import choices
from pages.ui.runs import Stamp
from pages.ui.text import plain

DEFAULT_COUNT = 2000
Params = tuple[tuple[str, Any], ...]


@st.cache_resource(max_entries=2, show_spinner="Loading the data …")
def dataset(name: str, params: Params) -> Dataset:
    return datasets.load(name, **dict(params))


@st.cache_resource(max_entries=8, show_spinner="Taking the rows …")
def rows_of(name: str, params: Params, split: str, n: int) -> Rows:
    if split == "test" and n <= DEFAULT_COUNT and (shipped := maps.shipped_rows(name, n)) is not None:
        return shipped
    return maps.rows_of(dataset(name, params), split, n)


@st.cache_resource(max_entries=10, show_spinner=False)
def estimator(stamp: Stamp) -> Any:
    return store.estimator(Path(stamp[0]))


@st.cache_resource(max_entries=24, show_spinner="Computing the codes …")
def codes(stamp: Stamp, rows_key: str, _run: Run, _rows: Rows) -> tuple[np.ndarray, str]:
    """Codes of the rows and what they are, see `core.maps.codes`."""
    return maps.codes(_run, stamp, _rows, lambda: estimator(stamp))


def rows_here(
    entry: datasets.Entry, params: Params, problems: list[str], *, split: str = "test", n: int = DEFAULT_COUNT
) -> Rows | None:
    """The rows asked for; while the data set is not on this machine, its shipped test rows, or None.

    Raises
    ------
    HourglassError
        If the data set is here and can't be read.
    """
    has_shipped = maps.has_shipped_rows(entry.name)
    if datasets.available(entry.name) or (has_shipped and split == "test" and n <= DEFAULT_COUNT):
        return rows_of(entry.name, params, split, n)
    until = f" Until then its {DEFAULT_COUNT:,} shipped test rows are shown." if has_shipped else ""
    offer_download(entry, problems, until)
    return rows_of(entry.name, params, "test", DEFAULT_COUNT) if has_shipped else None


def offer_download(entry: datasets.Entry, problems: list[str], why: str = "") -> None:
    """Say that the data set is not here yet, and a button that fetches it."""
    st.info(
        plain(
            f"{entry.label} is not on this machine yet. It is downloaded once, checked, and kept in the user's cache."
            f"{why}"
        )
    )
    if st.button(f"Download {entry.label}", type="primary", key=choices.key("download")):
        _download(entry, problems)


def _download(entry: datasets.Entry, problems: list[str]) -> None:
    bar = st.progress(0.0, f"Downloading {entry.label} …")
    # Whatever is clicked ends the download, which leaves nothing half-written.
    st.button("Cancel", key=choices.key("cancel-download"))

    def progress(done: int, total: int) -> None:
        share = min(done / total, 1.0) if total else 0.0
        of_all = f" of {total / 1e6:,.1f}" if total else ""
        bar.progress(share, f"Downloading {entry.label}: {done / 1e6:,.1f}{of_all} MB")

    try:
        datasets.fetch(entry.name, progress)
    except HourglassError as problem:
        problems.append(str(problem))
        return
    st.rerun()
