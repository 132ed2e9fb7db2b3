"""Two gradient estimators: their estimates, their variances and their computation graphs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base

NAMES = {"score": "score function", "reparameterized": "reparameterized"}
_COLOURS = {"score": 2, "reparameterized": 0}


def plot_estimates(means: dict[str, np.ndarray], exact: float, size: int, theme: str) -> go.Figure:
    """Histograms of estimates of the gradient's first component, means of `size` samples."""
    title = f"Estimates of the first component ({size} samples)"
    chart = base.make_chart(theme, title, "gradient", "share of estimates (%)", barmode="overlay")
    low, high = np.quantile(np.concatenate(list(means.values())), (0.005, 0.995))
    room = max(high - low, 1e-3) * 0.05
    edges = np.linspace(min(low, exact) - room, max(high, exact) + room, 61)
    clipped = {NAMES[name]: np.clip(values, edges[0], edges[-1]) for name, values in means.items()}
    base.add_histograms(chart, clipped, edges, 0.7, [base.get_colour(_COLOURS[name], theme) for name in means])
    for trace in chart.data:
        trace.hovertemplate = f"{trace.name}<br>about %{{x:.3g}}: %{{y:.1f}}% of the estimates<extra></extra>"
    base.add_level(chart, exact, "exact", theme, "x")
    return chart


def plot_variance_ratios(
    dimensions: Sequence[int], exact: Sequence[float], now: int, measured: float, theme: str
) -> go.Figure:
    """Variance of score function / reparameterized, against the number of latent dimensions."""
    title = "Variance, score function / reparameterized"
    chart = base.make_chart(theme, title, "latent dimensions", "variance ratio")
    known = np.isfinite(exact)
    hover = "%{x} dimensions: exact ratio %{y:.4~g}<extra></extra>"
    points = np.asarray(dimensions)[known], np.asarray(exact)[known]
    base.add_line(chart, *points, "exact", theme, 0, mode="lines+markers", hovertemplate=hover)
    if np.isfinite(measured):
        options = {"symbol": "diamond", "hovertemplate": hover.replace("exact", "measured")}
        base.add_points(chart, np.array([[now, measured]]), "measured", base.get_colour(2, theme), 12, **options)
    chart.add_hline(1, line={"color": palette.INK[theme], "width": 1, "dash": "dot"})
    base.set_log_axis(chart, "x")
    base.set_log_axis(chart, "y")
    return chart


def plot_errors(counts: np.ndarray, variances: dict[str, float], theme: str) -> go.Figure:
    """Root mean square error of each estimator, sqrt(variance of a sample / n), against n."""
    chart = base.make_chart(theme, "Error of the gradient", "samples n", "root mean square error")
    for name, variance in variances.items():
        hover = f"{NAMES[name]}, %{{x:,}} samples: %{{y:.3g}}<extra></extra>"
        errors = np.sqrt(variance / counts)
        base.add_line(chart, counts, errors, NAMES[name], theme, _COLOURS[name], hovertemplate=hover)
    base.set_log_axis(chart, "x")
    base.set_log_axis(chart, "y")
    return chart


def render_graphs(theme: str) -> tuple[str, str]:
    """SVGs of both computation graphs, plain and reparameterized; dashed: gradients."""
    return _render_graph(False, theme), _render_graph(True, theme)


def _render_graph(is_reparameterized: bool, theme: str) -> str:
    ink, good, bad = palette.INK[theme], base.get_colour(3, theme), base.get_colour(2, theme)
    mu, sigma, z, f, eps, width, height = (60, 60), (60, 150), (180, 105), (290, 105), (180, 195), 340, 232
    parts = [_arrow(mu, z, ink, 20), _arrow(sigma, z, ink, 20), _arrow(z, f, ink, 22)]
    parts += [_node(mu, "μ", ink), _node(sigma, "σ", ink), _node(f, "f", ink), _gradient_arrow(f, z, good)]
    if is_reparameterized:
        parts += [_arrow(eps, z, ink, 20), _node(eps, "ε", ink, is_random=True), _node(z, "z", ink)]
        parts += [_gradient_arrow(z, mu, good), _gradient_arrow(z, sigma, good)]
        parts.append(_text((232, 199), "ε ~ N(0, I)", ink, 12))
        title, below = "z = μ + σ ε", "The noise is an input: gradients reach μ and σ."
    else:
        parts += [_node(z, "z", ink, is_random=True), _cross((128, 84), bad), _cross((128, 126), bad)]
        title, below = "z sampled from N(μ, σ²)", "Sampling has no derivative: gradients stop at z."
    parts.append(_text((0, 16), title, ink, 14, 'font-weight="600"'))
    note = ink if theme == "light" else good if is_reparameterized else bad
    parts.append(_text((0, height - 6), below, note, 12))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{title}. {below}" font-family="sans-serif">{"".join(parts)}</svg>'
    )


def _node(at, text: str, ink: str, *, is_random: bool = False) -> str:
    """A circle; a random quantity is a diamond."""
    x, y = at
    shape = f'circle cx="{x}" cy="{y}" r="18"'
    if is_random:
        shape = f'path d="M{x} {y - 22}L{x + 22} {y}L{x} {y + 22}L{x - 22} {y}Z"'
    letter = _text((x, y + 5), text, ink, 15, 'text-anchor="middle"')
    return f'<{shape} fill="none" stroke="{ink}" stroke-width="1.5"/>{letter}'


def _arrow(start, end, ink: str, gap: int, shaft: str = 'stroke-width="1.5"') -> str:
    (x0, y0), (x1, y1) = start, end
    length = np.hypot(x1 - x0, y1 - y0)
    ux, uy = (x1 - x0) / length, (y1 - y0) / length
    ax, ay, bx, by = x0 + gap * ux, y0 + gap * uy, x1 - (gap + 4) * ux, y1 - (gap + 4) * uy
    tip = f"M{bx:.1f} {by:.1f}L{bx - 8 * ux - 4 * uy:.1f} {by - 8 * uy + 4 * ux:.1f}"
    tip += f"L{bx - 8 * ux + 4 * uy:.1f} {by - 8 * uy - 4 * ux:.1f}Z"
    line = f"M{ax:.1f} {ay:.1f}L{bx:.1f} {by:.1f}"
    return f'<path d="{line}" stroke="{ink}" {shaft}/><path d="{tip}" fill="{ink}"/>'


def _gradient_arrow(start, end, colour: str) -> str:
    """A dashed arrow beside the one that the gradient follows backwards."""
    (x0, y0), (x1, y1) = start, end
    length = np.hypot(x1 - x0, y1 - y0)
    nx, ny = -(y1 - y0) / length * 12, (x1 - x0) / length * 12
    shaft = 'stroke-width="2" stroke-dasharray="5 4"'
    return _arrow((x0 + nx, y0 + ny), (x1 + nx, y1 + ny), colour, 22, shaft)


def _cross(at, colour: str) -> str:
    x, y = at
    strokes = f"M{x - 7} {y - 7}L{x + 7} {y + 7}M{x - 7} {y + 7}L{x + 7} {y - 7}"
    return f'<path d="{strokes}" stroke="{colour}" stroke-width="3"/>'


def _text(at, text: str, ink: str, size: int, more: str = "") -> str:
    return f'<text x="{at[0]}" y="{at[1]}" font-size="{size}" fill="{ink}" {more}>{text}</text>'
