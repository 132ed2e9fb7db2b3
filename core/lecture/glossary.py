"""Terms of the lecture with definitions of one sentence, and where they stand in a text."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).parents[2] / "assets" / "glossary.toml"


@dataclass(frozen=True)
class Term:
    """A term, its other spellings, and its definition."""

    name: str
    definition: str
    also: tuple[str, ...] = ()

    @property
    def slug(self) -> str:
        """The term in links and as an id: ``"kl-divergence"``."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


@cache
def read_terms() -> tuple[Term, ...]:
    """All terms in alphabetical order; none if the file is missing or damaged, as no page needs them."""
    try:
        document = tomllib.loads(FILE.read_text("utf-8"))
        terms = [Term(name, entry["definition"], tuple(entry.get("also", ()))) for name, entry in document.items()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()
    return tuple(sorted(terms, key=lambda term: term.name.lower()))


def find_terms(text: str) -> Iterator[tuple[str, Term | None]]:
    """The parts of a text in order, each with the term that it is, or None; together they are the text.

    Spellings of small letters are found in any case, others only as they are; a longer one comes before a shorter one.
    """
    if not read_terms():
        yield text, None
        return
    by_spelling, pattern = _compile()
    end = 0
    for match in pattern.finditer(text):
        if match.start() > end:
            yield text[end : match.start()], None
        found = match[0]
        yield found, by_spelling.get(found) or by_spelling[found.lower()]
        end = match.end()
    if end < len(text):
        yield text[end:], None


@cache
def _compile() -> tuple[dict[str, Term], re.Pattern]:
    by_spelling = {spelling: term for term in read_terms() for spelling in (term.name, *term.also)}
    ordered = sorted(by_spelling, key=lambda spelling: (-len(spelling), spelling))
    parts = [f"(?i:{re.escape(s)})" if s.islower() else re.escape(s) for s in ordered]
    return by_spelling, re.compile(rf"(?<![\w(])(?:{'|'.join(parts)})(?![\w(|])")
