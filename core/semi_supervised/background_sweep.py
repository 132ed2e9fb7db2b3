"""Sweeps of the labelled fraction beside the app, in a process of their own; see `core.tasks.computation`."""

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from core.errors import HourglassError
from core.semi_supervised import experiment, sweep
from core.tasks.computation import Work

# Each process holds the data set and may take a gigabyte.
_MOST_PROCESSES = 4
_POLL_SECONDS = 0.5


def request_sweep(
    dataset: str, approaches: Sequence[str], labels: Sequence[int], seeds: Sequence[int], max_seconds: float, ends: bool
) -> str:
    """Start a sweep beside the app; return its name. Raises HourglassError if it can't be started."""
    request = {"dataset": dataset, "approaches": list(approaches), "labels": list(labels), "seeds": list(seeds)}
    request |= {"max_seconds": max_seconds, "ends": ends}
    name = f"{time.time_ns():016x}"
    WORK.start(name, lambda place: (place / "request.json").write_text(json.dumps(request)))
    return name


@dataclass(frozen=True)
class Sweep:
    """A sweep beside the app that has not ended.

    Attributes
    ----------
    dataset : name of the data set.
    share : share that is done, in [0, 1].
    waits, is_stopping : whether it waits for another sweep, and whether it was told to stop.
    shares : labels of the cells in progress, and the share of each that is done.
    """

    name: str
    dataset: str
    share: float
    waits: bool
    is_stopping: bool
    shares: tuple[tuple[str, float], ...]


def list_sweeps() -> list[Sweep]:
    """Return the sweeps beside the app that have not ended, oldest first."""
    sweeps = []
    with suppress(OSError):
        for place in sorted(WORK.place("").iterdir()):
            state = WORK.read_state(place.name)
            with suppress(OSError, ValueError, KeyError, TypeError):
                if state.share is not None:
                    dataset = json.loads((place / "request.json").read_bytes())["dataset"]
                    is_stopping, shares = (place / "stop").exists(), tuple(_read_shares(place))
                    sweeps.append(Sweep(place.name, dataset, state.share, state.waits, is_stopping, shares))
    return sweeps


def count_processes() -> int:
    """Return the number of cells that a sweep beside the app computes at a time."""
    return min(_MOST_PROCESSES, os.cpu_count() or 1)


def read_report(name: str) -> sweep.Report | None:
    """Return the report of a sweep; None while it runs or if it was stopped. Raises HourglassError if it failed."""
    state = WORK.read_state(name)
    if state.problem:
        raise HourglassError(state.problem)
    return None if state.arrays is None else sweep.Report(**json.loads(bytes(state.arrays["report"])))


def stop_sweep(name: str) -> None:
    """Stop a sweep; the results so far are stored, the cells in progress are not."""
    WORK.stop(name)


def _read_shares(place: Path) -> Iterator[tuple[str, float]]:
    for file in sorted(place.glob("*.share")):
        # It may be half-written, or removed.
        with suppress(OSError, ValueError, TypeError):
            label, share = json.loads(file.read_text())
            yield str(label), min(1.0, max(0.0, float(share)))


def _compute(place: Path, report_share: Callable[[float], None]) -> dict[str, np.ndarray]:
    request = json.loads((place / "request.json").read_bytes())
    cells = experiment.list_cells(*(request[name] for name in ("dataset", "approaches", "labels", "seeds")))
    experiment.check_cells(cells, sweep.load_dataset(request["dataset"], cells[0].spec.dataset_params))
    report, ended = sweep.Report(left=1), threading.Event()

    def report_progress() -> None:
        while not ended.wait(_POLL_SECONDS):
            shares = [share for label, share in _read_shares(place) if not label.startswith("Pre")]
            # The cells notice a stop; a full disk must not end the sweep.
            with suppress(Exception):
                report_share(min(1.0, (report.computed + sum(shares)) / max(1, report.computed + report.left)))

    thread = threading.Thread(target=report_progress, daemon=True)
    thread.start()
    options = {"max_seconds": request["max_seconds"], "ends": request["ends"], "watch": place, "report": report}
    try:
        sweep.run_sweep(cells, processes=count_processes(), **options)
    finally:
        ended.set()
        thread.join()
    report_share(1.0)
    return {"report": np.frombuffer(json.dumps(asdict(report)).encode(), np.uint8)}


WORK = Work("core.semi_supervised.background_sweep", "sweeps", "sweep", "sweep", _compute)


if __name__ == "__main__":
    WORK.main()
