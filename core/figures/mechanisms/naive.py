"""Naive sampling: which pairs matter, the estimate of log p(x), and the trap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import bands, palette
from core.figures.mechanisms import base

_NOTHING = {"light": "#eceff2", "dark": "#232932"}  # of a pair that carries nothing


def pairs(weights: np.ndarray, carrying: np.ndarray, theme: str) -> go.Figure:
    """Pairs of a step as cells; those that carry the gradient in colour, stronger with their row's weight.

    Parameters
    ----------
    weights : (n, k) of the first n rows and k codes, rows of the whole step summing to 1
    carrying : (n, k) bool
    """
    title = "First pairs of a step; coloured: those that count"
    made = base.figure(title, "code z drawn", "row x", 340)
    percent, ink = np.round(100 * weights, 2), base.colour(2, theme)
    least = 0.01  # what carries something is above it
    made.add_heatmap(
        z=np.where(carrying, np.maximum(percent, 2 * least), 0),
        zmin=0,
        zmax=100,
        colorscale=[
            [0, _NOTHING[theme]],
            [least / 100, _NOTHING[theme]],
            [least / 100, palette.faint(ink, 0.35)],
            [1, ink],
        ],
        showscale=False,
        xgap=1,
        ygap=1,
        customdata=percent,
        hovertemplate="row %{y}, code %{x}: %{customdata:.2f} % of the row's weight<extra></extra>",
    )
    made.update_xaxes(showgrid=False, zeroline=False)
    made.update_yaxes(showgrid=False, zeroline=False, autorange="reversed")
    return made


def shares(
    sizes: Sequence[float],
    of_prior: tuple[Sequence[float], Sequence[float]],
    of_encoder: tuple[Sequence[float], Sequence[float]],
    now: float,
    x: str,
    theme: str,
) -> go.Figure:
    """Share of pairs that carry 99 % of the gradient, and effective samples, against one setting.

    Parameters
    ----------
    sizes : (m,) values of the setting; now : the one chosen.
    of_prior, of_encoder : share of pairs and effective share of samples, (m,) in (0, 1] each.
    """
    made = base.figure(f"Pairs that matter, against {x}", x, "share of the pairs, %", 340)
    for k, (name, found) in enumerate((("prior", of_prior), ("encoder", of_encoder))):
        for values, what, dash in zip(
            found, ("99 % of the gradient", "effective samples"), ("solid", "dot"), strict=True
        ):
            base.line(
                made,
                list(sizes),
                100 * np.asarray(values),
                f"{name}: {what}",
                theme,
                2 * k,
                dash=dash,
                mode="lines+markers",
                hovertemplate=f"{x} %{{x}}<br>{name}, {what}: %{{y:.3~g}} %<extra></extra>",
            )
    low = 100 * min(np.min(values) for found in (of_prior, of_encoder) for values in found)
    base.logarithmic(made, "y", low * 0.7, 130)
    made.add_vline(now, line={"color": palette.INK[theme], "width": 1, "dash": "dot"})
    return made


def estimates(spreads: Mapping[str, object], truth: float, theme: str) -> go.Figure:
    """The estimate of log p(x) against the number of codes: median, and the band of nine repeats in ten.

    Parameters
    ----------
    spreads : name -> core.mechanisms.naive_sampling.Spread
    truth : log p(x) in nats
    """
    made = base.figure("The estimate of log p(x) of one row", "codes K", "nats", 340)
    for k, (name, found) in enumerate(spreads.items()):
        bands.add(made, found.counts, found.low, found.high, base.colour(2 * k, theme), name)
        base.line(
            made,
            found.counts,
            found.middle,
            f"codes from the {name}",
            theme,
            2 * k,
            legendgroup=name,
            mode="lines+markers",
            customdata=np.stack([found.low, found.high], 1),
            hovertemplate="K = %{x:,}: median %{y:.3f}, nine in ten from %{customdata[0]:.3f} to "
            "%{customdata[1]:.3f} nats<extra></extra>",
        )
    base.at_value(made, truth, "log p(x), exactly", theme)
    base.logarithmic(made, "x")
    return made


def trap(found, theme: str) -> go.Figure:
    """Two objectives against how strongly the decoder uses the code; the best of either is marked.

    Parameters
    ----------
    found : core.mechanisms.naive_sampling.Trap
    """
    made = base.figure("Which decoder each objective calls best", "decoder's weights, times those that made x", "", 340)
    parts = (
        ("log of the mean of p(x|z)", found.likelihood, found.naive, 0),
        ("mean of log p(x|z)", found.averaged, found.averaged_drawn, 2),
    )
    for name, exact, drawn, k in parts:
        base.line(
            made,
            found.scales,
            exact,
            name,
            theme,
            k,
            hovertemplate=f"{name}<br>weights × %{{x:.2f}}: %{{y:.2f}} nats a row, exactly<extra></extra>",
        )
        made.add_scatter(
            x=found.scales,
            y=drawn,
            mode="markers",
            name="○ from draws",
            showlegend=k == 0,
            marker={"color": base.colour(k, theme), "size": 5, "symbol": "circle-open"},
            hovertemplate=f"{name}<br>weights × %{{x:.2f}}: %{{y:.2f}} nats a row, from draws<extra></extra>",
        )
        best = int(np.argmax(exact))
        made.add_scatter(
            x=[found.scales[best]],
            y=[exact[best]],
            mode="markers",
            marker={"color": base.colour(k, theme), "size": 14, "symbol": "star"},
            showlegend=False,
            hovertemplate="its best decoder: weights × %{x:.2f}<extra></extra>",
        )
    top = max(found.likelihood.max(), found.averaged.max())
    lowest = max(found.likelihood.min(), found.averaged[found.scales <= 1].min())
    made.update_yaxes(title="nats a row", range=[lowest - 0.2 * (top - lowest), top + 0.1 * (top - lowest) + 0.5])
    return made
