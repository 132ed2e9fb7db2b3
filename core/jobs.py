"""The queue of trainings. A training is a folder beside the runs, and the folder is the protocol:

    .jobs/<key>/  spec.json            what to fit, and when it was asked for
                  askers/              an empty file for each person who asked for it
                  stop                 what people want of it: "pause", "keep" or "cancel"
                  now.json             sign of life of the process that works on it: stage and latest row
                  progress.jsonl       the history so far, a row an epoch
                  replay.safetensors   the pictures so far
                  checkpoint.safetensors
                  claims               a byte for each process that began with it and has not ended it
                  done.json            how it ended, where it is not simply over: paused, stopped or failed
                  reserve              room for done.json, should the disk be full by then
    .jobs/locks/  file locks, which the system frees when the process that holds one dies: one a training, held by
                  whoever works on it; "worker", held by the one worker; "queue", held for the moment in which
                  something is asked for or ends; one an app, held for as long as it is open
    .jobs/suspend the last app that closed asks the worker to go too

A training that is over leaves a run in the store and no folder. Nothing here trains, see `core.worker`; nothing assumes
that the worker is a child of this process.
"""

from __future__ import annotations

import atexit
import json
import math
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core import store
from core.types import BadInput, BrokenRun, HourglassError, Spec

PAUSE, KEEP, CANCEL = "pause", "keep", "cancel"
QUEUED, RUNNING, PAUSED, STOPPED, FAILED = "queued", "running", "paused", "stopped", "failed"
# Who asks from there.
COMMAND_LINE = "command-line"
MOST_WAITING = 20
HEARTBEAT_SECONDS = 1.0
# A sign of life this old means that the process is gone; one that stays the same so long, that it hangs and is ended.
_GONE_SECONDS, HUNG_SECONDS = 10.0, 60.0
# Whoever asks whether a lock is held holds it for a moment.
MOMENT = 0.3
_TEND_SECONDS = 2.0
_START_SECONDS = 20.0
_LONGEST_PAUSE = 60.0
_QUEUE_SECONDS = 10.0
_LEAVE_SECONDS = 1.0
# What a training needs at least: checkpoint, pictures and the run itself.
_ROOM = 50_000_000
_RESERVE = 16_384
_LARGEST_LOG = 1_000_000
_LARGEST_TEXT = 8_000_000
_KEY = re.compile(r"[0-9a-f]{16}")
_PERSON = re.compile(r"[0-9A-Za-z_-]{1,64}")
_ROOT = Path(__file__).parent.parent
FEW_EPOCHS = 20
_OF_HISTORY = {"epoch", "step", "seconds"}
_OF_TICK = {*_OF_HISTORY, "share", "rows_per_second"}


@dataclass(frozen=True)
class Job:
    """A training that is asked for, under way, or ended without being over.

    Attributes
    ----------
    state : "queued", "running", "paused", "stopped" (its run is stored as far as it went) or "failed".
    place : of a queued one, 1 being next; else 0.
    askers : who asked for it.
    message : why it failed, in a sentence.
    stopping : what was asked of it and not done yet: "pause", "keep", "cancel" or nothing.
    stage : of a running one: what is being done.
    row : the latest row of its training, see `core.training.train`; empty before the first.
    within : rows of parts of its first `FEW_EPOCHS` epochs, about a second apart.
    has_checkpoint : whether there is something learned to go on from, or to keep.
    asked : nanoseconds since 1970 when it was asked for.
    """

    spec: Spec
    folder: Path
    state: str
    place: int = 0
    askers: tuple[str, ...] = ()
    message: str = ""
    stopping: str = ""
    stage: str = ""
    row: dict[str, Any] = field(default_factory=dict)
    within: tuple[dict[str, Any], ...] = ()
    has_checkpoint: bool = False
    asked: int = 0

    @property
    def key(self) -> str:
        return self.folder.name

    @property
    def seconds_left(self) -> float | None:
        """Seconds of training still to go at its present pace; None where that is not known yet."""
        share = self.row.get("share", 0.0)
        return self.row["seconds"] * (1 - share) / share if share > 0 else None


def root() -> Path:
    return store.runs_folder() / ".jobs"


def folder_of(key: str) -> Path:
    return root() / key


def lock(name: str) -> FileLock:
    """The file lock `name`, see above. Lock files stay, so that all processes meet at one."""
    folder = root() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    # One for all threads of this process: it is not always released in the thread that acquired it.
    return FileLock(folder / f"{name}.lock", thread_local=False, preserve_lock_file=True)


def is_held(name: str) -> bool:
    """Whether a living process holds the lock, or it can't be had for another reason."""
    try:
        probe = lock(name)
        probe.acquire(timeout=0)
    except OSError:  # such as Timeout
        return True
    probe.release()
    return False


# Reading


def jobs() -> list[Job]:
    """Every training there is: running ones, queued ones in their order, then those that ended, newest first."""
    try:
        folders = [place for place in root().iterdir() if _KEY.fullmatch(place.name)]
    except OSError:
        return []
    found = sorted(filter(None, map(_read, folders)), key=lambda job: (job.asked, job.key))
    running = [job for job in found if job.state == RUNNING]
    queued = [job for job in found if job.state == QUEUED]
    placed = [replace(job, place=place) for place, job in enumerate(queued, 1)]
    ended = [job for job in found if job.state not in (RUNNING, QUEUED)]
    return [*running, *placed, *reversed(ended)]


def find(key: str) -> Job | None:
    """The training of this key, with its place in the queue; None where there is none."""
    return _of_key(jobs(), key)


def waiting() -> list[Job]:
    """Trainings for a worker to begin, or to go on with, in their order."""
    # One that seems to run, but whose lock is free, was left by a process that died.
    return [
        job
        for job in jobs()
        if job.state == QUEUED or (job.state == RUNNING and is_open(job.folder) and not is_held(job.key))
    ]


def is_open(folder: Path) -> bool:
    """Whether there is a training in `folder` that has not ended."""
    return os.path.exists(folder / "spec.json") and not _ended(read_json(folder / "done.json"))


def _ended(done: dict[str, Any]) -> str:
    return done["state"] if done.get("state") in (PAUSED, STOPPED, FAILED) else ""


def _of_key(found: list[Job], key: str) -> Job | None:
    return next((job for job in found if job.key == key), None)


def _read(folder: Path) -> Job | None:
    """A training from its folder; None where it is none, or is just going."""
    asked = read_json(folder / "spec.json")
    try:
        spec = Spec.from_json(asked["spec"])
        when = int(asked["asked"])
        if spec.key != folder.name or not _is_plain(spec):
            return None
    except (BadInput, KeyError, TypeError, ValueError, ArithmeticError, RecursionError):
        return None
    # In this order: how a training ended is written before its sign of life goes. A clock that was set back makes a
    # sign of long ago one of the future, which is no sign either.
    running = abs(_age(folder / "now.json")) < _GONE_SECONDS
    now, done = read_json(folder / "now.json"), read_json(folder / "done.json")
    state = RUNNING if running else _ended(done) or QUEUED
    job = Job(
        spec,
        folder,
        state,
        askers=_askers(folder),
        message=str(done.get("message", "")) if state == FAILED else "",
        stopping=asked_for(folder),
        stage=str(now.get("stage", "")) if running else "",
        row=now["row"] if running and _is_row(now.get("row"), _OF_TICK) else {},
        within=_rows(now.get("within")) if running else (),
        has_checkpoint=os.path.exists(folder / "checkpoint.safetensors"),
        asked=when,
    )
    # A folder that goes loses this file first.
    return job if os.path.exists(folder / "spec.json") else None


def _is_plain(spec: Spec) -> bool:
    return all(isinstance(value, int | float | str) for _, value in (*spec.params, *spec.dataset_params))


def _rows(found: Any) -> tuple[dict[str, Any], ...]:
    return tuple(row for row in found if _is_row(row, _OF_TICK)) if isinstance(found, list) else ()


def _is_row(row: Any, names: set[str]) -> bool:
    try:
        known = isinstance(row, dict) and names <= row.keys() and all(map(math.isfinite, row.values()))
        return known and 0 <= row.get("share", 0) <= 1
    except (TypeError, OverflowError):
        return False


def history(folder: Path) -> list[dict[str, Any]]:
    """The rows of a training so far, one an epoch; of an epoch that was trained twice the later."""
    rows: dict[Any, dict[str, Any]] = {}
    for line in _text(folder / "progress.jsonl").splitlines():
        with suppress(ValueError, RecursionError):
            row = json.loads(line)
            if _is_row(row, _OF_HISTORY):
                rows[row["epoch"]] = row
    return list(rows.values())


def asked_for(folder: Path) -> str:
    """What people ask of the training in `folder`: "pause", "keep", "cancel" or nothing."""
    what = _text(folder / "stop")
    return what if what in (PAUSE, KEEP, CANCEL) else ""


def _askers(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(sorted(filter(_PERSON.fullmatch, os.listdir(folder / "askers"))))
    except OSError:
        return ()


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return math.inf


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_TEXT).decode(errors="replace")
    except OSError:
        return ""


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in a file; an empty one where there is none."""
    text = _text(path)
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, document: dict[str, Any]) -> None:
    write_text(path, json.dumps(document))


def write_text(path: Path, text: str) -> None:
    """Write aside and rename: whoever reads sees the old or the new."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        aside.write_text(text)
        os.replace(aside, path)
    finally:
        with suppress(OSError):
            aside.unlink()


# Asking


def request(spec: Spec, person: str, *, one_a_person: bool = False) -> Job | None:
    """Ask for a training; who asks for one that is there already shares it. None where its run is stored.

    What was asked of it before, to pause or to stop, is taken back by that.

    Parameters
    ----------
    spec : checked, see `core.specs.make`.
    person : letters, digits, ``-`` and ``_``, at most 64.
    one_a_person : refuse a second training of a person who has one waiting.

    Raises
    ------
    HourglassError
        If the queue is full, or there is no room; in a sentence.
    """
    if not _PERSON.fullmatch(person):
        raise BadInput(f"person={person[:64]} is not allowed: it is 1 to 64 letters, digits, - and _.")
    with _writing(), queue():
        found = jobs()
        job = _of_key(found, spec.key)
        if job is None and is_stored(spec.key):
            return None
        if job is None or job.state not in (RUNNING, QUEUED):
            _refuse_too_many([job for job in found if job.state == QUEUED], person, one_a_person)
            store.check_room(_ROOM)
            _enqueue(spec, found, person=person)
        else:
            # One that the command line trains says that it is paused, for when that leaves it.
            for name in ("stop", "done.json"):
                (job.folder / name).unlink(missing_ok=True)
            (job.folder / "askers" / person).touch()
    tend()
    return find(spec.key)


def is_stored(key: str) -> bool:
    """Whether the store has the whole run: not only a part that was stopped and kept, and nothing that is damaged."""
    place = store.find(key)
    if place is None:
        return False
    try:
        return not store.read(place).environment.get("stopped_early")
    except BrokenRun:
        return False


def _refuse_too_many(waiting: list[Job], person: str, one_a_person: bool) -> None:
    if one_a_person and any(person in job.askers for job in waiting):
        raise HourglassError(
            "You have a training waiting already, and in a workshop each person has one: cancel it, or wait for it."
        )
    if len(waiting) >= MOST_WAITING:
        raise HourglassError(
            f"{len(waiting)} trainings are waiting, and the queue holds {MOST_WAITING}: wait for one to finish, or "
            "cancel one of yours."
        )


def _enqueue(spec: Spec, found: list[Job], *, person: str = "", stop: str = "", state: str = "") -> None:
    """Put a training, new or ended, behind all that were `found`; with a `state` no worker is to begin with it."""
    folder = folder_of(spec.key)
    # Whatever the clock says, who comes later stands behind.
    asked = max([time.time_ns(), *(job.asked + 1 for job in found)])
    try:
        (folder / "askers").mkdir(parents=True, exist_ok=True)
        (folder / "reserve").write_bytes(bytes(_RESERVE))
        (folder / "claims").unlink(missing_ok=True)
        if person:
            (folder / "askers" / person).touch()
        _set_stop(folder, stop)
        if state:
            write_json(folder / "done.json", {"state": state})
        write_json(folder / "spec.json", {"spec": spec.to_json(), "asked": asked})
        if not state:
            # Last: from now on a worker may begin with it.
            (folder / "done.json").unlink(missing_ok=True)
    except OSError:
        if not os.path.lexists(folder / "spec.json"):
            remove(folder)
        raise


def _set_stop(folder: Path, what: str) -> None:
    if what:
        write_text(folder / "stop", what)
    else:
        (folder / "stop").unlink(missing_ok=True)


def ask(key: str, what: str) -> None:
    """Pause, stop and keep, or cancel a training in any state; a running one does it within about a second.

    Keeping what one that is not running has learned queues it, to be measured and stored.

    Raises
    ------
    HourglassError
        If there is no such training any more, or nothing was learned yet that could be kept.
    """
    with _writing(), queue():
        found = jobs()
        job = _of_key(found, key)
        if job is None:
            raise HourglassError("This training is over already.")
        if job.state == RUNNING:
            _set_stop(job.folder, what)
        elif what == CANCEL:
            _unclaimed(job, what, lambda: remove(job.folder))
        elif what == KEEP and job.state != STOPPED:
            _keep(job, found)
        elif what == PAUSE and job.state == QUEUED:
            _unclaimed(job, what, lambda: end(job.folder, PAUSED))
    tend()


def _keep(job: Job, found: list[Job]) -> None:
    if not job.has_checkpoint:
        raise HourglassError("Nothing was learned yet that could be kept: resume this training, or cancel it.")
    if job.state == QUEUED:
        _set_stop(job.folder, KEEP)
    else:
        _enqueue(job.spec, found, stop=KEEP)


def _unclaimed(job: Job, what: str, act: Callable[[], None]) -> None:
    """Do it oneself, unless a worker has begun with the training in the meantime."""
    mine = lock(job.key)
    try:
        # One that has just ended it lets go of it in a moment.
        mine.acquire(timeout=MOMENT)
    except Timeout:
        _set_stop(job.folder, what)
        return
    try:
        act()
    finally:
        mine.release()


@contextmanager
def held(spec: Spec, on_wait: Callable[[], None]) -> Iterator[Path | None]:
    """Hold a training's lock to train it in this process, outside the queue.

    Left half-way, it counts as paused; one that waited in the queue waits on.

    Yields
    ------
    The training's folder; None where another process was at it, which was waited for, and has stored its run.
    """
    with _writing():
        mine = lock(spec.key)
        waited = _acquired_after_waiting(mine, on_wait)
    try:
        if waited and is_stored(spec.key):
            yield None
            return
        folder = folder_of(spec.key)
        with _writing(), queue():
            found = jobs()
            job = _of_key(found, spec.key)
            if job is None or job.state not in (RUNNING, QUEUED):
                _enqueue(spec, found, person=COMMAND_LINE, state=PAUSED)
            else:
                _set_stop(folder, "")
                (folder / "askers" / COMMAND_LINE).touch()
        yield folder
    finally:
        mine.release()


def _acquired_after_waiting(mine: FileLock, on_wait: Callable[[], None]) -> bool:
    try:
        mine.acquire(timeout=MOMENT)
    except Timeout:
        on_wait()
        mine.acquire()
        return True
    return False


def abandon(folder: Path, person: str) -> None:
    """Leave a training to those who asked for it too; where nobody did, it goes."""
    with _writing(), queue():
        withdraw(folder.name, person)
        let_go(folder)
        if not _askers(folder):
            remove(folder)


def withdraw(key: str, person: str) -> None:
    """Leave a shared training to the others."""
    if _KEY.fullmatch(key) and _PERSON.fullmatch(person):
        with suppress(OSError):
            (folder_of(key) / "askers" / person).unlink()


# Ending: done by whoever holds the training's lock, and the queue's, so that nobody asks for anything meanwhile.


def end(folder: Path, state: str, message: str = "") -> None:
    """Write down how a training ended.

    Raises
    ------
    OSError
        If there is no room even for that.
    """
    text = json.dumps({"state": state, "message": message})
    try:
        # Written over what is there already, it needs no room.
        with (folder / "reserve").open("r+") as file:
            file.write(text)
            file.truncate()
        os.replace(folder / "reserve", folder / "done.json")
    except OSError:
        write_text(folder / "done.json", text)
    let_go(folder)
    with suppress(OSError):
        (folder / "stop").unlink()


def let_go(folder: Path) -> None:
    """Leave a training as it stands, to be gone on with."""
    for name in ("now.json", "claims"):
        with suppress(OSError):
            (folder / name).unlink()


def remove(folder: Path) -> None:
    """Delete a training's folder; first what makes it one, so that nobody sees half of it."""
    with suppress(OSError):
        (folder / "spec.json").unlink()
    shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """Clear away what processes left that were ended while they removed a training."""
    with suppress(OSError, HourglassError), queue():
        for folder in root().iterdir():
            if _KEY.fullmatch(folder.name) and not os.path.lexists(folder / "spec.json") and not is_held(folder.name):
                remove(folder)


@contextmanager
def queue() -> Iterator[None]:
    """Hold the queue for a moment.

    Raises
    ------
    HourglassError
        If others do so for too long.
    """
    mine = lock("queue")
    try:
        mine.acquire(timeout=_QUEUE_SECONDS, poll_interval=0.01)
    except Timeout:
        raise HourglassError("The queue of trainings is busy: try again in a moment.") from None
    try:
        yield
    finally:
        mine.release()


@contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HourglassError(
            f"The queue of trainings in {root()} can't be written ({error.strerror or error}): free some space there, "
            "or set HOURGLASS_RUNS to another folder."
        ) from None


# Keeping a worker at it


class _Starts:
    """The workers that this process started on one folder."""

    def __init__(self):
        self.processes: list[subprocess.Popen] = []
        self.began, self.failures = 0.0, 0

    def may(self) -> bool:
        """Whether to start one: not while the last is on its way, and later and later where they fail."""
        if not self.processes:
            return True
        code, elapsed = self.processes[-1].poll(), time.monotonic() - self.began
        if code is None:
            return elapsed > _START_SECONDS
        # One that was ended from outside, which codes below 0 tell of, has not failed by itself.
        if code > 0:
            return elapsed > min(_LONGEST_PAUSE, 2.0**self.failures)
        self.failures = 0
        return True

    def add(self, process: subprocess.Popen) -> None:
        self.processes.append(process)
        self.began, self.failures = time.monotonic(), self.failures + 1

    def forget_ended(self) -> None:
        """Else the system goes on to list those that ended; the last is needed for what it ended with."""
        self.processes = [p for p in self.processes if p.poll() is None or p is self.processes[-1]]


_tending = threading.Lock()
_starts: dict[Path, _Starts] = {}
_signs: dict[Path, tuple[int, float]] = {}


def tend() -> None:
    """Start a worker where trainings wait and none works, end one that hangs. May be called at any time."""
    # Where the folder can't be written, whoever asks for a training is told so.
    with _tending, suppress(OSError):
        starts = _starts.setdefault(root(), _Starts())
        starts.forget_ended()
        if os.path.exists(root() / "suspend") or not any(job.state in (QUEUED, RUNNING) for job in jobs()):
            return
        if is_held("worker"):
            _end_hung_worker()
        elif waiting() and starts.may():
            start_worker()


def start_worker() -> None:
    """Start `core.worker` on this runs folder, in a session of its own; it ends at once where one works already."""
    threads = os.environ.get("HOURGLASS_THREADS", "1")
    # Set before torch and the linear algebra load, and more threads than cores free of people would only wait.
    settings = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
    settings["HOURGLASS_RUNS"] = str(store.runs_folder().absolute())
    if os.environ.get("HOURGLASS_DATA"):
        settings["HOURGLASS_DATA"] = str(Path(os.environ["HOURGLASS_DATA"]).expanduser().absolute())
    with _log() as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "core.worker"],
            cwd=_ROOT,
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    _starts.setdefault(root(), _Starts()).add(process)


@contextmanager
def _log() -> Iterator[Any]:
    log = root() / "worker.log"
    with suppress(OSError):
        if log.stat().st_size > _LARGEST_LOG:
            log.unlink()
    try:
        out = log.open("ab")
    except OSError:
        yield subprocess.DEVNULL
        return
    with out:
        yield out


def _end_hung_worker() -> None:
    """A worker on this machine that holds its lock and shows no life for long will never go on.

    How long is what this process has seen of it: the clock may have been set, or the machine have slept.
    """
    sign = root() / "worker.json"
    about = read_json(sign)
    try:
        at = sign.stat().st_mtime_ns
    except OSError:
        return
    if _signs.get(sign, (None,))[0] != at:
        _signs[sign] = at, time.monotonic()
        return
    pid = about.get("pid")
    is_here = about.get("host") == socket.gethostname() and isinstance(pid, int)
    # Numbers below 1 stand for many processes.
    if is_here and pid > 1 and pid != os.getpid() and time.monotonic() - _signs[sign][1] > HUNG_SECONDS:
        with suppress(OSError, OverflowError):
            # Where there is no SIGKILL, SIGTERM is as final.
            os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))


class _Watch:
    """An app's watch over the queue in one folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.over = threading.Event()
        self.present: FileLock | None = None
        self.thread = threading.Thread(target=self.keep, daemon=True, name="hourglass-queue")

    def begin(self) -> None:
        with suppress(OSError):
            self.present = lock(f"app-{secrets.token_hex(8)}")
            self.present.acquire(timeout=MOMENT)
        self.thread.start()
        atexit.register(self.end)

    def keep(self) -> None:
        while not self.over.is_set():
            if root() == self.folder:
                # An app that closed at the moment when this one opened may have left it.
                with suppress(OSError):
                    (self.folder / "suspend").unlink(missing_ok=True)
                tend()
            self.over.wait(_TEND_SECONDS)

    def end(self) -> None:
        """The app closes: unless another is open, its worker saves what it has and goes; the queue stays."""
        atexit.unregister(self.end)
        self.over.set()
        self.thread.join(_LEAVE_SECONDS)
        with suppress(OSError):
            if self.present is not None:
                self._forget(self.present)
            if not self._is_another():
                (self.folder / "suspend").touch()

    def _is_another(self) -> bool:
        """Whether another app is open; files of those that died are cleared away."""
        for path in (self.folder / "locks").glob("app-*.lock"):
            probe = FileLock(path, preserve_lock_file=True)
            try:
                probe.acquire(timeout=0)
            except OSError:  # such as Timeout
                return True
            self._forget(probe)
        return False

    @staticmethod
    def _forget(held: FileLock) -> None:
        # Removed while it is held: whoever opened it meanwhile finds out, and nobody takes it for an app.
        with suppress(OSError):
            os.unlink(held.lock_file)
        held.release()


_watches: dict[Path, _Watch] = {}
_attaching = threading.Lock()


def attach() -> None:
    """Look after the queue for as long as this process, an app, lives; the last app to close lets the worker pause.

    Further calls do nothing.
    """
    with _attaching:
        folder = root()
        if folder not in _watches:
            _watches[folder] = _Watch(folder)
            _watches[folder].begin()


def detach() -> None:
    """End what `attach` began, as happens by itself when this process ends."""
    with _attaching:
        watch = _watches.pop(root(), None)
    if watch is not None:
        watch.end()
