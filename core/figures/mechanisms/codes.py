"""Latent codes in the plane: samples of the prior, and codes of data with sampled ones."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base
from core.figures.style import escape_text

_MOST_SHOWN = 600  # rows, which are in random order; more would slow down every rerun


def _add_numbered(chart: go.Figure, points: np.ndarray, name: str | None, what: str, theme: str, **options) -> None:
    font, hover = (
        {"size": 14, "color": palette.INK[theme]},
        f"{what} %{{text}}: (%{{x:.2f}}, %{{y:.2f}})<extra></extra>",
    )
    numbers = {"text": [str(k + 1) for k in range(len(points))], "textposition": "top right", "textfont": font}
    base.add_points(chart, points, name, mode="markers+text", hovertemplate=hover, **numbers, **options)


def plot_prior(Z: np.ndarray, n_numbered: int, theme: str) -> go.Figure:
    """Codes (n, 2) of N(0, I), the first few numbered, with circles of 1 and 2 deviations."""
    chart = base.make_chart(theme, "Latent codes z ~ N(0, I)", "z₁", "z₂", 360, showlegend=False)
    angle = np.linspace(0, 2 * np.pi, 80)
    for radius in (1, 2):
        circle = radius * np.cos(angle), radius * np.sin(angle)
        base.add_line(chart, *circle, None, theme, "ink", width=1, dash="dot", hoverinfo="skip")
    base.add_points(chart, Z[n_numbered:], None, palette.SINGLE[theme], 4, opacity=0.5)
    _add_numbered(chart, Z[:n_numbered], None, "code", theme, colour=palette.CLASSES[theme][2], size=9)
    return base.set_square_axes(chart, -3.2, 3.2)


def plot_sampled_codes(
    codes: np.ndarray,
    labels: np.ndarray,
    names: Sequence[str],
    samples: np.ndarray,
    outline: np.ndarray,
    n_numbered: int,
    theme: str,
    axes: tuple[str, str] = ("z₁", "z₂"),
) -> go.Figure:
    """Codes of the data by class, sampled codes, and the region of most codes of the data.

    Parameters
    ----------
    codes : (n, 2); labels : (n,) index of the class, -1 for none; names : of the classes
    samples : (m, 2), the first few of which are drawn and numbered
    outline : (k, 2)
    """
    chart = base.make_chart(theme, "Latent codes of the test rows, and sampled codes", *axes, 460)
    samples = samples[:n_numbered]
    low, high = np.quantile(np.concatenate([codes, samples, outline]), [0.001, 0.999], axis=0)
    codes, labels = np.float32(codes[:_MOST_SHOWN]), labels[:_MOST_SHOWN]
    for label in np.unique(labels):
        style = palette.get_class_style(int(label), theme)
        name = escape_text(names[label]) if 0 <= label < len(names) else "test rows"
        base.add_points(chart, codes[labels == label], name, style.colour, 4, opacity=0.7, symbol=style.symbol)
    base.add_line(chart, *outline.T, "95% region", theme, "ink", width=1.5, dash="dash", hoverinfo="skip")
    rim = {"width": 1, "color": palette.GROUND[theme]}
    ink = palette.INK[theme]
    _add_numbered(chart, samples, "sampled", "sample", theme, colour=ink, size=10, symbol="x", rim=rim)
    (x0, y0), (x1, y1) = low - 0.05 * (high - low), high + 0.05 * (high - low)
    chart.update_xaxes(range=[x0, x1], zeroline=False, constrain="domain")
    chart.update_yaxes(range=[y0, y1], zeroline=False, scaleanchor="x", constrain="domain")
    return chart
