"""The section Images: test images, chosen at random or by their errors, and below them the reconstructions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import streamlit as st

from core.analysis import error_comparison
from core.analysis.codes import to_pixels
from core.analysis.rows import Rows
from core.figures import difference_images, montages
from core.metrics import reconstruction
from core.types import Run, as_floats
from pages.ui.reconstructions import gan_inversion
from pages.ui.shared import header, image_grid, page_state, reconstructors
from pages.ui.shared.cached import find_rows
from pages.ui.shared.image_grid import Strip
from pages.ui.shared.images import image
from pages.ui.shared.number_format import interval, number
from pages.ui.shared.reconstructors import Reconstructor, to_phrase
from pages.ui.shared.run_picker import View
from pages.ui.shared.section import RECONSTRUCTS, begin_section
from pages.ui.shared.text import Markup, html, join_words, plain

_IN_BLOCK, _N_BLOCKS = 5, 2
_EACH, _WORST, _BEST, _APART = "each", "worst", "best", "apart"
_ABOUT_ERRORS = (
    "Squared error: sum over the pixels of an image, pixel values in [0, 1]. Images are clipped to [0, 1] for display; "
    "errors are computed without clipping."
)


@dataclass(frozen=True)
class _Choice:
    """Positions of rows in blocks, how they were chosen, a heading per block, and the errors to write below."""

    blocks: Sequence[np.ndarray]
    about: str
    headings: Sequence[str] = ()
    errors: dict[int, str] = field(default_factory=dict)

    @property
    def positions(self) -> np.ndarray:
        return np.concatenate([np.zeros(0, int), *self.blocks])


@dataclass(frozen=True)
class _Reconstructed:
    """A method's reconstructions (n_chosen, n_features), not clipped, their errors, and those of all rows if known."""

    label: str
    notes: tuple[str, ...]
    images: np.ndarray
    errors: np.ndarray
    all_errors: np.ndarray | None = None


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    clicked = None
    with begin_section(view) as section:
        rows = find_rows(view.entry, view.dataset_params, problems)
        if rows is None:
            _draw_stored_reconstructions(view)
            return
        methods, gan = section.find_reconstructors(rows), reconstructors.find_gan(view)
        with st.container(key="rebuilt-choices", horizontal=True, vertical_alignment="bottom"):
            choice = _choose_rows(rows, methods, problems)
            about = "Error map: reconstruction minus original for every pixel, on one scale for all images."
            below = {"off": "Nothing", "on": "Error map"}
            has_maps = page_state.choose("errors", "Show below", below, problems, help=about) == "on"
        if methods:
            dimensions = "1 latent dimension" if view.size == 1 else f"{view.size} latent dimensions"
            details = "look for lost, blurred and invented details"
            reconstructions = f"{view.entry.label} and their reconstructions from {dimensions}"
            section.explain(f"Test images of {reconstructions}: {details}. {choice.about}")
        else:
            section.explain_none_trained(RECONSTRUCTS)
        if len(choice.positions) == 0:
            st.markdown("The two methods have the same error on every row.")
            return
        X = as_floats(rows.X[choice.positions], rows.kind)
        if gan and gan_inversion.is_wanted():
            with header.show_errors():
                gan_inversion.invert(gan, X)
        lines = [_reconstruct(method, rows, choice.positions) for method in methods]
        inversion = gan_inversion.read_inversion(gan, X) if gan else None
        if inversion:
            images = np.asarray(inversion.images, np.float32)
            errors = reconstruction.squared_error(X, images)
            notes = f"error {number(float(errors.mean()))} on these {len(X)}", inversion.note
            lines.append(_Reconstructed(gan.label, notes, images, errors))
        limit = error_comparison.compute_shared_limit([line.images - X for line in lines])
        if has_maps := has_maps and bool(lines):
            st.html(_render_scale(limit))
        strips = _strips(rows, choice, X, lines, limit if has_maps else None)
        if gan and not inversion:
            note = '<div class="hg-note">No encoder: a code must be found by optimisation (GAN inversion).</div>'
            strips.append(Strip(image_grid.make_name(gan.label), [note, *[""] * (len(choice.blocks) - 1)]))
        with st.container(key="rebuilt-columns", gap=None):
            st.html(image_grid.make_grid(strips, len(choice.blocks)))
            slots = [k for block in choice.blocks for k in (*map(int, block), *[None] * (_IN_BLOCK - len(block)))]
            labels = [None if k is None else f"Enlarge {rows.split} row {rows.numbers[k]}" for k in slots]
            clicked = image_grid.draw_buttons("rebuilt", labels)
        if gan and not inversion:
            with header.show_errors():
                gan_inversion.offer(gan)
        st.caption(plain(f"{_ABOUT_ERRORS} Click a column to enlarge it and see each method's rank."))
    if clicked is not None:
        _draw_enlarged(rows, slots[clicked], choice.positions.tolist().index(slots[clicked]), lines, limit)


def _reconstruct(method: Reconstructor, rows: Rows, positions: np.ndarray) -> _Reconstructed:
    errors, metrics = method.errors[positions], method.line.run.metrics
    error = metrics["squared_error"]
    on_all = f"{number(error.value)} on all {error.n:,} ({interval(metrics, 'squared_error')})"
    notes = f"error {number(float(errors.mean()))} on these {len(positions)}", on_all
    return _Reconstructed(method.label, notes, method.reconstruct_rows(rows, positions), errors, method.errors)


def _choose_rows(rows: Rows, methods: list[Reconstructor], problems: list[str]) -> _Choice:
    """Draw the widgets that choose rows, and return the rows chosen."""
    options = {_EACH: "One per class" if rows.has_labels else "Random"}
    options |= {_WORST: "Largest error", _BEST: "Smallest error"} if methods else {}
    options |= {_APART: "Largest difference"} if len(methods) > 1 else {}
    about = (
        "Largest and smallest error: by the squared error of one method. Largest difference: the errors of two methods "
        f"differ most. Searched among the {len(rows):,} test rows loaded here."
    )
    pick = page_state.choose("pick", "Rows", options, problems, help=about)
    # A choice that does not apply is no part of the address.
    applies = {"by": (_WORST, _BEST, _APART), "than": (_APART,), "draw": (_EACH,)}
    page_state.forget(name for name, picks in applies.items() if pick not in picks)
    if pick == _EACH:
        seed, icon, about = page_state.read_seed(problems), ":material/casino:", "Draw rows with the next seed."
        st.button("Resample", page_state.key("others"), on_click=page_state.advance_seed, icon=icon, help=about)
        positions = error_comparison.draw_by_class(rows.y, _IN_BLOCK * _N_BLOCKS, seed)
        how = "by class" if rows.has_labels else "this data set has no classes"
        return _Choice(_split(positions), f"Rows drawn at random ({how}, seed {seed}) from {rows.summary}.")
    by_method = {method.line.method: method for method in methods}
    networks = [name for name, method in by_method.items() if not method.line.entry.is_linear]
    default = next(iter(networks or by_method))
    first = _choose_method("by", "Method", by_method, default, problems)
    if pick == _APART:
        others = {name: method for name, method in by_method.items() if method is not first}
        second = _choose_method("than", "Second method", others, next(iter(others)), problems)
        return _rows_by_difference(rows, first, second)
    order = error_comparison.find_worst if pick == _WORST else error_comparison.find_best
    positions = order(first.errors, _IN_BLOCK * _N_BLOCKS)
    errors = {int(k): number(float(first.errors[k])) for k in positions}
    size = "largest" if pick == _WORST else "smallest"
    about = f"Rows with the {size} error of {to_phrase(first.label)}, written below each image, among {rows.summary}."
    return _Choice(_split(positions), about, errors=errors)


def _split(positions: np.ndarray) -> list[np.ndarray]:
    return [positions[start : start + _IN_BLOCK] for start in range(0, len(positions), _IN_BLOCK)]


def _choose_method(
    name: str, label: str, methods: dict[str, Reconstructor], default: str, problems: list[str]
) -> Reconstructor:
    look = {"format_func": lambda key: methods[key].label, "width": 150}
    return methods[page_state.choose_with(st.selectbox, name, label, list(methods), default, problems, **look)]


def _rows_by_difference(rows: Rows, a: Reconstructor, b: Reconstructor) -> _Choice:
    difference = a.errors - b.errors
    blocks = error_comparison.find_disagreements(a.errors, b.errors, _IN_BLOCK)
    headings = (f"{a.label} lower than {b.label}", f"{b.label} lower than {a.label}")
    filled = [(block, heading) for block, heading in zip(blocks, headings, strict=True) if len(block)]
    first, second = to_phrase(a.label), to_phrase(b.label)
    about = (
        f"Below each image: error of {first} minus error of {second}; {first} has the lower error on "
        f"{int((difference < 0).sum()):,} and {second} on {int((difference > 0).sum()):,} of {rows.summary}."
    )
    signs = {int(k): "+" if difference[k] > 0 else "−" for k in np.concatenate(blocks)}
    errors = {k: f"{sign}{number(abs(float(difference[k])))}" for k, sign in signs.items()}
    return _Choice([block for block, _ in filled], about, [heading for _, heading in filled], errors)


def _strips(
    rows: Rows, choice: _Choice, X: np.ndarray, lines: list[_Reconstructed], limit: float | None
) -> list[Strip]:
    """Originals and reconstructions; with `limit`, the end of their scale, error maps too."""
    parts = [slice(*pair) for pair in pairwise(np.cumsum([0, *map(len, choice.blocks)]))]

    def strip(name: str, images: np.ndarray, alt: str) -> Strip:
        pixels, shape = to_pixels(images), rows.image_shape
        return Strip(name, [image_grid.make_pictures(pixels[part], shape, _IN_BLOCK, alt) for part in parts])

    def caption(k: int) -> str:
        class_name = f"<b>{html(rows.get_class(k))}</b> " if rows.get_class(k) else ""
        error = choice.errors.get(int(k), "")
        return f'{class_name}<span class="hg-note">row {rows.numbers[k]:,}</span>{error and f"<br>{html(error)}"}'

    headings = [f'<div class="hg-columns-head">{html(heading)}</div>' for heading in choice.headings]
    captions = [image_grid.make_captions([caption(k) for k in block], _IN_BLOCK) for block in choice.blocks]
    about = f"{'class, row' if rows.has_labels else 'row'} in the {rows.split} split"
    strips = [Strip("", headings)] if headings else []
    strips.append(strip(image_grid.make_name("Originals"), X, "Original test images"))
    strips.append(Strip(f'<div class="hg-note hg-wide-only">{about}</div>', captions))
    for line in lines:
        name = image_grid.make_name(line.label, *line.notes)
        strips.append(strip(name, line.images, f"The same images reconstructed by {line.label}"))
        if limit is not None:
            alt = f"Reconstruction by {line.label} minus original"
            maps = [make_map((line.images - X)[part], rows.image_shape, _IN_BLOCK, limit, alt) for part in parts]
            strips.append(Strip('<div class="hg-note">minus original</div>', maps))
    return strips


def make_map(
    values: np.ndarray, shape: tuple[int, int], columns: int, limit: float, alt: str, style: str = "", cell: int = 112
) -> Markup:
    """Make one picture of signed values, (n, height * width), whose colours end at `limit`."""
    picture = difference_images.make_montage(values, shape, columns, limit, header.get_theme(), cell=cell)
    return image(montages.encode_png(picture), alt, style or "hg-columns-image")


def _render_scale(limit: float) -> Markup:
    """Render the colour bar of the error maps with its ends."""
    end = f"{limit:.1f}"
    png = montages.encode_png(difference_images.make_colour_bar(header.get_theme()))
    bar = image(png, f"Colours from −{end} to +{end}", "hg-scale-bar")
    return Markup(
        '<div class="hg-scale"><span class="hg-note">Error map: reconstruction minus original, pixels from 0 (black) '
        f"to 1 (white):</span><span class='hg-scale-ends'><span>−{end} <span class='hg-note'>too dark</span>"
        f"</span><span class='hg-scale-middle'>{bar}<span>0</span></span>"
        f"<span>+{end} <span class='hg-note'>too bright</span></span></span></div>"
    )


def make_stored_originals(run: Run) -> list[Strip]:
    """Return a strip of the test images that a run stores; none where they may not be redistributed."""
    if "originals" not in run.views:
        return []
    shape = tuple(run.environment["image_shape"])
    return [image_grid.make_strip(image_grid.make_name("Originals"), run.views["originals"], shape, "Originals")]


def make_stored_strip(run: Run, label: str, *about: str) -> Strip:
    """Return a strip of the reconstructions that a run stores."""
    name, shape = image_grid.make_name(label, *about), tuple(run.environment["image_shape"])
    return image_grid.make_strip(name, run.views["reconstructions"], shape, label)


def _draw_stored_reconstructions(view: View) -> None:
    """Without the data set, draw the reconstructions that are stored with the runs."""
    lines = [line for line in view.trained if "reconstructions" in line.run.views]
    if not lines:
        return
    why = "The original images may not be redistributed; they are shown once the data set is on this machine."
    st.markdown(plain(f"Reconstructions stored with the runs of {join_words([line.label for line in lines])}. {why}"))
    errors = [line.run.metrics["squared_error"] for line in lines]
    notes = [f"error {number(error.value)} on all {error.n:,}" for error in errors]
    strips = [make_stored_strip(line.run, line.label, note) for line, note in zip(lines, notes, strict=True)]
    st.html(image_grid.make_grid(strips, 2))


@st.dialog("Reconstructions of one image", width="large")
def _draw_enlarged(rows: Rows, k: int, place: int, lines: list[_Reconstructed], limit: float) -> None:
    """Draw the row at position `k`, which is number `place` among those shown."""
    class_name = f", class {rows.get_class(k)}" if rows.get_class(k) else ""
    rank = f"Rank: place among the {len(rows):,} rows by the method's squared error; 1 is the smallest error."
    st.markdown(plain(f"Row {rows.numbers[k]:,} of the {rows.split} split{class_name}. {rank}"))
    st.html(_render_scale(limit))
    X = as_floats(rows.X[[k]], rows.kind)

    def card(name: str, notes: tuple[str, ...], images: np.ndarray, below: str) -> str:
        picture = image_grid.make_pictures(to_pixels(images), rows.image_shape, 1, name, cell=224)
        return f'<div><div class="hg-caption">{image_grid.make_name(name, *notes)}</div>{picture}{below}</div>'

    cards = [card("Original", (f"{rows.split} row {rows.numbers[k]:,}",), X, "")]
    for line in lines:
        rank = "found by GAN inversion, no rank"
        if line.all_errors is not None:
            rank = f"rank {error_comparison.rank(line.all_errors, k):,} of {len(rows):,}"
        images = line.images[[place]]
        error_map = make_map(images - X, rows.image_shape, 1, limit, f"{line.label} minus original", cell=224)
        cards.append(card(line.label, (f"squared error {number(float(line.errors[place]))}", rank), images, error_map))
    st.html(Markup(f'<div class="hg-cards">{"".join(cards)}</div>'))
    st.caption(plain(_ABOUT_ERRORS))
