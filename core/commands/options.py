"""Options that several commands have, and messages on standard error."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from core.errors import BadInput, HourglassError

DatasetName = Annotated[str, typer.Argument(metavar="DATASET", show_default=False, help="Name of a data set.")]
ZipFile = Annotated[Path, typer.Argument(metavar="FILE.zip", show_default=False)]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Set a parameter of the method or data set; can be repeated."),
]
Seed = Annotated[int | None, typer.Option(metavar="S", help="Seed of all random numbers; default: 0.")]
Epochs = Annotated[int | None, typer.Option(metavar="N", help="Passes over the training rows.")]
MaxSeconds = Annotated[float | None, typer.Option(metavar="T", help="Train for T seconds, not a number of epochs.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


class Failed(HourglassError):
    """Everything was tried and failed; the exit code is 1, not 2 as for bad input."""


def say(message: str) -> None:
    """Print a sentence on standard error."""
    print(message, file=sys.stderr, flush=True)


def parse_settings(items: Sequence[str] | None, **named: Any) -> dict[str, Any]:
    """Return the settings given by ``--set NAME=VALUE``, and those of `named` that are not None."""
    settings = {}
    for item in items or ():
        name, equals, value = item.partition("=")
        if not equals:
            raise BadInput(f"--set {item} is not of the form NAME=VALUE, for example --set n_components=10.")
        settings[name] = value
    return settings | {name: value for name, value in named.items() if value is not None}
