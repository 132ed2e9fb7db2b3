"""Budgets of compared runs: which runs a comparison begins with, and whether their networks cost the same."""

import dataclasses

import pytest

from core import methods
from core.runs import layout, presets, reader, selection, specs
from core.shipped import shipped_specs
from core.types import Measurement, Run

MATCHED = [specs.make(*recipe) for recipe in presets.MATCHED]


def shipped(spec):
    return reader.read_run(layout.place_of(layout.SHIPPED, spec))


@pytest.mark.parametrize("dataset", sorted({spec.dataset for spec in MATCHED}))
def test_matched_runs_of_a_data_set_have_one_budget(dataset):
    """Weights within 5 % at each code size; a method with a code size of its own stands at every size."""
    runs = [shipped(spec) for spec in MATCHED if spec.dataset == dataset]
    assert {run.environment["budget"] for run in runs} == {selection.MATCHED}
    assert len({run.environment.get("trials") for run in runs}) == 1
    of_rows = [run for run in runs if methods.entry(run.spec.method).encodes]
    for size in {run.spec.param("n_components") for run in of_rows}:
        of_size = [run for run in runs if selection.fits_view(run.spec, dataset, run.spec.method, size)]
        weights = [run.metrics["weights"].value for run in of_size]
        assert min(weights) >= 0.95 * max(weights)
        assert len({selection.epochs_reached(run) for run in of_size}) == 1
        assert selection.are_equal(of_size)


def test_best_effort_leads_where_it_is_shipped_and_asked_for():
    runs = [shipped(spec) for spec in shipped_specs(["mnist"])]
    candidates = {name: selection.select_runs(runs, "mnist", name, 10) for name in ("pca", "ae", "vae", "gan")}
    matched = selection.leading(candidates)
    effort = selection.leading(candidates, selection.BEST_EFFORT)
    wide = specs.make("mnist", "ae", presets.list_presets("mnist", "ae", 10)[presets.EFFORT] | {"n_components": 10})
    assert effort["ae"] == wide.key != matched["ae"]
    assert effort["vae"] == matched["vae"]
    by_key = {run.key: run for run in runs}
    assert selection.are_equal([by_key[key] for key in matched.values()])
    assert not selection.are_equal([by_key[key] for key in effort.values()])


def of_runs(*runs):
    return {run.spec.method: [r for r in runs if r.spec.method == run.spec.method] for run in runs}


def run(method, seed=0, weights=1000, epochs=None, **params):
    spec = specs.make("digits", method, params, seed)
    reached = spec.param("epochs") if epochs is None else epochs
    return Run(spec, [{"epoch": reached}], {"weights": Measurement(weights)}, {}, {})


def test_budgets_differ_by_epochs_reached_weights_and_batch():
    ae, vae = run("ae", epochs=20), run("vae")
    assert selection.are_equal([ae, vae])
    assert not selection.are_equal([run("ae", epochs=7.5), vae])
    assert not selection.are_equal([run("ae", weights=1100), vae])
    assert not selection.are_equal([run("ae", batch_size=64), vae])
    assert not selection.are_equal([run("ae", width=64), vae])
    linear = run("linear_ae", weights=10)
    assert selection.are_equal([ae, vae, linear])
    assert not selection.are_equal([ae, dataclasses.replace(vae, metrics={"weights": Measurement(4500)})])


def test_a_comparison_begins_with_the_budget_that_most_methods_share():
    wide, ae = run("ae", width=1024), run("ae", width=128)
    vae, pca = run("vae", width=128), run("pca")
    chosen = selection.leading(of_runs(wide, ae, vae, pca))
    assert chosen == {"ae": ae.key, "vae": vae.key, "pca": pca.key}
    assert selection.leading(of_runs(wide)) == {"ae": wide.key}
