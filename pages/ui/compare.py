"""What Compare's reader chooses: data set, code size, and which run where a method has several."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core import datasets, methods, store
from core.types import BadInput, Run, Spec
from pages.ui import choices, dataset_choice, links, runs
from pages.ui.runs import Line
from pages.ui.text import listed, shortened

_MOST_BUTTONS = 6
_USUAL_SIZE = 10
# What links asked for that is not trained: code sizes by data set, Specs by view and method.
_LINKED = "hourglass.linked"


@dataclass(frozen=True)
class View:
    entry: datasets.Entry
    size: int
    lines: tuple[Line, ...]

    @property
    def there(self) -> list[Line]:
        """Lines with a run."""
        return [line for line in self.lines if line.run]

    @property
    def dataset_params(self) -> tuple[tuple[str, Any], ...]:
        """The data set's parameters that the first of the runs was fitted with; without a run the default ones."""
        return next((line.run.spec.dataset_params for line in self.there), self.entry.default_params)


def choose(stored: Sequence[Run], problems: list[str], kind: str | None = None, always: Sequence[int] = ()) -> View:
    """Draw the choices and read what they lead to; sentences about what a link asks for in vain go to `problems`.

    Parameters
    ----------
    always : code sizes that are offered whether they are trained or not, that of the first view leading.
    """
    # A data set or size of which only a reference map is stored has nothing to compare.
    stored = [run for run in stored if run.spec.method not in methods.REFERENCES]
    with st.container(key="choices", horizontal=True, vertical_alignment="bottom"):
        entry = datasets.entry(dataset_choice.choose(stored, problems, kind))
        size = _size(stored, entry, problems, always)
        return View(entry, size, tuple(_lines(stored, entry, size, problems)))


def _size(stored: Sequence[Run], entry: datasets.Entry, problems: list[str], always: Sequence[int]) -> int:
    refused: list[str] = []
    linked = st.session_state.setdefault(_LINKED, {})
    if (asked := choices.asked("size")) is not None:
        with suppress(BadInput):
            linked[entry.name] = runs.code_size(asked)
    sizes = sorted(
        {*runs.code_sizes(stored, entry.name), *always, *([linked[entry.name]] if entry.name in linked else [])}
    )
    usual = always[0] if always else _USUAL_SIZE
    # A page with sizes of its own begins with them, whatever another page shows.
    memory = choices.key("size") if always else "size"
    default = usual if usual in sizes else sizes[0]
    widget = choices.seed("size", sizes, default, refused, parse=runs.code_size, memory=memory)
    draw = st.segmented_control if len(sizes) <= _MOST_BUTTONS else st.selectbox
    required = {"required": True} if draw is st.segmented_control else {}
    chosen = draw("Code size", sizes, key=widget, help="How many numbers a row is squeezed into.", **required)
    if refused:
        problems.append(f"The link asks for the code size “{shortened(asked)}”. {refused[0]} Shown is {chosen}.")
    choices.keep("size", chosen, memory=memory)
    return chosen


def _lines(stored: Sequence[Run], entry: datasets.Entry, size: int, problems: list[str]) -> list[Line]:
    offers = [_Offer.of(stored, entry.name, method, size, problems) for method in methods.compared(entry.kind)]
    several = [offer for offer in offers if len(offer.keys) > 1]
    if several:
        named = listed([methods.label(offer.method) for offer in several])
        with st.popover("Choose runs", help=f"Several runs fit this view for {named}."):
            for offer in several:
                offer.draw()
    return [offer.line() for offer in offers]


@dataclass(frozen=True)
class _Offer:
    """The runs of one method that fit the view, and which is chosen."""

    method: str
    candidates: tuple[Run, ...]
    missing: Spec | None
    memory: str

    @classmethod
    def of(cls, stored, dataset: str, method: str, size: int, problems: list[str]) -> _Offer:
        candidates = tuple(store.pick(list(stored), dataset, method, size))
        memory = f"{dataset}/{size}/{method}"
        remembered = st.session_state.setdefault(_LINKED, {})
        token = choices.asked(method)
        if token is not None:
            try:
                spec = runs.linked(token, dataset, method, size)
                remembered[memory] = spec
                st.session_state[choices.key(memory)] = spec.key
            except BadInput as problem:
                problems.append(str(problem))
        missing = remembered.get(memory)
        if missing is not None and any(run.key == missing.key for run in candidates):
            missing = None
        return cls(method, candidates, missing, memory)

    @property
    def keys(self) -> list[str]:
        return [run.key for run in self.candidates] + ([self.missing.key] if self.missing else [])

    def draw(self) -> None:
        widget = choices.key(self.memory)
        if st.session_state.get(widget) not in self.keys:
            st.session_state[widget] = self._remembered()
        st.selectbox(methods.label(self.method), self.keys, format_func=self._named, key=widget)

    def _remembered(self) -> str | None:
        known = choices.remembered(self.memory)
        return known if known in self.keys else next(iter(self.keys), None)

    def line(self) -> Line:
        chosen = st.session_state.get(choices.key(self.memory))
        chosen = chosen if chosen in self.keys else self._remembered()
        default = self.candidates[0].key if self.candidates else None
        specs = {run.key: run.spec for run in self.candidates}
        if self.missing:
            specs[self.missing.key] = self.missing
        text = None if chosen in (None, default) else links.encode(specs[chosen])
        choices.keep(self.method, chosen, text=text, memory=self.memory)
        return runs.line(self.method, self.candidates, self.missing, chosen)

    def _named(self, key: str) -> str:
        """What tells a run from the others: shipped or own, and the parameters that differ."""
        run = next((run for run in self.candidates if run.key == key), None)
        offered = [_settings(run.spec) for run in self.candidates] + ([_settings(self.missing)] if self.missing else [])
        own = _settings(run.spec if run else self.missing)
        differs = [f"{name} {value}" for name, value in own.items() if any(o.get(name) != value for o in offered)]
        origin = "linked, not trained yet" if run is None else "shipped" if store.is_shipped(key) else "own run"
        return shortened(", ".join([origin, *differs, key[:6]]), 90)


def _settings(spec: Spec) -> dict:
    return dict((*spec.params, *spec.dataset_params, ("seed", spec.seed)))
