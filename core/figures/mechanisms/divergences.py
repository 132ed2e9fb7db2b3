"""One Gaussian fitted by three divergences: densities on a line, outlines in the plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base

_REACH = 6.0
_GREYS = {
    "light": ("rgba(28,32,36,0)", "rgba(28,32,36,0.45)"),
    "dark": ("rgba(232,234,237,0)", "rgba(232,234,237,0.5)"),
}


def plot_in_1d(
    x: np.ndarray, p: np.ndarray, fits: Sequence, best: np.ndarray, title: str, k: int, theme: str
) -> go.Figure:
    """The target's density and the best fit, with the initial means and the other local optima.

    Parameters
    ----------
    x, p : (n,) places and the target's density there
    fits : core.mechanisms.divergences.Fit, the best first
    best : (n,) density of the best one
    k : colour of the fit
    """
    chart = base.make_chart(theme, title, "x", "density", 300)
    chart.add_scatter(
        x=x,
        y=p,
        mode="lines",
        name="target p",
        fill="tozeroy",
        line={"color": palette.INK[theme], "width": 1},
        fillcolor=palette.make_translucent(palette.INK[theme]),
        hovertemplate="x = %{x:.2f}: p %{y:.3f}<extra></extra>",
    )
    base.add_line(
        chart, x, best, "fitted q", theme, k, width=3, hovertemplate="x = %{x:.2f}: q %{y:.3f}<extra></extra>"
    )
    top = max(p.max(), best.max())
    others = [fit for fit in fits if abs(fit.gaussian.mean[0] - fits[0].gaussian.mean[0]) > 0.05]
    _add_other_optima(chart, [fit.gaussian.mean[0] for fit in others], [-0.03 * top] * len(others), k, theme)
    _add_starts(chart, [fit.start[0] for fit in fits], [-0.09 * top] * len(fits), theme)
    chart.update_xaxes(range=[-_REACH, _REACH])
    chart.update_yaxes(range=[-0.14 * top, 1.08 * top])
    return chart


def plot_in_2d(
    axis: np.ndarray, p: np.ndarray, fits: Sequence, outlines: Sequence[np.ndarray], title: str, k: int, theme: str
) -> go.Figure:
    """Target density as a shade, the best fit by its outlines of one and two standard deviations.

    Parameters
    ----------
    axis : (n,); p : (n, n), first index along x
    outlines : of each fit one (m, 2) ellipse of one standard deviation
    """
    chart = base.make_chart(theme, title, "x₁", "x₂", 360)
    shown = np.abs(axis) <= _REACH
    low, high = _GREYS[theme]
    chart.add_heatmap(
        x=axis[shown],
        y=axis[shown],
        z=p[np.ix_(shown, shown)].T,
        colorscale=[[0, low], [1, high]],
        zsmooth="fast",
        showscale=False,
        hoverinfo="skip",
    )
    for j in range(len(fits) - 1, -1, -1):
        centre, ellipse = fits[j].gaussian.mean, outlines[j]
        is_best = j == 0
        if not is_best and np.abs(centre - fits[0].gaussian.mean).max() < 0.05:
            continue
        for size in (1, 2) if is_best else (1,):
            outline = centre + size * (ellipse - centre)
            chart.add_scatter(
                x=outline[:, 0],
                y=outline[:, 1],
                mode="lines",
                line={
                    "color": base.get_colour(k, theme),
                    "width": 3 if size == 1 and is_best else 1.5,
                    "dash": "solid" if is_best else "dot",
                },
                name="fitted q (1 and 2 sd)" if is_best else "other local optima",
                showlegend=size == 1 and (is_best or j == len(fits) - 1),
                hoverinfo="skip",
            )
    _add_starts(chart, [fit.start[0] for fit in fits], [fit.start[1] for fit in fits], theme)
    return base.set_square_axes(chart, -_REACH, _REACH)


def _add_starts(chart: go.Figure, x, y, theme: str) -> None:
    chart.add_scatter(
        x=x,
        y=y,
        mode="markers",
        name="initial means",
        marker={"symbol": "cross-thin", "size": 8, "line": {"width": 1.5, "color": palette.INK[theme]}},
        hovertemplate="initial mean<extra></extra>",
    )


def _add_other_optima(chart: go.Figure, x, y, k: int, theme: str) -> None:
    if len(x):
        chart.add_scatter(
            x=x,
            y=y,
            mode="markers",
            name="other local optima",
            marker={"symbol": "triangle-up-open", "size": 10, "color": base.get_colour(k, theme)},
            hovertemplate="local optimum, mean %{x:.2f}<extra></extra>",
        )
