"""The curve of errors, the confusion matrix and the map of codes."""

import numpy as np
import pytest

from core import semi_supervised
from core.figures import error_by_labels, palette
from core.figures.error_by_labels import Line, Mark

MARKS = [
    Mark(20, 8.0, 6.0, 10.0, {0: 7.0, 3: 9.0}, ("<b>AE</b>", "20 labels")),
    Mark(100, 2.0, -1.0, 5.0, {0: 1.0, 3: 3.0}),
    Mark(500, 1.0, None, None, {3: 1.0}),
]
PUBLISHED = ((100, 3.33, "Kingma & others <i>2014</i>"), (1000, 2.4, "table 1"))


def curve(*lines, **given):
    return error_by_labels.plot_curve(lines, 2000, "light", **given)


def dots(figure, name):
    return next(trace for trace in figure.data if trace.legendgroup == name and trace.showlegend is False)


def through(figure, name):
    return next(trace for trace in figure.data if trace.legendgroup == name and trace.mode == "lines+markers")


def test_line_goes_through_the_means_and_every_seed_is_a_dot():
    figure = curve(Line("ae", "AE", 4, MARKS, published=PUBLISHED))
    line, faint, hollow = through(figure, "ae"), dots(figure, "ae"), figure.data[2]
    assert (list(line.x), list(line.y)) == ([20, 100, 500], [8, 2, 1])
    assert list(line.error_y.array) == [2, 3, 0]
    # A bar below 0 has no end on a logarithmic axis.
    assert list(line.error_y.arrayminus) == pytest.approx([2, 1.9, 0])
    assert [list(about) for about in line.customdata] == [["ae", 20, 0], ["ae", 100, 0], ["ae", 500, 3]]
    assert (list(faint.x), list(faint.y)) == ([20, 20, 100, 100, 500], [7, 9, 1, 3, 1])
    assert [about[2] for about in faint.customdata] == [0, 3, 0, 3, 3]
    # A click on one mark leaves the others as they are.
    assert all(trace.unselected.marker.opacity == 1 for trace in figure.data)
    assert (list(hollow.x), list(hollow.y)) == ([100, 1000], [3.33, 2.4])
    assert (hollow.marker.symbol, hollow.marker.color) == (f"{line.marker.symbol}-open", line.marker.color)
    assert hollow.text[1] == "AE, published: 2.4% with 1,000 labels. table 1"


def test_names_are_escaped():
    figure = curve(Line("x", "<b>A & B</b>", 0, MARKS, published=PUBLISHED))
    assert {trace.name for trace in figure.data} == {"&lt;b&gt;A &amp; B&lt;/b&gt;"}
    assert through(figure, "x").text[0] == "&lt;b&gt;AE&lt;/b&gt;<br>20 labels"
    assert dots(figure, "x").hovertemplate.startswith("&lt;b&gt;A &amp; B&lt;/b&gt;, seed ")
    assert "Kingma &amp; others &lt;i&gt;2014" in figure.data[2].text[0]


def test_axes_are_logarithmic_and_lines_are_shifted_a_little():
    figure = curve(*(Line(name, name, k, MARKS[:1]) for k, name in enumerate("abc")))
    x = [through(figure, name).x[0] for name in "abc"]
    assert 19.6 < x[0] < x[1] < x[2] < 20.4
    assert [list(dots(figure, name).x) for name in "abc"] == [[at, at] for at in x]
    layout = curve(Line("ae", "AE", 4, MARKS), counts=[20, 1000]).layout
    assert layout.xaxis.type == layout.yaxis.type == "log"
    assert (list(layout.xaxis.tickvals), list(layout.xaxis.ticktext)) == ([20, 1000], ["20<br>1%", "1,000<br>50%"])
    linear = curve(is_log=False).layout
    assert (linear.xaxis.type, linear.yaxis.type, linear.yaxis.rangemode) == ("log", None, "tozero")


def test_styles_differ_and_the_baseline_is_in_the_colour_of_text():
    styles = {error_by_labels.get_style(k, "light") for k in range(len(semi_supervised.names()))}
    assert len(styles) == len(semi_supervised.names())
    figure = curve(Line("a", "A", 0, MARKS, True), Line("b", "B", 1, MARKS))
    baseline, other = through(figure, "a").line, through(figure, "b").line
    assert baseline.color == palette.INK["light"] != other.color


def test_confusion_matrix_is_coloured_by_the_share_of_the_class():
    counts = np.array([[8, 2, 0], [0, 10, 0], [1, 3, 1]])
    figure = error_by_labels.plot_confusion(counts, ["a", "<i>b</i>", "c"], "light")
    (drawn,) = figure.data
    assert np.isnan(np.diag(drawn.z)).all()
    assert drawn.z[~np.eye(3, dtype=bool)] == pytest.approx([20, 0, 0, 0, 20, 60])
    assert drawn.customdata[..., 0].tolist() == counts.tolist()
    assert drawn.customdata[..., 1] == pytest.approx(100 * counts / counts.sum(1, keepdims=True))
    names = ["a", "&lt;i&gt;b&lt;/i&gt;", "c"]
    diagonal = [(note.x, note.y, note.text) for note in figure.layout.annotations]
    assert diagonal == [*zip(names, names, ["8", "10", "1"], strict=True)]
    # Of many classes, or without errors.
    figure = error_by_labels.plot_confusion(np.eye(20, dtype=int), [f"class {k}" for k in range(20)], "dark")
    assert (figure.data[0].text, figure.layout.annotations, figure.data[0].zmax) == (None, (), 1)


def test_map_distinguishes_correct_misclassified_and_labelled_rows():
    at_test, y_test = np.arange(8.0).reshape(4, 2), np.array([0, 1, -1, 2])
    is_correct, labelled = np.array([True, False, True, False]), (np.array([[0.5, 0.25]]), np.array([1]))
    figure = error_by_labels.plot_codes(at_test, y_test, is_correct, *labelled, ["a", "<b>", "c"], "dark")
    correct, misclassified, labelled = figure.data
    for trace, x, texts, labels in (
        (correct, [0, 4], ["a", "no class"], (0, -1)),
        (misclassified, [2, 6], ["&lt;b&gt;", "c"], (1, 2)),
        (labelled, [0.5], ["&lt;b&gt;"], (1,)),
    ):
        assert (list(trace.x), list(trace.text)) == (x, texts)
        assert trace.marker.color == tuple(palette.get_class_style(label, "dark").colour for label in labels)
    assert (misclassified.marker.symbol, misclassified.marker.line.color) == ("x-thin", misclassified.marker.color)
