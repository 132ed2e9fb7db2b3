"""A real server on a free port, and a real browser."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect, sync_playwright

from core import datasets
from core.datasets import file_formats
from core.experiments import fit
from core.runs import specs

HOSTILE = "<img src=x onerror=alert(1)>"
ROOT = Path(__file__).parents[2]
DRAWN = 60_000  # milliseconds
# Pictures and charts without an area.
UNSEEN = """() => [...document.querySelectorAll('.stMain :is(img, .js-plotly-plot .main-svg, canvas)')]
  .filter((e) => e.getBoundingClientRect().width < 20 || e.getBoundingClientRect().height < 20 || e.naturalWidth === 0)
  .map((e) => e.outerHTML.slice(0, 100))"""


class Server:
    """The app in `root`, by default without shipped runs; at its end it must have warned of nothing."""

    def __init__(self, runs: Path, folder: Path, root: Path | None = None, script: Sequence[str] = ("app.py",)):
        self.runs, self.log = runs, folder / "server.log"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        options = ["--server.port", str(port), "--server.headless", "true"]
        command = [sys.executable, "-m", "streamlit", "run", *options, *script]
        where = {"cwd": root or _link_without_shipped_runs(folder), "env": {**os.environ, "HOURGLASS_RUNS": str(runs)}}
        with self.log.open("w") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, **where)

    def __enter__(self):
        while self.process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5):
                return self
            time.sleep(0.1)
        raise RuntimeError(f"The server did not start:\n{self.log.read_text()}")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        finally:
            self.process.kill()
        assert self.complaints() == []

    def complaints(self) -> list[str]:
        """Lines of the log with a warning, an error or a traceback."""
        words = re.compile("warning|error|traceback|exception|deprecat", re.IGNORECASE)
        return list(filter(words.search, self.log.read_text().splitlines()))


def _link_without_shipped_runs(folder: Path) -> Path:
    """The project again, by links, less its shipped runs."""
    (folder / "assets").mkdir()
    unneeded = ("runs", "inverters", "labelled", "mechanisms")
    assets = (f"assets/{place.name}" for place in (ROOT / "assets").iterdir() if place.name not in unneeded)
    for name in ("app.py", "pages", "core", ".streamlit", *assets):
        (folder / name).symlink_to(ROOT / name)
    return folder


def scroll_to_late(page) -> None:
    """Scroll to what is drawn only once it is seen."""
    places = page.locator("[class*=st-key-late-]")
    places.first.evaluate("e => e.scrollIntoView()", timeout=DRAWN)
    expect(places).to_have_count(0, timeout=DRAWN)


def show(page, query: str, drawn: str | re.Pattern = "Link and command line") -> None:
    """Open another link in the same browser tab, until the page is drawn to its end."""
    page.goto(re.sub(r"(?<=\d)/.*", f"/{query}", page.url))
    expect(page.get_by_text(drawn)).to_be_visible(timeout=DRAWN)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=DRAWN)


def wait_for_server(page, delay: int = 150) -> None:
    """Until the server has answered what the page sent last, at the latest `delay` milliseconds from now."""
    page.wait_for_timeout(delay)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=DRAWN)
    page.wait_for_function("() => !document.querySelector('[data-test-script-state=running]')", timeout=DRAWN)
    page.wait_for_timeout(100)


def touch(page, places) -> None:
    """Put a finger down on the first of the places, move it to the others and lift it."""
    client = page.context.new_cdp_session(page)
    client.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    events = [("touchMove" if k else "touchStart", [{"x": float(x), "y": float(y)}]) for k, (x, y) in enumerate(places)]
    for kind, points in (*events, ("touchEnd", [])):
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def swipe(page, element) -> float:
    """Swipe upwards from the middle of an element; returns how far the page scrolled, in pixels."""
    main = page.get_by_test_id("stMain")
    element.evaluate("e => e.scrollIntoView({ block: 'start' })")
    box, before = element.bounding_box(), main.evaluate("e => e.scrollTop")
    up = 1 if before + 844 < main.evaluate("e => e.scrollHeight - 200") else -1
    x, y = box["x"] + box["width"] / 2, box["y"] + min(box["height"] / 2, 300)
    touch(page, [(x, y - up * 12 * k) for k in range(16)])
    page.wait_for_function(f"e => Math.abs(e.scrollTop - {before}) > 100", arg=main.element_handle(), timeout=DRAWN)
    return abs(main.evaluate("e => e.scrollTop") - before)


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """A folder of full data sets: documents of three subjects with hostile texts and classes."""
    folder, rows = tmp_path_factory.mktemp("data"), []
    rng = np.random.default_rng(0)
    for k in range(240):
        words = " ".join(f"{'abc'[k % 3]}{'abcdefghij'[i]}word" for i in rng.integers(0, 10, 40))
        about = {"split": "train" if k % 4 else "test", "label": f"<b>subject {k % 3}</b>"}
        rows.append({**about, "text": f"{HOSTILE} number {k} {words}"})
    file_formats.write(folder / "reuters_r8.jsonl.gz", rows)
    return folder


@pytest.fixture(scope="session")
def server(fitted, data, tmp_path_factory):
    """A server without shipped runs, for the modules that have none of their own; it must have warned of nothing."""
    runs = shutil.copytree(fitted, tmp_path_factory.mktemp("served") / "runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURGLASS_DATA", str(data))
        texts = datasets.load("reuters-r8")
        for method, params in (("lsa", {}), ("ae", {"epochs": 2, "width": 32})):
            fit.fit_and_store(specs.make("reuters-r8", method, {"n_components": 2, **params}), texts, runs)
        server = Server(runs, tmp_path_factory.mktemp("server"))
    with server:
        yield server


@pytest.fixture(scope="session")
def shipped(tmp_path_factory):
    """A fresh installation: the shipped runs and results, and nothing else."""
    folder = tmp_path_factory.mktemp("shipped")
    with Server(folder / "runs", folder, ROOT) as server:
        yield server


@pytest.fixture(scope="session")
def browser():
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(server, browser):
    """Open a link as a new visitor; in the end there is no console error, page error or failed request."""
    contexts, noise = [], []

    def hear(message) -> None:
        # Streamlit itself searches for the server below a deep link's path.
        is_search = "404" in message.text and "/_stcore/" in message.location.get("url", "")
        if message.type in ("error", "warning") and not is_search:
            noise.append(f"{message.text} {message.location}")

    def note_failure(request) -> None:
        if request.failure != "net::ERR_ABORTED":  # as what is still loading when the page is left
            noise.append(f"{request.url} {request.failure}")

    def visit(query="", width=1440, height=900, scheme="light", drawn="Link and command line"):
        contexts.append(browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme))
        page = contexts[-1].new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: noise.append(str(error)))
        page.on("requestfailed", note_failure)
        page.goto(f"{server.url}/{query}")
        expect(page.get_by_text(drawn)).to_be_visible(timeout=DRAWN)
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=DRAWN)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert noise == []
