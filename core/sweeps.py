"""Sweeps of the labelled fraction: cells computed side by side, each kept as a line of JSON as soon as it is there.

What is kept is never computed again, so a sweep goes on where it was ended. Cells are given to joblib, whose backends
for clusters may take the place of this machine's processes.
"""

from __future__ import annotations

import json
import math
import os
import threading
import time
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

from core import approaches, computing, datasets, labelled, methods, store
from core.approaches import settings
from core.labelled import Cell, Stopped
from core.types import BadInput, Dataset, HourglassError, Spec

SHIPPED = Path(__file__).parent.parent / "assets" / "labelled"
_PARTS = {
    "key": str,
    "dataset": str,
    "method": str,
    "labels": int,
    "classes_known": int,
    "seed": int,
    "error": float,
    "n_test": int,
    "seconds": float,
    "pretraining_seconds": float,
    "confusion": list,
    **dict.fromkeys(("params", "dataset_params", "pretraining"), dict),
    "data_checksum": str,
    **dict.fromkeys(("wrong", "map", "map_classes"), str),
}
_POLL_SECONDS = 0.5
_MOST_ESTIMATORS = 3
_MOST_LABELS = 10**9
# Beside the app; each holds the data set, and may take a gigabyte.
_MOST_PROCESSES = 4


# --- Rows on disk -------------------------------------------------------------------------------------------------


def folder() -> Path:
    """Where this person's own rows are."""
    return store.runs_folder() / ".labelled"


def file_of(dataset: str, place: Path | None = None) -> Path:
    return (folder() if place is None else place) / f"{dataset}.jsonl"


@dataclass(frozen=True)
class Rows:
    """What is kept of a data set.

    Attributes
    ----------
    rows : one a cell, see `core.labelled.measure`; of two of one cell the person's own.
    problems : a sentence for each file that can't be read, or not wholly.
    """

    rows: tuple[dict[str, Any], ...]
    problems: tuple[str, ...] = ()


def read(dataset: str, places: Sequence[Path] | None = None) -> Rows:
    """Every row of a data set that is kept in `places` (default: this person's own, then the shipped)."""
    found: dict[str, dict[str, Any]] = {}
    problems = []
    for place in (folder(), SHIPPED) if places is None else places:
        file = file_of(dataset, place)
        try:
            lines = file.read_bytes().splitlines()
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(f"The results in {file} can't be read ({error.strerror or error}).")
            continue
        # Of two lines of one cell the newer holds: it was computed again, on another copy of the data.
        rows = [_parsed(line, dataset) for line in lines if line.strip()]
        if broken := rows.count(None):
            problems.append(
                f"{broken} of {len(rows)} lines in {file.name} are no result of a sweep, or cut short: left out, and "
                "computed again by the next sweep."
            )
        here = {row["key"]: row for row in filter(None, rows)}
        found |= {key: row for key, row in here.items() if key not in found}
    return Rows(tuple(found.values()), tuple(problems))


def _parsed(line: bytes, dataset: str) -> dict[str, Any] | None:
    """The row of a line; None where it is none that the pages could show."""
    try:
        row = json.loads(line)
        if not all(type(row[name]) is kind for name, kind in _PARTS.items()) or row["dataset"] != dataset:
            return None
        if row["method"] not in approaches.names(datasets.entry(dataset).kind) or not 0 <= row["error"] <= 1:
            return None
        if not 1 <= row["labels"] <= _MOST_LABELS or not 0 <= row["seed"] < labelled.SEEDS:
            return None
        if not labelled.is_whole(row):
            return None
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError, zlib.error):
        return None
    return row


def is_current(row: Mapping[str, Any]) -> bool:
    """Whether a row was computed with the settings, and by the version, that its approach has now."""
    approach, dataset = approaches.get(row["method"]), row["dataset"]
    now: dict[str, Any] = dict(settings.of(approach.name, dataset))
    before = settings.pretraining(dataset, approach.pretrained) if approach.pretrained else {}
    if (row.get("version"), row["pretraining"]) != (approach.version, before):
        return False
    try:
        if spec := labelled.pretraining(dataset, row["dataset_params"].items(), approach, row["seed"]):
            now["pretrained"] = spec.key
    except BadInput:  # a parameter of the data that there is no more
        return False
    return row["params"] == now


def by_approach(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[int, dict[int, float]]]:
    """Approach -> number of labels -> seed -> error, for `core.metrics.fractions`; in the registry's order."""
    found: dict[str, dict[int, dict[int, float]]] = {}
    for row in rows:
        found.setdefault(row["method"], {}).setdefault(row["labels"], {})[row["seed"]] = row["error"]
    return {name: found[name] for name in approaches.names() if name in found}


def _append(file: Path, row: Mapping[str, Any]) -> None:
    """Add a line; a line that an earlier process left half-written stays one of its own."""
    try:
        with file.open("a+b") as out:
            out.seek(0, os.SEEK_END)
            if out.tell():
                out.seek(-1, os.SEEK_END)
                cut = out.read(1) != b"\n"
                out.write(b"\n" if cut else b"")
            out.write(json.dumps(row, separators=(",", ":"), allow_nan=False).encode() + b"\n")
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise HourglassError(
            f"A result can't be written to {file} ({error.strerror or error}): free some space there and run the "
            "sweep again; what is written is kept."
        ) from None


# --- A sweep ------------------------------------------------------------------------------------------------------


@dataclass
class Report:
    """How a sweep ended.

    Attributes
    ----------
    computed : rows it added; kept : cells that were there before.
    left : cells it did not come to, or that failed.
    problems : a sentence for each that failed.
    """

    computed: int = 0
    kept: int = 0
    left: int = 0
    problems: list[str] = field(default_factory=list)


def run(
    wanted: Sequence[Cell],
    *,
    place: Path | None = None,
    processes: int = 1,
    max_seconds: float = 0.0,
    ends: bool = False,
    watch: Path | None = None,
    on_row: Callable[[dict[str, Any]], None] = lambda row: None,
    report: Report | None = None,
) -> Report:
    """Compute the cells that are not kept yet, all of one data set.

    Parameters
    ----------
    place : folder of the file that takes the rows, default: `folder`, and the shipped rows count as kept.
    processes : how many cells are computed at once; more than one with one thread each.
    max_seconds : after so long no cell is begun any more; 0: all are.
    ends : whether networks under way are then ended too, and left out.
    watch : folder in which a file ``stop`` ends the sweep within about a second, and in which files ``KEY.share`` tell
        how much of a cell is done.
    on_row : called with each new row.
    report : what is returned, filled in as the sweep goes on.

    Raises
    ------
    HourglassError
        If a row can't be written.
    """
    report = Report() if report is None else report
    if not wanted:
        return report
    file = file_of(wanted[0].spec.dataset, place)
    task = _Task(watch, time.time() + max_seconds if max_seconds else math.inf, ends)
    with _held(file, task) as is_ours:
        if not is_ours:
            report.left = len(wanted)
            return report
        kept = read(wanted[0].spec.dataset, None if place is None else (place,)).rows
        checksum = _dataset(wanted[0].spec.dataset, wanted[0].spec.dataset_params).checksum if kept else ""
        there = {row["key"] for row in kept if row["data_checksum"] == checksum}
        missing = [cell for cell in wanted if cell.key not in there]
        report.kept, report.left = len(wanted) - len(missing), len(missing)
        for seed in dict.fromkeys(cell.spec.seed for cell in missing):
            of_seed = [cell for cell in missing if cell.spec.seed == seed]
            before = {cell.pretraining.key: cell.pretraining for cell in of_seed if cell.pretraining}
            there = set(_outcomes(task.pretrained, before.values(), processes, report))
            of_seed = [cell for cell in of_seed if not cell.pretraining or cell.pretraining.key in there]
            for row in _outcomes(task.measured, of_seed, processes, report):
                _append(file, row)
                report.computed, report.left = report.computed + 1, report.left - 1
                on_row(row)
    return report


@contextmanager
def _held(file: Path, task: _Task) -> Iterator[bool]:
    """Hold the right to add to `file`, once nobody else has it; False where the sweep is stopped before."""
    lock = FileLock(file.with_suffix(".lock"))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        while not (task.is_stopped() or task.is_late()):
            with suppress(Timeout):
                lock.acquire(timeout=_POLL_SECONDS)
                break
    except OSError as error:
        raise HourglassError(
            f"Results can't be kept in {file.parent} ({error.strerror or error}): free some space there."
        ) from None
    try:
        yield lock.is_locked
    finally:
        lock.release()


def _outcomes(function, given: Iterable[Any], processes: int, report: Report) -> Iterable[Any]:
    """What `function` returns of each of `given`, as it comes; problems go into the report."""
    import joblib

    # Joblib gives each of its processes a share of the cores; a backend that is set around this call is used.
    made = joblib.Parallel(processes, return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=1)(
        joblib.delayed(function)(each, processes > 1) for each in given
    )
    try:
        for problem, result in made:
            if problem and problem not in report.problems:
                report.problems.append(problem)
            if result is not None:
                yield result
    finally:
        # Where a row can't be written the rest is given up: whoever is told that needs no word of it from joblib.
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            made.close()


@dataclass(frozen=True)
class _Task:
    """What a process is given beside its cell: it may be another machine's.

    Each method returns a problem in words, or "", and a result, or None where there is none.
    """

    watch: Path | None
    deadline: float
    ends: bool

    def pretrained(self, spec: Spec, alone: bool) -> tuple[str, str | None]:
        what = f"Pre-training of the {methods.label(spec.method)}, seed {spec.seed}"

        def compute() -> str:
            _pretrained(spec, self._tick(spec.key, what))
            return spec.key

        return self._tried(compute, spec.key, what, alone)

    def measured(self, cell: Cell, alone: bool) -> tuple[str, dict[str, Any] | None]:
        noun = "label" if cell.labels == 1 else "labels"
        what = f"{cell.approach.label} with {cell.labels:,} {noun}, seed {cell.spec.seed}"

        def compute() -> dict[str, Any]:
            tick = self._tick(cell.key, what)
            before = _pretrained(cell.pretraining, tick) if cell.pretraining else None
            return labelled.measure(cell, _dataset(cell.spec.dataset, cell.spec.dataset_params), before, tick)

        return self._tried(compute, cell.key, what, alone)

    def _tried(self, compute: Callable[[], Any], key: str, what: str, alone: bool) -> tuple[str, Any]:
        if self.is_stopped() or self.is_late():
            return "", None
        if alone:
            import torch

            torch.set_num_threads(1)
        try:
            self._tick(key, what)({"share": 0.0})
            return "", compute()
        except Stopped:
            return "", None
        except HourglassError as problem:
            return f"{what}: {problem}", None
        except Exception as error:
            return f"{what} could not be computed ({' '.join(str(error).split()) or type(error).__name__}).", None
        finally:
            if self.watch is not None:
                (self.watch / f"{key}.share").unlink(missing_ok=True)

    def is_late(self) -> bool:
        return time.time() > self.deadline

    def is_stopped(self) -> bool:
        if self.ends and self.is_late():
            return True
        return self.watch is not None and ((self.watch / "stop").exists() or not self.watch.exists())

    def _tick(self, key: str, what: str) -> Callable[[dict[str, Any]], bool]:
        def tick(row: dict[str, Any]) -> bool:
            if self.watch is not None:
                with suppress(OSError):
                    (self.watch / f"{key}.share").write_text(json.dumps([what, round(row["share"], 3)]))
            return self.is_stopped()

        return tick


@lru_cache(maxsize=1)
def _dataset(name: str, params: tuple[tuple[str, Any], ...]) -> Dataset:
    return datasets.load(name, **dict(params))


# The estimators that this process was given last; cells of a seed share them.
_estimators: dict[str, tuple[Any, float]] = {}


def _pretrained(spec: Spec, tick: Callable[[dict[str, Any]], bool]) -> tuple[Any, float]:
    if spec.key not in _estimators:
        found = labelled.pretrain(spec, _dataset(spec.dataset, spec.dataset_params), tick)
        while len(_estimators) >= _MOST_ESTIMATORS:
            del _estimators[next(iter(_estimators))]
        _estimators[spec.key] = found
    return _estimators[spec.key]


# --- A sweep beside the app ---------------------------------------------------------------------------------------


def request(
    dataset: str,
    wanted: Sequence[str],
    labels: Sequence[int],
    seeds: Sequence[int],
    max_seconds: float = 0.0,
    dataset_params: Mapping[str, Any] | None = None,
    ends: bool = False,
) -> str:
    """Have a sweep computed beside the app; returns its name, for `states` and `stop`.

    Raises
    ------
    BadInput
        As `core.labelled.cells`, for nothing to compute, or a time that is no number of seconds from 0.
    HourglassError
        If it can't be begun, for example on a full disk.
    """
    asked = {
        "dataset": dataset,
        "dataset_params": dict(dataset_params or {}),
        "approaches": list(wanted),
        "labels": [int(n) for n in labels],
        "seeds": [int(seed) for seed in seeds],
        "max_seconds": float(max_seconds),
        "ends": ends,
    }
    _cells_of(asked)
    name = f"{time.time_ns():016x}"
    computing.start(WORK, name, lambda place: (place / "request.json").write_text(json.dumps(asked)))
    return name


@dataclass(frozen=True)
class Sweep:
    """A sweep beside the app, as it stands.

    Attributes
    ----------
    asked : what `request` was given: ``dataset``, ``approaches``, ``labels``, ``seeds``, ``max_seconds``.
    share : how much of it is done, in [0, 1].
    waits : whether another is computed first.
    stopping : whether it was asked to end.
    under_way : what is being computed, in words, and how much of each is done.
    """

    name: str
    asked: dict[str, Any]
    share: float
    waits: bool
    stopping: bool
    under_way: tuple[tuple[str, float], ...]


def under_way() -> list[Sweep]:
    """Every sweep beside the app that is not done, oldest first."""
    found = []
    with suppress(OSError):
        for place in sorted(WORK.place("").iterdir()):
            state = computing.state(WORK, place.name)
            asked = _asked(place)
            if state.share is not None and asked is not None:
                found.append(
                    Sweep(place.name, asked, state.share, state.waits, (place / "stop").exists(), tuple(_shares(place)))
                )
    return found


def outcome(name: str) -> Report | None:
    """How a sweep beside the app ended; None while it has not, or where it was stopped.

    Raises
    ------
    HourglassError
        If it failed as a whole.
    """
    state = computing.state(WORK, name)
    if state.problem:
        raise HourglassError(state.problem)
    return None if state.arrays is None else Report(**json.loads(bytes(state.arrays["report"])))


def stop(name: str) -> None:
    """End a sweep beside the app; what it has computed is kept, the cells under way are not."""
    computing.stop(WORK, name)


def _asked(place: Path) -> dict[str, Any] | None:
    try:
        return json.loads((place / "request.json").read_bytes())
    except (OSError, ValueError):
        return None


def _cells_of(asked: Mapping[str, Any]) -> list[Cell]:
    wanted = labelled.cells(
        asked["dataset"], asked["approaches"], asked["labels"], asked["seeds"], asked["dataset_params"]
    )
    if not wanted:
        raise BadInput("There is nothing to compute: choose an approach, a number of labels and a seed.")
    if not 0 <= asked["max_seconds"] < math.inf:
        raise BadInput(f"max_seconds={asked['max_seconds']} is not allowed: it is a number of seconds from 0.")
    return wanted


def _shares(place: Path) -> Iterator[tuple[str, float]]:
    """What is being computed and how much of it is done."""
    for file in sorted(place.glob("*.share")):
        # It may be half-written, or gone.
        with suppress(OSError, ValueError, TypeError):
            what, share = json.loads(file.read_text())
            yield str(what), min(1.0, max(0.0, float(share)))


def _compute(place: Path, tick: Callable[[float], None]) -> dict[str, np.ndarray]:
    asked = json.loads((place / "request.json").read_bytes())
    report, ended = Report(left=1), threading.Event()

    def say() -> None:
        while not ended.wait(_POLL_SECONDS):
            cells = [share for what, share in _shares(place) if not what.startswith("Pre")]
            # Whoever stopped it is heard by the cells, and below; a full disk must not end it.
            with suppress(Exception):
                tick(min(1.0, (report.computed + sum(cells)) / max(1, report.computed + report.left)))

    speaker = threading.Thread(target=say, daemon=True)
    speaker.start()
    try:
        run(
            _cells_of(asked),
            processes=min(_MOST_PROCESSES, os.cpu_count() or 1),
            max_seconds=asked["max_seconds"],
            ends=asked["ends"],
            watch=place,
            report=report,
        )
    finally:
        ended.set()
        speaker.join()
    tick(1.0)
    return {"report": np.frombuffer(json.dumps(asdict(report)).encode(), np.uint8)}


WORK = computing.Work("core.sweeps", "sweeps", "sweep", "sweep", _compute)


if __name__ == "__main__":
    # By its own name, under which joblib's processes know its parts.
    from core.sweeps import WORK as work

    computing.main(work)
