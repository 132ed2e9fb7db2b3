"""A 95 % interval as a band around a line."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from core.figures import palette


def add(figure: go.Figure, x: np.ndarray, low: np.ndarray, high: np.ndarray, colour: str, group: str) -> None:
    """Fill between `low` and `high`, each (n,) at `x`, so faintly that lines are seen through it.

    Parameters
    ----------
    group : the legend's group, with whose line the band is hidden.
    """
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]),
        y=np.concatenate([high, low[::-1]]),
        fill="toself",
        fillcolor=palette.faint(colour),
        line={"width": 0},
        mode="lines",
        hoverinfo="skip",
        legendgroup=group,
        showlegend=False,
    )
