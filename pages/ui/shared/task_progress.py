"""Progress of work beside the app: bars with a Stop button, and tasks to start and follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.errors import HourglassError
from pages.ui.shared import page_state
from pages.ui.shared.text import plain

LIVE_SECONDS = 1.0


def show_task_progress(
    name: str,
    share: float,
    text: str,
    stop: Callable | None = None,
    args: Sequence[Any] = (),
    *,
    help: str | None = None,
    is_stopping: bool = False,
) -> None:
    """Draw a bar of one task with what it does, and a button that stops it.

    Parameters
    ----------
    name : of the task on its page, for the keys.
    share : how much is done, in [0, 1].
    stop : the button's callback, called with `args`; without it there is no button.
    help : what stopping does, where that is not plain.
    """
    with st.container(horizontal=True, vertical_alignment="center", key=f"progress-{name}"):
        st.progress(min(1.0, max(0.0, share)), plain(text))
        if stop is not None:
            label, key = "Stopping …" if is_stopping else "Stop", page_state.key(f"stop-{name}")
            st.button(label, key, help, stop, tuple(args), disabled=is_stopping, width="content")


@dataclass(frozen=True)
class Task:
    """A computation that a visitor may start, follow and stop.

    Attributes
    ----------
    name : of the task on its page, for the keys.
    title : of the computation while it runs: ``"t-SNE of AE 10-D"``.
    label, about, help : of the button that starts it, and the caption beside it, such as how long it takes.
    has_result : whether a state, or the cache, has the result.
    start, stop : callbacks of the buttons; `start` may raise HourglassError.
    """

    name: str
    title: str
    label: str
    read_state: Callable[[], Any]  # see `core.tasks.computation.State`
    has_result: Callable[[Any], bool]
    start: Callable[[], None]
    stop: Callable[[], None]
    about: str = ""
    help: str | None = None


def follow_tasks(tasks: Sequence[Task]) -> None:
    """Offer to start each task, or draw its progress; a result reruns the page."""
    if not tasks:
        return
    is_live = any(task.read_state().share is not None for task in tasks)
    st.fragment(_follow, run_every=LIVE_SECONDS if is_live else None)(tuple(tasks), is_live)


def _follow(tasks: tuple[Task, ...], was_live: bool) -> None:
    states = [task.read_state() for task in tasks]
    has_result = any(task.has_result(state) for task, state in zip(tasks, states, strict=True))
    if has_result or was_live != any(state.share is not None for state in states):
        st.rerun(scope="app")
    for task, state in zip(tasks, states, strict=True):
        if state.share is None:
            _offer(task, state)
        else:
            text = f"{task.title}: waiting for another one" if state.waits else f"{task.title}: {state.share:.0%}"
            show_task_progress(task.name, state.share, text, task.stop)


def _offer(task: Task, state: Any) -> None:
    if problem := st.session_state.pop(_problem_key(task), "") or state.problem:
        st.error(plain(problem))
    with st.container(horizontal=True, vertical_alignment="center", key=f"offer-{task.name}"):
        st.button(task.label, page_state.key(f"start-{task.name}"), task.help, _start, (task,), type="primary")
        if task.about:
            st.caption(plain(task.about))


def _start(task: Task) -> None:
    try:
        task.start()
    except HourglassError as problem:
        st.session_state[_problem_key(task)] = str(problem)


def _problem_key(task: Task) -> str:
    return f"hourglass.task-problem/{task.name}"
