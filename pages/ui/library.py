"""The stored runs: a table, their curves over one another, the line that makes each again, and their files."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import streamlit as st

from core import datasets, methods, store
from core.figures.histories import AXES
from core.metrics import DEFINITIONS
from core.types import HourglassError, Run
from pages.ui import choices, commands, nav, runs, trainings
from pages.ui.text import plain

_MOST = 6
_ROOT = Path(__file__).parents[2]
_FIGURES = ("squared_error", "neg_elbo", "knn_accuracy", "frechet")
_ALL = "all data sets"
_IMPORT_SECONDS = 120


def draw(stored: Sequence[Run], dataset: str) -> None:
    st.subheader("Runs", anchor=False)
    with st.container(key="runs-head", horizontal=True, vertical_alignment="bottom"):
        everything = st.toggle("All data sets", key=choices.key("all-runs"))
        _upload()
    shown = [run for run in stored if everything or run.spec.dataset == dataset]
    if not shown:
        st.info(f"No run on {datasets.entry(dataset).label} is stored yet.")
        return
    shown.sort(key=lambda run: run.environment["date"], reverse=True)
    st.dataframe(
        _table(repr([(run.key, run.environment["date"]) for run in shown]), shown),
        hide_index=True,
        placeholder="–",
        height=min(38 + 35 * len(shown), 318),
        column_config=_columns(),
    )
    chosen = _chosen(shown)
    if not chosen:
        return
    _overlay(chosen)
    for run in chosen:
        _one(run)


# The table


@st.cache_resource(max_entries=16, show_spinner=False)
def _table(stamps: str, _runs: Sequence[Run]) -> pa.Table:
    """As an Arrow table, which a page sends as it is."""
    rows = []
    for run in _runs:
        place = store.find(run.key)
        figures = {DEFINITIONS[name].label: run.metrics.get(name) for name in _FIGURES}
        rows.append(
            {
                "Run": f"{runs.label(run.spec)}, {store.code_size(run)}-D",
                "Data set": datasets.entry(run.spec.dataset).label,
                "From": _origin(run),
                "Date": run.environment["date"][:16].replace("T", " "),
                "Epochs": f"{run.history[-1].get('epoch', 0):g}" if run.history else "",
                "Seconds": run.metrics["seconds"],
                **figures,
                "MB": store.size(place) / 1e6 if place else None,
                "Key": run.key,
            }
        )
    frame = pd.DataFrame(rows)
    return pa.Table.from_pandas(frame.dropna(axis="columns", how="all"), preserve_index=False)


def _columns() -> dict:
    column = st.column_config
    return {
        "Seconds": column.NumberColumn(format="%.1f", help="Seconds of training, without measuring."),
        "MB": column.NumberColumn(format="%.1f"),
        "Date": column.TextColumn(help="When it was trained, UTC."),
        **{
            DEFINITIONS[name].label: column.NumberColumn(format="%.4g", help=plain(DEFINITIONS[name].help))
            for name in _FIGURES
        },
    }


def _origin(run: Run) -> str:
    if store.is_shipped(run.key):
        return "shipped"
    if run.environment.get("loaded"):
        return "loaded from a file"
    return "own, stopped early" if run.environment.get("stopped_early") else "own"


def _named(run: Run) -> str:
    return f"{trainings.label(run.spec)} ({run.key[:6]})"


# Curves and files of those chosen


def _chosen(shown: Sequence[Run]) -> list[Run]:
    by_key = {run.key: run for run in shown}
    widget = choices.key("runs")
    asked = choices.asked("runs")
    wanted = asked.split(",") if asked else st.session_state.get(widget) or choices.remembered("runs") or []
    st.session_state[widget] = [key for key in wanted if key in by_key][:_MOST]
    chosen = st.multiselect(
        "Runs to look into",
        list(by_key),
        format_func=lambda key: _named(by_key[key]),
        key=widget,
        max_selections=_MOST,
        placeholder="Choose runs: their curves, command lines and files",
    )
    choices.keep("runs", chosen, text=",".join(chosen) or None)
    return [by_key[key] for key in chosen]


def _overlay(chosen: Sequence[Run]) -> None:
    from core.figures import curves

    by_unit: dict[str, dict[str, list]] = {}
    for run in chosen:
        if run.history:
            unit = methods.get(run.spec.method).loss_unit.get(run.environment["kind"], "")
            by_unit.setdefault(unit, {})[_named(run)] = run.history
    if not by_unit:
        st.caption("These methods are solved at once, so they have no curves.")
        return
    widget = choices.seed("curves", tuple(AXES), "epoch", [])
    by = st.segmented_control("Curves over", tuple(AXES), format_func=AXES.get, key=widget, required=True)
    choices.keep("curves", by)
    for unit, histories in by_unit.items():
        with st.container(key=f"overlay-{unit.replace(' ', '-')}"):
            for k, figure in enumerate(curves.progress(histories, by, unit, nav.theme(), height=280)):
                st.plotly_chart(figure, key=choices.key(f"overlay-{unit}-{k}"), config={"displaylogo": False})


def _one(run: Run) -> None:
    with st.container(border=True, key=f"run-{run.key}"):
        st.markdown(f"**{plain(_named(run))}**, {_origin(run)}")
        st.code(commands.fit(run.spec), language=None, wrap_lines=True)
        with st.container(horizontal=True, key=f"run-{run.key}-buttons"):
            st.button("Look back", on_click=trainings.watch, args=(run.spec,), key=choices.key(f"back-{run.key}"))
            st.download_button(
                "Download",
                data=lambda: store.pack(store.find(run.key)),
                file_name=f"hourglass-{run.spec.dataset}-{run.spec.method}-{run.key}.zip",
                mime="application/zip",
                on_click="ignore",
                key=choices.key(f"zip-{run.key}"),
                help="The run as one file, to be loaded elsewhere.",
            )
            if not store.is_shipped(run.key) and not trainings.workshop():
                with st.popover("Delete"):
                    st.markdown("This run and its pictures are deleted for good.")
                    st.button("Delete for good", on_click=_delete, args=(run.key,), key=choices.key(f"del-{run.key}"))


def _delete(key: str) -> None:
    try:
        store.delete(key)
    except HourglassError as problem:
        trainings.tell(str(problem))


# Loading a file


def _upload() -> None:
    with st.popover("Load a run", help="From a file that “Download” has made, here or elsewhere."):
        file = st.file_uploader("A run as a zip file", type="zip", key=choices.key("upload"))
        if file is not None and st.button("Load it", type="primary", key=choices.key("load")):
            with st.spinner("Checking the run: its files, its settings, and that its weights fit …"), nav.in_words():
                key = _import(file.getvalue())
                stored, _ = runs.stored()
                loaded = next(run for run in stored if run.key == key)
                st.success(plain(f"Loaded {_named(loaded)}. Its figures are those written in the file."))
                trainings.watch(loaded.spec)


def _import(data: bytes) -> str:
    """Have another process check and store the file, since that takes torch; the key of its run.

    Raises
    ------
    HourglassError
        If it is refused, in the command line's sentence.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.zip"
        path.write_bytes(data)
        command = [sys.executable, "-m", "core", "import", str(path), "--json"]
        try:
            done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=_IMPORT_SECONDS)
        except subprocess.TimeoutExpired:
            raise HourglassError(
                f"Checking the file took more than {_IMPORT_SECONDS} s, so it was not loaded."
            ) from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it could not be read"])[-1].removeprefix("hourglass: ")
        raise HourglassError(said.replace(str(path), "This file"))
    return json.loads(done.stdout)["key"]
