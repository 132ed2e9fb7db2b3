"""The evidence lower bound: its parts, its tightening, and what beta collapses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import bands, palette
from core.figures.mechanisms import base


def parts(reconstruction: float, kl: float, gap: float, log_marginal: float, theme: str) -> go.Figure:
    """-ELBO twice as a bar, in nats: as reconstruction and KL, and as -log p(x) and the gap."""
    made = base.figure("−ELBO of one row, cut in two ways", "nats", "", 260, barmode="relative")
    rows = ("reconstruction + KL", "−log p(x) + gap")
    pieces = (
        ("reconstruction, −E log p(x|z)", reconstruction, rows[0], 0),
        ("KL(q(z|x) ‖ p(z))", kl, rows[0], 2),
        ("−log p(x)", -log_marginal, rows[1], 3),
        ("gap, KL(q(z|x) ‖ p(z|x))", gap, rows[1], 1),
    )
    for name, value, row, k in pieces:
        made.add_bar(
            x=[value],
            y=[row],
            orientation="h",
            name=name,
            marker={"color": base.colour(k, theme)},
            hovertemplate=f"{name}: %{{x:.3f}} nats<extra></extra>",
        )
    made.add_vline(reconstruction + kl, line={"color": palette.INK[theme], "width": 1.5, "dash": "dash"})
    made.update_yaxes(autorange="reversed", ticksuffix=" ", automargin=True)
    return made


def tightening(counts: Sequence[int], estimates: Sequence, elbo: float, log_marginal: float, theme: str) -> go.Figure:
    """The importance-weighted bound against k, with two standard errors either way, between ELBO and log p(x).

    Parameters
    ----------
    estimates : core.mechanisms.estimates.Estimate, one for each count
    """
    made = base.figure("The bound with k draws of the encoder", "draws k", "nats", 320)
    values = np.array([each.value for each in estimates])
    errors = np.array([each.error for each in estimates])
    bands.add(made, np.asarray(counts), values - 2 * errors, values + 2 * errors, base.colour(2, theme), "bound")
    base.line(
        made,
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
    base.at_value(made, log_marginal, "log p(x), exactly", theme)
    base.at_value(made, elbo, "ELBO, exactly", theme, position="bottom right")
    base.logarithmic(made, "x")
    room = 0.25 * max(log_marginal - elbo, 4 * errors.max(), 0.01)
    made.update_yaxes(range=[min(elbo, (values - 2 * errors).min()) - room, log_marginal + 1.6 * room])
    return made


def collapsed(kl: np.ndarray, beta: float, theme: str) -> go.Figure:
    """KL of every component, in nats, the component of the largest variance first; collapsed ones have none.

    Parameters
    ----------
    kl : (d,)
    """
    made = base.figure(f"Nats that each component of the code carries, β = {beta:g}", "component", "nats", 320)
    made.add_bar(
        x=np.arange(1, len(kl) + 1),
        y=kl,
        marker={"color": base.colour(2, theme)},
        showlegend=False,
        hovertemplate="component %{x}: KL %{y:.3f} nats<extra></extra>",
    )
    made.update_yaxes(rangemode="tozero")
    return made


def traded(kl: np.ndarray, error: np.ndarray, betas: np.ndarray, now: int, theme: str) -> go.Figure:
    """Squared error against KL over all betas.

    Parameters
    ----------
    kl, error, betas : (m,), nats a row, squared error a row, and the beta of each; now : index of the one chosen
    """
    made = base.figure("β trades one for the other", "KL, nats a row", "squared error a row", 320)
    base.line(
        made,
        kl,
        error,
        "best linear VAE",
        theme,
        0,
        mode="lines+markers",
        customdata=betas,
        showlegend=False,
        hovertemplate="β = %{customdata:g}: KL %{x:.2f} nats, squared error %{y:.3f}<extra></extra>",
    )
    made.add_scatter(
        x=[kl[now]],
        y=[error[now]],
        mode="markers+text",
        text=[f"β = {betas[now]:g}"],
        textposition="top right",
        marker={"size": 13, "color": base.colour(2, theme), "symbol": "diamond"},
        showlegend=False,
        hoverinfo="skip",
    )
    made.update_yaxes(rangemode="tozero")
    made.update_xaxes(rangemode="tozero")
    return made
