"""The results of a data set, and the curve of test error by number of labels."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from core import datasets, semi_supervised
from core.datasets import Entry, checksums
from core.semi_supervised import experiment, results, statistics
from core.semi_supervised.results import PUBLISHED
from core.semi_supervised.statistics import Errors, Estimate
from core.types import DOCUMENTS, IMAGES, TABLES
from pages.ui.labelled_fraction import readouts
from pages.ui.shared import cached, charts, header, page_state, run_picker
from pages.ui.shared.glossary import draw_text
from pages.ui.shared.number_format import seconds
from pages.ui.shared.text import join_words, plain, shorten

_BASELINE = {IMAGES: "network", DOCUMENTS: "logistic", TABLES: "both"}
_SHOWN = ("network", "logistic", "fine_tuned", "m1", "m2", "m1_m2", "sgan", "lsa", "ae", "boosting", "both")
# How labelled rows are chosen.
CHOICES = dict.fromkeys((IMAGES, DOCUMENTS), "balanced over the classes")
CHOICES[TABLES] = "in proportion to the classes, one row of each first"
_CHART = "test error by labels"
_SEEN = "hourglass.approaches"


@dataclass(frozen=True)
class View:
    """The results of a data set.

    Attributes
    ----------
    rows : one a fit, see `core.semi_supervised.experiment.measure_cell`; all of one copy of the data.
    errors : approach -> number of labels -> seed -> error in percent.
    """

    entry: Entry
    rows: tuple[dict[str, Any], ...]
    errors: Mapping[str, Errors]

    @property
    def baseline(self) -> str:
        """The approach that all others are compared with."""
        return _BASELINE[self.entry.kind]

    def find_row(self, approach: str, labels: int, seed: int) -> dict[str, Any] | None:
        wanted = approach, labels, seed
        return next((row for row in self.rows if (row["method"], row["labels"], row["seed"]) == wanted), None)


def choose(problems: list[str]) -> View:
    """Draw the choice of a data set with labels, or of an own one; read its results."""
    entries = [datasets.entry(name) for name in datasets.names()]
    names = [entry.name for entry in entries if entry.has_labels or entry.is_own]
    stored = {name: _read(name, make_stamp(name)) for name in names}
    order = sorted(names, key=lambda name: (not stored[name].rows, names.index(name)))
    default = datasets.DEFAULT if stored[datasets.DEFAULT].rows else order[0]
    labels = {name: datasets.entry(name).label + ("" if stored[name].rows else " (no results yet)") for name in order}
    without = join_words([entry.label for entry in entries if not entry.has_labels])
    help = f"Data sets without labels, such as {without}, have nothing to classify."
    look = {"format_func": labels.get, "width": 280, "help": help}
    name = run_picker.draw_datasets(order, default, problems, "which has no labels", **look)
    entry = datasets.entry(name)
    problems += stored[name].problems
    cached.find_copy(entry.name, entry.default_params)
    params = dict(entry.default_params)
    rows = [row for row in stored[name].rows if experiment.is_current(row) and row["dataset_params"] == params]
    if n := len(stored[name].rows) - len(rows):
        problems.append(f"Left out: {_count(n)} with earlier settings or other parameters of the data.")
    if rows:
        newest = max(rows, key=lambda row: str(row.get("date", "")))["data_checksum"]
        # Docstrings take a while to read: they are not read for this.
        is_known = checksums.is_known(entry.name, entry.default_params)
        copy = (checksums.compute_checksum(entry.name, entry.default_params) if is_known else None) or newest
        of_copy = [row for row in rows if checksums.is_of(row, copy)]
        if n := len(rows) - len(of_copy):
            problems.append(f"Left out: {_count(n)} measured on another copy of the data.")
        rows = of_copy
    errors = {
        approach: {n: {seed: 100 * error for seed, error in seeds.items()} for n, seeds in by_labels.items()}
        for approach, by_labels in results.group_errors(rows).items()
    }
    return View(entry, tuple(rows), errors)


def _count(n: int) -> str:
    return f"{n} {'result' if n == 1 else 'results'}"


def make_stamp(name: str) -> str:
    """What changes when a result of this data set is added."""
    stamps = []
    for place in (results.results_folder(), results.SHIPPED):
        with suppress(OSError):
            status = results.results_path(name, place).stat()
            stamps.append((str(place), status.st_mtime_ns, status.st_size))
    return repr(stamps)


@st.cache_resource(max_entries=16, show_spinner=False)
def _read(name: str, stamp: str) -> results.Results:
    return results.read_results(name)


def draw(view: View, problems: list[str]) -> None:
    text = (
        "Semi-supervised v. supervised: does pre-training on unlabelled rows help when few are labelled? Lines: means "
        "over seeds with 95% intervals; faint dots: single seeds"
    )
    is_published = any(name == view.entry.name for name, _ in PUBLISHED)
    text += "; hollow marks: published results." if is_published else "."
    if not view.rows:
        st.markdown(plain(text))
        st.info(plain(f"No results on {view.entry.label} yet: run an experiment below."))
        return
    draw_text(text, help=plain(_describe_chart(view)))
    measured = list(view.errors)
    shown = [name for name in measured if name in _SHOWN] or measured
    # What an experiment measured meanwhile is shown.
    seen = st.session_state.setdefault(_SEEN, {})
    added = set(measured) - set(seen.get(view.entry.name, measured))
    seen[view.entry.name] = measured
    approaches = choose_approaches("Approaches", measured, "methods", shown, problems, added=added)
    if not approaches:
        st.info("No approach is selected: select one above.")
        return
    options = {"log": "Logarithmic", "linear": "Linear"}
    if view.entry.kind == TABLES:  # of few test rows often none is misclassified, and 0 has no logarithm
        options = dict(reversed(options.items()))
    is_log = page_state.choose("axis", "Error axis", options, problems, label_visibility="collapsed") == "log"
    stamp = repr((view.entry.name, len(view.rows), max(str(row.get("date", "")) for row in view.rows)))
    figure = _figure(stamp, tuple(approaches), header.get_theme(), is_log, view)
    saved = _chart_data(view, approaches)
    charts.draw(figure, _CHART, data=saved, on_select=_inspect, selection_mode="points")
    zero = any(not any(errors.values()) for name in approaches for errors in view.errors[name].values())
    missing = " Means of 0 are not on a logarithmic axis." if zero and is_log else ""
    st.caption(plain(f"Click a mark to inspect that result.{missing}{_describe_constant(view)}"))
    readouts.draw(view.errors, view.baseline, approaches, problems)


def choose_approaches(
    label: str,
    options: Sequence[str],
    name: str,
    default: Sequence[str],
    problems: list[str],
    memory: str | None = None,
    added: Collection[str] = (),
) -> list[str]:
    """Draw a choice of approaches, in the address as their names with dots between; `added` are chosen too."""
    widget, linked = page_state.key(memory or name), page_state.read_link(name)
    value = st.session_state.get(widget, page_state.recall(memory or name))
    if linked is not None:
        value = linked.split(".")
        if unknown := [other for other in value if other not in semi_supervised.names()]:
            problems.append(f"The link asks for unknown approaches, left out: {shorten(join_words(unknown))}.")
    # A choice that was emptied stays empty; one that was made on data of another kind does not hold here.
    if value is None or (value and not set(value) & set(options)):
        value = default
    st.session_state[widget] = [other for other in options if other in {*value, *added}]
    labels = {other: semi_supervised.get(other).label for other in options}
    chosen = st.pills(label, options, selection_mode="multi", format_func=labels.get, key=widget)
    page_state.keep(name, chosen, text=".".join(chosen) or None, memory=memory)
    return [other for other in options if other in chosen]


@st.cache_resource(max_entries=32, show_spinner=False)
def _figure(stamp: str, approaches: tuple[str, ...], theme: str, is_log: bool, _view: View):
    from core.figures import error_by_labels as figures  # plotly

    places = semi_supervised.names()
    lines = [
        figures.Line(
            name,
            semi_supervised.get(name).label,
            places.index(name),
            [_make_mark(_view, name, n, errors) for n, errors in sorted(_view.errors[name].items())],
            name == _view.baseline,
            [(p.labels, p.error, f"{p.what}. {p.paper}") for p in PUBLISHED.get((_view.entry.name, name), ())],
        )
        for name in approaches
    ]
    counts = sorted({n for name in approaches for n in _view.errors[name]})
    return figures.plot_curve(lines, _view.entry.rows[0], theme, counts=counts, is_log=is_log)


def _chart_data(view: View, approaches: Sequence[str]) -> list[dict[str, Any]]:
    """Mean over seeds by approach and number of labels."""
    head = "approach", "labels", "test error (%)", "test error (%) low", "test error (%) high", "seeds"
    means = [
        (semi_supervised.get(name).label, n, statistics.estimate_mean(errors))
        for name in approaches
        for n, errors in sorted(view.errors[name].items())
    ]
    return [dict(zip(head, (label, n, e.mean, e.low, e.high, e.n), strict=True)) for label, n, e in means]


def _make_mark(view: View, name: str, n: int, errors: Mapping[int, float]):
    from core.figures import error_by_labels as figures

    mean: Estimate = statistics.estimate_error(errors, 100.0)
    rows = [view.find_row(name, n, seed) for seed in errors]
    fit_time = seconds(float(np.median([row["seconds"] for row in rows])))
    hover = (
        f"{semi_supervised.get(name).label}, {n:,} labels ({n / view.entry.rows[0]:.2%} of the rows)",
        f"test error {readouts.format_error(mean)}",
        f"{mean.n} {'seed' if mean.n == 1 else 'seeds'}, n = {rows[0]['n_test']:,} test rows, {fit_time} per fit",
    )
    return figures.Mark(n, mean.mean, mean.low, mean.high, errors, hover)


def _describe_chart(view: View) -> str:
    has_interval = any(len(seeds) > 1 for by_labels in view.errors.values() for seeds in by_labels.values())
    text = (
        f"Test error: share of the {view.rows[0]['n_test']:,} test rows of {view.entry.label} that are misclassified. "
        f"{'Bars: 95% t intervals of the mean over seeds' if has_interval else 'One seed has no interval'}. A seed "
        f"chooses which rows are labelled: the same for every approach, {CHOICES[view.entry.kind]}, nested subsets."
    )
    papers = sorted({p.paper for name in view.errors for p in PUBLISHED.get((view.entry.name, name), ())})
    return f"{text} Published results: {'; '.join(papers)}." if papers else text


def _describe_constant(view: View) -> str:
    """The error of always predicting one class, which is low in a table with a rare class."""
    if view.entry.kind != TABLES:
        return ""
    sizes = np.sum(view.rows[0]["confusion"], axis=1)
    return f" Predicting the most frequent class for all test rows: {1 - sizes.max() / sizes.sum():.2%} test error."


def _inspect() -> None:
    """Open the result of the mark that was clicked."""
    event = st.session_state.get(page_state.key(_CHART))
    points = event["selection"]["points"] if event else []
    if points and len(values := points[0].get("customdata") or ()) == 3:
        choices = dict(zip(("approach", "labels", "seed"), values, strict=True)) | {"part": "point"}
        for name, value in choices.items():
            page_state.keep(name, value)
            st.session_state.pop(page_state.key(name), None)
