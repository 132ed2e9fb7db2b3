"""The curve of errors, the confusion matrix and the map of codes."""

import numpy as np
import pytest

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


def test_a_line_goes_through_the_means_with_their_intervals():
    figure = curve(Line("ae", "AE", 4, MARKS))
    line = through(figure, "ae")
    assert list(line.x) == [20, 100, 500]
    assert list(line.y) == [8, 2, 1]
    assert list(line.error_y.array) == [2, 3, 0]
    # A bar below 0 has no end on a logarithmic axis.
    assert list(line.error_y.arrayminus) == pytest.approx([2, 1.9, 0])
    assert line.y[1] - line.error_y.arrayminus[1] > 0
    assert line.showlegend is not False
    assert [list(about) for about in line.customdata] == [["ae", 20, 0], ["ae", 100, 0], ["ae", 500, 3]]


def test_every_seed_is_a_faint_dot_that_knows_what_it_is():
    figure = curve(Line("ae", "AE", 4, MARKS))
    faint, line = dots(figure, "ae"), through(figure, "ae")
    assert list(faint.x) == [20, 20, 100, 100, 500]
    assert list(faint.y) == [7, 9, 1, 3, 1]
    assert [list(about) for about in faint.customdata] == [
        ["ae", 20, 0],
        ["ae", 20, 3],
        ["ae", 100, 0],
        ["ae", 100, 3],
        ["ae", 500, 3],
    ]
    assert faint.mode == "markers"
    assert faint.marker.color == palette.make_translucent(line.line.color)
    assert "customdata[2]" in faint.hovertemplate


def test_published_errors_are_hollow_marks_of_the_same_colour():
    figure = curve(Line("m2", "M2", 3, MARKS, published=PUBLISHED))
    assert len(figure.data) == 3
    hollow, line = figure.data[2], through(figure, "m2")
    assert list(hollow.x) == [100, 1000]
    assert list(hollow.y) == [3.33, 2.4]
    assert hollow.marker.symbol == f"{line.marker.symbol}-open"
    assert hollow.marker.color == line.marker.color
    assert hollow.showlegend is False
    assert hollow.text[1] == "M2, published: 2.4% with 1,000 labels. table 1"
    assert len(curve(Line("m2", "M2", 3, MARKS)).data) == 2


def test_names_from_outside_are_shown_letter_by_letter():
    figure = curve(Line("x", "<b>A & B</b>", 0, MARKS, published=PUBLISHED))
    assert {trace.name for trace in figure.data} == {"&lt;b&gt;A &amp; B&lt;/b&gt;"}
    assert through(figure, "x").text[0] == "&lt;b&gt;AE&lt;/b&gt;<br>20 labels"
    assert dots(figure, "x").hovertemplate.startswith("&lt;b&gt;A &amp; B&lt;/b&gt;, seed ")
    assert "Kingma &amp; others &lt;i&gt;2014" in figure.data[2].text[0]


def test_lines_stand_a_little_beside_one_another():
    figure = curve(*(Line(name, name, k, MARKS[:1]) for k, name in enumerate(("a", "b", "c"))))
    x = [through(figure, name).x[0] for name in ("a", "b", "c")]
    assert x[1] == 20
    assert x[0] < x[1] < x[2]
    assert x == pytest.approx([20, 20, 20], rel=0.02)
    for name, at in zip(("a", "b", "c"), x, strict=True):
        assert list(dots(figure, name).x) == [at, at]
    # Where they stand is no number of labels, what they say is.
    assert [through(figure, name).customdata[0][1] for name in ("a", "b", "c")] == [20, 20, 20]


def test_the_axes_are_logarithmic_and_that_of_errors_may_be_linear():
    figure = curve(Line("ae", "AE", 4, MARKS), counts=[20, 1000])
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "log"
    assert list(figure.layout.xaxis.tickvals) == [20, 1000]
    assert list(figure.layout.xaxis.ticktext) == ["20<br>1%", "1,000<br>50%"]
    assert list(map(float, figure.layout.yaxis.ticktext)) == list(figure.layout.yaxis.tickvals)
    linear = curve(Line("ae", "AE", 4, MARKS), is_log=False)
    assert linear.layout.xaxis.type == "log"
    assert linear.layout.yaxis.type is None
    assert linear.layout.yaxis.rangemode == "tozero"


def test_the_baseline_is_thicker_and_in_the_colour_of_text():
    figure = error_by_labels.plot_curve([Line("a", "A", 0, MARKS, True), Line("b", "B", 1, MARKS)], 2000, "dark")
    base, other = through(figure, "a"), through(figure, "b")
    assert base.line.color == palette.INK["dark"] != other.line.color
    assert base.line.width > other.line.width


def test_no_two_approaches_look_alike():
    for theme in ["light", "dark"]:
        from core import semi_supervised

        styles = {error_by_labels.get_style(k, theme) for k in range(len(semi_supervised.names()))}
        assert len(styles) == len(semi_supervised.names())


def test_no_line_is_an_empty_chart():
    assert len(error_by_labels.plot_curve([], 2000, "light").data) == 0


def test_a_click_on_one_mark_leaves_the_others_as_they_are():
    for trace in curve(Line("ae", "AE", 4, MARKS, published=PUBLISHED)).data:
        assert trace.unselected.marker.opacity == 1


# --- The confusion matrix -----------------------------------------------------------------------------------------

COUNTS = np.array([[8, 2, 0], [0, 10, 0], [1, 3, 1]])


def test_a_confusion_matrix_is_coloured_by_the_share_of_the_class_but_for_what_is_right():
    figure = error_by_labels.plot_confusion(COUNTS, ["a", "<i>b</i>", "c"], "light")
    (drawn,) = figure.data
    assert np.isnan(np.diag(drawn.z)).all()
    off = ~np.eye(3, dtype=bool)
    assert drawn.z[off] == pytest.approx([20, 0, 0, 0, 20, 60])
    assert drawn.customdata[..., 0].tolist() == COUNTS.tolist()
    assert drawn.customdata[..., 1] == pytest.approx(100 * COUNTS / COUNTS.sum(1, keepdims=True))
    assert (drawn.zmin, drawn.zmax) == (0, pytest.approx(60))
    assert list(drawn.x) == list(drawn.y) == ["a", "&lt;i&gt;b&lt;/i&gt;", "c"]
    assert drawn.text.tolist() == [["8", "2", ""], ["", "10", ""], ["1", "3", "1"]]
    assert [(note.x, note.y, note.text) for note in figure.layout.annotations] == [
        ("a", "a", "8"),
        ("&lt;i&gt;b&lt;/i&gt;", "&lt;i&gt;b&lt;/i&gt;", "10"),
        ("c", "c", "1"),
    ]
    assert figure.layout.yaxis.autorange == "reversed"
    assert figure.layout.xaxis.type == figure.layout.yaxis.type == "category"


def test_of_many_classes_no_number_is_written():
    figure = error_by_labels.plot_confusion(np.eye(20, dtype=int), [f"class {k}" for k in range(20)], "dark")
    assert figure.data[0].text is None
    assert figure.data[0].texttemplate is None
    assert not figure.layout.annotations


def test_a_perfect_classifier_and_a_class_without_rows_are_drawn():
    (drawn,) = error_by_labels.plot_confusion(np.diag([5, 0, 3]), list("abc"), "light").data
    assert np.nanmax(drawn.z) == 0
    assert drawn.zmax == 1
    (drawn,) = error_by_labels.plot_confusion(np.array([[4]]), ["a"], "light").data
    assert drawn.zmax == 1


# --- The map of codes ---------------------------------------------------------------------------------------------


def test_the_map_tells_rightly_from_wrongly_named_and_labelled_rows():
    at_test, y_test = np.arange(8.0).reshape(4, 2), np.array([0, 1, -1, 2])
    right = np.array([True, False, True, False])
    at_labelled, y_labelled = np.array([[0.5, 0.25]]), np.array([1])
    figure = error_by_labels.plot_codes(at_test, y_test, right, at_labelled, y_labelled, ["a", "<b>", "c"], "dark")
    rightly, wrongly, labelled = figure.data
    assert (list(rightly.x), list(rightly.y)) == ([0, 4], [1, 5])
    assert (list(wrongly.x), list(wrongly.y)) == ([2, 6], [3, 7])
    assert (list(labelled.x), list(labelled.y)) == ([0.5], [0.25])
    assert list(rightly.text) == ["a", "no class"]
    assert list(wrongly.text) == ["&lt;b&gt;", "c"]
    assert list(labelled.text) == ["&lt;b&gt;"]

    def colours(*labels):
        return tuple(palette.get_class_style(label, "dark").colour for label in labels)

    assert rightly.marker.color == colours(0, -1)
    assert wrongly.marker.color == wrongly.marker.line.color == colours(1, 2)
    assert labelled.marker.color == colours(1)
    assert wrongly.marker.symbol == "x-thin"
    assert labelled.marker.size > rightly.marker.size
    assert labelled.marker.line.color == palette.INK["dark"]
    assert len({trace.name for trace in figure.data}) == 3


def test_a_map_without_a_wrong_row_is_drawn():
    at, y = np.zeros((3, 2)), np.zeros(3, int)
    figure = error_by_labels.plot_codes(at, y, np.ones(3, bool), at[:0], y[:0], ["a"], "light")
    assert [len(trace.x) for trace in figure.data] == [3, 0, 0]
