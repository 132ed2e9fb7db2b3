"""A feature's real and generated values: a small histogram or bars of categories, as SVG; correlations as a heatmap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.figures import palette
from core.figures.palette import MethodStyle
from core.figures.style import escape_text, lay_out, make_figure

_N_BINS, _MOST_CATEGORIES = 20, 7
_WIDTH, _HEIGHT, _LINE = 200, 100, 19
_DASHES = {"solid": "", "dash": "6 3", "dot": "2 2", "dashdot": "6 2 2 2"}
OTHERS = "others"


@dataclass(frozen=True)
class Histogram:
    """Shares of values in the same bins.

    Attributes
    ----------
    edges : (n_bins + 1,) of numbers, days since 1970 of dates; None for categories.
    bins : name of each bin.
    real, generated : share of the known cells in each bin, (n_bins,); the latter by the samples' label.
    """

    edges: np.ndarray | None
    bins: tuple[str, ...]
    real: np.ndarray
    generated: Mapping[str, np.ndarray]

    def to_rows(self, feature: str) -> list[dict[str, object]]:
        """A dictionary a bin, for a CSV file."""
        return [
            {"feature": feature, "bin": name, "real": self.real[k]}
            | {label: s[k] for label, s in self.generated.items()}
            for k, name in enumerate(self.bins)
        ]


def count_categories(real: pd.Series, generated: Mapping[str, pd.Series]) -> Histogram:
    """Shares of the categories that are most frequent among the real rows; the rest are counted together."""
    counts = real.value_counts()
    names = list(counts.index[: _MOST_CATEGORIES if len(counts) > _MOST_CATEGORIES + 1 else None])
    bins = [*map(str, names), *([OTHERS] if len(counts) > len(names) else [])]

    def share(values: pd.Series) -> np.ndarray:
        shares = values.value_counts(normalize=True)
        kept = shares.reindex(names, fill_value=0).to_numpy(float)
        return np.append(kept, 1 - kept.sum()) if len(bins) > len(names) else kept

    return Histogram(None, tuple(bins), share(real), {label: share(values) for label, values in generated.items()})


def count_numbers(real: pd.Series, generated: Mapping[str, pd.Series]) -> Histogram:
    """Shares in bins of one width over the middle 99 % of all values; the rest count in the outermost bins."""
    parts = [values.dropna().to_numpy(float) for values in (real, *generated.values())]
    ends = np.array([np.quantile(part, [0.005, 0.995]) for part in parts if len(part)] or [[0.0, 1.0]])
    low, high = ends[:, 0].min(), ends[:, 1].max()
    edges = np.linspace(low, max(high, low + 1e-9 * max(abs(low), 1)), _N_BINS + 1)
    shares = [np.histogram(part.clip(edges[0], edges[-1]), edges)[0] / max(len(part), 1) for part in parts]
    bins = tuple(f"{low:g} to {high:g}" for low, high in pairwise(edges))
    return Histogram(edges, bins, shares[0], dict(zip(generated, shares[1:], strict=True)))


def render_histogram(histogram: Histogram, ends: tuple[str, str], styles: Mapping[str, MethodStyle], theme: str) -> str:
    """A histogram as an SVG document: real rows filled, samples as lines in their styles.

    `ends` : the first and the last edge in words.
    """
    highest = max(shares.max(initial=0) for shares in (histogram.real, *histogram.generated.values())) or 1.0
    if histogram.edges is None:
        body, height = _draw_categories(histogram, styles, theme, highest)
    else:
        body, height = _draw_numbers(histogram, ends, styles, theme, highest), _HEIGHT
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" '
        f'font-size="12" fill="{palette.SOFT[theme]}">{body}</svg>'
    )


def _draw_numbers(
    histogram: Histogram, ends: tuple[str, str], styles: Mapping[str, MethodStyle], theme: str, highest: float
) -> str:
    bottom, n = _HEIGHT - 16, len(histogram.real)

    def trace(shares: np.ndarray) -> str:
        x = np.repeat(np.linspace(0, _WIDTH, n + 1), 2)[1:-1]
        y = np.repeat(bottom - shares / highest * (bottom - 4), 2)
        return " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))

    ground = palette.NO_CLASS[theme]
    parts = [f'<polygon points="0,{bottom} {trace(histogram.real)} {_WIDTH},{bottom}" fill="{ground}" opacity="0.6"/>']
    for label, shares in histogram.generated.items():
        look = f'stroke="{styles[label].colour}" stroke-dasharray="{_DASHES.get(styles[label].dash, "4 2")}"'
        parts.append(f'<polyline points="{trace(shares)}" fill="none" {look} stroke-width="1.6"/>')
    parts.append(f'<line x1="0" x2="{_WIDTH}" y1="{bottom}" y2="{bottom}" stroke="{palette.GRID[theme]}"/>')
    parts.append(f'<text x="0" y="{_HEIGHT - 3}">{escape(ends[0])}</text>')
    parts.append(f'<text x="{_WIDTH}" y="{_HEIGHT - 3}" text-anchor="end">{escape(ends[1])}</text>')
    return "".join(parts)


def _draw_categories(
    histogram: Histogram, styles: Mapping[str, MethodStyle], theme: str, highest: float
) -> tuple[str, int]:
    left, reach = 84, _WIDTH - 84 - 4
    parts = []
    for k, name in enumerate(histogram.bins):
        y = k * _LINE
        short = name if len(name) <= 13 else name[:12] + "…"
        parts.append(f'<text x="0" y="{y + 13}">{escape(short)}</text>')
        width, ground = histogram.real[k] / highest * reach, palette.NO_CLASS[theme]
        look = f'height="{_LINE - 7}" fill="{ground}" opacity="0.6"'
        parts.append(f'<rect x="{left}" y="{y + 3}" width="{width:.1f}" {look}/>')
        for label, shares in histogram.generated.items():
            x = left + shares[k] / highest * reach
            look = f'stroke="{styles[label].colour}" stroke-width="2.2"'
            parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{y + 1}" y2="{y + _LINE - 2}" {look}/>')
    return "".join(parts), len(histogram.bins) * _LINE + 2


def plot_correlations(difference: np.ndarray, names: Sequence[str], most: float, theme: str) -> go.Figure:
    """A heatmap of differences of correlations (n, n), from -`most` to `most`; NaN is left blank."""
    figure = make_figure(theme)
    # Long names often differ at their end.
    ticks = [escape_text(name if len(name) <= 22 else f"{name[:10]}…{name[-11:]}") for name in names]
    low, high = palette.CLASSES[theme][0], palette.CLASSES[theme][1]
    figure.add_heatmap(
        z=difference.astype(np.float32),
        customdata=[[f"{escape_text(a)}<br>{escape_text(b)}" for b in names] for a in names],
        zmin=-most,
        zmax=most,
        colorscale=[[0, low], [0.5, palette.GROUND[theme]], [1, high]],
        colorbar={"title": {"text": "real − generated", "side": "right"}},
        hovertemplate="%{customdata}<br>%{z:.2f}<extra></extra>",
        hoverongaps=False,
    )
    places = list(range(len(ticks)))
    has_room = len(ticks) <= 40
    figure.update_xaxes(tickvals=places, ticktext=ticks, tickangle=-90, showticklabels=has_room)
    figure.update_yaxes(tickvals=places, ticktext=ticks, autorange="reversed", showticklabels=has_room)
    return lay_out(figure, 480)


def plot_plane(
    x: np.ndarray,
    y: np.ndarray,
    values: np.ndarray,
    points: np.ndarray | None,
    true: np.ndarray,
    ends: tuple[float, float],
    name: str,
    theme: str,
) -> go.Figure:
    """Decoded values (n_y, n_x) of a feature over a plane of codes, and rows at their codes (n, 2) by true value (n,).

    `ends` : of the colour scale.
    """
    figure = make_figure(theme)
    title = escape_text(name if len(name) <= 40 else name[:39] + "…")
    scale = {"zmin": ends[0], "zmax": ends[1], "colorscale": "Cividis"}
    bar = {"title": {"text": title, "side": "right"}}
    hover = "code %{x:.2f}, %{y:.2f}<br>decoded %{z:.4~g}<extra></extra>"
    figure.add_heatmap(x=x, y=y, z=values.astype(np.float32), colorbar=bar, hovertemplate=hover, **scale)
    if points is not None:
        inside = [np.clip(points[:, k], axis[0], axis[-1]) for k, axis in enumerate((x, y))]
        line = {"width": 1, "color": palette.GROUND["light"]}
        marker = {"color": true, "cmin": ends[0], "cmax": ends[1], "colorscale": "Cividis", "size": 7, "line": line}
        hover = "test row<br>true value %{marker.color:.4~g}<extra></extra>"
        figure.add_scatter(x=inside[0], y=inside[1], mode="markers", marker=marker, hovertemplate=hover)
    figure.update_xaxes(title="z1", range=[x[0], x[-1]])
    figure.update_yaxes(title="z2", range=[y[0], y[-1]])
    return lay_out(figure, 400, showlegend=False)
