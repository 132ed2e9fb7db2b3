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

FORMATS = ("svg", "png", "csv")


@st.cache_resource(show_spinner=False)
def load_script() -> str:
    """HTML of the script, once a page, that saves what a button of `make_buttons` belongs to."""
    source = (FOLDER / "export.js").read_text()
    paper = json.dumps(dict(zip(palette.list_colours("dark"), palette.list_colours("light"), strict=True)))
    return f"<script>{source.replace('const PAPER = {};', f'const PAPER = {paper};')}</script>"


def make_buttons(
    name: str, formats: Sequence[str], data: str | None = None, *, is_still: bool = False, is_of_all_sizes: bool = False
) -> Markup:
    """HTML of a button for each format.

    Parameters
    ----------
    name : what is saved, in a word or two
    data : content of the CSV; without it the browser takes what the chart shows
    is_still : whether a still is shown, so that the browser asks for the chart before it saves a picture
    is_of_all_sizes : see `charts.draw`
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
    return Markup(f'<div class="hg-export"{attributes}>Save {buttons}</div>')


def _make_file_name(name: str, is_of_all_sizes: bool) -> str:
    """``"reconstructions-code-size-mnist-10d"``: page, what is saved, data set, dimensions."""
    page = Path(page_state.key("").partition(":")[0]).stem.replace("app", "compare")
    size = None if is_of_all_sizes else st.query_params.get("size")
    parts = [page, name, st.query_params.get("data", ""), f"{size}d" if size else ""]
    return re.sub(r"[^a-z0-9]+", "-", "-".join(filter(None, parts)).lower()).strip("-")[:120]


def to_csv(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV; None is an empty field."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([head, *rows])
    return out.getvalue()
