"""Charts of error against code size and depth, and of a linear autoencoder's convergence to PCA."""

import numpy as np
import pytest

from core.figures import error_by_code_size, palette
from core.figures.error_by_code_size import Mark

ERRORS = np.array([10.0, 6.0, 3.0, 1.0, 0.0])


def traces(figure, name):
    return [trace for trace in figure.data if trace.name == name]


def test_pca_has_a_line_through_every_size():
    (line,) = traces(error_by_code_size.plot_by_size(ERRORS, [], "light"), "PCA (exact)")
    assert [list(values) for values in (line.x, line.y, line.customdata)] == [
        [1, 2, 3, 4],
        [6, 3, 1, 0],
        [60, 30, 10, 0],
    ]
    figure = error_by_code_size.plot_by_size(ERRORS, [], "light", largest=2, is_log=False)
    assert list(traces(figure, "PCA (exact)")[0].x) == [1, 2]
    assert figure.layout.xaxis.type is None


def test_runs_are_marks_with_intervals_and_own_runs_hollow():
    marks = [
        Mark("AE", "ae", 2, 2.5, 2.4, 2.7, ("<b>two</b>", "numbers")),
        Mark("AE", "ae", 4, 0.5, 0.4, 0.6, is_own=True),
        Mark("AE", "ae", 4, 0.9, 0.8, 1.0, is_own=True, is_best=False),
    ]
    figure = error_by_code_size.plot_by_size(None, marks, "dark")
    through, drawn = traces(figure, None)[0], traces(figure, "AE")[0]
    assert (list(through.x), list(through.y)) == ([2, 4], [2.5, 0.5])
    assert list(drawn.y) == [2.5, 0.5, 0.9]
    assert list(drawn.error_y.array) == pytest.approx([0.2, 0.1, 0.1])
    assert list(drawn.error_y.arrayminus) == pytest.approx([0.1, 0.1, 0.1])
    assert list(drawn.marker.symbol) == ["diamond", "diamond-open", "diamond-open"]
    assert drawn.marker.color == palette.CLASSES["dark"][2]
    assert drawn.text[0] == "&lt;b&gt;two&lt;/b&gt;<br>numbers"


def test_depths_are_in_order():
    depths = [Mark("Linear AE", "linear_ae", 0, 3, 2.8, 3.1), Mark("1 hidden layer", "ae", 1, 2, 1.9, 2.2)]
    figure = error_by_code_size.plot_by_depth(depths, "light", pca=2.9)
    assert list(figure.data[0].x) == ["Linear AE", "1 hidden layer"]
    places = ("Linear AE", "1 hidden layer", "2 hidden layers")
    axis = error_by_code_size.plot_by_depth(depths, "light", places=places).layout.xaxis
    assert (axis.categoryarray, axis.range) == (places, (-0.5, 2.5))
    assert list(figure.data[0].error_y.arrayminus) == pytest.approx([0.2, 0.1])
    assert figure.layout.shapes[0].y0 == 2.9
    assert not error_by_code_size.plot_by_depth(depths, "light").layout.shapes


def test_convergence_leaves_out_negative_errors_and_keeps_the_end():
    history = [{"epoch": k, "largest_angle": 90 / k, "mean_angle": 45 / k, "excess_error": 1.0} for k in range(1, 1001)]
    history[-1]["excess_error"] = -1e-15
    angles, excess = error_by_code_size.plot_convergence_to_pca(history, "dark")
    assert [trace.name for trace in angles.data] == ["largest", "mean"]
    assert len(angles.data[0].x) <= 600
    assert (angles.data[0].x[-1], angles.data[0].y[-1]) == (1000, pytest.approx(0.09))
    assert np.isnan(excess.data[0].y[-1])
    assert excess.layout.yaxis.type == "log"
