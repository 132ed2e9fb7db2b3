"""Two players: densities, samples and the discriminator's field, round after round, played by the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base
from core.figures.mechanisms.animation import play

_SHOWN = 200
_HOVER = "x = (%{x:.2f}, %{y:.2f}): %{z:.2f}<extra></extra>"
_THIN = 1e-2  # of the highest density
# From made to real by way of the page's own ground, where the discriminator can't tell.
_FIELD = {
    "light": [[0, "#e8a9a5"], [0.5, "#ffffff"], [1, "#9fc6cd"]],
    "dark": [[0, "#7a3226"], [0.5, "#14171c"], [1, "#2c6d73"]],
}
_REAL, _MADE, _LEARNED, _BEST = 8, 2, 4, 1


def on_line(frames: Sequence, rounds: Sequence[int], theme: str) -> go.Figure:
    """Both densities, what was made, and the discriminator beside the best one; Play goes through the rounds.

    Parameters
    ----------
    frames : core.mechanisms.two_players.Frame of one-dimensional data; rounds : how many were played at each
    """
    last = frames[-1]
    made = base.figure("Densities, and the discriminator's answer", "x", "density", 480)
    base.line(
        made,
        last.axis,
        last.p,
        "data p(x)",
        theme,
        _REAL,
        fill="tozeroy",
        fillcolor=palette.faint(base.colour(_REAL, theme)),
    )
    base.line(made, last.axis, last.q, "generated q(x)", theme, _MADE)
    base.line(made, last.axis, last.learned, "D(x), learned", theme, _LEARNED, yaxis="y2", width=3)
    if last.optimal is not None:
        base.line(made, last.axis, last.optimal, "p / (p + q), the best D", theme, _BEST, yaxis="y2", dash="dash")
    top = 1.15 * max(float(last.p.max()), float(np.quantile([frame.q.max() for frame in frames], 0.8)))
    made.update_layout(
        yaxis2={"overlaying": "y", "side": "right", "title": "D(x)", "showgrid": False, "zeroline": False},
        yaxis={"range": [0, top]},
    )
    if last.optimal is not None:
        made.update_layout(yaxis2={"range": [-0.02, 1.02], "tickvals": [0, 0.25, 0.5, 0.75, 1]})
    moving = list(range(1, len(made.data)))
    made.frames = [
        go.Frame(
            data=[
                go.Scatter(y=_small(values)) for values in (frame.q, frame.learned, frame.optimal) if values is not None
            ],
            traces=moving,
            name=str(n),
        )
        for frame, n in zip(frames, rounds, strict=True)
    ]
    play(made, [str(n) for n in rounds], "round", theme)
    return made


def in_plane(frames: Sequence, rounds: Sequence[int], theme: str, *, of_best: bool = False) -> go.Figure:
    """Real and generated rows over the field of the discriminator, or of the best one.

    Parameters
    ----------
    frames, rounds : as in `on_line`, of two-dimensional data
    """
    title = "The best discriminator, p / (p + q)" if of_best else "The learned discriminator's field, and the rows"
    last = frames[-1]
    fields = [_faded(frame.optimal, frame.p, frame.q) if of_best else frame.learned for frame in frames]
    is_score = last.optimal is None
    low, high = _ends(fields) if is_score else (0.0, 1.0)
    made = base.figure(title, "x₁", "x₂", 580)
    made.add_heatmap(
        x=last.axis,
        y=last.axis,
        z=_small(fields[-1]),
        zmin=low,
        zmax=high,
        colorscale=_FIELD[theme],
        zsmooth="fast",
        colorbar={"title": {"text": "score" if is_score else "D(x)", "side": "top"}, "thickness": 10, "len": 0.7},
        **({"hoverinfo": "skip"} if of_best else {"hovertemplate": _HOVER}),
    )
    for name, rows, k, symbol in (("real x", last.real, _REAL, "circle"), ("generated G(z)", last.samples, _MADE, "x")):
        made.add_scatter(
            x=_small(rows[:_SHOWN, 0]),
            y=_small(rows[:_SHOWN, 1]),
            mode="markers",
            name=name,
            marker={
                "size": 4 if symbol == "circle" else 5,
                "symbol": symbol,
                "color": base.colour(k, theme),
                "opacity": 0.7,
            },
            hoverinfo="skip",
        )
    made.frames = [
        go.Frame(
            data=[
                go.Heatmap(z=_small(field)),
                go.Scatter(x=_small(frame.samples[:_SHOWN, 0]), y=_small(frame.samples[:_SHOWN, 1])),
            ],
            traces=[0, 2],
            name=str(n),
        )
        for frame, field, n in zip(frames, fields, rounds, strict=True)
    ]
    play(made, [str(n) for n in rounds], "round", theme, redraw=True)
    return base.squared(made, float(last.axis[0]), float(last.axis[-1]))


def losses(history: Sequence[Mapping[str, Any]], unit: str, theme: str) -> go.Figure:
    """Both players' losses by step, each a running mean."""
    made = base.figure("Losses of the players", "step", unit, 300)
    for k, player in ((_LEARNED, "discriminator"), (_MADE, "generator")):
        rows = [row for row in history if row["player"] == player]
        if not rows:
            continue
        values, steps = base.running_mean([row["loss"] for row in rows]), [row["step"] for row in rows]
        keep = slice(None, None, max(1, len(rows) // 400))
        base.line(
            made,
            steps[keep],
            values[keep],
            player,
            theme,
            k,
            hovertemplate=f"step %{{x:,}}: {player} %{{y:.3f}}<extra></extra>",
        )
    return made


def travelled(history: Sequence[Mapping[str, Any]], mean: np.ndarray, theme: str) -> go.Figure:
    """Where the mean of the generated rows is, round after round, beside the mean of the data: (d,)."""
    made = base.figure("Mean of the generated rows", "step", "in units of x", 300)
    rows = [row for row in history if row["player"] == "generator"]
    keep = slice(None, None, max(1, len(rows) // 400))
    for axis in range(len(mean)):
        name = f"x{'₁₂'[axis]}" if len(mean) > 1 else "x"
        values = base.running_mean([row["mean"][axis] for row in rows])
        base.line(
            made,
            [row["step"] for row in rows][keep],
            values[keep],
            name,
            theme,
            (_MADE, 0)[axis],
            hovertemplate=f"step %{{x:,}}: mean of {name} %{{y:.2f}}<extra></extra>",
        )
        made.add_hline(
            float(mean[axis]), line={"color": base.colour((_MADE, 0)[axis], theme), "width": 1, "dash": "dash"}
        )
    return made


def rows_of(title: str, real: np.ndarray, samples: np.ndarray, theme: str) -> go.Figure:
    """Rows of the data and of a generator: densities as histograms in one dimension, points in two.

    Parameters
    ----------
    real, samples : (n, d)
    """
    if real.shape[1] == 1:
        made = base.figure(title, "x", "share of the rows, %", 300, barmode="overlay")
        edges = np.linspace(-4, 4, 81)
        for name, rows, k in (("real x", real, _REAL), ("generated", samples, _MADE)):
            counts, _ = np.histogram(rows[:, 0], edges)
            made.add_bar(
                x=(edges[1:] + edges[:-1]) / 2,
                y=100 * counts / len(rows),
                width=edges[1] - edges[0],
                name=name,
                opacity=0.65,
                marker={"color": base.colour(k, theme), "line": {"width": 0}},
            )
        return made
    made = base.figure(title, "x₁", "x₂", 400)
    for name, rows, k in (("real x", real, _REAL), ("generated", samples, _MADE)):
        made.add_scatter(
            x=_small(rows[: 2 * _SHOWN, 0]),
            y=_small(rows[: 2 * _SHOWN, 1]),
            mode="markers",
            name=name,
            marker={"size": 4, "color": base.colour(k, theme), "opacity": 0.6},
            hoverinfo="skip",
        )
    return base.squared(made, -4, 4)


def judged(learned: np.ndarray, frame: Any, best: np.ndarray, theme: str) -> list[go.Figure]:
    """A discriminator trained alone beside the best one: lines in one dimension, two fields in two.

    Parameters
    ----------
    learned, best : (s,) or (s, s), at the places of `frame`, a core.mechanisms.two_players.Frame
    """
    axis = frame.axis
    if learned.ndim == 1:
        made = base.figure("Trained alone, and the best there is", "x", "D(x)", 380)
        base.line(made, axis, learned, "D(x), learned", theme, _LEARNED, width=3)
        base.line(made, axis, best, "p / (p + q), the best D", theme, _BEST, dash="dash")
        made.update_yaxes(range=[-0.02, 1.02])
        return [made]
    fields = (("Trained alone", learned), ("The best there is, p / (p + q)", best))
    return [_field(title, axis, _faded(field, frame.p, frame.q), theme) for title, field in fields]


def _field(title: str, axis: np.ndarray, field: np.ndarray, theme: str) -> go.Figure:
    made = base.figure(title, "x₁", "x₂", 420)
    made.add_heatmap(
        x=axis,
        y=axis,
        z=_small(field),
        zmin=0,
        zmax=1,
        colorscale=_FIELD[theme],
        zsmooth="fast",
        colorbar={"title": {"text": "D(x)", "side": "top"}, "thickness": 10, "len": 0.7},
        hoverinfo="skip",
    )
    return base.squared(made, float(axis[0]), float(axis[-1]))


def _faded(field: np.ndarray, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """A discriminator that fades to 1/2 where neither density is: there it compares nothing with nothing."""
    either = p + q
    return 0.5 + (field - 0.5) * np.clip(either / (_THIN * either.max()), 0, 1)


def _small(values: Any) -> np.ndarray:
    """As few bytes as a picture needs."""
    return np.asarray(values, np.float32)


def _ends(fields: Sequence[np.ndarray]) -> tuple[float, float]:
    """A scale for scores, the same either way from their middle."""
    last = fields[-1]
    middle, reach = float(np.median(last)), float(np.abs(last - np.median(last)).max()) or 1.0
    return middle - reach, middle + reach
