"""GAN game: a discriminator beside the optimal one."""

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base

_LEAST_DENSITY = 1e-2  # relative to the highest
_REAL, _GENERATED, _LEARNED, _BEST = 8, 2, 4, 1
_TINT = 0.3  # weakens the colours of the discriminator


def plot_discriminators(
    axis: np.ndarray, learned: np.ndarray, p: np.ndarray, q: np.ndarray, theme: str
) -> list[go.Figure]:
    """A discriminator and the optimal one, p / (p + q), on a grid: (s,) lines in 1-D, (s, s) fields in 2-D."""
    best = p / np.maximum(p + q, np.finfo(float).tiny)
    if learned.ndim == 1:
        chart = base.make_chart(theme, "Learned and optimal discriminator", "x", "D(x)", 380)
        base.add_line(chart, axis, learned, "learned D(x)", theme, _LEARNED, width=3)
        base.add_line(chart, axis, best, "optimal D(x), p / (p + q)", theme, _BEST, dash="dash")
        return [chart.update_yaxes(range=[-0.02, 1.02])]
    charts = []
    for title, field in (("Learned discriminator", learned), ("Optimal discriminator, p / (p + q)", best)):
        chart = base.make_chart(theme, title, "x₁", "x₂", 420)
        _add_field(chart, axis, _fade(field, p, q), theme)
        charts.append(base.set_square_axes(chart, float(axis[0]), float(axis[-1])))
    return charts


def _add_field(chart: go.Figure, axis: np.ndarray, field: np.ndarray, theme: str) -> None:
    """Add a discriminator (s, s), coloured from generated to real by way of the page's ground."""
    generated, real = (palette.mix_with_ground(palette.CLASSES[theme][k], theme, _TINT) for k in (_GENERATED, _REAL))
    chart.add_heatmap(
        x=axis,
        y=axis,
        z=np.float32(field),
        zmin=0,
        zmax=1,
        colorscale=[[0, generated], [0.5, palette.GROUND[theme]], [1, real]],
        zsmooth="fast",
        colorbar={"title": {"text": "D(x)", "side": "top"}, "thickness": 10, "len": 0.7},
        hoverinfo="skip",
    )


def _fade(field: np.ndarray, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Fade a discriminator to 1/2 where both densities are near 0: their ratio means nothing."""
    either = p + q
    return 0.5 + (field - 0.5) * np.clip(either / (_LEAST_DENSITY * either.max()), 0, 1)
