"""Cells of a table in original units, coloured by the errors of their reconstructions."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from core.analysis.table_cells import Cells
from core.figures import cell_colours
from pages.ui.shared import header
from pages.ui.shared.tables import Cell
from pages.ui.shared.text import html, shorten

ABOUT_COLOURS = (
    "Colour: error of the cell, from none to one standard deviation of its feature or more; a wrong category has the "
    "full colour."
)
_LONGEST_TITLE = 60


class ShownCells(Cells):
    """Cells of some test rows that are shown; parameters as `core.analysis.table_cells.Cells`."""

    @property
    def table(self) -> Any:
        """The `core.datasets.own.preparation.Prepared` of the data set."""
        return self.dataset.table

    @cached_property
    def features(self) -> list[Any]:
        """The features that are columns of the file."""
        return list_features(self.table)

    @cached_property
    def originals(self) -> list[list[str]]:
        """The text of each cell: rows of features."""
        frame = self.table.frame_test.iloc[self.rows]
        return _to_texts(self.table, frame)

    def find_errors(self, X_hat: np.ndarray) -> np.ndarray:
        """Errors of reconstructions of `features`, see `core.metrics.tables.CellErrors`: (n, n_features)."""
        is_column = [not feature.of_missing for feature in self.table.features]
        return self.compare(X_hat).errors[:, is_column]

    def name_rows(self) -> list[tuple[str, str]]:
        """What a row is called, its class or number, and all its names: ``"test row 17, id 1042, class_0"``."""
        named, column = [], self.table.title_column
        titles = self.table.write_titles(self.table.frame_test.iloc[self.rows])
        for row, title in zip(self.rows.tolist(), titles, strict=True):
            label = self.dataset.y_test[row]
            name = str(self.dataset.target_names[label]) if self.dataset.has_labels and label >= 0 else ""
            parts = (f"test row {row:,}", title and shorten(f"{column} {title}", _LONGEST_TITLE), name)
            named.append((name or f"row {row:,}", ", ".join(filter(None, parts))))
        return named


def list_features(table: Any) -> list[Any]:
    """The features of prepared rows that are columns of the file, without those that mark missing cells."""
    return [feature for feature in table.features if not feature.of_missing]


def decode(table: Any, X: np.ndarray) -> list[list[str]]:
    """The text of each cell of prepared rows (n, n_columns): rows of features, see `list_features`."""
    return _to_texts(table, table.to_frame(X, has_gaps=False))


def decode_samples(table: Any, X: np.ndarray) -> list[list[str]]:
    """As `decode`, with missing cells and the decimals of the file, see `core.analysis.table_rows.to_cells`."""
    from core.analysis.table_rows import to_cells  # pydantic: most visits show no table

    frame = to_cells(table, X)
    return _to_texts(table, frame.astype(dict.fromkeys(frame.columns[frame.dtypes == "Int64"], float)))


def _to_texts(table: Any, frame: Any) -> list[list[str]]:
    columns = [table.format_cells(frame[feature.name]) for feature in list_features(table)]
    return list(map(list, zip(*columns, strict=True)))


def colour(texts: Sequence[str], errors: np.ndarray) -> list[Cell]:
    """Cells of texts in the colours of their errors, (n,)."""
    return [
        Cell(f'<span class="hg-cell" style="background:{shade}">{html(text)}</span>' if shade else html(text), text)
        for text, shade in zip(texts, cell_colours.colour_errors(errors, header.get_theme()), strict=True)
    ]
