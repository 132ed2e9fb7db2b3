"""Colours and marks: ten classes that stay apart for the common kinds of colour blindness, on light and on dark.

The colours maximise the smallest distance between any two in OKLab (Ottosson 2020), seen normally and through the
protanopia, deuteranopia and tritanopia of Machado et al. 2009, within bounds of lightness and chroma and with a least
contrast to the page; they are ordered so that the first few lie farthest apart. The eleventh class begins the colours
anew with another mark.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CLASSES = {
    "light": (
        "#51248b",
        "#deb818",
        "#c22923",
        "#6697a0",
        "#9150c6",
        "#49d1a5",
        "#dd7508",
        "#afa3f4",
        "#146977",
        "#791a1b",
    ),
    "dark": (
        "#4d60a6",
        "#ebee4a",
        "#ea5f3e",
        "#a8f3f9",
        "#9d71eb",
        "#50d69c",
        "#eeaa07",
        "#c1b2f9",
        "#13a0a0",
        "#984d56",
    ),
}
GROUND = {"light": "#ffffff", "dark": "#14171c"}
# Of a row without a value, where colour is a value: no colour of its scale.
NO_VALUE = {"light": "#b3aa9c", "dark": "#6e675d"}
INK = {"light": "#1c2024", "dark": "#e8eaed"}
NO_CLASS = {"light": "#4d6f96", "dark": "#8fb3dc"}
# Of a mark in a small map, and what plotly calls it.
MARKS = {"disc": "circle", "ring": "circle-open", "square": "square", "diamond": "diamond"}
SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
# In this order methods take the colours, symbols and dashes of `series`, `SYMBOLS` and `DASHES`, in every chart.
METHODS = ("pca", "linear_ae", "ae", "vae", "gan")
# LSA is to documents what PCA is to images; no chart holds both.
_ALIKE = {"lsa": "pca"}


@dataclass(frozen=True)
class Style:
    """How a class is drawn."""

    colour: str
    mark: str

    @property
    def symbol(self) -> str:
        return MARKS[self.mark]


def style(label: int, theme: str) -> Style:
    """Colour and mark of class `label`; -1 is a row without a class."""
    if label < 0:
        return Style(NO_CLASS[theme], "disc")
    marks = tuple(MARKS)
    return Style(CLASSES[theme][label % 10], marks[label // 10 % len(marks)])


def series(theme: str) -> list[str]:
    """Ten colours for the lines of a chart: the classes', of which the first few lie farthest apart."""
    return list(CLASSES[theme])


@dataclass(frozen=True)
class MethodStyle:
    """How a method is drawn: the colour of its lines and marks, plotly's names of its symbol and its dash."""

    colour: str
    symbol: str
    dash: str


def of_method(name: str, theme: str) -> MethodStyle:
    """The style of one of `METHODS`, the same in every chart; any other name takes the place after the last."""
    name = _ALIKE.get(name, name)
    k = METHODS.index(name) if name in METHODS else len(METHODS)
    return MethodStyle(CLASSES[theme][k], SYMBOLS[k], DASHES[k])


def rgb(colour: str) -> np.ndarray:
    """``"#rrggbb"`` -> (3,) float, 0..255."""
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], np.float64)


def faint(colour: str, opacity: float = 0.18) -> str:
    """``"#rrggbb"`` -> what plotly fills a band with, that lines can be seen through."""
    red, green, blue = rgb(colour).astype(int)
    return f"rgba({red}, {green}, {blue}, {opacity})"
