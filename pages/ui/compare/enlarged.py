"""Dialogs of Compare: a map to explore, and strips and samples enlarged."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.ui.compare import samples
from pages.ui.shared import charts, header, images
from pages.ui.shared.stored_runs import Line
from pages.ui.shared.text import html, plain


def open_dialog(kind: str, line: Line, lines: Sequence[Line]) -> None:
    """Open the dialog of the picture of this kind that was clicked in `line`."""
    if kind == "strips":
        _draw_strips(lines)
    else:
        {"map": _draw_map, "samples": _draw_samples}[kind](line)


@st.dialog("Map", width="large")
def _draw_map(line: Line) -> None:
    from core.figures import scatter  # plotly: most visits open no figure

    run = line.run
    names = run.notes.get("target_names", [])
    st.markdown(
        f"**{plain(line.label)}**: {len(run.views['map']):,} test rows, {plain(run.notes['map'])}. "
        "Drag to move, scroll to zoom, double-click to reset."
    )
    figure = scatter.plot_scatter(
        run.views["map"], run.views.get("labels"), names, run.views["shown_rows"], header.get_theme(), run.notes["map"]
    )
    charts.draw(figure, "map", is_zoomed=True)


@st.dialog("Test images and reconstructions", width="medium")
def _draw_strips(lines: Sequence[Line]) -> None:
    shown = [line for line in lines if line.run and "reconstructions" in line.run.views]
    count = len(shown[0].run.views["reconstructions"])
    strips = [("Originals", line, "originals") for line in shown if "originals" in line.run.views][:1]
    strips += [(line.label, line, "reconstructions") for line in shown]
    st.markdown(f"{count} test images, the classes in turn. Pixels are clipped to the range of the data.")
    for first in range(0, count, images.IN_STRIP):
        parts = [
            f'<div class="hg-caption">{html(label)}</div>{images.image(png, label, "hg-strip")}'
            for label, line, view in strips
            if (png := images.strip_png(line, view, first))
        ]
        st.html(f'<div class="hg-large">{"".join(parts)}</div>')


@st.dialog("Samples", width="medium")
def _draw_samples(line: Line) -> None:
    run = line.run
    st.markdown(f"**{plain(line.label)}**: {len(run.views['samples'])} samples; {plain(run.notes['samples'])}.")
    st.html(f'<div class="hg-large">{samples.make_montage(line)}</div>')
