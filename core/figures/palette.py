"""Colours and marks of ten classes, told apart with colour blindness, on light and dark.

A class has one hue in both themes. The colours maximise the smallest distance between any two in CAM02-UCS (Luo, Cui
and Li 2006), seen normally and through the protanopia, deuteranopia and tritanopia of Machado et al. 2009, with a
contrast of at least 3:1 to the page and every hue named by another word. The eleventh class begins the colours anew
with another mark.
"""

from dataclasses import dataclass

import numpy as np

from core import methods

# The first few lie farthest apart. Blue, orange, red, green, purple, brown, pink, sky, teal, yellow (olive).
_LIGHT = ("#352bff", "#d77f05", "#de0f44", "#258668", "#5b0092", "#421200", "#a24c91", "#0197ff", "#064851", "#565d02")
_DARK = ("#5d4ffe", "#ff9500", "#cb001c", "#00ffaf", "#834f9b", "#ac8266", "#f9b9e3", "#3eacff", "#639296", "#f3f600")
CLASSES = {"light": _LIGHT, "dark": _DARK}
GROUND = {"light": "#ffffff", "dark": "#14171c"}
INK = {"light": "#1c2024", "dark": "#e8eaed"}
# Axes and notes.
SOFT = {"light": "#565c66", "dark": "#adb3bd"}
GRID = {"light": "#dfe3e8", "dark": "#343b45"}
# Rows without a class, and rows without a value where colour is a value: grey, which no class and no scale has.
NO_CLASS = {"light": "#95929d", "dark": "#646659"}
# The only line or cloud of a chart.
SINGLE = {"light": "#2f5d8a", "dark": "#8fb3dc"}
# A mark in a small map, and plotly's name of it.
MARKS = {"disc": "circle", "ring": "circle-open", "square": "square", "diamond": "diamond"}
SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


@dataclass(frozen=True)
class ClassStyle:
    """How a class is drawn."""

    colour: str
    mark: str

    @property
    def symbol(self) -> str:
        return MARKS[self.mark]


def get_class_style(label: int, theme: str, *, has_classes: bool = True) -> ClassStyle:
    """Colour and mark of class `label`; -1 is a row without a class."""
    if label < 0:
        return ClassStyle((NO_CLASS if has_classes else SINGLE)[theme], "disc")
    marks = tuple(MARKS)
    return ClassStyle(CLASSES[theme][label % 10], marks[label // 10 % len(marks)])


def list_colours(theme: str) -> list[str]:
    """Every colour that charts of a theme are made of, in one order for both themes."""
    return [*CLASSES[theme], *(of[theme] for of in (GROUND, INK, SOFT, GRID, NO_CLASS, SINGLE))]


@dataclass(frozen=True)
class MethodStyle:
    """How a method is drawn: its colour, and plotly's names of its symbol and dash."""

    colour: str
    symbol: str
    dash: str


def get_method_style(name: str, theme: str) -> MethodStyle:
    """The style of a method, the same in every chart; another name gets the last style."""
    k = methods.entry(name).style if name in methods.REGISTRY else len(SYMBOLS) - 1
    colours = CLASSES[theme]
    return MethodStyle(colours[k % len(colours)], SYMBOLS[k % len(SYMBOLS)], DASHES[k % len(DASHES)])


def to_rgb(colour: str) -> np.ndarray:
    """``"#rrggbb"`` -> (3,) float, 0..255."""
    return np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], np.float64)


def mix_with_ground(colour: str, theme: str, share: float) -> str:
    """`share` of a colour and the rest of the page's ground, as ``"#rrggbb"``."""
    found = share * to_rgb(colour) + (1 - share) * to_rgb(GROUND[theme])
    return "#{:02x}{:02x}{:02x}".format(*map(int, np.rint(found)))


def make_translucent(colour: str, opacity: float = 0.18) -> str:
    """``"#rrggbb"`` -> ``"rgba(...)"``."""
    red, green, blue = to_rgb(colour).astype(int)
    return f"rgba({red}, {green}, {blue}, {opacity})"
