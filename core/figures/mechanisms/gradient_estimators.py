"""Two gradient estimators: their estimates, their variances and their computation graphs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base

NAMES = {"score": "score function", "reparameterized": "reparameterized"}
_COLOURS = {"score": 2, "reparameterized": 0}
_WIDTH, _HEIGHT = 340, 232


def plot_estimates(means: dict[str, np.ndarray], exact: float, size: int, theme: str) -> go.Figure:
    """Histograms of estimates of the gradient's first component, each the mean of `size` samples.

    Parameters
    ----------
    means : estimator -> (n,)
    """
    chart = base.make_chart(
        theme,
        f"Estimates of the first component ({size} samples)",
        "gradient",
        "share of estimates (%)",
        320,
        barmode="overlay",
    )
    low, high = np.quantile(np.concatenate(list(means.values())), (0.005, 0.995))
    room = max(high - low, 1e-3) * 0.05
    edges = np.linspace(min(low, exact) - room, max(high, exact) + room, 61)
    for name, values in means.items():
        counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
        chart.add_bar(
            x=(edges[1:] + edges[:-1]) / 2,
            y=100 * counts / len(values),
            width=edges[1] - edges[0],
            name=NAMES[name],
            opacity=0.7,
            marker={"color": base.get_colour(_COLOURS[name], theme), "line": {"width": 0}},
            hovertemplate=f"{NAMES[name]}<br>about %{{x:.3g}}: %{{y:.1f}}% of the estimates<extra></extra>",
        )
    base.add_level(chart, exact, "exact", theme, "x")
    return chart


def plot_variance_ratios(
    dimensions: Sequence[int], exact: Sequence[float], now: int, measured: float, theme: str
) -> go.Figure:
    """Variance of the score function over that of reparameterization, against the code's dimension."""
    chart = base.make_chart(
        theme, "Variance, score function / reparameterized", "latent dimensions", "variance ratio", 320
    )
    known = [(d, r) for d, r in zip(dimensions, exact, strict=True) if np.isfinite(r)]
    base.add_line(
        chart,
        [d for d, _ in known],
        [r for _, r in known],
        "exact",
        theme,
        0,
        mode="lines+markers",
        hovertemplate="%{x} dimensions: exact ratio %{y:.4~g}<extra></extra>",
    )
    if np.isfinite(measured):
        chart.add_scatter(
            x=[now],
            y=[measured],
            mode="markers",
            name="measured",
            marker={"size": 12, "symbol": "diamond", "color": base.get_colour(2, theme)},
            hovertemplate="%{x} dimensions: measured ratio %{y:.4~g}<extra></extra>",
        )
    chart.add_hline(1, line={"color": palette.INK[theme], "width": 1, "dash": "dot"})
    base.set_log_axis(chart, "x")
    base.set_log_axis(chart, "y")
    return chart


def plot_errors(counts: np.ndarray, variances: dict[str, float], theme: str) -> go.Figure:
    """Root mean square error of the gradient against the number of samples: sqrt(variance / n).

    Parameters
    ----------
    counts : (m,)
    variances : estimator -> variance of one sample, summed over the gradient's components
    """
    chart = base.make_chart(theme, "Error of the gradient", "samples n", "root mean square error", 320)
    for name, variance in variances.items():
        base.add_line(
            chart,
            counts,
            np.sqrt(variance / counts),
            NAMES[name],
            theme,
            _COLOURS[name],
            hovertemplate=f"{NAMES[name]}, %{{x:,}} samples: %{{y:.3g}}<extra></extra>",
        )
    base.set_log_axis(chart, "x")
    base.set_log_axis(chart, "y")
    return chart


def render_graphs(theme: str) -> tuple[str, str]:
    """Two computation graphs as SVG: a plain sample, and z = mu + sigma * eps. Dashed arrows are gradients.

    Returns The graph whose sample stops the gradient, and the one that the gradient passes.
    """
    return _render_graph(False, theme), _render_graph(True, theme)


def _render_graph(is_reparameterized: bool, theme: str) -> str:
    ink, good, bad = palette.INK[theme], base.get_colour(3, theme), base.get_colour(2, theme)
    mu, sigma, f = (60, 60), (60, 150), (290, 105)
    z = (180, 105)
    parts = [_arrow(mu, z, ink, 20), _arrow(sigma, z, ink, 20), _arrow(z, f, ink, 22)]
    parts += [_node(mu, "μ", ink), _node(sigma, "σ", ink), _node(f, "f", ink)]
    back = good if is_reparameterized else bad
    parts.append(_back(f, z, good))
    if is_reparameterized:
        eps = (180, 195)
        parts += [
            _arrow(eps, z, ink, 20),
            _node(eps, "ε", ink, is_random=True),
            _back(z, mu, good),
            _back(z, sigma, good),
        ]
        parts.append(_text((232, 199), "ε ~ N(0, I)", ink, "start", 12))
        parts.append(_node(z, "z", ink))
        title, below = "z = μ + σ ε", "The noise is an input: gradients reach μ and σ."
    else:
        parts.append(_node(z, "z", ink, is_random=True))
        parts.append(_cross((128, 84), bad) + _cross((128, 126), bad))
        title, below = "z sampled from N(μ, σ²)", "Sampling has no derivative: gradients stop at z."
    parts.append(_text((0, 16), title, ink, "start", 14, bold=True))
    parts.append(_text((0, _HEIGHT - 6), below, back if theme == "dark" else ink, "start", 12))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{title}. {below}" font-family="sans-serif">{"".join(parts)}</svg>'
    )


def _node(at, text: str, ink: str, *, is_random: bool = False) -> str:
    """A circle; a random quantity is a diamond."""
    x, y = at
    if is_random:
        corners = f"M{x} {y - 22}L{x + 22} {y}L{x} {y + 22}L{x - 22} {y}Z"
        shape = f'<path d="{corners}" fill="none" stroke="{ink}" stroke-width="1.5"/>'
    else:
        shape = f'<circle cx="{x}" cy="{y}" r="18" fill="none" stroke="{ink}" stroke-width="1.5"/>'
    return shape + _text((x, y + 5), text, ink, "middle", 15)


def _arrow(start, end, ink: str, gap: int) -> str:
    (x0, y0), (x1, y1) = start, end
    length = np.hypot(x1 - x0, y1 - y0)
    ux, uy = (x1 - x0) / length, (y1 - y0) / length
    ax, ay, bx, by = x0 + gap * ux, y0 + gap * uy, x1 - (gap + 4) * ux, y1 - (gap + 4) * uy
    tip = f"M{bx:.1f} {by:.1f}L{bx - 8 * ux - 4 * uy:.1f} {by - 8 * uy + 4 * ux:.1f}"
    tip += f"L{bx - 8 * ux + 4 * uy:.1f} {by - 8 * uy - 4 * ux:.1f}Z"
    shaft = f"M{ax:.1f} {ay:.1f}L{bx:.1f} {by:.1f}"
    return f'<path d="{shaft}" stroke="{ink}" stroke-width="1.5"/><path d="{tip}" fill="{ink}"/>'


def _back(start, end, colour: str) -> str:
    """The gradient's path, beside the arrow that it follows backwards."""
    (x0, y0), (x1, y1) = start, end
    length = np.hypot(x1 - x0, y1 - y0)
    nx, ny = -(y1 - y0) / length * 12, (x1 - x0) / length * 12
    moved = _arrow((x0 + nx, y0 + ny), (x1 + nx, y1 + ny), colour, 22)
    return moved.replace('stroke-width="1.5"', 'stroke-width="2" stroke-dasharray="5 4"')


def _cross(at, colour: str) -> str:
    x, y = at
    strokes = f"M{x - 7} {y - 7}L{x + 7} {y + 7}M{x - 7} {y + 7}L{x + 7} {y - 7}"
    return f'<path d="{strokes}" stroke="{colour}" stroke-width="3"/>'


def _text(at, text: str, ink: str, anchor: str, size: int, *, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{at[0]}" y="{at[1]}" text-anchor="{anchor}" font-size="{size}" fill="{ink}"{weight}>{text}</text>'
