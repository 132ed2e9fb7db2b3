"""Pictures without plotly: montages of images, and small maps."""

import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.figures import palette

_RADIUS = {"disc": 0.0105, "ring": 0.0135, "square": 0.0105, "diamond": 0.0125}
_OPACITY = 0.95
_MOST_IN_256_GREYS = 2_000_000  # pixels
_TITLE = 26  # pixels of a line of text
_INNER = 0.5  # of a pixel covered: there a mark hides what is below


def make_montage(
    images: np.ndarray, shape: tuple[int, int], columns: int, *, cell: int = 112, gap: int = 4
) -> np.ndarray:
    """Images in rows of `columns`, each enlarged by a whole number so that no pixel is blurred.

    Parameters
    ----------
    images : (n, height * width) uint8, or (n, height * width, 3) in colour
    shape : (height, width) of an image, in pixels
    cell : the enlarged image's longer side is the largest multiple of its own that is at most this, or 1
    gap : transparent pixels between images

    Returns
    -------
    (rows * h + (rows - 1) * gap, columns * w + (columns - 1) * gap, 2) uint8 : luminance and alpha, or 4 channels in
    colour, where (h, w) is the enlarged shape; cells without an image, and the gaps, are transparent.
    """
    height, width = shape
    images = np.asarray(images, np.uint8)
    channels, scale = 3 if images.ndim == 3 else 1, max(1, cell // max(shape))
    rows = max(1, math.ceil(len(images) / columns))
    h, w = height * scale, width * scale
    picture = np.zeros((rows * (h + gap) - gap, columns * (w + gap) - gap, channels + 1), np.uint8)
    for k, image in enumerate(images.reshape(-1, height, width, channels)):
        top, left = (k // columns) * (h + gap), (k % columns) * (w + gap)
        picture[top : top + h, left : left + w, :channels] = image.repeat(scale, 0).repeat(scale, 1)
        picture[top : top + h, left : left + w, channels] = 255
    return picture


def make_titled_montage(
    sheets: Sequence[tuple[str, np.ndarray]], shape: tuple[int, int], columns: int, *, cell: int = 56
) -> np.ndarray:
    """Sheets of images as in `make_montage`, each with a title, on white: (h, w) uint8."""
    font = ImageFont.load_default(size=_TITLE * 0.7)
    parts = []
    for title, images in sheets:
        luminance, alpha = np.moveaxis(make_montage(images, shape, columns, cell=cell), 2, 0)
        picture = np.where(alpha > 0, luminance, 255).astype(np.uint8)
        line = Image.new("L", (picture.shape[1], _TITLE), 255)
        ImageDraw.Draw(line).text((2, 2), title, fill=0, font=font)
        parts += [np.asarray(line), picture, np.full((_TITLE // 2, picture.shape[1]), 255, np.uint8)]
    width = max(part.shape[1] for part in parts)
    return np.concatenate([np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=255) for part in parts])


def make_sprite(images: np.ndarray, shape: tuple[int, int]) -> tuple[bytes, str, int, int, int]:
    """Images (n, height * width) uint8 as one PNG; many of them in 16 greys, for fewer bytes.

    Returns bytes, media type, an image's width and height in pixels, images in a line.
    """
    height, width = shape
    columns = max(1, math.ceil(math.sqrt(len(images))))
    lines = max(1, math.ceil(len(images) / columns))
    cells = np.zeros((lines * columns, height, width), np.uint8)
    cells[: len(images)] = np.asarray(images, np.uint8).reshape(-1, height, width)
    picture = cells.reshape(lines, columns, height, width).swapaxes(1, 2).reshape(lines * height, columns * width)
    if picture.size <= _MOST_IN_256_GREYS:
        return encode_png(picture), "image/png", width, height, columns
    out = io.BytesIO()
    greys = Image.fromarray(np.rint(picture / 17).astype(np.uint8), "P")
    greys.putpalette([17 * grey for grey in range(16) for _ in range(3)])
    greys.save(out, "PNG", compress_level=6, bits=4)
    return out.getvalue(), "image/png", width, height, columns


def make_thumbnail(points: np.ndarray, labels: np.ndarray | None, theme: str, size: int = 240) -> np.ndarray:
    """A small square map of points on a transparent ground: (size, size, 4) uint8.

    Points are drawn in a shuffled order, the same for every map of as many points, so that no class hides another.

    Parameters
    ----------
    points : (n, 2); rows that are not finite are left out
    labels : (n,) int, index of the class, -1 where there is none; None for data without classes
    """
    points = np.asarray(points, np.float64)
    has_classes = labels is not None
    labels = np.asarray(labels, int) if has_classes else np.full(len(points), -1)
    known = np.isfinite(points).all(axis=1)
    places = place_points(points[known], size)
    labels = labels[known]
    flat, cover, colour = [], [], []
    for label in np.unique(labels):
        style = palette.get_class_style(int(label), theme, has_classes=has_classes)
        touched, share = _rasterise_marks(places[labels == label], style.mark, size)
        flat.append(touched)
        cover.append(share)
        colour.append(np.broadcast_to(palette.to_rgb(style.colour).astype(np.uint8), (*touched.shape, 3)))
    picture = np.zeros((size * size, 4), np.uint8)
    if flat:
        order = np.random.default_rng(0).permutation(len(places))
        flat, cover, colour = (np.concatenate(parts)[order] for parts in (flat, cover, colour))
        # Where an index repeats, numpy keeps the last value: the point drawn last is on top.
        inner, any_ink = cover > _INNER, cover > 0
        picture[flat[any_ink], :3] = colour[any_ink]
        picture[flat[inner], :3] = colour[inner]
        total = np.bincount(flat.ravel(), cover.ravel(), minlength=size * size)
        picture[:, 3] = np.rint(255 * _OPACITY * np.minimum(total, 1))
    return picture.reshape(size, size, 4)


def encode_png(picture: np.ndarray) -> bytes:
    """A uint8 picture as PNG: (h, w) luminance, (h, w, 2) with alpha, or 3 and 4 in colour."""
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "PNG", compress_level=6)
    return out.getvalue()


def place_points(points: np.ndarray, size: int) -> np.ndarray:
    """Points in pixels (x right, y down); the middle 99.6% fit, the rest move to the edge."""
    if len(points) == 0:
        return points
    low, high = np.quantile(points, [0.002, 0.998], axis=0)
    half = max((high - low).max() / 2, 1e-12)
    unit = (points - (low + high) / 2) / half  # the longer axis runs from -1 to 1
    margin = 0.04 * size
    places = (np.clip(unit, -1, 1) + 1) / 2 * (size - 2 * margin) + margin
    places[:, 1] = size - places[:, 1]
    return places


def _rasterise_marks(places: np.ndarray, mark: str, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Flat indices (n, pixels) of pixels that marks at (n, 2) touch, and the covered shares."""
    radius = _RADIUS[mark] * size
    reach = math.ceil(max(_RADIUS.values()) * size + 1)
    steps = np.arange(-reach, reach + 1)
    corner = np.floor(places).astype(int)
    x = corner[:, 0, None] + steps  # (n, 2 * reach + 1)
    y = corner[:, 1, None] + steps
    dx = (x + 0.5 - places[:, 0, None])[:, None, :]
    dy = (y + 0.5 - places[:, 1, None])[:, :, None]
    cover = np.clip(radius + 0.5 - _distance(dx, dy, mark), 0, 1)
    if mark == "ring":
        cover -= np.clip(radius * 0.45 + 0.5 - _distance(dx, dy, mark), 0, 1)
    flat = np.clip(y, 0, size - 1)[:, :, None] * size + np.clip(x, 0, size - 1)[:, None, :]
    return flat.reshape(len(places), -1), cover.reshape(len(places), -1)


def _distance(dx: np.ndarray, dy: np.ndarray, mark: str) -> np.ndarray:
    if mark == "square":
        return np.maximum(np.abs(dx), np.abs(dy))
    if mark == "diamond":
        return np.abs(dx) + np.abs(dy)
    return np.hypot(dx, dy)
