"""A large map of codes to explore."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.style import escape_text, lay_out, make_figure

_MOST_NAMES_ON_THE_MAP = 12


def plot_scatter(
    points: np.ndarray, labels: np.ndarray | None, names: Sequence[str], rows: np.ndarray, theme: str, axes: str
) -> go.Figure:
    """Points in the plane, a trace for each class, so that the legend shows and hides classes.

    Parameters
    ----------
    points : (n, 2); rows that are not finite are left out
    labels : (n,) int, index into `names`, -1 where there is none; None for data without classes
    rows : (n,) int, numbers in the test split, for the hover text
    axes : title of the x axis
    """
    points, rows = np.asarray(points, np.float64), np.asarray(rows)
    labels = np.full(len(points), -1) if labels is None else np.asarray(labels, int)
    known = np.isfinite(points).all(axis=1)
    figure = make_figure(theme)
    for label in np.unique(labels[known]):
        of_class = known & (labels == label)
        style = palette.get_class_style(int(label), theme, has_classes=len(names) > 0)
        name = escape_text(names[label]) if 0 <= label < len(names) else "all rows" if len(names) == 0 else "unlabelled"
        figure.add_scatter(
            x=points[of_class, 0].astype(np.float32),
            y=points[of_class, 1].astype(np.float32),
            mode="markers",
            name=name,
            marker={"color": style.colour, "symbol": style.symbol, "size": 6, "opacity": 0.8, "line": {"width": 0}},
            customdata=rows[of_class],
            hovertemplate=f"{name}<br>test row %{{customdata}}<extra></extra>",
        )
        if label >= 0 and len(names) <= _MOST_NAMES_ON_THE_MAP:
            x, y = np.median(points[of_class], axis=0)
            figure.add_annotation(
                x=x, y=y, text=f"<b>{name}</b>", showarrow=False, bgcolor=palette.GROUND[theme], borderpad=2
            )
    bare = {"zeroline": False, "showgrid": False, "showticklabels": False, "fixedrange": False}
    figure.update_xaxes(title=axes, **bare)
    figure.update_yaxes(scaleanchor="x", **bare)
    # Below the tool bar, which lies over the top of the figure.
    legend = {"itemsizing": "constant", "title": {"text": "click: hide, double click: only"}, "y": 0.94}
    return lay_out(figure, 560, bottom=32, showlegend=len(figure.data) > 1, legend=legend, dragmode="pan")
