"""Offers to train what a view or section lacks, and the progress of these trainings."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import numpy as np
import streamlit as st

from core import config, datasets, methods
from core.datasets import Entry
from core.errors import BadInput, HourglassError
from core.runs import presets, selection, store
from core.tasks import queue, training_cost, training_time
from core.tasks.queue import Task
from core.types import FITTING, TABLES, Run, Spec
from pages.ui.shared import page_state, stored_runs, training_queue
from pages.ui.shared.run_picker import View
from pages.ui.shared.task_progress import LIVE_SECONDS, show_task_progress
from pages.ui.shared.text import join_words, plain

_PRESETS = (presets.SECONDS, presets.MINUTE, presets.BEST)
_PRESET_HELP = (
    "All networks of a preset have the same shape, number of epochs and batch size, so their runs can be compared. "
    "Reference takes minutes for each method."
)
_ICON = ":material/model_training:"


def find_missing(wanted: Sequence[Spec], stored: Sequence[Run]) -> list[Spec]:
    """The Specs without a complete stored run and without a training under way."""
    lacking = [spec for spec in wanted if not stored_runs.is_complete(stored, spec)]
    return [spec for spec in lacking if not training_queue.is_live(training_queue.find_task(spec.key))]


def draw_button(label: str, wanted: Sequence[Spec], name: str, about: str = "", *, primary: bool = True) -> None:
    """Draw a button that requests all trainings of `wanted`, with a caption."""
    refused = ""
    try:
        for spec in wanted if config.is_workshop() else ():
            presets.check_workshop(spec)
    except BadInput as problem:
        refused = str(problem)
    look = {"type": "primary" if primary else "secondary", "icon": _ICON, "disabled": bool(refused)}
    with st.container(key=f"offer-{name}", horizontal=True, vertical_alignment="center"):
        st.button(label, page_state.key(f"offer-{name}"), on_click=_request, args=(tuple(wanted),), **look)
        if refused or about:
            st.caption(plain(refused or about))


def _request(wanted: Sequence[Spec]) -> None:
    if training_queue.train_all(wanted):
        # The page Training shows the last of them; this page's address is about other things.
        page_state.keep("run", wanted[-1], text=None)


def show_progress(concerns: Callable[[Task], bool]) -> None:
    """Draw the progress of the trainings that concern a section; an end reruns the page."""
    training_queue.show_kept_error()
    tasks = [task for task in training_queue.list_tasks() if concerns(task)]
    _show_failures(tasks)
    if live := _get_live_keys(tasks):
        st.fragment(_draw_progress, run_every=LIVE_SECONDS)(live)


def _get_live_keys(tasks: Sequence[Task]) -> frozenset[str]:
    return frozenset(task.key for task in tasks if training_queue.is_live(task))


def _show_failures(tasks: Sequence[Task]) -> None:
    """Draw why trainings failed, until the visitor dismisses that."""
    if not (failed := [task for task in tasks if task.state == queue.FAILED]):
        return
    keys = [task.key for task in failed]
    with st.container(key=f"failed-{keys[0]}"):
        for task in failed:
            st.error(plain(f"{training_queue.label_training(task.spec)}: {task.message}"))
        st.button("Dismiss", page_state.key(f"dismiss-{keys[0]}"), on_click=training_queue.dismiss, args=(keys,))


def _draw_progress(live: frozenset[str]) -> None:
    tasks = [task for task in training_queue.list_tasks() if task.key in live]
    if _get_live_keys(tasks) != live:
        st.rerun()
    for task in tasks:
        text = f"{training_queue.label_training(task.spec)}: {_describe_stage(task)}"
        show_task_progress(task.key, _read_share(task), text)
    st.page_link("pages/training.py", label="Watch, pause or stop on the page Training")


def _read_share(task: Task) -> float:
    return float(task.row.get("share", 0.0)) if task.state == queue.RUNNING else 0.0


def _describe_stage(task: Task) -> str:
    if task.state == queue.QUEUED:
        return f"number {task.place} in the queue"
    if task.stage == FITTING and task.seconds_left is not None:
        return f"training, about {max(1, round(task.seconds_left)):,} s left"
    return f"{task.stage or 'starting'} …"


def draw_missing(view: View, stored: Sequence[Run]) -> None:
    """Draw the bar of a view's trainings, else the offer to train methods without a run on this copy of the data."""
    training_queue.show_kept_error()
    tasks, _ = _find_trainings(view.entry, view.size, stored)
    _show_failures(tasks)
    if live := _get_live_keys(tasks):
        _follow(view.entry, view.size, live)
    else:
        lines = [line for line in view.lines if not (line.missing or line.problem)]
        _offer(view.entry, view.size, stored, [line.method for line in lines if not (line.run and line.is_here)])


def draw_missing_beside(form: Spec | None, stored: Sequence[Run]) -> None:
    """Draw the bar or the offer on the page of a single training, whose Spec is the view."""
    if form is None:
        return
    entry, size = datasets.entry(form.dataset), form.param("n_components")
    tasks, n_stored = _find_trainings(entry, size, stored)
    live = _get_live_keys(tasks)
    if len(live) > 1 or (live and n_stored):
        _follow(entry, size, live)
    elif not live:
        names = methods.compared(entry.kind)
        lacking = [name for name in names if not selection.select_runs(list(stored), entry.name, name, size)]
        _offer(entry, size, stored, lacking)


def _find_trainings(entry: Entry, size: int, stored: Sequence[Run]) -> tuple[tuple[Task, ...], int]:
    """The trainings of a view, of the most frequent preset, and its number of stored runs."""
    by_key = {task.key: task for task in training_queue.list_tasks() if task.spec.dataset == entry.name}
    by_preset: list[tuple[tuple[Task, ...], int]] = [((), 0)]
    for preset in _PRESETS if by_key else ():
        with suppress(BadInput):
            wanted = presets.list_specs(entry.name, size, preset)
            n_stored = sum(stored_runs.is_complete(stored, spec) for spec in wanted if spec.key not in by_key)
            by_preset.append((tuple(by_key[spec.key] for spec in wanted if spec.key in by_key), n_stored))
    is_open = lambda task: training_queue.is_live(task) or task.state == queue.FAILED
    return max(by_preset, key=lambda trainings: sum(map(is_open, trainings[0])))


def _offer(entry: Entry, size: int, stored: Sequence[Run], lacking: Sequence[str]) -> None:
    if not lacking:
        return
    with st.container(key="train-all", horizontal=True, vertical_alignment="bottom"):
        preset = _choose_preset()
        try:
            wanted = [spec for spec in presets.list_specs(entry.name, size, preset) if spec.method in lacking]
        except BadInput as problem:
            st.caption(plain(problem))
            return
        wanted = tuple(spec for spec in wanted if not stored_runs.is_complete(stored, spec))
        has_data = datasets.is_available(entry.name) or datasets.can_fetch(entry.name)
        refused = "" if has_data else f"{entry.label} is not on this machine."
        try:
            for spec in wanted:
                training_cost.check_fits(spec)
        except BadInput as problem:
            refused = str(problem)
        is_all = len(lacking) == len(methods.compared(entry.kind))
        label, key = "Train all" if is_all else "Train the missing methods", page_state.key("train-all")
        look = {"type": "primary", "icon": _ICON, "disabled": not wanted or bool(refused)}
        st.button(label, key, on_click=training_queue.train_all, args=(wanted,), **look)
        st.caption(plain(refused or _describe(entry, size, wanted)))


def _choose_preset() -> str:
    if config.is_workshop():
        return presets.SECONDS  # the trainings count as one of a person, so they have to be short
    widget = page_state.key("train-all-preset")
    st.session_state.setdefault(widget, presets.SECONDS)
    return st.segmented_control(
        "Preset", _PRESETS, format_func=str.capitalize, key=widget, required=True, help=_PRESET_HELP
    )


def _describe(entry: Entry, size: int, wanted: Sequence[Spec]) -> str:
    names = join_words([methods.label(spec.method) for spec in wanted])
    measure_speed()
    seconds = [predict_seconds(spec) for spec in wanted if is_predictable(spec)]
    takes = f": {format_seconds(sum(seconds))}" if seconds and None not in seconds else ""
    if entry.kind == TABLES:
        most = max(training_cost.predict_megabytes(spec, entry) for spec in wanted)
        takes += f"{',' if takes else ':'} up to {most:,.0f} MB of memory"
    download = "" if datasets.is_available(entry.name) else f" {entry.label} will be downloaded first."
    return f"Trains {names} at {size} latent dimensions, one after the other{takes}.{download}"


def _follow(entry: Entry, size: int, live: frozenset[str]) -> None:
    st.fragment(_draw_bar, run_every=LIVE_SECONDS)(entry, size, live)


def _draw_bar(entry: Entry, size: int, shown: frozenset[str]) -> None:
    tasks, n_stored = _find_trainings(entry, size, stored_runs.list_runs()[0])
    live = [task for task in tasks if training_queue.is_live(task)]
    # The page shows the run of a training that has ended, or that it failed.
    if _get_live_keys(live) != shown:
        st.rerun()
    weights = [max(1.0, predict_seconds(task.spec) or 1.0) for task in live]
    left = sum(weight * (1 - _read_share(task)) for weight, task in zip(weights, live, strict=True))
    total = sum(weights) * (1 + n_stored / len(live))
    text = _describe_progress(f"{entry.label}, {size}-D", live, n_stored)
    stop_help = "Ends the running training and cancels the queued ones. Finished runs stay."
    show_task_progress("all", 1 - left / total, text, training_queue.stop_all, [shown], help=stop_help)


def _describe_progress(view: str, live: Sequence[Task], n_stored: int) -> str:
    parts = [f"{view}: {n_stored} of {n_stored + len(live)} methods trained"]
    running = next((task for task in live if task.state == queue.RUNNING), None)
    if running is not None:
        parts.append(f"{methods.label(running.spec.method)}: {running.stage.lower() or 'starting'}")
    left = [
        (task.seconds_left if task is running else None) or predict_seconds(task.spec)
        for task in live
        if is_predictable(task.spec)
    ]
    if left and None not in left:
        parts.append(f"{format_seconds(sum(left))} left")
    return " · ".join(parts)


def predict_seconds(spec: Spec) -> float | None:
    """Predicted seconds of training of `spec`, of a table with its evaluation; None if not known (yet)."""
    own = [run for run in stored_runs.list_runs()[0] if not store.is_shipped(run)]
    return training_cost.predict_cost(spec, read_speed(), own).seconds


def is_predictable(spec: Spec) -> bool:
    """Whether a time can be predicted once this machine's speed is measured."""
    return spec.param("epochs") is not None or datasets.entry(spec.dataset).kind == TABLES


def measure_speed() -> bool:
    """Start measuring this machine's speed, once; returns whether that is under way."""
    if read_speed() is not None:
        return False
    with suppress(HourglassError):
        training_time.measure_speed()
    return training_time.is_measuring()


# None is not cached: the speed may be measured meanwhile.
@st.cache_resource(max_entries=1, show_spinner=False, validate=lambda speed: speed is not None)
def read_speed() -> np.ndarray | None:
    """This machine's speed, see `core.tasks.training_time`; None before it is measured."""
    return training_time.read_speed()


def format_seconds(seconds: float) -> str:
    """``"about 8 s"``, ``"about 3 min"``, ``"about 2 h"``."""
    if seconds < 1:
        return "about a second"
    if seconds >= 5400:
        return f"about {seconds / 3600:.2g} h"
    value, unit = (seconds, "s") if seconds < 90 else (seconds / 60, "min")
    return f"about {float(f'{value:.2g}') if value >= 10 else value:.0f} {unit}"
