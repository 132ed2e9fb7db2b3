"""What benchmarks of the running app share: a server of its own, and a headless Chromium that looks at it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]


@contextmanager
def served(folder: Path = ROOT) -> Iterator[tuple[str, int]]:
    """The app.py of `folder` on a free port; yields its address and its process's number."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--server.port", str(port), "--server.headless", "true", "--server.address", "127.0.0.1"]
    options += ["--browser.gatherUsageStats", "false"]
    app = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", *options], cwd=folder, stdout=subprocess.DEVNULL
    )
    try:
        while app.poll() is None:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                break
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}", app.pid
    finally:
        app.terminate()
        app.wait()


@contextmanager
def browsed() -> Iterator[tuple[Browser, str]]:
    """Chromium, and the address of an app that it may look at."""
    with served() as (url, _), sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser, url
        browser.close()
