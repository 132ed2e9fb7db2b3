"""Figures of samples: their classes, and how near they are to the training rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.figures import palette, style
from core.figures.style import escape_text

# Of the marks of one method's samplers, after the method's own.
_VARIANTS = ("", "-open", "-cross-open", "-x-open")
# Of its lines: those that a legend's short line tells apart.
_DASHES = ("solid", "dash", "dot", "dashdot")


@dataclass(frozen=True)
class SamplerStyle:
    """How a sampler is drawn."""

    colour: str
    symbol: str
    dash: str


def get_styles(methods: Mapping[str, str], theme: str) -> dict[str, SamplerStyle]:
    """Sampler -> how it is drawn: in its method's colour; the first of a method with its mark and its dash too.

    Parameters
    ----------
    methods : sampler -> method; at most four samplers of one method are told apart
    """
    found: dict[str, SamplerStyle] = {}
    before: dict[str, int] = {}
    for label, method in methods.items():
        k = before.get(method, 0)
        before[method] = k + 1
        style = palette.get_method_style(method, theme)
        dashes = [style.dash, *(each for each in _DASHES if each != style.dash)]
        found[label] = SamplerStyle(style.colour, style.symbol + _VARIANTS[k % len(_VARIANTS)], dashes[k % len(dashes)])
    return found


def plot_class_shares(
    shares: Mapping[str, Mapping[str, float]], of_data: Mapping[str, float], methods: Mapping[str, str], theme: str
) -> go.Figure:
    """A dot a class and sampler, and a line where the data have that class.

    Parameters
    ----------
    shares : sampler -> class -> share in [0, 1]
    of_data : class -> share among the data's rows; may be empty
    methods : sampler -> method
    """
    figure = style.make_figure(theme)
    if of_data:
        figure.add_scatter(
            x=[escape_text(name) for name in of_data],
            y=list(of_data.values()),
            mode="lines+markers",
            name="test images",
            line={"color": palette.INK[theme], "width": 2, "shape": "hvh"},
            marker={"size": 1},
            hovertemplate="test images, class %{x}<br>%{y:.1%}<extra></extra>",
        )
    drawn = get_styles(methods, theme)
    for label, by_class in shares.items():
        look = drawn[label]
        figure.add_scatter(
            x=[escape_text(name) for name in by_class],
            y=list(by_class.values()),
            mode="markers",
            name=escape_text(label),
            marker={
                "color": look.colour,
                "symbol": look.symbol,
                "size": 10,
                "line": {"width": 1.5, "color": look.colour},
            },
            cliponaxis=False,
            hovertemplate=f"{escape_text(label)}, class %{{x}}<br>%{{y:.1%}}<extra></extra>",
        )
    figure.update_xaxes(title="predicted class", type="category")
    highest = max((value for each in (of_data, *shares.values()) for value in each.values()), default=1.0)
    figure.update_yaxes(title="share of samples", range=[0, 1.1 * max(highest, 0.01)], tickformat=".0%")
    return _laid_out(figure, 460)


def plot_nearest_distances(
    distances: Mapping[str, np.ndarray], of_test: np.ndarray, methods: Mapping[str, str], theme: str
) -> go.Figure:
    """What share of rows lies within a distance of its nearest training row: a line a sampler, and one of test rows.

    Parameters
    ----------
    distances : sampler -> (n,) Euclidean distances of pixels in [0, 1]
    of_test : (m,) those of test rows
    methods : sampler -> method
    """
    figure = style.make_figure(theme)
    _add_shares(figure, "test images", of_test, {"color": palette.INK[theme], "width": 4})
    drawn = get_styles(methods, theme)
    for label, found in distances.items():
        _add_shares(figure, label, found, {"color": drawn[label].colour, "width": 2, "dash": drawn[label].dash})
    figure.update_xaxes(title="distance to the nearest training image", rangemode="tozero")
    figure.update_yaxes(title="share within this distance", range=[0, 1.03], tickformat=".0%")
    return _laid_out(figure, 460)


def _add_shares(figure: go.Figure, label: str, found: Sequence[float], line: dict) -> None:
    x = np.sort(np.asarray(found, np.float32))
    figure.add_scatter(
        x=x,
        y=(np.arange(1, len(x) + 1) / len(x)).astype(np.float32),
        mode="lines",
        name=escape_text(label),
        line=line,
        hovertemplate=f"{escape_text(label)}<br>%{{y:.0%}} within %{{x:.2f}}<extra></extra>",
    )


def _laid_out(figure: go.Figure, height: int) -> go.Figure:
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    figure.update_layout(
        height=height,
        margin={"l": 8, "r": 8, "t": 12, "b": 8},
        legend={"orientation": "h", "yref": "container", "yanchor": "bottom", "y": 0},
        uirevision="kept",
    )
    return figure
