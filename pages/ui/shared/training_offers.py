"""Trainings that a section needs: a button that requests all of them, and their progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from core.errors import BadInput
from core.runs import presets
from core.tasks import queue
from core.tasks.queue import Task
from core.types import FITTING, Run, Spec
from pages.ui.shared import page_state, stored_runs, training_queue
from pages.ui.shared.task_progress import LIVE_SECONDS, show_task_progress
from pages.ui.shared.text import plain


def find_missing(wanted: Sequence[Spec], stored: Sequence[Run]) -> list[Spec]:
    """The Specs without a complete stored run and without a training under way."""
    return [
        spec
        for spec in wanted
        if not stored_runs.is_complete(stored, spec) and not training_queue.is_live(training_queue.find_task(spec.key))
    ]


def draw_button(label: str, wanted: Sequence[Spec], name: str, about: str = "", *, primary: bool = True) -> None:
    """Draw a button that requests all trainings of `wanted`, with a caption.

    Parameters
    ----------
    name : of the button on its page, for its key.
    about : the caption; in a workshop the reason if such trainings are refused.
    """
    refused = _refuse_in_workshop(wanted)
    with st.container(key=f"offer-{name}", horizontal=True, vertical_alignment="center"):
        st.button(
            label,
            key=page_state.key(f"offer-{name}"),
            type="primary" if primary else "secondary",
            icon=":material/model_training:",
            on_click=_ask,
            args=(tuple(wanted),),
            disabled=bool(refused),
        )
        if refused or about:
            st.caption(plain(refused or about))


def _refuse_in_workshop(wanted: Sequence[Spec]) -> str:
    if not training_queue.is_workshop():
        return ""
    try:
        for spec in wanted:
            presets.check_workshop(spec)
    except BadInput as problem:
        return str(problem)
    return ""


def _ask(wanted: Sequence[Spec]) -> None:
    if not training_queue.train_all(wanted):
        return
    # The page Training shows the last of them; this page's address is about other things.
    page_state.keep("run", wanted[-1], text=None)


def show_progress(concerns: Callable[[Task], bool]) -> None:
    """Draw the progress of the trainings that concern a section; an end reruns the page."""
    if problem := training_queue.take_problem():
        st.error(plain(problem))
    tasks = [task for task in training_queue.list_tasks() if concerns(task)]
    show_failures([task for task in tasks if task.state == queue.FAILED])
    if live := frozenset(task.key for task in tasks if training_queue.is_live(task)):
        st.fragment(_draw_progress, run_every=LIVE_SECONDS)(live)


def show_failures(failed: Sequence[Task]) -> None:
    """Draw why trainings failed, until the visitor dismisses that."""
    if not failed:
        return
    keys = [task.key for task in failed]
    with st.container(key=f"failed-{keys[0]}"):
        for task in failed:
            st.error(plain(f"{training_queue.label_training(task.spec)}: {task.message}"))
        st.button("Dismiss", on_click=training_queue.dismiss, args=(keys,), key=page_state.key(f"dismiss-{keys[0]}"))


def _draw_progress(live: frozenset[str]) -> None:
    tasks = [task for task in training_queue.list_tasks() if task.key in live]
    if {task.key for task in tasks if training_queue.is_live(task)} != live:
        st.rerun()
    for task in tasks:
        share = float(task.row.get("share", 0.0)) if task.state == queue.RUNNING else 0.0
        show_task_progress(task.key, share, f"{training_queue.label_training(task.spec)}: {_describe_stage(task)}")
    st.page_link("pages/training.py", label="Watch, pause or stop on the page Training")


def _describe_stage(task: Task) -> str:
    if task.state == queue.QUEUED:
        return f"number {task.place} in the queue"
    left = task.seconds_left
    if task.stage == FITTING and left is not None:
        return f"training, about {max(1, round(left)):,} s left"
    return f"{task.stage or 'starting'} …"
