"""Charts of documents: words along a latent dimension, and retrieval precision."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.style import add_curve, escape_text, lay_out, make_figure

_CLOSE = 1.6  # ratio of two numbers of documents whose labels would overlap
_DASHES = ("dot", "dash", "solid", "longdashdot", "dashdot", "longdash")


def plot_word_weights(
    values: np.ndarray, weights: np.ndarray, words: Sequence[str], at: float, unit: str, theme: str
) -> go.Figure:
    """Weights of some words along a latent dimension.

    Parameters
    ----------
    values : (n_steps,) of the dimension; weights : (n_steps, n_words)
    at : the value that is marked
    unit : of the weights
    """
    figure = make_figure(theme)
    number_format = ".2~%" if unit == "probability" else ".3~g"
    for k, word in enumerate(words):
        figure.add_scatter(
            x=values.astype(np.float32),
            y=weights[:, k].astype(np.float32),
            mode="lines",
            name=escape_text(word),
            line={"color": palette.CLASSES[theme][k % 10], "width": 2, "dash": ("solid", "dash")[k // 5 % 2]},
            hovertemplate=f"{escape_text(word)}: %{{y:{number_format}}} at %{{x:.3~g}}<extra></extra>",
        )
    figure.add_vline(x=float(at), line={"color": palette.INK[theme], "width": 1, "dash": "dot"})
    figure.update_xaxes(title="value of this latent dimension", hoverformat=".3~g")
    figure.update_yaxes(title=unit, tickformat=number_format)
    return lay_out(figure, 300, legend={"tracegroupgap": 2}, uirevision="kept")


@dataclass(frozen=True)
class PrecisionCurve:
    """Precision of one method's codes.

    Attributes
    ----------
    at : (n_levels,) numbers of documents retrieved, increasing.
    precision : (n_levels, 3) mean, low and high, in [0, 1].
    method : determines the colour; "" for the baseline.
    size : number of latent dimensions; determines the dash.
    """

    label: str
    at: np.ndarray
    precision: np.ndarray
    method: str = ""
    size: int = 0


def plot_precision(curves: Sequence[PrecisionCurve], theme: str, size: int) -> go.Figure:
    """Precision by number of documents retrieved: colour by method, dash by code size.

    Only lines of the code size `size` have 95% bands; more bands would hide one another.
    """
    sizes = sorted({curve.size for curve in curves if curve.method})
    figure = make_figure(theme)
    for curve in curves:
        name = escape_text(curve.label)
        line = {"color": palette.INK[theme], "width": 4, "dash": "solid"}
        if curve.method:
            colour, dash = palette.get_method_style(curve.method, theme).colour, _DASHES[sizes.index(curve.size) % 6]
            line = {"color": colour, "width": 2, "dash": dash}
        has_band = bool(curve.method) and curve.size == size
        add_curve(figure, curve.at, curve.precision, name, line, ".3f", has_band=has_band, mode="lines")
    ticks = np.unique(np.concatenate([curve.at for curve in curves])) if curves else np.empty(0)
    if len(ticks) > 1 and ticks[-1] < _CLOSE * ticks[-2]:
        ticks = ticks[:-1]
    labels = {"tickvals": ticks, "ticktext": [f"{k:,}" for k in ticks], "tickangle": 0}
    figure.update_xaxes(title="documents retrieved", type="log", hoverformat=",d", **labels)
    figure.update_yaxes(title="precision: share of the query's class", rangemode="tozero")
    return lay_out(figure, 460, bottom=110, hovermode="x unified", uirevision="kept")
