"""What a click on a picture opens: a map to explore, or strips and samples large."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages.ui import nav, pictures
from pages.ui.runs import Line
from pages.ui.text import html, plain


def opened(kind: str, line: Line, lines: Sequence[Line]) -> None:
    """Open the dialog of what was clicked in `line`."""
    if kind == "map":
        _map(line)
    elif kind == "strips":
        _strips(lines)
    else:
        _samples(line)


@st.dialog("Map", width="large")
def _map(line: Line) -> None:
    from core.figures import maps  # plotly: most visits open no figure

    run = line.run
    names = run.notes.get("target_names", [])
    st.markdown(
        f"**{plain(line.label)}**: {len(run.views['map']):,} test rows, {plain(run.notes['map'])}. "
        "Drag moves, the wheel zooms, a double click fits."
    )
    figure = maps.scatter(
        run.views["map"],
        run.views.get("labels"),
        names,
        run.views["shown_rows"],
        nav.theme(),
        run.notes["map"],
    )
    st.plotly_chart(figure, key="compare:map", config={"scrollZoom": True, "displaylogo": False})


@st.dialog("Originals and reconstructions", width="medium")
def _strips(lines: Sequence[Line]) -> None:
    shown = [line for line in lines if line.run and "reconstructions" in line.run.views]
    count = len(shown[0].run.views["reconstructions"])
    strips = [("Originals", line, "originals") for line in shown if "originals" in line.run.views][:1]
    strips += [(line.label, line, "reconstructions") for line in shown]
    st.markdown(f"{count} of the shown test images, the classes in turn. Pixels are clipped to the range of an image.")
    for first in range(0, count, pictures.IN_STRIP):
        parts = [
            f'<div class="hg-caption">{html(label)}</div>{pictures.image(png, label, "hg-strip")}'
            for label, line, view in strips
            if (png := pictures.strip_png(line, view, first))
        ]
        st.html(f'<div class="hg-large">{"".join(parts)}</div>')


@st.dialog("Samples", width="medium")
def _samples(line: Line) -> None:
    run = line.run
    st.markdown(f"**{plain(line.label)}**: {len(run.views['samples'])} samples; {plain(run.notes['samples'])}.")
    picture = pictures.image(pictures.samples_png(line), f"Samples of {line.label}", "hg-strip")
    st.html(f'<div class="hg-large">{picture}</div>')
