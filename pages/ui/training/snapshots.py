"""Snapshots of a training: map, reconstructions, samples or expected words of the same test rows after an epoch."""

import numpy as np
import streamlit as st

from core.analysis.snapshots import Replay
from core.figures import montages
from core.types import TABLES, Run
from pages.ui.shared import header, page_state
from pages.ui.shared.html_blocks import make_caption, make_note, make_words
from pages.ui.shared.images import IN_STRIP, image, montage
from pages.ui.shared.stored_runs import Stamp
from pages.ui.shared.text import Markup, html

_MAP_PIXELS = 320
_N_SAMPLES = 16


def draw(replay: Replay, stamp: Stamp, slider: str = "") -> None:
    """Draw the snapshot that the slider of this name chooses, else the last one."""
    k = len(replay) - 1
    if slider and k:
        widget, options = page_state.key(f"epoch/{slider}"), list(range(k + 1))
        if st.session_state.get(widget) not in options:
            st.session_state[widget] = k
        about = f"{len(replay)} snapshots of the same rows, taken during training."
        k = st.select_slider("Epoch", options, key=widget, format_func=lambda k: f"{replay.epochs[k]:g}", help=about)
    st.html(_render(stamp, k, header.get_theme(), replay))


def from_run(run: Run) -> Replay:
    """Make the only snapshot of a run without any: what it shows on other pages; of a table only the map."""
    views = run.views if run.environment["kind"] != TABLES else {"map": run.views.get("map")}
    first = lambda name, n=None: views[name][None, :n] if views.get(name) is not None else None
    about = {name: run.notes[name] for name in ("map", "samples", "target_names") if name in run.notes}
    if run.notes.get("documents"):
        about["documents"] = [run.notes["documents"]]
    originals = views.get("originals")
    return Replay(
        epochs=np.array([run.history[-1].get("epoch", 0) if run.history else 0]),
        seconds=np.array([run.metrics["seconds"].value]),
        map=first("map"),
        reconstructions=first("reconstructions", IN_STRIP),
        samples=first("samples", _N_SAMPLES),
        originals=None if originals is None else originals[:IN_STRIP],
        labels=run.views.get("labels"),
        rows=run.views["shown_rows"],
        about={**about, "image_shape": run.environment.get("image_shape")},
    )


@st.cache_data(max_entries=256, show_spinner=False)
def _render(stamp: Stamp, k: int, theme: str, _replay: Replay) -> Markup:
    shape = tuple(_replay.about.get("image_shape") or ())
    parts = []
    if _replay.map is not None:
        png = montages.encode_png(montages.make_thumbnail(_replay.map[k], _replay.labels, theme, size=_MAP_PIXELS))
        about = f"{len(_replay.rows):,} test rows, {_replay.about.get('map', '')}"
        parts.append(_part("Map", about, image(png, f"Map of {about}", "hg-forming"), "hg-square"))
    if _replay.reconstructions is not None:
        strips = ("Originals", _replay.originals), ("Reconstructions", _replay.reconstructions[k])
        shown = [(name, rows) for name, rows in strips if rows is not None]
        body = "".join(make_note(name) + montage(rows, shape, len(rows), name, "hg-strip") for name, rows in shown)
        parts.append(_part("Test images and reconstructions", "", body))
    if _replay.samples is not None:
        body = montage(_replay.samples[k], shape, 8, "Samples", "hg-strip")
        parts.append(_part("Samples", _replay.about.get("samples", ""), body))
    if "documents" in _replay.about:
        about = "of test documents; bold: words of the document"
        parts.append(_part("Expected words", about, _make_documents(_replay.about["documents"][k])))
    epoch = f"{_replay.epochs[k]:g}"
    return Markup(f'<div class="hg-forms" aria-label="After epoch {epoch}">{"".join(parts)}</div>')


def _part(title: str, about: str, body: str, style: str = "") -> str:
    return f'<div class="{style}">{make_caption(title, about)}{body}</div>'


def _make_documents(documents: list[dict]) -> str:
    cells = [
        f'<div><div class="hg-title">{html(document["title"])}</div>'
        f"{make_words((word, f'{value:.3g}', is_inside) for word, value, is_inside in document['expects'])}</div>"
        for document in documents
    ]
    return f'<div class="hg-docs">{"".join(cells)}</div>'
