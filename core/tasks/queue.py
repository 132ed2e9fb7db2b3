"""The training queue as its files describe it: tasks in their order, and pending scores. See `task_files`."""

import json
import math
import os
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core import files
from core.errors import BadInput
from core.tasks import task_files
from core.types import Spec

PAUSE, KEEP, CANCEL = "pause", "keep", "cancel"
QUEUED, RUNNING, PAUSED, STOPPED, FAILED = "queued", "running", "paused", "stopped", "failed"
# Parts of an epoch are listed while no more epochs than this are done.
FEW_EPOCHS = 20
# A process whose sign of life is older than this is gone.
_GONE_SECONDS = 10.0


@dataclass(frozen=True)
class Task:
    """A training that waits, runs, or ended without being complete.

    Attributes
    ----------
    state : "queued", "running", "paused", "stopped" (the run is stored as far as it went) or "failed".
    place : place in the queue of a queued task, 1 being next; else 0.
    people : who requested it.
    message : why it failed.
    command : "pause", "keep" or "cancel" if that was sent and is not done yet.
    stage, note : what a running task does, and a sentence that people should see.
    row : the latest row of the training, see `core.nn.training.train`; empty before the first.
    within : rows of parts of the first `FEW_EPOCHS` epochs, about a second apart.
    has_checkpoint : whether there is something to resume or keep.
    requested : time of the request, in nanoseconds since 1970.
    """

    spec: Spec
    folder: Path
    state: str
    place: int = 0
    people: tuple[str, ...] = ()
    message: str = ""
    command: str = ""
    stage: str = ""
    note: str = ""
    row: dict[str, Any] = field(default_factory=dict)
    within: tuple[dict[str, Any], ...] = ()
    has_checkpoint: bool = False
    requested: int = 0

    @property
    def key(self) -> str:
        return self.folder.name

    @property
    def seconds_left(self) -> float | None:
        """Estimated seconds of training left at the present pace; None while that is unknown."""
        share = self.row.get("share", 0.0)
        return self.row["seconds"] * (1 - share) / share if share > 0 else None


@dataclass(frozen=True)
class PendingScores:
    """A stored run whose pending scores are to be computed."""

    key: str
    stage: str = ""  # what is being computed; empty while it waits
    problem: str = ""  # why that failed
    claims: int = 0  # processes that began to compute them
    asked: int = 0  # time of the request, in nanoseconds since 1970


def list_tasks() -> list[Task]:
    """Return all tasks: running ones, queued ones in their order, then those that ended, newest first."""
    tasks = filter(None, (_read_task(path.parent) for path in task_files.queue_folder().glob("*/spec.json")))
    tasks = sorted(tasks, key=lambda task: (task.requested, task.key))
    running = [task for task in tasks if task.state == RUNNING]
    queued = [task for task in tasks if task.state == QUEUED]
    ended = [task for task in tasks if task.state not in (RUNNING, QUEUED)]
    return [*running, *(replace(task, place=place) for place, task in enumerate(queued, 1)), *reversed(ended)]


def find_task(key: str) -> Task | None:
    """Return the task with this key, with its place in the queue; None if there is none."""
    return next((task for task in list_tasks() if task.key == key), None)


def list_waiting_tasks() -> list[Task]:
    """Return the tasks that a worker can begin or resume, in their order."""
    # A running task whose lock is free was left by a process that died.
    return [
        task
        for task in list_tasks()
        if task.state == QUEUED or (task.state == RUNNING and is_open(task.folder) and not task_files.is_held(task.key))
    ]


def is_open(folder: Path) -> bool:
    """Whether `folder` holds a task that has not ended."""
    return os.path.exists(folder / "spec.json") and not _read_end(files.read_json(folder / "done.json"))


def _read_end(done: dict[str, Any]) -> str:
    return done["state"] if done.get("state") in (PAUSED, STOPPED, FAILED) else ""


def _get(document: dict[str, Any], name: str, kind: type) -> Any:
    """A value of a file that another version, or a person, may have written."""
    value = document.get(name)
    return value if isinstance(value, kind) else kind()


def _read_task(folder: Path) -> Task | None:
    """Return the task in a folder; None if the folder holds none or is being removed."""
    request = files.read_json(folder / "spec.json")
    try:
        spec, requested = Spec.from_json(request["spec"]), int(request["asked"])
    except (BadInput, KeyError, TypeError, ValueError, ArithmeticError, RecursionError):
        return None
    # Read in this order: the end of a task is written before its sign of life is removed. A clock that was set back
    # puts old signs of life in the future; they do not count either.
    is_running = abs(_age_seconds(folder / "now.json")) < _GONE_SECONDS
    now, done = files.read_json(folder / "now.json"), files.read_json(folder / "done.json")
    now = now if is_running else {}
    state = RUNNING if is_running else _read_end(done) or QUEUED
    task = Task(
        spec,
        folder,
        state,
        people=read_people(folder),
        message=_get(done, "message", str) if state == FAILED else "",
        command=read_command(folder) if state in (RUNNING, QUEUED) else "",
        stage=_get(now, "stage", str),
        note=_get(now, "note", str),
        row=_get(now, "row", dict),
        within=tuple(_get(now, "within", list)),
        has_checkpoint=os.path.exists(folder / "checkpoint.safetensors"),
        requested=requested,
    )
    # This file is removed first, see `task_files.remove_task`.
    return task if os.path.exists(folder / "spec.json") else None


def read_history(folder: Path) -> list[dict[str, Any]]:
    """Return the rows of a training so far, one an epoch; of an epoch that was trained twice, the later one."""
    rows: dict[float, dict[str, Any]] = {}
    for line in task_files.read_text(folder / "progress.jsonl").splitlines():
        with suppress(ValueError, KeyError, TypeError, RecursionError):  # the last line may be cut short
            row = json.loads(line)
            rows[row["epoch"]] = row
    return list(rows.values())


def read_command(folder: Path) -> str:
    """Return the command for the task in `folder`: "pause", "keep", "cancel" or nothing."""
    command = task_files.read_text(folder / "stop")
    return command if command in (PAUSE, KEEP, CANCEL) else ""


def read_people(folder: Path) -> tuple[str, ...]:
    """Return who requested the task in `folder`."""
    with suppress(OSError):
        return tuple(sorted(os.listdir(folder / "askers")))
    return ()


def _age_seconds(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return math.inf


def list_pending_scores() -> list[PendingScores]:
    """Return every run whose pending scores are to be computed, in the order of requests."""
    paths = list((task_files.queue_folder() / "measuring").glob("*.json"))
    kinds = {"stage": str, "problem": str, "claims": int, "asked": int}
    documents = {path.stem: files.read_json(path) for path in paths}
    pending = [
        PendingScores(key, **{n: _get(document, n, kinds[n]) for n in kinds}) for key, document in documents.items()
    ]
    if paths and not task_files.is_held("worker"):
        pending = [replace(scores, stage="") for scores in pending]
    return sorted(pending, key=lambda scores: (scores.asked, scores.key))


def find_pending_scores() -> PendingScores | None:
    """Return the first run whose pending scores a worker is to compute."""
    return next((scores for scores in list_pending_scores() if not scores.problem), None)


def _pending_scores_file(key: str) -> Path:
    return task_files.queue_folder() / "measuring" / f"{key}.json"


def add_pending_scores(key: str) -> None:
    """Leave the pending scores of a stored run to the next worker; raises OSError if that can't be written."""
    _pending_scores_file(key).parent.mkdir(parents=True, exist_ok=True)
    files.write_atomically(_pending_scores_file(key), json.dumps({"asked": time.time_ns()}))


def write_pending_scores(scores: PendingScores) -> None:
    """Write the state of a run's pending scores unless the request was withdrawn; raises OSError if it can't."""
    if has_pending_scores(scores.key):
        document = {name: value for name, value in vars(scores).items() if name != "key"}
        files.write_atomically(_pending_scores_file(scores.key), json.dumps(document))


def has_pending_scores(key: str) -> bool:
    """Whether the pending scores of a run are requested."""
    return os.path.exists(_pending_scores_file(key))


def remove_pending_scores(key: str) -> None:
    """Withdraw the request for a run's pending scores; a worker that computes them stops soon."""
    with suppress(OSError):
        _pending_scores_file(key).unlink()
