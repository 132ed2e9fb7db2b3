"""Pictures as bytes, cached by the run and the theme; and as HTML."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.figures import rasters
from core.types import Run
from pages.ui.runs import Line, Stamp
from pages.ui.text import Markup, html

IN_STRIP = 10
_SAMPLE_COLUMNS = 8


def image(png: bytes, alt: str, style: str) -> Markup:
    data = base64.b64encode(png).decode()
    return Markup(f'<img class="{style}" alt="{html(alt)}" src="data:image/png;base64,{data}">')


# What is cached is keyed by the line's stamp: a run fitted again has the same key and other pictures.


def map_png(line: Line, theme: str) -> bytes:
    return _map_png(line.stamp, theme, line.run)


@st.cache_data(max_entries=256, show_spinner=False)
def _map_png(stamp: Stamp, theme: str, _run: Run) -> bytes:
    return rasters.png(rasters.thumbnail(_run.views["map"], _run.views.get("labels"), theme))


def strip_png(line: Line, view: str, first: int = 0) -> bytes:
    """`IN_STRIP` images of a run's `view` from number `first` on, side by side."""
    return _strip_png(line.stamp, view, first, line.run)


@st.cache_data(max_entries=256, show_spinner=False)
def _strip_png(stamp: Stamp, view: str, first: int, _run: Run) -> bytes:
    images = _run.views[view][first : first + IN_STRIP]
    return rasters.png(rasters.montage(images, tuple(_run.environment["image_shape"]), IN_STRIP))


def samples_png(line: Line) -> bytes:
    return _samples_png(line.stamp, line.run)


@st.cache_data(max_entries=64, show_spinner=False)
def _samples_png(stamp: Stamp, _run: Run) -> bytes:
    shape = tuple(_run.environment["image_shape"])
    return rasters.png(rasters.montage(_run.views["samples"], shape, _SAMPLE_COLUMNS, cell=56))


def tiles(images: np.ndarray, shape: tuple[int, int], titles: Sequence[str]) -> Markup:
    """Images, (n, height * width) uint8, side by side as far as there is room, a few words under each."""
    made = []
    for pixels, title in zip(images, titles, strict=True):
        picture = image(rasters.png(pixels.reshape(shape)), title, "hg-tile")
        made.append(f"<figure>{picture}<figcaption>{html(title)}</figcaption></figure>")
    return Markup(f'<div class="hg-tiles">{"".join(made)}</div>')
