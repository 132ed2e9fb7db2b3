"""What the experiments' figures have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures import palette, style

_STANDOFF = 4  # pixels between an axis's labels and its title
# In pixels, with room for letters of 12: labels of five digits at the left, one row of them and a title below.
MARGIN = {"l": 62, "r": 12, "t": 34, "b": 46}


def make_chart(theme: str, title: str, x: str, y: str, height: int = 320, **layout: Any) -> go.Figure:
    """An empty chart with a title and named axes; its legend stands below.

    Its margins are given, not measured from the labels: plotly would lay out every chart twice or more.
    """
    below = MARGIN["b"]
    chart = style.make_figure(
        theme,
        height=height,
        margin=MARGIN,
        title={"text": title, "y": 0.99, "yanchor": "top"},
        # Below the labels and the title of the axis, wherever these leave off.
        legend={"orientation": "h", "x": 0, "y": -below / (height - MARGIN["t"] - 2 * below), "yanchor": "top"},
        xaxis={"title": {"text": x, "standoff": _STANDOFF}, "automargin": False},
        yaxis={"title": {"text": y, "standoff": _STANDOFF}, "automargin": False},
    )
    return chart.update_layout(layout)


def set_square_axes(chart: go.Figure, low: float, high: float) -> go.Figure:
    """Both axes from `low` to `high`, to one scale."""
    chart.update_xaxes(range=[low, high], constrain="domain", zeroline=False)
    chart.update_yaxes(range=[low, high], scaleanchor="x", constrain="domain", zeroline=False, title_standoff=14)
    return chart


def get_colour(k: int, theme: str) -> str:
    """The k-th colour of lines, from 0 on."""
    return palette.CLASSES[theme][k % 10]


def add_line(chart: go.Figure, x, y, name: str, theme: str, k: int = 0, **options: Any) -> None:
    """Add a line in the k-th colour; `dash`, `width`, `hovertemplate` and so on may be given."""
    style = {"color": get_colour(k, theme), "width": options.pop("width", 2), "dash": options.pop("dash", "solid")}
    chart.add_scatter(x=x, y=y, mode=options.pop("mode", "lines"), name=name, line=style, **options)


def add_level(
    chart: go.Figure, value: float, text: str, theme: str, axis: str = "y", position: str = "top left"
) -> None:
    """A dashed line across at a value that is known exactly, with its name."""
    add = chart.add_hline if axis == "y" else chart.add_vline
    add(
        value,
        line={"color": palette.INK[theme], "width": 1.5, "dash": "dash"},
        annotation={"text": text},
        annotation_position=position if axis == "y" else "top",
    )


def set_log_axis(chart: go.Figure, axis: str, low: float | None = None, high: float | None = None) -> None:
    """Make an axis logarithmic, labelled by powers of ten in full, from `low` to `high` where these are given."""
    update = chart.update_xaxes if axis == "x" else chart.update_yaxes
    ends = {"range": [np.log10(low), np.log10(high)]} if low is not None and high is not None else {}
    update(type="log", dtick=1, tickformat=",~g", **ends)


def compute_running_mean(values: Sequence[float]) -> np.ndarray:
    """Means over a fiftieth of the values around each: (n,) -> (n,)."""
    values = np.asarray(values, float)
    width = max(1, len(values) // 50)
    total = np.cumsum(np.concatenate([[0.0], values]))
    low = np.maximum(np.arange(len(values)) - width // 2, 0)
    high = np.minimum(low + width, len(values))
    return (total[high] - total[low]) / (high - low)
