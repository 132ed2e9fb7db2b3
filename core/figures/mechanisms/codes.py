"""Latent codes in the plane: samples of the prior, and codes of data beside sampled ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base
from core.figures.style import escape_text

_MOST_SHOWN = 600  # rows; they come in no order, and more make every answer slower


def plot_prior(Z: np.ndarray, n_numbered: int, theme: str) -> go.Figure:
    """Codes of N(0, I), the first few numbered, with the circles of one and two standard deviations.

    Parameters
    ----------
    Z : (n, 2)
    """
    chart = base.make_chart(theme, "Latent codes z ~ N(0, I)", "z₁", "z₂", 360)
    angle = np.linspace(0, 2 * np.pi, 80)
    for radius in (1, 2):
        chart.add_scatter(
            x=radius * np.cos(angle),
            y=radius * np.sin(angle),
            mode="lines",
            line={"color": palette.INK[theme], "width": 1, "dash": "dot"},
            showlegend=False,
            hoverinfo="skip",
        )
    chart.add_scatter(
        x=Z[n_numbered:, 0],
        y=Z[n_numbered:, 1],
        mode="markers",
        marker={"size": 4, "color": palette.SINGLE[theme], "opacity": 0.5},
        showlegend=False,
        hoverinfo="skip",
    )
    chart.add_scatter(
        x=Z[:n_numbered, 0],
        y=Z[:n_numbered, 1],
        mode="markers+text",
        text=[str(k + 1) for k in range(n_numbered)],
        textposition="top right",
        textfont={"size": 14, "color": palette.INK[theme]},
        marker={"size": 9, "color": base.get_colour(2, theme)},
        showlegend=False,
        hovertemplate="code %{text}: (%{x:.2f}, %{y:.2f})<extra></extra>",
    )
    return base.set_square_axes(chart, -3.2, 3.2)


def plot_sampled_codes(
    codes: np.ndarray,
    labels: np.ndarray,
    names: Sequence[str],
    samples: np.ndarray,
    outline: np.ndarray,
    n_numbered: int,
    theme: str,
) -> go.Figure:
    """Codes of the data by class, sampled codes, and the region of most codes of the data.

    Parameters
    ----------
    codes : (n, 2); labels : (n,) index of the class, -1 for none; names : of the classes
    samples : (m, 2), the first few of which are numbered
    outline : (k, 2)
    """
    chart = base.make_chart(theme, "Latent codes of the test rows, and sampled codes", "z₁", "z₂", 460)
    every = np.concatenate([codes, samples[:n_numbered], outline])
    low, high = np.quantile(every, 0.001, axis=0), np.quantile(every, 0.999, axis=0)
    codes, labels = codes[:_MOST_SHOWN], labels[:_MOST_SHOWN]
    for label in np.unique(labels):
        own = labels == label
        style = palette.get_class_style(int(label), theme)
        chart.add_scatter(
            x=codes[own, 0].astype(np.float32),
            y=codes[own, 1].astype(np.float32),
            mode="markers",
            name=escape_text(names[label]) if 0 <= label < len(names) else "test rows",
            marker={"size": 4, "color": style.colour, "opacity": 0.7, "symbol": style.symbol},
            hoverinfo="skip",
        )
    chart.add_scatter(
        x=outline[:, 0],
        y=outline[:, 1],
        mode="lines",
        name="95% region",
        line={"color": palette.INK[theme], "width": 1.5, "dash": "dash"},
        hoverinfo="skip",
    )
    chart.add_scatter(
        x=samples[:n_numbered, 0],
        y=samples[:n_numbered, 1],
        mode="markers+text",
        name="sampled",
        text=[str(k + 1) for k in range(n_numbered)],
        textposition="top right",
        textfont={"size": 14, "color": palette.INK[theme]},
        marker={
            "size": 10,
            "symbol": "x",
            "color": palette.INK[theme],
            "line": {"width": 1, "color": palette.GROUND[theme]},
        },
        hovertemplate="sample %{text}: (%{x:.2f}, %{y:.2f})<extra></extra>",
    )
    room = 0.05 * (high - low)
    chart.update_xaxes(range=[low[0] - room[0], high[0] + room[0]], zeroline=False, constrain="domain")
    chart.update_yaxes(range=[low[1] - room[1], high[1] + room[1]], zeroline=False, scaleanchor="x", constrain="domain")
    return chart
