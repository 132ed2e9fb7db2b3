"""Words along an axis of a code, and precision against the number of documents retrieved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.style import add_band, escape_text, make_figure

_CROWDED = 1.6
_DASHES = ("dot", "dash", "solid", "longdashdot", "dashdot", "longdash")


def plot_word_weights(
    values: np.ndarray, weights: np.ndarray, words: Sequence[str], at: float, unit: str, theme: str
) -> go.Figure:
    """What some words weigh while one number of the code is walked.

    Parameters
    ----------
    values : (n_steps,) of the number
    weights : (n_steps, n_words)
    at : the value that is marked
    unit : what the weights are
    """
    figure = make_figure(theme)
    colours = palette.list_series(theme)
    shown = ".2~%" if unit == "probability" else ".3~g"
    for k, word in enumerate(words):
        figure.add_scatter(
            x=values.astype(np.float32),
            y=weights[:, k].astype(np.float32),
            mode="lines",
            name=escape_text(word),
            line={"color": colours[k % len(colours)], "width": 2, "dash": ("solid", "dash")[k // 5 % 2]},
            hovertemplate=f"{escape_text(word)}: %{{y:{shown}}} at %{{x:.3~g}}<extra></extra>",
        )
    figure.add_vline(x=float(at), line={"color": palette.INK[theme], "width": 1, "dash": "dot"})
    figure.update_xaxes(title="value of this latent dimension", hoverformat=".3~g")
    figure.update_yaxes(title=unit, tickformat=shown)
    figure.update_layout(
        height=300, margin={"l": 8, "r": 8, "t": 8, "b": 8}, legend={"tracegroupgap": 2}, uirevision="kept"
    )
    return figure


@dataclass(frozen=True)
class PrecisionCurve:
    """Precision of one method's code at each number of answers.

    Attributes
    ----------
    at : (n_levels,) numbers of answers, increasing.
    precision : (n_levels, 3) mean, low and high, in [0, 1].
    method : by which its colour goes; "" for what methods are held to.
    size : numbers in the code, by which its dash goes.
    """

    label: str
    at: np.ndarray
    precision: np.ndarray
    method: str = ""
    size: int = 0


def plot_precision(curves: Sequence[PrecisionCurve], theme: str, size: int) -> go.Figure:
    """Precision against the number of documents retrieved: a colour a method, a dash a code size.

    Parameters
    ----------
    size : the code size whose lines have their 95% bands; more would hide one another.
    """
    sizes = sorted({curve.size for curve in curves if curve.method})
    figure = make_figure(theme)
    for curve in curves:
        style = palette.get_method_style(curve.method, theme)
        colour = style.colour if curve.method else palette.INK[theme]
        dash = _DASHES[sizes.index(curve.size) % len(_DASHES)] if curve.method else "solid"
        name = escape_text(curve.label)
        mean, low, high = curve.precision.T
        if curve.method and curve.size == size:
            add_band(figure, curve.at, low, high, colour, name)
        figure.add_scatter(
            x=curve.at,
            y=mean,
            mode="lines",
            name=name,
            legendgroup=name,
            customdata=np.column_stack([low, high]),
            line={"color": colour, "width": 2 if curve.method else 4, "dash": dash},
            hovertemplate=f"{name}: %{{y:.3f}} (%{{customdata[0]:.3f}} to %{{customdata[1]:.3f}})<extra></extra>",
        )
    ticks = np.unique(np.concatenate([curve.at for curve in curves])) if curves else np.empty(0)
    # All documents but one are hardly more than the number before.
    ticks = ticks[:-1] if len(ticks) > 1 and ticks[-1] < _CROWDED * ticks[-2] else ticks
    figure.update_xaxes(
        title="documents retrieved",
        type="log",
        tickvals=ticks,
        ticktext=[f"{k:,}" for k in ticks],
        tickangle=0,
        hoverformat=",d",
    )
    figure.update_yaxes(title="precision: share of the query's class", rangemode="tozero")
    figure.update_layout(
        height=460,
        margin={"l": 8, "r": 8, "t": 8, "b": 110},
        legend={"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0},
        hovermode="x unified",
        uirevision="kept",
    )
    return figure
