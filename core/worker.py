"""The process that trains: ``python -m core.worker`` works off the queue of `core.jobs`, one training after the other.

One works on a runs folder; a second one ends at once. It runs at lower priority than the app (`HOURGLASS_NICE`, 0 to
19, default 10), waits a while for more when the queue is empty, and can be killed at any moment: the next one goes on
from the last checkpoint.
"""

from __future__ import annotations

import _thread
import json
import os
import signal
import socket
import sys
import textwrap
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core import jobs, methods
from core.types import Dataset, HourglassError, Run, Spec

SUSPEND = "suspend"
_NICE, _NICEST = 10, 19
_LINGER_SECONDS = 60.0
_POLL_SECONDS = 0.2
# How long a training may take to do what is wanted of it before it is interrupted wherever it is: within an epoch it
# looks for itself, and writes a checkpoint.
_PATIENCE, _PATIENCE_WITHIN = 0.3, 1.5
# A training whose end could not be written down is left alone for so long.
_AVOID_SECONDS = 60.0
_MOST_CLAIMS = 3
_MOST_ROWS = 2000
_PLACE = ("epoch", "step", "seconds", "share")
_NO_MEANS = {*_PLACE, "within", "rows_per_second", "learning_rate"}
_MOST_WITHIN = 120
# What only the holder of a training's lock writes aside.
_ASIDE = ("checkpoint.*.tmp", "replay.*.tmp", "now.json.*.tmp", "progress.jsonl.*.tmp")


class Left(BaseException):
    """The training was left on purpose: `why` is "pause", "cancel" or "suspend".

    No Exception, as KeyboardInterrupt is none: nothing on its way takes it for a failure.
    """

    def __init__(self, why: str):
        super().__init__(why)
        self.why = why


def main() -> int:
    _give_way()
    worker = _Worker()
    signal.signal(signal.SIGTERM, worker.on_signal)
    signal.signal(signal.SIGINT, worker.on_signal)
    one = jobs.lock("worker")
    while True:
        try:
            # The one before may be on its way out.
            one.acquire(timeout=1)
        except Timeout:
            return 0
        with _sign_of_life(jobs.root() / "worker.json"):
            _clear(jobs.root(), ("worker.json.*.tmp",))
            jobs.sweep()
            worker.work_off()
        one.release()
        # What was asked for while this one held the lock, nobody has started a worker for.
        if worker.must_go() or not worker.waiting():
            return 0
        if not worker.is_sound:
            jobs.start_worker()
            return 0


def _give_way() -> None:
    """Run at lower priority than what people look at."""
    given = os.environ.get("HOURGLASS_NICE", "")
    wanted = min(int(given), _NICEST) if given.isdecimal() else _NICE
    if hasattr(os, "nice"):
        # What is given adds to what this process has inherited.
        os.nice(max(0, wanted - os.nice(0)))


@contextmanager
def _sign_of_life(path: Path):
    """Say every second that this process lives, for as long as the block lasts."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(jobs.HEARTBEAT_SECONDS):
            with suppress(OSError):
                os.utime(path)

    # On a full disk none is better than that of a process that is gone.
    for act in (path.unlink, lambda: jobs.write_json(path, {"pid": os.getpid(), "host": socket.gethostname()})):
        with suppress(OSError):
            act()
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        with suppress(OSError):
            path.unlink()


class _Worker:
    """This process.

    Attributes
    ----------
    ended : set when it was told to end.
    is_sound : whether all went as foreseen; else what is in memory is not to be trusted, and another process goes on.
    """

    def __init__(self):
        self.ended = threading.Event()
        self.is_sound = True
        self.alarm = _Alarm(lambda: "")
        self.avoided: dict[str, float] = {}

    def on_signal(self, number: int, _) -> None:
        if number == signal.SIGINT and self.alarm.rang:
            self.alarm.answer()
        else:
            self.ended.set()

    def must_go(self) -> bool:
        return self.ended.is_set() or os.path.exists(jobs.root() / "suspend")

    def work_off(self) -> None:
        idle_since = time.monotonic()
        while self.is_sound and not self.must_go() and time.monotonic() - idle_since < _LINGER_SECONDS:
            claimed = self.claim()
            if claimed is None:
                time.sleep(_POLL_SECONDS)
                continue
            job, mine = claimed
            try:
                self.work(job)
            finally:
                mine.release()
            idle_since = time.monotonic()

    def waiting(self) -> list[jobs.Job]:
        return [job for job in jobs.waiting() if self.avoided.get(job.key, 0.0) < time.monotonic()]

    def claim(self) -> tuple[jobs.Job, FileLock] | None:
        """The first training that waits, and its lock; one that another process holds is passed over."""
        for job in self.waiting():
            try:
                mine = jobs.lock(job.key)
                mine.acquire(timeout=jobs.MOMENT, poll_interval=0.01)
            except OSError:  # such as Timeout
                continue
            # It may have ended, or have been cancelled, since it was listed.
            if jobs.is_open(job.folder):
                return job, mine
            mine.release()
        return None

    def work(self, job: jobs.Job) -> None:
        """Train, measure and store one; whatever happens, its folder says how it stands."""
        try:
            self.work_on(job.spec, job.folder)
        except OSError:
            traceback.print_exc()
            jobs.let_go(job.folder)
            self.avoided[job.key] = time.monotonic() + _AVOID_SECONDS
        # Interrupted anywhere, a library may be left half-way.
        self.is_sound = self.is_sound and not self.alarm.rang

    def work_on(self, spec: Spec, folder: Path) -> None:
        def wanted() -> str:
            return SUSPEND if self.must_go() else jobs.asked_for(folder)

        self.alarm = _Alarm(wanted)
        try:
            _clear(folder, _ASIDE)
            _count_claim(folder)
            train(spec, folder, wanted, on_stage=self.alarm.on_stage, guard=self.alarm)
        except Left:
            leave(folder)
        except HourglassError as problem:
            _fail(folder, str(problem))
        except Exception as error:
            self.is_sound = False
            traceback.print_exc()
            _fail(folder, _in_words(error))


class _Alarm(AbstractContextManager):
    """Interrupts the block, in the main thread, where it does not do soon what is `wanted`: it raises `Left` there.

    Within an epoch a training looks a few times a second; loading, measuring or a step of a large network take longer.
    """

    def __init__(self, wanted: Callable[[], str]):
        self.wanted = wanted
        self.why, self.rang, self.armed = "", False, False
        self.patience = _PATIENCE
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)

    def __enter__(self) -> _Alarm:
        self.armed = True
        self.thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.armed = False
        self.over.set()
        self.thread.join()

    def on_stage(self, text: str) -> None:
        self.patience = _PATIENCE_WITHIN if text == "Fitting" else _PATIENCE

    def watch(self) -> None:
        since = None
        while not self.over.wait(_POLL_SECONDS):
            why = self.wanted()
            if why in ("", jobs.KEEP):
                since = None
                continue
            since = since or time.monotonic()
            if time.monotonic() - since > self.patience:
                self.why, self.rang = why, True
                _interrupt_main_thread()
                # Again after a while: what is raised in a finalizer is lost.
                since = time.monotonic()

    def answer(self) -> None:
        """What the interrupted thread does, if it is still in the block."""
        if self.armed:
            raise Left(self.why)


def _interrupt_main_thread() -> None:
    # A real signal also wakes it from waiting, for a network or a process.
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
    else:
        _thread.interrupt_main()


def _clear(folder: Path, patterns: tuple[str, ...]) -> None:
    """Remove what a process left that was killed while it wrote aside."""
    for pattern in patterns:
        for path in folder.glob(pattern):
            with suppress(OSError):
                path.unlink()


def _in_words(error: Exception) -> str:
    text = str(error)
    # PyTorch's own errors have no type of their own everywhere.
    if isinstance(error, MemoryError) or "allocate memory" in text or "out of memory" in text:
        return "There was not enough memory for this training: choose a smaller network or a smaller batch."
    why = textwrap.shorten(repr(error), 300, placeholder=" …")
    return f"The training failed in a way this program did not foresee ({why})."


def _count_claim(folder: Path) -> None:
    """Refuse a training whose process was ended from outside again and again."""
    path = folder / "claims"
    try:
        count = path.stat().st_size if path.exists() else 0
        if count >= _MOST_CLAIMS:
            raise HourglassError(
                f"The process of this training was ended from outside {count} times, most likely for want of memory: "
                "choose a smaller network, or resume to try again."
            )
        path.write_bytes(b"." * (count + 1))
    except OSError as error:
        raise _not_written(folder, error) from None


def _not_written(folder: Path, error: OSError) -> HourglassError:
    return HourglassError(
        f"The training could not write in {folder} ({error.strerror or error}): free some space there, then resume."
    )


@contextmanager
def _queue():
    """Hold the queue; where that is not to be had, it goes without."""
    with ExitStack() as stack:
        with suppress(HourglassError, OSError):
            stack.enter_context(jobs.queue())
        yield


def _fail(folder: Path, message: str) -> None:
    with _queue():
        if jobs.asked_for(folder) == jobs.CANCEL:
            jobs.remove(folder)
        else:
            jobs.end(folder, jobs.FAILED, message)


def leave(folder: Path) -> None:
    """Do with a training that has been left what people want of it by now; where that is nothing, it goes on later."""
    with _queue():
        wanted = jobs.asked_for(folder)
        if wanted == jobs.CANCEL:
            jobs.remove(folder)
        elif wanted == jobs.PAUSE:
            jobs.end(folder, jobs.PAUSED)
        else:
            jobs.let_go(folder)


def train(
    spec: Spec,
    folder: Path,
    wanted: Callable[[], str],
    *,
    dataset: Dataset | None = None,
    on_row: Callable[[dict[str, Any]], None] = lambda row: None,
    on_stage: Callable[[str], None] = lambda stage: None,
    guard: AbstractContextManager | None = None,
) -> Run:
    """Train in `folder`, from its checkpoint where it has one, measure and store; the folder goes where all is done.

    Parameters
    ----------
    wanted : says what is asked of the training, see `core.jobs.asked_for`; called a few times a second.
    dataset : where it is loaded already.
    on_row, on_stage : called with each row of the history, and before each part of the work.
    guard : entered for as long as it may be interrupted anywhere.

    Raises
    ------
    Left
        If it is to be paused, cancelled or suspended; the checkpoint is written.
    HourglassError
        If it can't be trained, measured or stored.
    """
    with _Diary(folder) as diary:

        def stage(text: str) -> None:
            if (why := wanted()) not in ("", jobs.KEEP):
                raise Left(why)
            if text != diary.now["stage"]:
                diary.stage(text)
                on_stage(text)

        def loading(done: int, total: int) -> None:
            stage("Fetching the data" + (f", {done / total:.0%}" if total else ""))

        def ends(row: dict[str, Any]) -> bool:
            why = wanted()
            # Before the first step there is nothing to keep, and no checkpoint to write. A map of rows never has one,
            # and is kept whole, like what is solved at once.
            is_part = row["step"] and not methods.get(spec.method).maps_rows
            if why == jobs.CANCEL or (why not in ("", jobs.KEEP) and not is_part):
                raise Left(why)
            return bool(why and is_part)

        def epoch(row: dict[str, Any]) -> bool:
            diary.epoch(row)
            on_row(row)
            return ends(row)

        def tick(row: dict[str, Any]) -> bool:
            diary.tick(row)
            return ends(row)

        diary.stage("Starting")
        with guard or nullcontext():
            from core import experiments, specs

            _check(spec, specs)
            if dataset is None:
                stage("Loading the data")
                dataset = experiments.load_dataset(spec, loading)
            watches = {"on_epoch": epoch, "on_tick": tick, "on_stage": stage}
            run = experiments.fit_and_store(spec, dataset, checkpoint=folder, **watches)
    _finish(folder, kept=bool(run.environment.get("stopped_early")))
    return run


def _check(spec: Spec, specs) -> None:
    """Raise HourglassError for what this program would not have asked for, see `core.specs.make`."""
    made = specs.make(spec.dataset, spec.method, dict(spec.params), spec.seed, dict(spec.dataset_params))
    if made.key != spec.key:
        raise HourglassError(
            "The settings of this training are not as this version of the program writes them: cancel it, and ask for "
            "it anew."
        )


def _finish(folder: Path, kept: bool) -> None:
    """The run is stored. Where only a part was kept, its training can go on, and does if somebody wants it again."""
    with _queue():
        if not kept or jobs.asked_for(folder) == jobs.CANCEL:
            jobs.remove(folder)
        elif jobs.asked_for(folder):
            jobs.end(folder, jobs.STOPPED)
        else:
            jobs.let_go(folder)


class _Diary:
    """Writes a training's progress down, and that it lives."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.now: dict[str, Any] = {"stage": "", "row": {}, "pid": os.getpid()}
        # The rows written so far, and of how many epochs one is.
        self.rows: list[dict[str, Any]] | None = None
        self.stride = 1
        # Rows of parts of the first epochs, where the last ends, and how many seconds they are apart at least.
        self.windows: list[dict[str, Any]] = []
        self.mark: dict[str, Any] = {}
        self.apart = 1.0
        self._over = threading.Event()
        self._beating = threading.Thread(target=self._beat, daemon=True)
        self._writing = threading.Lock()

    def __enter__(self) -> _Diary:
        self._say()
        self._beating.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        self._beating.join()

    def stage(self, text: str) -> None:
        self.now["stage"] = text
        self._say()

    def tick(self, row: dict[str, Any]) -> None:
        if self.rows is None:
            self._begin(row["epoch"])
        # At the start of an epoch nothing is known of it yet: the one before tells the pace and the losses.
        place = {name: row[name] for name in _PLACE}
        self.now["row"] = row if row["rows_per_second"] else {**row, **self.now["row"], **place}
        self.now["within"] = self._within(row)
        self._say()

    def _within(self, row: dict[str, Any]) -> list[dict[str, Any]]:
        """Rows about a second apart while epochs are few, each of the steps since the one before."""
        if len(self.rows) >= jobs.FEW_EPOCHS:
            return []
        if not row["rows_per_second"]:
            self.mark = row
        elif row["seconds"] - self.mark.get("seconds", 0.0) >= self.apart:
            self.windows.append(_since(self.mark, row))
            self.mark = row
            if len(self.windows) > _MOST_WITHIN:
                self.windows, self.apart = self.windows[1::2], 2 * self.apart
        return self.windows

    def epoch(self, row: dict[str, Any]) -> None:
        self.now["row"] = {**self.now["row"], **row}
        if self.rows is None:
            self._begin(0)
        if (row["epoch"] - 1) % self.stride:
            return
        self.rows.append(row)
        try:
            if len(self.rows) > _MOST_ROWS:
                self.rows, self.stride = self.rows[::2], self.stride * 2
                self._rewrite()
            else:
                with (self.folder / "progress.jsonl").open("a") as file:
                    file.write(json.dumps(row) + "\n")
        except OSError as error:
            raise _not_written(self.folder, error) from None

    def _begin(self, epoch: float) -> None:
        """A training that is gone on with goes on from its checkpoint: later rows will come again."""
        before = jobs.history(self.folder)
        self.rows = [row for row in before if row["epoch"] <= epoch]
        self.stride = max(1, round(self.rows[1]["epoch"] - self.rows[0]["epoch"])) if len(self.rows) > 1 else 1
        # Always: a full disk may have cut the last line short.
        with suppress(OSError):
            self._rewrite()

    def _rewrite(self) -> None:
        jobs.write_text(self.folder / "progress.jsonl", "".join(json.dumps(row) + "\n" for row in self.rows))

    def _beat(self) -> None:
        while not self._over.wait(jobs.HEARTBEAT_SECONDS):
            self._say()

    def _say(self) -> None:
        path = self.folder / "now.json"
        with self._writing:
            try:
                jobs.write_json(path, self.now)
            except OSError:
                with suppress(OSError):
                    os.utime(path)


def _since(before: dict[str, Any], row: dict[str, Any]) -> dict[str, Any]:
    """The row of the steps between two rows, which hold the means of their epoch so far."""
    n, m = row["within"], before.get("within", 0)
    if before.get("epoch", 0.0) // 1 != row["epoch"] // 1:
        m = 0
    means = [name for name in row if name not in _NO_MEANS and (not m or name in before)]
    return row | {name: (row[name] * n - before.get(name, 0.0) * m) / (n - m) for name in means}


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Nothing is left to do, and taking the libraries apart would take longer than the rest of leaving.
    os._exit(code)
