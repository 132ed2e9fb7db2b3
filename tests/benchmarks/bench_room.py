"""How fast thirty phones follow a presenter, and whether each of their predictions is counted.

    python -m tests.benchmarks.bench_room [--phones 30] [--moves 20]

A server of its own, with a room whose views were all opened beforehand. A phone here speaks Streamlit's protocol over
a WebSocket and the room's over another, as the script of the page does, and draws nothing. A time is from the
presenter's click on the next step to the end of the run that shows it on a phone. Then each phone commits a prediction
in the moment in which the presenter goes on.
"""

import argparse
import asyncio
import json
import os
import random
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from unittest.mock import patch
from urllib.parse import urlencode

from websockets.asyncio.client import connect

from core.room import room
from pages.ui.room.visitor import Visitor, visit
from pages.ui.shared.room import LED
from pages.ui.tour import steps
from tests.benchmarks.serving import processor_seconds, served, show_median

PACE = 3.0  # seconds between two moves of the presenter, and up to one more
CALM = 1.5  # seconds after a touch in which assets/theme/room.js goes nowhere
EXERCISE = "pairs"


@dataclass
class Room:
    """A server with a room, and what was measured there."""

    url: str
    app: int
    key: str
    moved_at: float = 0.0
    arrived: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    times: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    own: list[float] = field(default_factory=list)

    async def move(self, presenter: Visitor, page: str, query: str) -> None:
        self.moved_at = time.perf_counter()
        await presenter.open(page, query)
        self.own.append(1000 * (time.perf_counter() - self.moved_at))

    async def follow(self, number: int, predicts: asyncio.Event) -> None:
        """Join, and go wherever the presenter goes; in an exercise commit a prediction when it is time."""
        seen, has_predicted, cookie = None, False, f"hourglass_person={number:016x}"
        async with visit(self.url, cookie) as visitor, connect(self.stream, origin=self.url) as told:
            await told.send("follow")
            async for text in told:
                state = json.loads(text)
                if state["version"] == seen:
                    continue
                page, query = state["path"].strip("/"), f"{state['query']}&{LED}=1"
                try:
                    await visitor.open(page, query)
                except (RuntimeError, OSError) as error:
                    self.failures.append(f"/{page}?{query}: {error}")
                self.times += [1000 * (time.perf_counter() - self.moved_at)] if seen is not None else []
                seen = state["version"]
                self.arrived.release()
                if page == "exercises" and not has_predicted:
                    has_predicted = True
                    await visitor.open(page, query, {"Prediction": number % 3})
                    await predicts.wait()
                    await asyncio.sleep(random.uniform(0, 0.3))
                    touched_at = time.perf_counter()
                    await visitor.open(page, query, {"Prediction": number % 3, "Commit": None})
                    await asyncio.sleep(CALM - (time.perf_counter() - touched_at))

    async def hear(self, is_enough, patience: float) -> dict:
        """What the presenter is told, once it is enough or that many seconds are over."""
        cookie = {"Cookie": f"{room.COOKIE}={self.key}"}
        state = {}
        async with connect(self.stream, origin=self.url, additional_headers=cookie) as told:
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    async for text in told:
                        state = json.loads(text)
                        if is_enough(state):
                            break
        return state

    @property
    def stream(self) -> str:
        return f"{self.url.replace('http', 'ws', 1)}/room/stream"


async def _measure(url: str, app: int, key: str, n_phones: int, n_moves: int) -> None:
    place, predicts = Room(url, app, key), asyncio.Event()
    await place.hear(lambda state: 0 < state["warmed"][1] == state["warmed"][0], 300)
    async with visit(url, f"{room.COOKIE}={key}") as presenter, asyncio.TaskGroup() as together:
        await presenter.open("tour", "step=1")
        phones = [together.create_task(place.follow(number, predicts)) for number in range(n_phones)]
        for _ in phones:
            await place.arrived.acquire()
        used = []
        for move in range(n_moves):
            await asyncio.sleep(PACE + random.random())
            before, step = processor_seconds(app), 2 + move % (len(steps.STEPS) - 1)
            await place.move(presenter, "tour", urlencode({"step": step}))
            for _ in phones:
                await place.arrived.acquire()
            used.append(1000 * (processor_seconds(app) - before) / (n_phones + 1))
            slowest = max(place.times[-n_phones:])
            print(
                f"step {step:2}: processor time a page {used[-1]:4.0f} ms, last phone after {slowest:5.0f} ms",
                flush=True,
            )
        times = list(place.times)
        await asyncio.sleep(PACE)
        await place.move(presenter, "exercises", urlencode({"exercise": EXERCISE}))
        for _ in phones:
            await place.arrived.acquire()
        predicts.set()
        await place.move(presenter, "tour", "step=2")
        for _ in phones:
            await place.arrived.acquire()
        await place.move(presenter, "exercises", urlencode({"exercise": EXERCISE}))
        counted = (await place.hear(lambda state: state["predicted"] == n_phones, 10))["predicted"]
        for phone in phones:
            phone.cancel()
    print(f"{n_phones} phones, {n_moves} moves: {len(times)} page changes, failures: {place.failures[:3] or 'none'}")
    print(f"processor time of the server a page change, ms: mean {statistics.mean(used):.0f}")
    show_median("page change of the presenter, ms", place.own[:n_moves])
    print(f"page change of the phones, ms: median {statistics.median(times):.0f}, ", end="")
    print(f"95th percentile {statistics.quantiles(times, n=20)[-1]:.0f}, most {max(times):.0f}")
    print(f"predictions counted: {counted} of {n_phones}")


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_room")
    parser.add_argument("--phones", type=int, default=30)
    parser.add_argument("--moves", type=int, default=20)
    given = parser.parse_args(arguments)
    key, folder = secrets.token_urlsafe(16), tempfile.TemporaryDirectory()
    settings = {"HOURGLASS_WORKSHOP": "1", "HOURGLASS_PRESENTER_KEY": key}
    server = served(script="pages/ui/room/workshop.py")
    with folder as runs, patch.dict(os.environ, HOURGLASS_RUNS=runs, **settings), server as place:
        asyncio.run(_measure(*place, key, given.phones, given.moves))


if __name__ == "__main__":
    main(sys.argv[1:])
