"""Samples side by side, one montage a method."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.metrics import DEFINITIONS
from pages.ui import pictures, scorecard
from pages.ui.numbers import interval, number
from pages.ui.runs import Line
from pages.ui.text import html, plain


def draw(lines: Sequence[Line]) -> scorecard.Opened:
    """Draw the montages; returns what was clicked, if anything was."""
    drawn = [line for line in lines if line.run and "samples" in line.run.views]
    if not drawn:
        return None
    st.subheader("Samples", anchor=False, help=plain(DEFINITIONS["frechet"].help))
    st.markdown(
        "What each decoder makes of random codes. Only the VAE and the GAN were trained with a prior to draw from; for "
        "the others one Gaussian was fitted to the training codes. Fréchet distance: lower is closer to the test "
        "images; the floor is what train images reach."
    )
    opened = None
    with st.container(key="samples", gap=None):
        for line in drawn:
            with st.container(key=f"sample-{line.method}", gap=None):
                st.html(_caption(line))
                label = f"Enlarge the samples of {line.label}"
                if scorecard.picture(f"samples-{line.method}", label, lambda line=line: _montage(line)):
                    opened = "samples", line
    return opened


def _montage(line: Line) -> None:
    st.html(pictures.image(pictures.samples_png(line), f"Samples of {line.label}", "hg-strip"))


def _caption(line: Line) -> str:
    metrics = line.run.metrics
    distance = ""
    if "frechet" in metrics:
        floor = f", floor {number(metrics['frechet_floor'])}" if "frechet_floor" in metrics else ""
        distance = (
            f'<div>Fréchet {number(metrics["frechet"])} <span class="hg-note">'
            f"({interval(metrics, 'frechet')}{floor})</span></div>"
        )
    note = f'<div class="hg-note">{html(line.run.notes.get("samples", ""))}</div>'
    return f'<div class="hg-caption"><b>{html(line.label)}</b>{distance}{note}</div>'
