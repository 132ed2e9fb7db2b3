"""The sections Between two images and Arithmetic: codes of given rows, mixed and moved, under every method at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core import features, generating, rebuilding
from core.maps import Rows
from core.metrics import intervals
from core.types import as_floats
from core.views import pixels
from pages.ui import choices, columns, draws, inverted, rebuilders
from pages.ui.compare import View
from pages.ui.loaded import codes, estimator, rows_here
from pages.ui.rebuilders import Rebuilder
from pages.ui.runs import Line, Stamp
from pages.ui.text import html, plain, shortened

_OFFERED, _IN_BLOCK = 10, 5
_STEPS = 11
_LINE, _ARC = "line", "arc"
_PATHS = {_LINE: "Straight line", _ARC: "Arc"}
_AMOUNTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
_MOST_MOVED = 200


@dataclass(frozen=True)
class _Coder:
    """A method that has a code for some rows, and makes images of codes."""

    line: Line
    codes: np.ndarray
    note: str = ""

    def images(self, Z: np.ndarray) -> np.ndarray:
        """(n, n_features) uint8"""
        return pixels(estimator(self.line.stamp).inverse_transform(np.asarray(Z, np.float32)))


def interpolate(view: View, stored, problems: list[str]) -> None:
    """Draw the paths between two rows under every method."""
    explained = st.empty()
    rows = rows_here(view.entry, view.dataset_params, problems)
    if rows is None:
        rebuilders.absent(view)
        return
    known, refused = rebuilders.of(view, rows)
    if not known and rebuilders.generator(view) is None:
        explained.markdown(
            plain(
                f"No method can be shown for {view.entry.label} with a {view.size}-D code yet, so there are no codes "
                "to mix."
            )
        )
        rebuilders.reasons(refused)
        rebuilders.absent(view)
        return
    offered = _offered(rows, problems)
    start = _pick("from", "From", rows, offered, 2, problems)
    end = _pick("to", "To", rows, offered, 7, problems)
    st.button("Others", key=choices.key("others"), on_click=_others, icon=":material/casino:", help="Other rows.")
    how = choices.segments(
        "path",
        "Path between the two codes",
        _PATHS,
        problems,
        help="Arc: spherical interpolation, seen from the origin. Codes drawn from N(0, I) lie near a sphere, whose "
        "inside a straight line crosses (White 2016).",
    )
    X = as_floats(rows.X[[start, end]], rows.kind)
    coders, generator = _coders(view, known, rows, (start, end), X)
    explained.markdown(
        plain(
            "Two test images are squeezed into codes, and each method decodes the codes on the way from one to the "
            "other. Mixed pixels show two ghosts; a good code passes through images that could be data."
        )
    )
    _paths(coders, rows, X, how)
    _offer(generator, X, rows)
    rebuilders.reasons(refused)
    rebuilders.absent(view)


def add(view: View, stored, problems: list[str]) -> None:
    """Draw a row moved by the difference of two classes' mean codes, under every method."""
    explained = st.empty()
    rows = rows_here(view.entry, view.dataset_params, problems)
    if rows is None:
        rebuilders.absent(view)
        return
    if rows.has_labels and len(_present(rows)) < 2:
        explained.markdown(plain(f"All rows of {view.entry.label} here are of one class: there is no other to go to."))
        return
    if not rows.has_labels:
        explained.markdown(plain(f"{view.entry.label} has no classes, so there is no difference of two to add."))
        return
    known, refused = rebuilders.of(view, rows)
    if not known:
        explained.markdown(
            plain(
                f"No method with an encoder can be shown for {view.entry.label} with a {view.size}-D code yet, so "
                "there are no codes to add."
            )
        )
        rebuilders.reasons(refused)
        rebuilders.absent(view)
        return
    minus, plus = _classes(rows, problems)
    of_class = np.flatnonzero(rows.y == minus)[:_OFFERED]
    at = _pick("row", f"A test image of class {rows.target_names[minus]}", rows, of_class, 0, problems)
    explained.markdown(
        plain(
            f"The mean code of class {rows.target_names[plus]} minus that of class {rows.target_names[minus]} is a "
            "direction. It is added to the code of one image, more and more: where a method's code is ordered, one "
            "class becomes the other and the rest, such as slant or width, stays."
        )
    )
    _sums(known, rows, at, plus, minus)
    if (gan := rebuilders.generator(view)) is not None:
        st.caption(plain(f"{gan.label}: it has no encoder, so no codes of given images to take the mean of."))
    rebuilders.reasons(refused)
    rebuilders.absent(view)


# --- Which rows ---------------------------------------------------------------------------------------------------


def _offered(rows: Rows, problems: list[str]) -> np.ndarray:
    """Positions of the rows to choose from, the classes in turn."""
    return rebuilding.one_of_each(rows.y, _OFFERED, draws.seed(problems))


def _others() -> None:
    draws.another()
    for name in ("from", "to"):
        choices.keep(name, None, text=None)


def _pick(name: str, label: str, rows: Rows, offered: np.ndarray, default: int, problems: list[str]) -> int:
    """Let a person click one of the rows offered; returns its position."""
    number = choices.remembered(name)
    if (asked := choices.asked(name)) is not None:
        number = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 7 else -1
        if number not in rows.numbers:
            problems.append(
                f"The link asks for {name}={shortened(asked, 12)}, which is not one of the {len(rows.numbers):,} test "
                "rows shown here."
            )
            number = None
    if number is not None and number not in rows.numbers[offered]:
        # A row of a link stands first.
        at = np.flatnonzero(rows.numbers == number)
        fits = len(at) and (name != "row" or rows.y[at[0]] == rows.y[offered[0]])
        offered = np.concatenate([at[:1], offered[:-1]]) if fits else offered
        number = number if fits else None
    position = int(offered[min(default, len(offered) - 1)])
    if number is not None:
        position = int(np.flatnonzero(rows.numbers == number)[0])
    slots = [int(k) for k in offered]
    with st.container(key=f"pick-{name}", gap=None):
        place = st.empty()
        labels: list[str | None] = [plain(f"{label}: test row {rows.numbers[k]}") for k in slots]
        clicked = columns.buttons(name, labels + [None] * (-len(slots) % _IN_BLOCK))
        if clicked is not None:
            position = slots[clicked]
        place.html(_choices_of(label, rows, slots, position))
    choices.keep(name, int(rows.numbers[position]))
    return position


def _choices_of(label: str, rows: Rows, slots: Sequence[int], position: int) -> str:
    blocks = [slots[k : k + _IN_BLOCK] for k in range(0, len(slots), _IN_BLOCK)]
    images = [columns.pictures(rows.X[block], rows.image_shape, _IN_BLOCK, label) for block in blocks]
    marks = [
        columns.captions(["<b>▲</b>" if k == position else "&nbsp;" for k in block], _IN_BLOCK) for block in blocks
    ]
    strips = [columns.Strip(columns.named(label, "click one"), images), columns.Strip("", marks)]
    return columns.grid(strips, len(blocks))


def _classes(rows: Rows, problems: list[str]) -> tuple[int, int]:
    names = [str(name) for name in rows.target_names]
    there = [names[k] for k in _present(rows)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = []
        for name, label, default in (("minus", "From class", 7), ("plus", "To class", 9)):
            # A class less itself is no direction.
            offered = [each for each in there if names.index(each) not in chosen]
            usual = there[min(default, len(there) - 1)]
            refused: list[str] = []
            widget = choices.seed(name, offered, usual if usual in offered else offered[-1], refused)
            if refused:
                asked = choices.asked(name)
                why = "that it starts from too" if asked in there else f"which {rows.dataset} has not"
                problems.append(f"The link asks for the class “{shortened(asked, 20)}”, {why}.")
            chosen.append(names.index(st.selectbox(label, offered, key=widget, width=200)))
            choices.keep(name, names[chosen[-1]])
    return chosen[0], chosen[1]


def _present(rows: Rows) -> np.ndarray:
    """The classes that the rows have, in order."""
    return np.unique(rows.y[rows.y >= 0])


# --- Codes --------------------------------------------------------------------------------------------------------


def _coders(
    view: View, known: Sequence[Rebuilder], rows: Rows, positions: Sequence[int], X: np.ndarray
) -> tuple[list[_Coder], Line | None]:
    """The methods with codes of these rows; and the GAN whose codes have still to be looked for."""
    found = [
        _Coder(each.line, codes(each.line.stamp, rows.key, each.line.run, rows)[0][list(positions)]) for each in known
    ]
    generator = next((line for line in view.lines if line.method == "gan" and line.run), None)
    if generator is None:
        return found, None
    kept = inverted.rebuilt(generator, X)
    if kept is None:
        return found, generator
    return [*found, _Coder(generator, kept.codes, kept.note)], None


def _offer(generator: Line | None, X: np.ndarray, rows: Rows) -> None:
    if generator is None:
        return
    if inverted.is_wanted():
        inverted.invert(generator, X)
        st.rerun()
    inverted.offer(generator)


# --- Paths --------------------------------------------------------------------------------------------------------


def _paths(coders: Sequence[_Coder], rows: Rows, X: np.ndarray, how: str) -> None:
    shares = np.linspace(0, 1, _STEPS)
    path: Callable = generating.slerp if how == _ARC else generating.lerp
    strips = [
        columns.Strip(columns.named("Mixed pixels", "no method"), [_line(pixels(generating.lerp(*X, shares)), rows)])
    ]
    for each in coders:
        images = each.images(path(each.codes[0], each.codes[1], shares))
        size = f"{each.codes.shape[1]}-D code"
        strips.append(columns.Strip(columns.named(each.line.label, size, each.note), [_line(images, rows)]))
        strips.append(columns.Strip(_classifier_says(rows), [_named(images, rows)]))
    st.html(columns.grid([strip for strip in strips if any(strip.cells)], 1))
    if features.has_classifier(rows.dataset):
        st.caption("Under each image stands the class that the shipped classifier names for it.")


def _classifier_says(rows: Rows) -> str:
    return '<div class="hg-note">named by the classifier</div>' if features.has_classifier(rows.dataset) else ""


def _line(images: np.ndarray, rows: Rows) -> str:
    return columns.pictures(images, rows.image_shape, len(images), "Images along the path")


def _named(images: np.ndarray, rows: Rows) -> str:
    """HTML of the class of each image; nothing where no classifier names it."""
    if not features.has_classifier(rows.dataset):
        return ""
    found = _classifier(rows.dataset, rows.image_shape).classes(images / np.float32(255))
    names = [html(shortened(rows.target_names[k], 10)) for k in found]
    return columns.captions(names, len(images))


@st.cache_resource(max_entries=3, show_spinner=False)
def _classifier(name: str, image_shape: tuple[int, int]) -> features.FeatureSpace:
    return features.classifier_space(name, image_shape)


# --- Sums ---------------------------------------------------------------------------------------------------------


def _sums(known: Sequence[Rebuilder], rows: Rows, at: int, plus: int, minus: int) -> None:
    amounts = np.array(_AMOUNTS)
    heads = columns.captions(["original", *(f"+ {a:g} ×" if a else "rebuilt" for a in amounts)], len(amounts) + 1)
    strips = [columns.Strip("", [heads])]
    for each in known:
        Z = codes(each.line.stamp, rows.key, each.line.run, rows)[0]
        direction = generating.class_difference(Z, rows.y, plus, minus)
        coder = _Coder(each.line, Z)
        images = coder.images(Z[at] + amounts[:, None] * direction)
        images = np.concatenate([rows.X[[at]], images])
        about = _moved(each.line.stamp, rows.key, plus, minus, coder, rows)
        strips.append(columns.Strip(columns.named(each.label, *about), [_line(images, rows)]))
        strips.append(columns.Strip(_classifier_says(rows), [_named(images, rows)]))
    st.html(columns.grid([strip for strip in strips if any(strip.cells)], 1))
    about = (
        f"Means of the codes of {int((rows.y == plus).sum())} and {int((rows.y == minus).sum())} test images, those "
        f"of these classes among {rows.drawn}."
    )
    if features.has_classifier(rows.dataset):
        about += (
            f" The number beside a method: of test images of class {rows.target_names[minus]}, the share that the "
            f"shipped classifier names {rows.target_names[plus]} once the whole difference is added, with its 95 % "
            "interval."
        )
    st.caption(plain(about))


@st.cache_data(max_entries=256, show_spinner=False)
def _moved(stamp: Stamp, rows_key: str, plus: int, minus: int, _coder: _Coder, _rows: Rows) -> tuple[str, ...]:
    """How many rows of one class become the other, in words."""
    if not features.has_classifier(_rows.dataset):
        return ()
    space = _classifier(_rows.dataset, _rows.image_shape)
    at = np.flatnonzero(_rows.y == minus)[:_MOST_MOVED]
    direction = generating.class_difference(_coder.codes, _rows.y, plus, minus)

    def share(Z: np.ndarray) -> str:
        count = int((space.classes(_coder.images(Z) / np.float32(255)) == plus).sum())
        low, high = intervals.share_interval(count, len(at))
        return f"{count / len(at):.0%} ({low:.0%} to {high:.0%})"

    before, after = share(_coder.codes[at]), share(_coder.codes[at] + direction)
    return (f"{after} of {len(at)} become {_rows.target_names[plus]}", f"{before} when only rebuilt")
