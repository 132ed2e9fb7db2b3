"""Data sets, rows, estimators and latent codes behind bounded caches."""

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core import datasets
from core.analysis.codes import compute_codes, compute_errors
from core.analysis.rows import Rows, has_shipped_rows, load_shipped_rows, select_rows
from core.datasets import checksums
from core.runs import reader
from core.types import Dataset, Run
from pages.ui.shared import page_state
from pages.ui.shared.stored_runs import Stamp
from pages.ui.shared.text import plain

DEFAULT_COUNT = 2000
Params = tuple[tuple[str, Any], ...]


def _hash_name(text: str) -> bytes:
    """A data set's name with the stamp of its copy, so that another copy of it is read anew; other text as it is."""
    return f"{text} {checksums.make_stamp(text) if datasets.is_known(text) else ''}".encode()


@st.cache_resource(max_entries=2, show_spinner="Loading the data set …", hash_funcs={str: _hash_name})
def load_dataset(name: str, params: Params) -> Dataset:
    return datasets.load(name, **dict(params))


@st.cache_resource(max_entries=8, show_spinner="Selecting rows …", hash_funcs={str: _hash_name})
def load_rows(name: str, params: Params, split: str, n: int) -> Rows:
    shipped = load_shipped_rows(name, n, dict(params)) if split == "test" and n <= DEFAULT_COUNT else None
    # Shipped rows load at once, but another copy of the data set has other rows.
    if shipped is not None and checksums.compute_checksum(name, params) in (None, shipped.checksum):
        return shipped
    return select_rows(load_dataset(name, params), split, n)


@st.cache_resource(max_entries=32, show_spinner="Reading the data set …", hash_funcs={str: _hash_name})
def find_copy(name: str, params: Params) -> None:
    """Compute the checksum of a data set that is here, which takes a moment for new files."""
    if not datasets.entry(name).embedded:
        checksums.compute_checksum(name, params)


@st.cache_resource(max_entries=10, show_spinner=False)
def load_estimator(stamp: Stamp) -> Any:
    return reader.read_estimator(Path(stamp[0]))


@st.cache_resource(max_entries=24, show_spinner="Computing latent codes …")
def load_codes(stamp: Stamp, rows_key: str, _run: Run, _rows: Rows) -> tuple[np.ndarray, str]:
    """Latent codes of the rows and what they are, see `core.analysis.codes.compute_codes`."""
    return compute_codes(_run, stamp, _rows, lambda: load_estimator(stamp))


@st.cache_resource(max_entries=24, show_spinner="Computing reconstruction errors …")
def load_errors(stamp: Stamp, rows_key: str, _run: Run, _rows: Rows) -> np.ndarray | None:
    """Reconstruction errors of the rows, see `core.analysis.codes.compute_errors`."""
    return compute_errors(_run, stamp, _rows, lambda: load_estimator(stamp))


def find_rows(
    entry: datasets.Entry, params: Params, problems: list[str], *, split: str = "test", n: int = DEFAULT_COUNT
) -> Rows | None:
    """The rows asked for; without the data set on this machine its shipped test rows, or None."""
    has_shipped = has_shipped_rows(entry.name)
    if datasets.is_available(entry.name) or (has_shipped and split == "test" and n <= DEFAULT_COUNT):
        return load_rows(entry.name, params, split, n)
    until = f" Until then its {DEFAULT_COUNT:,} shipped test rows are shown." if has_shipped else ""
    offer_download(entry, problems, until)
    return load_rows(entry.name, params, "test", DEFAULT_COUNT) if has_shipped else None


def offer_download(entry: datasets.Entry, problems: list[str], why: str = "") -> None:
    """Draw a button that downloads a data set, or where to put its files."""
    if not entry.embedded and not datasets.can_fetch(entry.name):
        files, folder = datasets.get_expected_files(entry.name)
        st.info(plain(f"{entry.label} is not on this machine and has no free download. Put {files} in {folder}.{why}"))
        return
    about = "is not on this machine yet. The download is checked and kept in your user cache."
    st.info(plain(f"{entry.label} {about}{why}"))
    if st.button(f"Download {entry.label}", type="primary", key=page_state.key("download")):
        _download(entry, problems)


def _download(entry: datasets.Entry, problems: list[str]) -> None:
    bar = st.progress(0.0, f"Downloading {entry.label} …")
    # Any click ends the download; no partial file is left.
    st.button("Cancel", key=page_state.key("cancel-download"))

    def progress(done: int, total: int) -> None:
        share = min(done / total, 1.0) if total else 0.0
        of_all = f" of {total / 1e6:,.1f}" if total else ""
        bar.progress(share, f"Downloading {entry.label}: {done / 1e6:,.1f}{of_all} MB")

    with page_state.append_error(problems):
        datasets.fetch(entry.name, progress)
        st.rerun()
