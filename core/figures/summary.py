"""What a chart shows, in words, for those who do not see it."""

import math
import re
from html import unescape
from typing import Any

import numpy as np
import plotly.graph_objects as go

_MOST_SERIES = 8
_LONGEST = 600  # letters


def get_title(figure: go.Figure) -> str:
    """The title of a chart, which the page or plotly draws; "" without one."""
    return strip_tags((figure.layout.meta or {}).get("title") or figure.layout.title.text)


def describe(figure: go.Figure, name: str = "") -> str:
    """Title, axes, and the series of a chart with their ranges; `name` stands in for a missing title.

    ``"Error by dimensions. x: latent dimensions, y: mean error. PCA: 5 points, y from 0.5 to 12.1."``
    """
    parts = [get_title(figure) or name]
    axes = [f"{letter}: {title}" for letter in "xy" if (title := strip_tags(figure.layout[f"{letter}axis"].title.text))]
    parts += [", ".join(axes)] if axes else []
    series = [text for trace in figure.data if (text := _describe_series(trace))]
    parts += series[:_MOST_SERIES]
    if len(series) > _MOST_SERIES:
        parts.append(f"{len(series) - _MOST_SERIES} more series")
    text = ". ".join(part.rstrip(".") for part in parts) + "."
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _describe_series(trace: Any) -> str:
    """``"PCA: 5 points, y from 0.5 to 12.1"``; "" for a band around another series."""
    if (trace.hoverinfo == "skip" and not trace.name) or trace.visible is False:
        return ""
    values = trace.z if "z" in trace and trace.z is not None else trace.y
    numbers = _to_numbers(values)
    what = "values" if values is not trace.y else "bars" if trace.type == "bar" else "points"
    if trace.type == "bar" and trace.orientation == "h":
        numbers = _to_numbers(trace.x)
    letter = "" if what == "values" else "x " if trace.type == "bar" and trace.orientation == "h" else "y "
    name = f"{strip_tags(trace.name)}: " if trace.name and trace.showlegend is not False else ""
    count = f"{len(values) if values is not None and what != 'values' else len(numbers):,} {what}"
    if not len(numbers):
        return f"{name}{count}"
    low, high = (_format(float(end(numbers))) for end in (np.min, np.max))
    return f"{name}{count}, {letter}{low}" if low == high else f"{name}{count}, {letter}from {low} to {high}"


def _to_numbers(values: Any) -> np.ndarray:
    """The finite numbers among values of any shape; none where they are names."""
    try:
        numbers = np.asarray(values, np.float64).ravel()
    except (TypeError, ValueError):
        return np.zeros(0)
    return numbers[np.isfinite(numbers)]


def _format(value: float) -> str:
    places = 0 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{places}f}".replace("-", "−") if places < 7 else f"{value:.2e}"


def strip_tags(text: str | None) -> str:
    """A text without plotly's HTML tags."""
    return unescape(re.sub(r"<[^>]*>", " ", text or "")).strip()
