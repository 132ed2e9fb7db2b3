"""A VAE and a GAN on the same data: samples during training, and both losses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures.mechanisms import base
from core.figures.mechanisms.animation import add_animation

_REAL, _REACH = 8, 4.0
_REAL_SHOWN, _GENERATED_SHOWN = 500, 300  # rows; they come in no order, and more make every answer slower


def plot_samples(
    title: str, real: np.ndarray, frames: np.ndarray, names: Sequence[str], k: int, theme: str
) -> go.Figure:
    """Real data and a model's samples of the same codes by training step; the last are shown first.

    Parameters
    ----------
    real : (n, 2)
    frames : (t, m, 2); names : (t,) their names on the slider
    k : colour of the samples
    """
    chart = base.make_chart(theme, title, "x₁", "x₂", 580)
    real, frames = real[:_REAL_SHOWN], frames[:, :_GENERATED_SHOWN]
    for name, rows, colour in (("real x", real, _REAL), ("generated", frames[-1], k)):
        chart.add_scatter(
            x=np.asarray(rows[:, 0], np.float32),
            y=np.asarray(rows[:, 1], np.float32),
            mode="markers",
            name=name,
            marker={"size": 4, "color": base.get_colour(colour, theme), "opacity": 0.6},
            hoverinfo="skip",
        )
    chart.frames = [
        go.Frame(
            data=[go.Scatter(x=np.asarray(rows[:, 0], np.float32), y=np.asarray(rows[:, 1], np.float32))],
            traces=[1],
            name=name,
        )
        for rows, name in zip(frames, names, strict=True)
    ]
    add_animation(chart, names, "step", theme)
    return base.set_square_axes(chart, -_REACH, _REACH)


def plot_losses(title: str, history: np.ndarray, names: Sequence[str], theme: str) -> go.Figure:
    """Two terms of a loss by step, each a running mean.

    Parameters
    ----------
    history : (steps, 2); names : of both
    """
    chart = base.make_chart(theme, title, "step", "nats", 280)
    step = max(1, len(history) // 400)
    for k, name in enumerate(names):
        values = base.compute_running_mean(history[:, k])
        base.add_line(
            chart,
            np.arange(1, len(history) + 1)[::step],
            values[::step],
            name,
            theme,
            (4, 2)[k],
            hovertemplate=f"step %{{x:,}}: {name} %{{y:.3f}} nats<extra></extra>",
        )
    return chart
