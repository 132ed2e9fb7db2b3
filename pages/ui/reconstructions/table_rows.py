"""The section Rows: test rows of a table, chosen at random or by their errors, beside their reconstructions."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from core.analysis import error_comparison
from core.analysis.rows import Rows
from core.types import Run
from pages.ui.shared import cached, cell_tables, page_state, tables
from pages.ui.shared.cell_tables import ShownCells
from pages.ui.shared.html_blocks import make_caption, make_note
from pages.ui.shared.number_format import number
from pages.ui.shared.reconstructors import Reconstructor, to_phrase
from pages.ui.shared.run_picker import View
from pages.ui.shared.section import RECONSTRUCTS, begin_section
from pages.ui.shared.text import Markup, plain

_SHOWN, _FEW_CELLS = 6, 6
_EACH, _WORST, _TYPICAL, _BEST = "each", "worst", "typical", "best"
_PICKS = {_WORST: "Largest error", _TYPICAL: "Typical error", _BEST: "Smallest error"}


def draw(view: View, stored: Sequence[Run], problems: list[str]) -> None:
    with begin_section(view) as section:
        rows = section.find_rows(problems)
        methods = section.find_reconstructors(rows)
        section.require(methods, RECONSTRUCTS)
        with st.container(key="rebuilt-choices", horizontal=True, vertical_alignment="bottom"):
            options = _PICKS | {_EACH: "One per class" if rows.has_labels else "Random"}
            pick = page_state.choose("pick", "Rows", options, problems)
            by_name = {method.line.method: method for method in methods}
            networks = [name for name, method in by_name.items() if not method.line.entry.is_linear]
            look = {"format_func": lambda name: by_name[name].label, "width": 150}
            default = next(iter(networks or by_name))
            leading = by_name[
                page_state.choose_with(st.selectbox, "by", "Errors of", list(by_name), default, problems, **look)
            ]
            parts = {"few": "Largest errors", "all": "All"}
            has_all = page_state.choose("cells", "Cells", parts, problems) == "all"
            page_state.forget(() if pick == _EACH else ("draw",))
            if pick == _EACH:
                seed, about = page_state.read_seed(problems), "Draw rows with the next seed."
                icon = ":material/casino:"
                st.button("Resample", page_state.key("others"), on_click=page_state.advance_seed, icon=icon, help=about)
        positions = _choose(rows, leading, pick, seed if pick == _EACH else 0)
        which = "drawn at random"
        if pick != _EACH:
            which = f"with the {_PICKS[pick].lower()} of {to_phrase(leading.label)}"
        section.explain(
            f"Test rows of {view.entry.label} {which}, in original units beside their reconstructions from "
            f"{view.size} latent dimension{'' if view.size == 1 else 's'}. The cells with the largest errors of "
            f"{to_phrase(leading.label)} come first: they make a row an outlier."
        )
        dataset = cached.load_dataset(view.entry.name, view.dataset_params)
        cells = ShownCells(dataset, rows.numbers[positions])
        with st.container(key="cards-of-rows", gap=None):
            _draw_cards(rows, cells, methods, leading, positions, None if has_all else _FEW_CELLS)
        st.caption(plain(f"{cell_tables.ABOUT_COLOURS} Error of a row: {section.measure.about}."))
        query = {"data": view.entry.name, "colour": "error"}
        label, icon = "All rows by their error: maps and CSV", ":material/scatter_plot:"
        st.page_link("pages/embeddings.py", label=label, icon=icon, query_params=query)


def _choose(rows: Rows, method: Reconstructor, pick: str, seed: int) -> np.ndarray:
    if pick == _EACH:
        return error_comparison.draw_by_class(rows.y, _SHOWN, seed)
    order = np.argsort(method.errors if pick == _BEST else -method.errors, kind="stable")
    first = max(0, (len(order) - _SHOWN) // 2) if pick == _TYPICAL else 0
    return order[first : first + _SHOWN]


def _draw_cards(
    rows: Rows,
    cells: ShownCells,
    methods: Sequence[Reconstructor],
    leading: Reconstructor,
    positions: np.ndarray,
    most: int | None,
) -> None:
    X_hat = {method.label: method.reconstruct_rows(rows, positions) for method in methods}
    errors = {label: cells.find_errors(values) for label, values in X_hat.items()}
    texts = {label: cell_tables.decode(cells.table, values) for label, values in X_hat.items()}
    head = ["Original", *X_hat]
    ranks = np.argsort(np.argsort(-leading.errors, kind="stable"))
    for k, (position, (_, about)) in enumerate(zip(positions, cells.name_rows(), strict=True)):
        own = np.nan_to_num(errors[leading.label][k], nan=-1.0)
        order = np.argsort(-own, kind="stable")[:most]
        columns = [[tables.text(cells.originals[k][j]) for j in order]]
        columns += [cell_tables.colour([texts[label][k][j] for j in order], errors[label][k][order]) for label in X_hat]
        named = [(cells.features[j].name,) * 2 for j in order]
        table = tables.make_strip(head, list(zip(named, zip(*columns, strict=True), strict=True)), "hg-wide-name")
        error, rank = number(leading.errors[position]), f"rank {ranks[position] + 1:,} of {len(rows):,}"
        note = f"{leading.label}: error {error}, {rank}"
        share = own[order][own[order] > 0].sum() / max(own[own > 0].sum(), 1e-12)
        part = f"These cells hold {share:.0%} of the sum of its cells' errors." if most and len(own) > most else ""
        caption = make_caption(about[:1].upper() + about[1:], note)
        st.html(Markup(f'<div>{caption}<div class="hg-tall">{table}</div>{make_note(part)}</div>'))
