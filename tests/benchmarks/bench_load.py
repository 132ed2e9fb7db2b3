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
from contextlib import asynccontextmanager, contextmanager, nullcontext
from pathlib import Path
from unittest.mock import patch
from urllib.parse import parse_qs

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

from core import shipped
from core.runs import specs
from core.tasks import queue, requests, task_files
from core.types import Spec
from tests.benchmarks.serving import memory, served, show_median

PERIOD = 5.0  # seconds between two views of a session
WARM = 10.0  # seconds in which the sessions open, one after the other; not counted
ALONE = 20.0  # seconds of training before anybody comes
PATIENCE = 60.0  # seconds until an answer counts as none


def list_views(page: str) -> list[dict[str, str]]:
    """What the address says of each view of a page that has something to show."""
    runs = [(spec.dataset, spec.param("n_components")) for spec in shipped.shipped_specs() if spec.method == "ae"]
    if page == "training":
        return [{"data": data, "method": name} for data in ("digits", "mnist") for name in ("pca", "ae", "vae", "gan")]
    return [{"data": data, "size": str(size)} for data, size in sorted(set(runs))]


class Session:
    """A browser's tab as the server sees it."""

    def __init__(self, connection: ClientConnection, url: str, page: str):
        self._connection, self._url, self._page, self._script = connection, f"{url}/{page}", page, ""

    async def show(self, view: dict[str, str]) -> float:
        """Go to a view; returns the milliseconds to the end of the run that shows it, RuntimeError if none does."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string = "&".join(f"{name}={value}" for name, value in view.items())
        state.page_script_hash, state.page_name = self._script, "" if self._script else self._page
        context = state.context_info
        context.timezone, context.timezone_offset, context.locale = "UTC", 0, "en-US"
        context.url, context.is_embedded, context.color_scheme = self._url, False, "light"
        started = time.perf_counter()
        await self._connection.send(message.SerializeToString())
        try:
            address = await asyncio.wait_for(self._read_answer(state.query_string), PATIENCE)
        except TimeoutError:
            raise RuntimeError(f"no answer in {PATIENCE:.0f} s from /{self._page}") from None
        shown = {name: values[0] for name, values in parse_qs(address).items() if name in view}
        if shown != view:
            raise RuntimeError(f"{view} was asked for: the address says {shown}")
        return 1000 * (time.perf_counter() - started)

    async def _read_answer(self, address: str) -> str:
        """Take what the server sends until the run's end; returns the address that the page has written."""
        async for data in self._connection:
            message = ForwardMsg.FromString(data)
            kind = message.WhichOneof("type")
            if kind == "navigation":
                self._script = message.navigation.page_script_hash
            elif kind == "page_info_changed":
                address = message.page_info_changed.query_string
            elif kind == "delta" and message.delta.new_element.HasField("exception"):
                raise RuntimeError(message.delta.new_element.exception.message)
            elif kind == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return address
        raise RuntimeError("the server closed the connection")


@asynccontextmanager
async def _connect(url: str, page: str):
    # After the protocol's name a browser sends its token against forged requests, or this word while it has none.
    protocols = ["streamlit", "PLACEHOLDER_AUTH_TOKEN"]
    stream = f"{url.replace('http', 'ws')}/_stcore/stream"
    async with connect(stream, origin=url, subprotocols=protocols, max_size=None) as connection:
        yield Session(connection, url, page)


async def _visit(url: str, number: int, n_sessions: int, until: float, times: list[float], failures: list[str]) -> None:
    """Open a page and show another of its views about every `PERIOD` seconds."""
    page, hesitation = ("", "training")[number % 2], random.Random(number)
    views = itertools.islice(itertools.cycle(list_views(page)), number, None)
    await asyncio.sleep(WARM * number / n_sessions)
    async with _connect(url, page) as session:
        await session.show(next(views))
        await asyncio.sleep(max(0.0, until - time.perf_counter()) % PERIOD)
        while time.perf_counter() < until - PERIOD:
            due = time.perf_counter() + PERIOD
            await asyncio.sleep(hesitation.uniform(0, 1))
            try:
                times.append(await session.show(next(views)))
            except (RuntimeError, OSError) as error:
                failures.append(str(error))
            await asyncio.sleep(due - time.perf_counter())


async def _load(url: str, app: int, n_sessions: int, seconds: float) -> None:
    """Let everybody in, wait until they have left, and print what they saw."""
    walk = []
    for view in list_views(""):
        async with _connect(url, "") as session:
            walk.append(await session.show(view))
    until, times, failures = time.perf_counter() + WARM + seconds, [], []
    async with asyncio.TaskGroup() as together:
        for number in range(n_sessions):
            together.create_task(_visit(url, number, n_sessions, until, times, failures))
        await asyncio.sleep(WARM)
        before = _processor_seconds(app), time.process_time()
        await asyncio.sleep(seconds - 1)
        shares = (_processor_seconds(app) - before[0]) / seconds, (time.process_time() - before[1]) / seconds
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


def _processor_seconds(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


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
