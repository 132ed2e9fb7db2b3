"""Montages and small maps against arrays made by hand."""

import io

import numpy as np
import pytest
from PIL import Image

from core.figures import montages, palette


def test_montage_places_every_image_where_it_belongs():
    images = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]], np.uint8)
    picture = montages.make_montage(images, (2, 2), 2, cell=2, gap=1)
    luminance = [[1, 2, 0, 5, 6], [3, 4, 0, 7, 8], [0, 0, 0, 0, 0], [9, 10, 0, 0, 0], [11, 12, 0, 0, 0]]
    alpha = [[255, 255, 0, 255, 255]] * 2 + [[0] * 5] + [[255, 255, 0, 0, 0]] * 2
    assert picture[..., 0].tolist() == luminance
    assert picture[..., 1].tolist() == alpha


def test_montage_enlarges_by_whole_numbers_and_keeps_the_shape():
    image = np.arange(6, dtype=np.uint8)[None]
    picture = montages.make_montage(image, (2, 3), 1, cell=10, gap=4)
    assert picture.shape == (6, 9, 2)
    assert picture[::3, ::3, 0].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (picture[:3, :3, 0] == 0).all()


def test_an_image_larger_than_its_cell_is_not_cut():
    assert montages.make_montage(np.ones((1, 64 * 64), np.uint8), (64, 64), 1, cell=10).shape[:2] == (64, 64)


def test_strips_of_one_shape_align():
    one, other = (montages.make_montage(np.zeros((n, 20), np.uint8), (5, 4), 10) for n in (10, 7))
    assert one.shape == other.shape


def test_thumbnail_puts_a_point_up_and_right():
    points = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    picture = montages.make_thumbnail(points, np.array([0, 0, 0, 1]), "light", 100)
    red, green, blue = palette.to_rgb(palette.CLASSES["light"][1])
    y, x = np.nonzero((picture[..., :3] == (red, green, blue)).all(axis=2) & (picture[..., 3] > 200))
    assert y.max() < 20
    assert x.min() > 80
    assert picture[50, 50, 3] == 0


@pytest.mark.parametrize(
    "points",
    [np.zeros((0, 2)), np.full((3, 2), np.nan), np.zeros((5, 2)), np.array([[0.0, 0.0], [np.inf, 1.0], [1e30, 1.0]])],
    ids=["none", "nan", "one place", "huge"],
)
def test_thumbnail_takes_any_points(points):
    picture = montages.make_thumbnail(points, None, "dark", 60)
    assert picture.shape == (60, 60, 4)
    assert bool(picture[..., 3].any()) == bool(np.isfinite(points).all(axis=1).any())


def test_no_class_hides_another():
    """Two classes on one another: each is to be seen about as often, whichever comes first."""
    points = np.repeat(np.random.default_rng(0).uniform(size=(300, 2)), 2, axis=0)
    picture = montages.make_thumbnail(points, np.tile([0, 1], 300), "light", 240)
    seen = [(picture[..., :3] == palette.to_rgb(palette.CLASSES["light"][k])).all(axis=2).sum() for k in (0, 1)]
    assert 0.7 < seen[0] / seen[1] < 1.4


def test_png_holds_the_picture():
    picture = np.random.default_rng(0).integers(0, 255, (7, 5, 4), np.uint8)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(montages.encode_png(picture)))), picture)


def cells(data, width, height, columns):
    """The images of a sprite, as a browser cuts them out: each is at (k % columns, k // columns)."""
    picture = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    assert picture.shape[1] == width * columns
    lines = picture.shape[0] // height
    return [
        picture[k // columns * height :, k % columns * width :][:height, :width].ravel() for k in range(lines * columns)
    ]


def test_a_sprite_holds_image_k_in_cell_k():
    for shape in [(8, 8), (28, 20), (3, 7)]:
        for n in [1, 2, 5, 9, 50]:
            images = np.random.default_rng(n).integers(0, 255, (n, shape[0] * shape[1]), np.uint8, endpoint=True)
            data, media, width, height, columns = montages.make_sprite(images, shape)
            assert media == "image/png"
            assert (height, width) == shape
            found = cells(data, width, height, columns)
            assert np.array_equal(found[:n], images)
            assert not np.any(found[n:])
            assert (columns - 1) ** 2 < n <= columns**2


def test_a_large_sprite_is_off_by_at_most_half_a_step_of_sixteen_greys(monkeypatch):
    monkeypatch.setattr(montages, "_MOST_IN_256_GREYS", 6 * 6 * 100)
    every_grey = np.arange(256, dtype=np.uint8).repeat(12)[: 30 * 100].reshape(30, 100)
    images = np.vstack([every_grey, np.random.default_rng(0).integers(0, 255, (5, 100), np.uint8, endpoint=True)])
    exact = montages.make_sprite(images, (10, 10))
    assert np.array_equal(cells(exact[0], *exact[2:])[:35], images)
    more = np.vstack([images, images])
    data, _, *layout = montages.make_sprite(more, (10, 10))
    found = np.array(cells(data, *layout)[:70], float)
    assert np.abs(found - more).max() <= 8.5
    assert len(np.unique(found)) == 16
    assert Image.open(io.BytesIO(data)).mode == "P"


def test_a_large_sprite_takes_at_most_half_a_byte_a_pixel():
    images = np.random.default_rng(0).integers(0, 255, (2600, 784), np.uint8)
    data, _, width, height, columns = montages.make_sprite(images, (28, 28))
    assert len(data) < 0.51 * width * height * columns**2


def ink(picture: np.ndarray) -> np.ndarray:
    """Whether each line of a picture has a dark pixel."""
    return (picture < 128).any(axis=1)


def test_titled_sheets_stand_below_one_another_with_a_line_of_text_above_each():
    rng = np.random.default_rng(0)
    sheets = [("One", rng.integers(200, 256, (5, 12), np.uint8)), ("Two", rng.integers(200, 256, (3, 12), np.uint8))]
    picture = montages.make_titled_montage(sheets, (3, 4), 4, cell=56)
    assert picture.dtype == np.uint8
    assert picture.ndim == 2
    scale = 56 // 4
    top = 0
    for _, images in sheets:
        lines = ink(picture[top : top + montages._TITLE])
        assert lines.any(), "a title is to be read above it"
        top += montages._TITLE
        montage = montages.make_montage(images, (3, 4), 4, cell=56)
        height, width = montage.shape[:2]
        found = picture[top : top + height]
        inside = montage[..., 1] > 0
        assert np.array_equal(found[:, :width][inside], montage[..., 0][inside])
        assert (found[:, :width][~inside] == 255).all()
        assert (found[:, width:] == 255).all()
        top += height + montages._TITLE // 2
    assert top == len(picture)
    assert picture.shape[1] == 4 * 4 * scale + 3 * 4


def test_any_title_is_drawn_or_cut_and_changes_no_image():
    for title in ["", "Zürich ² 😀 – “q”", "x" * 500, "two\nlines"]:
        images = np.full((2, 4), 77, np.uint8)
        plain, other = (montages.make_titled_montage([(each, images)], (2, 2), 2, cell=20) for each in ("a", title))
        assert plain.shape == other.shape
        assert np.array_equal(plain[montages._TITLE :], other[montages._TITLE :])


def test_sheets_of_one_image_and_of_many_share_a_picture():
    sheets = [("few", np.zeros((1, 4), np.uint8)), ("many", np.zeros((9, 4), np.uint8))]
    assert montages.make_titled_montage(sheets, (2, 2), 4, cell=10).ndim == 2
