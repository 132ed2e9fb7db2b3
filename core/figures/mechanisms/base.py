"""What the experiments' figures have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures import palette


def figure(title: str, x: str, y: str, height: int = 320, **layout: Any) -> go.Figure:
    """An empty chart with a title and named axes; its legend stands below."""
    made = go.Figure()
    made.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 34, "b": 8},
        title={"text": title, "font": {"size": 14}, "y": 0.99, "yanchor": "top"},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"},
        **layout,
    )
    made.update_xaxes(title=x, title_standoff=4)
    made.update_yaxes(title=y, title_standoff=4)
    return made


def squared(made: go.Figure, low: float, high: float) -> go.Figure:
    """Both axes from `low` to `high`, to one scale."""
    made.update_xaxes(range=[low, high], constrain="domain", zeroline=False)
    made.update_yaxes(range=[low, high], scaleanchor="x", constrain="domain", zeroline=False, title_standoff=14)
    return made


def colour(k: int, theme: str) -> str:
    """The k-th colour of lines, from 0 on."""
    return palette.series(theme)[k % 10]


def line(made: go.Figure, x, y, name: str, theme: str, k: int = 0, **options: Any) -> None:
    """Add a line in the k-th colour; `dash`, `width`, `hovertemplate` and so on may be given."""
    style = {"color": colour(k, theme), "width": options.pop("width", 2), "dash": options.pop("dash", "solid")}
    made.add_scatter(x=x, y=y, mode=options.pop("mode", "lines"), name=name, line=style, **options)


def at_value(made: go.Figure, value: float, text: str, theme: str, axis: str = "y", position: str = "top left") -> None:
    """A dashed line across at a value that is known exactly, with its name."""
    add = made.add_hline if axis == "y" else made.add_vline
    add(
        value,
        line={"color": palette.INK[theme], "width": 1.5, "dash": "dash"},
        annotation={"text": text, "font": {"color": palette.INK[theme], "size": 12}},
        annotation_position=position if axis == "y" else "top",
    )


def logarithmic(made: go.Figure, axis: str, low: float | None = None, high: float | None = None) -> None:
    """Make an axis logarithmic, labelled by powers of ten in full, from `low` to `high` where these are given."""
    update = made.update_xaxes if axis == "x" else made.update_yaxes
    ends = {"range": [np.log10(low), np.log10(high)]} if low is not None and high is not None else {}
    update(type="log", dtick=1, tickformat=",~g", **ends)


def running_mean(values: Sequence[float]) -> np.ndarray:
    """Means over a fiftieth of the values around each: (n,) -> (n,)."""
    found = np.asarray(values, float)
    width = max(1, len(found) // 50)
    total = np.cumsum(np.concatenate([[0.0], found]))
    low = np.maximum(np.arange(len(found)) - width // 2, 0)
    high = np.minimum(low + width, len(found))
    return (total[high] - total[low]) / (high - low)
