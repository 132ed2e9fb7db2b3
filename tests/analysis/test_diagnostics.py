"""Findings: each from the sign that defines it, and none without it."""

from dataclasses import replace

import numpy as np

from core.analysis import diagnostics
from core.experiments import fit
from core.runs import specs
from core.types import Measurement, Run


def kinds(run):
    return [finding.kind for finding in diagnostics.diagnose(run)]


def run(history=(), metrics=(), by_class=(), **views):
    return Run(specs.make("digits", "pca"), list(history), dict(metrics), {}, {}, views, by_class=dict(by_class))


def test_a_vae_with_a_large_beta_collapses_and_one_with_beta_0_does_not(digits):
    small = {"n_components": 4, "epochs": 12, "width": 64, "batch_size": 128}
    collapsed, whole = (fit.fit(specs.make("digits", "vae", small | {"beta": b}), digits)[0] for b in (50.0, 0.0))
    (finding,) = diagnostics.diagnose(collapsed)
    assert (finding.kind, finding.is_severe) == (diagnostics.COLLAPSE, True)
    assert "4 of 4 latent dimensions are unused" in finding.sentence
    assert diagnostics.COLLAPSE not in kinds(whole)


def test_collapse_begins_where_half_the_dimensions_are_inactive():
    for unused, expected in ((0, []), (4, []), (5, [(diagnostics.COLLAPSE, False)])):
        codes = np.random.default_rng(0).normal(size=(400, 10))
        codes[:, :unused] *= 0.05  # variance 0.0025, below 0.01
        findings = diagnostics.diagnose(run(metrics={"kl": Measurement(3.0)}, codes=codes))
        assert [(finding.kind, finding.is_severe) for finding in findings] == expected


def test_a_generator_has_lost_the_classes_its_samples_lack():
    game = [{"epoch": 1, "generator_loss": 1.0, "discriminator_loss": 1.0}]
    labels = np.repeat([0, 1, 2, 3], 25)
    shares = {"a": 0.5, "b": 0.475, "c": 0.025, "d": 0.0}
    found = run(game, by_class={"class_shares": shares}, labels=labels)
    assert kinds(found) == [diagnostics.LOST_CLASSES]
    # A tenth of the share of c, a quarter, is 2.5 %.
    assert "to class d (0.0%)." in diagnostics.diagnose(found)[0].sentence
    assert kinds(replace(found, by_class={"class_shares": dict.fromkeys("abcd", 0.25)})) == []


def test_a_loss_that_rose_is_divergence_unless_it_is_a_game():
    rising = [{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 3.0}]
    assert kinds(run(rising)) == [diagnostics.DIVERGENCE]
    assert kinds(run(rising[::-1])) == []
    assert kinds(run([{"epoch": k, "generator_loss": float(k)} for k in (1, 2)])) == []
