"""Drawings and images as rows, against real rows that were enlarged, shifted and inverted."""

import io
import struct
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage
from sklearn.neighbors import KNeighborsClassifier

from core import datasets
from core.datasets import user_image
from core.errors import BadInput

N = 200


def enlarge(row, random):
    """A row as a picture: 4 to 8 times as large, somewhere on a larger sheet, weaker, every other one dark on light."""
    size = round(28 * random.uniform(4, 8))
    picture = Image.fromarray(row.reshape(28, 28)).resize((size, size), Image.Resampling.BICUBIC)
    side = round(size * random.uniform(1, 1.5))
    top, left = random.randint(0, side - size + 1, 2)
    sheet = np.full((side, side), 0.1, np.float32)
    sheet[top : top + size, left : left + size] += 0.75 * np.asarray(picture, np.float32) / 255
    return 1 - sheet if random.rand() < 0.5 else sheet


def frame(pictures, name, shape):
    return np.array([user_image.to_row(picture, name, shape) for picture in pictures])


@pytest.fixture(scope="module")
def sample():
    return datasets.load("mnist-sample")


def enlarge_rows(dataset):
    """Positions of test rows, and these rows as pictures."""
    random = np.random.RandomState(1)
    chosen = random.permutation(len(dataset.y_test))[:N]
    return chosen, [enlarge(dataset.X_test[i], random) for i in chosen]


def test_framed_digits_equal_the_originals_and_are_recognised(sample):
    chosen, pictures = enlarge_rows(sample)
    originals, y, framed = sample.X_test[chosen] / 255, sample.y_test[chosen], frame(pictures, "mnist", (28, 28))
    for X, most in ((sample.X_test, 0.5), (framed, 0.51)):
        images = X.reshape(-1, 28, 28)
        assert np.abs(np.array([ndimage.center_of_mass(x) for x in images]) - 14).max() <= most
        spans = np.array([[np.ptp(np.flatnonzero((x > 0).any(axis))) + 1 for axis in (1, 0)] for x in images])
        assert np.isin(spans.max(1), [19, 20]).all()
    assert ((framed / 255 - originals) ** 2).mean() < 0.01
    classifier = KNeighborsClassifier(3).fit(sample.floats("train"), sample.y_train)
    assert classifier.score(framed / 255, y) > classifier.score(originals, y) - 0.02


def test_digits_fill_their_bitmap_as_scikit_learns_do(sample):
    digits, (chosen, pictures) = datasets.load("digits"), enlarge_rows(sample)
    rows = frame(pictures, "digits", (8, 8))
    real, ours = digits.X_train.reshape(-1, 8, 8), rows.reshape(-1, 8, 8)
    assert set(np.unique(ours)) <= set(np.unique(real))
    # Top to bottom, six columns of the eight or about as many, and the middle in the middle: as the real ones are.
    for X in (real, ours):
        assert (X[:, [0, 7]].max(2) > 0).mean() > 0.97
        assert np.isin((X.max(1) > 0).sum(1), [5, 6, 7]).mean() > 0.7
        assert abs(np.mean([ndimage.center_of_mass(x)[1] for x in X]) - 3.5) < 0.1
    # Another country's handwriting: not as good as on its own test rows.
    classifier = KNeighborsClassifier(3).fit(digits.floats("train"), digits.y_train)
    assert classifier.score(rows / 255, sample.y_test[chosen]) > 0.7


def test_framed_clothes_equal_the_originals_and_other_sets_take_the_middle():
    fashion = datasets.load("fashion-sample")
    chosen, pictures = enlarge_rows(fashion)
    rows = frame(pictures, "fashion-sample", (28, 28))
    assert ((rows / 255 - fashion.X_test[chosen] / 255) ** 2).mean() < 0.015
    middle = np.linspace(0.2, 0.8, 28 * 20).reshape(28, 20)
    wide = np.pad(middle.repeat(5, 0).repeat(5, 1), ((0, 0), (70, 70)))
    assert np.abs(user_image.to_row(wide, "frey", (28, 20)) / 255 - middle.ravel()).max() < 0.01


def test_any_image_is_a_row_or_is_refused():
    random = np.random.default_rng(0)
    for name in ("mnist", "digits", "fashion-mnist", "olivetti", "frey"):
        shape = datasets.entry(name).image_shape
        for size in ((8, 8), (8, 700), (90, 60)):
            dot, noise = np.zeros(size), (random.random(size) < 0.05).astype(float)
            dot[size[0] // 2, size[1] // 2] = 1
            for picture in (dot, np.eye(*size), noise, 1 - dot, 1 - noise):
                with suppress(BadInput):
                    row = user_image.to_row(picture, name, shape)
                    assert (row.shape, row.dtype, np.ptp(row) > 0) == ((np.prod(shape),), np.uint8, True)
        with pytest.raises(BadInput, match="Nothing is drawn yet: "):
            user_image.to_row(np.full((50, 40), 0.5), name, shape)


def test_packed_strokes_have_their_form_and_bounds():
    strokes = user_image.unpack_strokes("AAEDBAACAP8BAg")
    assert [stroke.tolist() for stroke in strokes] == [[[3, 4]], [[0, 255], [1, 2]]]
    assert user_image.pack_strokes(strokes) == "AAEDBAACAP8BAg"
    too_many = [user_image.pack_strokes([np.zeros((n, 2), int)] * k) for n, k in ((1, 201), (2001, 1))]
    for text in ("AAEDBé", "AAED", "A" * 20_000, None, *too_many):
        with pytest.raises(BadInput, match="This is no drawing: at most 200 strokes of 2,000 points in all, packed"):
            user_image.unpack_strokes(text)


def test_lines_cover_the_area_of_their_geometry():
    points, length, size = [[60, 60], [180, 150]], 150, 255
    width, line = user_image.BRUSH * size, user_image.rasterise_strokes([np.array(points)], size)
    assert line.sum() == pytest.approx(length * width + np.pi * width**2 / 4, rel=0.03)
    assert ndimage.center_of_mass(line) == pytest.approx(np.mean(points, axis=0)[::-1] - 0.5, abs=0.3)


def test_drawn_digits_are_recognised(sample):
    around = np.array([[128 + 55 * np.sin(a), 128 - 85 * np.cos(a)] for a in np.linspace(0, 2 * np.pi, 40)])
    seven, four = [[[75, 50], [180, 50], [110, 215]]], [[[90, 40], [80, 130], [180, 130]], [[175, 50], [160, 220]]]
    drawings = [user_image.rasterise_strokes([np.array(part) for part in parts]) for parts in ([around], seven, four)]
    classifier = KNeighborsClassifier(3).fit(sample.floats("train"), sample.y_train)
    assert classifier.predict(frame(drawings, "mnist", (28, 28)) / 255).tolist() == [0, 7, 4]


def seven(ink=0, paper=255):
    picture = Image.new("L", (60, 40), paper)
    ImageDraw.Draw(picture).line([(15, 8), (45, 8), (25, 34)], fill=ink, width=5)
    return picture


def to_file(picture, format="PNG", **options):
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def test_formats_colour_modes_transparency_and_orientation_are_read():
    grey, exif = seven(), Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    files = [to_file(grey, format) for format in user_image.FORMATS]
    files += [to_file(grey.convert(mode)) for mode in ("1", "P", "LA", "RGB", "RGBA")]
    files += [to_file(Image.fromarray(np.asarray(grey, np.uint16) * 257)), to_file(grey.convert("CMYK"), "JPEG")]
    files.append(to_file(grey, "GIF", save_all=True, append_images=[Image.new("L", (60, 40), 90)]))
    files.append(to_file(grey.rotate(90, expand=True), "JPEG", exif=exif.tobytes(), quality=95))
    for data in files:
        image = user_image.read_image(data)
        assert (image.shape, image.dtype) == ((40, 60), np.float32)
        assert np.abs(image - np.asarray(grey) / 255).mean() < 0.03
    for shade in (0, 255):
        picture = Image.merge("LA", (Image.new("L", (60, 40), shade), seven(ink=255, paper=0)))
        expected = np.asarray(seven(ink=shade, paper=255 - shade)) / 255
        assert np.abs(user_image.read_image(to_file(picture)) - expected).max() < 0.01
    assert user_image.read_image(to_file(seven().resize((3000, 2000)))).shape == (683, 1024)


def test_files_that_are_no_image_are_refused_in_one_sentence():
    unknown = "This file is no picture that can be read: choose a PNG, JPEG, GIF, BMP or WebP."
    bomb = b"GIF89a" + struct.pack("<HH", 60_000, 60_000) + to_file(seven(), "GIF")[10:]
    for data, sentence in (
        (b"", "This file is empty"),
        (b"<svg/>", unknown),
        (bytes(5 * 2**20 + 1), "This file has 5,242,881 bytes: at most 5 MB (5,242,880) can be read."),
        (to_file(seven())[:90], "This picture can't be read (OSError): it is damaged or cut off."),
        (to_file(Image.new("L", (300, 7))), "This picture has 300 by 7 pixels: it needs at least 8 each way."),
        (to_file(Image.new("1", (5000, 4001))), "This picture has 20,005,000 pixels: at most 20,000,000 can be read"),
        (bomb, "This picture has far more pixels"),  # Pillow refuses it itself
    ):
        with pytest.raises(BadInput) as refusal:
            user_image.read_image(data)
        assert str(refusal.value).startswith(sentence)


def test_damaged_files_are_an_image_or_are_refused():
    random = np.random.RandomState(0)
    for format in user_image.FORMATS:
        whole = to_file(seven(), format)
        for _ in range(100):
            data = bytearray(whole[: random.randint(1, 2 * len(whole))])
            data[random.randint(len(data))] = random.randint(256)
            with suppress(BadInput):
                image = user_image.read_image(bytes(data))
                assert (image.ndim, 0 <= image.min() <= image.max() <= 1) == (2, True)
