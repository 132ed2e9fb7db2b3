"""Which own data sets there are, and what is known of them without loading them.

    <folder of runs>/.datasets/own-<12 hexadecimal digits>/
        data            the file as it was brought
        recipe.json     see `core.datasets.own.recipe`
        about.json      label, name and SHA-256 of the file, rows, features

The digits are of the SHA-256 of content and recipe: the same file with the same recipe is the same data set everywhere.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from core import config, datasets, files
from core.errors import HourglassError

NAME = re.compile("own-[0-9a-f]{12}")
DATA, RECIPE, ABOUT = "data", "recipe.json", "about.json"
_MODULE = "core.datasets.own.store"


def folder() -> Path:
    """The folder of all own data sets."""
    return config.runs_folder() / ".datasets"


def list_names() -> list[str]:
    """Names of all own data sets, the latest first."""
    with suppress(OSError):
        places = [place for place in folder().iterdir() if NAME.fullmatch(place.name) and read_about(place.name)]
        return [place.name for place in sorted(places, key=lambda place: read_about(place.name)["added"], reverse=True)]
    return []


def read_about(name: str) -> dict[str, Any]:
    """What is known of a data set without loading it, see `add`; {} if it is not here or damaged."""
    path = folder() / name / ABOUT
    with suppress(OSError):
        return _read_about(str(path), path.stat().st_mtime_ns)
    return {}


@lru_cache(maxsize=512)
def _read_about(path: str, when: int) -> dict[str, Any]:
    return files.read_json(Path(path))


def find_entry(name: str) -> datasets.Entry | None:
    """The entry of an own data set; None if it is not here."""
    if not NAME.fullmatch(name) or not (about := read_about(name)):
        return None
    return datasets.Entry(
        *(name, about["label"], about["kind"], _MODULE, tuple(about["rows"])),
        f"{about['file']}, {about['n_columns']} columns.",
        has_labels=about["n_classes"] > 1,
        embedded=True,
        is_own=True,
        blocks=tuple(about["blocks"]),
    )


def get_files(name: str) -> list[Path]:
    """The files that the rows of an own data set are made of."""
    return [folder() / name / file for file in (DATA, RECIPE)]


def write_about(name: str, about: dict[str, Any]) -> None:
    """Change what is known of a data set, such as its label."""
    with explain_unwritable():
        files.write_atomically(folder() / name / ABOUT, json.dumps(about))


@contextmanager
def explain_unwritable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HourglassError(
            f"The data set could not be stored in {folder()} ({error.strerror or error}): free some space there, or "
            "set HOURGLASS_RUNS to another folder."
        ) from None
