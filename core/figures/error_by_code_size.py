"""Error against code size and depth, and a linear autoencoder's way to PCA."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures import palette, style
from core.figures.history_panels import thin_rows
from core.figures.style import escape_text

_OPEN = "-open"
_FEW_POINTS = 12


@dataclass(frozen=True)
class Mark:
    """The run of a method at one code size.

    Attributes
    ----------
    method : by which its colour and symbol go, see `palette.get_method_style`.
    error, low, high : squared error an image with its 95% interval.
    about : lines of what is told where the pointer rests.
    is_own : whether it is not one of the shipped; drawn hollow.
    is_best : whether the method's line passes through it.
    is_small : whether it leaves what is below to be seen.
    """

    label: str
    method: str
    size: int
    error: float
    low: float
    high: float
    about: tuple[str, ...] = ()
    is_own: bool = False
    is_best: bool = True
    is_small: bool = False


def plot_by_size(
    exact: np.ndarray | None, marks: Sequence[Mark], theme: str, *, is_log: bool = True, largest: int = 256
) -> go.Figure:
    """Error against code size: PCA's as a line through every size, each run as a mark with its interval.

    Parameters
    ----------
    exact : (n + 1,) PCA's error with 0 to n numbers, or None
    is_log : whether the axis of sizes is logarithmic
    largest : the last size that is drawn
    """
    figure = style.make_figure(theme)
    if exact is not None:
        sizes = np.arange(1, min(largest, len(exact) - 1) + 1)
        left = exact[sizes] / exact[0] if exact[0] > 0 else np.zeros(len(sizes))
        figure.add_scatter(
            x=sizes,
            y=exact[sizes],
            mode="lines+markers",
            name="PCA (exact)",
            customdata=left * 100,
            line={"color": palette.get_method_style("pca", theme).colour, "width": 1.5},
            # Points are what a click can meet.
            marker={"color": palette.get_method_style("pca", theme).colour, "size": 4},
            hovertemplate="PCA, %{x} dimensions: %{y:.4g}<br>%{customdata:.3g}% of the variance left<extra></extra>",
        )
    for label in dict.fromkeys(mark.label for mark in marks):
        _add_method(figure, [mark for mark in marks if mark.label == label], theme)
    figure.update_traces(selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}})
    figure.update_xaxes(title="latent dimensions", hoverformat="d")
    if is_log:
        ticks = [k for k in (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500) if k <= largest]
        figure.update_xaxes(type="log", tickvals=ticks, ticktext=[str(k) for k in ticks])
    else:
        figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(title="squared error per image", rangemode="tozero")
    return _laid_out(figure, 420, hovermode="closest", dragmode=False)


def _add_method(figure: go.Figure, marks: Sequence[Mark], theme: str) -> None:
    """A line through a method's best runs, and a mark for each of its runs."""
    style = palette.get_method_style(marks[0].method, theme)
    best = sorted((mark for mark in marks if mark.is_best), key=lambda mark: mark.size)
    name = escape_text(marks[0].label)
    if len(best) > 1:
        figure.add_scatter(
            x=[mark.size for mark in best],
            y=[mark.error for mark in best],
            mode="lines",
            line={"color": style.colour, "width": 1.5, "dash": "dot"},
            hoverinfo="skip",
            legendgroup=name,
            showlegend=False,
        )
    figure.add_scatter(
        x=[mark.size for mark in marks],
        y=[mark.error for mark in marks],
        error_y={
            "array": [mark.high - mark.error for mark in marks],
            "arrayminus": [mark.error - mark.low for mark in marks],
            "width": 4,
            "thickness": 1.5,
        },
        mode="markers",
        name=name,
        legendgroup=name,
        text=["<br>".join(map(escape_text, mark.about)) for mark in marks],
        marker={
            "color": style.colour,
            "symbol": [style.symbol + (_OPEN if mark.is_own else "") for mark in marks],
            "size": [6 if mark.is_small else 11 for mark in marks],
            "line": {"width": 1.5, "color": style.colour},
            # Marks of several sizes would be half transparent, as bubbles.
            "opacity": 1,
        },
        hovertemplate="%{text}<extra></extra>",
    )


@dataclass(frozen=True)
class Depth:
    """An autoencoder of some depth: its error with interval, whether it is linear."""

    label: str
    error: float
    low: float
    high: float
    is_linear: bool = False


def plot_by_depth(
    depths: Sequence[Depth], theme: str, pca: float | None = None, *, places: Sequence[str] = ()
) -> go.Figure:
    """Error against depth, a mark with its interval for each, joined where layers are added.

    Parameters
    ----------
    places : every label of the axis in its order; some may have no mark
    pca : PCA's error at the same code size, drawn as a level, or None
    """
    figure = style.make_figure(theme)
    styles = [palette.get_method_style("linear_ae" if each.is_linear else "ae", theme) for each in depths]
    figure.add_scatter(
        x=[escape_text(each.label) for each in depths],
        y=[each.error for each in depths],
        error_y={
            "array": [each.high - each.error for each in depths],
            "arrayminus": [each.error - each.low for each in depths],
            "width": 6,
            "thickness": 1.5,
        },
        customdata=[[each.low, each.high] for each in depths],
        mode="lines+markers",
        line={"color": palette.NO_CLASS[theme], "width": 1, "dash": "dot"},
        marker={"color": [style.colour for style in styles], "symbol": [style.symbol for style in styles], "size": 11},
        showlegend=False,
        hovertemplate="%{x}: %{y:.4g} (%{customdata[0]:.4g} to %{customdata[1]:.4g})<extra></extra>",
    )
    if pca is not None:
        figure.add_hline(y=pca, line={"color": palette.NO_CLASS[theme], "width": 1.5}, annotation={"text": "PCA"})
    if places:
        figure.update_xaxes(
            type="category",
            categoryorder="array",
            categoryarray=[escape_text(each) for each in places],
            range=[-0.5, len(places) - 0.5],
        )
    figure.update_yaxes(title="squared error per image", rangemode="tozero")
    return _laid_out(figure, 330)


def plot_convergence_to_pca(history: Sequence[Mapping[str, Any]], theme: str) -> list[go.Figure]:
    """A linear autoencoder's principal angles to PCA's subspace, and its excess error, by epoch, on logarithmic axes.

    Parameters
    ----------
    history : rows with ``epoch``, ``largest_angle``, ``mean_angle`` and ``excess_error``, see
    `core.metrics.linear_ae_vs_pca`
    """
    rows = thin_rows(history)
    return [
        _plot_by_epoch(rows, {"largest_angle": "largest", "mean_angle": "mean"}, "principal angle, degrees", theme),
        _plot_by_epoch(rows, {"excess_error": "excess error"}, "squared error an image above PCA's", theme),
    ]


def _plot_by_epoch(rows: Sequence[Mapping[str, Any]], curves: Mapping[str, str], title: str, theme: str) -> go.Figure:
    figure = style.make_figure(theme)
    for k, (key, name) in enumerate(curves.items()):
        y = np.array([row[key] for row in rows], np.float64)
        figure.add_scatter(
            x=[row["epoch"] for row in rows],
            # Below the rounding of the sums there is nothing to be drawn on a logarithmic axis.
            y=np.where(y > 0, y, np.nan),
            mode="lines+markers" if len(rows) < _FEW_POINTS else "lines",
            name=name,
            showlegend=len(curves) > 1,
            line={
                "color": palette.get_method_style("linear_ae", theme).colour,
                "dash": ("solid", "dash")[k],
                "width": 2,
            },
            hovertemplate=f"epoch %{{x}}: {name} %{{y:.3g}}<extra></extra>",
        )
    figure.update_xaxes(title="epoch", rangemode="tozero")
    figure.update_yaxes(title=title, type="log", exponentformat="power", dtick=1)
    return _laid_out(figure, 300)


def _laid_out(figure: go.Figure, height: int, **layout) -> go.Figure:
    figure.update_layout(
        height=height,
        **{"margin": {"l": 8, "r": 8, "t": 16, "b": 8}, **layout},
        # One method alone is named too.
        showlegend=True,
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"},
    )
    return figure
