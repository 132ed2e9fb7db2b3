"""One Gaussian fitted by three divergences: densities in 1-D, outlines in 2-D."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base

_REACH = 6.0
_SAME = 0.05  # means of fits that are closer are the same optimum
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
    x, p : (n,) points and the target's density there
    fits : core.mechanisms.divergences.Fit, the best first
    best : (n,) density of the best fit
    k : colour of the fit
    """
    chart = base.make_chart(theme, title, "x", "density", 300)
    filled = {"fill": "tozeroy", "fillcolor": palette.make_translucent(palette.INK[theme])}
    shown = np.abs(x) <= _REACH
    x, p, best = x[shown], p[shown], best[shown]
    hover = "x = %{x:.2f}: p %{y:.3f}<extra></extra>"
    base.add_line(chart, x, p, "target p", theme, "ink", width=1, hovertemplate=hover, **filled)
    base.add_line(chart, x, best, "fitted q", theme, k, width=3, hovertemplate=hover.replace("p", "q", 1))
    top = max(p.max(), best.max())
    means = np.array([fit.gaussian.mean[0] for fit in fits])
    others = means[np.abs(means - means[0]) > _SAME]
    if len(others):
        points = np.column_stack([others, np.full(len(others), -0.03 * top)])
        look = {"symbol": "triangle-up-open", "hovertemplate": "local optimum, mean %{x:.2f}<extra></extra>"}
        base.add_points(chart, points, "other local optima", palette.CLASSES[theme][k], 10, **look)
    _add_starts(chart, np.array([[fit.start[0], -0.09 * top] for fit in fits]), theme)
    chart.update_xaxes(range=[-_REACH, _REACH])
    chart.update_yaxes(range=[-0.14 * top, 1.08 * top])
    return chart


def plot_in_2d(
    axis: np.ndarray, p: np.ndarray, fits: Sequence, outlines: Sequence[np.ndarray], title: str, k: int, theme: str
) -> go.Figure:
    """The target's density as shading, the fits by their outlines of standard deviations.

    Parameters
    ----------
    axis : (n,); p : (n, n), [y, x]
    outlines : of each fit, an (m, 2) ellipse of one standard deviation
    """
    chart = base.make_chart(theme, title, "x₁", "x₂", 360)
    shown = np.abs(axis) <= _REACH
    low, high = _GREYS[theme]
    chart.add_heatmap(
        x=axis[shown],
        y=axis[shown],
        z=p[np.ix_(shown, shown)],
        colorscale=[[0, low], [1, high]],
        zsmooth="fast",
        showscale=False,
        hoverinfo="skip",
    )
    best, last = fits[0].gaussian.mean, len(fits) - 1
    for j in range(last, 0, -1):
        if np.abs(fits[j].gaussian.mean - best).max() >= _SAME:
            options = {"width": 1.5, "dash": "dot", "showlegend": j == last, "hoverinfo": "skip"}
            base.add_line(chart, *outlines[j].T, "other local optima", theme, k, **options)
    for size, width in ((1, 3), (2, 1.5)):
        outline = best + size * (outlines[0] - best)
        options = {"width": width, "showlegend": size == 1, "hoverinfo": "skip"}
        base.add_line(chart, *outline.T, "fitted q (1 and 2 sd)", theme, k, **options)
    _add_starts(chart, np.array([fit.start for fit in fits]), theme)
    return base.set_square_axes(chart, -_REACH, _REACH)


def _add_starts(chart: go.Figure, points: np.ndarray, theme: str) -> None:
    look = {"symbol": "cross-thin", "rim": {"width": 1.5, "color": palette.INK[theme]}}
    base.add_points(chart, points, "initial means", None, 8, **look, hovertemplate="initial mean<extra></extra>")
