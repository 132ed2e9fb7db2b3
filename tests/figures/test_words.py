"""Words along an axis and curves of precision, with the numbers they were given."""

import numpy as np

from core.figures import palette, words
from core.figures.words import PrecisionCurve

AT = np.array([1, 3, 7], np.int32)


def curve(label, height, method="", size=0):
    mean = np.array([height, height - 0.1, height - 0.2])
    return PrecisionCurve(label, AT, np.column_stack([mean, mean - 0.05, mean + 0.05]), method, size)


def test_a_curve_is_a_line_with_its_interval_as_a_band():
    curves = [curve("LSA 2-D", 0.5, "lsa", 2), curve("AE 10-D", 0.7, "ae", 10), curve("tf-idf", 0.9)]
    figure = words.plot_precision(curves, "dark", 2)
    # Only lines of the chosen size have a band.
    band, line, _, reference = figure.data
    assert line.x.tolist() == AT.tolist()
    np.testing.assert_allclose(line.y, [0.5, 0.4, 0.3])
    np.testing.assert_allclose(band.y, [0.55, 0.45, 0.35, 0.25, 0.35, 0.45])
    assert reference.line.color == palette.INK["dark"]
    # Labels of 7 and 8 would overlap.
    with_all = [PrecisionCurve("all", np.array([1, 3, 7, 8]), np.zeros((4, 3)))]
    assert list(words.plot_precision(with_all, "dark", 2).layout.xaxis.tickvals) == AT.tolist()


def test_methods_go_by_colour_and_sizes_by_dash():
    names = [("lsa", 2), ("lsa", 50), ("ae", 2), ("ae", 50)]
    figure = words.plot_precision([curve(f"{m} {k}", 0.8, m, k) for m, k in names], "light", 10)
    lines = {trace.name: trace.line for trace in figure.data if trace.showlegend is None}
    assert lines["lsa 2"].color == lines["lsa 50"].color != lines["ae 2"].color
    assert lines["lsa 2"].dash == lines["ae 2"].dash != lines["ae 50"].dash


def test_words_are_drawn_as_they_weigh_and_the_place_is_marked():
    values, weights = np.linspace(-1, 1, 5), np.arange(10.0).reshape(5, 2)
    figure = words.plot_word_weights(values, weights, ["<b>bold", "cat"], 0.5, "probability", "dark")
    np.testing.assert_allclose([trace.y for trace in figure.data], weights.T)
    assert "<b>" not in figure.data[0].name
    assert figure.layout.shapes[0].x0 == 0.5
