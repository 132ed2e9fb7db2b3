"""The worker's process as an app sees it: it is started while tasks wait, and suspended when the last app closes."""

from __future__ import annotations

import atexit
import os
import secrets
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from core import config
from core.runs import layout
from core.tasks import computation, queue, task_files

# An app looks after the queue this often.
TEND_SECONDS = 2.0
# A worker that failed, or seems stuck while it starts, is followed by another one after this time.
_START_SECONDS = 20.0
_LEAVE_SECONDS = 1.0
_LARGEST_LOG = 1_000_000

_starting = threading.Lock()
# Queue folder -> the worker that this process started last, and when.
_started: dict[Path, tuple[subprocess.Popen, float]] = {}


def ensure_worker() -> None:
    """Start a worker if tasks wait and no worker runs; may be called at any time."""
    # An unwritable folder is reported to whoever requests a training.
    with _starting, suppress(OSError):
        if os.path.exists(task_files.queue_folder() / "suspend") or task_files.is_held("worker"):
            return
        has_pending = any(not scores.problem for scores in queue.list_pending_scores())
        if (has_pending or queue.list_waiting_tasks()) and _may_start():
            start_worker()


def _may_start() -> bool:
    if task_files.queue_folder() not in _started:
        return True
    process, began = _started[task_files.queue_folder()]
    code = process.poll()
    # A code below 0 means that it was killed from outside.
    return (code is not None and code <= 0) or time.monotonic() - began > _START_SECONDS


def start_worker() -> None:
    """Start `core.tasks.worker` on this runs folder; it ends at once if another worker runs."""
    folders = {
        "HOURGLASS_RUNS": str(layout.runs_folder().absolute()),
        "HOURGLASS_DATA": str(config.data_folder().absolute()),
    }
    path = task_files.queue_folder() / "worker.log"
    with suppress(OSError):
        if path.stat().st_size > _LARGEST_LOG:
            path.unlink()
    with path.open("ab") as log:
        process = computation.start_process("core.tasks.worker", log=log, **folders)
    _started[task_files.queue_folder()] = process, time.monotonic()


class _AppWatch:
    """An app's thread that looks after the queue in one folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.over = threading.Event()
        self.presence: FileLock | None = None
        self.thread = threading.Thread(target=self.keep, daemon=True, name="hourglass-queue")

    def begin(self) -> None:
        with suppress(OSError):
            self.presence = task_files.get_lock(f"app-{secrets.token_hex(8)}")
            self.presence.acquire(timeout=task_files.MOMENT)
        self.thread.start()
        atexit.register(self.end)

    def keep(self) -> None:
        while not self.over.is_set():
            if task_files.queue_folder() == self.folder:
                # An app that closed at the moment when this one opened may have written it.
                with suppress(OSError):
                    (self.folder / "suspend").unlink(missing_ok=True)
                ensure_worker()
            self.over.wait(TEND_SECONDS)

    def end(self) -> None:
        """Close the app: unless another one is open, its worker saves a checkpoint and ends; the queue stays."""
        atexit.unregister(self.end)
        self.over.set()
        self.thread.join(_LEAVE_SECONDS)
        with suppress(OSError):
            if self.presence is not None:
                self._remove(self.presence)
            if not self._has_another_app():
                (self.folder / "suspend").touch()

    def _has_another_app(self) -> bool:
        """Whether another app is open; the lock files of apps that died are removed."""
        for path in (self.folder / "locks").glob("app-*.lock"):
            probe = FileLock(path, preserve_lock_file=True)
            try:
                probe.acquire(timeout=0)
            except OSError:  # Timeout is one
                return True
            self._remove(probe)
        return False

    @staticmethod
    def _remove(held: FileLock) -> None:
        # Removed while it is held: another process that has just opened it notices, and takes it for no app.
        with suppress(OSError):
            os.unlink(held.lock_file)
        held.release()


_watches: dict[Path, _AppWatch] = {}
_attaching = threading.Lock()


def attach_app() -> None:
    """Look after the queue while this process, an app, lives; the last app to close suspends the worker.

    Further calls do nothing.
    """
    with _attaching:
        folder = task_files.queue_folder()
        if folder not in _watches:
            _watches[folder] = _AppWatch(folder)
            _watches[folder].begin()


def detach_app() -> None:
    """Undo `attach_app`; the end of the process does so too."""
    with _attaching:
        watch = _watches.pop(task_files.queue_folder(), None)
    if watch is not None:
        watch.end()
