"""A grid of images: one strip per method, one column per row; in blocks on a narrow page."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from pages.ui.shared import page_state
from pages.ui.shared.html_blocks import make_note
from pages.ui.shared.images import montage
from pages.ui.shared.text import Markup, html

_CELL = 112


@dataclass(frozen=True)
class Strip:
    """One line of the grid: HTML at its left, and HTML of each block."""

    name: str
    cells: Sequence[str]


def make_strip(
    name: str, images: np.ndarray, shape: tuple[int, int], alt: str, *, per_block: int = 5, n_blocks: int = 2
) -> Strip:
    """A line of images, (n, height * width) uint8, in blocks; `name` is HTML."""
    blocks = [images[k * per_block : (k + 1) * per_block] for k in range(n_blocks)]
    return Strip(name, [make_pictures(block, shape, per_block, alt) for block in blocks])


def make_grid(strips: Sequence[Strip], n_blocks: int) -> Markup:
    """HTML of all strips; on a narrow page block after block, with the names repeated."""
    cells = []
    for strip in strips:
        for block in range(n_blocks):
            again = " hg-again" if block else ""
            # Names are repeated only above something.
            name = strip.name if strip.cells[block] or not block else ""
            cells.append(f'<div class="hg-strip-name{again}" style="--order:{block}">{name}</div>')
            cells.append(f'<div style="--order:{block}">{strip.cells[block]}</div>')
    return Markup(f'<div class="hg-columns" style="--blocks:{n_blocks}">{"".join(cells)}</div>')


def draw_buttons(name: str, labels: Sequence[str | None]) -> int | None:
    """Draw a transparent button over each column; returns the number of the one clicked."""
    clicked = None
    with st.container(key=f"over-{name}", gap=None):
        for k, label in enumerate(labels):
            if label is None:
                st.html("<span></span>")
            elif st.button(label, key=page_state.key(f"{name}-{k}"), type="tertiary"):
                clicked = k
    return clicked


def make_pictures(images: np.ndarray, shape: tuple[int, int], per_block: int, alt: str, cell: int = _CELL) -> str:
    """HTML of one block's images, (n, height * width) uint8, side by side."""
    if len(images) == 0:
        return ""
    return montage(images, shape, per_block, alt, "hg-columns-image", cell)


def make_captions(texts: Sequence[str], per_block: int) -> str:
    """HTML of a caption below each image of a block."""
    cells = "".join(f"<div>{text}</div>" for text in texts)
    return f'<div class="hg-columns-captions" style="--columns:{per_block}">{cells}</div>'


def make_name(name: str, *about: str) -> str:
    """HTML of a strip's name with notes below, both given as text."""
    return f"<b>{html(name)}</b>{''.join(map(make_note, filter(None, about)))}"
