"""Samples of Compare: one montage a method."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.metrics.definitions import DEFINITIONS
from pages.ui.compare import table
from pages.ui.shared import images
from pages.ui.shared.html_blocks import make_note
from pages.ui.shared.number_format import interval, number
from pages.ui.shared.stored_runs import Line
from pages.ui.shared.text import Markup, html, plain


def draw(lines: Sequence[Line]) -> table.Clicked:
    """Draw the montages; returns which was clicked, if any."""
    drawn = [line for line in lines if line.run and "samples" in line.run.views]
    if not drawn:
        return None
    st.subheader("Samples", anchor=False, help=plain(DEFINITIONS["frechet"].help))
    st.markdown(
        "Each decoder receives random codes: from the prior N(0, I) for the VAE and the GAN, else from a Gaussian "
        "fitted to the training codes. A lower Fréchet distance is closer to the test images; floor: the distance "
        "between training and test images."
    )
    clicked = None
    with st.container(key="samples", gap=None):
        for line in drawn:
            with st.container(key=f"sample-{line.name}", gap=None):
                st.html(_make_caption(line))
                label = f"Enlarge the samples of {line.label}"
                if table.draw_picture(f"samples-{line.name}", label, lambda line=line: st.html(make_montage(line))):
                    clicked = "samples", line
    return clicked


def make_montage(line: Line) -> Markup:
    return images.image(images.samples_png(line), f"Samples of {line.label}", "hg-strip")


def _make_caption(line: Line) -> str:
    metrics = line.run.metrics
    distance = ""
    if "frechet" in metrics:
        floor = f", floor {number(metrics['frechet_floor'].value)}" if "frechet_floor" in metrics else ""
        distance = (
            f'<div>Fréchet {number(metrics["frechet"].value)} <span class="hg-note">'
            f"({interval(metrics, 'frechet')}{floor})</span></div>"
        )
    note = make_note(line.run.notes.get("samples", ""))
    return f'<div class="hg-caption"><b>{html(line.label)}</b>{distance}{note}</div>'
