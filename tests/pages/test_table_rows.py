"""Compare and Reconstructions on a table: values in original units, errors of features, and hidden cells."""

import csv
import io
import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from core import datasets
from core.analysis import hidden_cells
from core.analysis.table_cells import Cells
from core.datasets.own.cell_texts import format_cell
from core.figures import cell_colours, palette
from core.metrics import bootstrap, tables
from core.runs import layout, reader
from core.runs import store as run_store
from core.tasks import computation, imputation
from pages.ui.shared.cell_tables import ShownCells
from tests.contrast import contrast
from tests.pages.conftest import HOSTILE, clear_caches
from tests.pages.driver import opened_on
from tests.pages.test_generation_tables import FEW, fit_table

SECTIONS = ("rows", "classes", "size", "depth", "linear", "damage", "hidden")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Runs of a table with hostile names, categories and gaps: PCA, a linear AE and an AE at 2, and a GAN."""
    place = tmp_path_factory.mktemp("tables")
    of_methods = {"pca": {}, "linear_ae": {"epochs": 5}, "ae": FEW}
    return place, fit_table(place, of_methods, HOSTILE, first_only=True)


@pytest.fixture(autouse=True)
def name(folder, monkeypatch, tmp_path, computed):
    monkeypatch.setenv("HOURGLASS_RUNS", str(folder[0]))
    monkeypatch.setattr(layout, "SHIPPED", tmp_path / "none")
    clear_caches()
    return folder[1]


def opened(name, section=None, **query):
    page = "pages/reconstructions.py" if section else "app.py"
    return opened_on(page, **{"data": name, "size": "2", **({"section": section} if section else {}), **query})


def read_strips(app) -> list[list[list[str]]]:
    """The texts of all small tables: rows of cells, the names first."""
    found = re.findall(r'<table class="hg-cells.*?</table>', app.read_html(), re.DOTALL)
    rows = [re.findall(r"<tr>(.*?)</tr>", table) for table in found]
    cell = lambda row: [unescape(re.sub("<.*?>", "", text)) for text in re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row)]
    return [[cell(row) for row in table] for table in rows]


def read_table(app, text: str) -> list[dict[str, str]]:
    (saved,) = re.findall(r'data-csv="([^"]*)"', app.body_with(text))
    return list(csv.DictReader(io.StringIO(unescape(saved))))


def read_run(name: str, method: str):
    return reader.read_run(next(run for run in run_store.list_runs()[0] if run.spec.method == method).place)


def test_compare_shows_values_and_reconstructions_in_original_units(name):
    app, dataset, run = opened(name), datasets.load(name), read_run(name, "pca")
    originals, of_pca, *_ = read_strips(app)
    head, rows = originals[0][1:], run.views["strip_rows"][:5]
    frame = dataset.table.frame_test.iloc[rows]
    decoded = dataset.table.to_frame(run.views["reconstructions"][:5], has_gaps=False)
    assert set(head) == {"colour", "count", "day", HOSTILE}
    for k, feature in enumerate(head, 1):
        assert [row[k] for row in originals[1:]] == list(map(format_cell, frame[feature]))
        assert [row[k] for row in of_pca[1:]] == list(map(format_cell, decoded[feature]))
    app.expect("cannot reconstruct a given row").set_state("compare:measures")
    errors = read_table(app, "error by feature")
    assert {row["Feature"]: float(row["PCA"]) for row in errors} == pytest.approx(run.by_class["error_per_feature"])
    dialog = opened(name).press("compare:open-strip-pca").get("dialog")
    assert dialog


def test_pages_of_a_table_open_without_words_of_images(name):
    apps = [opened(name), *(opened(name, section) for section in SECTIONS)]
    for app in apps:
        assert not app.error
        assert "<img src=x" not in app.read_html()
        text = re.sub(r"<(style|script)>.*?</\1>|<[^>]*>", "", app.read_html(), flags=re.DOTALL)
        assert not re.search(r"pixel|image|picture", text, re.IGNORECASE)


def test_worst_rows_begin_with_the_cells_of_largest_error(name):
    run, dataset = read_run(name, "pca"), datasets.load(name)
    app = opened(name, "rows", pick="worst", by="pca")
    worst = np.argsort(-run.views["rows.unexplained_variance"], kind="stable")[0]
    app.expect(f"Test row {worst}, ")
    cells = ShownCells(dataset, np.array([worst]))
    fitted = reader.read_estimator(run.place)
    errors = cells.find_errors(fitted.inverse_transform(fitted.transform(cells.X)))[0]
    assert read_strips(app)[0][1][0] == cells.features[int(np.nanargmax(errors))].name


def test_hidden_cells_are_compared_with_the_median_on_the_same_rows(name):
    app, dataset = opened(name, "hidden"), datasets.load(name)
    cells = Cells(dataset, np.arange(len(dataset.y_test)))
    hidden = hidden_cells.hide(cells)
    median = hidden_cells.compute_errors(cells, hidden, hidden_cells.fill_by_median(cells, hidden))
    imputed = tables.CellErrors(imputation.compute_errors(cells)["errors"], median.is_number)
    rows = {row["Filled by"]: row for row in read_table(app, "Difference from the median")}
    assert {"PCA", "Linear AE", "AE", "IterativeImputer"} < set(rows)
    row = rows["IterativeImputer"]
    assert float(row["Numbers: error"]) == pytest.approx(imputed.by_row(True).mean())
    ends = bootstrap.paired_difference_interval(imputed.by_row(True), median.by_row(True))
    shown = [float(row[f"Difference from the median {end}"]) for end in ("low", "high")]
    assert shown == pytest.approx(ends)
    assert float(row["Categories: share wrong"]) == pytest.approx(imputed.by_row(False).mean())


def test_imputation_in_a_process_of_its_own_gives_the_same_errors(name, monkeypatch):
    dataset = datasets.load(name)
    cells = Cells(dataset, np.arange(len(dataset.y_test)))
    run = lambda module, folder, **_: imputation.WORK.run(Path(folder))
    monkeypatch.setattr(computation, "start_process", run)
    imputation.start(cells)
    state = imputation.WORK.read_state(imputation.errors_key(cells))
    np.testing.assert_array_equal(state.arrays["errors"], imputation.compute_errors(cells)["errors"])


def test_cells_are_readable_on_their_colours():
    errors = np.append(np.linspace(0, 2, 50), np.nan)
    for theme in ("light", "dark"):
        colours = cell_colours.colour_errors(errors, theme)
        assert colours[-1] == ""
        assert min(contrast(palette.INK[theme], colour) for colour in colours[:-1]) >= 4.5
        assert len(set(colours[:25])) == 25
