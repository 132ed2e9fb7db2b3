"""Reconstruction errors: by class, their distribution, and by amount of corruption."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.style import add_curve, escape_text, lay_out, make_decade_ticks, make_error_bars, make_figure

# plotly hides the legend of a single trace by default.
_LAYOUT = {"top": 28, "bottom": 84, "showlegend": True, "uirevision": "kept"}


def plot_by_class(
    means: Mapping[str, Sequence[tuple[float, float, float]]],
    classes: Sequence[str],
    counts: Sequence[int],
    theme: str,
    methods: Mapping[str, str],
    error: str = "squared error per image",
    group: str = "class",
) -> go.Figure:
    """A dot with its interval for each class, or feature, and method.

    Parameters
    ----------
    means : label -> (mean, low, high) of each class, NaN where there is none
    classes, counts : name and number of rows of each class, in the order they are drawn
    methods : label -> method, which determines colour and mark, see `palette.get_method_style`; "" for a baseline
    error, group : names of the axes
    """
    figure = make_figure(theme)
    ticks = [escape_text(name) for name in classes]
    for label, intervals in means.items():
        style, name = palette.get_method_style(methods[label], theme), escape_text(label)
        colour = style.colour if methods[label] else palette.NO_CLASS[theme]
        mean, low, high = np.asarray(intervals, np.float64).reshape(-1, 3).T
        figure.add_scatter(
            x=list(range(len(ticks))),
            y=mean,
            error_y=make_error_bars(mean, low, high, 3),
            mode="markers",
            name=name,
            customdata=np.column_stack([low, high, counts]),
            text=ticks,
            marker={"color": colour, "symbol": style.symbol, "size": 6},
            hovertemplate=f"{name}, {group} %{{text}}<br>%{{y:.3~g}} (%{{customdata[0]:.3~g}} to "
            "%{customdata[1]:.3~g}), n = %{customdata[2]:,}<extra></extra>",
        )
    figure.update_xaxes(title=group, tickvals=list(range(len(ticks))), ticktext=ticks, range=[-0.5, len(ticks) - 0.5])
    figure.update_yaxes(title=f"mean {error}", rangemode="tozero")
    # Side by side: methods of the same error, such as PCA and a linear autoencoder, would hide one another.
    return lay_out(figure, 380, **_LAYOUT, scattermode="group", scattergap=0.35)


def plot_distribution(
    quantiles: Mapping[str, tuple[np.ndarray, np.ndarray]],
    theme: str,
    methods: Mapping[str, str],
    *,
    is_log: bool,
    error: str = "squared error per image",
    row: str = "image",
) -> go.Figure:
    """Share of the rows whose error is at most x, a line for each method.

    Parameters
    ----------
    quantiles : label -> shares and errors, see `core.analysis.error_comparison.compute_quantiles`
    error, row : names of the error and of a row
    """
    figure = make_figure(theme)
    for label, (shares, errors) in quantiles.items():
        style, name = palette.get_method_style(methods[label], theme), escape_text(label)
        figure.add_scatter(
            x=errors.astype(np.float32),
            y=shares.astype(np.float32) * 100,
            mode="lines",
            name=name,
            line={"color": style.colour, "dash": style.dash, "width": 2, "shape": "vh"},
            hovertemplate=f"{name}: %{{y:.0f}}% of the {row}s at most %{{x:.3~g}}<extra></extra>",
        )
    axis = {"type": "linear", "rangemode": "tozero"}
    if is_log:
        axis = {"type": "log", **make_decade_ticks(error for _, errors in quantiles.values() for error in errors)}
    figure.update_xaxes(title=error, **axis)
    figure.update_yaxes(title=f"{row}s with at most this error (%)", range=[0, 101])
    return lay_out(figure, 340, **_LAYOUT)


@dataclass(frozen=True)
class Curve:
    """A method's error: mean, low and high, (n_levels, 3); that of the baseline has no method."""

    label: str
    band: np.ndarray
    method: str = ""


def plot_by_corruption(
    levels: Sequence[float],
    curves: Sequence[Curve],
    axis: str,
    theme: str,
    at: float | None = None,
    error: str = "squared error per image",
    row: str = "image",
) -> go.Figure:
    """Error against the amount of corruption: lines with bands, a grey one for the baseline.

    Parameters
    ----------
    levels : (n_levels,) amounts; axis : their name
    at : the amount that is marked, if any
    error, row : names of the error and of a row
    """
    figure = make_figure(theme)
    x = np.asarray(levels, np.float64)
    for curve in curves:
        style, name = palette.get_method_style(curve.method, theme), escape_text(curve.label)
        line = {"color": palette.NO_CLASS[theme], "width": 3, "dash": "solid"}
        if curve.method:
            line = {"color": style.colour, "width": 2, "dash": style.dash}
        look = {"mode": "lines+markers" if curve.method else "lines", "marker": {"symbol": style.symbol, "size": 8}}
        add_curve(figure, x, curve.band, name, line, ".3~g", **look)
    if at is not None:
        figure.add_vline(x=at, line={"color": palette.INK[theme], "width": 1, "dash": "dot"})
    figure.update_xaxes(title=axis, hoverformat="~g")
    figure.update_yaxes(title=f"{error}, compared with the clean {row}", rangemode="tozero")
    return lay_out(figure, 400, **_LAYOUT, hovermode="x unified")
