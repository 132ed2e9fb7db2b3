"""Pictures as HTML; those of runs as PNG, cached by run and theme."""

import base64
from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.figures import montages
from pages.ui.shared.html_blocks import make_figure
from pages.ui.shared.stored_runs import Line
from pages.ui.shared.text import Markup, html

IN_STRIP = 10


def image(png: bytes, alt: str, style: str) -> Markup:
    data = base64.b64encode(png).decode()
    return Markup(f'<img class="{style}" alt="{html(alt)}" src="data:image/png;base64,{data}">')


def vector(svg: str, alt: str, style: str = "") -> Markup:
    """HTML of an SVG document as a picture: `st.html` drops SVG itself."""
    data = base64.b64encode(svg.encode()).decode()
    return Markup(f'<img class="{style}" alt="{html(alt)}" src="data:image/svg+xml;base64,{data}">')


def montage(
    images: np.ndarray, shape: tuple[int, int], columns: int, alt: str, style: str, cell: int = 56, gap: int = 4
) -> Markup:
    """HTML of images, (n, height * width) uint8, as one picture."""
    return image(montages.encode_png(montages.make_montage(images, shape, columns, cell=cell, gap=gap)), alt, style)


# By the line's stamp: a run that is fitted again has the same key but other pictures.
_cached = st.cache_data(max_entries=256, show_spinner=False, hash_funcs={Line: lambda line: line.stamp})


@_cached
def map_png(line: Line, theme: str) -> bytes:
    views = line.run.views
    return montages.encode_png(montages.make_thumbnail(views["map"], views.get("labels"), theme))


def strip_png(line: Line, view: str, first: int = 0) -> bytes:
    """`IN_STRIP` images of a run's `view`, from number `first` on, side by side."""
    return _montage_png(line, view, first, first + IN_STRIP, IN_STRIP, 112)


def samples_png(line: Line) -> bytes:
    return _montage_png(line, "samples", 0, None, 8, 56)


@_cached
def _montage_png(line: Line, view: str, first: int, end: int | None, columns: int, cell: int) -> bytes:
    shape = tuple(line.run.environment["image_shape"])
    return montages.encode_png(montages.make_montage(line.run.views[view][first:end], shape, columns, cell=cell))


def tiles(images: np.ndarray, shape: tuple[int, int], titles: Sequence[str]) -> Markup:
    """HTML of images, (n, height * width) uint8, with captions, as many in a row as fit."""
    figures = [
        make_figure(image(montages.encode_png(pixels.reshape(shape)), title, "hg-tile"), title)
        for pixels, title in zip(images, titles, strict=True)
    ]
    return Markup(f'<div class="hg-tiles">{"".join(figures)}</div>')
