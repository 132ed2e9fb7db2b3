"""A computation of seconds to minutes in a process of its own, with progress and a stop; its result is kept.

A folder below the user's cache is the protocol: its input, progress.json, stop, problem.txt. It goes when the result is
there, which `core.cache` keeps. Of one kind of work one is computed at a time, others wait.

A module with such `Work` is run as ``python -m MODULE FOLDER`` and then calls `main`.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from core import cache
from core.datasets import download
from core.types import HourglassError

_ROOT = Path(__file__).parents[1]
_NICE = 10
# For as long a process that was started may not hold its lock yet.
_STARTING_SECONDS = 30.0
_POLL_SECONDS = 0.2
# Those that this process started: the system goes on to list the ended ones until they are asked after.
_processes: list[subprocess.Popen] = []


@dataclass(frozen=True)
class Work:
    """A kind of computation.

    Attributes
    ----------
    module : dotted name of the module that does it.
    folder : name of the folder, below the user's cache, in which it is done.
    result : what its results are kept as, before their own name.
    noun : what a result is called in a sentence.
    compute : maps the folder, which holds the input, and a tick to the arrays of the result. It calls the tick with the
        share that is done, in [0, 1], a few times a second; the tick raises where the work is to end.
    """

    module: str
    folder: str
    result: str
    noun: str
    compute: Callable[[Path, Callable[[float], None]], Mapping[str, np.ndarray]]

    def place(self, name: str) -> Path:
        """The folder in which the result with this name is computed."""
        return download.user_cache() / self.folder / name

    def kept_as(self, name: str) -> str:
        """What `core.cache` keeps the result with this name as."""
        return f"{self.result}-{name}"


@dataclass(frozen=True)
class State:
    """How a computation stands.

    Attributes
    ----------
    arrays : the result, once it is there.
    share : how much of it is done, in [0, 1]; None where nobody computes it.
    waits : whether another is computed first.
    problem : a sentence why it could not be computed.
    """

    arrays: Mapping[str, np.ndarray] | None = None
    share: float | None = None
    waits: bool = False
    problem: str = ""


def state(work: Work, name: str) -> State:
    """How the result with this name stands; takes nothing but a look at a few files."""
    # The result is kept before its process lets go: who looks at the process first misses no result.
    running = _running(work, work.place(name))
    kept = cache.find(work.kept_as(name))
    return running if kept is None else State(arrays=kept)


def _running(work: Work, folder: Path) -> State:
    with suppress(OSError):
        return State(problem=(folder / "problem.txt").read_text("utf-8", "replace"))
    progress = _progress(folder)
    if progress is None:
        return State()
    if _is_held(folder) or abs(time.time() - progress["started"]) < _STARTING_SECONDS:
        return State(share=progress["share"], waits=progress["waits"])
    return State(problem=f"The process of this {work.noun} ended before it was done: make it again.")


def _progress(folder: Path) -> dict | None:
    try:
        found = json.loads((folder / "progress.json").read_bytes())
        share, started = float(found["share"]), float(found["started"])
        if not 0 <= share <= 1 or not math.isfinite(started):
            return None
        return {"share": share, "waits": bool(found["waits"]), "started": started}
    except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None


def _is_held(folder: Path) -> bool:
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    lock.release()
    return False


def start(work: Work, name: str, put_input: Callable[[Path], None]) -> None:
    """Have a result computed, unless it is there or under way; `put_input` writes its input into a folder.

    Raises
    ------
    HourglassError
        If that can't be begun, for example on a full disk.
    """
    folder = work.place(name)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Two people may ask at the same moment.
        with FileLock(folder.parent / "start.lock"):
            _start(work, name, put_input)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise HourglassError(
            f"The {work.noun} can't be made in {folder.parent} ({error.strerror or error}): free some space there."
        ) from None


def _start(work: Work, name: str, put_input: Callable[[Path], None]) -> None:
    now = state(work, name)
    if now.arrays is not None or now.share is not None:
        return
    folder = work.place(name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    put_input(folder)
    _say(folder, 0.0, waits=False)
    threads = os.environ.get("HOURGLASS_THREADS", "1")
    settings = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", work.module, str(folder.absolute())],
            cwd=_ROOT,
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    _processes[:] = [each for each in _processes if each.poll() is None] + [process]


def stop(work: Work, name: str) -> None:
    """Let go of the result with this name; its process ends at its next tick."""
    folder = work.place(name)
    with suppress(OSError):
        (folder / "stop").touch()
    if not _is_held(folder):
        shutil.rmtree(folder, ignore_errors=True)


def _say(folder: Path, share: float, *, waits: bool) -> None:
    started = time.time() if not (before := _progress(folder)) else before["started"]
    aside = folder / "progress.tmp"
    aside.write_text(json.dumps({"share": round(share, 4), "waits": waits, "started": started}))
    os.replace(aside, folder / "progress.json")


class _Stopped(Exception):
    pass


def main(work: Work) -> None:
    """Do the work of the folder that the command line names, giving way to everything else."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    make(work, Path(sys.argv[1]))


def make(work: Work, folder: Path) -> None:
    """Compute the result of `folder`, keep it, and remove the folder; what goes wrong is written there."""
    with FileLock(folder / "lock"):
        try:
            arrays = _in_turn(work, folder)
        except _Stopped:
            pass
        except Exception as error:
            problem = (
                str(error) if isinstance(error, HourglassError) else f"The {work.noun} could not be made ({error})."
            )
            with suppress(OSError):
                (folder / "problem.txt").write_text(" ".join(problem.split()), "utf-8")
            return
        else:
            cache.keep(work.kept_as(folder.name), arrays)
            if cache.find(work.kept_as(folder.name)) is None:
                why = f"The {work.noun} could not be kept in {cache.folder()}: free some space there."
                with suppress(OSError):
                    (folder / "problem.txt").write_text(why, "utf-8")
                return
    shutil.rmtree(folder, ignore_errors=True)


def _in_turn(work: Work, folder: Path) -> Mapping[str, np.ndarray]:
    def look() -> None:
        if (folder / "stop").exists() or not (folder / "progress.json").exists():
            raise _Stopped

    def tick(share: float) -> None:
        look()
        _say(folder, share, waits=False)

    look()
    one = FileLock(folder.parent / "one.lock")
    while True:
        look()
        try:
            one.acquire(timeout=_POLL_SECONDS)
            break
        except Timeout:
            _say(folder, 0.0, waits=True)
    with one:
        return work.compute(folder, tick)
