"""Tables of all pages, each saved as CSV with raw numbers, intervals and n."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.metrics.definitions import Definition, get_definition
from pages.ui.shared import export, page_state, stored_runs
from pages.ui.shared.number_format import counted, interval, number, seconds
from pages.ui.shared.stored_runs import Line
from pages.ui.shared.text import Markup, html, make_breakable

PENDING = "pending"


@dataclass(frozen=True)
class Cell:
    """A cell as shown, in HTML, and as saved: value, ends of its interval, and n."""

    shown: str
    value: Any = None
    low: float | None = None
    high: float | None = None
    n: int | None = None


EMPTY = Cell('<span class="hg-none">–</span>')


def text(value: Any) -> Cell:
    """A cell of text or of a whole number."""
    return Cell(html(f"{value:,}" if isinstance(value, int) else value), value)


def estimate(value: float, low: float | None = None, high: float | None = None, n: int | None = None) -> Cell:
    """A cell of a number with its interval below."""
    ends = "" if low is None or high is None else f'<div class="hg-note">{number(low)} to {number(high)}</div>'
    return Cell(f"{number(value)}{ends}", value, low, high, n)


def draw(
    head: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    name: str,
    *,
    kind: str = "",
    is_of_all_sizes: bool = False,
    saved: tuple[Sequence[str], Sequence[Sequence[Cell]]] | None = None,
) -> None:
    """Draw a table with its save button; the only HTML table of the app beside `make_strip`.

    The first cell names a row; cells are made by `text` and `estimate`, or `EMPTY`. `kind` is a class of the style
    sheet; `saved` are the head and rows that are saved, if not these; for `name` and `is_of_all_sizes` see
    `charts.draw`.
    """
    titles = "".join(f'<th scope="col">{html(title)}</th>' for title in head)
    body = "".join(
        f'<tr><th scope="row">{row[0].shown}</th>{"".join(f"<td>{cell.shown}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    buttons = export.make_buttons(name, ("csv",), to_csv(*(saved or (head, rows))), is_of_all_sizes=is_of_all_sizes)
    table = (
        f'<div class="hg-wide" tabindex="0" role="region" aria-label="Table: {html(name.replace("-", " "))}">'
        f'<table class="hg-table {kind}" style="--columns:{len(head) - 1}">'
        f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    st.html(Markup(table + buttons))


def make_strip(head: Sequence[str], rows: Sequence[tuple[tuple[str, str], Sequence[Cell]]], style: str = "") -> Markup:
    """HTML of a small table with columns of one width; a row is its name with a tooltip, and its cells."""
    titles = "".join(f'<th scope="col" title="{html(title)}">{make_breakable(title)}</th>' for title in ("", *head))
    body = ""
    for (name, about), cells in rows:
        shown = "".join(f'<td title="{html(cell.value)}">{cell.shown}</td>' for cell in cells)
        body += f'<tr><th scope="row" title="{html(about)}">{html(name)}</th>{shown}</tr>'
    return Markup(f'<table class="hg-cells {style}"><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>')


def to_csv(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """The values as CSV; columns with intervals or n are followed by columns of these."""
    columns = [
        (title if part == "value" else f"{title} {part}", k, part)
        for k, title in enumerate(head)
        for part in ("value", "low", "high", "n")
        if part == "value" or any(getattr(row[k], part) is not None for row in rows)
    ]
    titles = [title for title, _, _ in columns]
    return export.to_csv(titles, ([getattr(row[k], part) for _, k, part in columns] for row in rows))


def draw_frame(frame: Any, name: str, *, is_saved: bool = True, **options: Any) -> None:
    """Draw a pandas frame or Arrow table that can be sorted and searched, with its save button."""
    st.dataframe(frame, hide_index=True, key=page_state.key(name), **options)
    if not is_saved:
        return
    as_pandas = frame.to_pandas() if hasattr(frame, "to_pandas") else frame
    st.html(export.make_buttons(name, ("csv",), export.frame_to_csv(as_pandas)))


def edit_frame(frame: Any, key: str, **options: Any) -> None:
    """Draw a pandas frame whose cells can be edited, see `st.data_editor`; the changes are in the session at `key`."""
    st.data_editor(frame, key=key, hide_index=True, **options)


def draw_measures(
    shown: Sequence[Line], keys: Iterable[str], name: str, facts: Mapping[str, Callable[[Line], str]] | None = None
) -> None:
    """Draw a column a run, and a row for each metric of `keys` and for each of `facts`."""
    kind = shown[0].run.environment["kind"] if shown else ""
    rows = [
        _make_row(get_definition(key, kind), shown, stored_runs.find_best(shown, key))
        for key in keys
        if any(key in line.run.metrics or key in line.run.pending for line in shown)
    ]
    rows += [[text(title), *(text(fact(line)) for line in shown)] for title, fact in (facts or {}).items()]
    draw(["Measure", *(line.label for line in shown)], rows, name, kind="hg-measures")


def _make_row(definition: Definition, shown: Sequence[Line], best: str | None) -> list[Cell]:
    unit = f' <span class="hg-note">({html(definition.unit)})</span>' if definition.unit else ""
    summary = f"<details><summary>{html(definition.label)}{unit}</summary>"
    name = Cell(f'{summary}<div class="hg-help">{html(definition.help)}</div></details>', definition.title)
    return [name, *(_make_cell(definition.key, line, line.run.key == best) for line in shown)]


def _make_cell(key: str, line: Line, is_best: bool) -> Cell:
    metrics = line.run.metrics
    if key not in metrics:
        return text(PENDING) if key in line.run.pending else EMPTY
    # The unit of seconds is in the row's name.
    measured = metrics[key]
    value = html(seconds(measured.value).removesuffix(" s")) if key == "seconds" else number(measured.value)
    value = f'<b>{value}</b><span class="hg-best">best</span>' if is_best else value
    unranked = line.entry.not_ranked if key in stored_runs.OF_CODES else ""
    n = f'<span class="hg-whole">{counted(metrics, key)}</span>' if measured.n else ""
    note = ", ".join(filter(None, (interval(metrics, key), n, html(unranked))))
    return Cell(f'{value}<div class="hg-note">{note}</div>', measured.value, measured.low, measured.high, measured.n)
