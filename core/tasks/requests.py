"""Requests and commands: what people ask of the training queue; and trainings outside the queue."""

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import Timeout

from core import files
from core.datasets import checksums
from core.errors import BrokenRun, HourglassError
from core.files import check_room
from core.runs import reader, store
from core.tasks import queue, task_files, training_cost, worker_process
from core.tasks.queue import Task
from core.types import Spec

# Stands for a person in the requests of the command line.
COMMAND_LINE = "command-line"
MOST_WAITING = 20
# A training needs at least this much room for checkpoint, snapshots and run.
_TRAINING_BYTES = 50_000_000


def request_trainings(specs: Sequence[Spec], person: str, *, one_a_person: bool = False) -> None:
    """Queue trainings in this order, or none of them; share those that are queued already, skip those that are stored.

    A command that was sent to one before is withdrawn. Raises HourglassError if the queue or the disk is full, if there
    is too little memory for one, or if `one_a_person` and this person has another training waiting.
    """
    with _explain_unwritable(), task_files.hold_queue():
        tasks, keys = {task.key: task for task in queue.list_tasks()}, {spec.key for spec in specs}
        shared = {key: tasks[key] for key in keys & tasks.keys() if tasks[key].state in (queue.RUNNING, queue.QUEUED)}
        new = [s for s in specs if s.key not in shared and (s.key in tasks or not is_stored(s.key))]
        if new:
            waiting = [task for task in tasks.values() if task.state == queue.QUEUED]
            is_second = any(person in task.people and task.key not in shared for task in waiting)
            _refuse_too_many(len(waiting), len(new), one_a_person and is_second)
            check_room(len(new) * _TRAINING_BYTES)
            for spec in new:
                training_cost.check_fits(spec)
        for task in shared.values():
            # done.json is there too where the command line trains: it is marked as paused, see `hold_training`.
            for name in ("stop", "done.json"):
                (task.folder / name).unlink(missing_ok=True)
            (task.folder / "askers" / person).touch()
        for spec in new:
            _enqueue(spec, person)
    worker_process.ensure_worker()


def is_stored(key: str) -> bool:
    """Whether this run is stored: complete, undamaged, and of the copy of the data on this machine."""
    place = store.find_place(key)
    with suppress(BrokenRun):
        run = reader.read_run(place) if place else None
        return run is not None and not run.environment.get("stopped_early") and checksums.is_here(run)
    return False


def _refuse_too_many(n_waiting: int, n_new: int, is_second: bool) -> None:
    if is_second:
        raise HourglassError(
            "You have a training waiting already, and in a workshop each person has one: cancel it, or wait for it."
        )
    if n_waiting + n_new > MOST_WAITING:
        room = "" if n_new == 1 else f", so there is no room for {n_new} more"
        raise HourglassError(
            f"{n_waiting} trainings are waiting, and the queue holds {MOST_WAITING}{room}: wait for one to finish, "
            "or cancel one of yours."
        )


def _enqueue(spec: Spec, person: str = "", command: str = "", state: str = "") -> None:
    """Put a training, new or ended, behind all others; with a `state` it does not wait for a worker."""
    folder = task_files.task_folder(spec.key)
    # Behind all others even if the clock was set back.
    requested = max([time.time_ns(), *(task.requested + 1 for task in queue.list_tasks())])
    try:
        (folder / "askers").mkdir(parents=True, exist_ok=True)
        (folder / "claims").unlink(missing_ok=True)
        if person:
            (folder / "askers" / person).touch()
        _write_command(folder, command)
        if state:
            files.write_atomically(folder / "done.json", json.dumps({"state": state}))
        files.write_atomically(folder / "spec.json", json.dumps({"spec": spec.to_json(), "asked": requested}))
        if not state:
            # Last: a worker may begin once this file is gone.
            (folder / "done.json").unlink(missing_ok=True)
    except OSError:
        if not os.path.lexists(folder / "spec.json"):
            task_files.remove_task(folder)
        raise


def _write_command(folder: Path, command: str) -> None:
    if command:
        files.write_atomically(folder / "stop", command)
    else:
        (folder / "stop").unlink(missing_ok=True)


def send_command(key: str, command: str) -> None:
    """Pause, keep or cancel a training in any state; a running one obeys within about a second.

    To keep one that does not run, a worker measures and stores its checkpoint. Raises HourglassError if there is no
    such training, or no checkpoint to keep.
    """
    with _explain_unwritable(), task_files.hold_queue():
        task = queue.find_task(key)
        if task is None:
            raise HourglassError("This training has ended already.")
        if task.state == queue.RUNNING:
            _write_command(task.folder, command)
        elif command == queue.CANCEL:
            _act_unless_claimed(task, command, lambda: task_files.remove_task(task.folder))
        elif command == queue.KEEP and task.state != queue.STOPPED:
            if not task.has_checkpoint:
                raise HourglassError("Nothing was learned yet that could be kept: resume this training, or cancel it.")
            if task.state == queue.QUEUED:
                _write_command(task.folder, queue.KEEP)
            else:
                _enqueue(task.spec, command=queue.KEEP)
        elif command == queue.PAUSE and task.state == queue.QUEUED:
            _act_unless_claimed(task, command, lambda: task_files.end_task(task.folder, queue.PAUSED))
    worker_process.ensure_worker()


def _act_unless_claimed(task: Task, command: str, act: Callable[[], None]) -> None:
    """Carry out a command in this process, unless a worker has just begun with the task."""
    try:
        # A worker that has just ended the task releases it in a moment.
        held = task_files.get_lock(task.key).acquire(timeout=task_files.MOMENT)
    except Timeout:
        _write_command(task.folder, command)
        return
    with held:
        act()


@contextmanager
def hold_training(spec: Spec, on_wait: Callable[[], None]) -> Iterator[Path | None]:
    """Hold a training's lock to train it in this process, outside the queue; yield its folder.

    Yields None if another process has trained and stored it meanwhile. A training that is not finished counts as
    paused; one that was queued stays queued.
    """
    has_waited = False
    with _explain_unwritable():
        lock = task_files.get_lock(spec.key)
        try:
            held = lock.acquire(timeout=task_files.MOMENT)
        except Timeout:
            has_waited = True
            on_wait()
            held = lock.acquire()
    with held:
        if has_waited and is_stored(spec.key):
            yield None
            return
        folder = task_files.task_folder(spec.key)
        with _explain_unwritable(), task_files.hold_queue():
            task = queue.find_task(spec.key)
            if task is None or task.state not in (queue.RUNNING, queue.QUEUED):
                _enqueue(spec, COMMAND_LINE, state=queue.PAUSED)
            else:
                _write_command(folder, "")
                (folder / "askers" / COMMAND_LINE).touch()
        yield folder


def abandon_training(folder: Path, person: str) -> None:
    """Leave a training to the others who requested it; delete it if there are none."""
    with _explain_unwritable(), task_files.hold_queue():
        withdraw_request(folder.name, person)
        task_files.release_task(folder)
        if not queue.read_people(folder):
            task_files.remove_task(folder)


def withdraw_request(key: str, person: str) -> None:
    """Leave a shared training to the others who requested it."""
    with suppress(OSError):
        (task_files.task_folder(key) / "askers" / person).unlink()


def request_scores(key: str) -> None:
    """Request the pending scores of a stored run; raises BadInput if `key` is no key of a run."""
    store.get_place(key)
    with _explain_unwritable():
        queue.add_pending_scores(key)
    worker_process.ensure_worker()


@contextmanager
def _explain_unwritable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HourglassError(
            f"The training queue in {task_files.queue_folder()} can't be written ({error.strerror or error}): "
            "free some space there, or set HOURGLASS_RUNS to another folder."
        ) from None
