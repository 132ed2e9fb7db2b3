"""Sweeps of the labelled fraction: cells computed in parallel by joblib.

Each result is stored as soon as it is computed and never computed again, so a sweep resumes where it was stopped.
"""

from __future__ import annotations

import json
import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core import datasets, methods
from core.datasets import checksums
from core.errors import HourglassError
from core.semi_supervised import experiment, results
from core.semi_supervised.experiment import Cell, Stopped
from core.types import Dataset, Spec

_POLL_SECONDS = 0.5


@dataclass
class Report:
    """Numbers of cells of a sweep.

    Attributes
    ----------
    computed, kept : computed by this sweep, and stored before.
    left, failed : without a result, and those of them that failed.
    problems : a sentence for each different failure.
    """

    computed: int = 0
    kept: int = 0
    left: int = 0
    failed: int = 0
    problems: list[str] = field(default_factory=list)


def run_sweep(
    cells: Sequence[Cell],
    *,
    place: Path | None = None,
    processes: int = 1,
    max_seconds: float = 0.0,
    ends: bool = False,
    watch: Path | None = None,
    on_row: Callable[[dict[str, Any]], None] = lambda row: None,
    report: Report | None = None,
) -> Report:
    """Compute the cells of a data set that have no stored result.

    Parameters
    ----------
    place : folder for the results; default: this person's own, and shipped results count as stored.
    processes : cells computed at a time; if more than one, each on one thread.
    max_seconds : no cell begins after this time; 0: no limit.
    ends : whether networks are stopped at that time too, without a result.
    watch : folder in which a file ``stop`` stops the sweep, and files ``KEY.share`` hold the share done of each cell.
    on_row : called with each new result.
    report : is updated while the sweep runs, and returned.

    Raises
    ------
    HourglassError
        If a result can't be written, or a process of the sweep is killed; the results that are written stay.
    """
    report = Report() if report is None else report
    dataset, dataset_params = cells[0].spec.dataset, cells[0].spec.dataset_params
    file = results.results_path(dataset, place)
    task = _Task(watch, time.time() + max_seconds if max_seconds else math.inf, ends, processes > 1)
    with _hold_file(file, task) as is_held:
        if not is_held:
            report.left = len(cells)
            return report
        stored = results.read_results(dataset, None if place is None else (place,)).rows
        checksum = load_dataset(dataset, dataset_params).checksum if stored else ""
        stored_keys = {row["key"] for row in stored if checksums.is_of(row, checksum)}
        missing = [cell for cell in cells if cell.key not in stored_keys]
        report.kept, report.left = len(cells) - len(missing), len(missing)
        for seed in dict.fromkeys(cell.spec.seed for cell in missing):
            of_seed = [cell for cell in missing if cell.spec.seed == seed]
            pretrainings = {cell.pretraining.key: cell.pretraining for cell in of_seed if cell.pretraining}
            pretrained = set(_compute_all(task.pretrain, pretrainings.values(), processes, report, of_seed))
            ready = [cell for cell in of_seed if not cell.pretraining or cell.pretraining.key in pretrained]
            for row in _compute_all(task.measure, ready, processes, report):
                results.append_result(file, row)
                report.computed, report.left = report.computed + 1, report.left - 1
                on_row(row)
    return report


@contextmanager
def _hold_file(file: Path, task: _Task) -> Iterator[bool]:
    """Wait until no other sweep writes to `file`, and lock it; yield False if the sweep is stopped before."""
    lock = FileLock(file.with_suffix(".lock"))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        while not (task.is_stopped() or task.is_late()):
            with suppress(Timeout):
                lock.acquire(timeout=_POLL_SECONDS)
                break
    except OSError as error:
        why = f"Results can't be stored in {file.parent} ({error.strerror or error})"
        raise HourglassError(f"{why}: free some space there.") from None
    try:
        yield lock.is_locked
    finally:
        lock.release()


def _compute_all(
    function: Callable, items: Iterable[Any], processes: int, report: Report, waiting: Sequence[Cell] = ()
) -> Iterator[Any]:
    """Yield the results of `function` in any order; `waiting` are cells that fail with their pre-training."""
    import joblib
    from joblib.externals.loky.process_executor import BrokenProcessPool

    # Joblib gives each process a share of the cores; a backend that is set around this call is used.
    outcomes = joblib.Parallel(processes, return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=1)(
        joblib.delayed(function)(item) for item in items
    )
    try:
        for key, problem, result in outcomes:
            if problem:
                report.failed += sum(cell.pretraining.key == key for cell in waiting if cell.pretraining) or 1
                if problem not in report.problems:
                    report.problems.append(problem)
            if result is not None:
                yield result
    except BrokenProcessPool:
        raise HourglassError(
            "A process of this sweep was killed from outside, so the sweep ended. The results so far are stored: run "
            "the sweep again to resume it, with fewer processes if memory is short."
        ) from None
    finally:
        # Joblib warns of unfinished work if a result can't be written.
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            outcomes.close()


@dataclass(frozen=True)
class _Task:
    """Work of a process: `pretrain` and `measure` return the key of their argument, a problem or "", and a result."""

    watch: Path | None
    deadline: float
    ends: bool
    is_parallel: bool

    def pretrain(self, spec: Spec) -> tuple[str, str, str | None]:
        def compute(tick: Callable[[dict[str, Any]], bool]) -> str:
            experiment.pretrain(spec, load_dataset(spec.dataset, spec.dataset_params), tick)
            return spec.key

        return self._try(compute, spec.key, f"Pre-training of the {methods.label(spec.method)}, seed {spec.seed}")

    def measure(self, cell: Cell) -> tuple[str, str, dict[str, Any] | None]:
        def compute(tick: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
            dataset = load_dataset(cell.spec.dataset, cell.spec.dataset_params)
            # The user's cache has it, or the folder of runs.
            pretrained = experiment.pretrain(cell.pretraining, dataset, tick) if cell.pretraining else None
            return experiment.measure_cell(cell, dataset, pretrained, tick)

        noun = "label" if cell.labels == 1 else "labels"
        label = f"{cell.approach.label} with {cell.labels:,} {noun}, seed {cell.spec.seed}"
        return self._try(compute, cell.key, label)

    def _try(self, compute: Callable[[Callable], Any], key: str, label: str) -> tuple[str, str, Any]:
        def tick(row: dict[str, Any]) -> bool:
            if self.watch is not None:
                with suppress(OSError):
                    (self.watch / f"{key}.share").write_text(json.dumps([label, round(row["share"], 3)]))
            return self.is_stopped()

        if self.is_stopped() or self.is_late():
            return key, "", None
        if self.is_parallel:
            import torch

            torch.set_num_threads(1)
        try:
            tick({"share": 0.0})
            return key, "", compute(tick)
        except Stopped:
            return key, "", None
        except HourglassError as problem:
            return key, f"{label}: {problem}", None
        except Exception as error:
            return key, f"{label} failed ({' '.join(str(error).split()) or type(error).__name__}).", None
        finally:
            if self.watch is not None:
                (self.watch / f"{key}.share").unlink(missing_ok=True)

    def is_late(self) -> bool:
        return time.time() > self.deadline

    def is_stopped(self) -> bool:
        if self.ends and self.is_late():
            return True
        return self.watch is not None and ((self.watch / "stop").exists() or not self.watch.exists())


@lru_cache(maxsize=1)
def load_dataset(name: str, params: tuple[tuple[str, Any], ...]) -> Dataset:
    """Return a data set; this process keeps the last one."""
    return datasets.load(name, **dict(params))
