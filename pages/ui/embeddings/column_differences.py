"""Each column of a table inside and outside the selection, as a table that is saved as CSV."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from core.analysis.codes import describe_error
from core.analysis.column_comparison import Difference, compare_columns
from core.analysis.columns import DATE, NUMBER, Column
from core.errors import HourglassError
from core.types import Measurement
from pages.ui.embeddings.map_state import MapView
from pages.ui.shared import page_state, tables
from pages.ui.shared.number_format import cell
from pages.ui.shared.tables import Cell
from pages.ui.shared.text import html, plain, shorten

_MOST_SHOWN = 12
_LONGEST = 50
_HELP = """
Numbers: means with t intervals, Welch's interval of their difference, and Cohen's d. Categories: the category whose
shares differ most, with Wilson's intervals, Newcombe's interval of the difference, and Cohen's h. 0.2 is called a small
effect, 0.5 a medium and 0.8 a large one.

“n. s.”: not significant. Many columns are compared, so significance is corrected: of the differences called significant
at most 5% are expected to be false (Benjamini and Hochberg, on Welch's and Fisher's exact tests). The intervals are of
one column each.

A selection made on a map of these columns differs in them by construction: the effects describe it, and a test says
something new only of columns that the maps did not use.
"""


def draw(view: MapView, positions: np.ndarray) -> None:
    """Draw how the selected rows differ from the others in each column and in the reconstruction errors."""
    rows = view.rows
    is_inside = np.zeros(len(rows), bool)
    is_inside[positions] = True
    is_outside = ~is_inside & ~np.isin(rows.y, view.look.hidden)
    n, n_others = len(positions), int(is_outside.sum())
    if not n_others:
        st.markdown("All rows shown are selected, so there are none to compare them with.")
        return
    found = compare_columns(rows.columns, is_inside, is_outside)
    about = (
        f"{n:,} selected row{'s' if n > 1 else ''} against the {n_others:,} other{'s' if n_others > 1 else ''} shown"
    )
    st.markdown(f"**What differs**: {about}, the largest effect first.", help=_HELP)
    head = ["Column", "Selected", "Others", "Difference", "Effect"]
    lines = [_make_line(each, n, n_others) for each in found]
    is_long = len(lines) > _MOST_SHOWN
    shows_all = is_long and st.session_state.get(page_state.key("all-columns"), False)
    shown = lines if shows_all else lines[:_MOST_SHOWN]
    tests = [[tables.text(each.p), tables.text(str(each.is_significant))] for each in found]
    saved = [*head, "p", "significant"], [[*line, *test] for line, test in zip(lines, tests, strict=True)]
    tables.draw(head, shown, "selected-against-others", kind="hg-differences", saved=saved)
    if is_long:
        st.toggle(f"All {len(lines)} comparisons", key=page_state.key("all-columns"))
    if lines_of_errors := [
        _make_line(each, n, n_others) for each in compare_columns(_list_errors(view), is_inside, is_outside)
    ]:
        st.markdown(f"**Reconstruction error**: mean {describe_error(rows)} of the rows.")
        tables.draw(["Method", *head[1:]], lines_of_errors, "errors-of-selected", kind="hg-differences")


def _list_errors(view: MapView) -> Sequence[Column]:
    columns = []
    for run_map in view.one_per_run:
        try:
            errors = run_map.errors if run_map.reconstructs else None
        except HourglassError as problem:
            st.warning(plain(str(problem)))
            continue
        if errors is not None:
            columns.append(Column(run_map.name, NUMBER, errors))
    return columns


def _make_line(found: Difference, n: int, n_others: int) -> list[Cell]:
    name = found.column.name
    about = "missing cells" if found.is_missing else shorten(found.category, _LONGEST)
    note = f'<div class="hg-note">{html(about)}</div>' if about else ""
    saved = ": ".join(filter(None, (name, "missing cells" if found.is_missing else found.category)))
    write = _choose_writer(found)
    inside, outside = (
        _make_cell(part, write, f"n = {part.n:,}" if part.n != size else "")
        for part, size in ((found.inside, n), (found.outside, n_others))
    )
    unit = {_write_share: "points", _write_day: "days"}.get(write, "")
    write_change = (lambda share: f"{100 * share:+.1f}".replace("-", "−")) if write is _write_share else _sign
    change = found.difference if n > 1 else Measurement(found.difference.value)
    difference = _make_cell(change, write_change, unit=unit)
    if n == 1 and found.category:
        inside = replace(inside, shown=html("this" if found.inside.value else "another"))
    effect = _sign(found.effect) if np.isfinite(found.effect) else "∞" if found.effect > 0 else "−∞"
    remark = "" if found.is_significant or n == 1 else '<div class="hg-note">n. s.</div>'
    title = Cell(f"{html(shorten(name, _LONGEST))}{note}", saved)
    return [title, inside, outside, difference, Cell(f"{effect}{remark}", found.effect)]


def _choose_writer(found: Difference) -> Callable[[float], str]:
    if found.is_missing or found.category:
        return _write_share
    return _write_day if found.column.type == DATE else cell


def _write_share(share: float) -> str:
    return f"{100 * share:.1f}%".replace("-", "−")


def _write_day(days: float) -> str:
    return str(np.datetime64(round(days), "D"))


def _sign(value: float) -> str:
    return cell(value) if value < 0 else f"+{cell(value)}"


def _make_cell(measured: Measurement, write: Callable[[float], str], remark: str = "", unit: str = "") -> Cell:
    ends = "" if measured.interval is None else f"{write(measured.low)} to {write(measured.high)}"
    notes = "".join(f'<div class="hg-note">{html(text)}</div>' for text in (ends, remark) if text)
    return Cell(
        f"{html(f'{write(measured.value)} {unit}')}{notes}", measured.value, measured.low, measured.high, measured.n
    )
