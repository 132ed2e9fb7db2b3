"""Tables of all pages, each saved as CSV with raw numbers, intervals and n."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui.shared import export, page_state
from pages.ui.shared.number_format import number
from pages.ui.shared.text import Markup, html


@dataclass(frozen=True)
class Cell:
    """A cell as shown and as saved.

    Attributes
    ----------
    shown : HTML.
    value : number, text or None.
    low, high : ends of its interval.
    n : sample size.
    """

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
    head: Sequence[str], rows: Sequence[Sequence[Cell]], name: str, *, kind: str = "", is_of_all_sizes: bool = False
) -> None:
    """Draw a table with its save button; the only HTML table of the app.

    Parameters
    ----------
    head : title of each column, the first that of the row names
    rows : as many cells each, made by `text` and `estimate`, or `EMPTY`; the first names the row
    name : of the table on its page, for its file
    kind : its class in the style sheet
    is_of_all_sizes : see `charts.draw`
    """
    titles = "".join(f'<th scope="col">{html(title)}</th>' for title in head)
    body = "".join(
        f'<tr><th scope="row">{row[0].shown}</th>{"".join(f"<td>{cell.shown}</td>" for cell in row[1:])}</tr>'
        for row in rows
    )
    st.html(
        Markup(
            f'<div class="hg-wide" tabindex="0" role="region" aria-label="{html(head[0])}">'
            f'<table class="hg-table {kind}" style="--columns:{len(head) - 1}">'
            f"<thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table></div>"
            + export.make_buttons(name, ("csv",), to_csv(head, rows), is_of_all_sizes=is_of_all_sizes)
        )
    )


def to_csv(head: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """The values as CSV; columns with intervals or n are followed by columns of these."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(head)
    saved: dict[str, list[Any]] = {}
    for title, cells in zip(head, columns, strict=True):
        saved[title] = [cell.value for cell in cells]
        for part in ("low", "high", "n"):
            values = [getattr(cell, part) for cell in cells]
            if any(value is not None for value in values):
                saved[f"{title} {part}"] = values
    return export.to_csv(list(saved), list(zip(*saved.values(), strict=True)))


def draw_frame(frame: Any, name: str, **options: Any) -> None:
    """Draw a pandas frame or Arrow table that can be sorted and searched, with its save button."""
    st.dataframe(frame, hide_index=True, key=page_state.key(name), **options)
    as_pandas = frame.to_pandas() if hasattr(frame, "to_pandas") else frame
    st.html(export.make_buttons(name, ("csv",), as_pandas.to_csv(index=False)))
