"""Samples of Compare, a montage or some rows a method, and the dialogs that enlarge its pictures."""

from collections.abc import Sequence

import streamlit as st

from core.metrics.definitions import get_definition
from core.types import ROW_NAMES, TABLES
from pages.ui.compare import rows, table
from pages.ui.shared import charts, header, images, stored_runs
from pages.ui.shared.html_blocks import make_note
from pages.ui.shared.number_format import interval, number
from pages.ui.shared.stored_runs import Line
from pages.ui.shared.text import Markup, html, plain


def draw_samples(lines: Sequence[Line]) -> table.Clicked:
    """Draw a montage or a few rows of each method; returns which was clicked, if any."""
    drawn = [line for line in lines if line.run and "samples" in line.run.views]
    is_table = bool(drawn) and drawn[0].run.environment["kind"] == TABLES
    cells = rows.find_shown(stored_runs.select_comparable(drawn)) if is_table else None
    if not drawn or (is_table and cells is None):
        return None
    row = ROW_NAMES[drawn[0].run.environment["kind"]]
    st.header("Samples", anchor=False, help=plain(get_definition("frechet", drawn[0].run.environment["kind"]).help))
    st.markdown(
        "Each decoder receives random codes: from the prior N(0, I) for the VAE and the GAN, else from a Gaussian "
        f"fitted to the training codes. A lower Fréchet distance is closer to the test {row}s; floor: the distance "
        f"between training and test {row}s."
    )
    clicked = None
    with st.container(key="samples-rows" if is_table else "samples", gap=None):
        for line in drawn:
            with st.container(key=f"sample-{line.name}", gap=None):
                st.html(_make_caption(line))
                label = f"Enlarge the samples of {line.label}"
                picture = cells.make_samples(line) if cells else _make_montage(line)
                clicked = table.draw_picture("samples", line, label, picture) or clicked
    return clicked


def _make_montage(line: Line) -> Markup:
    return images.image(images.samples_png(line), f"Samples of {line.label}", "hg-strip")


def _make_caption(line: Line) -> str:
    metrics, distance = line.run.metrics, ""
    if "frechet" in metrics:
        floor = f", floor {number(metrics['frechet_floor'].value)}" if "frechet_floor" in metrics else ""
        about = f'<span class="hg-note">({interval(metrics, "frechet")}{floor})</span>'
        distance = f"<div>Fréchet {number(metrics['frechet'].value)} {about}</div>"
    note = make_note(line.run.notes.get("samples", ""))
    return f'<div class="hg-caption"><b>{html(line.label)}</b>{distance}{note}</div>'


def open_dialog(kind: str, line: Line, lines: Sequence[Line]) -> None:
    """Open the dialog of the picture of this kind that was clicked in `line`; strips are of all `lines`."""
    draw_strips = _draw_rows if line.run.environment["kind"] == TABLES else _draw_strips
    {"map": _draw_map, "samples": _draw_enlarged, "strip": lambda _: draw_strips(lines)}[kind](line)


@st.dialog("Map", width="large")
def _draw_map(line: Line) -> None:
    from core.figures import scatter  # plotly: most visits open no figure

    views, notes = line.run.views, line.run.notes
    st.markdown(
        f"**{plain(line.label)}**: {len(views['map']):,} test rows, {plain(notes['map'])}. "
        "Drag to move, scroll to zoom, double-click to reset."
    )
    classes = views.get("labels"), notes.get("target_names", [])
    figure = scatter.plot_scatter(views["map"], *classes, views["shown_rows"], header.get_theme(), notes["map"])
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
            f'<div class="hg-caption">{html(label)}</div>'
            f"{images.image(images.strip_png(line, view, first), label, 'hg-strip')}"
            for label, line, view in strips
        ]
        st.html(f'<div class="hg-large">{"".join(parts)}</div>')


@st.dialog("Test row and reconstructions", width="large")
def _draw_rows(lines: Sequence[Line]) -> None:
    rows.draw_enlarged(lines)


@st.dialog("Samples", width="large")
def _draw_enlarged(line: Line) -> None:
    run = line.run
    st.markdown(f"**{plain(line.label)}**: {len(run.views['samples'])} samples; {plain(run.notes['samples'])}.")
    if run.environment["kind"] == TABLES:
        rows.draw_samples_enlarged(line)
    else:
        st.html(f'<div class="hg-large">{_make_montage(line)}</div>')
