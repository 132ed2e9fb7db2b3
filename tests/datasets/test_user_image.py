"""Drawings and images as rows, against real rows that were enlarged, shifted and inverted."""

import base64
import io
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from scipy import ndimage
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from core import datasets
from core.datasets import user_image
from core.errors import BadInput

SHAPES = {name: datasets.entry(name).image_shape for name in ("mnist", "digits", "fashion-mnist", "olivetti", "frey")}
N = 300


def enlarge(row: np.ndarray, shape: tuple[int, int], random: np.random.RandomState) -> np.ndarray:
    """A row as a picture: 4 to 8 times as large, somewhere on a larger sheet, weaker, every other one dark on light."""
    scale = random.uniform(4, 8)
    size = round(shape[1] * scale), round(shape[0] * scale)
    picture = np.asarray(Image.fromarray(row.reshape(shape)).resize(size, Image.Resampling.BICUBIC), np.float32) / 255
    side = round(max(size) * random.uniform(1, 1.5))
    top, left = random.randint(0, side - size[1] + 1), random.randint(0, side - size[0] + 1)
    sheet = np.zeros((side, side), np.float32)
    sheet[top : top + size[1], left : left + size[0]] = picture
    sheet = 0.1 + 0.75 * sheet
    return 1 - sheet if random.rand() < 0.5 else sheet


def shrink(picture: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A picture light on dark, only made smaller: what a row is without being framed."""
    lowest, highest = picture.min(), picture.max()
    light = picture if np.median(picture[0]) < (lowest + highest) / 2 else lowest + highest - picture
    light = (light - lowest) / (highest - lowest)
    return np.asarray(Image.fromarray(light).resize(shape[::-1], Image.Resampling.BOX)).ravel()


def centres_of_mass(X: np.ndarray) -> np.ndarray:
    return np.array([ndimage.center_of_mass(x) for x in X.reshape(-1, 28, 28)])


def box_sides(X: np.ndarray) -> np.ndarray:
    """Height and width of what is not black, (n, 2)."""
    drawn = X.reshape(-1, 28, 28) > 0
    spans = [[np.ptp(np.flatnonzero(x.any(axis))) + 1 for axis in (1, 0)] for x in drawn]
    return np.array(spans)


@pytest.fixture(scope="module")
def sample():
    return datasets.load("mnist-sample")


@pytest.fixture(scope="module")
def chosen(sample):
    return np.random.RandomState(0).permutation(len(sample.y_test))[:N]


@pytest.fixture(scope="module")
def pictures(sample, chosen):
    random = np.random.RandomState(1)
    return [enlarge(sample.X_test[i], (28, 28), random) for i in chosen]


@pytest.fixture(scope="module")
def framed(pictures):
    return np.array([user_image.to_row(picture, "mnist-sample", (28, 28)) for picture in pictures])


def draw(*strokes):
    return user_image.rasterise_strokes([np.array(stroke) for stroke in strokes])


def test_digits_are_framed_like_mnist(sample, framed):
    for X, most in ((sample.X_test, 0.5), (framed, 0.51)):
        assert np.abs(centres_of_mass(X) - 14).max() <= most
        sides = box_sides(X).max(1)
        assert np.isin(sides, [19, 20]).all()
        assert (sides == 20).mean() > 0.8
    assert (framed.shape, framed.dtype) == ((N, 784), np.uint8)


def test_framed_digits_equal_the_originals_and_are_recognised(sample, chosen, pictures, framed):
    originals, y = sample.X_test[chosen] / 255, sample.y_test[chosen]
    unframed = np.array([shrink(picture, (28, 28)) for picture in pictures])
    error = ((framed / 255 - originals) ** 2).mean()
    assert error < 0.01
    assert error < ((unframed - originals) ** 2).mean() / 8
    classifier = make_pipeline(PCA(40, random_state=0), KNeighborsClassifier(3))
    classifier.fit(sample.floats("train"), sample.y_train)
    original = classifier.score(originals, y)
    assert original > 0.9
    assert classifier.score(framed / 255, y) > original - 0.02
    assert classifier.score(unframed, y) < original - 0.3
    # The centring alone: the same boxes of 20 by 20, in a corner.
    cornered = [np.roll(x, [-k[0].min() for k in np.nonzero(x)], (0, 1)) for x in framed.reshape(-1, 28, 28)]
    assert classifier.score(np.reshape(cornered, (N, -1)) / 255, y) < original - 0.3


def test_polarity_strength_size_uneven_paper_and_specks_change_little(sample):
    picture = enlarge(sample.X_test[3], (28, 28), np.random.RandomState(5))
    row = user_image.to_row(picture, "mnist", (28, 28)).astype(int)
    for other in (1 - picture, 0.3 * picture + 0.2, np.pad(picture, 40, mode="edge")):
        assert np.abs(user_image.to_row(other, "mnist", (28, 28)) - row).max() <= 1
    random = np.random.RandomState(0)
    light = sample.X_test[3].reshape(28, 28).repeat(8, 0).repeat(8, 1) / 255
    picture = np.pad(1 - light, 40, constant_values=1.0)
    clean = user_image.to_row(picture, "mnist", (28, 28)) / 255
    shade = np.linspace(0.75, 0.95, picture.shape[1]) + random.normal(0, 0.01, picture.shape)
    photograph = (0.1 + picture * (shade - 0.1)).clip(0, 1)
    photograph[5:9, 5:9] = 0.2
    row = user_image.to_row(photograph, "mnist", (28, 28)) / 255
    assert np.abs(row - clean).mean() < 0.01
    assert (row[clean == 0] == 0).all()


def test_small_dot_in_a_large_image_is_a_drawing():
    for paper, ink in ((0.0, 1.0), (1.0, 0.0)):
        picture = np.full((400, 400), paper)
        picture[100:104, 300:304] = ink
        row = user_image.to_row(picture, "mnist", (28, 28)).reshape(28, 28)
        assert (row[4:24, 4:24] == 255).all()
        assert row.sum() == 255 * 400


def test_digits_fill_their_bitmap_as_scikit_learns_do(sample, chosen, pictures):
    digits, y = datasets.load("digits"), sample.y_test[chosen]
    real = digits.X_train.reshape(-1, 8, 8)
    rows = np.array([user_image.to_row(picture, "digits", (8, 8)) for picture in pictures])
    ours = rows.reshape(-1, 8, 8)
    assert set(np.unique(ours)) <= set(np.unique(real))
    # Top to bottom, six columns of the eight or about as many, and the middle in the middle: as the real ones are.
    for X in (real, ours):
        assert (X[:, [0, 7]].max(2) > 0).mean() > 0.97
        assert np.isin((X.max(1) > 0).sum(1), [5, 6, 7]).mean() > 0.7
        assert abs(np.mean([ndimage.center_of_mass(x)[1] for x in X]) - 3.5) < 0.1
    classifier = KNeighborsClassifier(3).fit(digits.floats("train"), digits.y_train)
    unframed = np.array([shrink(picture, (8, 8)) for picture in pictures])
    # Another country's handwriting: not as good as on its own test rows.
    assert classifier.score(rows / 255, y) > 0.7
    assert classifier.score(unframed, y) < 0.4


def test_leaning_digits_are_straightened_and_dashes_stay_flat():
    leaning = user_image.to_row(draw([[170, 30], [90, 220]]), "digits", (8, 8)).reshape(8, 8)
    assert (leaning.max(1) > 0).all()
    assert (leaning.max(0) > 0).sum() <= 3
    dash = user_image.to_row(draw([[30, 128], [220, 128]]), "digits", (8, 8)).reshape(8, 8)
    assert (dash.max(1) > 0).sum() <= 3


def test_framed_clothes_equal_the_originals():
    fashion = datasets.load("fashion-sample")
    random = np.random.RandomState(1)
    chosen = random.permutation(len(fashion.y_test))[:N]
    pictures = [enlarge(fashion.X_test[i], (28, 28), random) for i in chosen]
    rows = np.array([user_image.to_row(picture, "fashion-sample", (28, 28)) for picture in pictures]) / 255
    originals = fashion.X_test[chosen] / 255
    error = ((rows - originals) ** 2).mean()
    unframed = np.array([shrink(picture, (28, 28)) for picture in pictures])
    assert error < 0.015
    assert error < ((unframed - originals) ** 2).mean() / 5


def test_other_data_sets_take_the_middle():
    middle = np.linspace(0.2, 0.8, 28 * 20).reshape(28, 20)
    wide = np.pad(middle.repeat(5, 0).repeat(5, 1), ((0, 0), (70, 70)))
    row = user_image.to_row(wide, "frey", (28, 20))
    assert np.abs(row / 255 - middle.ravel()).max() < 0.01
    assert user_image.to_row(wide, "olivetti", (64, 64)).shape == (4096,)


def make_marks(height, width):
    """Images with next to nothing on them, light on dark."""
    for drawn in (np.s_[height // 2, width // 2], np.s_[0, 0], np.s_[:, width // 2], np.s_[height // 2], np.s_[:, ::2]):
        picture = np.zeros((height, width), np.float32)
        picture[drawn] = 1
        yield picture
    yield np.eye(height, width, dtype=np.float32)
    yield (np.random.default_rng(0).random((height, width)) < 0.05).astype(np.float32)


def make_noise():
    random = np.random.RandomState(0)
    for k in range(120):
        picture = random.rand(*random.randint(8, 80, 2)) ** random.choice([0.1, 1, 30])
        picture = (picture > random.rand()).astype(float) if k % 3 == 0 else picture
        if k % 4 == 0:
            picture[:, random.randint(picture.shape[1]) :] = random.rand()
        if k % 5 == 0:
            picture = np.full(picture.shape, 0.5)
            picture[tuple(random.randint(n) for n in picture.shape)] = random.rand()
        yield picture


@pytest.mark.parametrize("name", SHAPES)
def test_any_image_is_a_row_or_is_refused(name):
    shape = SHAPES[name]
    marks = [picture for size in ((8, 8), (8, 700), (700, 8), (90, 60)) for picture in make_marks(*size)]
    for picture in (*marks, *(1 - picture for picture in marks), *make_noise()):
        row, refusal = None, ""
        try:
            row = user_image.to_row(picture, name, shape)
        except BadInput as problem:
            refusal = str(problem)
        if row is None:
            assert np.ptp(picture) < 0.05 or "Nothing is left" in refusal
        else:
            assert (row.shape, row.dtype) == ((np.prod(shape),), np.uint8)
            assert np.ptp(row) > 0
    for level in (0.0, 0.5, 1.0):
        with pytest.raises(BadInput, match="Nothing is drawn yet: "):
            user_image.to_row(np.full((50, 40), level), name, shape)


def test_thin_line_leaves_nothing_at_8_by_8():
    line = np.eye(200, dtype=np.float32)
    with pytest.raises(BadInput, match="Nothing is left of the drawing at 8 x 8 pixels"):
        user_image.to_row(line, "digits", (8, 8))
    assert user_image.to_row(line, "mnist", (28, 28)).any()
    with pytest.raises(BadInput, match="Nothing is drawn yet"):
        user_image.to_row(draw(), "mnist", (28, 28))


POINTS = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), min_size=1, max_size=700)


@given(st.lists(POINTS, max_size=4))
def test_strokes_survive_packing(strokes):
    packed = user_image.pack_strokes([np.array(stroke) for stroke in strokes])
    assert packed.replace("-", "").replace("_", "").isalnum() or not strokes
    unpacked = user_image.unpack_strokes(packed)
    assert [[tuple(point) for point in stroke.tolist()] for stroke in unpacked] == strokes
    assert all(stroke.dtype == np.uint8 for stroke in unpacked)


PACKED = st.lists(st.sampled_from([b"\0\1", b"\0\2", b"ab", b"c"]), max_size=8).map(b"".join)


@given(
    PACKED.map(lambda data: base64.urlsafe_b64encode(data).decode()) | st.text(max_size=30) | st.none() | st.integers()
)
def test_any_value_is_a_drawing_or_is_refused(value):
    with suppress(BadInput):
        assert user_image.pack_strokes(user_image.unpack_strokes(value)) == value.rstrip("=")


def test_packed_strokes_have_their_form_and_bounds():
    assert [s.tolist() for s in user_image.unpack_strokes("AAEDBAACAP8BAg")] == [[[3, 4]], [[0, 255], [1, 2]]]
    most = [np.full((10, 2), k) for k in range(user_image.MOST_STROKES)]
    assert len(user_image.unpack_strokes(user_image.pack_strokes(most))) == user_image.MOST_STROKES
    too_many = (
        user_image.pack_strokes([np.zeros((1, 2), int)] * 201),
        user_image.pack_strokes([np.zeros((2001, 2), int)]),
    )
    for text in ("AAEDBA AC", "AAEDBé", "A", "AAED", "AAA", "AAIDBA", "A" * 20_000, None, 7, ["AAEDBA"], *too_many):
        with pytest.raises(BadInput, match="This is no drawing: at most 200 strokes of 2,000 points in all, packed"):
            user_image.unpack_strokes(text)


def test_lines_cover_the_area_of_their_geometry():
    width = user_image.BRUSH * 200
    line = user_image.rasterise_strokes([np.array([[51, 102], [204, 102]])], 200)
    assert line.sum() == pytest.approx(120 * width + np.pi * width**2 / 4, rel=0.03)
    assert ndimage.center_of_mass(line) == pytest.approx((79.5, 99.5), abs=0.3)
    assert line.dtype == np.float32
    dot = user_image.rasterise_strokes([np.array([[128, 128]])], 200)
    assert dot.sum() == pytest.approx(np.pi * width**2 / 4, rel=0.03)
    slanted = user_image.rasterise_strokes([np.array([[60, 60], [180, 150]])], 255)
    width = user_image.BRUSH * 255
    assert slanted.sum() == pytest.approx(150 * width + np.pi * width**2 / 4, rel=0.03)


def test_drawn_digits_have_mnists_stroke_width_and_are_recognised(sample):
    """Four times the mean distance of ink to paper is a line's width."""

    def measure_width(row):
        ink = np.asarray(Image.fromarray(row.reshape(28, 28)).resize((224, 224), Image.Resampling.BICUBIC)) > 127
        return ndimage.distance_transform_edt(ink)[ink].mean() / 2

    around = np.array([[128 + 55 * np.sin(a), 128 - 85 * np.cos(a)] for a in np.linspace(0, 2 * np.pi, 40)])
    drawings = {
        0: draw(around),
        1: draw([[135, 40], [120, 215]]),
        7: draw([[75, 50], [180, 50], [110, 215]]),
        4: draw([[90, 40], [80, 130], [180, 130]], [[175, 50], [160, 220]]),
    }
    rows = np.array([user_image.to_row(picture, "mnist", (28, 28)) for picture in drawings.values()])
    real = np.percentile([measure_width(row) for row in sample.X_test[:N]], (10, 90))
    assert real[0] < measure_width(rows[2]) < real[1]
    classifier = KNeighborsClassifier(3).fit(sample.floats("train"), sample.y_train)
    assert classifier.predict(rows / 255).tolist() == list(drawings)


def seven(size=(60, 40), mode="L", ink=0, paper=255):
    picture = Image.new(mode, size, paper)
    ImageDraw.Draw(picture).line([(15, 8), (45, 8), (25, 34)], fill=ink, width=5)
    return picture


def to_file(picture, format="PNG", **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


def test_every_format_and_colour_mode_is_read():
    grey = seven()
    sixteen_bit = Image.fromarray(np.asarray(grey, np.uint16) * 257)
    colour = seven(mode="RGB", ink=(0, 0, 0), paper=(255, 255, 255))
    files = [to_file(picture, format) for format in user_image.FORMATS for picture in (grey, colour)]
    files += [to_file(grey.convert(mode)) for mode in ("1", "P", "LA", "RGBA")]
    files += [to_file(sixteen_bit), to_file(grey.convert("CMYK"), "JPEG")]
    blank = Image.new("L", (60, 40), 90)
    files += [to_file(grey, form, save_all=True, append_images=[blank, blank]) for form in ("GIF", "WEBP", "PNG")]
    for data in files:
        image = user_image.read_image(data)
        assert (image.shape, image.dtype) == ((40, 60), np.float32)
        assert np.abs(image - np.asarray(grey) / 255).mean() < 0.03


def test_transparency_is_paper_of_the_other_shade():
    for colour in (0, 255):
        picture = Image.merge("LA", (Image.new("L", (60, 40), colour), seven(ink=255, paper=0)))
        image = user_image.read_image(to_file(picture))
        assert np.abs(image - (np.asarray(seven(ink=colour, paper=255 - colour)) / 255)).max() < 0.01
    palette = to_file(seven().convert("P"), "PNG", transparency=b"\x80" * 255 + b"\x00")
    assert user_image.read_image(palette).shape == (40, 60)


def test_photographs_are_turned_upright_and_large_images_reduced():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    image = user_image.read_image(to_file(seven(), "JPEG", exif=exif.tobytes(), quality=95))
    assert image.shape == (60, 40)
    assert np.abs(image - np.rot90(np.asarray(seven()), -1) / 255).mean() < 0.03
    for format in ("PNG", "JPEG"):
        image = user_image.read_image(to_file(seven().resize((3000, 2000)), format))
        assert max(image.shape) <= 1024
        assert min(image.shape) / max(image.shape) == pytest.approx(2 / 3, abs=0.01)


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is of this size; its data are another's."""
    data = bytearray(to_file(seven()))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def test_files_that_are_no_image_are_refused_in_one_sentence():
    unknown = "This file is no picture that can be read: choose a PNG, JPEG, GIF, BMP or WebP."
    damaged = "This picture can't be read (OSError): it is damaged or cut off."
    large = "This picture has {} pixels: at most 20,000,000 can be read, so make it smaller first."
    small = "This picture has {} pixels: it needs at least 8 each way."
    for data, sentence in (
        (b"", "This file is empty: choose a PNG, JPEG, GIF, BMP or WebP picture."),
        (b"hello", unknown),
        (b"<svg/>", unknown),
        (to_file(seven(), "TIFF"), unknown),
        (bytes(5 * 2**20 + 1), "This file has 5,242,881 bytes: at most 5 MB (5,242,880) can be read."),
        (to_file(seven())[:90], damaged),
        (to_file(seven(), "JPEG")[:-200], damaged),
        (to_file(Image.new("L", (1, 1))), small.format("1 by 1")),
        (to_file(Image.new("L", (300, 7))), small.format("300 by 7")),
        (png_header(5000, 4001), large.format("20,005,000")),
        # Pillow warns of the next and refuses the last by itself.
        (png_header(10_000, 10_000), large.format("100,000,000")),
        (png_header(60_000, 60_000), large.format("far more")),
    ):
        with pytest.raises(BadInput) as refusal:
            user_image.read_image(data)
        assert str(refusal.value) == sentence


@pytest.mark.parametrize("format", user_image.FORMATS)
def test_damaged_files_are_an_image_or_are_refused(format):
    random = np.random.RandomState(0)
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"
    whole = to_file(seven(), format, **({} if format in ("GIF", "BMP") else {"exif": exif}))
    for k in range(250):
        data = bytearray(whole)
        if k % 2:
            del data[random.randint(len(data)) :]
        for _ in range(random.randint(1, 6) if data else 0):
            data[random.randint(len(data))] = random.randint(256)
        with suppress(BadInput):
            image = user_image.read_image(bytes(data))
            assert image.ndim == 2
            assert 0 <= image.min() <= image.max() <= 1
