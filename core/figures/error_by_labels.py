"""Test error by number of labels, a confusion matrix, and a map of codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.figures import palette, style
from core.figures.palette import MethodStyle
from core.figures.style import escape_text

_TICKS = (0.5, 1, 2, 3, 5, 10, 20, 30, 50, 100)
_OFFSET = 0.012  # shifts the marks of each approach by this factor, so that they do not hide one another
_TINT = 0.75  # weakens the colour of the confusion matrix, so that its numbers can be read
_MOST_NUMBERED = 12  # classes
_OPAQUE = {"marker": {"opacity": 1}}  # plotly makes marks half transparent if another one is selected


@dataclass(frozen=True)
class Mark:
    """An approach at one number of labels: mean test error in percent, interval, errors by seed.

    Attributes
    ----------
    low, high : None without an interval.
    seeds : seed -> test error in percent.
    about : lines of the hover text.
    """

    labels: int
    error: float
    low: float | None
    high: float | None
    seeds: Mapping[int, float]
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Line:
    """An approach.

    Attributes
    ----------
    place : in the registry; determines colour, dash and symbol.
    is_baseline : drawn in the colour of text, thicker.
    published : (number of labels, test error in percent, source), drawn as hollow marks.
    """

    name: str
    label: str
    place: int
    marks: Sequence[Mark]
    is_baseline: bool = False
    published: Sequence[tuple[int, float, str]] = ()


def get_style(place: int, theme: str, is_baseline: bool = False) -> MethodStyle:
    """Colour, symbol and dash of the approach at this place in the registry."""
    colour = palette.INK[theme] if is_baseline else palette.CLASSES[theme][place % 10]
    return MethodStyle(colour, palette.SYMBOLS[place % len(palette.SYMBOLS)], "solid" if place < 10 else "dash")


def plot_curve(
    lines: Sequence[Line], n_train: int, theme: str, *, counts: Sequence[int] = (), is_log: bool = True
) -> go.Figure:
    """A line for each approach with 95% intervals, and a faint dot for each seed.

    Parameters
    ----------
    n_train : training rows, labelled or not.
    counts : numbers of labels that are ticks.
    is_log : whether the axis of errors is logarithmic; that of labels always is.
    """
    figure = style.make_figure(theme)
    for k, line in enumerate(lines):
        _add_line(figure, line, 1 + _OFFSET * (k - (len(lines) - 1) / 2), theme)
    ticks = {"tickvals": list(counts), "ticktext": [f"{n:,}<br>{100 * n / n_train:.2g}%" for n in counts]}
    figure.update_xaxes(title="labelled training rows (share of all)", type="log", **ticks)
    figure.update_yaxes(title="test error (%)", rangemode="tozero")
    if is_log:
        figure.update_yaxes(type="log", tickvals=list(_TICKS), ticktext=[f"{t:g}" for t in _TICKS])
    figure.update_traces(selected=_OPAQUE, unselected=_OPAQUE)
    return style.lay_out(figure, 520, top=16, hovermode="closest", dragmode=False, showlegend=True)


def _add_line(figure: go.Figure, line: Line, factor: float, theme: str) -> None:
    look, name, marks = get_style(line.place, theme, line.is_baseline), escape_text(line.label), line.marks
    common, rim = {"legendgroup": line.name, "name": name}, {"color": look.colour, "width": 0.5}
    figure.add_scatter(
        x=[mark.labels * factor for mark in marks for _ in mark.seeds],
        y=[error for mark in marks for error in mark.seeds.values()],
        mode="markers",
        marker={"color": palette.make_translucent(look.colour), "size": 6, "line": rim},
        customdata=[[line.name, mark.labels, seed] for mark in marks for seed in mark.seeds],
        hovertemplate=f"{name}, seed %{{customdata[2]}}: %{{y:.3g}}%<extra></extra>",
        showlegend=False,
        **common,
    )
    above = [0 if mark.high is None else mark.high - mark.error for mark in marks]
    # A bar that reaches below 0 would have no end on a logarithmic axis.
    below = [0 if mark.low is None else min(mark.error - mark.low, 0.95 * mark.error) for mark in marks]
    figure.add_scatter(
        x=[mark.labels * factor for mark in marks],
        y=[mark.error for mark in marks],
        error_y={"array": above, "arrayminus": below, "width": 4, "thickness": 1.5},
        mode="lines+markers",
        line={"color": look.colour, "dash": look.dash, "width": 3 if line.is_baseline else 1.75},
        marker={"color": look.colour, "symbol": look.symbol, "size": 9},
        customdata=[[line.name, mark.labels, min(mark.seeds)] for mark in marks],
        text=["<br>".join(map(escape_text, mark.about)) for mark in marks],
        hovertemplate="%{text}<extra></extra>",
        **common,
    )
    if line.published:
        texts = [f"{line.label}, published: {e:g}% with {n:,} labels. {source}" for n, e, source in line.published]
        figure.add_scatter(
            x=[n for n, _, _ in line.published],
            y=[error for _, error, _ in line.published],
            mode="markers",
            marker={"color": look.colour, "symbol": f"{look.symbol}-open", "size": 13, "line": {"width": 1.75}},
            text=list(map(escape_text, texts)),
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
            **common,
        )


def plot_confusion(counts: np.ndarray, target_names: Sequence[str], theme: str) -> go.Figure:
    """Confusion matrix of counts: class by predicted class; errors are coloured by share."""
    percent = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    off_diagonal = np.where(np.eye(len(counts), dtype=bool), np.nan, percent)
    names = [escape_text(name) for name in target_names]
    is_numbered = len(names) <= _MOST_NUMBERED
    strongest = palette.mix_with_ground(palette.CLASSES[theme][2], theme, _TINT)
    figure = style.make_figure(theme)
    figure.add_heatmap(
        z=off_diagonal,
        x=names,
        y=names,
        customdata=np.dstack([counts, percent]),
        text=np.where(counts > 0, counts.astype(str), "") if is_numbered else None,
        texttemplate="%{text}" if is_numbered else None,
        textfont={"color": palette.INK[theme]},
        colorscale=[[0, palette.GROUND[theme]], [1, strongest]],
        zmin=0,
        zmax=max(1.0, float(np.nanmax(off_diagonal, initial=0.0))),
        hoverongaps=True,
        colorbar={"title": {"text": "% of<br>the class"}},
        hovertemplate="class %{y}, predicted %{x}: %{customdata[0]:,} rows, %{customdata[1]:.1f}%<extra></extra>",
        xgap=1,
        ygap=1,
    )
    if is_numbered:
        font = {"color": palette.SOFT[theme]}
        for name, count in zip(names, np.diag(counts), strict=True):
            figure.add_annotation(x=name, y=name, text=f"{count:,}", showarrow=False, font=font)
    figure.update_xaxes(title="predicted class", type="category", showgrid=False, tickangle=0 if is_numbered else -60)
    figure.update_yaxes(title="true class", type="category", autorange="reversed", showgrid=False)
    return style.lay_out(figure, 430, dragmode=False, legend=None)


def plot_codes(
    at_test: np.ndarray,
    y_test: np.ndarray,
    is_correct: np.ndarray,
    at_labelled: np.ndarray,
    y_labelled: np.ndarray,
    target_names: Sequence[str],
    theme: str,
) -> go.Figure:
    """Codes in the plane by class: test rows, misclassified ones crossed, and labelled rows.

    Parameters
    ----------
    at_test, at_labelled : (n, 2), (m, 2)
    y_test, y_labelled : (n,), (m,) classes, -1 for none
    is_correct : (n,) bool
    """
    figure = style.make_figure(theme)

    def add(name: str, at: np.ndarray, y: np.ndarray, size: int, **marker) -> None:
        colours = [palette.get_class_style(int(k), theme).colour for k in y]
        if marker.get("symbol") == "x-thin":  # all line
            marker["line"] = {"width": 2, "color": colours}
        figure.add_scatter(
            x=at[:, 0],
            y=at[:, 1],
            mode="markers",
            name=name,
            text=[escape_text(target_names[k]) if k >= 0 else "no class" for k in y],
            marker={"color": colours, "size": size, **marker},
            hovertemplate=f"%{{text}}, {name}<extra></extra>",
        )

    add("test row, correct", at_test[is_correct], y_test[is_correct], 5, opacity=0.55)
    add("test row, misclassified", at_test[~is_correct], y_test[~is_correct], 8, symbol="x-thin")
    add("labelled row", at_labelled, y_labelled, 11, line={"width": 2, "color": palette.INK[theme]})
    figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=False, title="")
    figure.update_yaxes(showticklabels=False, showgrid=False, zeroline=False, title="")
    return style.lay_out(figure, 430, dragmode=False)
