"""Error pictures on one scale, readable for everybody; charts with the numbers they were given."""

import numpy as np
import pytest

from core.figures import differences, errors, palette, rasters
from tests.figures.test_palette import SEEN, TO_LAB, TO_LMS, linear

THEMES = ("light", "dark")


@pytest.mark.parametrize("theme", THEMES)
def test_zero_is_the_middle_and_the_ends_are_the_ends(theme):
    found = differences.colours(np.array([-0.8, 0.0, 0.8, -5.0, 5.0]), 0.8, theme)
    below, zero, above = (palette.rgb(colour) for colour in differences.COLOURS[theme])
    np.testing.assert_array_equal(found, [below, zero, above, below, above])


@pytest.mark.parametrize("theme", THEMES)
def test_half_of_a_difference_is_half_way_to_the_end(theme):
    found = differences.colours(np.array([-0.2, 0.2]), 0.4, theme).astype(float)
    below, zero, above = (palette.rgb(colour) for colour in differences.COLOURS[theme])
    np.testing.assert_allclose(found, [(below + zero) / 2, (above + zero) / 2], atol=0.5)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("sight", SEEN)
def test_too_dark_too_bright_and_right_are_told_apart_by_everybody(theme, sight):
    seen = np.clip(linear(differences.COLOURS[theme]) @ SEEN[sight].T, 0, 1)
    lab = np.cbrt(seen @ TO_LMS.T) @ TO_LAB.T
    distances = np.linalg.norm(lab[:, None] - lab[None], axis=-1)[np.triu_indices(3, 1)]
    assert distances.min() > 0.15


@pytest.mark.parametrize("theme", THEMES)
def test_a_difference_stands_out_by_its_contrast_either_way(theme):
    below, zero, above = linear(differences.COLOURS[theme]) @ (0.2126, 0.7152, 0.0722)
    for end in (below, above):
        high, low = max(end, zero), min(end, zero)
        assert (high + 0.05) / (low + 0.05) > 4.5
    assert abs(zero - linear([palette.GROUND[theme]])[0] @ (0.2126, 0.7152, 0.0722)) < 0.1


def test_one_value_has_one_colour_in_every_picture_of_a_scale():
    small = differences.montage(np.array([[0.3, 0, 0, 0]]), (2, 2), 1, 1.0, "light", cell=2)
    large = differences.montage(np.array([[0.3, -1, 1, 0.9]]), (2, 2), 1, 1.0, "light", cell=2)
    np.testing.assert_array_equal(small[0, 0], large[0, 0])


def test_error_pictures_are_laid_out_as_images_are():
    images = np.zeros((7, 12), np.uint8)
    grey = rasters.montage(images, (4, 3), 5, cell=112)
    colour = differences.montage(images / 255.0, (4, 3), 5, 0.5, "dark", cell=112)
    assert grey.shape[:2] == colour.shape[:2]
    np.testing.assert_array_equal(grey[..., 1], colour[..., 3])


@pytest.mark.parametrize("theme", THEMES)
def test_the_bar_runs_from_end_to_end(theme):
    bar = differences.bar(theme, 5)
    np.testing.assert_array_equal(bar[0], differences.colours(np.array([-1, -0.5, 0, 0.5, 1]), 1.0, theme))


def test_a_class_without_an_interval_keeps_its_dot():
    figure = errors.per_class(
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
    figure = errors.distribution({"a": (shares, values), "b": (shares, values * 2)}, "dark", {"a": "pca", "b": "gan"})
    assert [trace.name for trace in figure.data] == ["a", "b"]
    assert figure.data[0].y[-1] == 100
    assert figure.layout.xaxis.type == "log"
    assert errors.distribution({"a": (shares, values)}, "dark", {"a": "ae"}, is_log=False).layout.xaxis.type == "linear"


def test_damage_has_a_line_and_a_band_each_that_go_together():
    band = np.array([[1.0, 0.5, 1.5], [2.0, 1.5, 2.5]])
    curves = [errors.Curve("nothing", band), errors.Curve("PCA", band + 1, "pca"), errors.Curve("AE", band + 2, "ae")]
    figure = errors.damaged((0, 1), curves, "pixels", "light", 1)
    bands, lines = figure.data[::2], figure.data[1::2]
    assert [line.name for line in lines] == ["nothing", "PCA", "AE"]
    assert [each.legendgroup for each in bands] == [line.legendgroup for line in lines]
    assert list(lines[1].y) == [2.0, 3.0]
    assert list(bands[1].y) == [2.5, 3.5, 2.5, 1.5]
    assert lines[0].line.color == palette.NO_VALUE["light"]
    assert lines[1].line.color == palette.series("light")[0]


@pytest.mark.parametrize("theme", THEMES)
def test_a_method_looks_the_same_in_every_chart_whatever_stands_beside_it(theme):
    look = palette.of_method("vae", theme)
    means, counts = {"VAE": [(1.0, 0.9, 1.2)]}, [5]
    dots = errors.per_class(means, ["a"], counts, theme, {"VAE": "vae"}).data[0]
    assert (dots.marker.color, dots.marker.symbol) == (look.colour, look.symbol)
    line = errors.distribution({"VAE": (np.ones(2), np.ones(2))}, theme, {"VAE": "vae"}).data[0].line
    assert (line.color, line.dash) == (look.colour, look.dash)
    band = np.ones((2, 3))
    damaged = errors.damaged((0, 1), [errors.Curve("VAE", band, "vae")], "pixels", theme).data[1]
    assert (damaged.line.color, damaged.marker.symbol) == (look.colour, look.symbol)
    looks = [palette.of_method(name, theme) for name in (*palette.METHODS, "umap")]
    assert len({look.colour for look in looks}) == len({look.symbol for look in looks}) == len(looks)
