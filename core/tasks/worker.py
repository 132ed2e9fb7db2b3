"""The process that trains: ``python -m core.tasks.worker`` works off the training queue.

One worker runs on a runs folder; a second one ends at once. It waits a while for more when the queue is empty, and can
be killed at any moment: the next worker resumes from the last checkpoint. After an unforeseen error it ends too, and an
app starts another one.
"""

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
from core.tasks import computation, progress_log, queue, task_files, training
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
    computation.lower_priority()
    worker = Worker()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.ended.set())
    lock = task_files.get_lock("worker")
    while True:
        try:
            # An earlier worker may be about to end.
            held = lock.acquire(timeout=1)
        except Timeout:
            return 0
        with held:
            task_files.remove_leftovers()
            worker.work_off()
        # No worker is started for a task that is requested while this one holds the lock.
        if worker.must_end() or not (worker.list_waiting() or queue.find_pending_scores()):
            return 0


class Worker:
    """The work of this process; it ends soon after `ended` is set, at the next tick of a training."""

    def __init__(self):
        self.ended = threading.Event()
        self._avoided: dict[str, float] = {}

    def must_end(self) -> bool:
        """Whether the process was told to end, by a signal or by the last app that closed."""
        return self.ended.is_set() or os.path.exists(task_files.queue_folder() / "suspend")

    def work_off(self) -> None:
        """Train what waits, then compute pending scores, until nothing waits for `IDLE_SECONDS`."""
        idle_since = time.monotonic()
        while not self.must_end():
            if self.train_next() or self.compute_next_scores():
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since < IDLE_SECONDS:
                time.sleep(_POLL_SECONDS)
            else:
                return

    def train_next(self) -> bool:
        """Train the first task that waits; return whether there was one."""
        claimed = self._claim_task()
        if claimed is None:
            return False
        task, lock = claimed
        try:
            self._train_task(task.spec, task.folder)
        except OSError:
            traceback.print_exc()
            self._avoided[task.key] = time.monotonic() + _AVOID_SECONDS
        finally:
            task_files.release_task(task.folder)
            lock.release()
        return True

    def list_waiting(self) -> list[queue.Task]:
        """Return the tasks that wait, without those whose end could not be written a moment ago."""
        return [task for task in queue.list_waiting_tasks() if self._avoided.get(task.key, 0.0) < time.monotonic()]

    def _claim_task(self) -> tuple[queue.Task, FileLock] | None:
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

        def fail(message: str) -> None:
            training.leave_task(folder, queue.FAILED, ("", queue.PAUSE, queue.KEEP), message)

        try:
            _remove_temporary_files(folder)
            _count_claim(folder)
            training.train(spec, folder, get_command)
        except training.Interrupted:
            training.leave_task(folder, queue.PAUSED, (queue.PAUSE,))
        except HourglassError as problem:
            fail(str(problem))
        except Exception as error:
            fail(describe_error("The training", error))
            raise

    def compute_next_scores(self) -> bool:
        """Compute the pending scores of one run, unless a training is requested; return whether there was one."""
        scores = queue.find_pending_scores()
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
            _write_scores(replace(scores, claims=0))
        except HourglassError as problem:
            _write_scores(replace(claimed, problem=str(problem)))
        except OSError:
            traceback.print_exc()
            queue.remove_pending_scores(scores.key)
        except Exception as error:
            _write_scores(replace(claimed, problem=describe_error("Measuring", error)))
            raise
        return True


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
