"""Save buttons below charts and tables, their file names, and the script that acts on them."""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from core import datasets
from core.figures import palette
from pages.ui.shared import page_state
from pages.ui.shared.components import FOLDER
from pages.ui.shared.text import Markup

# Signs that begin a formula, but not a number or a sign alone.
_FORMULA = re.compile(r"\s*[=@]|\s*[+\-](?![\d.,eE+\-:% ]*$)|[\t\r]")
FORMATS = ("svg", "png", "csv")


@st.cache_resource(show_spinner=False)
def load_script() -> str:
    """HTML of the script, once a page, that saves what a button of `make_buttons` belongs to."""
    source = (FOLDER / "export.js").read_text()
    paper = json.dumps(dict(zip(palette.list_colours("dark"), palette.list_colours("light"), strict=True)))
    return f"<script>{source.replace('const PAPER = {};', f'const PAPER = {paper};')}</script>"


def make_buttons(
    name: str,
    formats: Sequence[str],
    data: str | None = None,
    *,
    is_still: bool = False,
    is_of_all_sizes: bool = False,
    has_table: bool = False,
) -> Markup:
    """HTML of a button for each format.

    Parameters
    ----------
    name : what is saved, in a word or two
    data : content of the CSV; without it the browser takes what the chart shows
    is_still : whether a still is shown, so that the browser asks for the chart before it saves a picture
    is_of_all_sizes : see `charts.draw`
    has_table : whether a button shows the numbers of the CSV as a table
    """
    dataset = st.query_params.get("data", "")
    label = f"{datasets.entry(dataset).label}: " if datasets.is_known(dataset) else ""
    about = {"file": _make_file_name(name, is_of_all_sizes), "title": label + name.replace("-", " "), "csv": data}
    about["still"] = re.sub("[^a-z0-9]", "-", name.lower()) if is_still else None
    attributes = "".join(f' data-{key}="{escape(value)}"' for key, value in about.items() if value is not None)
    buttons = "".join(
        f'<button type="button" value="{suffix}" aria-label="Save {escape(name)} as {suffix.upper()}">'
        f"{suffix.upper()}</button>"
        for suffix in formats
    )
    unseen = f'<span class="hg-unseen"> of {escape(name)}</span>'
    table = f'<button type="button" value="table" aria-expanded="false">Numbers{unseen}</button>' if has_table else ""
    return Markup(f'<div class="hg-export"{attributes}>{table}<span>Save</span> {buttons}</div>')


def _make_file_name(name: str, is_of_all_sizes: bool) -> str:
    """``"reconstructions-code-size-mnist-10d"``: page, what is saved, data set, dimensions."""
    page = Path(page_state.key("").partition(":")[0]).stem.replace("app", "compare")
    size = None if is_of_all_sizes else st.query_params.get("size")
    parts = [page, name, st.query_params.get("data", ""), f"{size}d" if size else ""]
    return re.sub(r"[^a-z0-9]+", "-", "-".join(filter(None, parts)).lower()).strip("-")[:120]


def to_csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV; None and NaN are empty fields, see also `disarm`."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(
        [None if cell != cell else disarm(cell) for cell in row] for row in (head, *rows)
    )
    return out.getvalue()


def frame_to_csv(frame: Any, head: Sequence[str] | None = None) -> str:
    """A pandas frame, without its index, as CSV; `head` are other names of its columns."""
    safe = frame.copy()
    for name in frame.select_dtypes(["object", "string", "category"]).columns:
        safe[name] = frame[name].astype(object).map(disarm)
    return safe.to_csv(index=False, header=[disarm(name) for name in head or frame.columns])


def disarm(cell: Any) -> Any:
    """A cell of a CSV that a spreadsheet would take for a formula, behind an apostrophe as text; others as they are."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell
