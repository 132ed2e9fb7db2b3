"""The stored runs: a table, curves of several runs, and each run's command line, file and deletion."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import streamlit as st

from core import config, datasets, methods
from core.errors import HourglassError
from core.figures.svg import AXES
from core.files import size_of
from core.metrics.definitions import DEFINITIONS, get_definition
from core.runs import selection, specs, store, transfer
from core.types import Run
from pages.ui.shared import charts, cli_commands, header, page_state, run_picker, stored_runs, tables, training_queue
from pages.ui.shared.html_blocks import make_code
from pages.ui.shared.text import plain
from pages.ui.training import curves
from pages.ui.training.setting_labels import METRICS, describe_settings

_MOST_RUNS = 6
_MOST_SETTINGS = 3  # in the name of a run
_ROOT = Path(__file__).parents[3]
_IMPORT_SECONDS = 300


def draw(stored: Sequence[Run], dataset: str) -> None:
    entry = datasets.entry(dataset)
    st.header("Runs", anchor=False)
    with st.container(key="runs-head", horizontal=True, vertical_alignment="bottom"):
        is_all = st.toggle("All data sets", key=page_state.key("all-runs"))
    _draw_upload()
    runs = [run for run in stored if is_all or run.spec.dataset == dataset]
    if not runs:
        st.info(f"No run on {entry.label} is stored yet.")
        return
    if "runs" not in st.query_params and not charts.is_near("runs", 520):
        return
    runs.sort(key=lambda run: run.environment["date"], reverse=True)
    stamps = repr([(run.key, run.environment["date"], stored_runs.describe_origin(run)) for run in runs])
    height = min(38 + 35 * len(runs), 318)
    columns = _columns(entry.kind)
    tables.draw_frame(_table(stamps, runs), "runs-table", placeholder="–", height=height, column_config=columns)
    if aside := store.list_set_aside():
        st.caption(
            f"Not listed: {len(aside):,} of your runs ({sum(map(size_of, aside)) / 1e6:,.1f} MB) with settings "
            "of runs above, on other copies of the data. They are listed again once their copy is back."
        )
    names = _name_runs(runs)
    if chosen := _choose_runs(runs, names):
        _draw_curves(chosen, names)
        _link_comparison(chosen)
    for run in chosen:
        _draw_run(run, names[run.key])


@st.cache_resource(max_entries=16, show_spinner=False)
def _table(stamps: str, _runs: Sequence[Run]) -> pa.Table:
    """Make the table in Arrow's format, which a page sends as it is."""
    frame = pd.DataFrame(map(_make_row, _runs)).dropna(axis="columns", how="all")
    return pa.Table.from_pandas(frame, preserve_index=False)


def _make_row(run: Run) -> dict:
    place, values = store.find_place(run.key), {name: measured.value for name, measured in run.metrics.items()}
    return {
        "Run": f"{stored_runs.label_run(run.spec)}, {selection.code_size(run)}-D",
        "Data set": datasets.entry(run.spec.dataset).label,
        "Source": _describe_source(run),
        "Date": run.environment["date"][:16].replace("T", " "),
        "Settings": describe_settings(run.spec),
        "Epochs": f"{run.history[-1].get('epoch', 0):g}" if run.history else "",
        "Training time (s)": values["seconds"],
        **{DEFINITIONS[name].label: values.get(name) for name in METRICS},
        "MB": size_of(place) / 1e6 if place else None,
        "Key": run.key,
    }


def _columns(kind: str) -> dict:
    number = st.column_config.NumberColumn
    about = {DEFINITIONS[name].label: plain(get_definition(name, kind).help) for name in METRICS}
    return {
        "Training time (s)": number(format="%.1f", help="Without evaluation."),
        "MB": number(format="%.1f"),
        "Date": st.column_config.TextColumn(help="End of the training, UTC."),
        **{label: number(format="%.4g", help=text) for label, text in about.items()},
    }


def _describe_source(run: Run) -> str:
    if store.is_shipped(run):
        source = "shipped"
    elif run.environment.get("loaded"):
        source = "loaded from a file" + ("" if run.is_verified else ", not verified")
    else:
        source = "yours, stopped early" if run.environment.get("stopped_early") else "yours"
    return ", ".join(filter(None, [source, stored_runs.describe_origin(run)]))


def _name_runs(runs: Sequence[Run]) -> dict[str, str]:
    """Name each run by what it is, the settings that differ among runs of that name, and its key."""
    labels, names = [training_queue.label_training(run.spec) for run in runs], {}
    for run, label in zip(runs, labels, strict=True):
        alike = [other.spec for other, its_label in zip(runs, labels, strict=True) if its_label == label]
        settings = describe_settings(run.spec, specs.differing(alike), _MOST_SETTINGS)
        names[run.key] = f"{label} ({', '.join(filter(None, (settings, run.key[:6])))})"
    return names


def _choose_runs(runs: Sequence[Run], names: Mapping[str, str]) -> list[Run]:
    by_key = {run.key: run for run in runs}
    widget, link = page_state.key("runs"), page_state.read_link("runs")
    wanted = link.split(",") if link else st.session_state.get(widget, page_state.recall("runs")) or []
    st.session_state[widget] = [key for key in dict.fromkeys(wanted) if key in by_key][:_MOST_RUNS]
    look = {"format_func": names.get, "placeholder": "Choose runs: their curves, command lines and files"}
    chosen = st.multiselect("Compare runs", list(by_key), key=widget, max_selections=_MOST_RUNS, **look)
    page_state.keep("runs", chosen, text=",".join(chosen) or None)
    return [by_key[key] for key in chosen]


def _draw_curves(chosen: Sequence[Run], names: Mapping[str, str]) -> None:
    from core.figures import training_curves

    by_unit: dict[str, dict[str, list]] = {}
    for run in chosen:
        if run.history:
            by_unit.setdefault(curves.get_unit(run.spec), {})[names[run.key]] = run.history
    if not by_unit:
        st.caption("These methods are fitted in closed form, so they have no curves.")
        return
    by = page_state.choose("curves", "Curves over", AXES, [])
    for unit, histories in by_unit.items():
        figures = training_curves.plot_progress(histories, by, unit, header.get_theme(), height=280)
        with st.container(key=f"overlay-{unit.replace(' ', '-')}"):
            for k, figure in enumerate(figures):
                charts.draw(figure, f"overlay-{unit}-{k}")


def _link_comparison(chosen: Sequence[Run]) -> None:
    """Link to Compare with these runs, where one view can show them all."""
    compared = [run.spec for run in chosen if not methods.entry(run.spec.method).maps_rows]
    sizes = {spec.param("n_components") for spec in compared if not methods.entry(spec.method).has_own_code_size}
    if len(compared) > 1 and len(sizes) < 2 and len({spec.dataset for spec in compared}) == 1:
        label, icon = "Show them side by side in Compare", ":material/compare_arrows:"
        st.page_link("app.py", label=label, icon=icon, query_params=run_picker.to_query(compared))


def _draw_run(run: Run, name: str) -> None:
    key = run.key
    with st.container(border=True, key=f"run-{key}"):
        st.markdown(f"**{plain(name)}**, {_describe_source(run)}")
        st.html(make_code(cli_commands.format_fit(run.spec)))
        with st.container(horizontal=True, key=f"run-{key}-buttons"):
            st.button("Replay", on_click=training_queue.watch, args=(run.spec,), key=page_state.key(f"back-{key}"))
            pack, file = (
                lambda: transfer.pack_run(run.place),
                f"hourglass-{run.spec.dataset}-{run.spec.method}-{key}.zip",
            )
            about, widget = "The run as one file, to be loaded on another machine.", page_state.key(f"zip-{key}")
            st.download_button("Download", pack, file, "application/zip", widget, about, "ignore")
            if not store.is_shipped(run) and not config.is_workshop():
                with st.popover("Delete"):
                    st.markdown("Deletes this run and its snapshots for good.")
                    st.button("Delete for good", on_click=_delete, args=(key,), key=page_state.key(f"del-{key}"))


def _delete(key: str) -> None:
    with page_state.keep_error("training"):
        store.delete_run(key)


def _draw_upload() -> None:
    # A popover would close with the rerun that follows the upload.
    drawer = st.expander("Load a run", key=page_state.key("load-run"), on_change="rerun")
    if not drawer.open:
        return
    with drawer:
        file = st.file_uploader("A run as a zip file", type="zip", key=page_state.key("upload"))
        if file is None or not st.button("Load it", type="primary", key=page_state.key("load")):
            return
        with st.spinner("Checking the run: its files, settings and weights …"), header.show_errors():
            key = _import(file.getvalue())
            run = next(run for run in stored_runs.list_runs()[0] if run.key == key)
            metrics = "were measured again here" if run.is_verified else "are those in the file, not verified"
            st.success(plain(f"Loaded {training_queue.label_training(run.spec)} ({key[:6]}). Its metrics {metrics}."))
            training_queue.watch(run.spec)


def _import(data: bytes) -> str:
    """Check and store a file in another process, since that takes torch; return the run's key.

    Raises HourglassError, in the command line's sentence, if it is refused.
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
        message = (done.stderr.strip().splitlines() or ["it could not be read"])[-1].removeprefix("hourglass: ")
        raise HourglassError(message.replace(str(path), "This file"))
    return json.loads(done.stdout)["key"]
