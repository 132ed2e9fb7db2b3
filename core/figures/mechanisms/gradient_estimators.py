"""Two gradient estimators: their estimates, their variances and their computation graphs."""

from collections.abc import Sequence
from pathlib import Path
from string import Template

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base

_THEME = Path(__file__).parents[3] / "assets" / "theme"
# what is shown -> file, colour of its note
_GRAPHS = {
    "z sampled from N(μ, σ²). Sampling has no derivative: gradients stop at z.": ("sampling", "bad"),
    "z = μ + σ ε. The noise is an input: gradients reach μ and σ.": ("reparameterization", "good"),
}
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
    base.add_histograms(chart, clipped, edges, 0.7, [palette.CLASSES[theme][_COLOURS[name]] for name in means])
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
    hover = "%{x} dimensions: exact ratio %{y:.4~g}<extra></extra>"
    points = np.asarray(dimensions), np.asarray(exact)
    base.add_line(chart, *points, "exact", theme, 0, mode="lines+markers", hovertemplate=hover)
    options = {"symbol": "diamond", "hovertemplate": hover.replace("exact", "measured")}
    base.add_points(chart, np.array([[now, measured]]), "measured", palette.CLASSES[theme][2], 12, **options)
    chart.add_hline(1, line={"color": palette.INK[theme], "width": 1, "dash": "dot"})
    base.set_log_axes(chart, "xy")
    return chart


def plot_errors(counts: np.ndarray, variances: dict[str, float], theme: str) -> go.Figure:
    """Root mean square error of each estimator, sqrt(variance of a sample / n), against n."""
    chart = base.make_chart(theme, "Error of the gradient", "samples n", "root mean square error")
    for name, variance in variances.items():
        hover = f"{NAMES[name]}, %{{x:,}} samples: %{{y:.3g}}<extra></extra>"
        errors = np.sqrt(variance / counts)
        base.add_line(chart, counts, errors, NAMES[name], theme, _COLOURS[name], hovertemplate=hover)
    base.set_log_axes(chart, "xy")
    return chart


def render_graphs(theme: str) -> dict[str, str]:
    """SVGs of both computation graphs by what they show, in the colours of a theme; dashed: gradients."""
    ink, good, bad = palette.INK[theme], palette.CLASSES[theme][3], palette.CLASSES[theme][2]
    graphs = {}
    for about, (name, colour) in _GRAPHS.items():
        text = Template((_THEME / f"{name}.svg").read_text(encoding="utf-8"))
        note = {"good": good, "bad": bad}[colour] if theme == "dark" else ink
        graphs[about] = text.substitute(ink=ink, good=good, bad=bad, note=note)
    return graphs
