"""Which runs a page shows of a data set, a method and a code size."""

from dataclasses import replace

from core import methods
from core.runs import layout, presets, reader, selection, specs, store
from core.shipped import shipped_specs
from core.types import Measurement, Run
from tests.runs.conftest import spec_of, with_spec

MATCHED = [specs.make(*recipe) for recipe in presets.MATCHED]


def select(method="ae", size=2):
    return [run.key for run in selection.select_runs(store.list_runs()[0], "digits", method, size)]


def test_shipped_runs_come_before_own_ones_and_a_gan_at_every_size(fitted, place):
    run, arrays = fitted
    store.write_run(with_spec(run, 2999, epochs=5), arrays)
    gan = replace(run, spec=specs.make("digits", "gan", {"n_components": 16}))
    store.write_run(gan, arrays)
    assert select() == [spec_of(epochs=5).key, run.key]
    layout.SHIPPED.mkdir()
    place.rename(layout.SHIPPED / place.name)
    assert select() == [run.key, spec_of(epochs=5).key]
    assert (select(size=10), select("gan", 10)) == ([], [gan.key])


def test_whole_runs_lead_then_the_oldest_shipped_and_the_newest_own_run(fitted, place):
    run, arrays = fitted
    store.delete_run(run.key)
    for year in (2001, 2003, 2002, 2004):
        made = with_spec(run, year, epochs=year - 1990)
        stopped = replace(made, environment={**made.environment, "stopped_early": year == 2004})
        store.write_run(stopped, arrays)
        store.write_run(with_spec(stopped, epochs=year - 1990, width=64), arrays, layout.SHIPPED)
    shipped = [spec_of(epochs=epochs, width=64).key for epochs in (11, 12, 13, 14)]
    assert select() == shipped + [spec_of(epochs=epochs).key for epochs in (13, 12, 11, 14)]


def shipped(spec):
    return reader.read_run(layout.place_of(layout.SHIPPED, spec))


def test_matched_runs_of_a_data_set_have_one_budget():
    """Weights within 5 % at each code size; a method with a code size of its own stands at every size."""
    for dataset in {spec.dataset for spec in MATCHED}:
        runs = [shipped(spec) for spec in MATCHED if spec.dataset == dataset]
        assert {run.environment["budget"] for run in runs} == {selection.MATCHED}
        assert len({run.environment.get("trials") for run in runs}) == 1
        for size in {run.spec.param("n_components") for run in runs if methods.entry(run.spec.method).encodes}:
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
    for other in ({"epochs": 7.5}, {"weights": 1100}, {"batch_size": 64}, {"width": 64}):
        assert not selection.are_equal([run("ae", **other), vae])
    assert selection.are_equal([ae, vae, run("linear_ae", weights=10)])


def test_a_comparison_begins_with_the_budget_that_most_methods_share():
    wide, ae = run("ae", width=1024), run("ae", width=128)
    vae, pca = run("vae", width=128), run("pca")
    chosen = selection.leading(of_runs(wide, ae, vae, pca))
    assert chosen == {"ae": ae.key, "vae": vae.key, "pca": pca.key}
    assert selection.leading(of_runs(wide)) == {"ae": wide.key}
