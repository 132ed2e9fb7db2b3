"""Options that several commands have, and messages on standard error."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from core import datasets
from core.datasets.own import catalogue
from core.errors import BadInput, HourglassError

_DATASET = "Name of a data set, or what pages call one of your own."
DatasetName = Annotated[str, typer.Argument(metavar="DATASET", show_default=False, help=_DATASET)]
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


def find_dataset(given: str) -> str:
    """Return the name of a data set that is given by its name or, of an own one, by its label.

    Raises BadInput if there is none, or if several own data sets have this label.
    """
    if datasets.is_known(given):
        return given
    names = find_own_datasets(given)
    if len(names) > 1:
        raise BadInput(f"{len(names)} of your data sets are called {given}: give the name, {' or '.join(names)}.")
    return names[0] if names else datasets.entry(given).name


def find_own_datasets(given: str) -> list[str]:
    """Return the names of the own data sets with this name or label; upper and lower case are the same."""
    labels = {name: datasets.entry(name).label for name in catalogue.list_names()}
    return [name for name, label in labels.items() if given == name or given.casefold() == label.casefold()]
