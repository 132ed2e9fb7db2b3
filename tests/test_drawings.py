"""Drawings and pictures as rows, against real rows that were enlarged, shifted and inverted."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from core import datasets, drawings
from core.types import BadInput

SHAPES = {
    "mnist-sample": (28, 28),
    "digits": (8, 8),
    "fashion-sample": (28, 28),
    "olivetti": (64, 64),
    "frey": (28, 20),
}
N = 300


def enlarged(row: np.ndarray, shape: tuple[int, int], random: np.random.RandomState) -> np.ndarray:
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


def shrunk(picture: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
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
    return [enlarged(sample.X_test[i], (28, 28), random) for i in chosen]


@pytest.fixture(scope="module")
def framed(pictures):
    return np.array([drawings.as_row(picture, "mnist-sample", (28, 28)) for picture in pictures])


def test_mnist_is_what_its_rows_are_framed_like(sample):
    assert np.abs(centres_of_mass(sample.X_test) - 14).max() <= 0.5
    sides = box_sides(sample.X_test).max(1)
    assert np.isin(sides, [19, 20]).all()
    assert (sides == 20).mean() > 0.99


def test_rows_are_framed_like_mnist(framed):
    assert framed.shape == (N, 784)
    assert framed.dtype == np.uint8
    assert np.abs(centres_of_mass(framed) - 14).max() <= 0.5 + 0.01
    assert set(np.unique(box_sides(framed).max(1))) <= {19, 20}


def test_rows_come_back(sample, chosen, pictures, framed):
    originals = sample.X_test[chosen] / 255
    error = ((framed / 255 - originals) ** 2).mean()
    unframed = np.array([shrunk(picture, (28, 28)) for picture in pictures])
    assert error < 0.01
    assert error < ((unframed - originals) ** 2).mean() / 8


def test_a_classifier_recognises_them_as_well_as_the_originals(sample, chosen, pictures, framed):
    classifier = make_pipeline(PCA(40, random_state=0), KNeighborsClassifier(3))
    classifier.fit(sample.floats("train"), sample.y_train)
    y = sample.y_test[chosen]
    original = classifier.score(sample.X_test[chosen] / 255, y)
    assert original > 0.9
    assert classifier.score(framed / 255, y) > original - 0.02
    unframed = np.array([shrunk(picture, (28, 28)) for picture in pictures])
    assert classifier.score(unframed, y) < original - 0.3
    # The centring alone: the same boxes of 20 by 20, in a corner.
    cornered = [np.roll(x, [-k[0].min() for k in np.nonzero(x)], (0, 1)) for x in framed.reshape(-1, 28, 28)]
    assert classifier.score(np.reshape(cornered, (N, -1)) / 255, y) < original - 0.3


def test_polarity_strength_and_size_change_nothing_much(sample):
    picture = enlarged(sample.X_test[3], (28, 28), np.random.RandomState(5))
    row = drawings.as_row(picture, "mnist", (28, 28)).astype(int)
    for other in (1 - picture, 0.3 * picture + 0.2, np.pad(picture, 40, mode="edge")):
        assert np.abs(drawings.as_row(other, "mnist", (28, 28)) - row).max() <= 1


def test_uneven_paper_and_specks_are_not_drawn(sample):
    random = np.random.RandomState(0)
    row = sample.X_test[3]
    picture = np.pad(1 - row.reshape(28, 28).repeat(8, 0).repeat(8, 1) / 255, 40, constant_values=1.0)
    clean = drawings.as_row(picture, "mnist", (28, 28)) / 255
    shade = np.linspace(0.75, 0.95, picture.shape[1]) + random.normal(0, 0.01, picture.shape)
    photograph = (0.1 + picture * (shade - 0.1)).clip(0, 1)
    photograph[5:9, 5:9] = 0.2
    row = drawings.as_row(photograph, "mnist", (28, 28)) / 255
    assert np.abs(row - clean).mean() < 0.01
    assert (row[clean == 0] == 0).all()


def test_a_small_dot_in_a_large_picture_is_a_drawing():
    for paper, ink in ((0.0, 1.0), (1.0, 0.0)):
        picture = np.full((400, 400), paper)
        picture[100:104, 300:304] = ink
        row = drawings.as_row(picture, "mnist", (28, 28)).reshape(28, 28)
        assert (row[4:24, 4:24] == 255).all()
        assert row.sum() == 255 * 400


def test_digits_fill_their_bitmap_as_scikit_learns_do():
    digits = datasets.load("digits")
    real = digits.X_train.reshape(-1, 8, 8)
    random = np.random.RandomState(2)
    mnist = datasets.load("mnist-sample")
    chosen = random.permutation(len(mnist.y_test))[:N]
    pictures = [enlarged(mnist.X_test[i], (28, 28), random) for i in chosen]
    rows = np.array([drawings.as_row(picture, "digits", (8, 8)) for picture in pictures])
    ours = rows.reshape(-1, 8, 8)
    assert set(np.unique(ours)) <= set(np.unique(real))
    # Top to bottom, six columns of the eight or about as many, and the middle in the middle: as the real ones are.
    for X in (real, ours):
        assert (X[:, [0, 7]].max(2) > 0).mean() > 0.97
        assert np.isin((X.max(1) > 0).sum(1), [5, 6, 7]).mean() > 0.7
        assert abs(np.mean([ndimage.center_of_mass(x)[1] for x in X]) - 3.5) < 0.1
    classifier = KNeighborsClassifier(3).fit(digits.floats("train"), digits.y_train)
    unframed = np.array([shrunk(picture, (8, 8)) for picture in pictures])
    # Another country's handwriting: not as good as on its own test rows.
    assert classifier.score(rows / 255, mnist.y_test[chosen]) > 0.7
    assert classifier.score(unframed, mnist.y_test[chosen]) < 0.4


def test_digits_that_lean_are_straightened():
    stroke = [np.array([[170, 30], [90, 220]])]
    row = drawings.as_row(drawings.rasterise(stroke), "digits", (8, 8)).reshape(8, 8)
    assert (row.max(1) > 0).all()
    assert (row.max(0) > 0).sum() <= 3


def test_a_dash_stays_flat():
    row = drawings.as_row(drawings.rasterise([np.array([[30, 128], [220, 128]])]), "digits", (8, 8)).reshape(8, 8)
    assert (row.max(1) > 0).sum() <= 3


def test_clothes_come_back():
    fashion = datasets.load("fashion-sample")
    random = np.random.RandomState(1)
    chosen = random.permutation(len(fashion.y_test))[:N]
    pictures = [enlarged(fashion.X_test[i], (28, 28), random) for i in chosen]
    rows = np.array([drawings.as_row(picture, "fashion-sample", (28, 28)) for picture in pictures]) / 255
    originals = fashion.X_test[chosen] / 255
    error = ((rows - originals) ** 2).mean()
    assert error < 0.015
    unframed = np.array([shrunk(picture, (28, 28)) for picture in pictures])
    assert error < ((unframed - originals) ** 2).mean() / 5


def test_of_other_pictures_the_middle_is_taken_as_it_is():
    middle = np.linspace(0.2, 0.8, 28 * 20).reshape(28, 20)
    wide = np.pad(middle.repeat(5, 0).repeat(5, 1), ((0, 0), (70, 70)))
    row = drawings.as_row(wide, "frey", (28, 20))
    assert np.abs(row / 255 - middle.ravel()).max() < 0.01
    assert drawings.as_row(wide, "olivetti", (64, 64)).shape == (4096,)


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_nothing_drawn_is_said(name, level):
    with pytest.raises(BadInput, match="Nothing is drawn yet: "):
        drawings.as_row(np.full((50, 40), level), name, SHAPES[name])


@pytest.mark.parametrize("name", SHAPES)
def test_any_picture_gives_a_row_or_a_sentence(name):
    random = np.random.RandomState(0)
    shape = SHAPES[name]
    for k in range(120):
        picture = random.rand(*random.randint(8, 80, 2)) ** random.choice([0.1, 1, 30])
        if k % 3 == 0:
            picture = (picture > random.rand()).astype(float)
        if k % 4 == 0:
            picture[:, random.randint(picture.shape[1]) :] = random.rand()
        if k % 5 == 0:
            picture = np.full(picture.shape, 0.5)
            picture[tuple(random.randint(n) for n in picture.shape)] = random.rand()
        try:
            row = drawings.as_row(picture, name, shape)
        except BadInput:
            assert np.ptp(picture) < 0.05
            continue
        assert row.shape == (np.prod(shape),)
        assert row.dtype == np.uint8


# Strokes.


def test_strokes_survive_packing():
    strokes = [np.array([[0, 255]]), np.random.RandomState(0).randint(0, 256, (700, 2)), np.array([[1, 2], [3, 4]])]
    packed = drawings.pack(strokes)
    assert packed.replace("-", "").replace("_", "").isalnum()
    for ours, theirs in zip(strokes, drawings.unpack(packed), strict=True):
        assert theirs.dtype == np.uint8
        assert ours.tolist() == theirs.tolist()
    assert drawings.unpack("") == []
    assert drawings.pack([]) == ""


def test_strokes_are_packed_as_described():
    assert [s.tolist() for s in drawings.unpack("AAEDBAACAP8BAg")] == [[[3, 4]], [[0, 255], [1, 2]]]


@pytest.mark.parametrize(
    "text",
    [
        "AAEDBA AC",  # a space
        "AAEDBé",
        "A",
        "AAED",  # cut off
        "AAA",  # a stroke without points
        "AAIDBA",
        "A" * 20_000,
        None,
        7,
        ["AAEDBA"],
        drawings.pack([np.zeros((1, 2), int)] * 201),
        drawings.pack([np.zeros((2001, 2), int)]),
    ],
)
def test_what_is_no_drawing_is_refused(text):
    with pytest.raises(BadInput, match="This is no drawing: at most 200 strokes of 2,000 points in all, packed"):
        drawings.unpack(text)


def test_as_much_as_is_allowed_is_taken():
    strokes = [np.full((10, 2), k) for k in range(drawings.MOST_STROKES)]
    assert len(drawings.unpack(drawings.pack(strokes))) == drawings.MOST_STROKES


def test_a_line_covers_what_geometry_says():
    width = drawings.BRUSH * 200
    line = drawings.rasterise([np.array([[51, 102], [204, 102]])], 200)
    assert line.sum() == pytest.approx(120 * width + np.pi * width**2 / 4, rel=0.03)
    assert ndimage.center_of_mass(line) == pytest.approx((79.5, 99.5), abs=0.3)
    assert line.dtype == np.float32
    dot = drawings.rasterise([np.array([[128, 128]])], 200)
    assert dot.sum() == pytest.approx(np.pi * width**2 / 4, rel=0.03)
    slanted = drawings.rasterise([np.array([[60, 60], [180, 150]])], 255)
    width = drawings.BRUSH * 255
    assert slanted.sum() == pytest.approx(150 * width + np.pi * width**2 / 4, rel=0.03)


def test_a_drawing_has_mnists_stroke_width(sample):
    """Four times the mean distance of ink to paper is a line's width."""

    def width(row):
        ink = np.asarray(Image.fromarray(row.reshape(28, 28)).resize((224, 224), Image.Resampling.BICUBIC)) > 127
        return ndimage.distance_transform_edt(ink)[ink].mean() / 2

    real = np.percentile([width(row) for row in sample.X_test[:N]], (10, 90))
    seven = [np.array([[75, 50], [180, 50], [110, 215]])]
    assert real[0] < width(drawings.as_row(drawings.rasterise(seven), "mnist", (28, 28))) < real[1]


def test_drawn_digits_are_recognised(sample):
    classifier = KNeighborsClassifier(3).fit(sample.floats("train"), sample.y_train)
    around = np.array([[128 + 55 * np.sin(a), 128 - 85 * np.cos(a)] for a in np.linspace(0, 2 * np.pi, 40)])
    drawn = {
        0: [around],
        1: [np.array([[135, 40], [120, 215]])],
        7: [np.array([[75, 50], [180, 50], [110, 215]])],
        4: [np.array([[90, 40], [80, 130], [180, 130]]), np.array([[175, 50], [160, 220]])],
    }
    rows = [drawings.as_row(drawings.rasterise(strokes), "mnist", (28, 28)) / 255 for strokes in drawn.values()]
    assert classifier.predict(rows).tolist() == list(drawn)


def test_no_stroke_is_nothing_drawn():
    with pytest.raises(BadInput, match="Nothing is drawn yet"):
        drawings.as_row(drawings.rasterise([]), "mnist", (28, 28))


# Files.


def seven(size=(60, 40), mode="L", ink=0, paper=255):
    picture = Image.new(mode, size, paper)
    ImageDraw.Draw(picture).line([(15, 8), (45, 8), (25, 34)], fill=ink, width=5)
    return picture


def as_file(picture, format="PNG", **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, format, **options)
    return file.getvalue()


@pytest.mark.parametrize("format", drawings.FORMATS)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_every_format_is_read(format, mode):
    ink, paper = (0, 255) if mode == "L" else ((0, 0, 0), (255, 255, 255))
    image = drawings.read_image(as_file(seven(mode=mode, ink=ink, paper=paper), format))
    assert image.shape == (40, 60)
    assert image.dtype == np.float32
    assert np.abs(image - np.asarray(seven()) / 255).mean() < 0.03


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "I;16", "CMYK"])
def test_every_way_of_writing_colour_is_read(mode):
    grey = seven()
    picture = Image.fromarray(np.asarray(grey, np.uint16) * 257) if mode == "I;16" else grey.convert(mode)
    image = drawings.read_image(as_file(picture, "JPEG" if mode == "CMYK" else "PNG"))
    assert np.abs(image - np.asarray(seven()) / 255).mean() < 0.03


@pytest.mark.parametrize("colour", [0, 255])
def test_what_is_transparent_is_paper_of_the_other_shade(colour):
    picture = Image.merge("LA", (Image.new("L", (60, 40), colour), seven(ink=255, paper=0)))
    image = drawings.read_image(as_file(picture))
    assert np.abs(image - (np.asarray(seven(ink=colour, paper=255 - colour)) / 255)).max() < 0.01


def test_a_palette_may_be_transparent():
    image = drawings.read_image(as_file(seven().convert("P"), "PNG", transparency=b"\x80" * 255 + b"\x00"))
    assert image.shape == (40, 60)


def test_a_photograph_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    image = drawings.read_image(as_file(seven(), "JPEG", exif=exif.tobytes(), quality=95))
    assert image.shape == (60, 40)
    assert np.abs(image - np.rot90(np.asarray(seven()), -1) / 255).mean() < 0.03


def test_of_an_animation_the_first_frame_is_read():
    for format in ("GIF", "WEBP", "PNG"):
        blank = Image.new("L", (60, 40), 90)
        data = as_file(seven(), format, save_all=True, append_images=[blank, blank])
        assert np.abs(drawings.read_image(data) - np.asarray(seven()) / 255).mean() < 0.03


def test_a_large_picture_is_reduced():
    for format in ("PNG", "JPEG"):
        image = drawings.read_image(as_file(seven().resize((3000, 2000)), format))
        assert max(image.shape) <= 1024
        assert min(image.shape) / max(image.shape) == pytest.approx(2 / 3, abs=0.01)


def png_header(width: int, height: int) -> bytes:
    """A PNG that says it is of this size; its data are another's."""
    data = bytearray(as_file(seven()))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "This file is empty: choose a PNG, JPEG, GIF, BMP or WebP picture."),
        (b"hello", "This file is no picture that can be read: choose a PNG, JPEG, GIF, BMP or WebP."),
        (b"<svg/>", "This file is no picture that can be read: choose a PNG, JPEG, GIF, BMP or WebP."),
        (as_file(seven(), "TIFF"), "This file is no picture that can be read: choose a PNG, JPEG, GIF, BMP or WebP."),
        (bytes(5 * 2**20 + 1), "This file has 5,242,881 bytes: at most 5 MB (5,242,880) can be read."),
        (as_file(seven())[:90], "This picture can't be read (OSError): it is damaged or cut off."),
        (as_file(seven(), "JPEG")[:-200], "This picture can't be read (OSError): it is damaged or cut off."),
        (as_file(Image.new("L", (1, 1))), "This picture has 1 by 1 pixels: it needs at least 8 each way."),
        (as_file(Image.new("L", (300, 7))), "This picture has 300 by 7 pixels: it needs at least 8 each way."),
        (
            png_header(5000, 4001),
            "This picture has 20,005,000 pixels: at most 20,000,000 can be read, so make it smaller first.",
        ),
        # Pillow warns of the next and refuses the last by itself.
        (
            png_header(10_000, 10_000),
            "This picture has 100,000,000 pixels: at most 20,000,000 can be read, so make it smaller first.",
        ),
        (
            png_header(60_000, 60_000),
            "This picture has far more pixels: at most 20,000,000 can be read, so make it smaller first.",
        ),
    ],
)
def test_what_is_no_picture_is_refused_in_one_sentence(data, sentence):
    with pytest.raises(BadInput) as refusal:
        drawings.read_image(data)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("format", drawings.FORMATS)
def test_damaged_files_give_a_picture_or_a_sentence(format):
    random = np.random.RandomState(0)
    exif = (
        {} if format in ("GIF", "BMP") else {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"}
    )
    whole = as_file(seven(), format, **exif)
    for k in range(250):
        data = bytearray(whole)
        if k % 2:
            del data[random.randint(len(data)) :]
        for _ in range(random.randint(1, 6)):
            if data:
                data[random.randint(len(data))] = random.randint(256)
        try:
            image = drawings.read_image(bytes(data))
        except BadInput:
            continue
        assert image.ndim == 2
        assert 0 <= image.min() <= image.max() <= 1
