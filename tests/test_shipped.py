"""The shipped runs: there, whole, and as good as they say."""

import numpy as np
import pytest

from core import datasets, methods
from core.analysis import feature_space
from core.datasets import embedded_samples
from core.experiments import fit
from core.runs import layout, reader
from core.shipped import CLASSIFIER_EPOCHS, shipped_specs
from core.types import IMAGES

SPECS = list(shipped_specs())
SAMPLES = {"mnist": "mnist-sample", "fashion-mnist": "fashion-sample"}


def name(spec):
    return f"{spec.dataset}-{spec.method}-{spec.param('n_components')}"


def shipped(spec):
    place = layout.place_of(layout.SHIPPED, spec)
    return reader.read_run(place), reader.read_estimator(place)


def embedded(spec):
    """Whether this checkout holds rows of the data set; of Frey faces it holds none."""
    return spec.dataset in SAMPLES or datasets.entry(spec.dataset).embedded


def rows_here(run):
    """Test rows of the run's data set that this checkout holds, and their place in the whole test split."""
    name = run.spec.dataset
    if name in SAMPLES:
        return datasets.load(SAMPLES[name]), embedded_samples.read(SAMPLES[name])["rows_test"]
    data = datasets.load(name)
    return data, np.arange(len(data.y_test))


@pytest.mark.parametrize("spec", [s for s in SPECS if methods.entry(s.method).reconstructs and embedded(s)], ids=name)
def test_figures_are_measured_from_the_stored_weights(spec):
    run, estimator = shipped(spec)
    data, rows = rows_here(run)
    X = data.floats("test")
    if "squared_error" in run.metrics:
        error = ((estimator.inverse_transform(estimator.transform(X)).astype(float) - X) ** 2).sum(1)
        assert run.views["rows.squared_error"][rows] == pytest.approx(error, rel=2e-3, abs=1e-3)
        whole = run.views["rows.squared_error"].mean()
        assert run.metrics["squared_error"].value == pytest.approx(float(whole), rel=1e-4)
    if "codes" in run.views and data.kind == "documents":
        if run.environment["data_checksum"] != data.checksum:
            pytest.skip("another version of a library has other docstrings")
        codes = estimator.transform(X)[run.views["shown_rows"]]
        assert run.views["codes"] == pytest.approx(codes, abs=0.02, rel=2e-3)


@pytest.mark.parametrize("spec", [s for s in SPECS if methods.entry(s.method).maps_rows], ids=name)
def test_maps_show_the_stored_positions_of_their_rows(spec):
    run, tsne = shipped(spec)
    shown = run.views["shown_rows"]
    at = np.searchsorted(tsne.rows_test_, shown)
    assert np.array_equal(tsne.rows_test_[at], shown)
    assert np.array_equal(run.views["map"], tsne.test_embedding_[at])
    assert run.history[-1]["loss"] == tsne.kl_divergence_
    counts = run.environment["n_train"], run.environment["n_test"]
    assert (len(tsne.rows_train_), len(tsne.rows_test_)) == tuple(min(n, spec.param("rows")) for n in counts)


@pytest.mark.parametrize(
    "spec", [s for s in SPECS if s.method in ("vae", "gan") and datasets.entry(s.dataset).kind == IMAGES], ids=name
)
def test_samples_come_from_the_stored_weights(spec):
    run, estimator = shipped(spec)
    drawn = estimator.sample(64, random_state=0)
    assert run.views["samples"] == pytest.approx(np.clip(drawn, 0, 1) * 255, abs=1.01)


def test_an_autoencoder_keeps_topics_that_lsa_mixes():
    """2-D, docstrings, classes of 40 or more test documents, against LSA under each of its weightings."""
    correct = {}
    for spec in SPECS:
        if (spec.dataset, spec.param("n_components")) == ("docstrings", 2) and spec.method in ("ae", "lsa"):
            run = reader.read_run(layout.place_of(layout.SHIPPED, spec))
            labels = run.views["labels"]
            assert len(labels) == run.environment["n_test"], "every test document is shown"
            large = np.bincount(labels)[labels] >= 40
            correct[spec.method, spec.param("weighting")] = run.views["rows.knn_accuracy"][large].mean()
    of_lsa = [share for (method, _), share in correct.items() if method == "lsa"]
    assert len(of_lsa) == 3
    assert correct["ae", "tfidf"] >= max(of_lsa) + 0.25


def test_the_folder_holds_the_listed_runs_and_no_others():
    assert set(layout.iterate_places(layout.SHIPPED)) == {layout.place_of(layout.SHIPPED, spec) for spec in SPECS}


def test_assets_are_small_enough():
    size = sum(p.stat().st_size for p in layout.SHIPPED.parent.rglob("*") if p.is_file())
    assert size <= 60e6


@pytest.mark.parametrize("dataset", CLASSIFIER_EPOCHS)
def test_classifiers_name_the_test_rows_as_well_as_they_say(dataset):
    data = datasets.load(SAMPLES.get(dataset, dataset))
    space = feature_space.get_feature_space(data)
    assert space.features(data.floats("test")).shape == (len(data.y_test), 64)
    wrong = (space.classes(data.floats("test")) != data.y_test).mean()
    told = float(space.description.rsplit(" ", 1)[1].rstrip("%")) / 100
    assert wrong == pytest.approx(told, abs=0.015)


def test_faces_are_measured_by_principal_components(full_data):
    faces = datasets.load("olivetti")
    space = feature_space.get_feature_space(faces)
    assert space.features(faces.floats("test")).shape == (80, 50)
    assert "50 principal components" in space.description


def test_a_shipped_spec_is_refitted_to_the_same_figures():
    spec = next(s for s in SPECS if (s.dataset, s.method, s.param("n_components")) == ("digits", "pca", 2))
    run, _ = fit.fit(spec, datasets.load("digits"))
    shipped = reader.read_run(layout.place_of(layout.SHIPPED, spec))
    assert run.metrics["squared_error"].value == pytest.approx(shipped.metrics["squared_error"].value, rel=1e-4)
    assert run.metrics["knn_accuracy"].value == pytest.approx(shipped.metrics["knn_accuracy"].value, abs=0.01)


def test_frey_faces_are_not_handed_on():
    runs = [reader.read_run(layout.place_of(layout.SHIPPED, spec)) for spec in SPECS]
    images = [run for run in runs if "reconstructions" in run.views]
    assert {run.spec.dataset for run in images if "originals" not in run.views} == {"frey"}
