"""What is measured of codes and images, against scikit-learn and against the arrays themselves."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import silhouette_score

from core.analysis.codes import select_strip
from core.datasets import embedded_samples
from core.experiments import fit
from core.experiments.evaluate import evaluate
from core.experiments.evaluate_codes import evaluate_clusters
from core.experiments.scores import Subject
from core.metrics.definitions import DEFINITIONS
from core.runs import specs
from tests.experiments.conftest import list_metrics

OF_CODES = {"knn_accuracy", "probe_accuracy", "trustworthiness", "continuity", "silhouette", "kmeans_ari", "kmeans_nmi"}
OF_IMAGES = {"squared_error", "squared_error_per_class"}
OF_SAMPLES = {"frechet", "frechet_floor", "precision", "recall", "coverage", "copies", "class_shares"}
EXPECTED = {
    **dict.fromkeys(("pca", "ae"), OF_CODES | OF_IMAGES | OF_SAMPLES),
    "vae": OF_CODES | OF_IMAGES | OF_SAMPLES | {"neg_elbo", "neg_elbo_at_mean", "kl", "iw_bound"},
    "gan": OF_CODES | OF_SAMPLES,
}


def test_metrics_that_apply_have_a_definition_an_interval_and_n(runs):
    for method, run in runs.items():
        assert EXPECTED[method] <= list_metrics(run)
        assert {name.rpartition(".")[2] for name in list_metrics(run)} <= set(DEFINITIONS)
        for name in list_metrics(run) - {"seconds", "weights"}:
            if name not in run.by_class:
                assert run.metrics[name].low <= run.metrics[name].value <= run.metrics[name].high
                assert run.metrics[name].n > 1
    assert not {"squared_error", "neg_elbo"} & set(runs["gan"].metrics)
    bound, kl = runs["vae"].metrics["neg_elbo"].value, runs["vae"].metrics["kl"].value
    assert runs["vae"].metrics["iw_bound"].value < bound > kl > 0


def test_views_hold_what_pages_show(runs, digits):
    strip = select_strip(digits, embedded_samples.sample_rows(digits))
    for method, run in runs.items():
        n, samples = len(run.views["shown_rows"]), run.views["samples"]
        assert (run.views["map"].shape, run.views["labels"].shape, samples.shape) == ((n, 2), (n,), (64, 64))
        assert np.array_equal(run.views["originals"], digits.X_test[strip])
        assert run.notes["map"].endswith("projected by PCA")
        assert ("error_by_size" in run.views) == (method == "pca")
        assert ("codes" in run.views) == ("reconstructions" in run.views) == (method != "gan")
        if method != "gan":
            X = run.estimator.inverse_transform(run.estimator.transform(digits.floats("test")[strip]))
            assert run.views["reconstructions"] == pytest.approx(np.clip(X, 0, 1) * 255, abs=0.51)


def test_pca_knows_its_error_at_every_size_and_clusters_of_its_codes(runs, digits):
    run = runs["pca"]
    errors, codes = run.views["error_by_size"], run.estimator.transform(digits.floats("test"))
    assert errors.shape == (65,)
    assert errors[3] == pytest.approx(run.metrics["squared_error"].value, rel=1e-3)  # stored in float16
    assert run.metrics["silhouette"].value == pytest.approx(silhouette_score(codes, digits.y_test), abs=1e-6)
    assert run.metrics["silhouette"].n == run.metrics["kmeans_ari"].n == 500
    assert 0.2 < run.metrics["kmeans_ari"].value < run.metrics["kmeans_nmi"].value < 1


def test_classes_that_no_train_row_has_are_not_predicted(digits):
    apart = replace(digits, y_train=np.where(digits.y_train < 5, digits.y_train, -1), y_test=digits.y_test.clip(min=5))
    run, _ = fit.fit(specs.make("digits", "pca", {"n_components": 2}), apart)
    assert not {"knn_accuracy", "probe_accuracy"} & set(run.metrics)
    assert run.metrics["silhouette"].value is not None


def test_collapsed_codes_have_no_clusters(digits):
    scores = evaluate_clusters(np.zeros((500, 2)), digits.y_test, np.arange(500))
    assert {name: measured.value for name, measured in scores.metrics.items()} == {"silhouette": 0}


class Positions:
    """A map whose positions tell the classes, of some of the rows."""

    about = "by class"

    def __init__(self, dataset, rows_train, rows_test):
        self.rows_train_, self.rows_test_ = rows_train, rows_test
        noise = np.random.default_rng(0).normal(0, 0.01, (len(rows_train) + len(rows_test), 2))
        y = np.concatenate([dataset.y_train[rows_train], dataset.y_test[rows_test]])
        self.embedding_ = np.column_stack([y, y**2]) + noise
        self.train_embedding_, self.test_embedding_ = np.split(self.embedding_, [len(rows_train)])


def test_metrics_of_a_map_are_of_its_own_rows(digits, monkeypatch):
    rows_train, rows_test = np.arange(5, 900, 3), np.arange(1, 500, 2)
    monkeypatch.setattr(embedded_samples, "sample_rows", lambda dataset: rows_test[10:60])
    scores = evaluate(Subject(Positions(digits, rows_train, rows_test), digits))
    assert scores.metrics["knn_accuracy"].value == scores.metrics["kmeans_ari"].value == 1
    assert {scores.metrics[name].n for name in ("knn_accuracy", "trustworthiness", "kmeans_ari")} == {250}
    assert np.rint(scores.views["map"][:, 0]).tolist() == scores.views["labels"].tolist()
    assert not any(name.startswith("rows.") for name in scores.views)
