"""The choice of a view: data set, latent dimensions, and one or several runs a method."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import streamlit as st

from core import datasets, methods
from core.datasets import checksums
from core.datasets.own import catalogue
from core.errors import BadInput
from core.runs import selection, specs, store
from core.types import IMAGES, KINDS, TABLES, Run, Spec
from pages.ui.shared import cached, page_state, permalinks, stored_runs
from pages.ui.shared.stored_runs import Line, label_run
from pages.ui.shared.text import join_words, plain, shorten

_MOST_BUTTONS = 6
# Runs of one method that are shown at once.
_MOST_RUNS = 3
# Settings in the label of a single run that is not the default.
_MOST_SETTINGS = 2
_BUDGETS = {selection.MATCHED: "Matched", selection.BEST_EFFORT: "Best effort"}
_BUDGET_HELP = (
    "Matched: all networks have the same encoder and decoder shapes, epochs, batch size and number of tuning trials. "
    "Best effort: the best run of each method at any cost. Linear methods are the same in both."
)
# Separates the runs of one method in a link.
_BETWEEN = "~"
# What links named: latent dimensions by data set, Specs by view and method.
_LINKED = "hourglass.linked"


@dataclass(frozen=True)
class View:
    """What a page compares: a data set, a number of latent dimensions and a line a run."""

    entry: datasets.Entry
    size: int
    lines: tuple[Line, ...]

    @property
    def trained(self) -> list[Line]:
        """Lines with a run."""
        return [line for line in self.lines if line.run]

    @property
    def dataset_params(self) -> tuple[tuple[str, Any], ...]:
        """The data set's parameters of the first run, preferably on this copy; else the defaults."""
        ordered = sorted(self.trained, key=lambda line: not line.is_here)
        return next((line.run.spec.dataset_params for line in ordered), self.entry.default_params)


def choose(
    stored: Sequence[Run],
    problems: list[str],
    kinds: Sequence[str] = KINDS,
    always: Sequence[int] = (),
    *,
    several: bool = False,
) -> View:
    """Draw the choices and return their view; wrong choices in the link are added to `problems`.

    Parameters
    ----------
    kinds : kinds of data set that are offered.
    always : latent dimensions that are offered even if not trained, the default first.
    several : whether several runs of one method may be shown, a line each.
    """
    # Reference maps alone are nothing to compare.
    stored = [run for run in stored if not methods.entry(run.spec.method).maps_rows]
    with st.container(key="choices", horizontal=True, vertical_alignment="bottom"):
        entry = datasets.entry(choose_dataset(stored, problems, kinds))
        size = _choose_size(stored, entry, problems, always)
        cached.find_copy(entry.name, entry.default_params)
        return View(entry, size, tuple(_choose_lines(stored, entry, size, problems, several)))


def choose_dataset(stored: Sequence[Run], problems: list[str], kinds: Sequence[str] = KINDS) -> str:
    """Draw the choice of a data set of one of these kinds, and return its name."""
    names = [name for name in stored_runs.list_datasets(stored) if datasets.entry(name).kind in kinds]
    trained = {run.spec.dataset for run in stored}

    def describe(name: str) -> str:
        return datasets.entry(name).label + ("" if name in trained else " (not trained yet)")

    default, look = stored_runs.choose_default_dataset(names, stored), {"format_func": describe, "width": 250}
    return draw_datasets(names, default, problems, f"which has no {' or '.join(kinds)}", **look)


def draw_datasets(names: Sequence[str], default: str, problems: list[str], without: str = "", **look: Any) -> str:
    """Draw a choice of data sets; `without` says why the link's data set may be missing among them."""
    linked, refused = page_state.read_link("data"), []
    # Streamlit tells options by their text.
    labels = {name: look.get("format_func", str)(name) for name in names}
    twice = {label for label, n in Counter(labels.values()).items() if n > 1}
    look["format_func"] = lambda name: f"{labels[name]} ({name[-4:]})" if labels[name] in twice else labels[name]
    chosen = page_state.choose_with(st.selectbox, "data", "Data set", names, default, refused, **look)
    if refused:
        shown = f"{datasets.entry(chosen).label} is shown."
        if linked in datasets.names() or not catalogue.NAME.fullmatch(linked):
            why = without if linked in datasets.names() else "which is not known"
            problems.append(f"The link asks for the data set “{shorten(linked)}”, {why}. {shown}")
        else:
            try:
                datasets.entry(linked)
            except BadInput as problem:
                problems.append(f"{problem} {shown}")
    return chosen


def link_next_questions(view: View) -> None:
    """Draw links to the questions that come next."""
    if not view.trained:
        return
    with st.container(horizontal=True, key="compare-more"):
        if view.entry.has_labels:
            query, icon = {"data": view.entry.name, "confusion": "yes"}, ":material/grid_on:"
            st.page_link("pages/embeddings.py", label="Confusion matrices", icon=icon, query_params=query)
        if view.entry.kind in (IMAGES, TABLES):
            query, icon = {"data": view.entry.name, "section": "size"}, ":material/show_chart:"
            label = "Error by latent dimensions"
            st.page_link("pages/reconstructions.py", label=label, icon=icon, query_params=query)
        if view.entry.kind == TABLES:
            query, icon = {"data": view.entry.name, "section": "rows"}, ":material/table_rows:"
            label = "Rows with the largest error"
            st.page_link("pages/reconstructions.py", label=label, icon=icon, query_params=query)


def warn_of_other_copies(view: View) -> None:
    """Warn of runs on another copy of the data set than the one here, with links to train again."""
    others = [line.run.spec for line in view.lines if not line.is_here]
    if not others:
        return
    labels = list(dict.fromkeys(map(label_run, others)))
    text = (
        f"{join_words(labels)} {'was' if len(labels) == 1 else 'were'} trained and evaluated on another copy of "
        f"{view.entry.label}, with other rows than on this machine. Train again to compare."
    )
    st.warning(plain(text))
    with st.container(horizontal=True, key="other-copies"):
        for spec in others:
            query = {"data": spec.dataset, "method": spec.method, "spec": permalinks.encode(spec)}
            stored_runs.link_training(f"Train {label_run(spec)} again", query)


def _choose_size(stored: Sequence[Run], entry: datasets.Entry, problems: list[str], always: Sequence[int]) -> int:
    refused: list[str] = []
    linked = st.session_state.setdefault(_LINKED, {})
    if (text := page_state.read_link("size")) is not None:
        with suppress(BadInput):
            linked[entry.name] = stored_runs.parse_code_size(text)
    trained = stored_runs.list_code_sizes(stored, entry.name)
    usual_sizes = stored_runs.list_usual_sizes(entry)
    sizes = sorted({*trained, *usual_sizes, *always, linked.get(entry.name, trained[0])})
    usual = always[0] if always else 10
    # A page with sizes of its own remembers its choice apart from other pages.
    memory = page_state.key("size") if always else "size"
    default = usual if usual in {*trained, *always} else trained[0]
    options = {"parse": stored_runs.parse_code_size, "memory": memory, "help": "Length of the latent vector."}
    draw = st.segmented_control if len(sizes) <= _MOST_BUTTONS else st.selectbox
    options |= {"required": True} if draw is st.segmented_control else {}
    chosen = page_state.choose_with(draw, "size", "Latent dimensions", sizes, default, refused, **options)
    if refused:
        allowed = f"a whole number from 1 to {stored_runs.LARGEST_SIZE}"
        problems.append(f"The link asks for “{shorten(text)}” latent dimensions, not {allowed}. Shown: {chosen}.")
    return chosen


def to_query(specs: Sequence[Spec]) -> dict[str, str]:
    """The address of the view with these runs of one data set and number of dimensions."""
    query = {"data": specs[0].dataset}
    for spec in specs:
        token = permalinks.encode(spec)
        query[spec.method] = f"{query[spec.method]}{_BETWEEN}{token}" if spec.method in query else token
        if not methods.entry(spec.method).has_own_code_size:
            query["size"] = str(spec.param("n_components"))
    return query


def _choose_lines(
    stored: Sequence[Run], entry: datasets.Entry, size: int, problems: list[str], several: bool
) -> list[Line]:
    names = methods.compared(entry.kind)
    candidates = {method: selection.select_runs(list(stored), entry.name, method, size) for method in names}
    budget = selection.MATCHED
    if any(map(selection.is_best_effort, chain(*candidates.values()))):
        budget = page_state.choose("budget", "Budget", _BUDGETS, problems, _BUDGET_HELP)
    else:
        page_state.forget(["budget"])
    # A run on another copy of the data set comes first only if there is none on this copy.
    of_first_copy = {
        name: [run for run in runs if checksums.is_here(run) == checksums.is_here(runs[0])]
        for name, runs in candidates.items()
    }
    leading = selection.leading(of_first_copy, budget)
    offers = []
    for method in names:
        ordered = sorted(candidates[method], key=lambda run: run.key != leading.get(method))
        memory = f"{entry.name}/{size}/{method}" + ("" if budget == selection.MATCHED else f"/{budget}")
        offers.append(_Offer.make(ordered, (entry.name, method, size), memory, several, problems))
    many = [offer for offer in offers if len(offer.specs) > 1]
    elsewhere = _describe_own_sizes(stored, entry, size)
    if many or elsewhere:
        named = join_words([methods.label(offer.method) for offer in many])
        about = " ".join(filter(None, [f"Several runs of {named} fit this view." if many else "", elsewhere]))
        drawer = st.popover("Choose runs", help=about, key=page_state.key("choose-runs"), on_change="rerun")
        with drawer:
            for offer in many if drawer.open else ():
                offer.draw()
            if drawer.open and elsewhere:
                st.caption(plain(elsewhere))
    return [line for offer in offers for line in offer.make_lines()]


def _describe_own_sizes(stored: Sequence[Run], entry: datasets.Entry, size: int) -> str:
    """The visitor's own runs with other latent dimensions than the view; "" for none."""
    own: dict[int, list[str]] = {}
    for run in stored:
        n_components = run.spec.param("n_components")
        is_elsewhere = n_components != size and not methods.entry(run.spec.method).has_own_code_size
        if run.spec.dataset == entry.name and is_elsewhere and not store.is_shipped(run):
            own.setdefault(n_components, []).append(methods.label(run.spec.method))
    named = [f"{join_words(sorted(set(labels)))} {n}-D" for n, labels in sorted(own.items())]
    return f"Own runs with other latent dimensions: {'; '.join(named)}." if named else ""


@dataclass(frozen=True)
class _Offer:
    """The runs of one method that fit the view, stored or linked, and the most to choose."""

    method: str
    candidates: tuple[Run, ...]
    specs: dict[str, Spec]  # by key; of the candidates, then of a link
    memory: str
    most: int

    @classmethod
    def make(
        cls, candidates: Sequence[Run], view: tuple[str, str, int], memory: str, several: bool, problems: list[str]
    ) -> _Offer:
        """The offer for a view: data set, method and latent dimensions."""
        method = view[1]
        remembered = st.session_state.setdefault(_LINKED, {})
        if (token := page_state.read_link(method)) is not None:
            with page_state.append_error(problems):
                linked = [stored_runs.parse_linked_run(part, *view) for part in token.split(_BETWEEN)[:_MOST_RUNS]]
                remembered[memory] = linked
                page_state.keep(method, list(dict.fromkeys(spec.key for spec in linked)), text=token, memory=memory)
                st.session_state.pop(page_state.key(memory), None)
        by_key = {spec.key: spec for spec in (*(run.spec for run in candidates), *remembered.get(memory, ()))}
        return cls(method, tuple(candidates), by_key, memory, _MOST_RUNS if several else 1)

    def draw(self) -> None:
        widget, chosen = page_state.key(self.memory), self.choose_keys()
        draw, options = st.selectbox, {}
        if self.most > 1:
            draw, help = st.multiselect, f"Up to {self.most} runs, one row each."
            options = {"max_selections": self.most, "select_all": False, "help": help}
        st.session_state[widget] = chosen if self.most > 1 else chosen[0]
        draw(methods.label(self.method), list(self.specs), format_func=self._describe, key=widget, **options)

    def choose_keys(self) -> list[str]:
        """Keys of the runs that are shown; empty if there is none."""
        for choice in (st.session_state.get(page_state.key(self.memory)), page_state.recall(self.memory)):
            keys = [choice] if isinstance(choice, str) else choice or []
            if known := [key for key in keys if key in self.specs]:
                return known[: self.most]
        return list(self.specs)[:1]

    def make_lines(self) -> list[Line]:
        chosen, default = self.choose_keys(), [run.key for run in self.candidates[:1]]
        tokens = _BETWEEN.join(permalinks.encode(self.specs[key]) for key in chosen)
        before = page_state.recall(self.memory) or []
        # A page that shows one run of a method keeps the others for Compare.
        others = before if self.most == 1 and chosen and chosen[0] in before else chosen
        page_state.keep(self.method, others, text=None if chosen == default else tokens or None, memory=self.memory)
        if not chosen:
            return [stored_runs.make_line(self.method, self.candidates)]
        lines = [stored_runs.make_line(self.method, self.candidates, self.specs[key]) for key in chosen]
        # Several runs, or another than the default, are named by the settings in which they differ.
        compared = [self.specs[key] for key in (chosen if len(chosen) > 1 else dict.fromkeys([*default, *chosen]))]
        # Of one run there is nothing to look up, for which its method would be imported.
        if len(compared) == 1 or not (differing := specs.differing(compared)):
            return lines
        named = []
        for k, (key, line) in enumerate(zip(chosen, lines, strict=True)):
            settings = [_describe_setting(name, self.specs[key]) for name in differing]
            if len(lines) == 1 and len(settings) > _MOST_SETTINGS:
                settings[_MOST_SETTINGS:] = ["…"]
            label = f"{line.title} ({', '.join(settings)})"
            label = label if line.is_here else stored_runs.mark_other_copy(label)
            named.append(replace(line, label=label, index=k))
        return named

    def _describe(self, key: str) -> str:
        """Origin of a run and the settings in which it differs from the other candidates."""
        run = next((run for run in self.candidates if run.key == key), None)
        settings = [_describe_setting(name, self.specs[key]) for name in specs.differing(list(self.specs.values()))]
        if run is None:
            return shorten(", ".join(["linked, not trained yet", *settings, key[:6]]), 90)
        is_shipped = store.is_shipped(run)
        notes = [run.environment.get("budget", "") if is_shipped else "", stored_runs.describe_origin(run)]
        origin = "shipped" if is_shipped else "own run"
        return shorten(", ".join([origin, *filter(None, notes), *settings, key[:6]]), 90)


def _describe_setting(name: str, spec: Spec) -> str:
    return f"{name.replace('_', ' ')} {specs.settings(spec).get(name, 'none')}"
