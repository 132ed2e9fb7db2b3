"""Charts as SVG: training curves, and plotly figures until somebody points at them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from core.figures import palette
from core.types import spread_indices

History = Sequence[Mapping[str, Any]]
Points = Sequence[tuple[float, float]]

AXES = {"epoch": "epoch", "seconds": "seconds of training"}
NAMES = {
    "discriminator_loss": "discriminator",
    "generator_loss": "generator",
    "score_real": "real",
    "score_generated": "generated",
    "validation_score_real": "validation",
    **dict.fromkeys(("loss", "reconstruction", "kl"), "training"),
    **dict.fromkeys(("validation_loss", "validation_reconstruction", "validation_kl"), "validation"),
}
# title -> terms of the loss, or scores, that share a panel
_PANELS = {
    "Loss": ("loss", "validation_loss"),
    "Reconstruction": ("reconstruction", "validation_reconstruction"),
    "KL divergence": ("kl", "validation_kl"),
    "Losses of the players": ("discriminator_loss", "generator_loss"),
    "Discriminator's mean score": ("score_real", "score_generated", "validation_score_real"),
}
_MOST_POINTS = 600  # of a line, which has no more pixels
_N_TICKS = 4


def list_panels(histories: Mapping[str, History], unit: str) -> list[tuple[str, list[str]]]:
    """Titles of the panels of some trainings' curves, and the terms in each.

    `unit` is that of the loss and its terms; scores are probabilities.
    """
    known = {term for rows in histories.values() for row in rows for term in row}
    panels = []
    for title, terms in _PANELS.items():
        panel_unit = "probability" if terms[0].startswith("score") else unit
        if shown := [term for term in terms if term in known]:
            panels.append((f"{title}, {panel_unit}" if panel_unit else title, shown))
    return panels


def thin_rows(rows: History) -> History:
    """At most about 600 of the rows, evenly spread, the last one included."""
    return [rows[k] for k in spread_indices(len(rows), _MOST_POINTS)]


# --- Training curves ----------------------------------------------------------------------------------------------


def render_progress(rows: History, by: str, unit: str, theme: str) -> list[tuple[str, str]]:
    """The curves of `core.figures.training_curves.plot_progress` for one training.

    Returns an SVG document for each panel, and its alternative text.
    """
    return [_render_panel(title, terms, thin_rows(rows), by, theme) for title, terms in list_panels({"": rows}, unit)]


def _render_panel(title: str, terms: Sequence[str], rows: History, by: str, theme: str) -> tuple[str, str]:
    width, height, left, right, top, bottom = 280, 200, 46, 266, 40, 162
    # Rows within an epoch have no validation loss.
    known = [[(row[by], row[term]) for row in rows if row.get(term) is not None] for term in terms]
    lines = [np.array(points, float).reshape(-1, 2) for points in known]
    x = max((line[:, 0] for line in lines), key=len)
    is_score = terms[0].startswith("score")
    low, high = (0.0, 1.0) if is_score else _choose_limits(np.concatenate([line[:, 1] for line in lines]))

    def to_pixels(x_values: Any, y_values: Any) -> np.ndarray:
        across = left + np.asarray(x_values) / max(x.max(initial=0.0), 1e-9) * (right - left)
        down = bottom - (np.asarray(y_values) - low) / (high - low) * (bottom - top)
        return np.column_stack(np.broadcast_arrays(across, down))

    parts = []
    x_ticks, y_ticks = _choose_ticks(0.0, float(x.max(initial=1e-9))), _choose_ticks(low, high)
    for value, (_, y) in zip(y_ticks, to_pixels(0, y_ticks), strict=True):
        parts.append(f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{palette.GRID[theme]}"/>')
        parts.append(f'<text x="{left - 5}" y="{y + 3.5:.1f}" text-anchor="end">{_format_number(value)}</text>')
    for value, (at, _) in zip(x_ticks, to_pixels(x_ticks, 0), strict=True):
        parts.append(f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{_format_number(value)}</text>')
    colour, names = palette.SINGLE[theme], [NAMES.get(term, term) for term in terms] if len(terms) > 1 else terms
    for k, (line, name, dash) in enumerate(zip(lines, names, ("", "2 3", "6 3"), strict=False)):
        points, start = to_pixels(*line.T), left + 4 + 94 * k
        parts.append(_render_line(points, colour, 1.6, dash))
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in points[-1:]]
        if len(terms) > 1:
            parts.append(_render_line([(start, 26), (start + 18, 26)], colour, 1.6, dash))
            parts.append(f'<text x="{start + 23}" y="30.5" font-size="12">{name}</text>')
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="13" fill="{palette.SOFT[theme]}"><text x="0" y="13" font-size="13" font-weight="600" '
        f'fill="{palette.INK[theme]}">{escape(title, quote=False)}</text>{"".join(parts)}'
        f'<text x="{(left + right) / 2}" y="{height - 4}" text-anchor="middle">{AXES[by]}</text></svg>'
    )
    last = ", ".join(f"{name} {line[-1, 1]:.4g}" for name, line in zip(names, lines, strict=True) if len(line))
    return svg, f"{title}, at {AXES[by]} {x[-1]:.4g}: {last}" if len(x) else title


def _choose_limits(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min(initial=np.inf)), float(values.max(initial=-np.inf))
    if not math.isfinite(low + high):
        return 0.0, 1.0
    room = 0.04 * (high - low) or max(abs(high), 1e-9) * 0.1
    return low - room, high + room


def _choose_ticks(low: float, high: float) -> list[float]:
    """About four round numbers from `low` to `high`."""
    rough = (high - low) / _N_TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * m for m in (1, 2, 2.5, 5, 10) if power * m >= rough * 0.999)
    return [k * step for k in range(math.ceil(low / step), math.floor(high / step + 1e-9) + 1)]


def _format_number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _render_line(points: Points, colour: str, width: float, dash: str) -> str:
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="{width}"{dashes}/>'


# --- plotly figures -----------------------------------------------------------------------------------------------

_TOP, _RIGHT, _TITLE, _LEGEND_LINE = 16, 14, 20, 20
_LETTER = 6.4  # pixels, of text of 12 pixels
_DASHES = {"dash": "9 5", "dot": "2 4"}
# symbol -> x and y of the corners of a mark of size 2 around (0, 0)
_CORNERS = {
    "square": ((-1, 1, 1, -1), (-1, -1, 1, 1)),
    "diamond": ((0, 1.3, 0, -1.3), (-1.3, 0, 1.3, 0)),
    "triangle-up": ((-1.15, 1.15, 0), (0.6, 0.6, -1.3)),
    "cross": (
        (-1, -0.4, -0.4, 0.4, 0.4, 1, 1, 0.4, 0.4, -0.4, -0.4, -1),
        (-0.4, -0.4, -1, -1, -0.4, -0.4, 0.4, 0.4, 1, 1, 0.4, 0.4),
    ),
    "x": ((-1, -0.5, 0, 0.5, 1, 0.5, 1, 0.5, 0, -0.5, -1, -0.5), (-0.5, -1, -0.5, -1, -0.5, 0, 0.5, 1, 0.5, 1, 0.5, 0)),
}


def render_figure(figure: Any, width: int, theme: str) -> str:
    """An SVG document of a plotly figure of scatter traces on two logarithmic axes."""
    height, x_axis, y_axis = figure.layout.height, figure.layout.xaxis, figure.layout.yaxis
    legend = _lay_out_legend(figure.data, width)
    left, right, base = _TITLE + 30, width - _RIGHT, height - 34 - _TITLE
    if legend:
        base -= _LEGEND_LINE * (1 + legend[-1][1])
    across = _Axis(x_axis, _list_values(figure.data, "x"), left, right)
    down = _Axis(y_axis, _list_values(figure.data, "y"), base, _TOP)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="Source Sans, Source Sans Pro, sans-serif" font-size="12" fill="{palette.SOFT[theme]}">'
    ]
    for at, text in across.list_ticks():
        for k, line in enumerate(text.split("<br>")):
            parts.append(f'<text x="{at:.1f}" y="{base + 15 + 14 * k}" text-anchor="middle">{line}</text>')
    for at, text in down.list_ticks():
        parts.append(f'<path d="M{left} {at:.1f}H{right}" stroke="{palette.GRID[theme]}"/>')
        parts.append(f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{text}</text>')
    x_title, y_title = (escape(axis.title.text or "") for axis in (x_axis, y_axis))
    parts.append(f'<text x="{(left + width) / 2}" y="{base + 46}" text-anchor="middle">{x_title}</text>')
    turn = f"translate(12 {(_TOP + base) / 2}) rotate(-90)"
    parts.append(f'<text transform="{turn}" text-anchor="middle">{y_title}</text>')
    for trace in figure.data:
        parts += _render_trace(trace, across, down)
    for trace, line, x in legend:
        y = base + 46 + _TITLE + _LEGEND_LINE * line
        parts.append(_render_trace_line([(x, y), (x + 24, y)], trace.line) + _render_mark(trace.marker, x + 12, y))
        parts.append(f'<text x="{x + 30}" y="{y + 4}">{trace.name}</text>')
    return "".join(parts) + "</svg>"


class _Axis:
    """A logarithmic axis from one pixel to another."""

    def __init__(self, layout: Any, values: np.ndarray, start: float, end: float):
        logs = np.log(values[values > 0]) if (values > 0).any() else np.zeros(1)
        room = 0.05 * np.ptp(logs) or 0.5
        self._low, self._high, self._start, self._end = logs.min() - room, logs.max() + room, start, end
        self._ticks = list(zip(layout.tickvals, layout.ticktext, strict=True))

    def to_pixel(self, value: float) -> float:
        """The pixel of a value; NaN for 0 and below, which a logarithmic axis does not have."""
        if not value > 0:
            return np.nan
        return self._start + (np.log(value) - self._low) / (self._high - self._low) * (self._end - self._start)

    def list_ticks(self) -> list[tuple[float, str]]:
        return [(self.to_pixel(v), text) for v, text in self._ticks if self._low <= np.log(v) <= self._high]


def _list_values(traces: Sequence[Any], letter: str) -> np.ndarray:
    """All positions along an axis, ends of error bars included."""
    values = [np.asarray(trace[letter], float) for trace in traces]
    if letter == "y":
        for y, bars in [(np.asarray(t.y, float), t.error_y) for t in traces if t.error_y.array is not None]:
            values += [y + np.asarray(bars.array, float), y - np.asarray(bars.arrayminus, float)]
    return np.concatenate(values)


def _render_trace(trace: Any, across: _Axis, down: _Axis) -> Iterator[str]:
    points = [(across.to_pixel(x), down.to_pixel(y)) for x, y in zip(trace.x, trace.y, strict=True)]
    if trace.error_y.array is not None:
        half, ends = trace.error_y.width, zip(trace.error_y.array, trace.error_y.arrayminus, strict=True)
        for (x, middle), y, (above, below) in zip(points, trace.y, ends, strict=True):
            if np.isnan(middle):
                continue
            top, low = down.to_pixel(y + above), down.to_pixel(y - below)
            caps = f"M{x - half:.1f} {top:.1f}h{2 * half}M{x - half:.1f} {low:.1f}h{2 * half}"
            colour = trace.marker.color
            yield f'<path d="M{x:.1f} {top:.1f}V{low:.1f}{caps}" stroke="{colour}" stroke-width="1.5" fill="none"/>'
    points = [point for point in points if not np.isnan(point).any()]
    if "lines" in trace.mode:
        yield _render_trace_line(points, trace.line)
    for x, y in points:
        yield _render_mark(trace.marker, x, y)


def _render_trace_line(points: Points, line: Any) -> str:
    return _render_line(points, line.color, line.width, _DASHES.get(line.dash, ""))


def _render_mark(marker: Any, x: float, y: float) -> str:
    symbol, radius = marker.symbol or "circle", marker.size / 2
    is_open = symbol.endswith("-open")
    rim = marker.color if is_open else marker.line.color
    style = f'fill="{"none" if is_open else marker.color}"'
    if rim:
        style += f' stroke="{rim}" stroke-width="{marker.line.width}"'
    corners = _CORNERS.get(symbol.removesuffix("-open"))
    if corners is None:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" {style}/>'
    points = " ".join(f"{x + radius * a:.1f},{y + radius * b:.1f}" for a, b in zip(*corners, strict=True))
    return f'<polygon points="{points}" {style}/>'


def _lay_out_legend(traces: Sequence[Any], width: int) -> list[tuple[Any, int, float]]:
    """Each trace with a name in the legend, its line from the top, and where it begins."""
    entries, x, line = [], 8.0, 0
    for trace in traces:
        if trace.showlegend is not False:
            room = 46 + _LETTER * len(trace.name)
            if x > 8 and x + room > width:
                x, line = 8.0, line + 1
            entries.append((trace, line, x))
            x += room
    return entries
