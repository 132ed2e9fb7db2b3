"""How fast thirty phones follow a presenter.

    python -m tests.benchmarks.bench_room [--phones 30] [--moves 20]

A server of its own, with a room. A phone here speaks Streamlit's protocol over a WebSocket and the room's over another,
as the script of the page does, and draws nothing. A time is from the presenter's click on the next step to the end of
the run that shows it on a phone.
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
from unittest.mock import patch

from websockets.asyncio.client import connect

from tests.benchmarks.bench_load import Session, _processor_seconds
from tests.benchmarks.serving import served

PACE = 3.0  # seconds between two moves of the presenter


async def _open(url: str, page: str, cookie: str = ""):
    protocols = ["streamlit", "PLACEHOLDER_AUTH_TOKEN"]
    headers = {"Cookie": cookie} if cookie else {}
    stream = f"{url.replace('http', 'ws')}/_stcore/stream"
    connection = await connect(stream, origin=url, subprotocols=protocols, max_size=None, additional_headers=headers)
    return Session(connection, url, page)


async def _follow(url: str, moves: list[float], times: list[float], failures: list[str], ready) -> None:
    """Join, and go wherever the presenter goes."""
    session = await _open(url, "tour")
    await session.show({"step": "1"})
    seen = 0
    async with connect(f"{url.replace('http', 'ws')}/room/stream", origin=url) as stream:
        await stream.send("follow")
        async for text in stream:
            told = json.loads(text)
            if "version" not in told:
                continue
            if not seen:
                ready.release()
            if seen and told["version"] != seen:
                try:
                    await session.show(dict(part.split("=", 1) for part in told["query"].split("&")))
                    times.append(1000 * (time.perf_counter() - moves[-1]))
                except (RuntimeError, OSError) as error:
                    failures.append(str(error))
            seen = told["version"]


async def _present(url: str, app: int, key: str, n_phones: int, n_moves: int) -> None:
    presenter = await _open(url, "tour", f"hourglass_presenter={key}")
    own = [await presenter.show({"step": "1"})]
    for step in range(2, 17):
        own.append(await presenter.show({"step": str(step)}))
    moves, times, failures, ready = [], [], [], asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as together:
        phones = [together.create_task(_follow(url, moves, times, failures, ready)) for _ in range(n_phones)]
        for _ in phones:
            await ready.acquire()
        await asyncio.sleep(4)
        before = _processor_seconds(app)
        for move in range(n_moves):
            moves.append(time.perf_counter())
            own.append(await presenter.show({"step": str(2 + move % 15)}))
            await asyncio.sleep(PACE + random.random())
        used = _processor_seconds(app) - before
        for phone in phones:
            phone.cancel()
    print(f"processor time of the server a page change, ms: {1000 * used / n_moves / (n_phones + 1):.0f}")
    print(f"{n_phones} phones, {n_moves} moves: n = {len(times)} of {n_phones * n_moves}, failures {failures[:3]}")
    print(f"presenter's own page, ms: median {statistics.median(own[16:]):.0f}")
    print(f"page change on phones, ms: median {statistics.median(times):.0f}, ", end="")
    print(f"95th percentile {statistics.quantiles(times, n=20)[-1]:.0f}, most {max(times):.0f}")


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_room")
    parser.add_argument("--phones", type=int, default=30)
    parser.add_argument("--moves", type=int, default=20)
    given = parser.parse_args(arguments)
    key = secrets.token_urlsafe(16)
    settings = {"HOURGLASS_WORKSHOP": "1", "HOURGLASS_PRESENTER_KEY": key}
    folder = tempfile.TemporaryDirectory()
    with folder as runs, patch.dict(os.environ, HOURGLASS_RUNS=runs, **settings), served(script="workshop.py") as place:
        asyncio.run(_present(*place, key, given.phones, given.moves))


if __name__ == "__main__":
    main(sys.argv[1:])
