"""Curves and dots: what training wrote down, and errors by class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.figures import palette, style
from core.figures.history_panels import AXES, NAMES, list_panels, thin_rows
from core.figures.style import escape_text

_TERMS = ("loss", "reconstruction", "kl")
_MOST_COLUMNS = 3


def list_terms(history: Sequence[Mapping[str, Any]]) -> list[str]:
    """The losses and their parts that a history's rows hold, in the order they appear."""
    names = dict.fromkeys(name for row in history for name in row)
    return [name for name in names if name in _TERMS or name.endswith("_loss")]


def plot_losses(histories: Mapping[str, Sequence[Mapping[str, Any]]], theme: str) -> go.Figure:
    """Every term of the training loss by epoch, a panel a method: methods' losses are in different units.

    Parameters
    ----------
    histories : label -> rows, one an epoch; those without a loss are left out
    """
    drawn = {label: rows for label, rows in histories.items() if list_terms(rows)}
    columns = min(_MOST_COLUMNS, max(1, len(drawn)))
    n_rows = max(1, -(-len(drawn) // columns))
    figure = make_subplots(n_rows, columns, subplot_titles=list(drawn), vertical_spacing=0.4 / n_rows)
    colours = palette.list_series(theme)
    dashes = ("solid", "dash", "dot")
    names = list(dict.fromkeys(term for rows in drawn.values() for term in list_terms(rows)))
    for k, rows in enumerate(drawn.values()):
        for term in list_terms(rows):
            known = [row for row in rows if row.get(term) is not None]
            figure.add_scatter(
                x=[row["epoch"] for row in known],
                y=[row[term] for row in known],
                mode="lines" if len(known) > 1 else "markers",
                name=term.replace("_", " "),
                legendgroup=term,
                showlegend=not any(trace.legendgroup == term for trace in figure.data),
                line={
                    "color": colours[_get_colour_index(term)],
                    "dash": dashes[names.index(term) % len(dashes)],
                    "width": 2,
                },
                row=k // columns + 1,
                col=k % columns + 1,
                hovertemplate=f"epoch %{{x}}<br>{term.replace('_', ' ')} %{{y:.4g}}<extra></extra>",
            )
    figure.update_xaxes(title="epoch", rangemode="tozero")
    figure.update_layout(
        template=style.make_template(theme),
        height=60 + 230 * n_rows,
        margin={"l": 8, "r": 16, "t": 36, "b": 8},
        legend={"orientation": "h", "y": -0.32 / n_rows, "yanchor": "top"},
    )
    return figure


_DASHES = ("solid", "dot", "dash")
_FEW_POINTS = 12


def plot_progress(
    histories: Mapping[str, Sequence[Mapping[str, Any]]], by: str, unit: str, theme: str, height: int = 200
) -> list[go.Figure]:
    """How trainings went: a figure a term of the loss, a colour a training; a figure's second term is dotted.

    Parameters
    ----------
    histories : label -> rows, one an epoch, the last perhaps of a part of one
    by : "epoch" or "seconds", the x axis
    unit : of the loss and its terms; scores are probabilities
    height : of each figure, in pixels
    """
    return [_plot_panel(title, terms, histories, by, theme, height) for title, terms in list_panels(histories, unit)]


def _plot_panel(title: str, terms: Sequence[str], histories, by: str, theme: str, height: int) -> go.Figure:
    figure = style.make_figure(theme)
    colours = palette.list_series(theme) if len(histories) > 1 else [palette.SINGLE[theme]]
    for k, (label, rows) in enumerate(histories.items()):
        for term, dash in zip(terms, _DASHES, strict=False):
            found = thin_rows([row for row in rows if row.get(term) is not None])
            name = NAMES.get(term, term) if len(terms) > 1 else term
            named = [escape_text(label)] * (len(histories) > 1) + [name] * (len(terms) > 1)
            figure.add_scatter(
                # As arrays, which are copied and sent as they lie.
                x=np.array([row[by] for row in found], np.float32),
                y=np.array([row[term] for row in found], np.float32),
                mode="lines+markers" if len(found) < _FEW_POINTS else "lines",
                name=", ".join(named),
                showlegend=bool(named),
                line={"color": colours[k % len(colours)], "dash": dash, "width": 2},
                hovertemplate=f"{by} %{{x:.3~g}}<br>{name} %{{y:.4g}}<extra></extra>",
            )
    figure.update_xaxes(title=AXES[by], rangemode="tozero", title_standoff=4)
    if terms[0].startswith("score"):
        figure.update_yaxes(range=[0, 1])
    figure.update_layout(
        height=height + 22 * (len(figure.data) if len(histories) > 1 else len(terms) > 1),
        margin={"l": 8, "r": 16, "t": 30, "b": 8},
        title={"text": title, "y": 0.98, "yanchor": "top"},
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"},
        uirevision="kept",
    )
    return figure


def _get_colour_index(term: str) -> int:
    order = ("loss", "reconstruction", "kl", "discriminator_loss", "generator_loss")
    return order.index(term) if term in order else len(order)


def plot_error_by_class(errors: Mapping[str, Mapping[str, float]], unit: str, theme: str) -> go.Figure:
    """A dot a class and method.

    Parameters
    ----------
    errors : method -> class -> number
    unit : what the axis says
    """
    figure = style.make_figure(theme)
    for k, (label, by_class) in enumerate(errors.items()):
        figure.add_scatter(
            x=[escape_text(name) for name in by_class],
            y=list(by_class.values()),
            mode="markers",
            name=label,
            marker={
                "color": palette.list_series(theme)[k % 10],
                "symbol": palette.SYMBOLS[k % len(palette.SYMBOLS)],
                "size": 11,
            },
            hovertemplate=f"{label}, class %{{x}}<br>%{{y:.2f}}<extra></extra>",
        )
    figure.update_xaxes(title="class", type="category")
    figure.update_yaxes(title=unit, rangemode="tozero")
    # Side by side: methods of the same error, such as PCA and a linear autoencoder, would hide one another.
    figure.update_layout(height=320, margin={"l": 8, "r": 8, "t": 8, "b": 8}, scattermode="group", scattergap=0.4)
    return figure
