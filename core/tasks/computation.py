"""Computations of seconds to minutes in a process of their own, with progress and a stop button.

The protocol is a folder in the user's cache with the input, ``progress.json``, ``stop`` and ``problem.txt``. It is
removed when the result is in `core.cache`. One computation of a kind runs at a time; others wait.

A module that defines `Work` is run as ``python -m MODULE FOLDER`` and calls `Work.main`.
"""

import json
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

from core import cache, config, files
from core.errors import HourglassError

_ROOT = Path(__file__).parents[2]
# A process that was started may take so long to acquire its lock.
_STARTING_SECONDS = 30.0
_POLL_SECONDS = 0.2
# The system lists an ended process until somebody polls it.
_started: list[subprocess.Popen] = []


@dataclass(frozen=True)
class State:
    """The state of a computation."""

    arrays: Mapping[str, np.ndarray] | None = None  # the result, once it is computed
    share: float | None = None  # that is done, in [0, 1]; None if it is not being computed
    waits: bool = False  # for another computation
    problem: str = ""  # one sentence on why it failed


class _Stopped(Exception):
    pass


@dataclass(frozen=True)
class Work:
    """A kind of computation. Its results are known by names, which change with their input.

    Attributes
    ----------
    module : dotted name of the module that defines it.
    folder : name of its folder in the user's cache.
    result : first part of the name of its results in `core.cache`.
    noun : what messages call a result.
    compute : computes the arrays of the result from the folder with the input; also takes a function to call a few
        times a second with the share that is done, in [0, 1], which raises if the work is stopped.
    """

    module: str
    folder: str
    result: str
    noun: str
    compute: Callable[[Path, Callable[[float], None]], Mapping[str, np.ndarray]]

    def place(self, name: str) -> Path:
        """Return the folder in which the result with this name is computed."""
        return config.user_cache() / self.folder / name

    def find_result(self, name: str) -> dict[str, np.ndarray] | None:
        """Return the arrays of the result with this name; None before it is computed."""
        return cache.find_arrays(f"{self.result}-{name}")

    def read_state(self, name: str) -> State:
        """Return the state of the result with this name; reads a few small files."""
        # Read in this order: the process writes the result before it removes the folder.
        running = self._read_running(self.place(name))
        arrays = self.find_result(name)
        return running if arrays is None else State(arrays=arrays)

    def _read_running(self, folder: Path) -> State:
        with suppress(OSError):
            return State(problem=(folder / "problem.txt").read_text("utf-8", "replace"))
        progress = files.read_json(folder / "progress.json")
        try:
            share, waits, started = float(progress["share"]), bool(progress["waits"]), float(progress["started"])
        except (KeyError, TypeError, ValueError):  # there is none, or it is damaged
            return State()
        if is_held(FileLock(folder / "lock")) or abs(time.time() - started) < _STARTING_SECONDS:
            return State(share=share, waits=waits)
        return State(problem=f"The process of this {self.noun} ended before it was done: start it again.")

    def start(self, name: str, put_input: Callable[[Path], None] = lambda folder: None) -> None:
        """Compute a result unless it exists or is being computed; `put_input` writes its input into a folder.

        Raises HourglassError if it can't be started, for example on a full disk.
        """
        folder = self.place(name)
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            # Two people may start it at the same moment.
            with FileLock(folder.parent / "start.lock"):
                state = self.read_state(name)
                if state.arrays is not None or state.share is not None:
                    return
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                put_input(folder)
                _write_progress(folder, started=time.time())
                with (folder / "log").open("wb") as log:
                    start_process(self.module, str(folder.absolute()), log=log)
        except OSError as error:
            shutil.rmtree(folder, ignore_errors=True)
            where = f"in {folder.parent} ({error.strerror or error})"
            raise HourglassError(f"The {self.noun} can't be started {where}: free some space there.") from None

    def stop(self, name: str) -> None:
        """Stop the computation of a result; its process ends at its next progress report."""
        folder = self.place(name)
        with suppress(OSError):
            (folder / "stop").touch()
        if not is_held(FileLock(folder / "lock")):
            shutil.rmtree(folder, ignore_errors=True)

    def main(self) -> None:
        """Compute the result of the folder named on the command line, at low priority."""
        lower_priority()
        self.run(Path(sys.argv[1]))

    def run(self, folder: Path) -> None:
        """Compute the result of `folder`, store it and remove the folder; a problem is written to the folder."""
        with FileLock(folder / "lock"):
            try:
                cache.save_arrays(f"{self.result}-{folder.name}", self._compute_in_turn(folder))
                if self.find_result(folder.name) is None:
                    raise HourglassError(f"The {self.noun} can't be stored in {cache.folder()}: free some space there.")
            except _Stopped:
                pass
            except Exception as error:
                problem = str(error) if isinstance(error, HourglassError) else f"The {self.noun} failed ({error})."
                with suppress(OSError):
                    (folder / "problem.txt").write_text(" ".join(problem.split()), "utf-8")
                return
        shutil.rmtree(folder, ignore_errors=True)

    def _compute_in_turn(self, folder: Path) -> Mapping[str, np.ndarray]:
        def report(share: float, waits: bool = False) -> None:
            if (folder / "stop").exists() or not (folder / "progress.json").exists():
                raise _Stopped
            _write_progress(folder, share, waits)

        turn = None
        while turn is None:
            try:
                turn = FileLock(folder.parent / "one.lock").acquire(timeout=_POLL_SECONDS)
            except Timeout:
                report(0.0, waits=True)
        with turn:
            report(0.0)
            return self.compute(folder, report)


def _write_progress(folder: Path, share: float = 0.0, waits: bool = False, started: float = 0.0) -> None:
    progress = {"share": round(share, 4), "waits": waits, "started": started}
    files.write_atomically(folder / "progress.json", json.dumps(progress))


def is_held(lock: FileLock) -> bool:
    """Whether a living process holds a lock, or its file is not accessible."""
    try:
        lock.acquire(timeout=0)
    except OSError:  # Timeout is one
        return True
    lock.release()
    return False


def lower_priority() -> None:
    """Give this process the priority `HOURGLASS_NICE`; it is never raised."""
    if hasattr(os, "nice"):
        # os.nice adds to the value that this process has inherited.
        os.nice(max(0, config.niceness() - os.nice(0)))


def start_process(module: str, *arguments: str, log, **environment: str) -> subprocess.Popen:
    """Start ``python -m MODULE ARGUMENTS`` with `HOURGLASS_THREADS` threads; it may outlive this process.

    `log` is an open file for its output, `environment` are further variables. Raises OSError if it can't be started.
    """
    # Read when torch and the linear algebra load; more threads than free cores would only wait.
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    threads = dict.fromkeys(names, str(config.threads()))
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=_ROOT,
        env={**os.environ, **threads, **environment},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    _started[:] = [other for other in _started if other.poll() is None] + [process]
    return process
