"""Findings: each from the sign that defines it, and none without it."""

from dataclasses import replace

import numpy as np

from core import datasets
from core.analysis import diagnostics
from core.experiments import fit
from core.runs import specs
from core.types import Measurement, Run

RNG = np.random.default_rng(0)


def kinds(run):
    return [finding.kind for finding in diagnostics.diagnose(run)]


def run(history=(), metrics=(), notes=(), by_class=(), **views):
    spec = specs.make("digits", "pca")
    return Run(spec, list(history), dict(metrics), {}, dict(notes), views, by_class=dict(by_class))


def test_a_vae_with_a_large_beta_collapses_and_one_with_beta_0_does_not():
    data = datasets.load("digits")

    def trained(beta):
        settings = {"beta": beta, "n_components": 4, "epochs": 12, "width": 64, "batch_size": 128}
        return fit.fit(specs.make("digits", "vae", settings), data)[0]

    (finding,) = diagnostics.diagnose(trained(50.0))
    assert finding.kind == diagnostics.COLLAPSE
    assert finding.is_severe
    assert "4 of 4 latent dimensions are unused" in finding.sentence
    assert diagnostics.COLLAPSE not in kinds(trained(0.0))


def test_collapse_begins_where_half_the_dimensions_are_inactive():
    for unused, expected in ((0, []), (4, []), (5, [diagnostics.COLLAPSE])):
        codes = RNG.normal(size=(400, 10))
        codes[:, :unused] *= 0.05  # variance 0.0025, below 0.01
        found = run(metrics={"kl": Measurement(3.0)}, codes=codes)
        assert kinds(found) == expected
        assert not any(finding.is_severe for finding in diagnostics.diagnose(found))


def test_a_generator_has_lost_the_classes_its_samples_lack():
    game = [{"epoch": 1, "generator_loss": 1.0, "discriminator_loss": 1.0}]
    labels = np.repeat([0, 1, 2, 3], 25)
    shares = {"a": 0.5, "b": 0.475, "c": 0.025, "d": 0.0}
    found = run(game, by_class={"class_shares": shares}, labels=labels)
    assert kinds(found) == [diagnostics.LOST_CLASSES]
    (finding,) = diagnostics.diagnose(found)
    assert "d (0.0%)" in finding.sentence
    assert "c (" not in finding.sentence  # a tenth of its share of a quarter is 2.5 %
    assert kinds(replace(found, by_class={"class_shares": dict.fromkeys("abcd", 0.25)})) == []


def test_a_loss_that_rose_is_divergence_unless_it_is_a_game():
    rising = [{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 3.0}]
    assert kinds(run(rising)) == [diagnostics.DIVERGENCE]
    assert kinds(run(rising[::-1])) == []
    assert kinds(run([{"epoch": k, "generator_loss": float(k)} for k in (1, 2)])) == []
