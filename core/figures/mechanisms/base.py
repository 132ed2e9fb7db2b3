"""Parts of the demos' charts: lines, points, axes, and animation in the browser."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures import palette, style

_STANDOFF = 4  # pixels between an axis's labels and its title
# In pixels, with room for labels of five digits at the left and a row of them with a title below.
_MARGIN = {"l": 62, "r": 12, "t": 12, "b": 46}
_MOST_STEPS = 400  # of a running mean


def make_chart(theme: str, title: str, x: str, y: str, height: int = 320, **layout: Any) -> go.Figure:
    """An empty chart with named axes and a legend above; its title is drawn by the page, which can break its line.

    The margins are fixed, because plotly would lay out every chart twice or more to measure them.
    """
    chart = style.make_figure(
        theme,
        height=height,
        margin=_MARGIN,
        meta={"title": title},
        # However many lines it has, it meets no axis.
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        xaxis={"title": {"text": x, "standoff": _STANDOFF}, "automargin": False},
        yaxis={"title": {"text": y, "standoff": _STANDOFF}, "automargin": False},
    )
    return chart.update_layout(layout)


def set_square_axes(chart: go.Figure, low: float, high: float) -> go.Figure:
    """Let both axes run from `low` to `high`, to one scale."""
    chart.update_xaxes(range=[low, high], constrain="domain", zeroline=False)
    chart.update_yaxes(range=[low, high], scaleanchor="x", constrain="domain", zeroline=False, title_standoff=14)
    return chart


def set_log_axes(chart: go.Figure, axes: str) -> None:
    """Make axes, "x", "y" or "xy", logarithmic, labelled by powers of ten."""
    for axis in axes:
        chart.layout[f"{axis}axis"].update(type="log", dtick=1, tickformat=",~g")


def add_line(chart: go.Figure, x, y, name: str | None, theme: str, k: int | str = 0, **options: Any) -> None:
    """Add a line in the k-th colour or that of text ("ink"); more options as in plotly."""
    colour = palette.INK[theme] if k == "ink" else palette.CLASSES[theme][k]
    line = {"color": colour, "width": options.pop("width", 2), "dash": options.pop("dash", "solid")}
    chart.add_scatter(x=x, y=y, mode=options.pop("mode", "lines"), name=name, line=line, **options)


def add_points(
    chart: go.Figure, points: np.ndarray, name: str | None, colour: str | None, size: int, **options: Any
) -> None:
    """Add points (n, 2); `rim` is plotly's line of a marker, more options as in plotly."""
    marker = {"size": size, "color": colour, "line": options.pop("rim", None)}
    marker |= {key: options.pop(key) for key in ("opacity", "symbol") if key in options}
    options = {"mode": "markers", "hoverinfo": None if "hovertemplate" in options else "skip", **options}
    chart.add_scatter(x=points[:, 0], y=points[:, 1], name=name, marker=marker, **options)


def add_histograms(
    chart: go.Figure, samples: dict[str, np.ndarray], edges: np.ndarray, opacity: float, colours
) -> None:
    """Add histograms of samples (n,) by name, in percent of each, in these colours."""
    for (name, values), colour in zip(samples.items(), colours, strict=True):
        counts, _ = np.histogram(values, edges)
        middles, percent = (edges[1:] + edges[:-1]) / 2, 100 * counts / len(values)
        look = {"width": edges[1] - edges[0], "opacity": opacity, "marker": {"color": colour, "line": {"width": 0}}}
        chart.add_bar(x=middles, y=percent, name=name, **look)


def add_level(
    chart: go.Figure, value: float, text: str, theme: str, axis: str = "y", position: str = "top left"
) -> None:
    """Add a dashed line across the chart at an exact value, with its name."""
    line = {"color": palette.INK[theme], "width": 1.5, "dash": "dash"}
    add = chart.add_hline if axis == "y" else chart.add_vline
    add(value, line=line, annotation={"text": text}, annotation_position=position if axis == "y" else "top right")


def add_running_mean(
    chart: go.Figure, steps: Sequence[int], values: Sequence[float], name: str, k: int, hover: str, theme: str
) -> None:
    """Add a line of values (n,) by step, each a mean over a fiftieth of the values around it."""
    if not (n := len(values)):
        return
    width = max(1, n // 50)
    total = np.cumsum([0.0, *values])
    low = np.maximum(np.arange(n) - width // 2, 0)
    high = np.minimum(low + width, n)
    drawn = slice(None, None, max(1, n // _MOST_STEPS))
    means = (total[high] - total[low]) / (high - low)
    add_line(chart, steps[drawn], means[drawn], name, theme, k, hovertemplate=hover)


def animate(
    chart: go.Figure, frames: dict[str, Sequence], traces: Sequence[int], what: str, *, redraw: bool = False
) -> None:
    """Add frames that the browser plays, the last one shown first; the server sends them once.

    Plotly's own slider can't be reached by keys. It is hidden, and the page's player moves it, see `charts.draw`.

    Parameters
    ----------
    frames : name -> the new traces at the positions `traces`
    what : the frames count, such as "step"
    redraw : whether a frame changes more than lines and points
    """
    chart.frames = [go.Frame(data=data, traces=traces, name=name) for name, data in frames.items()]
    at_once = {"frame": {"duration": 0, "redraw": redraw}, "mode": "immediate", "transition": {"duration": 0}}
    steps = [{"label": name, "method": "animate", "args": [[name], at_once]} for name in frames]
    slider = {"steps": steps, "active": len(frames) - 1, "currentvalue": {"visible": False}}
    chart.update_layout(
        sliders=[{**slider, "len": 1, "x": 0, "y": 0.5, "yanchor": "middle", "ticklen": 0, "minorticklen": 0}],
        meta={**chart.layout.meta, "frames": list(frames), "what": what},
    )
