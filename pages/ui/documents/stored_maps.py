"""Maps of documents from what runs have stored, where the documents themselves are absent."""

from collections.abc import Mapping, Sequence

import numpy as np

from core.frontend.maps import Map, make_maps_message
from core.runs import selection
from core.types import Run
from pages.ui.shared.components import get_component

_SCORE = "knn_accuracy"


def make_message(name: str, runs: Mapping[str, Run]) -> bytes:
    """The message of linked maps by title; all runs show the same rows. `name` stays the same while they do."""
    first = next(iter(runs.values()))
    maps = [_make_map(title, run) for title, run in runs.items()]
    rows = first.views["shown_rows"], "test", first.views["labels"], first.notes["target_names"]
    return make_maps_message(name, *rows, maps, noun="document", is_bare=True)


def _make_map(title: str, run: Run) -> Map:
    score = run.metrics[_SCORE]
    remark = f"kNN accuracy {score.value:.1%} ({score.low:.1%} to {score.high:.1%})"
    # A map without tools has no note.
    how = f"{run.notes['map']}; " if selection.code_size(run) > 2 else ""
    return Map(run.key, title, "", run.views["map"], remark=how + remark)


def select_drawable(runs: Sequence[Run]) -> list[Run]:
    """Those with classes and with the rows of the first of them."""
    drawable = [run for run in runs if {"map", "labels"} <= run.views.keys() and _SCORE in run.metrics]
    return [run for run in drawable if np.array_equal(run.views["shown_rows"], drawable[0].views["shown_rows"])]


def draw(message: bytes, key: str) -> None:
    """Draw the maps of a message."""
    get_component("maps")(data=message, key=key)
