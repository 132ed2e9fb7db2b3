"""A VAE and a GAN on the same data: samples during training, and both losses."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base

_REAL, _REACH = 8, 4.0
_REAL_SHOWN, _GENERATED_SHOWN = 500, 300  # rows, which are in random order; more would slow down every rerun


def draw_samples(real: np.ndarray, samples: np.ndarray, k: int, theme: str) -> str:
    """An SVG document of real rows, discs, and samples, crosses in colour `k`: (n, 2) each, within 4 of 0."""
    place = 50 / _REACH
    discs, crosses = (
        (50 + place * rows[:n] * [1, -1]).round(1).tolist()
        for rows, n in ((real, _REAL_SHOWN), (samples, _GENERATED_SHOWN))
    )
    # A line of no length with round ends is a disc; all of them are one path.
    of_real = "".join(f"M{x} {y}h0" for x, y in discs)
    generated = "".join(f"M{x - 0.6:.1f} {y - 0.6:.1f}l1.2 1.2m0-1.2l-1.2 1.2" for x, y in crosses)
    colours = palette.CLASSES[theme]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100" fill="none">'
        f'<rect width="100" height="100" fill="{palette.GROUND[theme]}" stroke="{palette.GRID[theme]}"/>'
        f'<path d="{of_real}" stroke="{colours[_REAL]}" stroke-width="1" stroke-linecap="round" opacity="0.6"/>'
        f'<path d="{generated}" stroke="{colours[k]}" stroke-width="0.35"/></svg>'
    )


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
