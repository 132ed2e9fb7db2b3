"""How the app answers thirty people at once, while a training runs beside it.

    python -m tests.benchmarks.bench_load [--sessions 30] [--seconds 60] [--idle]

A server of its own, with the shipped runs, and that many sessions, half on Compare and half on Training, each of which
opens another view about every five seconds. A session here speaks Streamlit's protocol over a WebSocket and draws
nothing: it sends the address of a view. A time is from sending it to the end of the run that shows it; an answer that
shows an error or another view is a failure.
"""

import argparse
import asyncio
import itertools
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from unittest.mock import patch
from urllib.parse import parse_qs, urlencode

from core import shipped
from core.runs import specs
from core.tasks import queue, requests, task_files
from core.types import Spec
from pages.ui.room.visitor import Visitor, visit
from tests.benchmarks.serving import memory, processor_seconds, served, show_median

PERIOD = 5.0  # seconds between two views of a session
WARM = 10.0  # seconds in which the sessions open, one after the other; not counted
ALONE = 20.0  # seconds of training before anybody comes


def list_views(page: str) -> list[dict[str, str]]:
    """What the address says of each view of a page that has something to show."""
    runs = [(spec.dataset, spec.param("n_components")) for spec in shipped.shipped_specs() if spec.method == "ae"]
    if page == "training":
        return [{"data": data, "method": name} for data in ("digits", "mnist") for name in ("pca", "ae", "vae", "gan")]
    return [{"data": data, "size": str(size)} for data, size in sorted(set(runs))]


async def _show(visitor: Visitor, page: str, view: dict[str, str]) -> float:
    """Go to a view; returns the milliseconds to the end of the run that shows it, RuntimeError if none does."""
    started = time.perf_counter()
    address = await visitor.open(page, urlencode(view))
    shown = {name: values[0] for name, values in parse_qs(address).items() if name in view}
    if shown != view:
        raise RuntimeError(f"{view} was asked for: the address says {shown}")
    return 1000 * (time.perf_counter() - started)


async def _visit(url: str, number: int, n_sessions: int, until: float, times: list[float], failures: list[str]) -> None:
    """Open a page and show another of its views about every `PERIOD` seconds."""
    page, hesitation = ("", "training")[number % 2], random.Random(number)
    views = itertools.islice(itertools.cycle(list_views(page)), number, None)
    await asyncio.sleep(WARM * number / n_sessions)
    async with visit(url) as visitor:
        await _show(visitor, page, next(views))
        await asyncio.sleep(max(0.0, until - time.perf_counter()) % PERIOD)
        while time.perf_counter() < until - PERIOD:
            due = time.perf_counter() + PERIOD
            await asyncio.sleep(hesitation.uniform(0, 1))
            try:
                times.append(await _show(visitor, page, next(views)))
            except (RuntimeError, OSError) as error:
                failures.append(str(error))
            await asyncio.sleep(due - time.perf_counter())


async def _load(url: str, app: int, n_sessions: int, seconds: float) -> None:
    """Let everybody in, wait until they have left, and print what they saw."""
    walk = []
    for view in list_views(""):
        async with visit(url) as visitor:
            walk.append(await _show(visitor, "", view))
    until, times, failures = time.perf_counter() + WARM + seconds, [], []
    async with asyncio.TaskGroup() as together:
        for number in range(n_sessions):
            together.create_task(_visit(url, number, n_sessions, until, times, failures))
        await asyncio.sleep(WARM)
        before = processor_seconds(app), time.process_time()
        await asyncio.sleep(seconds - 1)
        shares = (processor_seconds(app) - before[0]) / seconds, (time.process_time() - before[1]) / seconds
        used = memory(app)
    show_median("a view of Compare for the first time, nobody else there, ms", walk)
    print(f"a view under load, ms: median {statistics.median(times):.0f}, 95th percentile ", end="")
    print(f"{statistics.quantiles(times, n=20)[-1]:.0f}, n = {len(times)}, failures {len(failures)} {failures[:3]}")
    print(f"processor time, % of a core: app {100 * shares[0]:.0f}, sessions {100 * shares[1]:.0f}")
    print(f"memory of the app with {n_sessions} sessions open, MB: {used:.0f}")


@contextmanager
def _training(seconds: float) -> Iterator[Spec]:
    """A training that outlasts `seconds`, started as the app starts one: one thread, at a lower priority."""
    spec = specs.make("mnist", "ae", {"max_seconds": 2 * seconds})
    requests.request_trainings([spec], "benchmark")
    try:
        while not _speeds(spec):
            job = queue.find_task(spec.key)
            if job is None or job.state == queue.FAILED:
                raise RuntimeError(f"There is no training to measure: {job and job.message}")
            time.sleep(0.1)
        yield spec
    finally:
        (task_files.queue_folder() / "suspend").touch()
        while task_files.is_held("worker"):
            time.sleep(0.1)


def _speeds(training: Spec) -> list[float]:
    """Rows a second of each epoch so far."""
    return [row["rows_per_second"] for row in queue.read_history(task_files.task_folder(training.key))]


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_load")
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60.0, help="of load, after the app has warmed up")
    parser.add_argument("--idle", action="store_true", help="no training beside it")
    given = parser.parse_args(arguments)
    beside = nullcontext() if given.idle else _training(ALONE + WARM + given.seconds)
    folder = tempfile.TemporaryDirectory()
    with folder as runs, patch.dict(os.environ, HOURGLASS_RUNS=runs), served() as (url, app), beside as training:
        alone: list[float] = []
        if training:
            time.sleep(ALONE)
            alone = _speeds(training)[1:]
        print(f"{given.sessions} sessions, {given.seconds:.0f} s, another view every {PERIOD:.0f} s each")
        asyncio.run(_load(url, app, given.sessions, given.seconds))
        if training:
            # Every epoch has the same rows: the harmonic mean is the speed over them all.
            under_load = statistics.harmonic_mean(_speeds(training)[len(alone) + 2 :])
            print(f"training's speed under load, % of alone: {100 * under_load / statistics.harmonic_mean(alone):.0f}")


if __name__ == "__main__":
    main(sys.argv[1:])
