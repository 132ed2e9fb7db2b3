"""A simple plotly figure as SVG, for views that should be there before plotly is."""

from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures import palette, summary
from core.figures.svg import choose_ticks, format_number

_LEFT, _RIGHT, _BOTTOM, _LINE = 46, 14, 42, 18  # pixels; the last of a row of the legend
_DASHES = {"dash": "6 4", "dot": "2 3"}
_LETTER = 6.4  # pixels, about


def render_figure(figure: go.Figure, theme: str, width: int = 420, height: int = 320) -> tuple[str, str]:
    """An SVG document and its alternative text, with the legend above the axes.

    Knows traces ``scatter`` on linear axes, on ``y`` or a second axis ``y2``, stacked horizontal bars, and vertical
    lines across the figure. Hover texts are left out.
    """
    bars = [trace for trace in figure.data if trace.type == "bar"]
    points = [trace for trace in figure.data if trace.type == "scatter"]
    legend, top = _render_legend(
        [trace for trace in figure.data if trace.showlegend is not False and trace.name], width
    )
    has_second = any(trace.yaxis == "y2" for trace in points)
    box = _LEFT, width - (_LEFT if has_second else _RIGHT), height - _BOTTOM, top + 6
    if bars:
        content = _render_bars(figure, bars, box, theme)
    else:
        content = "".join(
            _render_axis(figure, name, [trace for trace in points if (trace.yaxis or "y") == name], points, box, theme)
            for name in (["y", "y2"] if has_second else ["y"])
        )
    left, right, bottom, _ = box
    title = summary.strip_tags(figure.layout.xaxis.title.text)
    label = _render_text((left + right) / 2, bottom + 36, title, "middle")
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        f'font-size="13" fill="{palette.SOFT[theme]}">{legend}{content}{label}</svg>'
    )
    return svg, summary.describe(figure)


def _render_legend(traces: Sequence[Any], width: int) -> tuple[str, float]:
    """The names of the traces in rows, and the pixels that they need."""
    parts, x, y = [], 4.0, 14.0
    for trace in traces:
        needed = 26 + _LETTER * len(trace.name) + 14
        if x > 4 and x + needed > width:
            x, y = 4.0, y + _LINE
        parts.append(_render_sample(trace, x, y - 4.5) + _render_text(x + 24, y, trace.name))
        x += needed
    return "".join(parts), y


def _render_sample(trace: Any, x: float, y: float) -> str:
    if trace.type == "bar":
        return f'<rect x="{x + 4}" y="{y - 5}" width="12" height="10" fill="{trace.marker.color}"/>'
    middle = np.array([[x + 9, y]])
    line = _render_line(np.array([[x, y], [x + 18, y]]), trace) if "lines" in trace.mode else ""
    return line + (_render_markers(middle, trace) if "markers" in trace.mode else "")


def _render_axis(figure: go.Figure, name: str, traces: Sequence, all_traces: Sequence, box: tuple, theme: str) -> str:
    """The traces on one vertical axis, with its ticks and title; the first one has the grid and the horizontal axis."""
    left, right, bottom, top = box
    axis = figure.layout[f"yaxis{name[1:]}"]
    x_limits = _find_limits(figure.layout.xaxis, [trace.x for trace in all_traces])
    y_limits = _find_limits(axis, [trace.y for trace in traces])
    if axis.scaleanchor:
        # One scale on both axes: the one with room to spare shows more.
        spans = x_limits[1] - x_limits[0], y_limits[1] - y_limits[0]
        wider = max(spans[0] / (right - left), spans[1] / (bottom - top))
        x_limits, y_limits = (
            (np.mean(limits) - wider * room / 2, np.mean(limits) + wider * room / 2)
            for limits, room in ((x_limits, right - left), (y_limits, bottom - top))
        )

    def place(x: Any, y: Any) -> np.ndarray:
        across = left + (np.asarray(x, float) - x_limits[0]) / (x_limits[1] - x_limits[0]) * (right - left)
        down = bottom - (np.asarray(y, float) - y_limits[0]) / (y_limits[1] - y_limits[0]) * (bottom - top)
        return np.column_stack(np.broadcast_arrays(across, down))

    parts, is_first = [], name == "y"
    for value in axis.tickvals or choose_ticks(*y_limits):
        (_, y), x = place(x_limits[0], value)[0], left - 5 if is_first else right + 5
        if is_first:
            parts.append(f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="{palette.GRID[theme]}"/>')
        parts.append(_render_text(x, y + 4, format_number(value), "end" if is_first else "start"))
    if is_first:
        for value in choose_ticks(*x_limits):
            parts.append(_render_text(place(value, y_limits[0])[0, 0], bottom + 17, format_number(value), "middle"))
    at = 11 if is_first else right + 40
    title = escape(summary.strip_tags(axis.title.text), quote=False)
    turned = f'transform="rotate(-90 {at} {(top + bottom) / 2})"'
    parts.append(f'<text x="{at}" y="{(top + bottom) / 2}" text-anchor="middle" {turned}>{title}</text>')
    for trace in traces:
        places = place(trace.x, trace.y)
        parts.append(_render_line(places, trace) if "lines" in trace.mode else "")
        parts.append(_render_markers(places, trace) if "markers" in trace.mode else "")
        if "text" in trace.mode:
            ink = f' fill="{palette.INK[theme]}"'
            parts += [
                _render_text(x + 6, y - 6, text, look=ink) for (x, y), text in zip(places, trace.text, strict=True)
            ]
    return "".join(parts)


def _render_bars(figure: go.Figure, bars: Sequence[Any], box: tuple, theme: str) -> str:
    """Horizontal bars, those of a row one after the other, and vertical lines."""
    left, right, bottom, top = box
    rows = list(dict.fromkeys(bar.y[0] for bar in bars))
    ends = dict.fromkeys(rows, 0.0)
    most = 1.02 * max(sum(max(bar.x[0], 0.0) for bar in bars if bar.y[0] == row) for row in rows)
    place = lambda value: left + value / most * (right - left)
    step = (bottom - top) / len(rows)
    parts = []
    for value in choose_ticks(0, most):
        x = place(value)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}" stroke="{palette.GRID[theme]}"/>')
        parts.append(_render_text(x, bottom + 17, format_number(value), "middle"))
    for bar in bars:
        row, value = bar.y[0], max(bar.x[0], 0.0)
        y, x = top + rows.index(row) * step, place(ends[row])
        look = f'width="{place(value) - left:.1f}" height="{0.62 * step:.1f}" fill="{bar.marker.color}"'
        parts.append(f'<rect x="{x:.1f}" y="{y + 0.34 * step:.1f}" {look}/>')
        ends[row] += value
    parts += [_render_text(left, top + (k + 0.27) * step, row) for k, row in enumerate(rows)]
    for shape in figure.layout.shapes:
        x = place(shape.x0)
        look = f'stroke="{shape.line.color}" stroke-width="1.5" stroke-dasharray="{_DASHES.get(shape.line.dash, "")}"'
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}" {look}/>')
    return "".join(parts)


def _find_limits(axis: Any, values: Sequence[Any]) -> tuple[float, float]:
    if axis.range:
        return tuple(map(float, axis.range))
    known = np.concatenate([np.asarray(each, float) for each in values])
    low, high = float(np.nanmin(known)), float(np.nanmax(known))
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room


def _render_line(places: np.ndarray, trace: Any) -> str:
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dash = _DASHES.get(trace.line.dash, "")
    look = f'stroke="{trace.line.color}" stroke-width="{trace.line.width or 2}" stroke-dasharray="{dash}"'
    return f'<polyline points="{joined}" fill="none" {look}/>'


def _render_markers(places: np.ndarray, trace: Any) -> str:
    """All markers of a trace as one path."""
    r, colour = (trace.marker.size or 6) / 2, trace.marker.color or trace.line.color
    opacity = trace.marker.opacity or 1
    symbol = str(trace.marker.symbol or "circle")
    if symbol == "x":
        path = "".join(f"M{x - r:.1f} {y - r:.1f}l{2 * r} {2 * r}m0 {-2 * r}l{-2 * r} {2 * r}" for x, y in places)
        return f'<path d="{path}" stroke="{colour}" stroke-width="2.4" opacity="{opacity}"/>'
    if symbol.startswith("diamond"):
        path = "".join(f"M{x:.1f} {y - r:.1f}l{r} {r}l{-r} {r}l{-r} {-r}z" for x, y in places)
    elif symbol.startswith("square"):
        path = "".join(f"M{x - r:.1f} {y - r:.1f}h{2 * r}v{2 * r}h{-2 * r}z" for x, y in places)
    else:
        path = "".join(f"M{x - r:.1f} {y:.1f}a{r} {r} 0 1 0 {2 * r} 0a{r} {r} 0 1 0 {-2 * r} 0" for x, y in places)
    is_open = symbol.endswith("open")
    look = f'fill="none" stroke="{colour}"' if is_open else f'fill="{colour}"'
    return f'<path d="{path}" {look} opacity="{opacity}"/>'


def _render_text(x: float, y: float, text: str, anchor: str = "start", look: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{look}>{escape(str(text), quote=False)}</text>'
