"""Figures of samples against the arrays they were made from."""

import numpy as np

from core.figures import generated_samples, palette

HOSTILE = "<b onclick=alert(1)>x</b> & $x$"


def test_class_shares_have_dots_and_a_line_of_the_data():
    shares, methods = {"one": {"a": 0.25, "b": 0.75}, "other": {"a": 1.0, "b": 0.0}}, {"one": "pca", "other": "vae"}
    figure = generated_samples.plot_class_shares(shares, {"a": 0.5, "b": 0.5}, methods, "light")
    assert [trace.name for trace in figure.data] == ["test images", "one", "other"]
    assert [tuple(trace.y) for trace in figure.data] == [(0.5, 0.5), (0.25, 0.75), (1.0, 0.0)]
    # Digits are classes, not places on a scale.
    assert figure.layout.xaxis.type == "category"


def test_samplers_have_their_methods_colour_and_differ():
    for theme in ("light", "dark"):
        methods = dict(zip("abcdefg", ("pca", "ae", "ae", "ae", "ae", "vae", "gan"), strict=True))
        distances, shares = dict.fromkeys(methods, np.ones(3)), {name: {"a": 1.0} for name in methods}
        lines = generated_samples.plot_nearest_distances(distances, np.ones(3), methods, theme).data
        dots = generated_samples.plot_class_shares(shares, {"a": 1.0}, methods, theme).data
        colours = {label: palette.get_method_style(method, theme).colour for label, method in methods.items()}
        for traces, of in ((lines[1:], "line"), (dots[1:], "marker")):
            assert {trace.name: trace[of].color for trace in traces} == colours
        assert len({(trace.line.color, trace.line.dash) for trace in lines}) == 8
        assert len({(trace.marker.color, trace.marker.symbol) for trace in dots[1:]}) == 7
        # The only sampler of a method has the method's own mark and dash.
        looks = generated_samples.get_styles(methods, theme)
        for label in "abfg":
            style = palette.get_method_style(methods[label], theme)
            assert (looks[label].symbol, looks[label].dash) == (style.symbol, style.dash)


def test_names_are_escaped():
    shares = generated_samples.plot_class_shares({HOSTILE: {HOSTILE: 1.0}}, {HOSTILE: 1.0}, {HOSTILE: "x"}, "light")
    distances = generated_samples.plot_nearest_distances({HOSTILE: np.ones(2)}, np.ones(2), {HOSTILE: "x"}, "light")
    for figure in (shares, distances):
        assert "<b onclick" not in figure.to_json().encode().decode("unicode_escape")
