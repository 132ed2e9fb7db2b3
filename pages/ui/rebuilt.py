"""The section Images: the same rows, and under them what each method rebuilds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import streamlit as st

from core import rebuilding, views
from core.figures import differences, rasters
from core.maps import Rows
from core.metrics import reconstruction
from core.types import as_floats
from pages.ui import choices, columns, draws, inverted, nav, rebuilders
from pages.ui.compare import View
from pages.ui.loaded import rows_here
from pages.ui.numbers import interval, number
from pages.ui.pictures import image
from pages.ui.rebuilders import Rebuilder, called
from pages.ui.runs import Line
from pages.ui.text import Markup, html, listed, plain

_IN_BLOCK, _BLOCKS = 5, 2
_SHOWN = _IN_BLOCK * _BLOCKS
_EACH, _WORST, _BEST, _APART = "each", "worst", "best", "apart"
_ON, _OFF = "on", "off"
_SUM = "Squared error: the sum over the pixels of an image, whose values are in [0, 1]."
_CLIPPED = "Pixels are clipped to [0, 1] to be shown; errors are of what the method gives, unclipped."


@dataclass(frozen=True)
class _Chosen:
    """Rows in their order on the page.

    Attributes
    ----------
    blocks : positions among the rows, of each block.
    heads : what stands above each block; nothing where the order needs no words.
    values : a few words about each position's errors.
    says : how they were chosen, a sentence.
    """

    blocks: tuple[np.ndarray, ...]
    says: str
    heads: tuple[str, ...] = ()
    values: dict[int, str] | None = None

    @property
    def positions(self) -> np.ndarray:
        return np.concatenate(self.blocks)


@dataclass(frozen=True)
class _Drawn:
    """A method's line.

    Attributes
    ----------
    about : what stands below its name.
    images : (n_chosen, n_features) reconstructions, not clipped; errors : (n_chosen,) their squared errors.
    all_errors : (n_rows,) of all rows here; None where these were not asked for.
    """

    label: str
    about: tuple[str, ...]
    images: np.ndarray
    errors: np.ndarray
    all_errors: np.ndarray | None = None


def draw(view: View, stored, problems: list[str]) -> None:
    explained = st.empty()
    rows = rows_here(view.entry, view.dataset_params, problems)
    if rows is None:
        _from_runs(view)
        rebuilders.absent(view)
        return
    known, refused = rebuilders.of(view, rows)
    generator = rebuilders.generator(view)
    with st.container(key="rebuilt-choices", horizontal=True, vertical_alignment="bottom"):
        chosen = _choose(rows, known, problems)
        below = choices.segments(
            "errors",
            "Below each reconstruction",
            {_OFF: "Nothing", _ON: "Error picture"},
            problems,
            help="Reconstruction minus original, pixel by pixel, on one scale for all that is shown.",
        )
    explained.markdown(plain(_explanation(view, rows, known, chosen)))
    if len(chosen.positions) == 0:
        st.markdown("There is no such row.")
        return
    X = as_floats(rows.X[chosen.positions], rows.kind)
    if generator and inverted.is_wanted():
        with nav.in_words():
            inverted.invert(generator, X)
    drawn = [_drawn(each, rows, chosen.positions) for each in known]
    found = inverted.rebuilt(generator, X) if generator else None
    if found:
        drawn.append(_by_inversion(generator, X, found))
    limit = rebuilding.shared_limit([each.images - X for each in drawn])
    if below == _ON and drawn:
        st.html(scale(limit))
    strips = _strips(rows, chosen, X, drawn, limit if below == _ON else None)
    if generator and not found:
        note = (
            '<div class="hg-note">It has no encoder, so it gives no code for an image: it has to be looked for.</div>'
        )
        strips.append(columns.Strip(columns.named(generator.label), [note, *[""] * (len(chosen.blocks) - 1)]))
    with st.container(key="rebuilt-columns", gap=None):
        st.html(columns.grid(strips, len(chosen.blocks)))
        slots = [k for block in chosen.blocks for k in _padded(block)]
        labels = [None if k is None else f"Enlarge {rows.split} row {rows.numbers[k]}" for k in slots]
        clicked = columns.buttons("rebuilt", labels)
    if generator and not found:
        with nav.in_words():
            inverted.offer(generator)
    st.caption(plain(f"{_SUM} {_CLIPPED} Click a column to see it large, with each method's error and rank."))
    rebuilders.reasons(refused)
    rebuilders.absent(view)
    if clicked is not None:
        _enlarged(rows, slots[clicked], chosen.positions.tolist().index(slots[clicked]), drawn, limit)


def _drawn(each: Rebuilder, rows: Rows, positions: np.ndarray) -> _Drawn:
    errors, metrics = each.errors[positions], each.line.run.metrics
    n = int(metrics.get("squared_error_n") or 0)
    about = (
        f"error {number(float(errors.mean()))} on these {len(positions)}",
        f"{number(float(metrics['squared_error']))} on all {n:,} ({interval(metrics, 'squared_error')})",
    )
    return _Drawn(each.label, about, each.rebuilt(rows, positions), errors, each.errors)


def _by_inversion(line: Line, X: np.ndarray, found: inverted.Inverted) -> _Drawn:
    errors = reconstruction.squared_error(X, np.asarray(found.images, np.float32))
    about = f"error {number(float(errors.mean()))} on these {len(X)}", found.note
    return _Drawn(line.label, about, np.asarray(found.images, np.float32), errors)


def _explanation(view: View, rows: Rows, known: list[Rebuilder], chosen: _Chosen) -> str:
    if not known:
        return f"No method that rebuilds images of {view.entry.label} is trained at this code size yet."
    numbers = "one number" if view.size == 1 else f"{view.size} numbers"
    return (
        f"{len(chosen.positions)} test images of {view.entry.label}, and under them what each method rebuilds from "
        f"{numbers}: look for what is lost, what is blurred, and what is put in instead. {chosen.says}"
    )


# --- Which rows ---------------------------------------------------------------------------------------------------


def _choose(rows: Rows, known: list[Rebuilder], problems: list[str]) -> _Chosen:
    options = {_EACH: "One of each class" if rows.has_labels else "At random"}
    if known:
        options |= {_WORST: "Worst", _BEST: "Best"}
    if len(known) > 1:
        options |= {_APART: "Disagree"}
    pick = choices.segments(
        "pick",
        "Rows",
        options,
        problems,
        help="Worst and best: the largest and smallest squared error of one method. Disagree: the rows where the "
        f"errors of two methods differ most, either way. Looked for among the {len(rows):,} test rows shown here.",
    )
    if pick != _APART:
        _leave_out("than")
    if pick == _EACH:
        _leave_out("by")
        return _at_random(rows, problems)
    _leave_out("draw")
    of_method = {each.line.method: each for each in known}
    first = of_method[_method("by", "of" if pick != _APART else "between", list(of_method), "ae", known, problems)]
    if pick == _APART:
        others = [name for name in of_method if name != first.line.method]
        second = of_method[_method("than", "and", others, "pca", known, problems)]
        return _disagreeing(rows, first, second)
    order = rebuilding.worst if pick == _WORST else rebuilding.best
    positions = order(first.errors, _SHOWN)
    values = {int(k): number(float(first.errors[k])) for k in positions}
    what = "largest" if pick == _WORST else "smallest"
    whose = called(first.label)
    says = f"These are the rows with the {what} error of {whose}, which stands under each, among {rows.drawn}."
    return _Chosen(_in_blocks(positions), says, values=values)


def _leave_out(name: str) -> None:
    """Take a choice that means nothing now out of the address."""
    choices.keep(name, choices.remembered(name), text=None)


def _at_random(rows: Rows, problems: list[str]) -> _Chosen:
    seed = draws.seed(problems)
    st.button(
        "Others", key=choices.key("others"), on_click=draws.another, icon=":material/casino:", help="Draw other rows."
    )
    positions = rebuilding.one_of_each(rows.y, _SHOWN, seed)
    how = "the classes in turn" if rows.has_labels else "this data set has no classes"
    return _Chosen(_in_blocks(positions), f"Drawn at random with seed {seed} ({how}), from {rows.drawn}.")


def _method(name: str, label: str, options: list[str], usual: str, known: list[Rebuilder], problems: list[str]) -> str:
    labels = {each.line.method: each.label for each in known}
    widget = choices.seed(name, options, usual if usual in options else options[0], problems)
    chosen = st.selectbox(label, options, key=widget, format_func=labels.get, width=150)
    choices.keep(name, chosen)
    return chosen


def _disagreeing(rows: Rows, a: Rebuilder, b: Rebuilder) -> _Chosen:
    blocks = rebuilding.disagreeing(a.errors, b.errors, _IN_BLOCK)
    difference = a.errors - b.errors
    values = {int(k): f"{'+' if difference[k] > 0 else '−'}{number(abs(float(difference[k])))}" for k in _all(blocks)}
    heads = (f"{a.label} better than {b.label} by most", f"{b.label} better than {a.label} by most")
    there = [k for k in range(_BLOCKS) if len(blocks[k])]
    says = (
        f"Under each stands the error of {called(a.label)} minus that of {called(b.label)}. Of {rows.drawn}, "
        f"{called(a.label)} has the smaller error on {int((difference < 0).sum()):,}, {called(b.label)} on "
        f"{int((difference > 0).sum()):,}."
    )
    return _Chosen(tuple(blocks[k] for k in there), says, tuple(heads[k] for k in there), values)


def _all(blocks: tuple[np.ndarray, ...]) -> np.ndarray:
    return np.concatenate(blocks)


def _in_blocks(positions: np.ndarray) -> tuple[np.ndarray, ...]:
    return tuple(positions[start : start + _IN_BLOCK] for start in range(0, len(positions), _IN_BLOCK))


def _padded(block: np.ndarray) -> list[int | None]:
    return [*map(int, block), *[None] * (_IN_BLOCK - len(block))]


# --- The pictures -------------------------------------------------------------------------------------------------


def _strips(
    rows: Rows, chosen: _Chosen, X: np.ndarray, drawn: list[_Drawn], limit: float | None
) -> list[columns.Strip]:
    """Originals and reconstructions; with `limit`, the end of their scale, error pictures too."""
    strips = []
    if chosen.heads:
        strips.append(columns.Strip("", [f'<div class="hg-columns-head">{html(head)}</div>' for head in chosen.heads]))
    ends = np.cumsum([0, *map(len, chosen.blocks)])
    parts = [slice(*pair) for pair in pairwise(ends)]
    strips.append(_strip(columns.named("Originals"), X, parts, rows, "Original test images"))
    about = "class, and row of the" if rows.has_labels else "row of the"
    strips.append(
        columns.Strip(
            f'<div class="hg-note hg-wide-only">{about} {rows.split} split</div>',
            [columns.captions([_about(rows, k, chosen) for k in block], _IN_BLOCK) for block in chosen.blocks],
        )
    )
    for each in drawn:
        alt = f"The same images rebuilt by {each.label}"
        strips.append(_strip(columns.named(each.label, *each.about), each.images, parts, rows, alt))
        if limit is not None:
            alt = f"Reconstruction by {each.label} minus original"
            cells = [_difference((each.images - X)[part], rows, _IN_BLOCK, limit, alt) for part in parts]
            strips.append(columns.Strip('<div class="hg-note">minus original</div>', cells))
    return strips


def _strip(name: str, images: np.ndarray, parts: list[slice], rows: Rows, alt: str) -> columns.Strip:
    clipped = views.pixels(images)
    return columns.Strip(name, [columns.pictures(clipped[part], rows.image_shape, _IN_BLOCK, alt) for part in parts])


def _difference(off: np.ndarray, rows: Rows, per_line: int, limit: float, alt: str, cell: int = 112) -> str:
    picture = differences.montage(off, rows.image_shape, per_line, limit, nav.theme(), cell=cell)
    return image(rasters.png(picture), alt, "hg-columns-image")


def _about(rows: Rows, k: int, chosen: _Chosen) -> str:
    of_class = f"<b>{html(rows.class_of(k))}</b> " if rows.class_of(k) else ""
    value = (chosen.values or {}).get(int(k), "")
    error = f"<br>{html(value)}" if value else ""
    return f'{of_class}<span class="hg-note">row {rows.numbers[k]:,}</span>{error}'


def scale(limit: float) -> Markup:
    """The colour bar of error pictures, with its numbers."""
    ends = f"{limit:.1f}"
    bar = image(rasters.png(differences.bar(nav.theme())), f"Colours from −{ends} to +{ends}", "hg-scale-bar")
    return Markup(
        '<div class="hg-scale"><span class="hg-note">Error pictures, reconstruction minus original, pixels from 0 '
        f"(black) to 1 (white):</span><span class='hg-scale-ends'><span>−{ends} <span class='hg-note'>too dark</span>"
        f"</span><span class='hg-scale-middle'>{bar}<span>0</span></span>"
        f"<span>+{ends} <span class='hg-note'>too bright</span></span></span></div>"
    )


def _from_runs(view: View) -> None:
    """Without the data, what the runs themselves hold."""
    held = [line for line in view.there if "reconstructions" in line.run.views]
    if not held:
        return
    st.markdown(
        plain(
            f"Below are reconstructions that are stored with the runs of {listed([line.label for line in held])}: what "
            "they were made from may not be passed on, so the originals are shown once the data are here."
        )
    )
    strips = []
    for line in held:
        shape = tuple(line.run.environment["image_shape"])
        images = line.run.views["reconstructions"][:_SHOWN]
        cells = [
            columns.pictures(images[block], shape, _IN_BLOCK, line.label)
            for block in _in_blocks(np.arange(len(images)))
        ]
        metrics = line.run.metrics
        about = f"error {number(float(metrics['squared_error']))} on all {int(metrics['squared_error_n']):,}"
        strips.append(columns.Strip(columns.named(line.label, about), [*cells, *[""] * (_BLOCKS - len(cells))]))
    st.html(columns.grid(strips, _BLOCKS))


# --- One row, large -----------------------------------------------------------------------------------------------


@st.dialog("One image, rebuilt", width="large")
def _enlarged(rows: Rows, k: int, place: int, drawn: list[_Drawn], limit: float) -> None:
    """The row at position `k`, which stands at `place` among those shown."""
    of_class = f", class {rows.class_of(k)}" if rows.class_of(k) else ""
    st.markdown(
        plain(
            f"Row {rows.numbers[k]:,} of the {rows.split} split{of_class}. Rank: its place among the {len(rows):,} rows"
            " by the method's squared error, 1 being rebuilt best."
        )
    )
    st.html(scale(limit))
    X = as_floats(rows.X[[k]], rows.kind)
    cards = [_card("Original", (f"{rows.split} row {rows.numbers[k]:,}", "as it is in the data"), X, None, rows, limit)]
    for each in drawn:
        error = f"squared error {number(float(each.errors[place]))}"
        found = (
            f"rank {rebuilding.rank(each.all_errors, k):,} of {len(rows):,}"
            if each.all_errors is not None
            else "by inversion, which gives no rank"
        )
        images = each.images[[place]]
        cards.append(_card(each.label, (error, found), images, images - X, rows, limit))
    st.html(Markup(f'<div class="hg-cards">{"".join(cards)}</div>'))
    st.caption(plain(f"{_SUM} {_CLIPPED}"))


def _card(
    name: str, about: tuple[str, ...], images: np.ndarray, off: np.ndarray | None, rows: Rows, limit: float
) -> str:
    pictures = [columns.pictures(views.pixels(images), rows.image_shape, 1, name, cell=224)]
    if off is not None:
        pictures.append(_difference(off, rows, 1, limit, f"{name} minus original", cell=224))
    return f'<div><div class="hg-caption">{columns.named(name, *about)}</div>{"".join(pictures)}</div>'
