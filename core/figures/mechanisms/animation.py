"""Frames that the browser plays: the server sends them once and streams nothing."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base

_DURATION = 80  # milliseconds a frame


def add_animation(chart: go.Figure, names: Sequence[str], what: str, theme: str, *, redraw: bool = False) -> None:
    """Buttons that play and pause the figure's frames, and a slider that steps through them, all in the browser.

    Parameters
    ----------
    names : of the frames, in order; what : they count.
    redraw : whether a frame changes more than lines and points.
    """
    at_once = {"frame": {"duration": 0, "redraw": redraw}, "mode": "immediate", "transition": {"duration": 0}}
    moving = {"frame": {"duration": _DURATION, "redraw": redraw}, "transition": {"duration": 0}}
    buttons = [
        {"label": "▶ Play", "method": "animate", "args": [None, {**moving, "mode": "immediate"}]},
        {"label": "❚❚ Pause", "method": "animate", "args": [[None], at_once]},
    ]
    chart.update_layout(
        updatemenus=[
            {
                "type": "buttons",
                "direction": "left",
                "buttons": buttons,
                "showactive": False,
                "x": 0,
                "xanchor": "left",
                "y": 0,
                "yanchor": "top",
                "pad": {"t": 50, "r": 6},
            }
        ],
        sliders=[
            {
                "steps": [{"label": name, "method": "animate", "args": [[name], at_once]} for name in names],
                "active": len(names) - 1,
                "currentvalue": {
                    "prefix": f"{what} ",
                    "xanchor": "right",
                    "font": {"size": 12, "color": palette.INK[theme]},
                },
                "x": 0,
                "len": 1,
                "y": 0,
                "yanchor": "top",
                "pad": {"t": 62},
                "ticklen": 0,
                "minorticklen": 0,
                "font": {"size": 1, "color": "rgba(0,0,0,0)"},
            }
        ],
        legend={"orientation": "h", "yref": "paper", "y": 1.02, "yanchor": "bottom", "x": 0},
        margin={**base.MARGIN, "t": 76, "b": 130},
    )
