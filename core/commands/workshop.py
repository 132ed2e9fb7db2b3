"""The command that serves the app to everyone on the local network."""

import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from core.commands.options import say
from core.errors import HourglassError

_APP = Path(__file__).parents[2] / "pages" / "ui" / "room" / "workshop.py"


def serve_workshop(
    port: Annotated[int, typer.Option(metavar="N", min=1, max=65535, help="Port of the server.")] = 8501,
    cold: Annotated[bool, typer.Option("--cold", help="Don't open all views before people come.")] = False,
) -> None:
    """Serve the app to everyone on the local network."""
    from core.tasks import own_datasets

    address = _find_local_address()
    key = secrets.token_urlsafe(16)
    say(
        f"For everyone on this network: http://{address}:{port}/join\n"
        f"For the presenter alone:       http://{address}:{port}/present?key={key}\n"
        "Nobody can delete runs, each person can have one training waiting, and no training takes more than a minute. "
        "Data that a person adds are seen by them alone unless they share them, and are deleted at the end. Ctrl-C "
        "ends it."
    )
    # The server refuses requests for another address than `browser.serverAddress`.
    options = f"--server.address=0.0.0.0 --server.port={port} --server.headless=true --browser.serverAddress={address}"
    command = [sys.executable, "-m", "streamlit", "run", str(_APP), *options.split()]
    command += ["--", "--cold"] if cold else []
    # Also at the beginning: the last workshop may have been killed.
    own_datasets.forget_workshop()
    try:
        code = subprocess.call(
            command, cwd=_APP.parents[3], env={**os.environ, "HOURGLASS_WORKSHOP": "1", "HOURGLASS_PRESENTER_KEY": key}
        )
    finally:
        own_datasets.forget_workshop()
    if code:
        raise HourglassError(f"The app ended with code {code}: see above, or try another --port.")


def _find_local_address() -> str:
    """Return this machine's address on the local network, or 127.0.0.1; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 1))
            return probe.getsockname()[0]
        except OSError:
            return "127.0.0.1"
