"""Codes of many numbers as a t-SNE map, in a process of its own: it takes seconds to minutes.

A folder below the user's cache is the protocol: codes.npy, progress.json, stop, problem.txt. It goes when the map is
done; the map is kept as `core.cache` keeps things. One map is made at a time, others wait.

``python -m core.projecting FOLDER`` makes the map of a folder.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from core import cache
from core.datasets import download
from core.types import BadInput, HourglassError

PERPLEXITY = 30.0
_ROOT = Path(__file__).parents[1]
_NICE = 10
# For as long a process that was started may not hold its lock yet.
_STARTING_SECONDS = 30.0
_POLL_SECONDS = 0.2
# Those that this process started: the system goes on to list the ended ones until they are asked after.
_processes: list[subprocess.Popen] = []


@dataclass(frozen=True)
class State:
    """How the map of some codes stands.

    Attributes
    ----------
    points : (n, 2) float32, once it is done; rows without a code have NaN.
    share : how much of it is done, in [0, 1]; None where nobody makes it.
    waits : whether another map is made first.
    problem : a sentence why it could not be made.
    """

    points: np.ndarray | None = None
    share: float | None = None
    waits: bool = False
    problem: str = ""


def key(Z: np.ndarray) -> str:
    """Names the map of these codes: (n, n_components)."""
    return cache.key(np.asarray(Z, np.float32), PERPLEXITY)


def _folder(name: str) -> Path:
    return download.user_cache() / "projections" / name


def state(name: str) -> State:
    """How the map with this `key` stands; takes nothing but a look at a few files."""
    # The map is kept before its process lets go: who looks at the process first misses no map.
    making = _making(_folder(name))
    kept = cache.find(f"tsne-{name}")
    return making if kept is None else State(points=kept["points"])


def _making(folder: Path) -> State:
    with suppress(OSError):
        return State(problem=(folder / "problem.txt").read_text("utf-8", "replace"))
    progress = _progress(folder)
    if progress is None:
        return State()
    if _is_held(folder) or abs(time.time() - progress["started"]) < _STARTING_SECONDS:
        return State(share=progress["share"], waits=progress["waits"])
    return State(problem="The process of this map ended before it was done: make it again.")


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


def start(Z: np.ndarray) -> None:
    """Have the t-SNE map of codes made, (n, n_components), NaN for rows without one.

    Raises
    ------
    HourglassError
        If that can't be begun, for example on a full disk.
    """
    name = key(Z)
    now = state(name)
    if now.points is not None or now.share is not None:
        return
    folder = _folder(name)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        np.save(folder / "codes.npy", np.asarray(Z, np.float32), allow_pickle=False)
        _say(folder, 0.0, waits=False)
        threads = os.environ.get("HOURGLASS_THREADS", "1")
        settings = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "core.projecting", str(folder.absolute())],
                cwd=_ROOT,
                env={**os.environ, **settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        _processes[:] = [each for each in _processes if each.poll() is None] + [process]
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise HourglassError(
            f"The map can't be made in {folder.parent} ({error.strerror or error}): free some space there."
        ) from None


def stop(name: str) -> None:
    """Let go of the map with this `key`; its process ends after at most 50 more steps."""
    folder = _folder(name)
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


def make(folder: Path) -> None:
    """Make the map of `folder`, keep it, and remove the folder; what goes wrong is written there."""
    with FileLock(folder / "lock"):
        try:
            points = _map(folder)
        except _Stopped:
            pass
        except Exception as error:
            problem = str(error) if isinstance(error, HourglassError) else f"The map could not be made ({error})."
            with suppress(OSError):
                (folder / "problem.txt").write_text(" ".join(problem.split()), "utf-8")
            return
        else:
            cache.keep(f"tsne-{folder.name}", {"points": points})
    shutil.rmtree(folder, ignore_errors=True)


def _map(folder: Path) -> np.ndarray:
    def look() -> None:
        if (folder / "stop").exists() or not (folder / "codes.npy").exists():
            raise _Stopped

    look()
    Z = np.load(folder / "codes.npy", allow_pickle=False)
    one = FileLock(folder.parent / "one.lock")
    while True:
        look()
        try:
            one.acquire(timeout=_POLL_SECONDS)
            break
        except Timeout:
            _say(folder, 0.0, waits=True)
    with one:
        from core.methods.tsne import TSNEMap

        def tick(row: dict) -> None:
            look()
            _say(folder, row["share"], waits=False)

        at = np.flatnonzero(np.isfinite(Z).all(axis=1))
        if len(at) < 2 or not np.ptp(Z[at], axis=0).any():
            raise BadInput("t-SNE needs at least 2 rows with different codes: choose more rows, or another run.")
        points = np.full((len(Z), 2), np.nan, np.float32)
        perplexity = min(PERPLEXITY, max((len(at) - 1) / 3, 1.0))
        points[at] = TSNEMap(perplexity=perplexity, random_state=0).fit(Z[at], on_tick=tick).embedding_
    return points


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(_NICE)
    make(Path(sys.argv[1]))
