"""From a spec to a stored run: what a fit leaves, measuring it in two goes, and measuring it anew."""

import shutil
from dataclasses import replace
from itertools import pairwise
from unittest.mock import Mock

import numpy as np
import pytest

from core.datasets import embedded_samples
from core.errors import BadInput
from core.experiments import fit
from core.methods.tsne import TSNEMap
from core.runs import layout, reader, specs, transfer
from tests.experiments.conftest import list_metrics, spec_of

PCA = specs.make("digits", "pca", {"n_components": 2})


def test_weights_are_counted_by_hand(runs):
    assert runs["pca"].metrics["weights"].value == 3 * 64 + 64
    hidden = [64, 32, 16, 8]
    layers = sum(a * b + 2 * b for a, b in pairwise(hidden))  # batch norm: a scale and a shift
    encoder = layers + 8 * 3 + 3
    decoder = (3 * 8 + 16) + (8 * 16 + 32) + (16 * 32 + 64) + (32 * 64 + 64)
    assert runs["ae"].metrics["weights"].value == encoder + decoder


def test_stored_form_rounds_matrices_only():
    arrays = {"w": np.full((2, 2), 1 / 3), "b": np.full(3, 1 / 3), "n": np.array(7), "big": np.full((1, 1), 1e6)}
    stored = fit.stored_form(arrays)
    assert [stored[name].dtype for name in ("w", "b", "big")] == [np.float16, np.float64, np.float64]


def test_test_labels_change_no_weight(digits):
    shuffled = replace(digits, y_test=np.random.default_rng(0).permutation(digits.y_test))
    plain, other = (fit.fit(spec_of("ae"), data)[1] for data in (digits, shuffled))
    assert all(np.array_equal(plain[name], other[name]) for name in plain)


def test_run_is_measured_anew_on_its_own_data_only(digits, tmp_path):
    run = fit.fit_and_store(PCA, digits, tmp_path)
    place = layout.place_of(tmp_path, PCA)
    assert fit.remeasure(place, digits).metrics == run.metrics == reader.read_run(place).metrics
    other = replace(digits, X_test=digits.X_test[::-1])
    for measure in (fit.remeasure, fit.finish):
        with pytest.raises(BadInput, match="another copy of digits"):
            measure(place, other)


@pytest.fixture(scope="module")
def tsne(digits, tmp_path_factory):
    """A map of the digits, stored; where, and its run."""
    folder = tmp_path_factory.mktemp("runs")
    spec = specs.make("digits", "tsne", {"max_iter": 500})
    run = fit.fit_and_store(spec, digits, folder)
    return layout.place_of(folder, spec), run


def test_map_is_measured_by_the_positions_of_its_rows(tsne, digits):
    run, estimator = tsne[1], tsne[1].estimator
    neighbours = {"knn_accuracy", "probe_accuracy", "silhouette", "kmeans_ari", "kmeans_nmi"}
    assert list_metrics(run) == neighbours | {"trustworthiness", "continuity", "seconds", "weights"}
    assert min(run.metrics["knn_accuracy"].value, run.metrics["trustworthiness"].value) > 0.95
    assert run.history[-1]["loss"] == estimator.kl_divergence_
    assert np.array_equal(run.views["map"], estimator.test_embedding_)
    assert set(run.views) == {"shown_rows", "map", "codes", "labels"}
    assert run.notes == {"map": "t-SNE of the raw rows", "target_names": list(digits.target_names)}


def test_stored_map_is_measured_anew_and_exported_without_being_made_anew(tsne, digits, monkeypatch, tmp_path):
    place, run = tsne
    monkeypatch.setattr(TSNEMap, "fit", None)
    weights = reader.read_weights(place)
    assert fit.remeasure(place, digits).metrics == run.metrics
    assert np.array_equal(reader.read_weights(place)["embedding_"], weights["embedding_"])
    monkeypatch.setenv("HOURGLASS_RUNS", str(tmp_path))
    back = transfer.unpack_run(transfer.pack_run(place), check_weights=True)
    assert back.metrics == run.metrics
    assert np.array_equal(reader.read_estimator(back.place).train_embedding_, run.estimator.train_embedding_)


def test_first_rows_of_both_splits_are_mapped(digits, monkeypatch):
    doubled = replace(digits, X_train=np.tile(digits.X_train, (2, 1)), y_train=np.tile(digits.y_train, 2))
    monkeypatch.setattr(TSNEMap, "fit_splits", Mock(side_effect=BadInput("recorded")))
    with pytest.raises(BadInput, match="recorded"):
        fit.fit(specs.make("digits", "tsne"), doubled)
    mapped = TSNEMap.fit_splits.call_args.kwargs
    assert np.array_equal(mapped["rows_train"], embedded_samples.first_rows(doubled, "train", 2000))
    assert (mapped["X_train"].shape, mapped["X_test"].shape) == ((2000, 64), (500, 64))


def test_run_measured_in_two_goes_is_as_if_measured_at_once(digits, runs, tmp_path):
    for method in ("pca", "vae", "gan"):
        whole = runs[method]
        first = fit.fit_and_store(whole.spec, digits, tmp_path, first_only=True)
        place = layout.place_of(tmp_path, whole.spec)
        assert reader.read_run(place).pending == first.pending
        # What methods are ranked by, and what pages show, comes first.
        assert {"knn_accuracy", "squared_error", "neg_elbo"} & set(whole.metrics) <= set(first.metrics)
        assert {"map", "samples", "shown_rows", "strip_rows"} <= set(first.views)
        assert all(first.metrics[name] == whole.metrics[name] for name in first.metrics if name != "seconds")
        assert {name.rpartition(".")[2] for name in list_metrics(whole) - list_metrics(first)} == set(first.pending)
        assert fit.finish(place, digits).pending == ()
        stored = reader.read_run(place)
        assert {**stored.metrics, "seconds": 0} == {**whole.metrics, "seconds": 0}
        assert (stored.by_class, stored.notes, stored.views.keys()) == (whole.by_class, whole.notes, whole.views.keys())
        assert all(np.array_equal(stored.views[name], a) for name, a in whole.views.items())
        # What is measured is not measured again.
        assert fit.finish(place, digits, on_stage=pytest.fail).metrics == stored.metrics


def test_interrupted_measuring_keeps_the_parts_that_were_measured(digits, tmp_path):
    first = fit.fit_and_store(spec_of("vae"), digits, tmp_path, first_only=True)

    def stage(text):
        if "nearest" in text:
            raise KeyboardInterrupt

    place = layout.place_of(tmp_path, first.spec)
    with pytest.raises(KeyboardInterrupt):
        fit.finish(place, digits, on_stage=stage)
    part = reader.read_run(place)
    assert {"iw_bound", "probe_accuracy"} <= set(part.metrics)
    assert set(part.pending) == {name for name in first.pending if name not in part.metrics}
    assert "frechet" in part.pending
    assert fit.finish(place, digits).pending == ()


def test_run_that_was_deleted_meanwhile_does_not_come_back(digits, tmp_path):
    fit.fit_and_store(PCA, digits, tmp_path, first_only=True)
    place = layout.place_of(tmp_path, PCA)
    with pytest.raises(BadInput, match="deleted or trained again"):
        fit.finish(place, digits, on_stage=lambda stage: shutil.rmtree(place, ignore_errors=True))
    assert not place.exists()
