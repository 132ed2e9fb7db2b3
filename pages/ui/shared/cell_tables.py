"""Cells of a table in original units, coloured by the errors of their reconstructions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from core.figures import cell_colours
from core.metrics import tables as table_metrics
from core.types import Dataset
from pages.ui.shared import header
from pages.ui.shared.tables import Cell
from pages.ui.shared.text import html

ABOUT_COLOURS = (
    "Colour: error of the cell, from none to one standard deviation of its feature or more; a wrong category has the "
    "full colour."
)


@dataclass(frozen=True)
class TestCells:
    """Cells of some test rows of a data set.

    Attributes
    ----------
    dataset : a table; rows : (n,) numbers of the rows in the test split.
    """

    __test__ = False  # no test of pytest

    dataset: Dataset
    rows: np.ndarray

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
        return _to_texts([frame[feature.name] for feature in self.features])

    @cached_property
    def variances(self) -> np.ndarray:
        """(n_features,) variance of each feature of the prepared rows among all test rows."""
        counted = self._count(self.dataset.known_test, self.dataset.X_test.shape)
        return table_metrics.feature_variances(self.dataset.X_test, self.dataset.blocks, counted)

    def _count(self, known: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray | None:
        return table_metrics.select_counted(known, self.table.features, shape)

    def compare(self, X_hat: np.ndarray) -> np.ndarray:
        """Errors of reconstructions (n, n_columns), see `core.metrics.tables.CellErrors`: (n, n_features)."""
        X, known = self.dataset.X_test[self.rows], self.dataset.known_test
        counted = self._count(None if known is None else known[self.rows], X.shape)
        cells = table_metrics.compare_cells(X, X_hat, self.dataset.blocks, counted, self.variances)
        return cells.errors[:, [k for k, feature in enumerate(self.table.features) if not feature.of_missing]]

    def name_rows(self) -> list[tuple[str, str]]:
        """What a row is called, its class or number, and the whole of it, such as ``"test row 17, class_0"``."""
        named = []
        for row in self.rows.tolist():
            label = self.dataset.y_test[row]
            name = str(self.dataset.target_names[label]) if self.dataset.has_labels and label >= 0 else ""
            named.append((name or f"row {row:,}", f"test row {row:,}{name and f', {name}'}"))
        return named


def list_features(table: Any) -> list[Any]:
    """The features of prepared rows that are columns of the file, without those that mark missing cells."""
    return [feature for feature in table.features if not feature.of_missing]


def decode(table: Any, X: np.ndarray, *, has_gaps: bool = False) -> list[list[str]]:
    """The text of each cell of prepared rows (n, n_columns): rows of features, see `list_features`."""
    frame = table.to_frame(X, has_gaps=has_gaps)
    return _to_texts([frame[feature.name] for feature in list_features(table)])


def _to_texts(columns: Sequence[Any]) -> list[list[str]]:
    from core.datasets.own.preparation import format_cell  # pydantic: most visits show no table

    return [list(row) for row in zip(*([format_cell(value) for value in column] for column in columns), strict=True)]


def colour(texts: Sequence[str], errors: np.ndarray) -> list[Cell]:
    """Cells of texts in the colours of their errors, (n,)."""
    return [
        Cell(f'<span class="hg-cell" style="background:{shade}">{html(text)}</span>' if shade else html(text), text)
        for text, shade in zip(texts, cell_colours.colour_errors(errors, header.get_theme()), strict=True)
    ]
