"""Naive sampling: contributing pairs, the estimate of log p(x), and two objectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import palette, style
from core.figures.mechanisms import base

_NOTHING = {"light": "#eceff2", "dark": "#232932"}  # of a pair that does not contribute


def plot_pairs(weights: np.ndarray, contributing: np.ndarray, theme: str) -> go.Figure:
    """Pairs of a step as cells; contributing ones are coloured by their weight.

    Parameters
    ----------
    weights : (n, k) of the first n rows and k codes, rows of the whole step summing to 1
    contributing : (n, k) bool
    """
    title = "Pairs of one step; coloured: contributing"
    chart = base.make_chart(theme, title, "code z", "data point x", 340)
    percent, ink = np.round(100 * weights, 2), base.get_colour(2, theme)
    least = 0.01  # what carries something is above it
    chart.add_heatmap(
        z=np.where(contributing, np.maximum(percent, 2 * least), 0),
        zmin=0,
        zmax=100,
        colorscale=[
            [0, _NOTHING[theme]],
            [least / 100, _NOTHING[theme]],
            [least / 100, palette.make_translucent(ink, 0.35)],
            [1, ink],
        ],
        showscale=False,
        xgap=1,
        ygap=1,
        customdata=percent,
        hovertemplate="x %{y}, z %{x}: %{customdata:.2f}% of the weight of x<extra></extra>",
    )
    chart.update_xaxes(showgrid=False, zeroline=False)
    chart.update_yaxes(showgrid=False, zeroline=False, autorange="reversed")
    return chart


def plot_shares(
    sizes: Sequence[float],
    of_prior: tuple[Sequence[float], Sequence[float]],
    of_encoder: tuple[Sequence[float], Sequence[float]],
    now: float,
    x: str,
    theme: str,
) -> go.Figure:
    """Share of pairs with 99% of the gradient, and of effective samples, against one setting.

    Parameters
    ----------
    sizes : (m,) values of the setting; now : the one chosen.
    of_prior, of_encoder : share of pairs and effective share of samples, (m,) in (0, 1] each.
    """
    chart = base.make_chart(theme, f"Contributing pairs by {x}", x, "share of pairs (%)", 340)
    for k, (name, series) in enumerate((("prior", of_prior), ("encoder", of_encoder))):
        for values, what, dash in zip(
            series, ("99% of the gradient", "effective samples"), ("solid", "dot"), strict=True
        ):
            base.add_line(
                chart,
                list(sizes),
                100 * np.asarray(values),
                f"{name}: {what}",
                theme,
                2 * k,
                dash=dash,
                mode="lines+markers",
                hovertemplate=f"{x} %{{x}}<br>{name}, {what}: %{{y:.3~g}}%<extra></extra>",
            )
    low = 100 * min(np.min(values) for series in (of_prior, of_encoder) for values in series)
    base.set_log_axis(chart, "y", low * 0.7, 130)
    chart.add_vline(now, line={"color": palette.INK[theme], "width": 1, "dash": "dot"})
    return chart


def plot_estimates(spreads: Mapping[str, object], truth: float, theme: str) -> go.Figure:
    """The estimate of log p(x) against the number of codes: median, and the band of 90% of the repeats.

    Parameters
    ----------
    spreads : name -> core.mechanisms.naive_sampling.EstimateQuantiles
    truth : log p(x) in nats
    """
    chart = base.make_chart(theme, "Estimate of log p(x), one data point", "codes K", "nats", 340)
    for k, (name, spread) in enumerate(spreads.items()):
        style.add_band(chart, spread.counts, spread.low, spread.high, base.get_colour(2 * k, theme), name)
        base.add_line(
            chart,
            spread.counts,
            spread.median,
            f"codes from the {name}",
            theme,
            2 * k,
            legendgroup=name,
            mode="lines+markers",
            customdata=np.stack([spread.low, spread.high], 1),
            hovertemplate="K = %{x:,}: median %{y:.3f}, 90% from %{customdata[0]:.3f} to "
            "%{customdata[1]:.3f} nats<extra></extra>",
        )
    base.add_level(chart, truth, "exact log p(x)", theme)
    base.set_log_axis(chart, "x")
    return chart


def plot_objectives(curves, theme: str) -> go.Figure:
    """Two objectives against the scale of the decoder weights, with their maxima marked.

    Parameters
    ----------
    curves : core.mechanisms.naive_sampling.Objectives
    """
    chart = base.make_chart(
        theme, "Two objectives by decoder weights", "decoder weights / true weights", "nats per data point", 340
    )
    parts = (
        ("log of the mean of p(x|z)", curves.log_of_mean, curves.log_of_mean_sampled, 0),
        ("mean of log p(x|z)", curves.mean_of_log, curves.mean_of_log_sampled, 2),
    )
    for name, exact, drawn, k in parts:
        base.add_line(
            chart,
            curves.scales,
            exact,
            name,
            theme,
            k,
            hovertemplate=f"{name}<br>weights × %{{x:.2f}}: %{{y:.2f}} nats per data point, exact<extra></extra>",
        )
        chart.add_scatter(
            x=curves.scales,
            y=drawn,
            mode="markers",
            name="○ sampled",
            showlegend=k == 0,
            marker={"color": base.get_colour(k, theme), "size": 5, "symbol": "circle-open"},
            hovertemplate=f"{name}<br>weights × %{{x:.2f}}: %{{y:.2f}} nats per data point, sampled<extra></extra>",
        )
        best = int(np.argmax(exact))
        chart.add_scatter(
            x=[curves.scales[best]],
            y=[exact[best]],
            mode="markers",
            marker={"color": base.get_colour(k, theme), "size": 14, "symbol": "star"},
            showlegend=False,
            hovertemplate="maximum: weights × %{x:.2f}<extra></extra>",
        )
    top = max(curves.log_of_mean.max(), curves.mean_of_log.max())
    lowest = max(curves.log_of_mean.min(), curves.mean_of_log[curves.scales <= 1].min())
    chart.update_yaxes(range=[lowest - 0.2 * (top - lowest), top + 0.1 * (top - lowest) + 0.5])
    return chart
