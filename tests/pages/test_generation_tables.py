"""Generation on a table: samples in the units of the file, how they differ from real rows, and decoded codes."""

import io
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core import datasets
from core.analysis import samplers, table_rows
from core.datasets.own import recipe, store
from core.experiments.fit import fit_and_store
from core.metrics import memorization
from core.runs import layout, reader, specs
from core.runs import store as run_store
from pages.ui.generation import table_samples
from tests.pages.conftest import HOSTILE, clear_caches
from tests.pages.driver import opened_on

PAGE = "pages/generation.py"
SECTIONS = ("samples", "features", "correlations", "manifold", "sliders", "between", "arithmetic")
FEW = {"epochs": 5, "width": 32}


def make_file() -> bytes:
    """A file with a hostile name of a column, whole numbers, categories and missing cells."""
    rng, n = np.random.default_rng(0), 150
    kind = rng.integers(0, 2, n)
    frame = pd.DataFrame({HOSTILE: rng.normal(kind, 1).round(2), "count": rng.integers(1, 9, n) + 5 * kind})
    frame["colour"] = np.where(rng.random(n) < 0.2, "<i>green</i>", np.array(["red", "blue"])[kind])
    frame["day"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 200, n), "D")
    frame.loc[::11, "colour"] = None
    frame["class"] = np.array(["a", "b"])[kind]
    return frame.to_csv(index=False).encode()


def fit_table(place: Path, of_methods: dict[str, dict], label: str = "", **options) -> str:
    """Add the file as an own data set with runs, of these methods in two dimensions and of a GAN; return its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOURGLASS_RUNS", str(place))
        content = make_file()
        brought = store.read_file(content, "file.csv")
        made = recipe.make_recipe(brought.columns, brought.table.format)
        name = store.add(content, "file.csv", brought.table, made, label)
        dataset = datasets.load(name)
        for method, settings in of_methods.items():
            fit_and_store(specs.make(name, method, {"n_components": 2} | settings), dataset, **options)
        fit_and_store(specs.make(name, "gan", {"n_components": 3} | FEW), dataset, **options)
    return name


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Runs of a table: PCA, an AE and a VAE in two dimensions, and a GAN."""
    place = tmp_path_factory.mktemp("tables")
    return place, fit_table(place, {"pca": {}, "ae": FEW, "vae": FEW})


@pytest.fixture(autouse=True)
def runs(folder, monkeypatch, tmp_path, computed):
    monkeypatch.setenv("HOURGLASS_RUNS", str(folder[0]))
    monkeypatch.setattr(layout, "SHIPPED", tmp_path / "none")
    clear_caches()


@pytest.fixture
def page(folder):
    return lambda section="samples", **query: opened_on(
        PAGE, **{"data": folder[1], "size": "2", "section": section, **query}
    )


def test_all_sections_open_escape_names_and_have_links_that_open_the_same(page):
    for section in SECTIONS:
        app = page(section)
        assert not [*app.error, *app.warning], section
        assert "<img src=x" not in app.read_html()
        assert "<i>green" not in app.read_html()
        text = re.sub("<(script|style)>.*?</(script|style)>", "", app.read_text(), flags=re.DOTALL)
        words = re.findall(r"[^<>]*\b(?<!data:)(?:image|pixel)s?\b[^<>]*", text)
        assert not words, (section, words)
        if section in ("features", "sliders", "between"):
            assert page(**app.query()).query() == app.query()
    for section, name in zip(SECTIONS[1:], ("shown", "shown", "feature", "code", "from", "row"), strict=True):
        assert page(section, **{name: f"{HOSTILE}!"}).warning, section


def test_samples_are_draws_in_the_units_of_the_file(page, folder, monkeypatch):
    downloads = {}
    record = lambda label, data, file_name, *_, **__: downloads.update({label: (data, file_name)})
    monkeypatch.setattr(table_samples.st, "download_button", record)
    app = page(of="vae-normal", seed="3", temperature="0.5")
    shown = app.dataframe[0].value
    dataset, run = datasets.load(folder[1]), next(r for r in run_store.list_runs()[0] if r.spec.method == "vae")
    fitted = reader.read_estimator(run.place)
    Z = samplers.restore_sampler(run, "normal", fitted).sample(100, 3, temperature=0.5)
    expected = table_rows.to_cells(dataset.table, table_rows.draw_rows(fitted, Z, dataset.blocks, 3))
    assert list(shown) == [HOSTILE, "count", "colour", "day"]
    ranges = dataset.table.frame_train[[HOSTILE, "count"]].agg(["min", "max"])
    n_inside = sum(row[list(ranges)].between(*ranges.to_numpy()).all() for _, row in expected.iterrows())
    app.expect(f"{100 - n_inside} of these 100 rows have a number outside the training rows' range")
    assert set(shown["colour"].dropna()) <= {"red", "blue", "<i>green</i>"}
    make, name = downloads["Save CSV"]
    saved = pd.read_csv(io.BytesIO(make()), parse_dates=["day"])
    assert name.startswith("samples-file-2d-vae-normal-")
    assert name.endswith("-seed3.csv")
    for column in expected:
        pd.testing.assert_series_equal(saved[column], expected[column], check_dtype=False, check_names=False)
    assert saved["count"].dtype == np.int64
    app.set_state("nearest")
    nearest = memorization.nearest_training_rows(table_rows.draw_rows(fitted, Z, dataset.blocks, 3), dataset.X_train)
    first = nearest.distances[:, 0].argmin()
    assert app.dataframe[1].value["row"].tolist()[:2] == [f"sample {first + 1}", f"train row {nearest.rows[first]}"]


def test_features_and_correlations_are_compared_with_training_rows_as_the_floor(page, folder):
    dataset = datasets.load(folder[1])
    cells = [
        table_rows.to_cells(dataset.table, getattr(dataset, f"X_{split}"), getattr(dataset, f"known_{split}"))
        for split in ("test", "train")
    ]
    floor = table_rows.measure_marginals(dataset.table, *cells)
    app = page("features").expect(f"Training rows: {np.nanmean(floor):.3f}", "n = 30 test rows, 120 samples a method")
    assert app.read_html().count("data:image/svg+xml") == 4
    app = page("correlations", shown="pca-gaussian")
    assert len(app.charts()) == 2
    assert np.array(app.charts()[0]["data"][0]["zmax"]) > 0


def test_sliders_and_paths_decode_to_rows(page, folder):
    dataset, run = datasets.load(folder[1]), next(r for r in run_store.list_runs()[0] if r.spec.method == "vae")
    made = reader.read_estimator(run.place).inverse_transform(np.array([[1.0, -0.5]], np.float32))
    texts = table_rows.Decoded.make(dataset.table, made).texts[0]
    page("sliders", morph="vae", code="1_-0.5").expect(*[text for text in texts if "<" not in text])
    app = page("between", **{"from": "3", "to": "4"})
    original = table_rows.Decoded.make(dataset.table, dataset.X_test[[3]]).texts[0]
    app.expect(original[1])
    assert len(page("manifold", feature="count").charts()) == 3
