"""GAN game: densities, samples and the discriminator by round, animated by the browser."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base

_MOST_SHOWN = 200  # samples
_LEAST_DENSITY = 1e-2  # relative to the highest
_REAL, _GENERATED, _LEARNED, _BEST = 8, 2, 4, 1
_TINT = 0.3  # weakens the colours of the discriminator, on which the samples must be seen


def plot_in_1d(frames: Sequence, rounds: Sequence[str], theme: str) -> go.Figure:
    """Densities and discriminators of `gan_game.Frame`s by round, animated."""
    last = frames[-1]
    chart = base.make_chart(theme, "Densities and discriminator", "x", "density", 480)
    filled = {"fill": "tozeroy", "fillcolor": palette.make_translucent(palette.CLASSES[theme][_REAL])}
    base.add_line(chart, last.axis, last.p, "data p(x)", theme, _REAL, **filled)
    base.add_line(chart, last.axis, last.q, "generated q(x)", theme, _GENERATED)
    base.add_line(chart, last.axis, last.learned, "learned D(x)", theme, _LEARNED, yaxis="y2", width=3)
    y2 = {"overlaying": "y", "side": "right", "title": "D(x)", "showgrid": False, "zeroline": False}
    if last.optimal is not None:
        options = {"yaxis": "y2", "dash": "dash"}
        base.add_line(chart, last.axis, last.optimal, "optimal D(x), p / (p + q)", theme, _BEST, **options)
        y2 |= {"range": [-0.02, 1.02], "tickvals": [0, 0.25, 0.5, 0.75, 1]}
    top = 1.15 * max(float(last.p.max()), float(np.quantile([frame.q.max() for frame in frames], 0.8)))
    chart.update_layout(yaxis2=y2, yaxis={"range": [0, top]})
    curves = {n: (frame.q, frame.learned, frame.optimal) for frame, n in zip(frames, rounds, strict=True)}
    moved = {n: [go.Scatter(y=np.float32(y)) for y in values if y is not None] for n, values in curves.items()}
    base.animate(chart, moved, list(range(1, len(chart.data))), "round")
    return chart


def plot_in_2d(frames: Sequence, rounds: Sequence[str], theme: str, *, of_best: bool = False) -> go.Figure:
    """Samples on the learned or the optimal discriminator by round, animated."""
    last = frames[-1]
    fields = [_fade(frame.optimal, frame.p, frame.q) if of_best else frame.learned for frame in frames]
    chart = base.make_chart(
        theme, "Optimal discriminator, p / (p + q)" if of_best else "Learned discriminator", "x₁", "x₂", 580
    )
    hover = {"hoverinfo": "skip"} if of_best else {"hovertemplate": "x = (%{x:.2f}, %{y:.2f}): %{z:.2f}<extra></extra>"}
    limits, unit = ((0.0, 1.0), "D(x)") if last.optimal is not None else (_choose_limits(fields[-1]), "score")
    _add_field(chart, last.axis, fields[-1], limits, unit, theme, **hover)
    real, *generated = (np.float32(rows[:_MOST_SHOWN]) for rows in (last.real, *(frame.samples for frame in frames)))
    colours = [palette.CLASSES[theme][k] for k in (_REAL, _GENERATED)]
    base.add_points(chart, real, "real x", colours[0], 4, symbol="circle", opacity=0.9)
    base.add_points(chart, generated[-1], "generated G(z)", colours[1], 5, symbol="x", opacity=0.9)
    moved = {
        n: [go.Heatmap(z=np.float32(field)), go.Scatter(x=rows[:, 0], y=rows[:, 1])]
        for n, field, rows in zip(rounds, fields, generated, strict=True)
    }
    base.animate(chart, moved, [0, 2], "round", redraw=True)
    return base.set_square_axes(chart, float(last.axis[0]), float(last.axis[-1]))


def plot_losses(history: Sequence[Mapping[str, Any]], unit: str, theme: str) -> go.Figure:
    """Both players' losses by step, each a running mean."""
    chart = base.make_chart(theme, "Losses of both players", "step", unit, 300)
    for k, player in ((_LEARNED, "discriminator"), (_GENERATED, "generator")):
        rows = [row for row in history if row["player"] == player]
        hover = f"step %{{x:,}}: {player} %{{y:.3f}}<extra></extra>"
        steps, losses = [row["step"] for row in rows], [row["loss"] for row in rows]
        base.add_running_mean(chart, steps, losses, player, k, hover, theme)
    return chart


def plot_sample_mean(history: Sequence[Mapping[str, Any]], mean: np.ndarray, theme: str) -> go.Figure:
    """Mean of the generated samples by step, and the mean of the data: (d,)."""
    chart = base.make_chart(theme, "Mean of the samples", "step", "x", 300)
    rows = [row for row in history if row["player"] == "generator"]
    steps = [row["step"] for row in rows]
    for axis, (target, k) in enumerate(zip(mean, (_GENERATED, 0), strict=False)):
        name = f"x{'₁₂'[axis]}" if len(mean) > 1 else "x"
        hover = f"step %{{x:,}}: mean of {name} %{{y:.2f}}<extra></extra>"
        base.add_running_mean(chart, steps, [row["mean"][axis] for row in rows], name, k, hover, theme)
        chart.add_hline(float(target), line={"color": palette.CLASSES[theme][k], "width": 1, "dash": "dash"})
    return chart


def plot_samples(title: str, real: np.ndarray, samples: np.ndarray, theme: str) -> go.Figure:
    """Real and generated samples (n, d): histograms in 1-D, points in 2-D."""
    colours = [palette.CLASSES[theme][k] for k in (_REAL, _GENERATED)]
    if real.shape[1] == 1:
        chart = base.make_chart(theme, title, "x", "share (%)", 300, barmode="overlay")
        names = {"real x": real[:, 0], "generated": samples[:, 0]}
        base.add_histograms(chart, names, np.linspace(-4, 4, 81), 0.65, colours)
        return chart
    chart = base.make_chart(theme, title, "x₁", "x₂", 400)
    for name, rows, colour in zip(("real x", "generated"), (real, samples), colours, strict=True):
        base.add_points(chart, np.float32(rows[: 2 * _MOST_SHOWN]), name, colour, 4, opacity=0.6)
    return base.set_square_axes(chart, -4, 4)


def plot_discriminators(learned: np.ndarray, frame: Any, best: np.ndarray, theme: str) -> list[go.Figure]:
    """A discriminator and the optimal one on a `Frame`'s grid: lines in 1-D, fields in 2-D."""
    axis = frame.axis
    if learned.ndim == 1:
        chart = base.make_chart(theme, "Learned and optimal discriminator", "x", "D(x)", 380)
        base.add_line(chart, axis, learned, "learned D(x)", theme, _LEARNED, width=3)
        base.add_line(chart, axis, best, "optimal D(x), p / (p + q)", theme, _BEST, dash="dash")
        return [chart.update_yaxes(range=[-0.02, 1.02])]
    charts = []
    for title, field in (("Learned discriminator", learned), ("Optimal discriminator, p / (p + q)", best)):
        chart = base.make_chart(theme, title, "x₁", "x₂", 420)
        _add_field(chart, axis, _fade(field, frame.p, frame.q), (0, 1), "D(x)", theme, hoverinfo="skip")
        charts.append(base.set_square_axes(chart, float(axis[0]), float(axis[-1])))
    return charts


def _add_field(
    chart: go.Figure, axis: np.ndarray, field: np.ndarray, limits: tuple[float, float], unit: str, theme: str, **options
) -> None:
    """Add a discriminator (s, s), coloured from generated to real by way of the page's ground."""
    generated, real = (palette.mix_with_ground(palette.CLASSES[theme][k], theme, _TINT) for k in (_GENERATED, _REAL))
    chart.add_heatmap(
        x=axis,
        y=axis,
        z=np.float32(field),
        zmin=limits[0],
        zmax=limits[1],
        colorscale=[[0, generated], [0.5, palette.GROUND[theme]], [1, real]],
        zsmooth="fast",
        colorbar={"title": {"text": unit, "side": "top"}, "thickness": 10, "len": 0.7},
        **options,
    )


def _fade(field: np.ndarray, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Fade a discriminator to 1/2 where both densities are near 0: their ratio means nothing."""
    either = p + q
    return 0.5 + (field - 0.5) * np.clip(either / (_LEAST_DENSITY * either.max()), 0, 1)


def _choose_limits(field: np.ndarray) -> tuple[float, float]:
    """Limits of scores, symmetric about their median."""
    middle = float(np.median(field))
    reach = float(np.abs(field - middle).max()) or 1.0
    return middle - reach, middle + reach
