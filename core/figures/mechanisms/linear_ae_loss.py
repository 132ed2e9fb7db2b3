"""The loss surface of a tied linear autoencoder, with a descent that the browser plays."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base

_SYMBOLS = {"minimum": "star", "saddle": "x", "maximum": "circle"}
_MOST_FRAMES = 40
_PATH, _WHITE, _BLACK = "#ea5f3e", "#ffffff", "#1c2024"


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
            look = {"symbol": symbol, "rim": {"color": _BLACK, "width": 1.5}}
            hover = f"{kind}: w = (%{{x:.3f}}, %{{y:.3f}}), L %{{customdata:.3f}}<extra></extra>"
            options = {"customdata": [point.loss for point in own], "hovertemplate": hover}
            base.add_points(chart, np.array([point.w for point in own]), kind, _WHITE, 15, **look, **options)
    line = {"color": _PATH, "width": 3}
    chart.add_scatter(x=path[:, 0], y=path[:, 1], mode="lines", line=line, name="gradient descent", hoverinfo="skip")
    base.add_points(chart, path[-1:], None, _PATH, 11, rim={"color": _WHITE, "width": 1.5}, showlegend=False)
    path = np.float32(path)
    steps = np.unique(np.round(np.geomspace(1, len(path), _MOST_FRAMES)).astype(int))
    frames = {
        str(k - 1): [go.Scatter(x=part[:, 0], y=part[:, 1]) for part in (path[:k], path[k - 1 : k])] for k in steps
    }
    base.animate(chart, frames, [len(chart.data) - 2, len(chart.data) - 1], "step")
    return base.set_square_axes(chart, axis[0], axis[-1])


def plot_reconstructions(X: np.ndarray, w: np.ndarray, u: np.ndarray, theme: str) -> go.Figure:
    """Data (n, 2), reconstructions by weights w (2,), first principal direction u (2,)."""
    reach = float(np.abs(X).max()) * 1.05
    chart = base.make_chart(theme, "Data and reconstructions", "x₁", "x₂", 480)
    base.add_points(chart, X, "data x", palette.SINGLE[theme], 4, opacity=0.6)
    base.add_points(chart, np.outer(X @ w, w), "reconstruction w wᵀx", palette.CLASSES[theme][2], 4)
    ends = np.outer(u, [-reach, reach])
    base.add_line(chart, *ends, "first principal direction", theme, "ink", width=1.5, dash="dash", hoverinfo="skip")
    return base.set_square_axes(chart, -reach, reach)
