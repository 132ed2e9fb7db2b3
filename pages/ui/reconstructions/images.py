"""The section Images: test images, chosen at random or by their errors, and below them the reconstructions."""

from collections.abc import Sequence
from dataclasses import dataclass, field

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
from pages.ui.shared.html_blocks import make_note
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
            size = f"{view.size} latent dimension{'' if view.size == 1 else 's'}"
            subject = f"Test images of {view.entry.label} and their reconstructions from {size}"
            section.explain(f"{subject}: look for lost, blurred and invented details. {choice.about}")
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
            errors = reconstruction.squared_error(X, inversion.images)
            notes = f"error {number(errors.mean())} on these {len(X)}", inversion.note
            lines.append(_Reconstructed(gan.label, notes, inversion.images, errors))
        limit = error_comparison.compute_shared_limit([line.images - X for line in lines])
        if has_maps and lines:
            st.html(_render_scale(limit))
        strips = _strips(rows, choice, X, lines, limit if has_maps else None)
        if gan and not inversion:
            note = make_note("No encoder: a code must be found by optimisation (GAN inversion).")
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
    notes = f"error {number(errors.mean())} on these {len(positions)}", on_all
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
    errors: dict[int, str] = {}
    if pick == _EACH:
        seed, icon, about = page_state.read_seed(problems), ":material/casino:", "Draw rows with the next seed."
        st.button("Resample", page_state.key("others"), on_click=page_state.advance_seed, icon=icon, help=about)
        positions = error_comparison.draw_by_class(rows.y, _IN_BLOCK * _N_BLOCKS, seed)
        how = "by class" if rows.has_labels else "this data set has no classes"
        about = f"Rows drawn at random ({how}, seed {seed}) from {rows.summary}."
    else:
        networks = [method for method in methods if not method.line.entry.is_linear]
        first = _choose_method("by", "Method", methods, next(iter(networks or methods)), problems)
        if pick == _APART:
            others = [method for method in methods if method is not first]
            return _rows_by_difference(
                rows, first, _choose_method("than", "Second method", others, others[0], problems)
            )
        is_worst = pick == _WORST
        order = np.argsort(-first.errors if is_worst else first.errors, kind="stable")
        positions = order[: _IN_BLOCK * _N_BLOCKS]
        errors = {int(k): number(first.errors[k]) for k in positions}
        size = f"{'largest' if is_worst else 'smallest'} error of {to_phrase(first.label)}"
        about = f"Rows with the {size}, written below each image, among {rows.summary}."
    return _Choice(np.split(positions, range(_IN_BLOCK, len(positions), _IN_BLOCK)), about, errors=errors)


def _choose_method(
    name: str, label: str, methods: list[Reconstructor], default: Reconstructor, problems: list[str]
) -> Reconstructor:
    by_name = {method.line.method: method for method in methods}
    look = {"format_func": lambda key: by_name[key].label, "width": 150}
    default = default.line.method
    return by_name[page_state.choose_with(st.selectbox, name, label, list(by_name), default, problems, **look)]


def _rows_by_difference(rows: Rows, a: Reconstructor, b: Reconstructor) -> _Choice:
    difference = a.errors - b.errors
    blocks = error_comparison.find_disagreements(a.errors, b.errors, _IN_BLOCK)
    headings = (f"{a.label} lower than {b.label}", f"{b.label} lower than {a.label}")
    filled = {heading: block for heading, block in zip(headings, blocks, strict=True) if len(block)}
    first, second = to_phrase(a.label), to_phrase(b.label)
    about = (
        f"Below each image: error of {first} minus error of {second}; {first} has the lower error on "
        f"{(difference < 0).sum():,} and {second} on {(difference > 0).sum():,} of {rows.summary}."
    )
    signs = {int(k): "+" if difference[k] > 0 else "−" for k in np.concatenate(blocks)}
    errors = {k: f"{sign}{number(abs(difference[k]))}" for k, sign in signs.items()}
    return _Choice(list(filled.values()), about, list(filled), errors)


def _strips(
    rows: Rows, choice: _Choice, X: np.ndarray, lines: list[_Reconstructed], limit: float | None
) -> list[Strip]:
    """Originals and reconstructions; with `limit`, the end of their scale, error maps too."""
    shape, ends = rows.image_shape, np.cumsum([*map(len, choice.blocks)])[:-1]

    def strip(name: str, images: np.ndarray, alt: str) -> Strip:
        blocks = np.split(to_pixels(images), ends)
        return Strip(name, [image_grid.make_pictures(block, shape, _IN_BLOCK, alt) for block in blocks])

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
            maps = [make_map(block, shape, _IN_BLOCK, limit, alt) for block in np.split(line.images - X, ends)]
            strips.append(Strip(make_note("minus original"), maps))
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


def make_originals(run: Run) -> list[Strip]:
    """Return a strip of the test images that a run stores; none where they may not be redistributed."""
    return [make_strip(run, "originals", "Originals")] if "originals" in run.views else []


def make_strip(run: Run, view: str, label: str, *about: str) -> Strip:
    """Return a strip of images that a run stores."""
    name, shape = image_grid.make_name(label, *about), tuple(run.environment["image_shape"])
    return image_grid.make_strip(name, run.views[view], shape, label)


def _draw_stored_reconstructions(view: View) -> None:
    """Without the data set, draw the reconstructions that are stored with the runs."""
    strips = {}
    for line in (line for line in view.trained if "reconstructions" in line.run.views):
        error = line.run.metrics["squared_error"]
        note = f"error {number(error.value)} on all {error.n:,}"
        strips[line.label] = make_strip(line.run, "reconstructions", line.label, note)
    if strips:
        why = "The original images may not be redistributed; they are shown once the data set is on this machine."
        st.markdown(plain(f"Reconstructions stored with the runs of {join_words(list(strips))}. {why}"))
        st.html(image_grid.make_grid(list(strips.values()), 2))


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
            rank = f"rank {(line.all_errors < line.all_errors[k]).sum() + 1:,} of {len(rows):,}"
        images = line.images[[place]]
        error_map = make_map(images - X, rows.image_shape, 1, limit, f"{line.label} minus original", cell=224)
        cards.append(card(line.label, (f"squared error {number(line.errors[place])}", rank), images, error_map))
    st.html(Markup(f'<div class="hg-cards">{"".join(cards)}</div>'))
    st.caption(plain(_ABOUT_ERRORS))
