"""The loss surface of a tied linear autoencoder in the plane, with a descent that the browser plays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base
from core.figures.mechanisms.animation import add_animation

_SYMBOLS = {"minimum": "star", "saddle": "x", "maximum": "circle"}
_MOST_FRAMES = 40


def plot_loss_surface(
    axis: np.ndarray, losses: np.ndarray, points: Sequence, path: np.ndarray, theme: str
) -> go.Figure:
    """Loss over the weights' plane with its stationary points; Play moves along the descent.

    Parameters
    ----------
    axis : (n,); losses : (n, n), first index along w1
    points : core.mechanisms.linear_ae_loss.StationaryPoint
    path : (steps + 1, 2)
    """
    chart = base.make_chart(theme, "Loss L(w); dark: low", "w₁", "w₂", 560)
    chart.add_contour(
        x=axis,
        y=axis,
        z=np.log10(losses.T),
        colorscale="Cividis",
        ncontours=16,
        showscale=False,
        contours={"coloring": "heatmap"},
        line={"width": 0.5, "color": "rgba(255,255,255,0.4)"},
        customdata=losses.T,
        hovertemplate="w = (%{x:.2f}, %{y:.2f}): L %{customdata:.3f}<extra></extra>",
    )
    for kind, symbol in _SYMBOLS.items():
        own = [point for point in points if point.kind == kind]
        if own:
            chart.add_scatter(
                x=[point.w[0] for point in own],
                y=[point.w[1] for point in own],
                mode="markers",
                name=kind,
                customdata=[point.loss for point in own],
                marker={"symbol": symbol, "size": 15, "color": "#ffffff", "line": {"color": "#1c2024", "width": 1.5}},
                hovertemplate=f"{kind}: w = (%{{x:.3f}}, %{{y:.3f}}), L %{{customdata:.3f}}<extra></extra>",
            )
    line = {"color": "#ea5f3e", "width": 3}
    mark = {"color": "#ea5f3e", "size": 11, "line": {"color": "#ffffff", "width": 1.5}}
    chart.add_scatter(x=path[:, 0], y=path[:, 1], mode="lines", line=line, name="gradient descent", hoverinfo="skip")
    chart.add_scatter(x=path[-1:, 0], y=path[-1:, 1], mode="markers", marker=mark, showlegend=False, hoverinfo="skip")
    moving = [len(chart.data) - 2, len(chart.data) - 1]
    path = path.astype(np.float32)  # as few bytes as a picture needs
    steps = np.unique(np.round(np.geomspace(1, len(path), _MOST_FRAMES)).astype(int))
    chart.frames = [
        go.Frame(
            data=[go.Scatter(x=path[:k, 0], y=path[:k, 1]), go.Scatter(x=path[k - 1 : k, 0], y=path[k - 1 : k, 1])],
            traces=moving,
            name=str(k - 1),
        )
        for k in steps
    ]
    add_animation(chart, [str(k - 1) for k in steps], "step", theme)
    return base.set_square_axes(chart, axis[0], axis[-1])


def plot_reconstructions(X: np.ndarray, w: np.ndarray, u: np.ndarray, theme: str) -> go.Figure:
    """Data in the plane, their reconstructions and the first principal direction.

    Parameters
    ----------
    X : (n, 2); w, u : (2,) the weights, and the first principal direction
    """
    reach = float(np.abs(X).max()) * 1.05
    chart = base.make_chart(theme, "Data and reconstructions", "x₁", "x₂", 480)
    chart.add_scatter(
        x=X[:, 0],
        y=X[:, 1],
        mode="markers",
        name="data x",
        marker={"size": 4, "color": palette.SINGLE[theme], "opacity": 0.6},
        hoverinfo="skip",
    )
    reconstructed = np.outer(X @ w, w)
    chart.add_scatter(
        x=reconstructed[:, 0],
        y=reconstructed[:, 1],
        mode="markers",
        name="reconstruction w wᵀx",
        marker={"size": 4, "color": base.get_colour(2, theme)},
        hoverinfo="skip",
    )
    chart.add_scatter(
        x=[-reach * u[0], reach * u[0]],
        y=[-reach * u[1], reach * u[1]],
        mode="lines",
        name="first principal direction",
        line={"color": palette.INK[theme], "width": 1.5, "dash": "dash"},
        hoverinfo="skip",
    )
    return base.set_square_axes(chart, -reach, reach)
