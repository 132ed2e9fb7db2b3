"""Metrics that are not computed yet: progress, and buttons to start and stop the evaluation."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.errors import HourglassError
from core.runs import store
from core.tasks import queue, requests
from core.types import Run
from pages.ui.shared import page_state, stored_runs
from pages.ui.shared.task_progress import LIVE_SECONDS
from pages.ui.shared.text import join_words, plain

_PROBLEM = "hourglass.measuring"


def draw(shown: Mapping[str, Run]) -> None:
    """Draw the progress of pending metrics of labelled runs; new metrics rerun the page."""
    own = {label: run for label, run in shown.items() if not store.is_shipped(run)}
    # Runs of another copy of the data can't be evaluated on the copy that is here.
    waiting = {label: run for label, run in own.items() if run.pending and not stored_runs.describe_origin(run)}
    if not waiting:
        return
    stamps = {run.key: stored_runs.get_stamp(run.key) for run in waiting.values()}
    is_live = any(task.key in stamps and not task.problem for task in queue.list_pending_scores())
    st.fragment(_draw, run_every=LIVE_SECONDS if is_live else None)(waiting, stamps, is_live)


def _draw(waiting: Mapping[str, Run], stamps: Mapping[str, stored_runs.Stamp], was_live: bool) -> None:
    tasks = {task.key: task for task in queue.list_pending_scores() if task.key in stamps}
    is_live = any(not task.problem for task in tasks.values())
    if is_live != was_live or any(stored_runs.get_stamp(key) != stamp for key, stamp in stamps.items()):
        st.rerun()
    if problem := st.session_state.pop(_PROBLEM, ""):
        st.error(plain(problem))
    by_label = {label: tasks[run.key] for label, run in waiting.items() if run.key in tasks}
    live = {label: task for label, task in by_label.items() if not task.problem}
    left = {label: run for label, run in waiting.items() if label not in live}
    with st.container(horizontal=True, vertical_alignment="center", key=page_state.key("measuring")):
        if live:
            stages = [f"{label}: {task.stage or 'waiting for trainings to end'}" for label, task in live.items()]
            st.markdown(plain(f"Evaluation in progress. {'; '.join(stages)}."))
            keys = [task.key for task in live.values()]
            st.button("Stop evaluation", on_click=_stop, args=(keys,), key=page_state.key("stop-measuring"))
        if left:
            problems = "".join(f" {label}: {task.problem}" for label, task in by_label.items() if task.problem)
            st.markdown(plain(f"Some metrics of {join_words(list(left))} are not computed yet.{problems}"))
            keys = [run.key for run in left.values()]
            st.button("Evaluate now", on_click=_begin, args=(keys,), key=page_state.key("measure-now"))


def describe(run: Run) -> str:
    """The progress of one run's pending metrics in a sentence."""
    task = next((task for task in queue.list_pending_scores() if task.key == run.key), None)
    if task is None:
        return "Some of its metrics are not computed yet: start the evaluation on the page Compare."
    if task.problem:
        return f"Some of its metrics could not be computed. {task.problem}"
    return f"Evaluation in progress: {task.stage or 'waiting for trainings to end'}."


def _stop(keys: list[str]) -> None:
    for key in keys:
        queue.remove_pending_scores(key)


def _begin(keys: list[str]) -> None:
    try:
        for key in keys:
            requests.request_scores(key)
    except HourglassError as problem:
        st.session_state[_PROBLEM] = str(problem)
