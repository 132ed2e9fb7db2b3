"""How generated images compare with real ones, and the floors, which are measured once a data set."""

from dataclasses import replace

import numpy as np
import pytest

from core import methods
from core.analysis import feature_space
from core.analysis.codes import to_pixels
from core.analysis.samplers import CodeSampler
from core.experiments import evaluate_samples, fit
from core.experiments.scores import Subject
from core.metrics import generation, memorization
from core.runs import specs

KINDS = methods.entry("ae").samplers


def test_every_sampler_of_an_autoencoder_is_scored_and_stored(runs):
    run = runs["ae"]
    for kind in KINDS:
        prefix = "" if kind == KINDS[0] else f"{kind}."
        assert run.metrics[f"{prefix}frechet"].value > 0
        assert sum(run.by_class[f"{prefix}class_shares"].values()) == pytest.approx(1)
        assert run.views[f"nearest.{kind}"].shape == (500,)
        if kind != "normal":
            arrays = {part: run.views[f"sampler.{kind}.{part}"] for part in ("weights", "means", "factors")}
            assert CodeSampler(kind).restore(arrays).sample(5, 0).shape == (5, 3)
    assert run.views["nearest.test"].min() > 0


def test_samples_of_a_prior_are_those_that_the_estimator_draws(runs):
    run = runs["vae"]
    np.testing.assert_array_equal(run.views["samples"], to_pixels(run.estimator.sample(64, random_state=0)))
    assert run.notes["samples"] == "codes drawn from the prior N(0, I)"


def test_scores_are_the_same_in_any_order_of_the_test_rows(digits, monkeypatch):
    monkeypatch.setattr(evaluate_samples, "REMEMBERED", 80)
    few = replace(digits, X_train=digits.X_train[:100], y_train=digits.y_train[:100])
    names = ("frechet", "precision", "recall", "coverage", "copies_floor", "frechet_floor")
    found = []
    for order in (np.argsort(digits.y_test, kind="stable"), np.random.default_rng(0).permutation(500)):
        moved = replace(few, X_test=digits.X_test[order], y_test=digits.y_test[order])
        run, _ = fit.fit(specs.make("digits", "pca", {"n_components": 3}), moved)
        assert run.metrics["frechet"].n == 100
        found.append([run.metrics[name].value for name in names])
    assert found[0] == pytest.approx(found[1], rel=1e-4)


class Noisy:
    """A decoder that makes train rows with noise, others for each set of codes."""

    n_components = 2

    def __init__(self, digits):
        self.digits = digits

    def inverse_transform(self, Z):
        rng = np.random.default_rng(int(abs(Z[0, 0]) * 1e6))
        rows = rng.choice(len(self.digits.y_train), len(Z))
        noise = 0.2 * rng.normal(size=(len(Z), self.digits.n_features)).astype(np.float32)
        return self.digits.floats("train")[rows] + noise


def score(digits):
    """Scores of samples that are train rows with noise."""
    return evaluate_samples.evaluate_samples(Subject(Noisy(digits), digits, ["normal"]))


def test_floors_are_the_scores_of_train_rows(digits, own_cache):
    scores = score(digits)
    value = {name: measurement.value for name, measurement in scores.metrics.items()}
    space = feature_space.get_feature_space(digits)
    real = space.features(digits.floats("test"))
    rows = np.random.default_rng(0).choice(1297, 500, replace=False)
    drawn = space.features(digits.floats("train")[rows])
    assert value["frechet_floor"] == pytest.approx(generation.frechet_distance(real, drawn), rel=1e-9)
    low, high = scores.metrics["frechet_floor"].interval
    assert 0 < low < value["frechet_floor"] < high
    expected = generation.RealRows(real).precision_recall(drawn)
    for name in ("precision", "recall", "coverage"):
        assert value[f"{name}_floor"] == expected[name]
    assert 0.5 < value["precision"] < 1
    assert sum(scores.by_class["class_shares"].values()) == pytest.approx(1)


def test_floors_are_measured_once_and_again_for_another_classifier(digits, own_cache, monkeypatch):
    nearest, get_space, calls = memorization.nearest_training_rows, feature_space.get_feature_space, []
    # Called for the samples, and for the test rows of the floors.
    monkeypatch.setattr(memorization, "nearest_training_rows", lambda *a: calls.append(a) or nearest(*a))
    assert score(digits).metrics == score(digits).metrics
    assert len(calls) == 3
    monkeypatch.setattr(feature_space, "get_feature_space", lambda data: replace(get_space(data), digest="another"))
    score(digits)
    assert len(calls) == 5
