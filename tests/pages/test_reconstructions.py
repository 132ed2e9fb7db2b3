"""Reconstructions: images, error by class and corrupted input, on small runs."""

import csv
import io
import re
import shutil
from html import unescape
from unittest.mock import Mock

import numpy as np
import pytest

from core import datasets
from core.analysis import corruption
from core.analysis.rows import select_rows
from core.errors import DataUnavailable
from core.experiments.fit import fit_and_store, load_dataset
from core.figures import difference_images
from core.runs import layout, specs
from core.types import IMAGES, Dataset
from pages.ui.shared import cached
from tests.pages.conftest import fit, invert_quickly, stored
from tests.pages.driver import opened_on

SECTIONS = ("images", "classes", "damage")
pytestmark = pytest.mark.usefixtures("computed")


def page(section: str = "images", **query: str):
    return opened_on("pages/reconstructions.py", **{"data": "digits", "size": "10", "section": section, **query})


def shown_rows(app) -> list[int]:
    """Numbers of the rows shown, in their order."""
    return [int(button.label.split()[-1]) for button in app.button if button.label.startswith("Enlarge")]


def table(app, text: str) -> list[dict[str, str]]:
    """The rows of the table with this text in its HTML."""
    (saved,) = re.findall(r'data-csv="([^"]*)"', app.body_with(text))
    return list(csv.DictReader(io.StringIO(unescape(saved))))


@pytest.fixture
def y():
    return datasets.load("digits").y_test


@pytest.fixture
def errors(runs):
    """method -> squared error of each test row."""
    return {method: stored(method).views["rows.squared_error"] for method in ("pca", "linear_ae", "ae")}


def test_images_shows_a_row_per_class_and_a_strip_per_method(runs, errors, y):
    app = page()
    rows = shown_rows(app)
    assert y[rows].tolist() == list(range(10))
    assert "Train VAE" in app.links()
    app.expect(*(f"<b>{label}</b>" for label in ("Originals", "PCA", "Linear AE", "AE", "GAN")))
    app.expect(f"error {errors['pca'][rows].mean():.2f} on these 10", f"{errors['pca'].mean():.2f} on all {len(y)}")
    app.expect("Test images of Digits 8x8 and their reconstructions from 10 latent dimensions: look for lost, blurred")
    app.expect("Rows drawn at random (by class, seed 0) from all 500 test rows.")
    rank = (errors["pca"] < errors["pca"][rows[3]]).sum() + 1
    assert app.press("rebuilt-3").expect(f"rank {rank} of {len(y)}").get("dialog")


def test_images_are_chosen_by_error(runs, errors):
    assert shown_rows(page(pick="worst", by="ae")) == np.argsort(-errors["ae"], kind="stable")[:10].tolist()
    assert shown_rows(page(pick="best", by="pca")) == np.argsort(errors["pca"], kind="stable")[:10].tolist()
    a, b = errors["pca"], errors["ae"]
    app = page(pick="apart", by="pca", than="ae")
    assert shown_rows(app)[:5] == np.argsort(a - b, kind="stable")[:5].tolist()
    app.expect(f"PCA has the lower error on {(a < b).sum()} and the AE on {(b < a).sum()}")
    page(pick="apart", by="pca", than="pca").lack("PCA lower than PCA")


def test_error_maps_share_one_scale(runs, monkeypatch):
    limits, largest, render = [], [], difference_images.make_montage

    def watched(difference, shape, columns, limit, *args, **kwargs):
        limits.append(limit)
        largest.append(np.abs(difference).max())
        return render(difference, shape, columns, limit, *args, **kwargs)

    monkeypatch.setattr(difference_images, "make_montage", watched)
    app = page(errors="on")
    app.expect(f"+{limits[0]:.1f}")
    assert limits == [limits[0]] * 2 * 3  # two blocks of three methods
    assert limits[0] - 0.1 < max(largest) <= limits[0] + 1e-6


def test_gan_inversion_is_computed_on_demand_and_stored(runs, monkeypatch):
    assert "regressor" in str(page().labels())
    invert_quickly(monkeypatch)
    app = page().press("invert")
    for inverted in (app, page()):
        inverted.expect("16-D, independent of the choice above; GAN inversion: regressor + 4 gradient steps")
        assert not any(label.startswith("Invert") for label in inverted.labels())
    app.press("rebuilt-0").expect("found by GAN inversion, no rank")


def test_error_by_class_names_the_hardest_class_and_the_order(runs, errors, y):
    app = page("classes", order="hard").set_state("class-table").expect("30 intervals, one per class and pair")
    text, means = app.read_text(), {name: [of[y == c].mean() for c in range(10)] for name, of in errors.items()}
    for method, label in (("pca", "PCA"), ("linear_ae", "Linear AE"), ("ae", "AE")):
        largest = max(means[method])
        assert re.search(rf"\b{means[method].index(largest)} \([^)]*\b{label} {largest:.2f}", text)
    assert sorted(errors, key=lambda method: errors[method].mean()) == ["pca", "linear_ae", "ae"]
    assert "Order by mean error, lowest first (the same in every class): PCA, Linear AE, AE." in text
    shares = [ae / pca for ae, pca in zip(means["ae"], means["pca"], strict=True)]
    for share in (min(shares), max(shares)):
        assert re.search(rf"{share:.0%} \([^)]*\) in class {shares.index(share)}\b", text)
    rows = table(app, "PCA low")
    assert [int(row["Class"]) for row in rows] == sorted(range(10), key=lambda c: -means["pca"][c])
    assert [float(row["PCA"]) for row in rows] == pytest.approx(sorted(means["pca"])[::-1])
    assert [int(row["PCA n"]) for row in rows] == [(y == int(row["Class"])).sum() for row in rows]
    assert [row["Methods"] for row in table(app, "Reversed")] == ["PCA and Linear AE", "PCA and AE", "Linear AE and AE"]


def test_error_by_class_uses_stored_labels_without_the_data(runs, monkeypatch):
    monkeypatch.setattr(cached.datasets, "is_available", lambda name: False)
    app = page("classes").expect("whose class is stored with the runs")
    assert len(app.get("plotly_chart")) == 2


def test_corrupted_input_explains_the_chosen_amount(runs):
    X = select_rows(datasets.load("digits"), "test", 500).floats()
    no_model = np.square(X - corruption.add_noise(X, (8, 8), 0.5, 0)).sum(1).mean()
    text = page("damage", damage="noise", **{"amount-noise": "0.5"}).read_text()
    lowest = re.search(r"At noise 0\.5, PCA has the lowest error \(([\d.]+); no model: ([\d.]+)\)\.", text)
    assert float(lowest[2]) == pytest.approx(no_model, abs=0.005)
    assert float(lowest[1]) < no_model
    # Without corruption no method can be better than the image itself.
    app = page("damage", damage="noise", **{"amount-noise": "0"}).expect("no model: 0.000")
    better = {row["Method"]: row["Better than no model"] for row in table(app, "Better than no model")}
    assert set(better) == {"PCA", "Linear AE", "AE"}
    assert not any(amounts.startswith("0 to") for amounts in better.values())
    for kind in corruption.KINDS:
        assert len(page("damage", damage=kind).get("plotly_chart")) == 1


def test_nonsense_in_a_link_is_a_sentence(runs):
    for section, query in (
        ("<b>x</b>", {"pick": "1 of 2", "draw": "-1e9", "by": "lsa", "errors": "perhaps", "size": "9999", "than": "^"}),
        ("images", {"pick": "worst", "by": "<script>stray", "draw": "9" * 5000}),
        ("classes", {"of-class": "11", "order": "?", "axis": "<b>"}),
        ("damage", {"damage": "noise", "amount-noise": "0.33"}),
    ):
        app = page(section, **query)
        assert app.warning, query
        assert "<script>stray" not in app.read_html()
    page(data="docstrings").expect("has no images")


def test_a_broken_run_is_left_out_with_the_reason(fitted, no_shipped_runs, tmp_path, monkeypatch):
    for method, params in (("pca", {}), ("linear_ae", {"epochs": 2})):
        spec = specs.make("digits", method, {"n_components": 10, **params})
        place = shutil.copytree(layout.place_of(fitted, spec), layout.place_of(tmp_path, spec))
    weights = place / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    for section in SECTIONS:
        # Error by class reads stored errors, and needs no weights.
        assert ("Linear AE is not shown:" in page(section).expect("PCA").read_text()) == (section != "classes")


def test_unreadable_data_are_a_sentence(runs, monkeypatch):
    damaged = Mock(side_effect=DataUnavailable("It is damaged; remove it."))
    monkeypatch.setattr(cached.datasets, "load", damaged)
    for section in SECTIONS:
        page(section).expect("It is damaged; remove it.")


def test_data_without_classes_with_and_without_the_images(no_shipped_runs, tmp_path, monkeypatch):
    X, y = np.random.default_rng(0).integers(0, 256, (120, 560)).astype(np.uint8), np.full(120, -1)
    about = {"image_shape": (28, 20), "redistributable": False}
    faces = Dataset("frey", IMAGES, X, y, X[:60], y[:60], (), "none", "none", **about)
    for method, params in (("pca", {}), ("linear_ae", {"epochs": 1})):
        fit(tmp_path, faces, method, {"n_components": 2, **params}, first_only=True)
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    monkeypatch.setattr(cached.datasets, "load", lambda name, **params: faces)
    for is_here in (True, False):
        monkeypatch.setattr(cached.datasets, "is_available", lambda name, is_here=is_here: is_here)
        images, classes, damage = (page(section, data="frey", size="2") for section in SECTIONS)
        assert len(set(shown_rows(images))) == (10 if is_here else 0)
        assert len(classes.expect("has no class labels").charts()) == 1
        assert len(damage.charts()) == is_here
    images.expect("not on this machine yet", 'alt="PCA"')
    damage.expect("not on this machine yet")


def test_rows_are_those_of_the_split_that_the_runs_were_fitted_to(full_data, tmp_path, no_shipped_runs, monkeypatch):
    spec = specs.make("olivetti", "pca", {"n_components": 2}, 0, {"held_out": "people", "fold": 1})
    fit_and_store(spec, load_dataset(spec), tmp_path, first_only=True)
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    app = page(data="olivetti", size="2").lack("another copy")
    app.expect("all 80 test rows", 'alt="The same images reconstructed by PCA"')
