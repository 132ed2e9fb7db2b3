"""Images of the same rows under one another, a line a method; on a narrow page in blocks below one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.figures import rasters
from pages.ui import choices
from pages.ui.pictures import image
from pages.ui.text import Markup, html

_CELL = 112


@dataclass(frozen=True)
class Strip:
    """A line of the grid.

    Attributes
    ----------
    name : HTML at its left.
    cells : HTML of each block.
    """

    name: str
    cells: Sequence[str]


def grid(strips: Sequence[Strip], n_blocks: int) -> Markup:
    """All strips; where the page is narrow, block after block, with the names again."""
    cells = []
    for strip in strips:
        for block in range(n_blocks):
            again = " hg-again" if block else ""
            # A name again only above something.
            name = strip.name if strip.cells[block] or not block else ""
            cells.append(f'<div class="hg-strip-name{again}" style="--order:{block}">{name}</div>')
            cells.append(f'<div style="--order:{block}">{strip.cells[block]}</div>')
    return Markup(f'<div class="hg-columns" style="--blocks:{n_blocks}">{"".join(cells)}</div>')


def buttons(name: str, labels: Sequence[str | None]) -> int | None:
    """A transparent button over each column, for pointer and keyboard; returns which was clicked, if any was.

    Parameters
    ----------
    labels : one a column, in order; None for a column without an image
    """
    clicked = None
    with st.container(key=f"over-{name}", gap=None):
        for k, label in enumerate(labels):
            if label is None:
                st.html("<span></span>")
            elif st.button(label, key=choices.key(f"{name}-{k}"), type="tertiary"):
                clicked = k
    return clicked


def pictures(images: np.ndarray, shape: tuple[int, int], per_block: int, alt: str, cell: int = _CELL) -> str:
    """One block's images, (n, height * width) uint8, side by side; room is left where there are fewer."""
    if len(images) == 0:
        return ""
    return image(rasters.png(rasters.montage(images, shape, per_block, cell=cell)), alt, "hg-columns-image")


def captions(texts: Sequence[str], per_block: int) -> str:
    """HTML of a few words below each image of a block."""
    cells = "".join(f"<div>{text}</div>" for text in texts)
    return f'<div class="hg-columns-captions" style="--columns:{per_block}">{cells}</div>'


def named(name: str, *about: str) -> str:
    """HTML of a strip's name with notes below; both are taken as text."""
    notes = "".join(f'<div class="hg-note">{html(each)}</div>' for each in about if each)
    return f"<b>{html(name)}</b>{notes}"
