"""Figures of samples: their classes, and how near they are to the training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.text import as_text

_DASHES = ("solid", "dash", "dot", "dashdot")


def class_shares(shares: Mapping[str, Mapping[str, float]], of_data: Mapping[str, float], theme: str) -> go.Figure:
    """A dot a class and sampler, and a line where the data have that class.

    Parameters
    ----------
    shares : sampler -> class -> share in [0, 1]
    of_data : class -> share among the data's rows; may be empty
    """
    figure = go.Figure()
    if of_data:
        figure.add_scatter(
            x=[as_text(name) for name in of_data],
            y=list(of_data.values()),
            mode="lines+markers",
            name="test rows",
            line={"color": palette.NO_CLASS[theme], "width": 2, "shape": "hvh"},
            marker={"size": 1},
            hovertemplate="test rows, class %{x}<br>%{y:.1%}<extra></extra>",
        )
    colours = palette.series(theme)
    for k, (label, by_class) in enumerate(shares.items()):
        figure.add_scatter(
            x=[as_text(name) for name in by_class],
            y=list(by_class.values()),
            mode="markers",
            name=as_text(label),
            marker={"color": colours[k % 10], "symbol": palette.SYMBOLS[k % len(palette.SYMBOLS)], "size": 10},
            hovertemplate=f"{as_text(label)}, class %{{x}}<br>%{{y:.1%}}<extra></extra>",
        )
    figure.update_xaxes(title="class named by the classifier", type="category")
    figure.update_yaxes(title="share of samples", rangemode="tozero", tickformat=".0%")
    figure.update_layout(height=360, margin={"l": 8, "r": 8, "t": 8, "b": 8}, legend={"orientation": "h", "y": -0.25})
    return figure


def nearest_distances(distances: Mapping[str, np.ndarray], of_test: np.ndarray, theme: str) -> go.Figure:
    """What share of rows lies within a distance of its nearest training row: a line a sampler, and one of test rows.

    Parameters
    ----------
    distances : sampler -> (n,) Euclidean distances of pixels in [0, 1]
    of_test : (m,) those of test rows
    """
    figure = go.Figure()
    _add(figure, "test images", of_test, {"color": palette.NO_CLASS[theme], "width": 4})
    for k, (label, found) in enumerate(distances.items()):
        line = {"color": palette.series(theme)[k % 10], "width": 2, "dash": _DASHES[k % len(_DASHES)]}
        _add(figure, label, found, line)
    figure.update_xaxes(title="distance to the nearest training image", rangemode="tozero")
    figure.update_yaxes(title="share within this distance", range=[0, 1], tickformat=".0%")
    figure.update_layout(height=380, margin={"l": 8, "r": 8, "t": 8, "b": 8}, legend={"orientation": "h", "y": -0.2})
    return figure


def _add(figure: go.Figure, label: str, found: Sequence[float], line: dict) -> None:
    x = np.sort(np.asarray(found, np.float32))
    figure.add_scatter(
        x=x,
        y=(np.arange(1, len(x) + 1) / len(x)).astype(np.float32),
        mode="lines",
        name=as_text(label),
        line=line,
        hovertemplate=f"{as_text(label)}<br>%{{y:.0%}} within %{{x:.2f}}<extra></extra>",
    )
