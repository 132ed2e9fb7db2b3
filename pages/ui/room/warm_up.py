"""Open all views before people arrive, so that the caches are full by then."""

import asyncio
import sys
import time
from contextlib import suppress
from urllib.parse import urlencode

from core.room.room import Room
from pages.ui.room.visitor import visit

_MOST_PROBLEMS = 5


def list_views() -> list[tuple[str, str]]:
    """Path and query of every page, step of the tour, link of a step, and exercise."""
    # Streamlit's caches want its server to run before they are imported.
    from pages.ui.exercises import exercise
    from pages.ui.shared import header, room
    from pages.ui.tour import steps

    views = [(script, {}) for group in header.PAGES.values() for script, _, _ in group]
    for number, step in enumerate(steps.STEPS, 1):
        views.append((header.TOUR, {header.TOUR_STEP: str(number)}))
        views += [(link.page, link.choices) for link in step.links]
    for one in exercise.read_all()[0]:
        views += [(header.EXERCISES, {header.EXERCISE: one.name}), (header.VIEWS[one.view.page], one.view.choices)]
    # What a page takes from its last view is not taken: each is a link's, see `take_link`.
    found = [(room.find_path(script)[1:], urlencode({**choices, room.LED: "0"})) for script, choices in views]
    return list(dict.fromkeys(found))


async def open_views(state: Room, url: str) -> None:
    """Open every view of the server at `url`, and note in the room and on the terminal how far that is."""
    await _wait_for(url)
    started, problems = time.monotonic(), []
    views = await asyncio.to_thread(list_views)
    for done, (page, query) in enumerate(views):
        state.note_warmed(done, len(views), problems)
        _say(f"\rOpening all views before people come: {done} of {len(views)}")
        try:
            async with visit(url) as visitor:
                await visitor.open(page, query)
        except (OSError, RuntimeError) as error:
            if len(problems) < _MOST_PROBLEMS:
                problems.append(f"/{page}?{query} failed: {error}.")
    state.note_warmed(len(views), len(views), problems)
    _say(f"\rAll {len(views)} views were opened in {time.monotonic() - started:.0f} s.{' ' * 20}\n")
    for problem in problems:
        _say(f"{problem}\n")


async def _wait_for(url: str) -> None:
    """Wait until the server answers."""
    host, port = url.removeprefix("http://").split(":")
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.close()
            return
        await asyncio.sleep(0.1)


def _say(text: str) -> None:
    # A log takes no line that is written over.
    if sys.stdout.isatty() or text.endswith("\n"):
        sys.stdout.write(text)
        sys.stdout.flush()
