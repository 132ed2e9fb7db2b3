"""What all charts share: template, layout, error bars, bands and text."""

import math
from collections.abc import Iterable
from functools import lru_cache
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures import palette

LEGEND_BELOW = {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"}
_FONT = '"Source Sans", "Source Sans 3", sans-serif'
_SMALL, _TEXT, _TITLE = 12, 13, 14  # pixels


def make_figure(theme: str, **layout: Any) -> go.Figure:
    """A chart without data in the colours of a theme, with more of its layout."""
    return go.Figure(layout={"template": make_template(theme), **layout})


def lay_out(figure: go.Figure, height: int, *, top: int = 8, bottom: int = 8, right: int = 8, **layout) -> go.Figure:
    """Set height and margins in pixels, a legend below, and more layout; returns the figure."""
    margin = {"l": 8, "r": right, "t": top, "b": bottom}
    return figure.update_layout({"height": height, "margin": margin, "legend": LEGEND_BELOW, **layout})


def make_error_bars(value: np.ndarray, low: np.ndarray, high: np.ndarray, width: int) -> dict[str, Any]:
    """Plotly's error bars of intervals (n,) around values (n,), with caps of `width` pixels."""
    return {"array": np.subtract(high, value), "arrayminus": np.subtract(value, low), "width": width, "thickness": 1.5}


def add_band(figure: go.Figure, x: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str, group: str) -> None:
    """Fill between `low` and `high`, each (n,) at `x`; shown with the legend's `group`."""
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        mode="lines",
        fill="toself",
        fillcolor=palette.make_translucent(colour),
        line={"width": 0},
        hoverinfo="skip",
        legendgroup=group,
        showlegend=False,
    )


def add_curve(
    figure: go.Figure,
    x: np.ndarray,
    y: np.ndarray,
    name: str,
    line: dict,
    numbers: str,
    *,
    has_band: bool = True,
    **more,
) -> None:
    """Add a line with its band, y (n, 3): mean, low, high; `numbers`: their format."""
    mean, low, high = y.T
    if has_band:
        add_band(figure, x, low, high, line["color"], name)
    ends = f"%{{customdata[0]:{numbers}}} to %{{customdata[1]:{numbers}}}"
    hover = {"customdata": y[:, 1:], "hovertemplate": f"{name}: %{{y:{numbers}}} ({ends})<extra></extra>"}
    figure.add_scatter(x=x, y=mean, name=name, legendgroup=name, line=line, **hover, **more)


def make_decade_ticks(values: Iterable[float]) -> dict[str, Any]:
    """Ticks at 1, 2 and 5 of each decade of some values, in one font size, unlike plotly's."""
    known = [value for value in values if 0 < value < math.inf]
    if not known:
        return {}
    decades = range(math.floor(math.log10(min(known))), math.ceil(math.log10(max(known))) + 1)
    ticks = [float(f"{m}e{k}") for k in decades for m in (1, 2, 5)]
    return {"tickvals": ticks, "ticktext": [f"{tick:,g}" for tick in ticks]}


@lru_cache
def make_template(theme: str, scale: float = 1.0) -> go.layout.Template:
    """The template of all charts; `scale` enlarges the text."""
    ink, soft, ground, grid = (of[theme] for of in (palette.INK, palette.SOFT, palette.GROUND, palette.GRID))

    def font(size: int, colour: str = soft) -> dict[str, Any]:
        return {"size": scale * size, "color": colour}

    axis = {
        "tickfont": font(_SMALL),
        "title": {"font": font(_TEXT), "standoff": 10},
        "gridcolor": grid,
        "linecolor": grid,
        "tickcolor": grid,
        "zerolinecolor": grid,
        "automargin": True,
        # Zoomed by a swipe, a chart would hold back the page, and a phone has no double click that leads back.
        "fixedrange": True,
    }
    bar = {"tickfont": font(_SMALL), "title": {"font": font(_SMALL)}, "outlinewidth": 0, "thickness": 12}
    return go.layout.Template(
        layout={
            "font": {"family": _FONT, **font(_TEXT, ink)},
            "paper_bgcolor": ground,
            "plot_bgcolor": ground,
            "colorway": palette.CLASSES[theme],
            "dragmode": False,
            "title": {"font": font(_TITLE, ink), "x": 0, "xanchor": "left"},
            "xaxis": {**axis, "showgrid": False, "zeroline": False},
            "yaxis": axis,
            "legend": {"font": font(_TEXT, ink), "title": {"font": font(_SMALL)}, "bgcolor": "rgba(0,0,0,0)"},
            "hoverlabel": {"bgcolor": ground, "bordercolor": soft, "font": font(_TEXT, ink)},
            "annotationdefaults": {"font": font(_SMALL, ink)},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": soft, "activecolor": ink},
        },
        data={"heatmap": [{"colorbar": bar}], "contour": [{"colorbar": bar}]},
    )


def escape_text(name: object) -> str:
    """Escape a text, because plotly interprets some HTML tags."""
    return escape(str(name), quote=False)
