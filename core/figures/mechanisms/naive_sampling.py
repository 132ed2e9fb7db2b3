"""Naive sampling: contributing pairs, the estimate of log p(x), and two objectives."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import palette, style
from core.figures.mechanisms import base

_BLANK = {"light": "#eceff2", "dark": "#232932"}  # pairs that do not contribute
_LEAST = 0.01  # percent; contributing pairs are drawn above it


def plot_pairs(weights: np.ndarray, contributing: np.ndarray, theme: str) -> go.Figure:
    """Pairs of a step as cells; contributing ones are coloured by their weight.

    Parameters
    ----------
    weights : (n, k) of the first n rows and k codes; rows of the whole step sum to 1
    contributing : (n, k) bool
    """
    chart = base.make_chart(theme, "Pairs of one step; coloured: contributing", "code z", "data point x", 340)
    percent, ink, blank, step = np.round(100 * weights, 2), palette.CLASSES[theme][2], _BLANK[theme], _LEAST / 100
    chart.add_heatmap(
        z=np.where(contributing, np.maximum(percent, 2 * _LEAST), 0),
        zmin=0,
        zmax=100,
        colorscale=[[0, blank], [step, blank], [step, palette.make_translucent(ink, 0.35)], [1, ink]],
        showscale=False,
        xgap=1,
        ygap=1,
        customdata=percent,
        hovertemplate="x %{y}, z %{x}: %{customdata:.2f}% of the weight of x<extra></extra>",
    )
    chart.update_xaxes(showgrid=False, zeroline=False)
    return chart.update_yaxes(showgrid=False, zeroline=False, autorange="reversed")


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
    sizes : (m,) values of the setting; now : the chosen one.
    of_prior, of_encoder : share of pairs and effective share of samples, (m,) in (0, 1] each.
    """
    chart = base.make_chart(theme, f"Contributing pairs by {x}", x, "share of pairs (%)", 340)
    for name, shares, k in (("prior", of_prior, 0), ("encoder", of_encoder, 2)):
        for values, what, dash in zip(
            shares, ("99% of the gradient", "effective samples"), ("solid", "dot"), strict=True
        ):
            hover = f"{x} %{{x}}<br>{name}, {what}: %{{y:.3~g}}%<extra></extra>"
            options = {"dash": dash, "mode": "lines+markers", "hovertemplate": hover}
            base.add_line(chart, list(sizes), 100 * np.asarray(values), f"{name}: {what}", theme, k, **options)
    base.set_log_axes(chart, "y")
    chart.update_yaxes(range=np.log10([100 * np.min([of_prior, of_encoder]) * 0.7, 130]))
    chart.add_vline(now, line={"color": palette.INK[theme], "width": 1, "dash": "dot"})
    return chart


def plot_estimates(counts: Sequence[int], quantiles: Mapping[str, np.ndarray], truth: float, theme: str) -> go.Figure:
    """The estimate of log p(x) in nats by number of codes, (m,): name -> 5%, 50% and 95% of the repeats, (3, m)."""
    chart = base.make_chart(theme, "Estimate of log p(x), one data point", "codes K", "nats", 340)
    hover = "K = %{x:,}: median %{y:.3f}, 90% from %{customdata[0]:.3f} to %{customdata[1]:.3f} nats<extra></extra>"
    for k, (name, (low, median, high)) in enumerate(quantiles.items()):
        style.add_band(chart, np.asarray(counts), low, high, palette.CLASSES[theme][2 * k], name)
        options = {"legendgroup": name, "mode": "lines+markers", "hovertemplate": hover}
        options["customdata"] = np.stack([low, high], 1)
        base.add_line(chart, np.asarray(counts), median, f"codes from the {name}", theme, 2 * k, **options)
    base.add_level(chart, truth, "exact log p(x)", theme)
    base.set_log_axes(chart, "x")
    return chart


def plot_objectives(curves, theme: str) -> go.Figure:
    """Both of the `naive_sampling.Objectives` by scale of the weights, with their maxima."""
    x, scales = "decoder weights / true weights", curves.scales
    chart = base.make_chart(theme, "Two objectives by decoder weights", x, "nats per data point", 340)
    for name, exact, sampled, k in (
        ("log of the mean of p(x|z)", curves.log_of_mean, curves.log_of_mean_sampled, 0),
        ("mean of log p(x|z)", curves.mean_of_log, curves.mean_of_log_sampled, 2),
    ):
        hover = f"{name}<br>weights × %{{x:.2f}}: %{{y:.2f}} nats per data point, {{}}<extra></extra>"
        colour, best = palette.CLASSES[theme][k], int(np.argmax(exact))
        base.add_line(chart, scales, exact, name, theme, k, hovertemplate=hover.replace("{}", "exact"))
        options = {"symbol": "circle-open", "showlegend": k == 0, "hovertemplate": hover.replace("{}", "sampled")}
        base.add_points(chart, np.column_stack([scales, sampled]), "○ sampled", colour, 5, **options)
        options = {"symbol": "star", "showlegend": False, "hovertemplate": "maximum: weights × %{x:.2f}<extra></extra>"}
        base.add_points(chart, np.array([[scales[best], exact[best]]]), None, colour, 14, **options)
    top = max(curves.log_of_mean.max(), curves.mean_of_log.max())
    lowest = max(curves.log_of_mean.min(), curves.mean_of_log[scales <= 1].min())
    return chart.update_yaxes(range=[lowest - 0.2 * (top - lowest), top + 0.1 * (top - lowest) + 0.5])
