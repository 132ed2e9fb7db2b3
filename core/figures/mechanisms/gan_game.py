"""GAN game: densities, samples and the discriminator by round, animated by the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base
from core.figures.mechanisms.animation import add_animation

_SHOWN = 200
_HOVER = "x = (%{x:.2f}, %{y:.2f}): %{z:.2f}<extra></extra>"
_THIN = 1e-2  # of the highest density
_REAL, _MADE, _LEARNED, _BEST = 8, 2, 4, 1
_TINT = 0.3  # of the field's colours, on which the rows must be seen


def plot_in_1d(frames: Sequence, rounds: Sequence[int], theme: str) -> go.Figure:
    """Both densities, and the learned discriminator beside the optimal one; Play animates the rounds.

    Parameters
    ----------
    frames : core.mechanisms.gan_game.Frame of one-dimensional data; rounds : how many were played at each
    """
    last = frames[-1]
    chart = base.make_chart(theme, "Densities and discriminator", "x", "density", 480)
    base.add_line(
        chart,
        last.axis,
        last.p,
        "data p(x)",
        theme,
        _REAL,
        fill="tozeroy",
        fillcolor=palette.make_translucent(base.get_colour(_REAL, theme)),
    )
    base.add_line(chart, last.axis, last.q, "generated q(x)", theme, _MADE)
    base.add_line(chart, last.axis, last.learned, "learned D(x)", theme, _LEARNED, yaxis="y2", width=3)
    if last.optimal is not None:
        base.add_line(
            chart, last.axis, last.optimal, "optimal D(x), p / (p + q)", theme, _BEST, yaxis="y2", dash="dash"
        )
    top = 1.15 * max(float(last.p.max()), float(np.quantile([frame.q.max() for frame in frames], 0.8)))
    chart.update_layout(
        yaxis2={"overlaying": "y", "side": "right", "title": "D(x)", "showgrid": False, "zeroline": False},
        yaxis={"range": [0, top]},
    )
    if last.optimal is not None:
        chart.update_layout(yaxis2={"range": [-0.02, 1.02], "tickvals": [0, 0.25, 0.5, 0.75, 1]})
    moving = list(range(1, len(chart.data)))
    chart.frames = [
        go.Frame(
            data=[
                go.Scatter(y=_to_float32(values))
                for values in (frame.q, frame.learned, frame.optimal)
                if values is not None
            ],
            traces=moving,
            name=str(n),
        )
        for frame, n in zip(frames, rounds, strict=True)
    ]
    add_animation(chart, [str(n) for n in rounds], "round", theme)
    return chart


def plot_in_2d(frames: Sequence, rounds: Sequence[int], theme: str, *, of_best: bool = False) -> go.Figure:
    """Real and generated samples over the field of the learned discriminator, or of the optimal one.

    Parameters
    ----------
    frames, rounds : as in `on_line`, of two-dimensional data
    """
    title = "Optimal discriminator, p / (p + q)" if of_best else "Learned discriminator"
    last = frames[-1]
    fields = [_fade(frame.optimal, frame.p, frame.q) if of_best else frame.learned for frame in frames]
    is_score = last.optimal is None
    low, high = _choose_limits(fields) if is_score else (0.0, 1.0)
    chart = base.make_chart(theme, title, "x₁", "x₂", 580)
    chart.add_heatmap(
        x=last.axis,
        y=last.axis,
        z=_to_float32(fields[-1]),
        zmin=low,
        zmax=high,
        colorscale=_make_colour_scale(theme),
        zsmooth="fast",
        colorbar={"title": {"text": "score" if is_score else "D(x)", "side": "top"}, "thickness": 10, "len": 0.7},
        **({"hoverinfo": "skip"} if of_best else {"hovertemplate": _HOVER}),
    )
    for name, rows, k, symbol in (("real x", last.real, _REAL, "circle"), ("generated G(z)", last.samples, _MADE, "x")):
        chart.add_scatter(
            x=_to_float32(rows[:_SHOWN, 0]),
            y=_to_float32(rows[:_SHOWN, 1]),
            mode="markers",
            name=name,
            marker={
                "size": 4 if symbol == "circle" else 5,
                "symbol": symbol,
                "color": base.get_colour(k, theme),
                "opacity": 0.9,
            },
            hoverinfo="skip",
        )
    chart.frames = [
        go.Frame(
            data=[
                go.Heatmap(z=_to_float32(field)),
                go.Scatter(x=_to_float32(frame.samples[:_SHOWN, 0]), y=_to_float32(frame.samples[:_SHOWN, 1])),
            ],
            traces=[0, 2],
            name=str(n),
        )
        for frame, field, n in zip(frames, fields, rounds, strict=True)
    ]
    add_animation(chart, [str(n) for n in rounds], "round", theme, redraw=True)
    return base.set_square_axes(chart, float(last.axis[0]), float(last.axis[-1]))


def plot_losses(history: Sequence[Mapping[str, Any]], unit: str, theme: str) -> go.Figure:
    """Both players' losses by step, each a running mean."""
    chart = base.make_chart(theme, "Losses of both players", "step", unit, 300)
    for k, player in ((_LEARNED, "discriminator"), (_MADE, "generator")):
        rows = [row for row in history if row["player"] == player]
        if not rows:
            continue
        values, steps = base.compute_running_mean([row["loss"] for row in rows]), [row["step"] for row in rows]
        keep = slice(None, None, max(1, len(rows) // 400))
        base.add_line(
            chart,
            steps[keep],
            values[keep],
            player,
            theme,
            k,
            hovertemplate=f"step %{{x:,}}: {player} %{{y:.3f}}<extra></extra>",
        )
    return chart


def plot_sample_mean(history: Sequence[Mapping[str, Any]], mean: np.ndarray, theme: str) -> go.Figure:
    """Mean of the generated samples by step, beside the mean of the data: (d,)."""
    chart = base.make_chart(theme, "Mean of the samples", "step", "x", 300)
    rows = [row for row in history if row["player"] == "generator"]
    keep = slice(None, None, max(1, len(rows) // 400))
    for axis in range(len(mean)):
        name = f"x{'₁₂'[axis]}" if len(mean) > 1 else "x"
        values = base.compute_running_mean([row["mean"][axis] for row in rows])
        base.add_line(
            chart,
            [row["step"] for row in rows][keep],
            values[keep],
            name,
            theme,
            (_MADE, 0)[axis],
            hovertemplate=f"step %{{x:,}}: mean of {name} %{{y:.2f}}<extra></extra>",
        )
        chart.add_hline(
            float(mean[axis]), line={"color": base.get_colour((_MADE, 0)[axis], theme), "width": 1, "dash": "dash"}
        )
    return chart


def plot_samples(title: str, real: np.ndarray, samples: np.ndarray, theme: str) -> go.Figure:
    """Real and generated samples: histograms in 1-D, points in 2-D.

    Parameters
    ----------
    real, samples : (n, d)
    """
    if real.shape[1] == 1:
        chart = base.make_chart(theme, title, "x", "share (%)", 300, barmode="overlay")
        edges = np.linspace(-4, 4, 81)
        for name, rows, k in (("real x", real, _REAL), ("generated", samples, _MADE)):
            counts, _ = np.histogram(rows[:, 0], edges)
            chart.add_bar(
                x=(edges[1:] + edges[:-1]) / 2,
                y=100 * counts / len(rows),
                width=edges[1] - edges[0],
                name=name,
                opacity=0.65,
                marker={"color": base.get_colour(k, theme), "line": {"width": 0}},
            )
        return chart
    chart = base.make_chart(theme, title, "x₁", "x₂", 400)
    for name, rows, k in (("real x", real, _REAL), ("generated", samples, _MADE)):
        chart.add_scatter(
            x=_to_float32(rows[: 2 * _SHOWN, 0]),
            y=_to_float32(rows[: 2 * _SHOWN, 1]),
            mode="markers",
            name=name,
            marker={"size": 4, "color": base.get_colour(k, theme), "opacity": 0.6},
            hoverinfo="skip",
        )
    return base.set_square_axes(chart, -4, 4)


def plot_discriminators(learned: np.ndarray, frame: Any, best: np.ndarray, theme: str) -> list[go.Figure]:
    """A discriminator beside the optimal one: lines in 1-D, two fields in 2-D.

    Parameters
    ----------
    learned, best : (s,) or (s, s), at the places of `frame`, a core.mechanisms.gan_game.Frame
    """
    axis = frame.axis
    if learned.ndim == 1:
        chart = base.make_chart(theme, "Learned and optimal discriminator", "x", "D(x)", 380)
        base.add_line(chart, axis, learned, "learned D(x)", theme, _LEARNED, width=3)
        base.add_line(chart, axis, best, "optimal D(x), p / (p + q)", theme, _BEST, dash="dash")
        chart.update_yaxes(range=[-0.02, 1.02])
        return [chart]
    fields = (("Learned discriminator", learned), ("Optimal discriminator, p / (p + q)", best))
    return [_plot_field(title, axis, _fade(field, frame.p, frame.q), theme) for title, field in fields]


def _plot_field(title: str, axis: np.ndarray, field: np.ndarray, theme: str) -> go.Figure:
    chart = base.make_chart(theme, title, "x₁", "x₂", 420)
    chart.add_heatmap(
        x=axis,
        y=axis,
        z=_to_float32(field),
        zmin=0,
        zmax=1,
        colorscale=_make_colour_scale(theme),
        zsmooth="fast",
        colorbar={"title": {"text": "D(x)", "side": "top"}, "thickness": 10, "len": 0.7},
        hoverinfo="skip",
    )
    return base.set_square_axes(chart, float(axis[0]), float(axis[-1]))


def _fade(field: np.ndarray, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """A discriminator that fades to 1/2 where neither density is: there it compares nothing with nothing."""
    either = p + q
    return 0.5 + (field - 0.5) * np.clip(either / (_THIN * either.max()), 0, 1)


def _make_colour_scale(theme: str) -> list[list[Any]]:
    """From generated to real by way of the page's ground, where the discriminator can't tell."""
    generated, real = (palette.mix_with_ground(base.get_colour(k, theme), theme, _TINT) for k in (_MADE, _REAL))
    return [[0, generated], [0.5, palette.GROUND[theme]], [1, real]]


def _to_float32(values: Any) -> np.ndarray:
    """As few bytes as a picture needs."""
    return np.asarray(values, np.float32)


def _choose_limits(fields: Sequence[np.ndarray]) -> tuple[float, float]:
    """A scale for scores, the same either way from their middle."""
    last = fields[-1]
    middle, reach = float(np.median(last)), float(np.abs(last - np.median(last)).max()) or 1.0
    return middle - reach, middle + reach
