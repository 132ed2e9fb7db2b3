"""Charts of samples: their classes, and their distances to the training rows."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.palette import MethodStyle
from core.figures.style import escape_text, lay_out, make_figure

# Added to a method's mark, and dashes beside its own: for its second, third and fourth sampler.
_VARIANTS = ("", "-open", "-cross-open", "-x-open")
_DASHES = ("solid", "dash", "dot", "dashdot")


def get_styles(methods: Mapping[str, str], theme: str) -> dict[str, MethodStyle]:
    """Style of each sampler: the first of a method has its style, three more have its colour."""
    styles: dict[str, MethodStyle] = {}
    for label, method in methods.items():
        k = sum(methods[other] == method for other in styles)
        own = palette.get_method_style(method, theme)
        dashes = [own.dash, *(dash for dash in _DASHES if dash != own.dash)]
        styles[label] = MethodStyle(own.colour, own.symbol + _VARIANTS[k % len(_VARIANTS)], dashes[k % len(dashes)])
    return styles


def plot_class_shares(
    shares: Mapping[str, Mapping[str, float]], of_data: Mapping[str, float], methods: Mapping[str, str], theme: str
) -> go.Figure:
    """A dot for each class and sampler, and a line for the data.

    Parameters
    ----------
    shares : sampler -> class -> share in [0, 1]
    of_data : class -> share among the data's rows; may be empty
    methods : sampler -> method
    """
    figure = make_figure(theme)
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
    styles = get_styles(methods, theme)
    for label, by_class in shares.items():
        style, line = styles[label], {"width": 1.5, "color": styles[label].colour}
        figure.add_scatter(
            x=[escape_text(name) for name in by_class],
            y=list(by_class.values()),
            mode="markers",
            name=escape_text(label),
            marker={"color": style.colour, "symbol": style.symbol, "size": 10, "line": line},
            cliponaxis=False,
            hovertemplate=f"{escape_text(label)}, class %{{x}}<br>%{{y:.1%}}<extra></extra>",
        )
    figure.update_xaxes(title="predicted class", type="category")
    highest = max((share for by_class in (of_data, *shares.values()) for share in by_class.values()), default=1.0)
    figure.update_yaxes(title="share of samples", range=[0, 1.1 * max(highest, 0.01)], tickformat=".0%")
    return lay_out(figure, 460, top=12, uirevision="kept")


def plot_nearest_distances(
    distances: Mapping[str, np.ndarray],
    of_test: np.ndarray,
    methods: Mapping[str, str],
    theme: str,
    noun: str = "image",
) -> go.Figure:
    """Share of samples, and of test rows, within a distance of their nearest training row, called `noun`.

    Parameters
    ----------
    distances : sampler -> (n,) Euclidean distances, of pixels in [0, 1] or of prepared rows
    of_test : (m,) those of test rows
    methods : sampler -> method
    """
    figure = make_figure(theme)
    _add_shares(figure, f"test {noun}s", of_test, {"color": palette.INK[theme], "width": 4})
    styles = get_styles(methods, theme)
    for label, found in distances.items():
        _add_shares(figure, label, found, {"color": styles[label].colour, "width": 2, "dash": styles[label].dash})
    figure.update_xaxes(title=f"distance to the nearest training {noun}", rangemode="tozero")
    figure.update_yaxes(title="share within this distance", range=[0, 1.03], tickformat=".0%")
    return lay_out(figure, 460, top=12, uirevision="kept")


def _add_shares(figure: go.Figure, label: str, distances: Sequence[float], line: dict) -> None:
    x = np.sort(np.asarray(distances, np.float32))
    figure.add_scatter(
        x=x,
        y=(np.arange(1, len(x) + 1) / len(x)).astype(np.float32),
        mode="lines",
        name=escape_text(label),
        line=line,
        hovertemplate=f"{escape_text(label)}<br>%{{y:.0%}} within %{{x:.2f}}<extra></extra>",
    )
