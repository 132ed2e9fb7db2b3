"""Curves of training histories, and errors by class."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from core.figures import palette, style
from core.figures.style import escape_text
from core.figures.svg import AXES, NAMES, History, list_panels, thin_rows

_TERMS = ("loss", "reconstruction", "kl", "discriminator_loss", "generator_loss")
_DASHES = ("solid", "dash", "dot")
_MOST_COLUMNS = 3
_FEW_POINTS = 12


def list_terms(history: History) -> list[str]:
    """Names of the losses and their terms in a history, in the order they appear."""
    names = dict.fromkeys(name for row in history for name in row)
    return [name for name in names if name in _TERMS or name.endswith("_loss")]


def plot_losses(histories: Mapping[str, History], theme: str) -> go.Figure:
    """Terms of the training loss by epoch, a panel for each method: units differ."""
    drawn = {label: (rows, terms) for label, rows in histories.items() if (terms := list_terms(rows))}
    columns = min(_MOST_COLUMNS, max(1, len(drawn)))
    n_rows = max(1, -(-len(drawn) // columns))
    figure = make_subplots(n_rows, columns, subplot_titles=list(drawn), vertical_spacing=0.4 / n_rows)
    names = list(dict.fromkeys(term for _, terms in drawn.values() for term in terms))
    for k, (rows, terms) in enumerate(drawn.values()):
        for term in terms:
            known = [row for row in rows if row.get(term) is not None]
            name = term.replace("_", " ")
            colour = palette.CLASSES[theme][_TERMS.index(term) if term in _TERMS else len(_TERMS)]
            figure.add_scatter(
                x=[row["epoch"] for row in known],
                y=[row[term] for row in known],
                mode="lines" if len(known) > 1 else "markers",
                name=name,
                legendgroup=term,
                showlegend=not any(trace.legendgroup == term for trace in figure.data),
                line={"color": colour, "dash": _DASHES[names.index(term) % len(_DASHES)], "width": 2},
                row=k // columns + 1,
                col=k % columns + 1,
                hovertemplate=f"epoch %{{x}}<br>{name} %{{y:.4g}}<extra></extra>",
            )
    figure.update_xaxes(title="epoch", rangemode="tozero")
    figure.update_layout(template=style.make_template(theme))
    legend = {"orientation": "h", "y": -0.32 / n_rows, "yanchor": "top"}
    return style.lay_out(figure, 60 + 230 * n_rows, top=36, right=16, legend=legend)


def plot_progress(
    histories: Mapping[str, History], by: str, unit: str, theme: str, height: int = 200
) -> list[go.Figure]:
    """Curves of some trainings: a figure for each term of the loss, a colour for each training.

    Parameters
    ----------
    histories : label -> rows, one for each epoch; the last may be within an epoch
    by : "epoch" or "seconds", the x axis
    unit : of the loss and its terms; scores are probabilities
    height : of each figure, in pixels
    """
    return [_plot_panel(title, terms, histories, by, theme, height) for title, terms in list_panels(histories, unit)]


def _plot_panel(
    title: str, terms: Sequence[str], histories: Mapping[str, History], by: str, theme: str, height: int
) -> go.Figure:
    figure = style.make_figure(theme)
    colours = palette.CLASSES[theme] if len(histories) > 1 else [palette.SINGLE[theme]]
    for k, (label, rows) in enumerate(histories.items()):
        for term, dash in zip(terms, ("solid", "dot", "dash"), strict=False):
            known = thin_rows([row for row in rows if row.get(term) is not None])
            name = NAMES.get(term, term) if len(terms) > 1 else term
            names = [escape_text(label)] * (len(histories) > 1) + [name] * (len(terms) > 1)
            figure.add_scatter(
                # plotly sends arrays much faster than lists.
                x=np.array([row[by] for row in known], np.float32),
                y=np.array([row[term] for row in known], np.float32),
                mode="lines+markers" if len(known) < _FEW_POINTS else "lines",
                name=", ".join(names),
                showlegend=bool(names),
                line={"color": colours[k % len(colours)], "dash": dash, "width": 2},
                hovertemplate=f"{by} %{{x:.3~g}}<br>{name} %{{y:.4g}}<extra></extra>",
            )
    figure.update_xaxes(title=AXES[by], rangemode="tozero", title_standoff=4)
    if terms[0].startswith("score"):
        figure.update_yaxes(range=[0, 1])
    height += 22 * (len(figure.data) if len(histories) > 1 else len(terms) > 1)
    heading = {"text": title, "y": 0.98, "yanchor": "top"}
    return style.lay_out(figure, height, top=30, right=16, title=heading, uirevision="kept")


def plot_error_by_class(errors: Mapping[str, Mapping[str, float]], unit: str, theme: str) -> go.Figure:
    """A dot for each class and method: method -> class -> error in this unit."""
    figure = style.make_figure(theme)
    for k, (label, by_class) in enumerate(errors.items()):
        symbol = palette.SYMBOLS[k % len(palette.SYMBOLS)]
        figure.add_scatter(
            x=[escape_text(name) for name in by_class],
            y=list(by_class.values()),
            mode="markers",
            name=label,
            marker={"color": palette.CLASSES[theme][k % 10], "symbol": symbol, "size": 11},
            hovertemplate=f"{label}, class %{{x}}<br>%{{y:.2f}}<extra></extra>",
        )
    figure.update_xaxes(title="class", type="category")
    figure.update_yaxes(title=unit, rangemode="tozero")
    # Side by side: methods of the same error, such as PCA and a linear autoencoder, would hide one another.
    return style.lay_out(figure, 320, legend=None, scattermode="group", scattergap=0.4)
