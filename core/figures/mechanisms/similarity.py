"""A generator measured twice, against its parameter: by likelihood and by a discriminator."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from core.figures import palette
from core.figures.mechanisms import base


def plot_two_measures(parameters: Sequence[float], similarities: Sequence[Any], now: int, theme: str) -> go.Figure:
    """Log-likelihood of the data, and accuracy of the optimal discriminator, by the generator's parameter.

    Parameters
    ----------
    similarities : of each parameter, a `core.mechanisms.output_distributions.Similarity`
    now : index of the chosen parameter
    """
    chart = base.make_chart(theme, "The same generator, measured twice", "θ", "log p(x) of the data, nats")
    percent = [100 * each.accuracy.value for each in similarities]
    for name, values, axis, k in (
        ("log-likelihood of the data", [each.log_likelihood.value for each in similarities], "y", 0),
        ("images that the discriminator classifies correctly", percent, "y2", 2),
    ):
        base.add_line(chart, list(parameters), values, name, theme, k, yaxis=axis, mode="lines+markers")
        point, look = np.array([[parameters[now], values[now]]]), {"symbol": "diamond", "showlegend": False}
        base.add_points(chart, point, None, palette.CLASSES[theme][k], 14, yaxis=axis, **look)
    y2 = {"title": "classified correctly (%)", "range": [45, 102], "tickvals": list(range(50, 101, 10))}
    return chart.update_layout(yaxis2=y2)
