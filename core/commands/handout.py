"""The command that writes the hand-out of the lecture."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from core.commands.options import say
from core.errors import BadInput, HourglassError

_ROOT = Path(__file__).parents[2]


def write_handout(
    file: Annotated[Path, typer.Argument(metavar="FILE.html", help="File to write.")] = Path("handout.html"),
) -> None:
    """Write tour, exercises, answers and glossary as one HTML file for print, on A4 or Letter."""
    if file.suffix.lower() not in (".html", ".htm"):
        raise BadInput(f"The hand-out is HTML: give a name such as {file.stem or 'handout'}.html.")
    if not file.resolve().parent.is_dir():
        raise BadInput(f"There is no folder {file.parent}.")
    # The steps of the tour belong to the app, which nothing in core imports.
    command = [sys.executable, "-W", "ignore", "-m", "pages.ui.tour.handout", str(file.resolve())]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise HourglassError(f"The hand-out can't be written ({last:.300}).")
    say(f"{file} is written: open it in a browser and print it.")
