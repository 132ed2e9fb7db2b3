"""Blocks of the pictures that show where data go: images, encoder, code, decoder, and arrows, as HTML.

Each may name the symbol that it stands for, in LaTeX, and is lit when that is pointed at in a formula.
"""

from collections.abc import Sequence

import numpy as np

from pages.ui.shared.images import montage
from pages.ui.shared.text import Markup, html

ENCODER, DECODER = "encoder", "decoder"


def make_flow(*blocks: str) -> Markup:
    """Blocks from left to right."""
    return Markup(f'<div class="hg-flow">{"".join(blocks)}</div>')


def make_block(content: str, caption: str, symbol: str = "", style: str = "") -> Markup:
    """HTML above a caption."""
    lit = f' data-symbol="{html(symbol)}"' if symbol else ""
    return Markup(f'<figure class="{style}"{lit}>{content}<figcaption>{html(caption)}</figcaption></figure>')


def make_images(pixels: np.ndarray, shape: tuple[int, int], columns: int, caption: str, symbol: str = "") -> Markup:
    """Images (n, height * width) uint8 in rows of `columns`, with a caption."""
    return make_block(montage(pixels, shape, columns, caption, "hg-flow-image", cell=112), caption, symbol)


def make_network(kind: str, caption: str, symbol: str = "") -> Markup:
    """An encoder or decoder: what becomes narrower or wider."""
    return make_block(f'<div class="hg-{kind}"></div>', caption, symbol, "hg-network")


def make_code(values: np.ndarray, reach: float, caption: str, symbol: str = "") -> Markup:
    """The numbers of a latent code, (n,), as bars from -`reach` to `reach`."""
    bars = "".join(_make_bar(float(value), reach) for value in values)
    return make_block(f'<div class="hg-code-bars">{bars}</div>', caption, symbol)


def _make_bar(value: float, reach: float) -> str:
    share = min(abs(value) / reach, 1.0) * 50
    left = 50 - share if value < 0 else 50
    text = f"{value:.1f}".replace("-", "−")
    return f'<div><i style="left:{left:.1f}%;width:{share:.1f}%"></i><span>{text}</span></div>'


def make_error_bars(bars: Sequence[tuple[str, float, float, float]], most: float) -> Markup:
    """Bars of name, percentage and the ends of its interval, on a scale from 0 to `most`."""
    rows = ""
    for name, value, low, high in bars:
        left, width, reach = 100 * low / most, 100 * (high - low) / most, 100 * value / most
        about = f'{value:.1f}% <span class="hg-note">({low:.1f} to {high:.1f})</span>'
        rows += (
            f'<div>{html(name)}</div><div class="hg-error-bar"><i style="width:{reach:.2f}%"></i>'
            f'<b style="left:{left:.2f}%;width:{width:.2f}%"></b></div><div>{about}</div>'
        )
    return Markup(f'<div class="hg-error-bars">{rows}</div>')
