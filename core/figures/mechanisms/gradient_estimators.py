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
    """Nodes at complex numbers x + iy, joined by arrows."""
    ink, good, bad = palette.INK[theme], base.get_colour(3, theme), base.get_colour(2, theme)
    mu, sigma, z, f, eps = 60 + 60j, 60 + 150j, 180 + 105j, 290 + 105j, 180 + 195j
    parts = [
        _draw_arrow(mu, z, ink, 20),
        _draw_arrow(sigma, z, ink, 20),
        _draw_arrow(z, f, ink, 22),
        _draw_arrow(f, z, good, 22, 12),
    ]
    parts += [_draw_node(mu, "μ", ink), _draw_node(sigma, "σ", ink), _draw_node(f, "f", ink)]
    parts.append(_draw_node(z, "z", ink, is_random=not is_reparameterized))
    if is_reparameterized:
        parts += [_draw_arrow(eps, z, ink, 20), _draw_node(eps, "ε", ink, is_random=True)]
        parts += [_draw_arrow(z, mu, good, 22, 12), _draw_arrow(z, sigma, good, 22, 12)]
        parts.append(_draw_text(232 + 199j, "ε ~ N(0, I)", ink, 12))
        title, below, back = "z = μ + σ ε", "The noise is an input: gradients reach μ and σ.", good
    else:
        crosses = "".join(f"M121 {y - 7}L135 {y + 7}M121 {y + 7}L135 {y - 7}" for y in (84, 126))
        parts.append(f'<path d="{crosses}" stroke="{bad}" stroke-width="3"/>')
        title, below, back = "z sampled from N(μ, σ²)", "Sampling has no derivative: gradients stop at z.", bad
    parts.append(_draw_text(16j, title, ink, 14, 'font-weight="600"'))
    parts.append(_draw_text(226j, below, back if theme == "dark" else ink, 12))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 340 232" role="img" '
        f'aria-label="{title}. {below}" font-family="sans-serif">{"".join(parts)}</svg>'
    )


def _draw_node(at: complex, text: str, ink: str, *, is_random: bool = False) -> str:
    """A circle; a random quantity is a diamond."""
    shape = f'circle cx="{at.real}" cy="{at.imag}" r="18"'
    if is_random:
        shape = f'path d="{_join(at - 22j, at + 22, at + 22j, at - 22)}Z"'
    letter = _draw_text(at + 5j, text, ink, 15, 'text-anchor="middle"')
    return f'<{shape} fill="none" stroke="{ink}" stroke-width="1.5"/>{letter}'


def _draw_arrow(start: complex, end: complex, colour: str, gap: int, offset: int = 0) -> str:
    """An arrow with gaps at its ends; with an offset to its right it is dashed."""
    unit = (end - start) / abs(end - start)
    tail, tip = start + (gap + offset * 1j) * unit, end - (gap + 4 - offset * 1j) * unit
    shaft = 'stroke-width="2" stroke-dasharray="5 4"' if offset else 'stroke-width="1.5"'
    head = _join(tip, tip - (8 - 4j) * unit, tip - (8 + 4j) * unit)
    return f'<path d="{_join(tail, tip)}" stroke="{colour}" {shaft}/><path d="{head}Z" fill="{colour}"/>'


def _join(*points: complex) -> str:
    return "M" + "L".join(f"{point.real:.1f} {point.imag:.1f}" for point in points)


def _draw_text(at: complex, text: str, ink: str, size: int, more: str = "") -> str:
    return f'<text x="{at.real}" y="{at.imag}" font-size="{size}" fill="{ink}" {more}>{text}</text>'
