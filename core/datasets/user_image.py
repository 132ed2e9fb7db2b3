"""A person's picture or drawing as a row of a data set: read safely, then framed as the data set's own images."""

import base64
import io
import threading
import warnings
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageOps, UnidentifiedImageError
from scipy import ndimage

from core.errors import BadInput

MOST_BYTES = 5 * 1024 * 1024
MOST_PIXELS = 20_000_000
LEAST_SIDE = 8
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")

SIDE = 255  # a stroke's coordinates are whole numbers from 0 to this, to the right and downwards
MOST_POINTS = 2000
MOST_STROKES = 200
# Share of the pad's side. MNIST's strokes are 2.6 of 20 pixels wide (median), and people fill some two thirds of a pad.
BRUSH = 0.09

_TOO_LARGE = f"This picture has {{}} pixels: at most {MOST_PIXELS:,} can be read, so make it smaller first."
_LONGEST_SIDE = 1024  # pixels; a larger picture is reduced
_FAINTEST = 0.04  # smallest difference between ink and paper
_SPECK = 0.03  # share of the largest piece's ink: smaller pieces are ignored
_SUPERSAMPLING = 4
_MOST_LEAN = 0.7  # pixels to the side for each downwards
_quiet = threading.Lock()  # warning filters belong to the whole process


def read_image(data: bytes) -> np.ndarray:
    """The image in an uploaded file, upright and in grey: (h, w) float32 in [0, 1], 0 is black.

    `data` is a PNG, JPEG, GIF, BMP or WebP file of at most 5 MB and 20 million pixels; of an animation the first frame
    is read. A transparent image gets a white background if its visible part is dark, otherwise a black one. The longer
    side is reduced to 1,024 pixels. Raises BadInput for another file, a damaged, too large or too small one.
    """
    if not data:
        raise BadInput("This file is empty: choose a PNG, JPEG, GIF, BMP or WebP picture.")
    if len(data) > MOST_BYTES:
        most = f"{MOST_BYTES >> 20} MB ({MOST_BYTES:,})"
        raise BadInput(f"This file has {len(data):,} bytes: at most {most} can be read.")
    with _quiet, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of large and of oddly written files
        try:
            with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
                width, height = picture.size
                if width * height > MOST_PIXELS:
                    raise BadInput(_TOO_LARGE.format(f"{width * height:,}"))
                if min(width, height) < LEAST_SIDE:
                    size = f"{width} by {height} pixels"
                    raise BadInput(f"This picture has {size}: it needs at least {LEAST_SIDE} each way.")
                return _grey(picture)
        except BadInput:
            raise
        except UnidentifiedImageError:
            raise BadInput("This file is no picture that can be read: choose a PNG, JPEG, GIF, BMP or WebP.") from None
        except Image.DecompressionBombError:
            raise BadInput(_TOO_LARGE.format("far more")) from None
        except Exception as error:  # each decoder fails in its own way on damaged files
            raise BadInput(f"This picture can't be read ({type(error).__name__}): it is damaged or cut off.") from None


def _grey(picture: Image.Image) -> np.ndarray:
    """Luminance of an opened image: (h, w) float32 in [0, 1]."""
    picture.draft("RGB", (_LONGEST_SIDE, _LONGEST_SIDE))
    ImageOps.exif_transpose(picture, in_place=True)
    if picture.mode.startswith("I"):  # 16 bits a pixel
        picture = Image.fromarray((np.asarray(picture, np.float32) / 65535 * 255).clip(0, 255))
    else:
        picture = picture.convert("RGBA" if picture.has_transparency_data else "L")
    if max(picture.size) > _LONGEST_SIDE:
        picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE), Image.Resampling.BOX)
    if picture.mode != "RGBA":
        return np.asarray(picture, np.float32) / 255
    grey = np.asarray(picture.convert("L"), np.float32) / 255
    opacity = np.asarray(picture.getchannel("A"), np.float32) / 255
    dark = (grey * opacity).sum() < 0.5 * opacity.sum()
    return grey * opacity + np.float32(dark) * (1 - opacity)


def unpack_strokes(text: str) -> list[np.ndarray]:
    """The strokes of a drawing from the drawing pad: (n, 2) uint8 each, x and y to the right and downwards.

    `text` is unpadded base64 with ``-`` and ``_`` of each stroke: its number of points as a big-endian 16-bit integer,
    then x and y of each point, a byte each. Raises BadInput for another form, over 200 strokes or 2,000 points.
    """
    refusal = BadInput(f"This is no drawing: at most {MOST_STROKES} strokes of {MOST_POINTS:,} points in all, packed.")
    if not isinstance(text, str) or len(text) > 4 * (MOST_POINTS + MOST_STROKES):
        raise refusal
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise refusal from None
    strokes, at = [], 0
    while at < len(packed):
        n = int.from_bytes(packed[at : at + 2], "big")
        points = packed[at + 2 : at + 2 + 2 * n]
        if not n or len(points) != 2 * n:
            raise refusal
        strokes.append(np.frombuffer(points, np.uint8).reshape(n, 2))
        at += 2 + 2 * n
    if len(strokes) > MOST_STROKES or sum(map(len, strokes)) > MOST_POINTS:
        raise refusal
    return strokes


def pack_strokes(strokes: Sequence[np.ndarray]) -> str:
    """Inverse of `unpack_strokes`."""
    parts = [len(stroke).to_bytes(2, "big") + np.asarray(stroke, np.uint8).tobytes() for stroke in strokes]
    return base64.urlsafe_b64encode(b"".join(parts)).decode().rstrip("=")


def rasterise_strokes(strokes: Sequence[np.ndarray], size: int = 224) -> np.ndarray:
    """Draw strokes, (n, 2) uint8 each, as lines with round ends, `BRUSH` of the side wide.

    Returns (size, size) float32 in [0, 1]: ink is 1, paper 0.
    """
    side = size * _SUPERSAMPLING
    picture = Image.new("L", (side, side))
    draw = ImageDraw.Draw(picture)
    radius = BRUSH * side / 2
    for stroke in strokes:
        points = [tuple(point) for point in np.asarray(stroke, float) * (side / SIDE) - 0.5]
        draw.line(points, fill=255, width=round(2 * radius))
        for x, y in points:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    picture = picture.resize((size, size), Image.Resampling.BOX)
    return np.asarray(picture, np.float32) / 255


def to_row(image: np.ndarray, dataset: str, image_shape: tuple[int, int]) -> np.ndarray:
    """Prepare an image, (h, w) floats in [0, 1], as the named data set's own images were: (n_pixels,) uint8.

    MNIST's digits (LeCun et al. 1998) fit a box of 20 by 20 pixels, keeping their aspect ratio, in a field of 28 by
    28 whose centre is their centre of mass. scikit-learn's digits (Garris et al. 1994) are straightened and fill the
    height of a bitmap of 32 by 32, whose ink is counted in blocks of 4 by 4. Fashion-MNIST's clothes (Xiao et al.
    2017) are trimmed and fill the longer side. All three are light on dark; an image with a light border is inverted.
    Other data sets take the middle of the image, in the aspect ratio of `image_shape`.

    Raises BadInput if the picture has one shade, or nothing of it is left at this size.

    LeCun et al. 1998, Gradient-based learning applied to document recognition, section III.A; Garris et al. 1994, NIST
    Form-Based Handprint Recognition System, NISTIR 5469; Xiao et al. 2017, Fashion-MNIST, arXiv:1708.07747, section 2.
    """
    image = np.asarray(image, np.float32)
    if np.ptp(image) < _FAINTEST:
        raise BadInput("Nothing is drawn yet: draw something, or choose a picture that is not of one shade.")
    levels = _FRAMES.get(dataset, _middle)(image, image_shape)
    if np.ptp(levels) < _FAINTEST:
        size = f"{image_shape[0]} x {image_shape[1]} pixels"
        remedy = "draw thicker lines, or choose a picture of one large thing"
        raise BadInput(f"Nothing is left of the drawing at {size}: {remedy}.")
    return np.round(levels * 255).clip(0, 255).astype(np.uint8).ravel()


def _ink(image: np.ndarray) -> np.ndarray:
    """Distance of each pixel from the paper, dark or light: (h, w) float32 in [0, 1], paper at 0."""
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    lowest, highest = np.percentile(image, (0.1, 99.9))
    if highest - lowest < _FAINTEST:  # a dot in a large picture
        lowest, highest = image.min(), image.max()
    if np.median(border) > (lowest + highest) / 2:
        image, border, highest = 1 - image, 1 - border, 1 - lowest
    # Paper in a photograph is not of one shade, and a drawing may cross the border.
    paper = min(np.percentile(border, 95), (np.median(border) + highest) / 2)
    return ((image - paper) / (highest - paper)).clip(0, 1)


def _digit(image: np.ndarray) -> np.ndarray:
    """A digit's strokes at full ink, cropped to their bounding box."""
    ink = _ink(image)
    return _cropped((ink / np.median(ink[ink > 0.5])).clip(0, 1), 0.5)


def _cropped(ink: np.ndarray, least: float) -> np.ndarray:
    """The bounding box of the pixels with more than `least` ink, without small pieces."""
    pieces, n = ndimage.label(ink > least, np.ones((3, 3)))
    amounts = ndimage.sum_labels(ink, pieces, np.arange(1, n + 1))
    drawn = np.isin(pieces, 1 + np.flatnonzero(amounts >= _SPECK * amounts.max()))
    rows, columns = np.flatnonzero(drawn.any(1)), np.flatnonzero(drawn.any(0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _resized(image: np.ndarray, height: float, width: float) -> np.ndarray:
    size = max(1, round(width)), max(1, round(height))
    picture = Image.fromarray(np.ascontiguousarray(image, np.float32))
    return np.asarray(picture.resize(size, Image.Resampling.HAMMING))


def _fitted(image: np.ndarray, side: int) -> np.ndarray:
    scale = side / max(image.shape)
    return _resized(image, scale * image.shape[0], scale * image.shape[1])


def _placed(image: np.ndarray, shape: tuple[int, int], top: float, left: float) -> np.ndarray:
    """`image` on a dark field, as near to `top` and `left` as fits."""
    field = np.zeros(shape, np.float32)
    height, width = image.shape
    top = min(max(round(top), 0), shape[0] - height)
    left = min(max(round(left), 0), shape[1] - width)
    field[top : top + height, left : left + width] = image
    return field


def _as_mnist(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    digit = _fitted(_digit(image), 20)
    y, x = ndimage.center_of_mass(digit)
    # In MNIST's own rows the centre of mass is within half a pixel of pixel 14, counted from 0.
    return _placed(digit, shape, 14 - y, 14 - x)


def _straightened(digit: np.ndarray) -> np.ndarray:
    """A digit sheared along its rows until its mass does not lean, and cropped."""
    height, width = digit.shape
    y, x = np.mgrid[:height, :width]
    middle = np.average(y, weights=digit)
    variance = np.average((y - middle) ** 2, weights=digit)
    lean = np.clip(np.average((y - middle) * x, weights=digit) / max(variance, 1e-6), -_MOST_LEAN, _MOST_LEAN)
    room = int(_MOST_LEAN * height) + 1
    wide = np.pad(digit, ((0, 0), (room, room)))
    return _cropped(ndimage.affine_transform(wide, [[1, 0], [lean, 1]], [0, -lean * middle], order=1), 0.5)


def _as_nist(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    digit = _straightened(_digit(image))
    # As high as the bitmap and at most 22 wide, as the rows are; only something flat stays flat.
    scale = min(32 / digit.shape[0], 44 / digit.shape[1])
    bitmap = _resized(digit, scale * digit.shape[0], min(scale * digit.shape[1], 22)) > 0.5
    y, x = ndimage.center_of_mass(bitmap) if bitmap.any() else (0, 0)
    bitmap = _placed(bitmap, (32, 32), 15.5 - y, 15.5 - x)
    return bitmap.reshape(8, 4, 8, 4).sum((1, 3)) / 16  # (8, 8)


def _as_fashion(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    # 5 % is the paper's own tolerance for the colour of the ground.
    piece = _fitted(_cropped(_ink(image), 0.05), 28)
    return _placed(piece, shape, (28 - piece.shape[0]) / 2, (28 - piece.shape[1]) / 2)


def _middle(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    scale = min(image.shape[0] / shape[0], image.shape[1] / shape[1])
    height, width = round(scale * shape[0]), round(scale * shape[1])
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return _resized(image[top : top + height, left : left + width], *shape)


_FRAMES = dict.fromkeys(("mnist", "mnist-sample"), _as_mnist) | {"digits": _as_nist}
_FRAMES |= dict.fromkeys(("fashion-mnist", "fashion-sample"), _as_fashion)
