"""Running a sweep: what is to be measured, how far it is, and its end."""

from __future__ import annotations

import re

import numpy as np
import streamlit as st

from core import approaches, datasets, labelled, sweeps
from core.types import BadInput, HourglassError
from pages.ui import choices, commands, loaded, nav, trainings
from pages.ui.error_by_labels import View
from pages.ui.numbers import seconds
from pages.ui.text import listed, plain

_LIVE_SECONDS = 1.0
_LAST = "hourglass.sweep"
_PROBLEM = "hourglass.sweep-problem"
_MOST_SEEDS = 10
_MOST_COUNTS = 12
# Of these an offer is made first: they take a few seconds each on small data.
_USUAL = ("network", "logistic", "lsa", "ae", "fine_tuned", "m1", "spreading")
_FEW_ROWS = 5000
_MINUTES = {0: "no limit", 1: "1 minute", 5: "5 minutes", 15: "15 minutes", 60: "1 hour", 480: "8 hours"}
_WORKSHOP_MINUTES = {1: "1 minute"}


def draw(view: View, problems: list[str]) -> None:
    _live(view)
    _ended()
    if not datasets.available(view.entry.name):
        loaded.offer_download(view.entry, problems, " Then sweeps can be run on it.")
        return
    st.markdown(
        plain(
            "Choose what to measure. Each combination is one cell; cells that are in the chart already are not "
            "computed again, and a sweep that is stopped goes on where it was when it is run again."
        )
    )
    asked = _form(view, problems)
    if asked is None:
        return
    wanted, counts, seeds, minutes = asked
    try:
        cells = labelled.cells(view.entry.name, wanted, counts, range(seeds))
    except BadInput as problem:
        st.error(plain(problem))
        return
    checksum = loaded.dataset(view.entry.name, view.entry.default_params).checksum
    kept = {row["key"] for row in view.rows if row["data_checksum"] == checksum}
    missing = [cell for cell in cells if cell.key not in kept]
    _notes(view, counts)
    with st.container(key="offer-sweep", horizontal=True, vertical_alignment="center"):
        st.button(
            f"Run {len(missing):,} cells" if len(missing) != 1 else "Run 1 cell",
            key=choices.key("run-sweep"),
            type="primary",
            icon=":material/play_arrow:",
            disabled=not missing or _waits_for_own(),
            on_click=_run,
            args=(view.entry.name, tuple(wanted), tuple(counts), seeds, 60.0 * minutes),
        )
        st.caption(plain(_promise(view, cells, missing)))
    if problem := st.session_state.pop(_PROBLEM, None):
        st.error(plain(problem))
    st.caption("The same from a command line:")
    st.code(commands.labelled_fraction(view.entry.name, wanted, counts, seeds), language=None, wrap_lines=True)


def _form(view: View, problems: list[str]) -> tuple[list[str], list[int], int, int] | None:
    names = approaches.names(view.entry.kind)
    widget = choices.key(f"sweep-methods-{view.entry.kind}")
    st.session_state.setdefault(
        widget, [name for name in choices.remembered("sweep-methods") or _USUAL if name in names]
    )
    wanted = st.pills(
        "Approaches to measure",
        names,
        selection_mode="multi",
        format_func=lambda name: approaches.get(name).label,
        key=widget,
    )
    choices.keep("sweep-methods", wanted, text=None)
    with st.container(horizontal=True, vertical_alignment="bottom", key="fraction-sweep"):
        widget = choices.key(f"sweep-labels-{view.entry.name}")
        st.session_state.setdefault(widget, ", ".join(map(str, _usual_counts(view))))
        given = st.text_input("Numbers of labels", key=widget, width=260, help="Whole numbers with commas between.")
        seeds = st.selectbox("How many seeds", range(1, _MOST_SEEDS + 1), 2, key=choices.key("sweep-seeds"), width=140)
        offered = _WORKSHOP_MINUTES if trainings.workshop() else _MINUTES
        minutes = st.selectbox(
            "Time budget",
            offered,
            format_func=offered.get,
            key=choices.key("sweep-minutes"),
            width=150,
            help="When it is over no cell is begun any more; those under way are "
            + ("ended, and left out." if trainings.workshop() else "finished."),
        )
    counts = _counts(given)
    return (wanted, counts, seeds, minutes) if counts and wanted else _nothing(wanted)


def _nothing(wanted: list[str]) -> None:
    if not wanted:
        st.caption("No approach is chosen: choose one above.")


def _counts(given: str) -> list[int] | None:
    if thousands := re.search(r"\d,\d{3}(?!\d)", given):
        number = thousands.group().replace(",", "")
        why = f"“{thousands.group()}” may be one number or two: write {number}, or a space after the comma."
        st.error(plain(why))
        return None
    try:
        counts = sorted({int(part) for part in given.replace(";", ",").split(",") if part.strip()})
    except ValueError:
        counts = []
    if not 1 <= len(counts) <= _MOST_COUNTS:
        st.error(
            plain(f"“{given[:40]}” is no list of 1 to {_MOST_COUNTS} whole numbers: write for example 20, 50, 100.")
        )
        return None
    return counts


def _usual_counts(view: View) -> list[int]:
    n_train = view.entry.rows[0]
    return [n for n in ((100, 600, 1000, 3000) if n_train > _FEW_ROWS else (20, 50, 100, 500)) if n <= n_train]


def _notes(view: View, counts: list[int]) -> None:
    dataset = loaded.dataset(view.entry.name, view.entry.default_params)
    n_classes = len(dataset.target_names)
    if few := [n for n in counts if n < n_classes]:
        st.caption(
            plain(
                f"{listed([str(n) for n in few])} labels are fewer than the {n_classes} classes: classes without a "
                "labelled row are never named, so all their test rows count as wrong."
            )
        )


def _promise(view: View, cells, missing) -> str:
    kept = len(cells) - len(missing)
    text = f"{kept:,} of {len(cells):,} are there already." if kept else ""
    known: dict[str, list[float]] = {}
    before: dict[str, float] = {}
    for row in view.rows:
        known.setdefault(row["method"], []).append(row["seconds"])
        before[row["method"]] = row["pretraining_seconds"]
    if missing and all(cell.spec.method in known for cell in missing):
        spent = sum(float(np.median(known[cell.spec.method])) for cell in missing)
        # Approaches share a pre-training, of which there is one a seed.
        spent += sum({cell.pretraining.key: before[cell.spec.method] for cell in missing if cell.pretraining}.values())
        text += f" About {seconds(spent)} of computing by what such cells took, shared by the processor's cores."
    return text


def _waits_for_own() -> bool:
    """Whether this person's sweep is under way, in a workshop, where each has one."""
    name = st.session_state.get(_LAST)
    return trainings.workshop() and any(each.name == name for each in sweeps.under_way())


def _run(dataset: str, wanted: tuple[str, ...], counts: tuple[int, ...], n_seeds: int, max_seconds: float) -> None:
    try:
        st.session_state[_LAST] = sweeps.request(
            dataset, wanted, counts, range(n_seeds), max_seconds, ends=trainings.workshop()
        )
    except HourglassError as problem:
        st.session_state[_PROBLEM] = str(problem)


def _stop(name: str) -> None:
    sweeps.stop(name)


# --- How far it is ------------------------------------------------------------------------------------------------


def _live(view: View) -> None:
    if found := sweeps.under_way():
        st.fragment(_progress, run_every=_LIVE_SECONDS)(tuple(each.name for each in found), view)


def _progress(names: tuple[str, ...], view: View) -> None:
    found = sweeps.under_way()
    if tuple(each.name for each in found) != names:
        st.rerun()
    for each in found:
        label = datasets.entry(each.asked["dataset"]).label
        waits = ", waiting for another one" if each.waits else ""
        with st.container(horizontal=True, vertical_alignment="center"):
            st.progress(each.share, plain(f"Sweep of {label}{waits}: {each.share:.0%}"))
            if not trainings.workshop() or each.name == st.session_state.get(_LAST):
                st.button(
                    "Stopping …" if each.stopping else "Stop",
                    key=choices.key(f"stop-{each.name}"),
                    on_click=_stop,
                    args=(each.name,),
                    disabled=each.stopping,
                    width="content",
                    help="Networks end within a second; another classifier that is being fitted is finished first.",
                )
        for what, share in each.under_way:
            st.caption(plain(f"{what}: {share:.0%}" if share else f"{what} …"))
    if any(each.asked["dataset"] == view.entry.name for each in found):
        st.button("Show what is done so far", key=choices.key("sweep-refresh"), on_click=lambda: None)


def _ended() -> None:
    """How the sweep that this person began last came to its end."""
    name = st.session_state.get(_LAST)
    if name is None or any(each.name == name for each in sweeps.under_way()):
        return
    del st.session_state[_LAST]
    with nav.in_words():
        report = sweeps.outcome(name)
        if report is None:
            st.info("The sweep was stopped. What it had computed is kept; run it again to go on.")
            return
        text = f"The sweep is done: {report.computed:,} computed, {report.kept:,} there before"
        text += f", {report.left:,} left out." if report.left else "."
        (st.warning if report.problems else st.success)(plain(" ".join([text, *report.problems[:3]])))
