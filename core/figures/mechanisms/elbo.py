"""The evidence lower bound: its parts, tightening with k, and collapse with beta."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures import palette, style
from core.figures.mechanisms import base


def plot_encoder(prior: Any, posterior: Any, encoder: Any, theme: str) -> go.Figure:
    """Ellipses of 1 and 2 standard deviations of p(z), p(z|x) and q(z|x): `Gaussian`s in the plane."""
    chart = base.make_chart(theme, "Codes z: ellipses of 1 and 2 standard deviations", "z₁", "z₂")
    for name, gaussian, k, dash in (
        ("p(z), the prior", prior, "ink", "dot"),
        ("p(z|x), exact", posterior, 3, "dash"),
        ("q(z|x), the encoder", encoder, 2, "solid"),
    ):
        for deviations, width in ((1, 3), (2, 1.5)):
            options = {"dash": dash, "width": width, "showlegend": deviations == 1}
            base.add_line(chart, *gaussian.compute_outline(deviations).T, name, theme, k, **options)
    return base.set_square_axes(chart, -3, 3)


def plot_parts(bound: Any, theme: str) -> go.Figure:
    """−ELBO as two bars, in nats: the parts of a `core.mechanisms.elbo.Bound`."""
    chart = base.make_chart(theme, "Two decompositions of −ELBO, one data point", "nats", "", 260, barmode="relative")
    for name, value, row, k in (
        ("reconstruction, −E log p(x|z)", bound.reconstruction, "reconstruction + KL", 0),
        ("KL(q(z|x) ‖ p(z))", bound.kl, "reconstruction + KL", 2),
        ("−log p(x)", -bound.log_marginal, "−log p(x) + gap", 3),
        ("gap, KL(q(z|x) ‖ p(z|x))", bound.gap, "−log p(x) + gap", 1),
    ):
        look = {"marker": {"color": palette.CLASSES[theme][k]}, "orientation": "h"}
        chart.add_bar(x=[value], y=[row], name=name, **look, hovertemplate=f"{name}: %{{x:.3f}} nats<extra></extra>")
    chart.add_vline(-bound.elbo, line={"color": palette.INK[theme], "width": 1.5, "dash": "dash"})
    return chart.update_yaxes(autorange="reversed", ticksuffix=" ", automargin=True)


def plot_bounds(counts: Sequence[int], estimates: Sequence, bound: Any, theme: str) -> go.Figure:
    """The importance-weighted bound by k, `Estimate`s, between the ELBO and log p(x) of a `Bound`."""
    chart = base.make_chart(theme, "Bound with k codes from the encoder", "codes k", "nats")
    values, errors = np.array([[estimate.value, estimate.error] for estimate in estimates]).T
    low, high, colour = values - 2 * errors, values + 2 * errors, palette.CLASSES[theme][2]
    style.add_band(chart, np.asarray(counts), low, high, colour, "bound")
    hover = "k = %{x:,}: %{y:.4f} ± %{customdata:.4f} nats<extra></extra>"
    options = {"mode": "lines+markers", "customdata": errors, "showlegend": False, "hovertemplate": hover}
    base.add_line(chart, list(counts), values, "importance-weighted bound", theme, 2, **options)
    base.add_level(chart, bound.log_marginal, "exact log p(x)", theme)
    base.add_level(chart, bound.elbo, "exact ELBO", theme, position="bottom right")
    base.set_log_axes(chart, "x")
    room = 0.25 * max(bound.log_marginal - bound.elbo, 4 * errors.max(), 0.01)
    return chart.update_yaxes(range=[min(bound.elbo, low.min()) - room, bound.log_marginal + 1.6 * room])


def plot_kl_by_component(kl: np.ndarray, beta: float, theme: str) -> go.Figure:
    """KL of each component (d,) in nats, by decreasing variance; collapsed ones have none."""
    chart = base.make_chart(theme, f"KL divergence by component, β = {beta:g}", "component", "nats per image")
    look = {"marker": {"color": palette.CLASSES[theme][2]}, "showlegend": False}
    hover = "component %{x}: KL %{y:.3f} nats<extra></extra>"
    chart.add_bar(x=np.arange(1, len(kl) + 1), y=kl, hovertemplate=hover, **look)
    return chart.update_yaxes(rangemode="tozero")


def plot_error_by_kl(kl: np.ndarray, error: np.ndarray, betas: np.ndarray, now: int, theme: str) -> go.Figure:
    """Squared error against KL per image, (m,) each, for all betas; `now`: the chosen one."""
    x, y = "KL divergence, nats per image", "squared error per image"
    chart = base.make_chart(theme, "Squared error against KL divergence", x, y, showlegend=False)
    hover = "β = %{customdata:g}: KL %{x:.2f} nats per image, squared error %{y:.3f}<extra></extra>"
    options = {"mode": "lines+markers", "customdata": betas, "hovertemplate": hover}
    base.add_line(chart, kl, error, "best linear VAE", theme, 0, **options)
    now_point, text = np.array([[kl[now], error[now]]]), {"text": [f"β = {betas[now]:g}"], "textposition": "top right"}
    colour = palette.CLASSES[theme][2]
    base.add_points(chart, now_point, None, colour, 13, symbol="diamond", mode="markers+text", **text)
    chart.update_xaxes(rangemode="tozero")
    return chart.update_yaxes(rangemode="tozero")
