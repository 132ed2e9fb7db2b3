"""What the exercises are called, read without checking them: for links to them."""

import tomllib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "assets" / "exercises"


@dataclass(frozen=True)
class Heading:
    """The name of an exercise in links, its title, and the slides it belongs to."""

    name: str
    title: str
    slides: str


def list_headings(folder: Path = FOLDER) -> tuple[Heading, ...]:
    """The headings of all exercises that can be read, in order."""
    headings = []
    for file in sorted(folder.glob("*.toml")):
        with suppress(OSError, ValueError, KeyError, TypeError):
            document = tomllib.loads(file.read_text("utf-8"))
            headings.append(Heading(file.stem.split("-", 1)[-1], document["title"], document["slides"]))
    return tuple(headings)
