"""Error pictures on one scale, readable for everybody; charts with the numbers they were given."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from core.figures import difference_images, errors, palette
from tests.contrast import contrast
from tests.figures.test_palette import SIGHTS, seen

THEMES = ("light", "dark")


def test_difference_colours_are_linear_from_zero_and_told_apart():
    for theme in THEMES:
        found = difference_images.colour_differences(np.array([-0.8, 0.0, 0.8, -5.0, 5.0, -0.4, 0.4]), 0.8, theme)
        below, zero, above = (palette.to_rgb(colour) for colour in difference_images.COLOURS[theme])
        np.testing.assert_array_equal(found[:5], [below, zero, above, below, above])
        np.testing.assert_allclose(found[5:].astype(float), [(below + zero) / 2, (above + zero) / 2], atol=0.5)
        below, zero, above = difference_images.COLOURS[theme]
        assert min(pdist(seen((below, zero, above), sight)).min() for sight in SIGHTS) > 30
        assert min(contrast(below, zero), contrast(above, zero)) > 4.5
        assert contrast(zero, palette.GROUND[theme]) < 1.2


def test_error_by_class_without_interval():
    means, methods = {"<b>PCA</b>": [(1.0, 0.9, 1.2), (2.0, np.nan, np.nan)]}, {"<b>PCA</b>": "pca"}
    figure = errors.plot_by_class(means, ["<i>a</i>", "b"], [5, 1], "light", methods)
    (trace,) = figure.data
    assert list(trace.y) == [1.0, 2.0]
    assert (trace.error_y.array[0], trace.error_y.arrayminus[0]) == pytest.approx((0.2, 0.1))
    assert (trace.name, figure.layout.xaxis.ticktext[0]) == ("&lt;b&gt;PCA&lt;/b&gt;", "&lt;i&gt;a&lt;/i&gt;")


def test_corruption_chart_has_lines_with_bands():
    band = np.array([[1.0, 0.5, 1.5], [2.0, 1.5, 2.5]])
    curves = [errors.Curve("nothing", band), errors.Curve("PCA", band + 1, "pca"), errors.Curve("AE", band + 2, "ae")]
    figure = errors.plot_by_corruption((0, 1), curves, "pixels", "light", 1)
    bands, lines = figure.data[::2], figure.data[1::2]
    assert [line.name for line in lines] == ["nothing", "PCA", "AE"]
    assert [each.legendgroup for each in bands] == [line.legendgroup for line in lines]
    assert list(lines[1].y) == [2.0, 3.0]
    assert list(bands[1].y) == [2.5, 3.5, 2.5, 1.5]
    assert lines[0].line.color == palette.NO_CLASS["light"]
    assert lines[1].line.color == palette.CLASSES["light"][0]


def test_method_has_one_style_in_every_chart():
    for theme in THEMES:
        look, methods = palette.get_method_style("vae", theme), {"VAE": "vae"}
        dots = errors.plot_by_class({"VAE": [(1.0, 0.9, 1.2)]}, ["a"], [5], theme, methods).data[0]
        assert (dots.marker.color, dots.marker.symbol) == (look.colour, look.symbol)
        quantiles = {"VAE": (np.linspace(0, 1, 5), np.ones(5))}
        (curve,) = errors.plot_distribution(quantiles, theme, methods, is_log=True).data
        assert (curve.line.color, curve.line.dash, curve.y[-1]) == (look.colour, look.dash, 100)
        curve = errors.Curve("VAE", np.ones((2, 3)), "vae")
        damaged = errors.plot_by_corruption((0, 1), [curve], "pixels", theme).data[1]
        assert (damaged.line.color, damaged.marker.symbol) == (look.colour, look.symbol)
        looks = [palette.get_method_style(name, theme) for name in ("pca", "linear_ae", "ae", "vae", "gan", "umap")]
        assert len({look.colour for look in looks}) == len({look.symbol for look in looks}) == len(looks)
