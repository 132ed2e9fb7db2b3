"""Which own data sets there are, and what is known of them without loading them.

    <folder of runs>/.datasets/own-<12 hexadecimal digits>/
        data            the file as it was brought
        recipe.json     see `core.datasets.own.recipe`
        about.json      name and SHA-256 of the file, rows, features, and the label that each owner gave

The digits are of the SHA-256 of content and recipe: the same file with the same recipe is the same data set everywhere.
In a workshop a person sees what they brought and what is shared; all else is as if it were not there.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from filelock import FileLock

from core import config, datasets, files
from core.errors import DataUnavailable, HourglassError
from core.types import TABLES

NAME = re.compile("own-[0-9a-f]{12}")
DATA, RECIPE, ABOUT = "data", "recipe.json", "about.json"
_MODULE = "core.datasets.own.store"
# What ABOUT holds, and the type of each value; of a list, that of its items.
_ABOUT = dict.fromkeys(("kind", "label", "file", "sha256", "added"), str)
_ABOUT |= {"rows": [int], "blocks": [int], "owners": dict, "is_shared": bool}
_ABOUT |= dict.fromkeys(("n_columns", "n_classes", "n_marks"), int)
# The owner of what is added outside of a workshop, by the person at this machine.
HOST = ""
# Whom `list_names` and `find_entry` answer: a person in a workshop, or None for who sees everything. Pages set it.
get_viewer: Callable[[], str | None] = lambda: None


def folder() -> Path:
    """The folder of all own data sets."""
    return config.runs_folder() / ".datasets"


def list_names() -> list[str]:
    """Names of the own data sets that the viewer may see, the latest first."""
    viewer = get_viewer()
    return [name for name, about in list_all().items() if _is_visible(about, viewer)]


def list_all() -> dict[str, dict[str, Any]]:
    """All own data sets, whoever may see them: name -> what is known of it, the latest first."""
    with suppress(OSError):
        names = [place.name for place in folder().iterdir() if NAME.fullmatch(place.name)]
        known = {name: about for name in names if (about := read_about(name))}
        return dict(sorted(known.items(), key=lambda item: item[1]["added"], reverse=True))
    return {}


def _is_visible(about: dict[str, Any], viewer: str | None) -> bool:
    return viewer is None or about["is_shared"] or viewer in about["owners"]


def read_about(name: str) -> dict[str, Any]:
    """What is known of a data set without loading it, see `add`; {} if it is not here or damaged."""
    path = folder() / name / ABOUT
    with suppress(OSError):
        return _read_about(str(path), path.stat().st_mtime_ns)
    return {}


@lru_cache(maxsize=512)
def _read_about(path: str, when: int) -> dict[str, Any]:
    about = files.read_json(Path(path))
    is_whole = all(_is_of(about.get(name), kind) for name, kind in _ABOUT.items())
    is_whole = is_whole and about["kind"] == TABLES and len(about["rows"]) == 2 and min(about["rows"]) > 0
    is_whole = is_whole and min(about["blocks"], default=0) > 0 and 0 <= about["n_marks"] < len(about["blocks"])
    return about if is_whole and all(isinstance(label, str) for label in about["owners"].values()) else {}


def _is_of(value: Any, kind: Any) -> bool:
    if isinstance(kind, list):
        return isinstance(value, list) and all(type(item) is kind[0] for item in value)
    return type(value) is kind


def find_entry(name: str) -> datasets.Entry | None:
    """The entry of an own data set; None if it is not here, or the viewer may not see it."""
    if not NAME.fullmatch(name) or not (about := read_about(name)) or not _is_visible(about, viewer := get_viewer()):
        return None
    return datasets.Entry(
        *(name, about["owners"].get(viewer or HOST, about["label"]), about["kind"], _MODULE, tuple(about["rows"])),
        f"{about['file']}, {about['n_columns']} columns.",
        has_labels=about["n_classes"] > 1,
        embedded=True,
        is_own=True,
        blocks=tuple(about["blocks"]),
        n_marks=about["n_marks"],
    )


def get_about(name: str) -> dict[str, Any]:
    """As `read_about`, but DataUnavailable if the data set is not here or damaged."""
    if about := read_about(name):
        return about
    raise DataUnavailable(f"The own data set {name} is not here any more, or damaged: add its file again.")


def get_files(name: str) -> list[Path]:
    """The files that the rows of an own data set are made of."""
    return [folder() / name / file for file in (DATA, RECIPE)]


def write_about(name: str, about: dict[str, Any]) -> None:
    """Change what is known of a data set, such as its label."""
    with explain_unwritable():
        files.write_atomically(folder() / name / ABOUT, json.dumps(about))


@contextmanager
def hold() -> Iterator[None]:
    """Hold the own data sets while one is added or changed: others wait."""
    with explain_unwritable():
        folder().mkdir(parents=True, exist_ok=True)
        with FileLock(folder() / ".lock"):
            yield


@contextmanager
def explain_unwritable() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HourglassError(
            f"The data set could not be stored in {folder()} ({error.strerror or error}): free some space there, or "
            "set HOURGLASS_RUNS to another folder."
        ) from None
