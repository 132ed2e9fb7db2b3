"""Pictures as bytes, cached by the run and the theme; and as HTML."""

from __future__ import annotations

import base64

import streamlit as st

from core.figures import rasters
from pages.ui import runs
from pages.ui.text import html

IN_STRIP = 10
_SAMPLE_COLUMNS = 8


def image(png: bytes, alt: str, style: str) -> str:
    data = base64.b64encode(png).decode()
    return f'<img class="{style}" alt="{html(alt)}" src="data:image/png;base64,{data}">'


@st.cache_data(max_entries=256, show_spinner=False)
def map_png(key: str, theme: str) -> bytes:
    views = runs.read(key).views
    return rasters.png(rasters.thumbnail(views["map"], views.get("labels"), theme))


@st.cache_data(max_entries=256, show_spinner=False)
def strip_png(key: str, view: str, first: int = 0) -> bytes:
    """`IN_STRIP` images of a run's `view` from number `first` on, side by side."""
    run = runs.read(key)
    images = run.views[view][first : first + IN_STRIP]
    return rasters.png(rasters.montage(images, tuple(run.environment["image_shape"]), IN_STRIP))


@st.cache_data(max_entries=64, show_spinner=False)
def samples_png(key: str) -> bytes:
    run = runs.read(key)
    picture = rasters.montage(run.views["samples"], tuple(run.environment["image_shape"]), _SAMPLE_COLUMNS, cell=56)
    return rasters.png(picture)
