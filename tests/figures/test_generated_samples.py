"""Figures of samples against the arrays they were made from."""

import numpy as np
import pytest

from core.figures import generated_samples, palette

HOSTILE = "<b onclick=alert(1)>x</b> & $x$"
THEMES = ("light", "dark")


def test_a_dot_a_class_and_sampler_and_the_datas_line():
    for theme in THEMES:
        shares = {"one": {"a": 0.25, "b": 0.75}, "other": {"a": 1.0, "b": 0.0}}
        figure = generated_samples.plot_class_shares(
            shares, {"a": 0.5, "b": 0.5}, {"one": "pca", "other": "vae"}, theme
        )
        assert [trace.name for trace in figure.data] == ["test images", "one", "other"]
        assert [tuple(trace.y) for trace in figure.data] == [(0.5, 0.5), (0.25, 0.75), (1.0, 0.0)]
        assert all(tuple(trace.x) == ("a", "b") for trace in figure.data)
        # Digits are classes, not places on a scale.
        assert figure.layout.xaxis.type == "category"
        dots = figure.data[1:]
        assert len({(trace.marker.color, trace.marker.symbol) for trace in dots}) == 2
        assert all(trace.mode == "markers" for trace in dots)


def test_where_the_datas_classes_are_not_known_there_is_no_line():
    figure = generated_samples.plot_class_shares({"one": {"a": 1.0}}, {}, {"one": "pca"}, "light")
    assert [trace.name for trace in figure.data] == ["one"]


def test_a_line_says_what_share_lies_within_a_distance():
    for theme in THEMES:
        rng = np.random.default_rng(0)
        found, of_test = rng.uniform(1, 5, 1000), rng.uniform(2, 6, 400)
        figure = generated_samples.plot_nearest_distances({"one": found}, of_test, {"one": "pca"}, theme)
        assert [trace.name for trace in figure.data] == ["test images", "one"]
        for trace, distances in zip(figure.data, (of_test, found), strict=True):
            x, y = np.asarray(trace.x, float), np.asarray(trace.y, float)
            assert (np.diff(x) >= 0).all()
            assert y[-1] == pytest.approx(1.0)
            for limit in (2.5, 3.0, 4.5):
                assert y[x <= limit].max() == pytest.approx((distances <= limit).mean(), abs=1e-6)
        assert figure.layout.xaxis.rangemode == "tozero"


def test_distances_are_not_sorted_in_place():
    found = np.array([3.0, 1.0, 2.0])
    generated_samples.plot_nearest_distances({"one": found}, found, {"one": "pca"}, "light")
    assert found.tolist() == [3.0, 1.0, 2.0]


def test_a_memoriser_has_a_line_at_nothing():
    figure = generated_samples.plot_nearest_distances(
        {"remembers": np.zeros(50)}, np.ones(50), {"remembers": "ae"}, "light"
    )
    assert np.asarray(figure.data[1].x).max() == 0


def test_samplers_are_of_their_methods_colour_and_told_apart():
    for theme in THEMES:
        methods = dict(zip("abcdefg", ("pca", "ae", "ae", "ae", "ae", "vae", "gan"), strict=True))
        lines = generated_samples.plot_nearest_distances(
            dict.fromkeys(methods, np.ones(3)), np.ones(3), methods, theme
        ).data
        dots = generated_samples.plot_class_shares(
            {label: {"a": 1.0} for label in methods}, {"a": 1.0}, methods, theme
        ).data
        for traces, of in ((lines[1:], "line"), (dots[1:], "marker")):
            colours = {trace.name: trace[of].color for trace in traces}
            assert colours == {
                label: palette.get_method_style(method, theme).colour for label, method in methods.items()
            }
        assert len({(trace.line.color, trace.line.dash) for trace in lines}) == 8
        assert len({(trace.marker.color, trace.marker.symbol) for trace in dots[1:]}) == 7
        # The only sampler of a method has the method's own mark and dash.
        looks = generated_samples.get_styles(methods, theme)
        for label in "abfg":
            style = palette.get_method_style(methods[label], theme)
            assert (looks[label].symbol, looks[label].dash) == (style.symbol, style.dash)


def test_the_highest_mark_has_room_above():
    figure = generated_samples.plot_class_shares({"one": {"a": 0.9, "b": 0.1}}, {}, {"one": "pca"}, "light")
    assert figure.layout.yaxis.range[1] > 0.95


def test_names_from_outside_are_shown_letter_by_letter():
    for theme in THEMES:
        shares = generated_samples.plot_class_shares({HOSTILE: {HOSTILE: 1.0}}, {HOSTILE: 1.0}, {HOSTILE: "x"}, theme)
        distances = generated_samples.plot_nearest_distances({HOSTILE: np.ones(2)}, np.ones(2), {HOSTILE: "x"}, theme)
        for figure in (shares, distances):
            assert "<b onclick" not in figure.to_json().encode().decode("unicode_escape")
