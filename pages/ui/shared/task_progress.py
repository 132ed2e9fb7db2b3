"""Progress of work beside the app: bars, tasks to start and follow, pending metrics."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.runs import store
from core.tasks import queue, requests
from core.tasks.computation import State, Work
from core.tasks.queue import PendingScores
from core.types import Run
from pages.ui.shared import page_state, stored_runs
from pages.ui.shared.stored_runs import Line
from pages.ui.shared.text import join_words, plain

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
    """Draw a bar of one task, of which `share` in [0, 1] is done, and a button that stops it by ``stop(*args)``."""
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
    work, key : the kind of computation, and the name of this one among its kind.
    start : callback of the button; may raise HourglassError.
    """

    name: str
    title: str
    label: str
    work: Work
    key: str
    start: Callable[[], None]
    about: str = ""
    help: str | None = None
    has_result: Callable[[State], bool] = lambda state: state.arrays is not None


def follow_tasks(tasks: Sequence[Task]) -> None:
    """Offer to start each task, or draw its progress; a result reruns the page."""
    if not tasks:
        return
    is_live = any(task.work.read_state(task.key).share is not None for task in tasks)
    st.fragment(_follow, run_every=LIVE_SECONDS if is_live else None)(tuple(tasks), is_live)


def _follow(tasks: tuple[Task, ...], was_live: bool) -> None:
    states = [task.work.read_state(task.key) for task in tasks]
    has_result = any(task.has_result(state) for task, state in zip(tasks, states, strict=True))
    if has_result or was_live != any(state.share is not None for state in states):
        st.rerun(scope="app")
    for task, state in zip(tasks, states, strict=True):
        if state.share is None:
            _offer(task, state)
        else:
            text = f"{task.title}: waiting for another one" if state.waits else f"{task.title}: {state.share:.0%}"
            show_task_progress(task.name, state.share, text, task.work.stop, [task.key])


def _offer(task: Task, state: State) -> None:
    page_state.show_kept_error(task.name, state.problem)
    with st.container(horizontal=True, vertical_alignment="center", key=f"offer-{task.name}"):
        st.button(task.label, page_state.key(f"start-{task.name}"), task.help, _start, (task,), type="primary")
        if task.about:
            st.caption(plain(task.about))


def _start(task: Task) -> None:
    with page_state.keep_error(task.name):
        task.start()


def show_measurements(trained: Sequence[Line]) -> None:
    """Draw the progress of pending metrics of the visitor's runs, and its buttons."""
    # Runs of another copy of the data can't be evaluated on the copy that is here.
    waiting = [line for line in trained if line.run.pending and line.is_here and not store.is_shipped(line.run)]
    if waiting:
        is_live = any(not task.problem for task in _find_pending(waiting).values())
        st.fragment(_draw_measurements, run_every=LIVE_SECONDS if is_live else None)(waiting, is_live)


def _find_pending(lines: Sequence[Line]) -> dict[str, PendingScores]:
    """Label of a line -> its evaluation, if one was requested."""
    tasks = {task.key: task for task in queue.list_pending_scores()}
    return {line.label: tasks[line.run.key] for line in lines if line.run.key in tasks}


def _draw_measurements(waiting: Sequence[Line], was_live: bool) -> None:
    tasks = _find_pending(waiting)
    live = {label: task for label, task in tasks.items() if not task.problem}
    if bool(live) != was_live or any(stored_runs.get_stamp(line.run.key) != line.stamp for line in waiting):
        st.rerun()
    page_state.show_kept_error("measuring")
    left = {line.label: line.run.key for line in waiting if line.label not in live}
    with st.container(horizontal=True, vertical_alignment="center", key=page_state.key("measuring")):
        if live:
            stages = [f"{label}: {_describe_stage(task)}" for label, task in live.items()]
            st.markdown(plain(f"Evaluation in progress. {'; '.join(stages)}."))
            args, key = (queue.remove_pending_scores, [task.key for task in live.values()]), "stop-measuring"
            st.button("Stop evaluation", page_state.key(key), on_click=_request_all, args=args)
        if left:
            problems = "".join(f" {label}: {task.problem}" for label, task in tasks.items() if task.problem)
            st.markdown(plain(f"Some metrics of {join_words(list(left))} are not computed yet.{problems}"))
            args, key = (requests.request_scores, list(left.values())), page_state.key("measure-now")
            st.button("Evaluate now", key, on_click=_request_all, args=args)


def describe_measurement(run: Run) -> str:
    """The progress of one run's pending metrics in a sentence."""
    task = next((task for task in queue.list_pending_scores() if task.key == run.key), None)
    if task is None:
        return "Some of its metrics are not computed yet: start the evaluation on the page Compare."
    if task.problem:
        return f"Some of its metrics could not be computed. {task.problem}"
    return f"Evaluation in progress: {_describe_stage(task)}."


def _describe_stage(task: PendingScores) -> str:
    return task.stage or "waiting for trainings to end"


def _request_all(request: Callable[[str], None], keys: Sequence[str]) -> None:
    with page_state.keep_error("measuring"):
        for key in keys:
            request(key)
