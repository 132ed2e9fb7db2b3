"""The curve of Labelled fraction: test error against the number of labels, and what it says in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from core import approaches, datasets, sweeps
from core.approaches.published import PUBLISHED
from core.datasets import Entry
from core.metrics import fractions
from core.metrics.fractions import Errors, Estimate, Worth
from pages.ui import choices, nav
from pages.ui.numbers import seconds
from pages.ui.text import Markup, html, listed, plain, shortened

BASELINE = {"images": "network", "documents": "logistic"}
_DEFAULT = "mnist"
_SHOWN = ("network", "logistic", "fine_tuned", "m1", "m2", "m1_m2", "sgan", "lsa", "ae")
_LOG, _LINEAR = "log", "linear"
_CHART = {"displaylogo": False, "displayModeBar": False}
_STEPS = 25


@dataclass(frozen=True)
class View:
    """What is shown.

    Attributes
    ----------
    rows : of the data set, one a cell, see `core.labelled.measure`; all of one copy of the data.
    errors : approach -> number of labels -> seed -> error.
    """

    entry: Entry
    rows: tuple[dict[str, Any], ...]
    errors: Mapping[str, Errors]

    @property
    def baseline(self) -> str:
        """The approach that all others are held against."""
        return BASELINE[self.entry.kind]

    def row(self, approach: str, labels: int, seed: int) -> dict[str, Any] | None:
        asked = approach, labels, seed
        return next((row for row in self.rows if (row["method"], row["labels"], row["seed"]) == asked), None)


def choose(problems: list[str]) -> View:
    """Draw the choice of a data set, those without labels left out; read what is kept of it."""
    names = [name for name in datasets.names() if datasets.entry(name).has_labels]
    kept = {name: _rows(name) for name in names}
    order = sorted(names, key=lambda name: (not kept[name].rows, names.index(name)))
    refused: list[str] = []
    default = _DEFAULT if kept[_DEFAULT].rows else order[0]
    widget = choices.seed("data", order, default, refused)

    def named(name: str) -> str:
        return datasets.entry(name).label + ("" if kept[name].rows else " (no results yet)")

    without = listed([datasets.entry(name).label for name in datasets.names() if name not in names])
    chosen = st.selectbox(
        "Data set",
        order,
        format_func=named,
        key=widget,
        width=280,
        help=f"Without labels there is nothing to classify, so {without} can't be chosen.",
    )
    if refused:
        asked = shortened(choices.asked("data"))
        why = "has no labels" if asked in datasets.names() else "is not known"
        problems.append(
            f"The link asks for the data set “{asked}”, which {why}: {datasets.entry(chosen).label} is shown."
        )
    choices.keep("data", chosen)
    problems += kept[chosen].problems
    entry = datasets.entry(chosen)
    usual = dict(entry.default_params)
    rows = [row for row in kept[chosen].rows if sweeps.is_current(row) and row["dataset_params"] == usual]
    if others := len(kept[chosen].rows) - len(rows):
        problems.append(f"{_results(others)} with earlier settings, or other parameters of the data, left out.")
    if rows:
        newest = max(rows, key=lambda row: str(row.get("date", "")))["data_checksum"]
        same = [row for row in rows if row["data_checksum"] == newest]
        if others := len(rows) - len(same):
            problems.append(f"{_results(others)} measured on another copy of the data, left out.")
        rows = same
    return View(entry, tuple(rows), sweeps.by_approach(rows))


def _results(n: int) -> str:
    return f"{n} {'result' if n == 1 else 'results'}"


def _rows(name: str) -> sweeps.Rows:
    stamps = []
    for place in (sweeps.folder(), sweeps.SHIPPED):
        file = sweeps.file_of(name, place)
        try:
            found = file.stat()
            stamps.append((str(file), found.st_mtime_ns, found.st_size))
        except OSError:
            stamps.append((str(file), 0, 0))
    return _read(name, repr(stamps))


@st.cache_resource(max_entries=16, show_spinner=False)
def _read(name: str, stamps: str) -> sweeps.Rows:
    return sweeps.read(name)


# --- The chart ----------------------------------------------------------------------------------------------------


def draw(view: View, problems: list[str]) -> None:
    st.markdown(
        plain(
            "Many rows, few labels: what is learned from all rows without their labels, and then from a few with "
            "them, against learning from those few alone. Lines are means over seeds with 95 % intervals, faint dots "
            "the seeds, hollow marks published figures."
        )
    )
    if not view.rows:
        st.info(plain(f"Nothing is measured on {view.entry.label} yet: run a sweep below."))
        return
    shown = _pills(view, problems)
    if not shown:
        st.info("No approach is chosen: choose one above.")
        return
    is_log = _axis(problems) == _LOG
    st.plotly_chart(
        _figure(_stamp(view), tuple(shown), nav.theme(), is_log, view),
        key=choices.key("curve"),
        config=_CHART,
        on_select=_clicked,
        selection_mode="points",
    )
    st.caption(plain(_how(view, shown)))
    _readouts(view, shown, problems)


def _stamp(view: View) -> str:
    return repr((view.entry.name, len(view.rows), max(str(row.get("date", "")) for row in view.rows)))


def _pills(view: View, problems: list[str]) -> list[str]:
    """The approaches that are shown: remembered, and in the address as their names with dots between."""
    there = list(view.errors)
    widget, given = choices.key("methods"), choices.asked("methods")
    value = st.session_state.get(widget, choices.remembered("methods"))
    if given is not None:
        value = given.split(".")
        if unknown := [name for name in value if name not in approaches.names()]:
            problems.append(f"The link asks for {shortened(listed(unknown))}, which is no approach: left out.")
    # A choice that was emptied stays empty; one that was made on data of another kind does not hold here.
    if value is None or (value and not set(value) & set(there)):
        value = [name for name in there if name in _SHOWN] or there
    st.session_state[widget] = [name for name in there if name in value]
    shown = st.pills(
        "Approaches",
        there,
        selection_mode="multi",
        format_func=lambda name: approaches.get(name).label,
        key=widget,
    )
    choices.keep("methods", shown, text=".".join(shown) or None)
    return [name for name in there if name in shown]


def _axis(problems: list[str]) -> str:
    return choices.segments(
        "axis", "Axis of errors", {_LOG: "Logarithmic", _LINEAR: "Linear"}, problems, label_visibility="collapsed"
    )


@st.cache_resource(max_entries=32, show_spinner=False)
def _figure(stamp: str, shown: tuple[str, ...], theme: str, is_log: bool, _view: View):
    from core.figures import fractions as figures  # plotly

    places = approaches.names()
    lines = [
        figures.Line(
            name,
            approaches.get(name).label,
            places.index(name),
            [_mark(_view, name, n, of_seed) for n, of_seed in sorted(_view.errors[name].items())],
            name == _view.baseline,
            [(p.labels, p.error, f"{p.what}. {p.paper}") for p in PUBLISHED.get((_view.entry.name, name), ())],
        )
        for name in shown
    ]
    counts = sorted({n for name in shown for n in _view.errors[name]})
    return figures.curve(lines, _view.entry.rows[0], theme, counts=counts, is_log=is_log)


def _mark(view: View, name: str, n: int, of_seed: Mapping[int, float]):
    from core.figures import fractions as figures

    percent = {seed: 100 * error for seed, error in of_seed.items()}
    found = fractions.estimate(percent)
    rows = [view.row(name, n, seed) for seed in of_seed]
    spent = float(np.median([row["seconds"] for row in rows]))
    about = (
        f"{approaches.get(name).label}, {n:,} labels ({n / view.entry.rows[0]:.2%} of the rows)",
        f"test error {spelled(found)}",
        f"{found.n} {'seed' if found.n == 1 else 'seeds'}, n = {rows[0]['n_test']:,} test rows, {seconds(spent)} a fit",
    )
    return figures.Mark(n, found.mean, found.low, found.high, percent, about)


def spelled(found: Estimate) -> str:
    """``"6.12 % (5.80 to 6.44)"``, of an estimate in percent."""
    # An interval by t may reach below 0, which no error does.
    ends = "" if found.low is None else f" ({max(0.0, found.low):.2f} to {found.high:.2f})"
    return f"{found.mean:.2f} %{ends}"


def _how(view: View, shown: Sequence[str]) -> str:
    entry, several = view.entry, any(len(of_seed) > 1 for own in view.errors.values() for of_seed in own.values())
    interval = "bars are 95 % t intervals of the mean over seeds" if several else "one seed has no interval"
    text = (
        f"Test error: share of the {view.rows[0]['n_test']:,} test rows of {entry.label} named wrongly; {interval}. A "
        "seed chooses which rows are labelled, the same for every approach, equally many of each class, those of a "
        "smaller number among those of a larger. Click a mark to look behind it."
    )
    if papers := sorted({p.paper for name in shown for p in PUBLISHED.get((entry.name, name), ())}):
        text += f" Hollow marks are published: {'; '.join(papers)}."
    return text


def _clicked() -> None:
    """Look behind the point that was clicked."""
    event = st.session_state.get(choices.key("curve"))
    points = event["selection"]["points"] if event else []
    if points and len(about := points[0].get("customdata") or ()) == 3:
        for name, value in zip(("approach", "labels", "seed"), about, strict=True):
            choices.keep(name, value)
            st.session_state.pop(choices.key(name), None)
        choices.keep("part", "point")
        st.session_state.pop(choices.key("part"), None)


# --- What it says -------------------------------------------------------------------------------------------------


def _readouts(view: View, shown: Sequence[str], problems: list[str]) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="fraction-readouts"):
        against = _against(view, problems)
        at = _position(sorted(view.errors[against]), problems)
    others = [name for name in shown if name != against and fractions.at(view.errors[name], at)]
    if not others:
        st.caption(plain(f"No other approach that is shown was measured with {at:,} labels."))
        return
    compared = [_Compared.of(view, name, against, at, len(others)) for name in others]
    compared.sort(key=lambda each: each.error.mean)
    base = fractions.estimate(_percent(fractions.at(view.errors[against], at)))
    label, most = approaches.get(against).label, max(view.errors[against])
    st.markdown(plain(_verdict(compared, base, label, at, most)))
    st.html(_table(compared, base, label, most))
    notes = [
        "Differences are paired by seed: 95 % t interval of the mean over the seeds both have; the sentence above "
        "allows for having picked the best of several (Bonferroni). The last column, the labels saved, is where the "
        "line of the other approach, straight between its means over the logarithm of labels, falls to the same error; "
        "its interval holds 95 % of draws that move each mean by its own error."
    ]
    if between := [name for name in (against, *others) if at not in view.errors[name]]:
        who = listed([approaches.get(name).label for name in between])
        notes.append(f"Between numbers of labels that were measured errors are interpolated, here those of {who}.")
    st.caption(plain(" ".join(notes)))


def _against(view: View, problems: list[str]) -> str:
    there = list(view.errors)
    widget = choices.seed("against", there, view.baseline if view.baseline in there else there[0], problems)
    chosen = st.selectbox(
        "Held against", there, format_func=lambda name: approaches.get(name).label, key=widget, width=280
    )
    choices.keep("against", chosen)
    return chosen


def _position(counts: Sequence[int], problems: list[str]) -> int:
    """A number of labels, measured or between."""
    steps = {round(n) for n in np.geomspace(counts[0], counts[-1], _STEPS)} if len(counts) > 1 else set()
    options = sorted({*counts, *(n for n in steps if all(abs(np.log(n / m)) > 0.03 for m in counts))})
    if len(options) == 1:
        return options[0]
    widget = choices.seed("at", options, counts[0], problems, parse=choices.whole)
    chosen = st.select_slider("Labels", options, format_func=lambda n: f"{n:,}", key=widget, width=420)
    choices.keep("at", chosen)
    return chosen


@dataclass(frozen=True)
class _Compared:
    """An approach held against another at a number of labels, errors in percent.

    Attributes
    ----------
    strict : the gap at the level that holds for the best of all that are compared (Bonferroni).
    """

    label: str
    error: Estimate
    gap: Estimate | None
    strict: Estimate | None
    worth: Worth

    @classmethod
    def of(cls, view: View, name: str, against: str, at: int, n_compared: int) -> _Compared:
        own = fractions.at(view.errors[name], at)
        both = _in_percent(view.errors[name]), _in_percent(view.errors[against])
        gap, strict = (fractions.gap(*both, at, level) for level in (0.95, 1 - 0.05 / n_compared))
        worth = fractions.labels_worth(own, view.errors[against])
        return cls(approaches.get(name).label, fractions.estimate(_percent(own)), gap, strict, worth)


def _percent(of_seed: Mapping[int, float]) -> dict[int, float]:
    return {seed: 100 * error for seed, error in of_seed.items()}


def _in_percent(errors: Errors) -> dict[int, dict[int, float]]:
    return {n: _percent(of_seed) for n, of_seed in errors.items()}


def _verdict(compared: Sequence[_Compared], base: Estimate, label: str, at: int, most: int) -> str:
    """One sentence on the best approach, and one on those that noise can't tell from the other."""
    best = compared[0]
    text = f"With {at:,} labels {label} errs on {base.mean:.2f} %, {best.label} on {best.error.mean:.2f} %"
    if best.strict is None or best.strict.low is None:
        text += "; with fewer than two common seeds nothing says whether that is more than noise."
    elif best.strict.excludes_zero:
        less = "less" if best.strict.mean > 0 else "more"
        text += f": {abs(best.strict.mean):.2f} percentage points {less}, beyond the noise of seeds."
        if best.strict.mean > 0:
            text += f" That is as good as {label} with {_labels(best.worth.labels, most)}{_ends(best.worth, most)}."
    else:
        text += ": the difference is within the noise."
    noisy = [
        each.label for each in compared[1:] if each.gap and each.gap.low is not None and not each.gap.excludes_zero
    ]
    if noisy:
        text += f" {label} can't be told from {listed(noisy)}."
    return text


def _labels(labels: float, most: int) -> str:
    if labels == 0 or np.isinf(labels):
        return "fewer labels than were measured" if labels == 0 else f"more than {most:,} labels"
    return f"{labels:,.0f} labels"


def _ends(worth: Worth, most: int) -> str:
    if worth.low is None or worth.low == worth.high:
        return ""

    def spelled_end(n: float) -> str:
        return "fewer" if n == 0 else f"more than {most:,}" if np.isinf(n) else f"{n:,.0f}"

    return f" ({spelled_end(worth.low)} to {spelled_end(worth.high)})"


def _table(compared: Sequence[_Compared], base: Estimate, label: str, most: int) -> Markup:
    head = ("", "Test error", f"Percentage points less than {label}", f"As good as {label} with")
    rows = [f"<tr><th scope='row'>{html(label)}</th><td>{html(spelled(base))}</td><td>–</td><td>–</td></tr>"]
    for each in compared:
        gap = "no common seed"
        if each.gap is not None:
            noise = "" if each.gap.low is None or each.gap.excludes_zero else ", within the noise"
            ends = "one seed" if each.gap.low is None else f"{each.gap.low:.2f} to {each.gap.high:.2f}"
            gap = f"{each.gap.mean:.2f}<div class='hg-note'>{ends}{noise}</div>"
        saved, ends = _labels(each.worth.labels, most), _ends(each.worth, most).strip(" ()")
        worth = f"{html(saved)}<div class='hg-note'>{html(ends)}</div>"
        rows.append(
            f"<tr><th scope='row'>{html(each.label)}</th><td>{html(spelled(each.error))}"
            f"<div class='hg-note'>{each.error.n} {'seed' if each.error.n == 1 else 'seeds'}</div></td>"
            f"<td>{gap}</td><td>{worth}</td></tr>"
        )
    return Markup(
        '<div class="hg-wide"><table class="hg-table"><thead><tr>'
        + "".join(f'<th scope="col">{html(text)}</th>' for text in head)
        + f"</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )
