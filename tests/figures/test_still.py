"""Figures as SVG: points, bars and lines stand where the values say."""

import re

import numpy as np
import plotly.graph_objects as go
import pytest

from core.figures.still import render_figure


def find_points(svg: str) -> np.ndarray:
    """The corners of the first line, (n, 2)."""
    return np.array([pair.split(",") for pair in re.search(r'polyline points="([^"]+)"', svg)[1].split()], float)


def test_lines_are_linear_in_their_values_and_one_scale_is_kept():
    x, y = np.array([-1.0, 0.0, 3.0]), np.array([2.0, 0.0, 4.0])
    chart = go.Figure().add_scatter(x=x, y=y, mode="lines", showlegend=False, line={"color": "#123456"})
    for square in (False, True):
        chart.update_xaxes(range=[-2, 4]).update_yaxes(range=[-1, 5], scaleanchor="x" if square else None)
        svg, alt = render_figure(chart, "light", 500, 300)
        (slope_x, _), (slope_y, _) = (np.polyfit(a, b, 1) for a, b in zip((x, y), find_points(svg).T, strict=True))
        assert find_points(svg)[:, 1] == pytest.approx(find_points(svg)[0, 1] + slope_y * (y - y[0]), abs=0.1)
        assert (slope_x == pytest.approx(-slope_y, rel=1e-3)) == square
        assert "y from 0 to 4" in alt


def test_bars_are_stacked_to_their_sums():
    chart = go.Figure(layout={"barmode": "relative"})
    for name, value in (("a", 3.0), ("b & c", 1.0)):
        chart.add_bar(x=[value], y=["sum"], name=name, orientation="h", marker={"color": "#fff"})
    svg, _ = render_figure(chart, "dark")
    bars = re.findall(r'<rect x="([\d.]+)" y="[\d.]+" width="([\d.]+)" height="[\d.]+" fill', svg)[-2:]
    (start, width), (next_start, next_width) = (map(float, bar) for bar in bars)
    assert next_start == pytest.approx(start + width, abs=0.2)
    assert width == pytest.approx(3 * next_width, rel=0.01)
    assert "b &amp; c" in svg
