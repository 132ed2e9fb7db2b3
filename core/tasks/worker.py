"""The process that trains: ``python -m core.tasks.worker`` works off the training queue.

One worker runs on a runs folder; a second one ends at once. It runs at a lower priority than the app (`HOURGLASS_NICE`,
0 to 19, default 10), waits a while for more when the queue is empty, and can be killed at any moment: the next worker
resumes from the last checkpoint.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from core import config
from core.errors import BadInput, HourglassError, describe_error
from core.tasks import progress_log, queue, task_files, training, worker_process
from core.types import Spec

# A worker without work ends after this time.
IDLE_SECONDS = 60.0
# A training is given up after this many processes that ended without an error message.
MOST_CLAIMS = 3
_POLL_SECONDS = 0.2
# A training whose end could not be written is left alone for this time.
_AVOID_SECONDS = 60.0
# Temporary files of the process that holds a training's lock.
_TEMPORARY = ("checkpoint.*.tmp", "replay.*.tmp", "now.json.*.tmp", "progress.jsonl.*.tmp")


def main() -> int:
    """Run a worker until it is told to end or has nothing to do; return the exit code."""
    try:
        config.check_settings()
    except BadInput as problem:
        print(problem, file=sys.stderr)
        return 2
    if hasattr(os, "nice"):
        # os.nice adds to the value that this process has inherited; a priority is never raised.
        os.nice(max(0, config.niceness() - os.nice(0)))
    worker = Worker()
    signal.signal(signal.SIGTERM, worker.on_signal)
    signal.signal(signal.SIGINT, worker.on_signal)
    lock = task_files.get_lock("worker")
    while True:
        try:
            # An earlier worker may be about to end.
            lock.acquire(timeout=1)
        except Timeout:
            return 0
        task_files.remove_leftovers()
        worker.work_off()
        lock.release()
        # No worker is started for a task that is requested while this one holds the lock.
        if worker.must_end() or not (worker.list_waiting() or worker.find_pending_scores()):
            return 0
        if not worker.is_sound:
            worker_process.start_worker()
            return 0


class Worker:
    """The work of this process.

    Attributes
    ----------
    ended : set when the process was told to end.
    is_sound : False after an unforeseen error: the state in memory is not trusted, and a new process goes on.
    """

    def __init__(self):
        self.ended = threading.Event()
        self.is_sound = True
        self.avoided: dict[str, float] = {}

    def on_signal(self, *_) -> None:
        """End soon: after the next tick of the training, or the next stage."""
        self.ended.set()

    def must_end(self) -> bool:
        """Whether the process was told to end, by a signal or by the last app that closed."""
        return self.ended.is_set() or os.path.exists(task_files.queue_folder() / "suspend")

    def work_off(self) -> None:
        """Train what waits, then compute pending scores, until nothing waits for `IDLE_SECONDS`."""
        idle_since = time.monotonic()
        while self.is_sound and not self.must_end():
            if self.train_next() or self.compute_next_scores():
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since < IDLE_SECONDS:
                time.sleep(_POLL_SECONDS)
            else:
                return

    def train_next(self) -> bool:
        """Train the first task that waits; return whether there was one."""
        claimed = self.claim_task()
        if claimed is None:
            return False
        task, lock = claimed
        try:
            self._train_task(task.spec, task.folder)
        except OSError:
            traceback.print_exc()
            task_files.release_task(task.folder)
            self.avoided[task.key] = time.monotonic() + _AVOID_SECONDS
        finally:
            lock.release()
        return True

    def list_waiting(self) -> list[queue.Task]:
        """Return the tasks that wait, without those whose end could not be written a moment ago."""
        return [task for task in queue.list_waiting_tasks() if self.avoided.get(task.key, 0.0) < time.monotonic()]

    def claim_task(self) -> tuple[queue.Task, FileLock] | None:
        """Return the first task that waits and that no other process holds, and its lock."""
        for task in self.list_waiting():
            try:
                lock = task_files.get_lock(task.key)
                lock.acquire(timeout=task_files.MOMENT, poll_interval=0.01)
            except OSError:  # Timeout is one
                continue
            # It may have ended, or been cancelled, since it was listed.
            if queue.is_open(task.folder):
                return task, lock
            lock.release()
        return None

    def _train_task(self, spec: Spec, folder: Path) -> None:
        def get_command() -> str:
            return training.SUSPEND if self.must_end() else queue.read_command(folder)

        try:
            _remove_temporary_files(folder)
            _count_claim(folder)
            training.train(spec, folder, get_command)
        except training.Interrupted:
            training.apply_command(folder)
        except HourglassError as problem:
            training.fail_task(folder, str(problem))
        except Exception as error:
            self.is_sound = False
            traceback.print_exc()
            training.fail_task(folder, describe_error("The training", error))

    def find_pending_scores(self) -> queue.PendingScores | None:
        """Return the first run whose pending scores are to be computed."""
        return next((scores for scores in queue.list_pending_scores() if not scores.problem), None)

    def compute_next_scores(self) -> bool:
        """Compute the pending scores of one run, unless a training is requested; return whether there was one."""
        scores = self.find_pending_scores()
        if scores is None:
            return False

        def get_command() -> str:
            if self.must_end() or self.list_waiting():
                return training.SUSPEND
            return "" if queue.has_pending_scores(scores.key) else queue.CANCEL

        def write_stage(stage: str) -> None:
            queue.write_pending_scores(replace(claimed, stage=stage))

        claimed = replace(scores, claims=scores.claims + 1)
        try:
            queue.write_pending_scores(claimed)
            if claimed.claims > MOST_CLAIMS:
                raise HourglassError("The process ended several times before these scores were computed.")
            training.compute_pending_scores(scores.key, get_command, write_stage)
            queue.remove_pending_scores(scores.key)
        except training.Interrupted:
            self._write_scores(replace(claimed, claims=0))
        except HourglassError as problem:
            self._write_scores(replace(claimed, problem=str(problem)))
        except OSError:
            traceback.print_exc()
            queue.remove_pending_scores(scores.key)
        except Exception as error:
            self.is_sound = False
            traceback.print_exc()
            self._write_scores(replace(claimed, problem=describe_error("Measuring", error)))
        return True

    @staticmethod
    def _write_scores(scores: queue.PendingScores) -> None:
        with suppress(OSError):
            queue.write_pending_scores(scores)


def _remove_temporary_files(folder: Path) -> None:
    """Remove temporary files of a process that was killed."""
    for pattern in _TEMPORARY:
        for path in folder.glob(pattern):
            with suppress(OSError):
                path.unlink()


def _count_claim(folder: Path) -> None:
    """Refuse a training whose processes ended several times without an error message."""
    path = folder / "claims"
    try:
        count = path.stat().st_size if path.exists() else 0
        if count >= MOST_CLAIMS:
            raise HourglassError(
                f"The process of this training ended {count} times before the training was done, without an error "
                "message: resume to try again, or choose other settings."
            )
        path.write_bytes(b"." * (count + 1))
    except OSError as error:
        raise progress_log.explain_unwritable(folder, error) from None


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Skip the clean-up of the libraries, which takes longer than all else.
    os._exit(code)
