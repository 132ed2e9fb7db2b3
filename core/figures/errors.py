"""Errors as pictures and charts: signed differences on one scale, errors by class and amount, distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.style import add_band, escape_text, make_decade_ticks, make_figure


def plot_by_class(
    means: Mapping[str, Sequence[tuple[float, float, float]]],
    classes: Sequence[str],
    counts: Sequence[int],
    theme: str,
    methods: Mapping[str, str],
) -> go.Figure:
    """A dot with its interval for each class and method.

    Parameters
    ----------
    means : label -> (mean, low, high) of each class, NaN where there is none
    classes, counts : name and number of rows of each class, in the order they are drawn
    methods : label -> method, by which colours and marks go, see `palette.get_method_style`
    """
    figure = make_figure(theme)
    ticks = [escape_text(name) for name in classes]
    for label, found in means.items():
        style = palette.get_method_style(methods[label], theme)
        mean, low, high = np.asarray(found, np.float64).reshape(-1, 3).T
        figure.add_scatter(
            x=list(range(len(ticks))),
            y=mean,
            error_y={"array": high - mean, "arrayminus": mean - low, "width": 3, "thickness": 1.5},
            mode="markers",
            name=escape_text(label),
            customdata=np.column_stack([low, high, counts]),
            text=ticks,
            marker={"color": style.colour, "symbol": style.symbol, "size": 6},
            hovertemplate=f"{escape_text(label)}, class %{{text}}<br>%{{y:.2f}} (%{{customdata[0]:.2f}} to "
            "%{customdata[1]:.2f}), n = %{customdata[2]:,}<extra></extra>",
        )
    figure.update_xaxes(title="class", tickvals=list(range(len(ticks))), ticktext=ticks, range=[-0.5, len(ticks) - 0.5])
    figure.update_yaxes(title="mean squared error per image", rangemode="tozero")
    # Side by side: methods of the same error, such as PCA and a linear autoencoder, would hide one another.
    return _laid_out(figure, 380, scattermode="group", scattergap=0.35)


def plot_distribution(
    quantiles: Mapping[str, tuple[np.ndarray, np.ndarray]],
    theme: str,
    methods: Mapping[str, str],
    *,
    is_log: bool = True,
) -> go.Figure:
    """Share of the images whose error is at most x, a line a method.

    Parameters
    ----------
    quantiles : label -> shares and errors, see `core.analysis.error_comparison.compute_quantiles`
    methods : as in `per_class`
    """
    figure = make_figure(theme)
    for label, (shares, errors) in quantiles.items():
        style = palette.get_method_style(methods[label], theme)
        figure.add_scatter(
            x=errors.astype(np.float32),
            y=shares.astype(np.float32) * 100,
            mode="lines",
            name=escape_text(label),
            line={"color": style.colour, "dash": style.dash, "width": 2, "shape": "vh"},
            hovertemplate=f"{escape_text(label)}: %{{y:.0f}}% of the images at most %{{x:.3~g}}<extra></extra>",
        )
    figure.update_xaxes(title="squared error per image", type="log" if is_log else "linear")
    if is_log:
        figure.update_xaxes(make_decade_ticks(error for _, errors in quantiles.values() for error in errors))
    else:
        figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(title="images with at most this error (%)", range=[0, 101])
    return _laid_out(figure, 340)


@dataclass(frozen=True)
class Curve:
    """(n_levels, 3) mean, low and high of a method's error; without a method, what the methods are held to."""

    label: str
    band: np.ndarray
    method: str = ""


def plot_by_corruption(
    levels: Sequence[float], curves: Sequence[Curve], axis: str, theme: str, at: float | None = None
) -> go.Figure:
    """Error as the damage grows: a line with its band for each method, a grey one for doing nothing.

    Parameters
    ----------
    levels : (n_levels,) amounts; axis : what they are
    at : the amount that is marked, if any
    """
    figure = make_figure(theme)
    x = np.asarray(levels, np.float64)
    for curve in curves:
        style = palette.get_method_style(curve.method, theme)
        colour = style.colour if curve.method else palette.NO_CLASS[theme]
        name = escape_text(curve.label)
        mean, low, high = curve.band.T
        add_band(figure, x, low, high, colour, name)
        figure.add_scatter(
            x=x,
            y=mean,
            mode="lines+markers" if curve.method else "lines",
            name=name,
            legendgroup=name,
            customdata=np.column_stack([low, high]),
            line={"color": colour, "width": 2 if curve.method else 3, "dash": style.dash if curve.method else "solid"},
            marker={"symbol": style.symbol, "size": 8},
            hovertemplate=f"{name}: %{{y:.3~g}} (%{{customdata[0]:.3~g}} to %{{customdata[1]:.3~g}})<extra></extra>",
        )
    if at is not None:
        figure.add_vline(x=at, line={"color": palette.INK[theme], "width": 1, "dash": "dot"})
    figure.update_xaxes(title=axis, hoverformat="~g")
    figure.update_yaxes(title="squared error per image, compared with the clean image", rangemode="tozero")
    return _laid_out(figure, 400, hovermode="x unified")


def _laid_out(figure: go.Figure, height: int, **layout) -> go.Figure:
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 28, "b": 84},
        # One method alone is named too.
        showlegend=True,
        legend={"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0},
        uirevision="kept",
        **layout,
    )
    return figure
