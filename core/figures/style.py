"""A 95% interval as a band around a line."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from html import escape
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures import palette


def add_band(figure: go.Figure, x: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str, group: str) -> None:
    """Fill between `low` and `high`, each (n,) at `x`, so faintly that lines are seen through it.

    Parameters
    ----------
    group : the legend's group, with whose line the band is hidden.
    """
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        fill="toself",
        fillcolor=palette.make_translucent(colour),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        legendgroup=group,
        showlegend=False,
    )


_FONT = '"Source Sans", "Source Sans 3", sans-serif'
_SMALL, _TEXT, _TITLE = 12, 13, 14  # pixels


def make_figure(theme: str, **layout: Any) -> go.Figure:
    """A chart without data in the colours of a theme; `layout` may say more."""
    return go.Figure(layout={"template": make_template(theme), **layout})


def make_decade_ticks(values: Iterable[float]) -> dict[str, Any]:
    """Ticks at 1, 2 and 5 in each decade of some values: plotly's own letters between the decades are too small."""
    known = [value for value in values if 0 < value < math.inf]
    if not known:
        return {}
    decades = range(math.floor(math.log10(min(known))), math.ceil(math.log10(max(known))) + 1)
    ticks = [float(f"{m}e{k}") for k in decades for m in (1, 2, 5)]
    return {"tickvals": ticks, "ticktext": [f"{tick:,g}" for tick in ticks]}


@lru_cache
def make_template(theme: str, scale: float = 1.0) -> go.layout.Template:
    """The layout that all charts share; `scale` enlarges the letters, as for a room."""
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
    }
    bar = {"tickfont": font(_SMALL), "title": {"font": font(_SMALL)}, "outlinewidth": 0, "thickness": 12}
    return go.layout.Template(
        layout={
            "font": {"family": _FONT, **font(_TEXT, ink)},
            "paper_bgcolor": ground,
            "plot_bgcolor": ground,
            "colorway": palette.CLASSES[theme],
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
    """A name from outside that plotly, which reads a little HTML, shows letter by letter."""
    return escape(str(name), quote=False)
