"""The files of the training queue. A training is a folder beside the runs, and the folder is the protocol:

    .jobs/<key>/  spec.json            what to fit, and when it was requested
                  askers/              an empty file for each person who requested it
                  stop                 a command: "pause", "keep" or "cancel"
                  now.json             sign of life of the process that trains: stage and latest row
                  progress.jsonl       the history so far, a row an epoch
                  replay.safetensors   the snapshots so far
                  checkpoint.safetensors
                  claims               a byte for each process that began to train and did not end properly
                  done.json            how it ended: paused, stopped or failed
    .jobs/locks/  file locks, which the system frees when the process that holds one dies: one a training, held by
                  the process that trains; "worker", held by the one worker; "queue", held for the moment in which a
                  training is requested or ends; one an app, held while the app is open
    .jobs/suspend written by the last app that closes: the worker ends too
    .jobs/measuring/<key>.json    a stored run whose pending scores are computed when no training waits

A finished training leaves a run in the store and no folder.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from core import files
from core.errors import HourglassError
from core.runs import layout
from core.tasks import computation

# Seconds to wait for a lock: `is_held` holds a lock for a moment too.
MOMENT = 0.3
_QUEUE_SECONDS = 10.0
_LARGEST_TEXT = 8_000_000


def queue_folder() -> Path:
    """Return the folder of the queue that belongs to this person's runs."""
    return layout.runs_folder() / ".jobs"


def task_folder(key: str) -> Path:
    """Return the folder of the task with this key; it may be absent."""
    return queue_folder() / key


def get_lock(name: str) -> FileLock:
    """Return the file lock `name`, see above. Its file is never removed, so that all processes use the same one."""
    folder = queue_folder() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    # Not thread-local: it is not always released in the thread that acquired it.
    return FileLock(folder / f"{name}.lock", thread_local=False, preserve_lock_file=True)


def is_held(name: str) -> bool:
    """Whether a living process holds the lock `name`, or the lock file is not accessible."""
    return computation.is_held(get_lock(name))


@contextmanager
def hold_queue() -> Iterator[None]:
    """Hold the queue's lock for a moment; raises HourglassError if others hold it for too long."""
    try:
        held = get_lock("queue").acquire(timeout=_QUEUE_SECONDS, poll_interval=0.01)
    except Timeout:
        raise HourglassError("The training queue is busy: try again in a moment.") from None
    with held:
        yield


def read_text(path: Path) -> str:
    """Return the text of a file, empty if the file can't be read."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(_LARGEST_TEXT).decode(errors="replace")
    return ""


# The functions below are called by the holder of the task's lock, who also holds the queue's lock.


def end_task(folder: Path, state: str, message: str = "") -> None:
    """Write how a task ended; raises OSError if the disk has no room even for that."""
    done = json.dumps({"state": state, "message": message})
    try:
        files.write_atomically(folder / "done.json", done)
        release_task(folder)
    except OSError:
        # On a full disk, removing the sign of life makes room.
        release_task(folder)
        files.write_atomically(folder / "done.json", done)
    with suppress(OSError):
        (folder / "stop").unlink()


def release_task(folder: Path) -> None:
    """Leave a task as it is, to be resumed later."""
    for name in ("now.json", "claims"):
        with suppress(OSError):
            (folder / name).unlink()


def remove_task(folder: Path) -> None:
    """Delete a task's folder, ``spec.json`` first: without it the folder is no task."""
    with suppress(OSError):
        (folder / "spec.json").unlink()
    shutil.rmtree(folder, ignore_errors=True)


def remove_leftovers() -> None:
    """Delete folders whose process died while it removed a task."""
    with suppress(OSError, HourglassError), hold_queue():
        for folder in queue_folder().iterdir():
            has_spec = os.path.lexists(folder / "spec.json")
            if layout.KEY.fullmatch(folder.name) and not has_spec and not is_held(folder.name):
                remove_task(folder)
