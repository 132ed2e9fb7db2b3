"""Test rows to choose from, their codes under each method, and strips of decoded images with predicted classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.analysis import feature_space
from core.analysis.codes import to_pixels
from core.analysis.rows import Rows
from core.errors import BadInput
from pages.ui.shared import image_grid, page_state
from pages.ui.shared.cached import load_codes, load_estimator
from pages.ui.shared.image_grid import Strip
from pages.ui.shared.reconstructors import Reconstructor
from pages.ui.shared.stored_runs import Line
from pages.ui.shared.text import html, plain, shorten

N_OFFERED, _IN_BLOCK = 10, 5


@dataclass(frozen=True)
class EncodedRows:
    """Codes (n, n_components) of some rows under one method, which can decode."""

    line: Line
    codes: np.ndarray
    note: str = ""

    def decode(self, Z: np.ndarray) -> np.ndarray:
        """Return the images of codes, (n, n_features) uint8."""
        return to_pixels(load_estimator(self.line.stamp).inverse_transform(np.asarray(Z, np.float32)))


def encode_rows(method: Reconstructor, rows: Rows, positions: Sequence[int] | slice = slice(None)) -> EncodedRows:
    return EncodedRows(method.line, load_codes(method.line.stamp, rows.key, method.line.run, rows)[0][positions])


def describe_row(rows: Rows, k: int) -> str:
    """Number, class and first cells of a row of a table: ``"test row 17 (benign): mean radius 13.1"``."""
    label = f" ({rows.get_class(k)})" if rows.get_class(k) else ""
    return shorten(f"{rows.name_row(k)}{label}: {rows.texts[k][1]}", 70)


def select_row(
    name: str, label: str, rows: Rows, default: int, problems: list[str], offered: np.ndarray | None = None
) -> int:
    """Let a person choose one of the rows of a table, or of those at positions `offered`; return its position."""
    offered = np.arange(len(rows)) if offered is None else offered
    positions = {int(rows.numbers[k]): int(k) for k in offered}

    def parse(text: str) -> int:
        if (number := page_state.parse_integer(text)) not in positions:
            raise BadInput(f"It must be the number of one of the {len(offered):,} test rows offered here.")
        return number

    look = {"format_func": lambda number: describe_row(rows, positions[number]), "parse": parse}
    options, usual = list(positions), int(rows.numbers[default])
    return positions[page_state.choose_with(st.selectbox, name, label, options, usual, problems, **look)]


def choose_row(name: str, label: str, rows: Rows, offered: np.ndarray, default: int, problems: list[str]) -> int:
    """Let a person click one of the rows at the positions `offered`, number `default` at first; return its position."""
    number = page_state.recall(name)
    if (text := page_state.read_link(name)) is not None:
        number = next((number for number in rows.numbers if str(number) == text), None)
        if number is None:
            which = f"one of the {len(rows.numbers):,} test rows shown here"
            problems.append(f"The link asks for {name}={shorten(text, 12)}, which is not {which}.")
    position = next(iter(np.flatnonzero(rows.numbers == number)), offered[min(default, len(offered) - 1)])
    if name == "row" and rows.y[position] != rows.y[offered[0]]:
        position = offered[0]
    if position not in offered:
        # A row that a link asks for is put first.
        offered = np.concatenate([[position], offered[:-1]])
    with st.container(key=f"pick-{name}", gap=None):
        grid = st.empty()
        labels: list[str | None] = [plain(f"{label}: test row {rows.numbers[k]}") for k in offered]
        clicked = image_grid.draw_buttons(name, labels + [None] * (-len(offered) % _IN_BLOCK))
        position = int(position if clicked is None else offered[clicked])
        grid.html(_render_choices(label, rows, offered, position))
    page_state.keep(name, int(rows.numbers[position]))
    return position


def _render_choices(label: str, rows: Rows, offered: np.ndarray, position: int) -> str:
    blocks = [offered[k : k + _IN_BLOCK] for k in range(0, len(offered), _IN_BLOCK)]
    images = [image_grid.make_pictures(rows.X[block], rows.image_shape, _IN_BLOCK, label) for block in blocks]
    marks = [["<b>▲</b>" if k == position else "&nbsp;" for k in block] for block in blocks]
    below = [image_grid.make_captions(texts, _IN_BLOCK) for texts in marks]
    strips = [Strip(image_grid.make_name(label, "click one"), images), Strip("", below)]
    return image_grid.make_grid(strips, len(blocks))


def make_strips(images: np.ndarray, rows: Rows, label: str, *notes: str, is_classified: bool = True) -> list[Strip]:
    """Return a strip of images and, where there is a classifier of these rows, one of their predicted classes."""
    picture = image_grid.make_pictures(images, rows.image_shape, len(images), "Images along the path")
    strips = [Strip(image_grid.make_name(label, *notes), [picture])]
    if is_classified and has_classifier(rows):
        names = [html(shorten(rows.target_names[k], 10)) for k in predict_classes(images, rows)]
        captions = image_grid.make_captions(names, len(images))
        strips.append(Strip('<div class="hg-note">predicted class</div>', [captions]))
    return strips


def has_classifier(rows: Rows) -> bool:
    return rows.usual_classes and feature_space.has_classifier(rows.dataset)


def predict_classes(images: np.ndarray, rows: Rows) -> np.ndarray:
    """Return the class of each image, (n,), by the shipped classifier."""
    return _classifier(rows.dataset, rows.image_shape).classes(images / np.float32(255))


@st.cache_resource(max_entries=3, show_spinner=False)
def _classifier(name: str, image_shape: tuple[int, int]) -> feature_space.FeatureSpace:
    return feature_space.load_classifier_space(name, image_shape)
