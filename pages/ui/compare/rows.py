"""Rows of tables in Compare: test rows with their reconstructions, samples, and the dialogs that enlarge them."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import streamlit as st

from core import datasets
from core.datasets import checksums
from core.errors import HourglassError
from pages.ui.shared import cached, cell_tables, page_state, tables
from pages.ui.shared.cell_tables import ShownCells
from pages.ui.shared.html_blocks import make_note
from pages.ui.shared.stored_runs import Line
from pages.ui.shared.tables import Cell
from pages.ui.shared.text import Markup, plain

_MOST_FEATURES, _MOST_ROWS = 6, 5
NOT_HERE = "Not shown: the rows of this data set are not on this machine."


def find_cells(lines: Sequence[Line], most: int = _MOST_ROWS) -> ShownCells | None:
    """Cells of the test rows whose reconstructions the runs store; None if the data set is not here."""
    runs = [line.run for line in lines if line.run and "strip_rows" in line.run.views]
    with suppress(HourglassError):
        if runs and datasets.is_available(runs[0].spec.dataset):
            dataset = cached.load_dataset(runs[0].spec.dataset, runs[0].spec.dataset_params)
            if checksums.is_of(runs[0].environment, dataset.checksum):
                return ShownCells(dataset, runs[0].views["strip_rows"][:most].astype(int))
    return None


@dataclass(frozen=True)
class Excerpt:
    """The test rows and features that Compare shows at first."""

    cells: ShownCells
    features: list[int]  # numbers among the features of the cells

    def make_originals(self) -> Markup:
        """HTML of the test rows in original units."""
        return self._make_table([list(map(tables.text, texts)) for texts in self.cells.originals])

    def make_reconstructions(self, line: Line) -> Markup:
        """HTML of a method's reconstructions of the same rows, coloured by their errors."""
        X_hat = line.run.views["reconstructions"][: len(self.cells.rows)]
        texts, errors = cell_tables.decode(self.cells.table, X_hat), self.cells.find_errors(X_hat)
        rows = [cell_tables.colour(*row) for row in zip(texts, errors, strict=True)]
        return self._make_table(rows, "hg-headless")

    def make_samples(self, line: Line) -> Markup:
        """HTML of a few sampled rows."""
        texts = cell_tables.decode_samples(self.cells.table, line.run.views["samples"][:_MOST_ROWS])
        names = [(f"{k}", f"sample {k}") for k in range(1, len(texts) + 1)]
        return self._make_table([list(map(tables.text, row)) for row in texts], names=names)

    def _make_table(
        self, rows: list[list[Cell]], style: str = "", names: list[tuple[str, str]] | None = None
    ) -> Markup:
        chosen = [[row[k] for k in self.features] for row in rows]
        head = [self.cells.features[k].name for k in self.features]
        named = list(zip(names or self.cells.name_rows(), chosen, strict=True))
        return tables.make_strip(head, named, style)


def find_shown(lines: Sequence[Line]) -> Excerpt | None:
    """The rows and features to show: those whose errors differ most between the methods, or with one are largest."""
    if (cells := find_cells(lines)) is None:
        return None
    names = [feature.name for feature in cells.features]
    by_method = [line.run.by_class.get("error_per_feature") for line in lines if line.run]
    errors = [by_feature for by_feature in by_method if by_feature]
    table = np.array([[by_feature.get(name, 0.0) for name in names] for by_feature in errors or [{}]])
    spread = np.ptp(table, axis=0) if len(table) > 1 else table[0]
    return Excerpt(cells, np.argsort(-spread, kind="stable")[:_MOST_FEATURES].tolist())


def draw_enlarged(lines: Sequence[Line]) -> None:
    """Draw one test row, chosen among those stored: all features, their values and each method's reconstructions."""
    shown = [line for line in lines if line.run and "reconstructions" in line.run.views]
    cells = find_cells(shown, most=20)
    if cells is None:
        st.html(make_note(NOT_HERE))
        return
    names = [about for _, about in cells.name_rows()]
    at = st.selectbox("Row", range(len(names)), format_func=names.__getitem__, key=page_state.key("enlarged-row"))
    columns = [list(map(tables.text, cells.originals[at]))]
    for line in shown:
        X_hat = line.run.views["reconstructions"][[at]]
        one = ShownCells(cells.dataset, cells.rows[[at]])
        columns.append(cell_tables.colour(cell_tables.decode(cells.table, X_hat)[0], one.find_errors(X_hat)[0]))
    rows = [[tables.text(feature.name), *row] for feature, *row in zip(cells.features, *columns, strict=True)]
    tables.draw(["Feature", "Original", *(line.label for line in shown)], rows, "row", kind="hg-depths")
    st.caption(plain(cell_tables.ABOUT_COLOURS))


def draw_samples_enlarged(line: Line) -> None:
    """Draw all samples of a run with all features."""
    from core.analysis.table_rows import to_cells  # pydantic: most visits show no table

    if cells := find_cells([line]):
        tables.draw_frame(to_cells(cells.table, line.run.views["samples"]), "samples")
    else:
        st.html(make_note(NOT_HERE))
