from itertools import product

import pytest

from core import datasets, methods
from core.errors import BadInput
from core.runs import layout, presets, selection, specs, store

EVERY = [(name, method) for name in datasets.names() for method in methods.names(datasets.entry(name).kind)]


def test_presets_are_allowed_end_by_epochs_and_the_short_ones_fit_a_workshop():
    for dataset, method in EVERY:
        found = presets.list_presets(dataset, method, 10)
        trained = "epochs" in {p.name for p in methods.get(method).params}
        assert list(found)[:3] == ([presets.SECONDS, presets.MINUTE, presets.BEST] if trained else [])
        for name, params in found.items():
            spec = specs.make_from_settings(dataset, method, params)
            assert not spec.param("max_seconds")
            if name in (presets.SECONDS, presets.MINUTE):
                presets.check_workshop(spec)


def test_networks_of_a_preset_have_one_budget():
    for dataset, preset in product(datasets.names(), (presets.SECONDS, presets.MINUTE)):
        offered = presets.list_specs(dataset, 10, preset)
        found = [budget for spec in offered if (budget := selection.get_budget(spec))]
        assert len(found) > 1
        assert len(set(found)) == 1


def test_preset_is_how_the_shipped_run_was_made():
    for dataset, method, params in presets.RUNS:
        size = params["n_components"]
        found = presets.list_presets(dataset, method, size)
        if "max_seconds" in params:
            # The clock ended it, and presets end by epochs.
            assert presets.EFFORT not in found
            continue
        named = {presets.EFFORT: presets.BEST_EFFORT, presets.BOUND: presets.LIKELIHOOD}
        name = next((k for k, recipes in named.items() if (dataset, method, params) in recipes), presets.BEST)
        params = params if method == "pca" else {**found.get(name, {}), "n_components": size}
        spec = specs.make_from_settings(dataset, method, params)
        assert store.find_place(spec.key) == layout.place_of(layout.SHIPPED, spec)


def test_recipes_of_faces_can_be_made_and_are_the_best_preset():
    for dataset, method, of_data, params in presets.FACES:
        spec = specs.make(dataset, method, params, dataset_params=of_data)
        assert set(of_data.items()) <= set(spec.dataset_params)
        if method == "ae":
            size = params["n_components"]
            best = presets.list_presets(dataset, method, size)[presets.BEST]
            assert specs.make_from_settings(dataset, method, {**best, "n_components": size}) == spec


def test_every_depth_of_two_data_sets_is_shipped_once_and_is_no_preset():
    shipped = [specs.make_from_settings(*run).key for run in (*presets.RUNS, *presets.DEPTHS)]
    assert len(shipped) == len(set(shipped))
    for dataset in ("digits", "mnist"):
        deep = [specs.make(dataset, "ae", params) for params in presets.depths(dataset, 10)]
        assert [spec.param("layers") for spec in deep] == [1, 2, 3]
        assert len({tuple(pair for pair in spec.params if pair[0] != "layers") for spec in deep}) == 1
        assert {spec.key for spec in deep} <= set(shipped)


def test_a_workshop_refuses_what_may_take_long():
    for message, *recipe in (
        ("epochs=1000 is too much for a workshop", "digits", "vae", {"epochs": 1000, "width": 256}),
        ("width=2000 is too much for a workshop", "digits", "vae", {"width": 2000}),
        ("max_seconds=61", "digits", "vae", {"max_seconds": 61}),
        (r"rows=2001 is too much for a workshop, .* set it to at most 2000", "mnist", "tsne", {"rows": 2001}),
    ):
        with pytest.raises(BadInput, match=message):
            presets.check_workshop(specs.make(*recipe))
    presets.check_workshop(specs.make("digits", "vae", {"max_seconds": 60}))
    presets.check_workshop(specs.make("digits", "pca"))
