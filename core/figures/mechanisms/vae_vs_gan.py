"""A VAE and a GAN on the same data: samples during training, and both losses."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base

_REAL, _REACH = 8, 4.0
_REAL_SHOWN, _GENERATED_SHOWN = 500, 300  # rows, which are in random order; more would slow down every rerun


def plot_samples(
    title: str, real: np.ndarray, frames: np.ndarray, names: Sequence[str], k: int, theme: str
) -> go.Figure:
    """Real data and a model's samples of the same codes by training step, the last first.

    Parameters
    ----------
    real : (n, 2)
    frames : (t, m, 2); names : (t,) their names on the slider
    k : colour of the samples
    """
    chart = base.make_chart(theme, title, "x₁", "x₂", 580)
    real, frames = np.float32(real[:_REAL_SHOWN]), np.float32(frames[:, :_GENERATED_SHOWN])
    base.add_points(chart, real, "real x", palette.CLASSES[theme][_REAL], 4, opacity=0.6)
    base.add_points(chart, frames[-1], "generated", palette.CLASSES[theme][k], 4, opacity=0.6)
    moved = {name: [go.Scatter(x=rows[:, 0], y=rows[:, 1])] for rows, name in zip(frames, names, strict=True)}
    base.animate(chart, moved, [1], "step")
    return base.set_square_axes(chart, -_REACH, _REACH)


def plot_losses(title: str, history: np.ndarray, names: Sequence[str], theme: str) -> go.Figure:
    """Two terms of a loss, (steps, 2) with their names, by step, each a running mean."""
    chart = base.make_chart(theme, title, "step", "nats", 280)
    steps = np.arange(1, len(history) + 1)
    for name, values, k in zip(names, history.T, (4, 2), strict=True):
        hover = f"step %{{x:,}}: {name} %{{y:.3f}} nats<extra></extra>"
        base.add_running_mean(chart, steps, values, name, k, hover, theme)
    return chart
