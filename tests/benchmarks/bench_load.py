"""How the app answers thirty people at once, while a training runs beside it.

    python -m tests.benchmarks.bench_load [--sessions 30] [--seconds 60] [--page compare|training|both] [--idle]

A server of its own, with the shipped runs, and that many browser tabs, each of which changes a real choice every five
seconds. A tab here speaks Streamlit's protocol over a WebSocket and draws nothing: it sends its choices, the address
and the hashes of the messages it keeps, and reruns live fragments as it is told to. A time is from sending a choice to
the end of the run that shows it; an answer that shows anything else is a failure. One more tab reruns Compare once a
second and changes nothing. All tabs are in this process; its share of the processor is printed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

from core import datasets, methods
from core.runs import specs
from core.tasks import queue, requests, task_files
from core.types import Spec
from tests.benchmarks.serving import memory, served

PERIOD = 5.0  # seconds between two changes in a tab
_HESITATES = 1.0  # seconds by which a change is late at most
WARM = 10.0  # seconds in which the tabs open, one after the other, and change once; not counted
ALONE = 20.0  # seconds of training before anybody comes
OPENING = 60.0  # seconds for a tab to open
PATIENCE = 2 * PERIOD  # seconds until an answer counts as none
_NOTHING_YET = "(not trained yet)"
# A message that was not used in this many runs, a browser forgets; Streamlit's global.maxCachedMessageAge.
_KEPT_RUNS = 2
# Page in the address -> label of each choice, and its name in the address
PAGES = {"": {"Data set": "data", "Latent dimensions": "size"}, "training": {"Data set": "data", "Method": "method"}}


def _address_of(label: str, option: str) -> str:
    """How the address writes an option."""
    if label == "Method":
        return next(name for name in methods.names() if methods.label(name) == option)
    bare = option.partition(" (")[0]  # without a remark such as that it is downloaded first
    return bare if label != "Data set" else next(n for n in datasets.names() if datasets.entry(n).label == bare)


class Tab:
    """A browser's tab as the server sees it.

    Attributes
    ----------
    drawn : the elements that the full run under way, or the last one, has put on the page.
    live : when a live fragment was rerun, and the milliseconds to its end.
    """

    def __init__(self, connection: ClientConnection, url: str, page: str):
        self.page, self.drawn = page, []
        self.live: list[tuple[float, float]] = []
        self._connection, self._url, self._query, self._script = connection, f"{url}/{page}", "", ""
        self._choices: dict[str, tuple[list[str], WidgetState]] = {}  # label -> options and state
        self._kept: dict[str, tuple[ForwardMsg, int]] = {}  # hash -> message, and the run that used it last
        self._runs = 0
        self._timers: dict[str, tuple[float, asyncio.Task]] = {}
        self._ticked: dict[str, float] = {}
        # Whether the run under way is of the whole page, and whether it began after that was asked for.
        self._full, self._mine = True, False
        self._answered = asyncio.get_running_loop().create_future()

    async def listen(self) -> None:
        """Take what the server sends until the connection ends."""
        try:
            async for data in self._connection:
                self._take(ForwardMsg.FromString(data))
            self._fail("the server closed the connection")
        except Exception as error:
            self._fail(repr(error))
            raise

    async def rerun(self, patience: float = PATIENCE) -> float:
        """Ask for a full run; returns the milliseconds to its end.

        Raises
        ------
        RuntimeError
            If there is no answer in `patience` seconds, the page shows an error, or the server broke the protocol.
        """
        self._answered, self._mine = asyncio.get_running_loop().create_future(), False
        started = time.perf_counter()
        await self._send()
        try:
            ended = await asyncio.wait_for(self._answered, patience)
        except TimeoutError:
            raise RuntimeError(f"no answer in {patience:.0f} s from /{self.page}") from None
        for element in self.drawn:
            if element.HasField("exception"):
                raise RuntimeError(f"{element.exception.type}: {element.exception.message}")
        return 1000 * (ended - started)

    async def change(self, turn: int) -> float:
        """Put another of the page's choices to its next option; the choices take turns. See `choose`."""
        labels = [label for label in PAGES[self.page] if len(self.options(label)) > 1]
        label = labels[turn % len(labels)]
        options = self.options(label)
        return await self.choose(label, options[(options.index(self.chosen(label)) + 1) % len(options)])

    async def choose(self, label: str, option: str) -> float:
        """Put a choice to an option, as a click does; returns the milliseconds until that is shown.

        Raises
        ------
        RuntimeError
            If it is not shown, see also `rerun`.
        """
        state = self._choices[label][1]
        if state.HasField("string_value"):
            state.string_value = option
        else:
            state.string_array_value.data[:] = [option]
        took = await self.rerun()
        expected = {name: _address_of(other, self.chosen(other)) for other, name in PAGES[self.page].items()}
        given = {name: values[0] for name, values in parse_qs(self._query).items() if name in expected}
        bodies = "".join(element.html.body for element in self.drawn if element.HasField("html"))
        # The names of the rows of Compare
        shown = f">{expected['size']}-D code<" if "size" in expected else ""
        if self.chosen(label) != option or given != expected or shown not in bodies:
            raise RuntimeError(f"{option} was chosen: it shows {self.chosen(label)}, its address says {given}")
        return took

    def chosen(self, label: str) -> str:
        state = self._choices[label][1]
        return state.string_value or state.string_array_value.data[0]

    def options(self, label: str) -> list[str]:
        """What can be chosen and has something to show."""
        return [option for option in self._choices[label][0] if not option.endswith(_NOTHING_YET)]

    async def _send(self, fragment: str = "") -> None:
        message = BackMsg()
        state = message.rerun_script
        state.query_string, state.page_script_hash = self._query, self._script
        state.page_name = "" if self._script else self.page
        state.fragment_id, state.is_auto_rerun = fragment, bool(fragment)
        # Widgets that are not sent keep their values.
        state.widget_states.widgets.extend(choice for _, choice in self._choices.values())
        state.cached_message_hashes.extend(self._kept)
        context = state.context_info
        context.timezone, context.timezone_offset, context.locale = "UTC", 0, "en-US"
        context.url, context.is_embedded, context.color_scheme = self._url, False, "light"
        await self._connection.send(message.SerializeToString())

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "ref_hash":
            if message.ref_hash not in self._kept:
                self._fail("the server counts on a message that this tab has not kept")
                return
            hash_, message = message.ref_hash, self._kept[message.ref_hash][0]
            self._kept[hash_] = message, self._runs
            self._take_delta(message)
        elif kind == "delta":
            if message.metadata.cacheable:
                self._kept[message.hash] = message, self._runs
            self._take_delta(message)
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "new_session":
            self._full = not message.metadata.run.fragment_ids
            if self._full:
                self._mine, self.drawn = True, []
                self._stop(list(self._timers))
        elif kind == "navigation":
            self._script = message.navigation.page_script_hash
        elif kind == "auto_rerun":
            self._repeat(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            self._stop(message.stop_auto_rerun.fragment_ids)
        elif kind == "script_finished":
            self._end(message)
        elif kind in ("page_not_found", "session_event"):
            self._fail(str(message))

    def _take_delta(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        kind = element.WhichOneof("type")
        if self._full and kind:
            self.drawn.append(element)
        widget = getattr(element, kind) if kind in ("selectbox", "button_group") else None
        if widget is None or widget.label not in PAGES[self.page]:
            return
        options = [getattr(option, "content", option) for option in widget.options]
        state = self._choices.get(widget.label, ([], WidgetState()))[1]
        if state.id != widget.id or widget.set_value:
            state = WidgetState(id=widget.id)
            if kind == "selectbox":
                state.string_value = widget.raw_value if widget.set_value else options[widget.default]
            else:
                values = widget.raw_values if widget.set_value else [options[k] for k in widget.default]
                state.string_array_value.data.extend(values)
        self._choices[widget.label] = options, state

    def _end(self, message: ForwardMsg) -> None:
        now, fragments, how = time.perf_counter(), message.metadata.run.fragment_ids, message.script_finished
        if how == ForwardMsg.FINISHED_EARLY_FOR_RERUN:
            return
        self._runs += 1
        if how == ForwardMsg.FINISHED_WITH_COMPILE_ERROR:
            self._fail("the page does not compile")
        elif how == ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY:
            sent = [self._ticked.pop(fragment) for fragment in fragments if fragment in self._ticked]
            self.live += [(since, 1000 * (now - since)) for since in sent]
        elif self._mine:
            self._kept = {name: kept for name, kept in self._kept.items() if self._runs - kept[1] <= _KEPT_RUNS}
            if not self._answered.done():
                self._answered.set_result(now)

    def _repeat(self, fragment: str, interval: float) -> None:
        """Rerun a fragment from now on, as ``st.fragment(run_every=...)`` asks the browser to."""
        if fragment in self._timers and self._timers[fragment][0] == interval:
            return

        async def tick() -> None:
            while True:
                await asyncio.sleep(interval)
                self._ticked.setdefault(fragment, time.perf_counter())
                await self._send(fragment)

        self._stop([fragment])
        self._timers[fragment] = interval, asyncio.create_task(tick())

    def _stop(self, fragments: Iterable[str]) -> None:
        for fragment in fragments:
            self._ticked.pop(fragment, None)
            if fragment in self._timers:
                self._timers.pop(fragment)[1].cancel()

    def _fail(self, why: str) -> None:
        if not self._answered.done():
            self._answered.set_exception(RuntimeError(why))

    async def close(self) -> None:
        self._stop(list(self._timers))
        await self._connection.close()


# When something was sent, and how many milliseconds its answer took.
Times = list[tuple[float, float]]


@dataclass
class Measured:
    """What the tabs saw."""

    new: Times = field(default_factory=list)
    changes: Times = field(default_factory=list)
    trivial: Times = field(default_factory=list)
    live: Times = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    begun: float = 0.0
    memory: float = 0.0
    speeds: list[float] = field(default_factory=list)
    cpu: dict[str, float] = field(default_factory=dict)

    async def take(self, times: Times, answer: Awaitable[float]) -> None:
        sent = time.perf_counter()
        try:
            times.append((sent, await answer))
        except (RuntimeError, OSError) as error:
            self.failures.append(str(error))


@asynccontextmanager
async def _open(url: str, page: str) -> AsyncIterator[Tab]:
    """A tab whose page has run once."""
    # After the protocol's name a browser sends its token against forged requests, or this word while it has none.
    protocols = ["streamlit", "PLACEHOLDER_AUTH_TOKEN"]
    stream = f"{url.replace('http', 'ws')}/_stcore/stream"
    connection = await connect(stream, origin=url, subprotocols=protocols, compression="deflate", max_size=None)
    tab = Tab(connection, url, page)
    listening = asyncio.create_task(tab.listen())
    try:
        await tab.rerun(OPENING)
        yield tab
    finally:
        listening.cancel()
        await tab.close()


async def _person(url: str, page: str, phase: float, number: int, until: float, measured: Measured) -> None:
    """Opens a page and changes a choice about every `PERIOD` seconds."""
    await asyncio.sleep(phase)
    # By the clock, changes would meet the live views' reruns, which count from the last change, again and again.
    hesitation = random.Random(phase)
    async with _open(url, page) as tab:
        due, turn = time.perf_counter(), number
        while (due := due + PERIOD) < until - _HESITATES:
            await asyncio.sleep(due + hesitation.uniform(0, _HESITATES) - time.perf_counter())
            turn += 1
            await measured.take(measured.changes, tab.change(turn))
        await asyncio.sleep(until - time.perf_counter())
        measured.live += tab.live


async def _idler(url: str, until: float, measured: Measured) -> None:
    """Reruns Compare once a second and changes nothing."""
    async with _open(url, "") as tab:
        while time.perf_counter() < until:
            await measured.take(measured.trivial, tab.rerun())
            await asyncio.sleep(1)


async def _walk(url: str, measured: Measured) -> None:
    """See every view of Compare once, so that what the app keeps of them is there."""
    data, size = PAGES[""]
    async with _open(url, "") as tab:
        for name in tab.options(data):
            await measured.take(measured.new, tab.choose(data, name))
            for other in set(tab.options(size)) - {tab.chosen(size)}:
                await measured.take(measured.new, tab.choose(size, other))


async def _watch(app: int, until: float, training: Spec | None, measured: Measured) -> None:
    """What the load takes of the machine, from when the app is warm."""
    await asyncio.sleep(measured.begun - time.perf_counter())
    before, epochs = (time.process_time(), _cpu(app)), len(_speeds(training))
    # A moment before the tabs close.
    await asyncio.sleep(until - 0.5 - time.perf_counter())
    spent = time.perf_counter() - measured.begun
    measured.cpu = {"tabs": (time.process_time() - before[0]) / spent, "app": (_cpu(app) - before[1]) / spent}
    measured.memory = memory(app)
    measured.speeds = _speeds(training)[epochs + 1 :]


async def _load(url: str, app: int, pages: Sequence[str], given: argparse.Namespace, training: Spec | None) -> Measured:
    """Let everybody in, and wait until they have left."""
    measured = Measured()
    await _walk(url, measured)
    measured.begun = time.perf_counter() + WARM
    until = measured.begun + given.seconds
    # Collections in the process of all tabs would be waited for by every one.
    gc.collect()
    gc.freeze()
    async with asyncio.TaskGroup() as together:
        for i in range(given.sessions):
            phase, page = PERIOD * i / given.sessions, pages[i % len(pages)]
            together.create_task(_person(url, page, phase, i // len(pages), until, measured))
        together.create_task(_idler(url, until, measured))
        together.create_task(_watch(app, until, training, measured))
    return measured


@contextmanager
def _training(seconds: float) -> Iterator[Spec]:
    """A training that outlasts `seconds`, started as the app starts one: one thread, at a lower priority."""
    spec = specs.make("mnist", "ae", {"max_seconds": 2 * seconds})
    requests.request_training(spec, "benchmark")
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


def _speeds(training: Spec | None) -> list[float]:
    """Rows a second of each epoch so far."""
    rows = queue.read_history(task_files.task_folder(training.key)) if training else []
    return [row["rows_per_second"] for row in rows]


def _cpu(pid: int) -> float:
    """Seconds of processor time that a process has had."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_load")
    parser.add_argument("--sessions", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60.0, help="of load, after the app has warmed up")
    parser.add_argument("--page", choices=("compare", "training", "both"), default="both")
    parser.add_argument("--idle", action="store_true", help="no training beside it")
    given = parser.parse_args(argv)
    pages = {"compare": [""], "training": ["training"], "both": list(PAGES)}[given.page]
    beside = nullcontext() if given.idle else _training(ALONE + WARM + given.seconds)
    with (
        tempfile.TemporaryDirectory() as runs,
        patch.dict(os.environ, HOURGLASS_RUNS=runs),
        served() as (url, app),
        beside as training,
    ):
        if training:
            time.sleep(ALONE)
        alone = _speeds(training)[1:]
        measured = asyncio.run(_load(url, app, pages, given, training))
    _report(measured, given, alone)


def _report(measured: Measured, given: argparse.Namespace, alone: Sequence[float]) -> None:
    def counted(times: Times) -> list[float]:
        """The milliseconds of what was sent after the app had warmed up."""
        return [took for sent, took in times if sent >= measured.begun]

    def row(name: str, values: Sequence[Any], figure=statistics.median) -> None:
        value = f"{figure(values):9.4g}" if len(values) > 1 or figure is len else f"{'none':>9}"
        print(f"{name:66} {value}   n = {len(values)}")

    print(f"{given.sessions} sessions on {given.page}, {given.seconds:.0f} s, a change every {PERIOD:.0f} s each")
    changes = counted(measured.changes)
    row("a view of Compare for the first time, nobody else there, median, ms", [took for _, took in measured.new])
    row("change to new content, median, ms", changes)
    row("change to new content, 95th percentile, ms", changes, lambda times: statistics.quantiles(times, n=20)[-1])
    row("trivial rerun of Compare meanwhile, median, ms", counted(measured.trivial))
    row("live view's own rerun meanwhile, median, ms", counted(measured.live))
    row("answers that failed or showed something else", measured.failures, len)
    if not given.idle:
        # Every epoch has the same rows: the harmonic mean is the speed over them all.
        shares = [100 * speed / statistics.harmonic_mean(alone) for speed in measured.speeds if alone]
        row("training's speed under this load, % of its speed alone", shares, statistics.harmonic_mean)
    print(f"{f'memory of the app with {given.sessions} sessions open, MB':66} {measured.memory:9.4g}")
    for name, share in measured.cpu.items():
        print(f"{f'processor time of the {name}, % of a core':66} {100 * share:9.4g}")
    for failure in measured.failures[:3]:
        print(f"    {failure}")


if __name__ == "__main__":
    main()
