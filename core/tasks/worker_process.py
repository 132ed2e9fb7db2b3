"""The worker's process as an app sees it: it is started while tasks wait, and suspended when the last app closes."""

import atexit
import os
import secrets
import subprocess
import threading
import time
from contextlib import suppress
from functools import cache
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
        if (queue.find_pending_scores() or queue.list_waiting_tasks()) and _may_start():
            start_worker()


def _may_start() -> bool:
    process, began = _started.get(task_files.queue_folder(), (None, 0.0))
    code = process.poll() if process else 0
    # A code below 0 means that it was killed from outside.
    return (code is not None and code <= 0) or time.monotonic() - began > _START_SECONDS


def start_worker() -> None:
    """Start `core.tasks.worker` on this runs folder; it ends at once if another worker runs."""
    runs, data = str(layout.runs_folder().absolute()), str(config.data_folder().absolute())
    path = task_files.queue_folder() / "worker.log"
    with suppress(OSError):
        if path.stat().st_size > _LARGEST_LOG:
            path.unlink()
    with path.open("ab") as log:
        process = computation.start_process("core.tasks.worker", log=log, HOURGLASS_RUNS=runs, HOURGLASS_DATA=data)
    _started[task_files.queue_folder()] = process, time.monotonic()


class AppWatch:
    """Looks after the queue while this process, an app, lives; the last app to close suspends the worker."""

    def __init__(self, folder: Path):
        self._suspend = folder / "suspend"
        self._over = threading.Event()
        self._presence: FileLock | None = None
        with suppress(OSError):
            self._presence = task_files.get_lock(f"app-{secrets.token_hex(8)}")
            self._presence.acquire(timeout=task_files.MOMENT)
        self._thread = threading.Thread(target=self._tend, daemon=True, name="hourglass-queue")
        self._thread.start()
        atexit.register(self.end)

    def _tend(self) -> None:
        while not self._over.is_set():
            # An app that closed at the moment when this one opened may have written it.
            with suppress(OSError):
                self._suspend.unlink(missing_ok=True)
            ensure_worker()
            self._over.wait(TEND_SECONDS)

    def end(self) -> None:
        """Close the app: unless another one is open, its worker saves a checkpoint and ends; the queue stays."""
        atexit.unregister(self.end)
        self._over.set()
        self._thread.join(_LEAVE_SECONDS)
        with suppress(OSError):
            if self._presence is not None:
                _remove_lock(self._presence)
            if not self._has_another_app():
                self._suspend.touch()

    def _has_another_app(self) -> bool:
        """Whether another app is open; the lock files of apps that died are removed."""
        for path in (self._suspend.parent / "locks").glob("app-*.lock"):
            probe = FileLock(path, preserve_lock_file=True)
            try:
                probe.acquire(timeout=0)
            except OSError:  # Timeout is one
                return True
            _remove_lock(probe)
        return False


def _remove_lock(held: FileLock) -> None:
    # Removed while it is held: another process that has just opened it notices, and takes it for no app.
    with suppress(OSError):
        os.unlink(held.lock_file)
    held.release()


_get_watch = cache(AppWatch)


def attach_app() -> None:
    """Look after the queue while this process, an app, lives; further calls do nothing."""
    with _starting:
        _get_watch(task_files.queue_folder())
