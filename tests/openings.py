"""A page opened by link in a new browser profile, and what its opening took: requests, bytes, runs of the script."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

# Whether all is drawn, with an element that is the page's content where it is given. Asked every few milliseconds: what
# costs least comes first.
DRAWN = """(content) => {
const app = document.querySelector('[data-testid=stApp]');
if (app?.dataset.testScriptState !== 'notRunning') return false;
if (document.querySelector('[data-testid=stSkeleton], [data-stale=true], [data-testid=stSpinner]')) return false;
if ([...document.images].some((picture) => !picture.complete || !picture.naturalWidth)) return false;
if ([...document.querySelectorAll('[data-testid=stPlotlyChart]')].some((e) => !e.querySelector('.main-svg')))
  return false;
const hosts = [...document.querySelectorAll('[data-testid=stBidiComponentIsolated]')]
  .flatMap((e) => [e, ...e.querySelectorAll('*')]).filter((e) => e.shadowRoot);
const scenes = hosts.flatMap((e) => [...e.shadowRoot.querySelectorAll('[data-scene]')]);
const canvases = hosts.flatMap((e) => [...e.shadowRoot.querySelectorAll('canvas')]);
const found = [...document.querySelectorAll(content ?? 'body'), ...(content === 'canvas' ? canvases : [])];
return scenes.every((e) => e.dataset.drawn === e.dataset.scene) && found.some((e) => e.checkVisibility()); }"""


@dataclass
class Opening:
    """What one opening took."""

    seconds: float = 0.0  # until all is drawn
    runs: list[list[str]] = field(default_factory=list)  # fragments of each run of the script; [] for the whole script
    asked: int = 0  # runs that the browser asked for
    repeats: list[float] = field(default_factory=list)  # seconds after which fragments were set to run again
    files: dict[str, int] = field(default_factory=dict)  # address -> bytes without compression

    def loaded(self, name: str) -> bool:
        """Whether a file was fetched whose name begins with `name`."""
        return any(address.rsplit("/", 1)[-1].startswith(name) for address in self.files)


@contextmanager
def opened(browser: Browser, url: str, content: str) -> Iterator[tuple[Page, Opening]]:
    """Open `url` with an empty cache until the element `content`, a CSS selector, and everything else is drawn."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page, opening = context.new_page(), Opening()
    page.on("websocket", lambda socket: _listen(socket, opening))
    page.on("response", lambda file: opening.files.update({file.url: int(file.headers.get("content-length", 0))}))
    opening.seconds = seconds(page, url, content)
    yield page, opening
    context.close()


def seconds(page: Page, url: str, content: str | None = None) -> float:
    """From opening until all is drawn."""
    started = time.perf_counter()
    page.goto(url)
    page.wait_for_function(DRAWN, arg=content, timeout=300_000, polling=10)
    return time.perf_counter() - started


def _listen(socket, opening: Opening) -> None:
    def received(frame: bytes | str) -> None:
        message = ForwardMsg.FromString(frame)
        if message.HasField("new_session"):
            opening.runs.append(list(message.metadata.run.fragment_ids))
        if message.HasField("auto_rerun"):
            opening.repeats.append(message.auto_rerun.interval)

    def sent(frame: bytes | str) -> None:
        opening.asked += BackMsg.FromString(frame).HasField("rerun_script")

    socket.on("framereceived", received)
    socket.on("framesent", sent)
