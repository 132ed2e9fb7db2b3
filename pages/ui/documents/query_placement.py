"""The visitor's own query: remembered, counted like the documents, and embedded in the maps."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.analysis.rows import Rows
from core.datasets import Entry, bag_of_words
from core.errors import HourglassError
from core.types import DOCUMENTS, as_floats
from pages.ui.embeddings.map_state import RunMap
from pages.ui.shared import page_state

LONGEST_IN_A_LINK = 300


def name_memory(entry: Entry) -> str:
    """The name under which the query of a data set is remembered."""
    return f"query/{entry.name}"


def keep(entry: Entry, text: str) -> None:
    """Remember a query and write it into the address, if it is short enough."""
    in_link = text if 0 < len(text) <= LONGEST_IN_A_LINK else None
    page_state.keep("query", text, text=in_link, memory=name_memory(entry))


def read_query(entry: Entry, rows: Rows) -> tuple[str, bag_of_words.Query | None]:
    """The link's or the last query: its text and its words; None without a known word."""
    text = page_state.read_link("query") or page_state.recall(name_memory(entry)) or ""
    if text:
        keep(entry, text)
    query = bag_of_words.parse_query(text, rows.vocabulary)
    return text, query if query.known else None


def embed(query: bag_of_words.Query | None, maps: Sequence[RunMap]) -> dict[str, np.ndarray]:
    """Key of a map -> position of the query, (2,); a code of zeros has none."""
    points = {}
    for run_map in maps if query else ():
        try:
            code = run_map.estimator().transform(as_floats(query.counts, DOCUMENTS))
            if np.any(code):
                points[run_map.choice.key] = run_map.plane.points(code)[0]
        except HourglassError:
            continue
    return points
