"""Approaches compared with a baseline at a number of labels: errors, differences and labels saved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core import semi_supervised
from core.semi_supervised import statistics
from core.semi_supervised.statistics import Errors, Estimate, Worth
from pages.ui.shared import page_state, tables
from pages.ui.shared.tables import Cell
from pages.ui.shared.text import html, join_words, plain

_STEPS = 25


def draw(
    errors_by_approach: Mapping[str, Errors], default: str, approaches: Sequence[str], problems: list[str]
) -> None:
    """Draw the choice of baseline and number of labels, a sentence and a table; errors are in percent."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="fraction-readouts"):
        measured = list(errors_by_approach)
        default = default if default in measured else measured[0]
        look = {"format_func": lambda name: semi_supervised.get(name).label, "width": 280}
        baseline = page_state.choose_with(st.selectbox, "against", "Baseline", measured, default, problems, **look)
        errors = errors_by_approach[baseline]
        n = _choose_labels(sorted(errors), problems)
    others = [
        name for name in approaches if name != baseline and statistics.interpolate_errors(errors_by_approach[name], n)
    ]
    if not others:
        st.caption(plain(f"No other selected approach was measured with {n:,} labels."))
        return
    compared = []
    for name in others:
        of_name = errors_by_approach[name]
        gap, strict = (statistics.estimate_gap(of_name, errors, n, level) for level in (0.95, 1 - 0.05 / len(others)))
        own = statistics.interpolate_errors(of_name, n)
        error, worth = statistics.estimate_error(own, 100.0), statistics.estimate_labels_worth(own, errors)
        compared.append(_Comparison(semi_supervised.get(name).label, error, gap, strict, worth))
    compared.sort(key=lambda comparison: comparison.error.mean)
    base = statistics.estimate_error(statistics.interpolate_errors(errors, n), 100.0)
    label, most = semi_supervised.get(baseline).label, max(errors)
    st.markdown(plain(_describe(compared, base, label, n, most)))
    worth_title = f"Labels {label} needs for the same error"
    head = ("Approach", "Test error (%)", f"Percentage points below {label}", worth_title)
    tables.draw(head, _table_rows(compared, base, label, most), f"error-{n}-labels")
    text = (
        "Differences are paired by seed, with the 95% t interval of the mean over common seeds. In the sentence above, "
        "the best of several is corrected for the choice (Bonferroni). The last column is the number of labels at "
        "which the baseline's curve, linear in the logarithm of labels, reaches the same error; its interval contains "
        "95% of draws that move each mean by its standard error."
    )
    if interpolated := [name for name in (baseline, *others) if n not in errors_by_approach[name]]:
        names = join_words([semi_supervised.get(name).label for name in interpolated])
        text += f" Errors between measured numbers of labels are interpolated, here those of {names}."
    with st.expander("Details"):
        st.markdown(plain(text))


def _choose_labels(counts: Sequence[int], problems: list[str]) -> int:
    """A number of labels, measured or between."""
    steps = {round(n) for n in np.geomspace(counts[0], counts[-1], _STEPS)} if len(counts) > 1 else set()
    options = sorted({*counts, *(n for n in steps if all(abs(np.log(n / m)) > 0.03 for m in counts))})
    if len(options) == 1:
        return options[0]
    look = {"parse": page_state.parse_integer, "format_func": lambda n: f"{n:,}", "width": 420}
    return page_state.choose_with(st.select_slider, "at", "Labels", options, counts[0], problems, **look)


@dataclass(frozen=True)
class _Comparison:
    """An approach compared with the baseline at a number of labels, errors in percent."""

    label: str
    error: Estimate
    gap: Estimate | None
    strict: Estimate | None  # the gap at the level that holds for the best of all that are compared (Bonferroni)
    worth: Worth


def _describe(compared: Sequence[_Comparison], base: Estimate, label: str, n: int, most: int) -> str:
    """A sentence on the best approach, and one on those that are not significantly different from the baseline."""
    best = compared[0]
    text = f"With {n:,} labels, {label} has a test error of {base.mean:.2f}%, {best.label} of {best.error.mean:.2f}%"
    if best.strict is None or best.strict.low is None:
        text += "; fewer than two common seeds, so no test is possible."
    elif best.strict.excludes_zero:
        less = "less" if best.strict.mean > 0 else "more"
        text += f": {abs(best.strict.mean):.2f} percentage points {less}, significantly different across seeds."
        if best.strict.mean > 0:
            saved, ends = _format_worth(best.worth, most)
            text += f" Labels {label} needs for the same error: {saved}{f' ({ends})' if ends else ''}."
    else:
        text += ": not significantly different across seeds."
    tied = [other.label for other in compared[1:] if other.gap and _is_tied(other.gap)]
    return f"{text} {label} and {join_words(tied)} are not significantly different." if tied else text


def _is_tied(gap: Estimate) -> bool:
    return gap.low is not None and not gap.excludes_zero


def format_error(error: Estimate) -> str:
    """``"6.12% (5.80 to 6.44)"``, of an estimate in percent."""
    ends = "" if error.low is None else f" ({error.low:.2f} to {error.high:.2f})"
    return f"{error.mean:.2f}%{ends}"


def _format_worth(worth: Worth, most: int) -> tuple[str, str]:
    """How many labels the baseline needs, and the ends of the interval, empty where there is none."""
    if worth.low == 0 and np.isinf(worth.high):
        return "no estimate", "interval covers all measured numbers"

    def format_count(n: float) -> str:
        return "fewer than measured" if n == 0 else f"more than {most:,}" if np.isinf(n) else f"{n:,.0f}"

    has_ends = worth.low is not None and worth.low != worth.high
    return format_count(worth.labels), f"{format_count(worth.low)} to {format_count(worth.high)}" if has_ends else ""


def _table_rows(compared: Sequence[_Comparison], base: Estimate, label: str, most: int) -> list[list[Cell]]:
    rows = [[tables.text(label), _make_cell(format_error(base), "", base), tables.EMPTY, tables.EMPTY]]
    for comparison in compared:
        error, gap, worth = comparison.error, comparison.gap, comparison.worth
        gap_cell = tables.text("no common seed")
        if gap is not None:
            ends = "one seed" if gap.low is None else f"{gap.low:.2f} to {gap.high:.2f}"
            note = f"{ends}, not significant" if _is_tied(gap) else ends
            gap_cell = _make_cell(f"{gap.mean:.2f}".replace("-", "−"), note.replace("-", "−"), gap)
        error_cell = _make_cell(format_error(error), f"{error.n} {'seed' if error.n == 1 else 'seeds'}", error)
        worth_cell = Cell(_add_note(*_format_worth(worth, most)), worth.labels, worth.low, worth.high)
        rows.append([tables.text(comparison.label), error_cell, gap_cell, worth_cell])
    return rows


def _make_cell(text: str, note: str, estimate: Estimate) -> Cell:
    return Cell(_add_note(text, note), estimate.mean, estimate.low, estimate.high, estimate.n)


def _add_note(text: str, note: str) -> str:
    return html(text) + (f"<div class='hg-note'>{html(note)}</div>" if note else "")
