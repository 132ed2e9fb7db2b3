"""Reconstruction error by code size, by depth, and by epoch of a linear autoencoder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures import palette, style
from core.figures.style import escape_text
from core.figures.svg import thin_rows

_TICKS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 500)
_FEW_POINTS = 12
# plotly makes marks half transparent if their sizes differ, and if another one is selected.
_OPAQUE = {"marker": {"opacity": 1}}


@dataclass(frozen=True)
class Mark:
    """The run of a method at one code size, or of an autoencoder at one depth.

    Attributes
    ----------
    method : determines colour and symbol, see `palette.get_method_style`.
    size : latent dimensions, or hidden layers.
    error, low, high : mean error with its 95% interval.
    about : lines of the hover text.
    is_own : whether it is not a shipped run; drawn hollow.
    is_best : whether the method's line passes through it.
    is_small : whether it is drawn small, so that marks below it stay visible.
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
    exact: np.ndarray | None,
    marks: Sequence[Mark],
    theme: str,
    *,
    is_log: bool = True,
    largest: int = 256,
    title: str = "squared error per image",
) -> go.Figure:
    """Error against code size: a line for PCA, a mark with its interval for each run.

    Parameters
    ----------
    exact : (n + 1,) PCA's error with 0 to n components, or None
    is_log : whether the axis of sizes is logarithmic
    largest : the last size of PCA's line
    title : of the axis of errors
    """
    figure = style.make_figure(theme)
    if exact is not None:
        sizes = np.arange(1, min(largest, len(exact) - 1) + 1)
        colour = palette.get_method_style("pca", theme).colour
        figure.add_scatter(
            x=sizes,
            y=exact[sizes],
            mode="lines+markers",  # only markers can be clicked
            name="PCA (exact)",
            customdata=100 * (exact[sizes] / exact[0] if exact[0] > 0 else np.zeros(len(sizes))),
            line={"color": colour, "width": 1.5},
            marker={"color": colour, "size": 4},
            hovertemplate="PCA, %{x} dimensions: %{y:.4g}<br>%{customdata:.3g}% of the variance left<extra></extra>",
        )
    for label in dict.fromkeys(mark.label for mark in marks):
        _add_method(figure, [mark for mark in marks if mark.label == label], theme)
    figure.update_traces(selected=_OPAQUE, unselected=_OPAQUE)
    figure.update_xaxes(title="latent dimensions", hoverformat="d")
    if is_log:
        ticks = [k for k in _TICKS if k <= largest]
        figure.update_xaxes(type="log", tickvals=ticks, ticktext=[str(k) for k in ticks])
    else:
        figure.update_xaxes(rangemode="tozero")
    figure.update_yaxes(title=title, rangemode="tozero")
    # plotly hides the legend of a single trace by default.
    return style.lay_out(figure, 420, top=16, showlegend=True, hovermode="closest", dragmode=False)


def _add_method(figure: go.Figure, marks: Sequence[Mark], theme: str) -> None:
    """Add a line through a method's best runs, and a mark for each of its runs."""
    look, name = palette.get_method_style(marks[0].method, theme), escape_text(marks[0].label)
    best = sorted((mark for mark in marks if mark.is_best), key=lambda mark: mark.size)
    if len(best) > 1:
        figure.add_scatter(
            x=[mark.size for mark in best],
            y=[mark.error for mark in best],
            mode="lines",
            line={"color": look.colour, "width": 1.5, "dash": "dot"},
            hoverinfo="skip",
            legendgroup=name,
            showlegend=False,
        )
    errors, lows, highs = ([getattr(mark, key) for mark in marks] for key in ("error", "low", "high"))
    figure.add_scatter(
        x=[mark.size for mark in marks],
        y=errors,
        error_y=style.make_error_bars(errors, lows, highs, 4),
        mode="markers",
        name=name,
        legendgroup=name,
        text=["<br>".join(map(escape_text, mark.about)) for mark in marks],
        marker={
            "color": look.colour,
            "symbol": [look.symbol + ("-open" if mark.is_own else "") for mark in marks],
            "size": [6 if mark.is_small else 11 for mark in marks],
            "line": {"width": 1.5, "color": look.colour},
            **_OPAQUE["marker"],
        },
        hovertemplate="%{text}<extra></extra>",
    )


def plot_by_depth(
    marks: Sequence[Mark],
    theme: str,
    pca: float | None = None,
    *,
    places: Sequence[str] = (),
    title: str = "squared error per image",
) -> go.Figure:
    """Error against depth, with intervals, and PCA's error at the same code size as a level.

    `places` are all labels of the axis in their order; some may have no mark. `title` is of the axis of errors.
    """
    figure = style.make_figure(theme)
    looks = [palette.get_method_style(mark.method, theme) for mark in marks]
    errors, lows, highs = ([getattr(mark, key) for mark in marks] for key in ("error", "low", "high"))
    figure.add_scatter(
        x=[escape_text(mark.label) for mark in marks],
        y=errors,
        error_y=style.make_error_bars(errors, lows, highs, 6),
        customdata=[*zip(lows, highs, strict=True)],
        mode="lines+markers",
        line={"color": palette.NO_CLASS[theme], "width": 1, "dash": "dot"},
        marker={"color": [look.colour for look in looks], "symbol": [look.symbol for look in looks], "size": 11},
        showlegend=False,
        hovertemplate="%{x}: %{y:.4g} (%{customdata[0]:.4g} to %{customdata[1]:.4g})<extra></extra>",
    )
    if pca is not None:
        figure.add_hline(y=pca, line={"color": palette.NO_CLASS[theme], "width": 1.5}, annotation={"text": "PCA"})
    if places:
        names = [escape_text(place) for place in places]
        ends = [-0.5, len(places) - 0.5]
        figure.update_xaxes(type="category", categoryorder="array", categoryarray=names, range=ends)
    figure.update_yaxes(title=title, rangemode="tozero")
    return style.lay_out(figure, 330, top=16, showlegend=True)


def plot_convergence_to_pca(history: Sequence[Mapping[str, Any]], theme: str, row: str = "image") -> list[go.Figure]:
    """A linear AE's principal angles to PCA's subspace, and its excess error, by epoch.

    Rows have ``epoch``, ``largest_angle``, ``mean_angle`` and ``excess_error``, see `core.metrics.linear_ae_vs_pca`.
    """
    rows = thin_rows(history)
    return [
        _plot_by_epoch(rows, {"largest_angle": "largest", "mean_angle": "mean"}, "principal angle, degrees", theme),
        _plot_by_epoch(rows, {"excess_error": "excess error"}, f"squared error per {row} above PCA's", theme),
    ]


def _plot_by_epoch(rows: Sequence[Mapping[str, Any]], curves: Mapping[str, str], title: str, theme: str) -> go.Figure:
    figure = style.make_figure(theme)
    for (key, name), dash in zip(curves.items(), ("solid", "dash"), strict=False):
        y = np.array([row[key] for row in rows], np.float64)
        figure.add_scatter(
            x=[row["epoch"] for row in rows],
            y=np.where(y > 0, y, np.nan),  # rounding can make an error negative, which a logarithmic axis cannot show
            mode="lines+markers" if len(rows) < _FEW_POINTS else "lines",
            name=name,
            showlegend=len(curves) > 1,
            line={"color": palette.get_method_style("linear_ae", theme).colour, "dash": dash, "width": 2},
            hovertemplate=f"epoch %{{x}}: {name} %{{y:.3g}}<extra></extra>",
        )
    figure.update_xaxes(title="epoch", rangemode="tozero")
    figure.update_yaxes(title=title, type="log", exponentformat="E", dtick=1)
    return style.lay_out(figure, 300, top=16, showlegend=True)
