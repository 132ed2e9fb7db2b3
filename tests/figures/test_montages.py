"""Montages and small maps against arrays made by hand."""

import io

import numpy as np
from PIL import Image

from core.figures import montages, palette


def test_montage_places_images_in_order():
    images = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]], np.uint8)
    picture = montages.make_montage(images, (2, 2), 2, cell=2, gap=1)
    luminance = [[1, 2, 0, 5, 6], [3, 4, 0, 7, 8], [0, 0, 0, 0, 0], [9, 10, 0, 0, 0], [11, 12, 0, 0, 0]]
    alpha = [[255, 255, 0, 255, 255]] * 2 + [[0] * 5] + [[255, 255, 0, 0, 0]] * 2
    assert [picture[..., k].tolist() for k in (0, 1)] == [luminance, alpha]
    # Images are enlarged by whole numbers, and one that is larger than its cell is not cut.
    picture = montages.make_montage(np.arange(6, dtype=np.uint8)[None], (2, 3), 1, cell=10, gap=4)
    assert (picture.shape, picture[::3, ::3, 0].tolist()) == ((6, 9, 2), [[0, 1, 2], [3, 4, 5]])
    assert montages.make_montage(np.ones((1, 64 * 64), np.uint8), (64, 64), 1, cell=10).shape[:2] == (64, 64)


def test_thumbnail_puts_a_point_up_and_right():
    points = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    picture = montages.make_thumbnail(points, np.array([0, 0, 0, 1]), "light", 100)
    red, green, blue = palette.to_rgb(palette.CLASSES["light"][1])
    y, x = np.nonzero((picture[..., :3] == (red, green, blue)).all(axis=2) & (picture[..., 3] > 200))
    assert y.max() < 20
    assert x.min() > 80
    assert picture[50, 50, 3] == 0
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(montages.encode_png(picture)))), picture)


def test_thumbnail_takes_any_points():
    for points in ([], [[np.nan] * 2] * 3, [[0.0, 0.0]] * 5, [[0.0, 0.0], [np.inf, 1.0], [1e30, 1.0]]):
        points = np.reshape(points, (-1, 2))
        picture = montages.make_thumbnail(points, None, "dark", 60)
        assert picture.shape == (60, 60, 4)
        assert bool(picture[..., 3].any()) == bool(np.isfinite(points).all(axis=1).any())


def test_thumbnail_hides_no_class():
    """Two classes on one another: each is to be seen about as often, whichever comes first."""
    points = np.repeat(np.random.default_rng(0).uniform(size=(300, 2)), 2, axis=0)
    picture = montages.make_thumbnail(points, np.tile([0, 1], 300), "light", 240)
    seen = [(picture[..., :3] == palette.to_rgb(palette.CLASSES["light"][k])).all(axis=2).sum() for k in (0, 1)]
    assert 0.7 < seen[0] / seen[1] < 1.4


def cells(data, width, height, columns):
    """The images of a sprite, as a browser cuts them out: each is at (k % columns, k // columns)."""
    picture = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    assert picture.shape[1] == width * columns
    corners = [(y, x) for y in range(0, len(picture), height) for x in range(0, width * columns, width)]
    return [picture[y : y + height, x : x + width].ravel() for y, x in corners]


def test_sprite_holds_image_k_in_cell_k():
    for shape, n in (((8, 8), 1), ((28, 20), 5), ((3, 7), 50)):
        images = np.random.default_rng(n).integers(0, 255, (n, shape[0] * shape[1]), np.uint8, endpoint=True)
        data, media, width, height, columns = montages.make_sprite(images, shape)
        assert (media, height, width) == ("image/png", *shape)
        found = cells(data, width, height, columns)
        assert np.array_equal(found[:n], images)
        assert not np.any(found[n:])
        assert (columns - 1) ** 2 < n <= columns**2


def test_large_sprite_has_16_greys_and_half_the_bytes():
    images = np.random.default_rng(0).integers(0, 255, (2600, 784), np.uint8, endpoint=True)
    data, _, width, height, columns = montages.make_sprite(images, (28, 28))
    assert len(data) < 0.51 * width * height * columns**2
    found = np.array(cells(data, width, height, columns)[:2600], float)
    assert np.abs(found - images).max() <= 8.5
    assert len(np.unique(found)) == 16


def test_titled_sheets_are_below_one_another_and_no_title_changes_them():
    images = np.random.default_rng(0).integers(200, 256, (5, 12), np.uint8)
    luminance, alpha = np.moveaxis(montages.make_montage(images, (3, 4), 4, cell=56), 2, 0)
    expected = np.where(alpha > 0, luminance, 255)
    height, width = expected.shape
    for title in ("One", "Zürich ² 😀 – “q”", "x" * 500, "two\nlines"):
        picture, end = montages.make_titled_montage([(title, images), ("Two", images)], (3, 4), 4, cell=56), 0
        assert picture.shape[1] == width
        for _ in range(2):
            tops = range(end, len(picture) - height + 1)
            top = next(k for k in tops if (picture[k : k + height] == expected).all())
            assert (picture[end:top] < 128).any(), "a title is above it"
            end = top + height
