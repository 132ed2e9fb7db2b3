"""Cached access to the queue of trainings, and the requests that pages make of it."""

import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from core import config, datasets
from core.analysis import snapshots
from core.analysis.snapshots import Replay
from core.datasets.own import catalogue
from core.runs import presets, reader
from core.tasks import queue, requests, task_files
from core.tasks.queue import Task
from core.types import Spec
from pages.ui.shared import page_state, permalinks, stored_runs
from pages.ui.shared.stored_runs import Stamp

# Set to let the page Training scroll to its live view, once.
REVEAL = "hourglass.reveal"
_PERSON, _WATCHED = "hourglass.person", "run"


def get_person() -> str:
    """The visitor's random name, which app.js keeps in a cookie for later visits."""
    if _PERSON not in st.session_state:
        stored = str(st.context.cookies.get("hourglass_person"))
        st.session_state[_PERSON] = stored if re.fullmatch("[0-9a-f]{16}", stored) else secrets.token_hex(8)
    return st.session_state[_PERSON]


def list_tasks() -> list[Task]:
    """All trainings that this visitor may see, see `core.tasks.queue.list_tasks`; read for all sessions at once."""
    tasks = _listed(str(task_files.queue_folder()))
    if not config.is_workshop():
        return tasks
    # Also trainings whose data set is not known here any more, but not those on another person's data.
    hidden = catalogue.list_all().keys() - set(datasets.names())
    return [task for task in tasks if task.spec.dataset not in hidden]


_listed = st.cache_resource(ttl=0.4, max_entries=2, show_spinner=False)(lambda root: queue.list_tasks())


def find_task(key: str) -> Task | None:
    return next((task for task in list_tasks() if task.key == key), None)


def is_live(task: Task | None) -> bool:
    return task is not None and task.state in (queue.RUNNING, queue.QUEUED)


def label_training(spec: Spec) -> str:
    """``"VAE on MNIST, 10-D"``; also for a data set or method that this version does not know.

    Parameters of the data set that a Spec has only beyond their default are named: ``"MNIST (pixels: dynamic)"``.
    """
    dataset, implied = spec.dataset, set()
    if spec.dataset in datasets.names():
        entry = datasets.entry(spec.dataset)
        dataset, implied = entry.label, {param.name for param in entry.params if param.implied}
    changed = ", ".join(f"{name}: {value}" for name, value in spec.dataset_params if name in implied)
    dataset += f" ({changed})" if changed else ""
    return f"{stored_runs.label_run(spec)} on {dataset}, {spec.param('n_components')}-D"


def read_history(task: Task) -> list[dict[str, Any]]:
    """History rows of a training so far, with the epoch under way."""
    rows = queue.read_history(task.folder)
    if task.within:
        return [*(row for row in rows if row["epoch"] < task.within[0]["epoch"]), *task.within]
    # The first row of an epoch has no losses yet.
    under_way = "rows_per_second" in task.row and (not rows or task.row["epoch"] > rows[-1]["epoch"])
    return [*rows, task.row] if under_way else rows


def read_snapshots(folder: Path) -> tuple[Replay | None, Stamp]:
    """Snapshots in the folder of a training or run, and the stamp for caches of them."""
    stamp = stored_runs.make_stamp(folder, snapshots.FILE)
    return _pictures(stamp), stamp


@st.cache_resource(max_entries=16, show_spinner=False)
def _pictures(stamp: Stamp) -> Replay | None:
    folder = Path(stamp[0])
    if not stamp[1]:
        return None
    return snapshots.parse(reader.read_replay(folder)) if (folder / "run.json").exists() else snapshots.read(folder)


# Callbacks of buttons, so that the page is drawn after them.


def train(spec: Spec) -> None:
    watch(spec)
    train_all([spec])


def train_all(specs: Sequence[Spec]) -> bool:
    """Request several trainings as one, in order; False on failure, see `show_kept_error`."""
    with _keep_error():
        if config.is_workshop():
            for spec in specs:
                presets.check_workshop(spec)
        requests.request_trainings(specs, get_person(), one_a_person=config.is_workshop())
        return True
    return False


def stop_all(keys: Sequence[str]) -> None:
    """Cancel trainings, the queued ones first; withdraw from those that others requested too."""
    with _keep_error():
        for task in reversed([task for task in queue.list_tasks() if task.key in keys and is_live(task)]):
            if set(task.people) <= {get_person()}:
                requests.send_command(task.key, queue.CANCEL)
            else:
                requests.withdraw_request(task.key, get_person())


def dismiss(keys: Sequence[str]) -> None:
    """Discard failed trainings."""
    with _keep_error():
        for key in keys:
            requests.send_command(key, queue.CANCEL)


def send_command(key: str, command: str) -> None:
    with _keep_error():
        requests.send_command(key, command)


def withdraw(key: str) -> None:
    """Withdraw from a training that others requested too."""
    with _keep_error():
        requests.withdraw_request(key, get_person())


@contextmanager
def _keep_error() -> Iterator[None]:
    """Keep the error of a request for the page that is drawn next, see `show_kept_error`."""
    with page_state.keep_error("training"):
        yield
    _listed.clear()


def show_kept_error() -> None:
    """Draw once why the last request failed."""
    page_state.show_kept_error("training")


def watch(spec: Spec | None) -> None:
    """Show this training or run on the page Training."""
    page_state.keep(_WATCHED, spec, text=permalinks.encode(spec) if spec else None)


def unwatch() -> None:
    """Stop showing the watched run, unless it is in training."""
    spec = page_state.recall(_WATCHED)
    if spec is not None and not is_live(find_task(spec.key)):
        watch(None)


def choose_watched(problems: list[str]) -> Spec | None:
    """The training or run to show: the link's, else the one chosen last."""
    spec = page_state.recall(_WATCHED)
    if (token := page_state.read_link(_WATCHED)) is not None:
        with page_state.append_error(problems):
            spec = stored_runs.check_known(permalinks.decode(token))
    elif page_state.read_link("method") is not None:
        unwatch()  # the link asks for the form of another run
        spec = page_state.recall(_WATCHED)
    watch(spec)
    return spec
