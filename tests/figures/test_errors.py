"""Error pictures on one scale, readable for everybody; charts with the numbers they were given."""

import numpy as np
import pytest

from core.figures import difference_images, errors, montages, palette
from tests.contrast import contrast
from tests.figures.test_palette import SIGHTS, distances

THEMES = ("light", "dark")


def test_zero_is_the_middle_and_the_ends_are_the_ends():
    for theme in THEMES:
        found = difference_images.colour_differences(np.array([-0.8, 0.0, 0.8, -5.0, 5.0]), 0.8, theme)
        below, zero, above = (palette.to_rgb(colour) for colour in difference_images.COLOURS[theme])
        np.testing.assert_array_equal(found, [below, zero, above, below, above])


def test_half_of_a_difference_is_half_way_to_the_end():
    for theme in THEMES:
        found = difference_images.colour_differences(np.array([-0.2, 0.2]), 0.4, theme).astype(float)
        below, zero, above = (palette.to_rgb(colour) for colour in difference_images.COLOURS[theme])
        np.testing.assert_allclose(found, [(below + zero) / 2, (above + zero) / 2], atol=0.5)


def test_too_dark_too_bright_and_right_are_told_apart_by_everybody():
    for sight in SIGHTS:
        for theme in THEMES:
            assert distances(difference_images.COLOURS[theme], sight).min() > 30


def test_a_difference_stands_out_by_its_contrast_either_way():
    for theme in THEMES:
        below, zero, above = difference_images.COLOURS[theme]
        assert min(contrast(below, zero), contrast(above, zero)) > 4.5
        assert contrast(zero, palette.GROUND[theme]) < 1.2


def test_one_value_has_one_colour_in_every_picture_of_a_scale():
    small = difference_images.make_montage(np.array([[0.3, 0, 0, 0]]), (2, 2), 1, 1.0, "light", cell=2)
    large = difference_images.make_montage(np.array([[0.3, -1, 1, 0.9]]), (2, 2), 1, 1.0, "light", cell=2)
    np.testing.assert_array_equal(small[0, 0], large[0, 0])


def test_error_pictures_are_laid_out_as_images_are():
    images = np.zeros((7, 12), np.uint8)
    grey = montages.make_montage(images, (4, 3), 5, cell=112)
    colour = difference_images.make_montage(images / 255.0, (4, 3), 5, 0.5, "dark", cell=112)
    assert grey.shape[:2] == colour.shape[:2]
    np.testing.assert_array_equal(grey[..., 1], colour[..., 3])


def test_the_bar_runs_from_end_to_end():
    for theme in THEMES:
        bar = difference_images.make_colour_bar(theme, 5)
        np.testing.assert_array_equal(
            bar[0], difference_images.colour_differences(np.array([-1, -0.5, 0, 0.5, 1]), 1.0, theme)
        )


def test_a_class_without_an_interval_keeps_its_dot():
    figure = errors.plot_by_class(
        {"<b>PCA</b>": [(1.0, 0.9, 1.2), (2.0, np.nan, np.nan)]},
        ["<i>a</i>", "b"],
        [5, 1],
        "light",
        {"<b>PCA</b>": "pca"},
    )
    (trace,) = figure.data
    assert list(trace.y) == [1.0, 2.0]
    assert trace.error_y.array[0] == pytest.approx(0.2)
    assert trace.error_y.arrayminus[0] == pytest.approx(0.1)
    assert trace.name == "&lt;b&gt;PCA&lt;/b&gt;"
    assert figure.layout.xaxis.ticktext == ("&lt;i&gt;a&lt;/i&gt;", "b")
    # plotly names no trace that is alone, unless it is told to.
    assert figure.layout.showlegend
    figure.to_json()


def test_distribution_is_a_line_a_method_in_percent():
    shares, values = np.linspace(0, 1, 5), np.array([1.0, 2, 3, 4, 50])
    figure = errors.plot_distribution(
        {"a": (shares, values), "b": (shares, values * 2)}, "dark", {"a": "pca", "b": "gan"}
    )
    assert [trace.name for trace in figure.data] == ["a", "b"]
    assert figure.data[0].y[-1] == 100
    assert figure.layout.xaxis.type == "log"
    assert (
        errors.plot_distribution({"a": (shares, values)}, "dark", {"a": "ae"}, is_log=False).layout.xaxis.type
        == "linear"
    )


def test_damage_has_a_line_and_a_band_each_that_go_together():
    band = np.array([[1.0, 0.5, 1.5], [2.0, 1.5, 2.5]])
    curves = [errors.Curve("nothing", band), errors.Curve("PCA", band + 1, "pca"), errors.Curve("AE", band + 2, "ae")]
    figure = errors.plot_by_corruption((0, 1), curves, "pixels", "light", 1)
    bands, lines = figure.data[::2], figure.data[1::2]
    assert [line.name for line in lines] == ["nothing", "PCA", "AE"]
    assert [each.legendgroup for each in bands] == [line.legendgroup for line in lines]
    assert list(lines[1].y) == [2.0, 3.0]
    assert list(bands[1].y) == [2.5, 3.5, 2.5, 1.5]
    assert lines[0].line.color == palette.NO_CLASS["light"]
    assert lines[1].line.color == palette.list_series("light")[0]


def test_a_method_looks_the_same_in_every_chart_whatever_stands_beside_it():
    for theme in THEMES:
        look = palette.get_method_style("vae", theme)
        means, counts = {"VAE": [(1.0, 0.9, 1.2)]}, [5]
        dots = errors.plot_by_class(means, ["a"], counts, theme, {"VAE": "vae"}).data[0]
        assert (dots.marker.color, dots.marker.symbol) == (look.colour, look.symbol)
        line = errors.plot_distribution({"VAE": (np.ones(2), np.ones(2))}, theme, {"VAE": "vae"}).data[0].line
        assert (line.color, line.dash) == (look.colour, look.dash)
        band = np.ones((2, 3))
        damaged = errors.plot_by_corruption((0, 1), [errors.Curve("VAE", band, "vae")], "pixels", theme).data[1]
        assert (damaged.line.color, damaged.marker.symbol) == (look.colour, look.symbol)
        looks = [palette.get_method_style(name, theme) for name in ("pca", "linear_ae", "ae", "vae", "gan", "umap")]
        assert len({look.colour for look in looks}) == len({look.symbol for look in looks}) == len(looks)
