"""A plotly figure of lines and marks as an SVG, shown until somebody points at it: plotly's 4.8 MB wait till then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

import numpy as np

from core.figures import palette

_TOP, _RIGHT, _TITLE, _LEGEND_LINE = 16, 14, 20, 20
_LETTER = 6.4  # pixels, of text of 12 pixels
_DASHES = {"dash": "9 5", "dot": "2 4"}
# symbol -> the corners of a mark of size 2 around (0, 0)
_CORNERS = {
    "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    "triangle-up": ((-1.15, 0.6), (1.15, 0.6), (0, -1.3)),
    "cross": tuple(
        (x, y)
        for x, y in zip(
            (-1, -0.4, -0.4, 0.4, 0.4, 1, 1, 0.4, 0.4, -0.4, -0.4, -1),
            (-0.4, -0.4, -1, -1, -0.4, -0.4, 0.4, 0.4, 1, 1, 0.4, 0.4),
            strict=True,
        )
    ),
    "x": (
        (-1, -0.5),
        (-0.5, -1),
        (0, -0.5),
        (0.5, -1),
        (1, -0.5),
        (0.5, 0),
        (1, 0.5),
        (0.5, 1),
        (0, 0.5),
        (-0.5, 1),
        (-1, 0.5),
        (-0.5, 0),
    ),
}


def render_figure(figure: Any, width: int, theme: str) -> str:
    """An SVG document of a plotly figure of scatter traces on one pair of logarithmic axes with ticks of its own.

    Parameters
    ----------
    width : in pixels; the height is the figure's
    """
    height = figure.layout.height
    legend = list(_lay_out_legend(figure.data, width))
    bottom = 34 + _TITLE + _LEGEND_LINE * (1 + legend[-1][1]) if legend else 34 + _TITLE
    left = _TITLE + 30
    across = _Axis(figure.layout.xaxis, _list_values(figure.data, "x"), left, width - _RIGHT)
    down = _Axis(figure.layout.yaxis, _list_values(figure.data, "y"), height - bottom, _TOP)
    ink, grid = palette.SOFT[theme], palette.GRID[theme]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="Source Sans, Source Sans Pro, sans-serif" font-size="12" fill="{ink}">'
    ]
    for at, text in across.ticks():
        for k, line in enumerate(text.split("<br>")):
            parts.append(f'<text x="{at:.1f}" y="{height - bottom + 15 + 14 * k}" text-anchor="middle">{line}</text>')
    for at, text in down.ticks():
        parts.append(f'<path d="M{left} {at:.1f}H{width - _RIGHT}" stroke="{grid}"/>')
        parts.append(f'<text x="{left - 6}" y="{at + 4:.1f}" text-anchor="end">{text}</text>')
    middle = (_TOP + height - bottom) / 2
    parts.append(
        f'<text x="{(left + width) / 2}" y="{height - bottom + 34 + 12}" text-anchor="middle">'
        f"{escape(figure.layout.xaxis.title.text or '')}</text>"
        f'<text transform="translate(12 {middle}) rotate(-90)" text-anchor="middle">'
        f"{escape(figure.layout.yaxis.title.text or '')}</text>"
    )
    for trace in figure.data:
        parts += _render_trace(trace, across, down)
    for trace, line, x in legend:
        y = height - bottom + 34 + _TITLE + _LEGEND_LINE * line + 12
        parts.append(_render_line([(x, y), (x + 24, y)], trace.line) + _render_mark(trace.marker, x + 12, y))
        parts.append(f'<text x="{x + 30}" y="{y + 4}">{trace.name}</text>')
    return "".join(parts) + "</svg>"


class _Axis:
    """A logarithmic axis from one pixel to another."""

    def __init__(self, layout: Any, values: np.ndarray, start: float, end: float):
        logs = np.log(values[values > 0])
        low, high = logs.min(initial=np.inf), logs.max(initial=-np.inf)
        if not len(logs):
            low = high = 0.0
        room = 0.05 * (high - low) or 0.5
        self._low, self._high, self._start, self._end = low - room, high + room, start, end
        self._ticks = list(zip(layout.tickvals, layout.ticktext, strict=True))

    def at(self, value: float) -> float:
        """The pixel of a value; NaN for 0 and below, which have no place."""
        if not value > 0:
            return np.nan
        return self._start + (np.log(value) - self._low) / (self._high - self._low) * (self._end - self._start)

    def ticks(self) -> list[tuple[float, str]]:
        return [(self.at(v), text) for v, text in self._ticks if self._low <= np.log(v) <= self._high]


def _list_values(traces: Sequence[Any], letter: str) -> np.ndarray:
    """All positions, ends of error bars included."""
    found = [np.asarray(trace[letter], float) for trace in traces]
    if letter == "y":
        bars = [(t.y, t.error_y) for t in traces if t.error_y.array is not None]
        found += [
            np.asarray(y, float) + sign * np.asarray(ends, float)
            for y, error in bars
            for sign, ends in ((1, error.array), (-1, error.arrayminus))
        ]
    return np.concatenate(found)


def _render_trace(trace: Any, across: _Axis, down: _Axis) -> Iterator[str]:
    places = [(across.at(x), down.at(y)) for x, y in zip(trace.x, trace.y, strict=True)]
    if trace.error_y.array is not None:
        half = trace.error_y.width
        for (x, middle), y, up, below in zip(
            places, trace.y, trace.error_y.array, trace.error_y.arrayminus, strict=True
        ):
            if np.isnan(middle):
                continue
            top, low = down.at(y + up), down.at(y - below)
            ends = f"M{x - half:.1f} {top:.1f}h{2 * half}M{x - half:.1f} {low:.1f}h{2 * half}"
            colour = trace.marker.color
            yield f'<path d="M{x:.1f} {top:.1f}V{low:.1f}{ends}" stroke="{colour}" stroke-width="1.5" fill="none"/>'
    places = [place for place in places if not np.isnan(place).any()]
    if "lines" in trace.mode:
        yield _render_line(places, trace.line)
    for x, y in places:
        yield _render_mark(trace.marker, x, y)


def _render_line(places: Sequence[tuple[float, float]], line: Any) -> str:
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dash = f' stroke-dasharray="{_DASHES[line.dash]}"' if line.dash in _DASHES else ""
    return f'<polyline points="{points}" fill="none" stroke="{line.color}" stroke-width="{line.width}"{dash}/>'


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
    points = " ".join(f"{x + radius * a:.1f},{y + radius * b:.1f}" for a, b in corners)
    return f'<polygon points="{points}" {style}/>'


def _lay_out_legend(traces: Sequence[Any], width: int) -> Iterator[tuple[Any, int, float]]:
    """Each trace that is named, its line from the top, and where it begins."""
    x, line = 8.0, 0
    for trace in traces:
        if trace.showlegend is False:
            continue
        room = 46 + _LETTER * len(trace.name)
        if x > 8 and x + room > width:
            x, line = 8.0, line + 1
        yield trace, line, x
        x += room
