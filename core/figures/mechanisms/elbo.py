"""The evidence lower bound: its parts, its tightening with k, and posterior collapse with beta."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import palette, style
from core.figures.mechanisms import base


def plot_parts(reconstruction: float, kl: float, gap: float, log_marginal: float, theme: str) -> go.Figure:
    """-ELBO as two bars, in nats: reconstruction + KL, and -log p(x) + gap."""
    chart = base.make_chart(theme, "Two decompositions of −ELBO, one data point", "nats", "", 260, barmode="relative")
    rows = ("reconstruction + KL", "−log p(x) + gap")
    pieces = (
        ("reconstruction, −E log p(x|z)", reconstruction, rows[0], 0),
        ("KL(q(z|x) ‖ p(z))", kl, rows[0], 2),
        ("−log p(x)", -log_marginal, rows[1], 3),
        ("gap, KL(q(z|x) ‖ p(z|x))", gap, rows[1], 1),
    )
    for name, value, row, k in pieces:
        chart.add_bar(
            x=[value],
            y=[row],
            orientation="h",
            name=name,
            marker={"color": base.get_colour(k, theme)},
            hovertemplate=f"{name}: %{{x:.3f}} nats<extra></extra>",
        )
    chart.add_vline(reconstruction + kl, line={"color": palette.INK[theme], "width": 1.5, "dash": "dash"})
    chart.update_yaxes(autorange="reversed", ticksuffix=" ", automargin=True)
    return chart


def plot_bounds(counts: Sequence[int], estimates: Sequence, elbo: float, log_marginal: float, theme: str) -> go.Figure:
    """The importance-weighted bound against k, with two standard errors either way, between ELBO and log p(x).

    Parameters
    ----------
    estimates : core.mechanisms.monte_carlo.Estimate, one for each count
    """
    chart = base.make_chart(theme, "Bound with k codes from the encoder", "codes k", "nats", 320)
    values = np.array([each.value for each in estimates])
    errors = np.array([each.error for each in estimates])
    style.add_band(
        chart, np.asarray(counts), values - 2 * errors, values + 2 * errors, base.get_colour(2, theme), "bound"
    )
    base.add_line(
        chart,
        list(counts),
        values,
        "importance-weighted bound",
        theme,
        2,
        mode="lines+markers",
        customdata=errors,
        showlegend=False,
        hovertemplate="k = %{x:,}: %{y:.4f} ± %{customdata:.4f} nats<extra></extra>",
    )
    base.add_level(chart, log_marginal, "exact log p(x)", theme)
    base.add_level(chart, elbo, "exact ELBO", theme, position="bottom right")
    base.set_log_axis(chart, "x")
    room = 0.25 * max(log_marginal - elbo, 4 * errors.max(), 0.01)
    chart.update_yaxes(range=[min(elbo, (values - 2 * errors).min()) - room, log_marginal + 1.6 * room])
    return chart


def plot_kl_by_component(kl: np.ndarray, beta: float, theme: str) -> go.Figure:
    """KL of every component, in nats, the component of the largest variance first; collapsed ones have none.

    Parameters
    ----------
    kl : (d,)
    """
    chart = base.make_chart(theme, f"KL divergence by component, β = {beta:g}", "component", "nats per image", 320)
    chart.add_bar(
        x=np.arange(1, len(kl) + 1),
        y=kl,
        marker={"color": base.get_colour(2, theme)},
        showlegend=False,
        hovertemplate="component %{x}: KL %{y:.3f} nats<extra></extra>",
    )
    chart.update_yaxes(rangemode="tozero")
    return chart


def plot_error_by_kl(kl: np.ndarray, error: np.ndarray, betas: np.ndarray, now: int, theme: str) -> go.Figure:
    """Squared error against KL over all betas.

    Parameters
    ----------
    kl, error, betas : (m,), nats and squared error per image, and the beta of each; now : index of the one chosen
    """
    chart = base.make_chart(
        theme, "Squared error against KL divergence", "KL divergence, nats per image", "squared error per image", 320
    )
    base.add_line(
        chart,
        kl,
        error,
        "best linear VAE",
        theme,
        0,
        mode="lines+markers",
        customdata=betas,
        showlegend=False,
        hovertemplate="β = %{customdata:g}: KL %{x:.2f} nats per image, squared error %{y:.3f}<extra></extra>",
    )
    chart.add_scatter(
        x=[kl[now]],
        y=[error[now]],
        mode="markers+text",
        text=[f"β = {betas[now]:g}"],
        textposition="top right",
        marker={"size": 13, "color": base.get_colour(2, theme), "symbol": "diamond"},
        showlegend=False,
        hoverinfo="skip",
    )
    chart.update_yaxes(rangemode="tozero")
    chart.update_xaxes(rangemode="tozero")
    return chart
