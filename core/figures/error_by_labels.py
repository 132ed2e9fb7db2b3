"""Test error against the number of labels, a confusion matrix, and a map of codes with the labelled rows marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from core.figures import palette, style
from core.figures.style import escape_text

_TICKS = (0.5, 1, 2, 3, 5, 10, 20, 30, 50, 100)
# A little beside one another, marks of one number of labels can be told apart; a factor of that number.
_BESIDE = 0.012
# Of the colour in the cells of a confusion matrix, so that their numbers are read on it.
_TINT = 0.75


@dataclass(frozen=True)
class Mark:
    """An approach at one number of labels: mean test error in percent, its interval, and what each seed had.

    Attributes
    ----------
    low, high : None where there is no interval.
    seeds : seed -> test error in percent.
    about : lines that are told where the pointer rests.
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
    place : by which it takes its colour, dash and symbol.
    is_baseline : drawn in the colour of text, thicker.
    published : (number of labels, test error in percent, source), drawn as hollow marks.
    """

    name: str
    label: str
    place: int
    marks: Sequence[Mark]
    is_baseline: bool = False
    published: Sequence[tuple[int, float, str]] = ()


def get_style(place: int, theme: str, is_baseline: bool = False) -> palette.MethodStyle:
    """Colour, symbol and dash of the approach that stands at `place` in the registry."""
    colour = palette.INK[theme] if is_baseline else palette.CLASSES[theme][place % 10]
    return palette.MethodStyle(colour, palette.SYMBOLS[place % len(palette.SYMBOLS)], "solid" if place < 10 else "dash")


def plot_curve(
    lines: Sequence[Line], n_train: int, theme: str, *, counts: Sequence[int] = (), is_log: bool = True
) -> go.Figure:
    """A line an approach through its means, with 95% intervals, every seed as a faint dot.

    Parameters
    ----------
    n_train : training rows there are, for the labelled fraction.
    counts : numbers of labels that are ticks.
    is_log : whether the axis of errors is logarithmic; that of labels is.
    """
    figure = style.make_figure(theme)
    for k, line in enumerate(lines):
        _add_line(figure, line, 1 + _BESIDE * (k - (len(lines) - 1) / 2), theme)
    figure.update_xaxes(
        title="labelled training rows (share of all)",
        type="log",
        tickvals=list(counts),
        ticktext=[f"{n:,}<br>{100 * n / n_train:.2g}%" for n in counts],
    )
    figure.update_yaxes(title="test error (%)", rangemode="tozero")
    if is_log:
        figure.update_yaxes(type="log", tickvals=list(_TICKS), ticktext=[f"{t:g}" for t in _TICKS])
    figure.update_traces(selected={"marker": {"opacity": 1}}, unselected={"marker": {"opacity": 1}})
    figure.update_layout(
        height=520,
        margin={"l": 8, "r": 8, "t": 16, "b": 8},
        hovermode="closest",
        dragmode=False,
        showlegend=True,
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"},
    )
    return figure


def _add_line(figure: go.Figure, line: Line, beside: float, theme: str) -> None:
    style, name = get_style(line.place, theme, line.is_baseline), escape_text(line.label)
    common = {"legendgroup": line.name, "name": name}
    dots = [(mark.labels * beside, error, seed) for mark in line.marks for seed, error in mark.seeds.items()]
    figure.add_scatter(
        x=[x for x, _, _ in dots],
        y=[y for _, y, _ in dots],
        mode="markers",
        marker={
            "color": palette.make_translucent(style.colour),
            "size": 6,
            "line": {"color": style.colour, "width": 0.5},
        },
        customdata=[[line.name, mark.labels, seed] for mark in line.marks for seed in mark.seeds],
        hovertemplate=f"{name}, seed %{{customdata[2]}}: %{{y:.3g}}%<extra></extra>",
        showlegend=False,
        **common,
    )
    figure.add_scatter(
        x=[mark.labels * beside for mark in line.marks],
        y=[mark.error for mark in line.marks],
        error_y={
            "array": [0 if mark.high is None else mark.high - mark.error for mark in line.marks],
            # On a logarithmic axis a bar that would reach below 0 has no end.
            "arrayminus": [
                0 if mark.low is None else min(mark.error - mark.low, 0.95 * mark.error) for mark in line.marks
            ],
            "width": 4,
            "thickness": 1.5,
        },
        mode="lines+markers",
        line={"color": style.colour, "dash": style.dash, "width": 3 if line.is_baseline else 1.75},
        marker={"color": style.colour, "symbol": style.symbol, "size": 9},
        customdata=[[line.name, mark.labels, min(mark.seeds)] for mark in line.marks],
        text=["<br>".join(map(escape_text, mark.about)) for mark in line.marks],
        hovertemplate="%{text}<extra></extra>",
        **common,
    )
    if line.published:
        figure.add_scatter(
            x=[n for n, _, _ in line.published],
            y=[error for _, error, _ in line.published],
            mode="markers",
            marker={"color": style.colour, "symbol": f"{style.symbol}-open", "size": 13, "line": {"width": 1.75}},
            text=[
                escape_text(f"{line.label}, published: {error:g}% with {n:,} labels. {source}")
                for n, error, source in line.published
            ],
            hovertemplate="%{text}<extra></extra>",
            showlegend=False,
            **common,
        )


def plot_confusion(counts: np.ndarray, target_names: Sequence[str], theme: str) -> go.Figure:
    """Confusion matrix: class (row) by predicted class (column), off-diagonal cells coloured by share.

    Parameters
    ----------
    counts : (n_classes, n_classes) whole numbers
    """
    counts = np.asarray(counts)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    off = shares.astype(float)
    np.fill_diagonal(off, np.nan)
    names = [escape_text(name) for name in target_names]
    few = len(names) <= 12
    figure = style.make_figure(theme)
    figure.add_trace(
        go.Heatmap(
            z=100 * off,
            x=names,
            y=names,
            customdata=np.dstack([counts, 100 * shares]),
            text=np.where(counts > 0, counts.astype(str), "") if few else None,
            texttemplate="%{text}" if few else None,
            textfont={"color": palette.INK[theme]},
            colorscale=[
                [0, palette.GROUND[theme]],
                [1, palette.mix_with_ground(palette.CLASSES[theme][2], theme, _TINT)],
            ],
            zmin=0,
            zmax=max(1.0, float(np.nanmax(100 * off, initial=0.0))),
            hoverongaps=True,
            colorbar={"title": {"text": "% of<br>the class"}},
            hovertemplate="class %{y}, predicted %{x}: %{customdata[0]:,} rows, %{customdata[1]:.1f}%<extra></extra>",
            xgap=1,
            ygap=1,
        )
    )
    if few:
        for k, name in enumerate(names):
            figure.add_annotation(
                x=name, y=name, text=f"{counts[k, k]:,}", showarrow=False, font={"color": palette.SOFT[theme]}
            )
    figure.update_xaxes(title="predicted class", type="category", showgrid=False, tickangle=0 if few else -60)
    figure.update_yaxes(title="true class", type="category", autorange="reversed", showgrid=False)
    figure.update_layout(height=430, margin={"l": 8, "r": 8, "t": 8, "b": 8}, dragmode=False)
    return figure


def plot_codes(
    at_test: np.ndarray,
    y_test: np.ndarray,
    right: np.ndarray,
    at_labelled: np.ndarray,
    y_labelled: np.ndarray,
    target_names: Sequence[str],
    theme: str,
) -> go.Figure:
    """Test rows in the plane by class, misclassified ones as crosses; labelled rows larger, with a rim.

    Parameters
    ----------
    at_test, at_labelled : (n, 2), (m, 2); y_test, y_labelled : (n,), (m,) classes, -1 for none; right : (n,) bool
    """
    figure = style.make_figure(theme)

    def add(name: str, at: np.ndarray, y: np.ndarray, marker: dict) -> None:
        figure.add_scatter(
            x=at[:, 0],
            y=at[:, 1],
            mode="markers",
            name=name,
            text=[escape_text(target_names[k]) if k >= 0 else "no class" for k in y],
            marker={"color": [palette.get_class_style(int(k), theme).colour for k in y], **marker},
            hovertemplate=f"%{{text}}, {name}<extra></extra>",
        )

    add("test row, correct", at_test[right], y_test[right], {"size": 5, "opacity": 0.55})
    add(
        "test row, misclassified",
        at_test[~right],
        y_test[~right],
        {
            "size": 8,
            "symbol": "x-thin",
            "line": {"width": 2, "color": [palette.get_class_style(int(k), theme).colour for k in y_test[~right]]},
        },
    )
    add("labelled row", at_labelled, y_labelled, {"size": 11, "line": {"width": 2, "color": palette.INK[theme]}})
    for axis in (figure.update_xaxes, figure.update_yaxes):
        axis(showticklabels=False, showgrid=False, zeroline=False, title="")
    figure.update_layout(
        height=430,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        dragmode=False,
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"},
    )
    return figure
