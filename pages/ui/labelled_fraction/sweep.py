"""Run an experiment: its form, its progress and its report."""

import re
import time
from collections.abc import Sequence

import numpy as np
import streamlit as st

from core import config, datasets, semi_supervised
from core.datasets import checksums
from core.errors import BadInput
from core.semi_supervised import background_sweep, experiment
from core.types import Dataset
from pages.ui.labelled_fraction import curve
from pages.ui.labelled_fraction.curve import View
from pages.ui.shared import cached, cli_commands, header, page_state
from pages.ui.shared.html_blocks import make_code
from pages.ui.shared.number_format import seconds
from pages.ui.shared.task_progress import show_task_progress
from pages.ui.shared.text import join_words, plain

_LIVE_SECONDS = 1.0
# The page is drawn again for new results at most so often.
_REDRAW_SECONDS = 2.0
_LAST = "hourglass.sweep"
_LABELS, _LONGEST = "sweep-labels", 100
_MOST_SEEDS, _USUAL_SEEDS = 10, 3
_MOST_COUNTS = 12
# Of these an offer is made first: they take a few seconds each on small data.
_USUAL = ("network", "logistic", "lsa", "ae", "fine_tuned", "m1", "spreading", "boosting", "both")
_MINUTES = {0: "no limit", 1: "1 minute", 5: "5 minutes", 15: "15 minutes", 60: "1 hour", 480: "8 hours"}


def draw(view: View, problems: list[str]) -> None:
    if not datasets.is_available(view.entry.name):
        cached.offer_download(view.entry, problems, " Then experiments can be run on it.")
        return
    st.markdown(
        "Each approach is fitted once per number of labels and seed; results in the chart are not computed again. "
        "A stopped experiment resumes when it is run again."
    )
    dataset = cached.load_dataset(view.entry.name, view.entry.default_params)
    wanted, counts, seeds, minutes = _form(view, dataset, problems)
    if not wanted or not counts:
        return
    try:
        cells = experiment.list_cells(view.entry.name, wanted, counts, range(seeds))
    except BadInput as problem:
        st.error(plain(problem))
        return
    kept = {row["key"] for row in view.rows if checksums.is_of(row, dataset.checksum)}
    missing = [cell for cell in cells if cell.key not in kept]
    n_classes = len(dataset.target_names)
    if few := [str(n) for n in counts if n < n_classes]:
        why = "a class without a labelled row is never predicted, so all its test rows are misclassified"
        st.caption(plain(f"{join_words(few)} labels are fewer than the {n_classes} classes: {why}."))
    fits = f"{len(missing):,} {'fit' if len(missing) == 1 else 'fits'}"
    run = f"Run {fits}" if len(missing) == len(cells) else f"Run the remaining {fits}"
    with st.container(key="offer-sweep", horizontal=True, vertical_alignment="center"):
        look = {"type": "primary", "icon": ":material/play_arrow:", "disabled": not missing or _is_running()}
        args = view.entry.name, tuple(wanted), tuple(counts), seeds, 60.0 * minutes
        label = run if missing else "All fits are done"
        st.button(label, key=page_state.key("run-sweep"), on_click=_run, args=args, **look)
        st.caption(plain(_estimate_time(view, cells, missing)))
    page_state.show_kept_error("experiment")
    st.caption("Command line:")
    st.html(make_code(cli_commands.format_labelled_fraction(view.entry.name, wanted, counts, seeds)))


def _form(view: View, dataset: Dataset, problems: list[str]) -> tuple[list[str], list[int], int, int]:
    kind, name = view.entry.kind, "sweep-methods"
    look = {"default": _USUAL, "problems": problems, "memory": f"{name}/{kind}"}
    wanted = curve.choose_approaches("Approaches to measure", semi_supervised.names(kind), name, **look)
    with st.container(horizontal=True, vertical_alignment="bottom", key="fraction-sweep"):
        given = _labels_field(dataset)

        def choose(name: str, label: str, options: Sequence[int], default: int, **look) -> int:
            look["parse"] = page_state.parse_integer
            return page_state.choose_with(st.selectbox, name, label, options, default, problems, **look)

        seeds = choose("sweep-seeds", "Number of seeds", range(1, _MOST_SEEDS + 1), _USUAL_SEEDS, width=140)
        offered, running = _MINUTES, "finished"
        if config.is_workshop():
            offered, running = {1: "1 minute"}, "stopped and left out"
        look = {"format_func": offered.get, "help": f"Then no further fit starts; running fits are {running}."}
        minutes = choose("sweep-minutes", "Time limit", tuple(offered), next(iter(offered)), width=150, **look)
    counts = _parse_counts(given)
    if not wanted:
        st.caption("No approach is selected: select one above.")
    return wanted, counts, seeds, minutes


def _labels_field(dataset: Dataset) -> str:
    """Numbers of labels as they are written: from the link, as they were left, or the usual ones."""
    memory = f"{_LABELS}/{dataset.name}"
    widget, given = page_state.key(memory), page_state.read_link(_LABELS)
    if given is not None:
        st.session_state[widget] = given[:_LONGEST].replace(".", ", ")
    elif widget not in st.session_state:
        usual = ", ".join(map(str, experiment.list_usual_counts(dataset)))
        st.session_state[widget] = page_state.recall(memory) or usual
    written = st.text_input("Numbers of labels", key=widget, width=260, help="Whole numbers separated by commas.")
    short = ".".join(written.replace(",", " ").split())
    page_state.keep(_LABELS, written, text=short if 0 < len(short) <= _LONGEST else None, memory=memory)
    return written


def _parse_counts(given: str) -> list[int]:
    if thousands := re.search(r"\d,\d{3}(?!\d)", given):
        found = thousands.group()
        st.error(plain(f"“{found}” is ambiguous: write {found.replace(',', '')}, or a space after the comma."))
        return []
    try:
        counts = sorted({int(part) for part in given.replace(";", ",").split(",") if part.strip()})
    except ValueError:
        counts = []
    if not 1 <= len(counts) <= _MOST_COUNTS:
        st.error(plain(f"“{given[:40]}” is not a list of 1 to {_MOST_COUNTS} whole numbers, such as 20, 50, 100."))
        return []
    return counts


def _estimate_time(view: View, cells, missing) -> str:
    kept = len(cells) - len(missing)
    text = f"{kept:,} of {len(cells):,} are done." if kept else ""
    before = {row["method"]: row["pretraining_seconds"] for row in view.rows}
    if missing and all(cell.spec.method in before for cell in missing):
        known = {m: np.median([row["seconds"] for row in view.rows if row["method"] == m]) for m in before}
        spent = sum(float(known[cell.spec.method]) for cell in missing)
        # Approaches share a pre-training, of which there is one a seed.
        spent += sum({cell.pretraining.key: before[cell.spec.method] for cell in missing if cell.pretraining}.values())
        cores = background_sweep.count_processes()
        text += f" Estimated time: {seconds(spent / cores)} on {cores} {'core' if cores == 1 else 'cores'}."
    return text


def _is_running() -> bool:
    """Whether this person's experiment is running: each person has one."""
    name, _ = st.session_state.get(_LAST, ("", ""))
    return any(each.name == name for each in background_sweep.list_sweeps())


def _run(dataset: str, wanted: tuple[str, ...], counts: tuple[int, ...], n_seeds: int, max_seconds: float) -> None:
    asked = dataset, wanted, counts, range(n_seeds), max_seconds
    with page_state.keep_error("experiment"):
        st.session_state[_LAST] = background_sweep.request_sweep(*asked, ends=config.is_workshop()), dataset


def draw_progress(view: View) -> None:
    """Draw the progress of running experiments; a new result of this data set, or an end, reruns the page."""
    _report_end()
    if found := _list_sweeps():
        names, stamp = tuple(each.name for each in found), curve.make_stamp(view.entry.name)
        st.fragment(_progress, run_every=_LIVE_SECONDS)(names, view, stamp, time.monotonic())


def _list_sweeps() -> list[background_sweep.Sweep]:
    """The experiments on data sets that this visitor may see and that were not deleted meanwhile."""
    return [each for each in background_sweep.list_sweeps() if datasets.is_known(each.dataset)]


def _progress(names: tuple[str, ...], view: View, stamp: str, drawn_at: float) -> None:
    found = _list_sweeps()
    is_old = time.monotonic() - drawn_at > _REDRAW_SECONDS and curve.make_stamp(view.entry.name) != stamp
    if is_old or tuple(each.name for each in found) != names:
        st.rerun()
    for each in found:
        label = datasets.entry(each.dataset).label
        waits = ", waiting for another experiment" if each.waits else ""
        may_stop = not config.is_workshop() or each.name == st.session_state.get(_LAST, ("", ""))[0]
        text = f"Experiment on {label}{waits}: {each.share:.0%} of the fits to run"
        stop = background_sweep.stop_sweep if may_stop else None
        about = "Networks stop within a second; other classifiers finish their fit first."
        show_task_progress(each.name, each.share, text, stop, [each.name], help=about, is_stopping=each.is_stopping)
        for what, share in each.shares:
            st.caption(plain(f"{what}: {share:.0%}" if share else f"{what} …"))


def _report_end() -> None:
    """Report the end of this person's last experiment."""
    if _LAST not in st.session_state or _is_running():
        return
    name, dataset = st.session_state.pop(_LAST)
    with header.show_errors():
        label = datasets.entry(dataset).label
        report = background_sweep.read_report(name)
        if report is None:
            text = f"The experiment on {label} was stopped. Results and pre-training are kept: run it again to resume."
            st.info(text)
            return
        text = f"The experiment on {label} is done: {report.computed:,} computed, {report.kept:,} were stored"
        failed = f", of which {report.failed:,} failed" if report.failed else ""
        text += f", {report.left:,} left out{failed}." if report.left else "."
        (st.warning if report.problems else st.success)(plain(" ".join([text, *report.problems[:3]])))
