"""What benchmarks of the running app share: a server of its own, and a headless Chromium that looks at it."""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]


@contextmanager
def served(folder: Path = ROOT, script: str = "app.py") -> Iterator[tuple[str, int]]:
    """The `script` of `folder` on a free port; yields its address and its process's number."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--server.port", str(port), "--server.headless", "true", "--server.address", "127.0.0.1"]
    options += ["--browser.gatherUsageStats", "false"]
    command = [sys.executable, "-m", "streamlit", "run", script, *options]
    app = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
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


def memory(pid: int) -> float:
    """Resident memory in MB, where the system has /proc."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used, where the system has /proc."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def show_median(name: str, values: Sequence[float]) -> None:
    """Print the median of repeated measurements, and each of them."""
    each = ", ".join(f"{value:.3g}" for value in values)
    print(f"{name:64} {statistics.median(values):9.4g}   ({each})", flush=True)
