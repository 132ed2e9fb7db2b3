"""The section Arithmetic: a test image's code moved by the difference of two classes' mean codes."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.analysis import interpolation
from core.analysis.rows import Rows
from core.metrics import bootstrap
from core.types import ROW_NAMES, Run
from pages.ui.generation import encoded_rows
from pages.ui.generation.encoded_rows import EncodedRows
from pages.ui.shared import image_grid, page_state, reconstructors
from pages.ui.shared.reconstructors import Reconstructor
from pages.ui.shared.run_picker import View
from pages.ui.shared.section import RECONSTRUCTS, Section, begin_section
from pages.ui.shared.stored_runs import Stamp
from pages.ui.shared.text import plain

_AMOUNTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
_MOST_COUNTED = 200


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    with begin_section(view) as section:
        rows = section.find_rows(problems)
        methods, minus, plus = choose_difference(
            section, rows, problems, "In a well-ordered latent space the class changes, and slant or width stays."
        )
        _draw_sums(methods, rows, plus, minus, problems)
        explain_gan(view)


def choose_difference(
    section: Section, rows: Rows, problems: list[str], expected: str
) -> tuple[list[Reconstructor], int, int]:
    """Explain the section, and draw the choice of two classes; returns the methods and both classes.

    `expected` : a sentence on what to look for. Without two classes, or without a method, the section ends.
    """
    view, row = section.view, ROW_NAMES[rows.kind]
    if not rows.has_labels:
        section.end(f"{view.entry.label} has no class labels, so there is no difference of two classes.")
    if len(np.unique(rows.y[rows.y >= 0])) < 2:
        section.end(f"All test {row}s with a label have one class, so there is no difference of two classes.")
    methods = section.find_reconstructors(rows)
    section.require(methods, RECONSTRUCTS)
    minus, plus = _choose_classes(rows, problems)
    section.explain(
        f"Mean code of class {rows.target_names[plus]} minus that of class {rows.target_names[minus]}, added to the "
        f"code of one {row}. {expected}"
    )
    return methods, minus, plus


def explain_gan(view: View) -> None:
    """Say why a GAN, if there is one, has no part in the section."""
    if reconstructors.find_gan(view):
        row = ROW_NAMES[view.entry.kind]
        st.caption(f"A GAN has no encoder, so there are no codes of test {row}s to average.")


def _choose_classes(rows: Rows, problems: list[str]) -> tuple[int, int]:
    names = [str(name) for name in rows.target_names]
    present = [names[k] for k in np.unique(rows.y[rows.y >= 0])]
    chosen: list[int] = []
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for key, label, place in (("minus", "From class", 7), ("plus", "To class", 9)):
            # The difference of a class with itself is no direction.
            offered = [option for option in present if names.index(option) not in chosen]
            usual = present[min(place, len(present) - 1)]
            default = usual if usual in offered else offered[-1]
            name = page_state.choose_with(st.selectbox, key, label, offered, default, problems, width=200)
            chosen.append(names.index(name))
    return chosen[0], chosen[1]


def _draw_sums(methods: Sequence[Reconstructor], rows: Rows, plus: int, minus: int, problems: list[str]) -> None:
    offered = np.flatnonzero(rows.y == minus)[: encoded_rows.N_OFFERED]
    label = f"A test image of class {rows.target_names[minus]}"
    at = encoded_rows.choose_row("row", label, rows, offered, 0, problems)
    amounts = np.array(_AMOUNTS)
    heads = image_grid.make_captions(["original", *(f"+ {amount:g} ×" for amount in amounts)], len(amounts) + 1)
    strips = [image_grid.Strip("", [heads])]
    for method in methods:
        encoded = encoded_rows.encode_rows(method, rows)
        direction = interpolation.compute_class_difference(encoded.codes, rows.y, plus, minus)
        images = encoded.decode(encoded.codes[at] + amounts[:, None] * direction)
        notes = _count_predicted(method.line.stamp, rows.key, plus, minus, encoded, rows)
        strips += encoded_rows.make_strips(np.concatenate([rows.X[[at]], images]), rows, method.label, *notes)
    st.html(image_grid.make_grid(strips, 1))
    n_plus, n_minus = (int((rows.y == label).sum()) for label in (plus, minus))
    about = f"Mean codes of {n_plus} and {n_minus} test images of these classes, from {rows.summary}."
    if encoded_rows.has_classifier(rows):
        about += (
            f" Percentages: test images of class {rows.target_names[minus]} that the shipped classifier predicts as "
            f"{rows.target_names[plus]} after + 1 × the difference, with 95% interval."
        )
    st.caption(plain(about))


@st.cache_data(max_entries=256, show_spinner=False)
def _count_predicted(
    stamp: Stamp, rows_key: str, plus: int, minus: int, _encoded: EncodedRows, _rows: Rows
) -> tuple[str, ...]:
    """Say which share of one class is predicted as the other, with and without the difference added."""
    if not encoded_rows.has_classifier(_rows):
        return ()
    codes = _encoded.codes[np.flatnonzero(_rows.y == minus)[:_MOST_COUNTED]]
    direction = interpolation.compute_class_difference(_encoded.codes, _rows.y, plus, minus)

    def share(Z: np.ndarray) -> str:
        count = int((encoded_rows.predict_classes(_encoded.decode(Z), _rows) == plus).sum())
        low, high = bootstrap.share_interval(count, len(Z))
        return f"{count / len(Z):.0%} ({low:.0%} to {high:.0%})"

    name = _rows.target_names[plus]
    return f"{share(codes + direction)} of {len(codes)} predicted as {name}", f"{share(codes)} without the difference"
