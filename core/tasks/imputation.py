"""Hidden cells filled by scikit-learn's IterativeImputer in a process of its own; see `core.tasks.computation`."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from core import cache, datasets
from core.analysis import hidden_cells
from core.analysis.table_cells import Cells
from core.tasks.computation import Work

QUICK_COLUMNS = 60  # up to which it takes about a second


def errors_key(cells: Cells) -> str:
    """Return the name of the errors of these rows' hidden cells."""
    return cache.make_key(cells.dataset.checksum, cells.rows, hidden_cells.SHARE)


def start(cells: Cells) -> None:
    """Start to fill the hidden cells of rows; raises HourglassError as `Work.start`."""
    document = {"dataset": cells.dataset.name, "rows": cells.rows.tolist()}
    WORK.start(errors_key(cells), lambda folder: (folder / "input.json").write_text(json.dumps(document), "utf-8"))


def compute_errors(cells: Cells) -> dict[str, np.ndarray]:
    """Return ``errors`` of the filled cells, NaN for others: (n, n_features)."""
    hidden = hidden_cells.hide(cells)
    filled = hidden_cells.fill_by_regressions(cells, hidden)
    return {"errors": hidden_cells.compute_errors(cells, hidden, filled).errors}


def _impute(folder: Path, report: Callable[[float], None]) -> dict[str, np.ndarray]:
    document = json.loads((folder / "input.json").read_text("utf-8"))
    cells = Cells(datasets.load(document["dataset"]), np.array(document["rows"]))
    report(0.1)
    return compute_errors(cells)


WORK = Work("core.tasks.imputation", "imputations", "imputed", "imputation", _impute)


if __name__ == "__main__":
    WORK.main()
