"""The shipped runs: there, whole, and as good as they say."""

import re

import numpy as np
import pytest

from core import datasets, methods
from core.analysis import feature_space, snapshots
from core.datasets import embedded_samples
from core.experiments import fit
from core.runs import layout, reader
from core.shipped import CLASSIFIER_EPOCHS, shipped_specs
from core.types import DOCUMENTS, IMAGES

SPECS = list(shipped_specs())
SAMPLES = {"mnist": "mnist-sample", "fashion-mnist": "fashion-sample"}


def read_shipped(spec):
    place = layout.place_of(layout.SHIPPED, spec)
    return reader.read_run(place), reader.read_estimator(place)


def load_rows(spec):
    """Test rows of a data set that this checkout holds, and their place in the whole test split."""
    if name := SAMPLES.get(spec.dataset):
        return datasets.load(name, **dict(spec.dataset_params)), embedded_samples.read_sample(name)["rows_test"]
    data = datasets.load(spec.dataset)
    return data, np.arange(len(data.y_test))


def test_scores_are_measured_from_the_stored_weights():
    for spec in SPECS:
        is_here = spec.dataset in SAMPLES or datasets.entry(spec.dataset).embedded  # of Frey faces no rows are
        if not methods.entry(spec.method).reconstructs or not is_here:
            continue
        run, estimator = read_shipped(spec)
        data, rows = load_rows(spec)
        X = data.floats("test")
        if "squared_error" in run.metrics:
            error = ((estimator.inverse_transform(estimator.transform(X)).astype(float) - X) ** 2).sum(1)
            assert run.views["rows.squared_error"][rows] == pytest.approx(error, rel=2e-3, abs=1e-3), spec
            whole = run.views["rows.squared_error"].mean()
            assert run.metrics["squared_error"].value == pytest.approx(float(whole), rel=1e-4), spec
        # Another version of a library has other docstrings.
        if "codes" in run.views and data.kind == DOCUMENTS and run.environment["data_checksum"] == data.checksum:
            codes = estimator.transform(X)[run.views["shown_rows"]]
            assert run.views["codes"] == pytest.approx(codes, abs=0.02, rel=2e-3), spec


def test_maps_and_samples_come_from_the_stored_weights():
    for spec in SPECS:
        if methods.entry(spec.method).maps_rows:
            run, tsne = read_shipped(spec)
            at = np.searchsorted(tsne.rows_test_, run.views["shown_rows"])
            assert np.array_equal(tsne.rows_test_[at], run.views["shown_rows"]), spec
            assert np.allclose(run.views["map"], tsne.test_embedding_[at], rtol=1e-3), spec  # float16
            assert run.history[-1]["loss"] == tsne.kl_divergence_, spec
        elif spec.method in ("vae", "gan") and datasets.entry(spec.dataset).kind == IMAGES:
            run, estimator = read_shipped(spec)
            drawn = estimator.sample(64, random_state=0)
            assert run.views["samples"] == pytest.approx(np.clip(drawn, 0, 1) * 255, abs=1.01), spec


def test_autoencoder_keeps_topics_that_lsa_mixes():
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


def test_the_folder_holds_the_listed_runs_and_is_small():
    assert set(layout.iterate_places(layout.SHIPPED)) == {layout.place_of(layout.SHIPPED, spec) for spec in SPECS}
    assert sum(path.stat().st_size for path in layout.SHIPPED.parent.rglob("*") if path.is_file()) <= 60e6


def test_classifiers_have_the_error_in_their_description():
    for data in (datasets.load(SAMPLES.get(name, name)) for name in CLASSIFIER_EPOCHS):
        space = feature_space.get_feature_space(data)
        assert space.features(data.floats("test")).shape == (len(data.y_test), 64)
        described = float(space.description.rsplit(" ", 1)[1].rstrip("%")) / 100
        assert (space.classes(data.floats("test")) != data.y_test).mean() == pytest.approx(described, abs=0.015)


def test_a_shipped_spec_is_refitted_to_the_same_figures():
    spec = next(s for s in SPECS if (s.dataset, s.method, s.param("n_components")) == ("digits", "pca", 2))
    (run, _), (shipped, _) = fit.fit(spec, datasets.load("digits")), read_shipped(spec)
    for name, tolerance in (("squared_error", {"rel": 1e-4}), ("knn_accuracy", {"abs": 0.01})):
        assert run.metrics[name].value == pytest.approx(shipped.metrics[name].value, **tolerance)


def test_rows_that_may_not_be_handed_on_are_not():
    runs = [reader.read_run(layout.place_of(layout.SHIPPED, spec)) for spec in SPECS]
    images = [run for run in runs if "reconstructions" in run.views]
    assert {run.spec.dataset for run in images if "originals" not in run.views} == {"frey"}
    titles = set()
    for spec in SPECS:
        if spec.dataset == "reuters-r8":
            place = layout.place_of(layout.SHIPPED, spec)
            replay = snapshots.parse(reader.read_replay(place))
            told = [reader.read_run(place).notes["documents"], *(replay.about["documents"] if replay else ())]
            titles |= {document["title"] for documents in told for document in documents}
    assert titles
    assert all(re.fullmatch(r"test document [\d,]+", title) for title in titles)
