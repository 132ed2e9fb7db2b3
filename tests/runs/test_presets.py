from itertools import product

import pytest

from core import datasets, methods
from core.errors import BadInput
from core.runs import layout, selection, specs, store
from core.runs.presets import (
    BEST,
    BEST_EFFORT,
    DEPTHS,
    EFFORT,
    FACES,
    MINUTE,
    RUNS,
    SECONDS,
    check_workshop,
    depths,
    list_presets,
)

EVERY = [(name, method) for name in datasets.names() for method in methods.names(datasets.entry(name).kind)]


def make_spec(dataset, method, params):
    """The Spec of a preset, whose parameters are the data set's and the method's."""
    of_data = {p.name for p in datasets.entry(dataset).params} & set(params)
    of_method = {name: value for name, value in params.items() if name not in of_data}
    return specs.make(dataset, method, of_method, dataset_params={name: params[name] for name in of_data})


def test_presets_are_allowed_end_by_epochs_and_the_short_ones_fit_a_workshop():
    for dataset, method in EVERY:
        found = list_presets(dataset, method, 10)
        trained = "epochs" in {p.name for p in methods.get(method).params}
        assert list(found)[:3] == ([SECONDS, MINUTE, BEST] if trained else [])
        for name, params in found.items():
            spec = make_spec(dataset, method, params)
            assert not spec.param("max_seconds")
            if name in (SECONDS, MINUTE):
                check_workshop(spec)


def test_networks_of_a_preset_have_one_budget():
    for dataset, preset in product(datasets.names(), (SECONDS, MINUTE)):
        presets = {name: list_presets(dataset, name, 10) for name in methods.names(datasets.entry(dataset).kind)}
        preset_specs = [make_spec(dataset, name, found[preset]) for name, found in presets.items() if preset in found]
        found = [budget for spec in preset_specs if (budget := selection.get_budget(spec))]
        assert len(found) > 1
        assert len(set(found)) == 1


def test_preset_is_how_the_shipped_run_was_made():
    for dataset, method, params in RUNS:
        size = params["n_components"]
        found = list_presets(dataset, method, size)
        if "max_seconds" in params:
            # The clock ended it, and presets end by epochs.
            assert EFFORT not in found
            continue
        name = EFFORT if (dataset, method, params) in BEST_EFFORT else BEST
        spec = specs.make(dataset, method, {**found.get(name, {}), "n_components": size})
        assert store.find_place(spec.key) == layout.place_of(layout.SHIPPED, spec)


def test_recipes_of_faces_can_be_made_and_are_the_best_preset():
    for dataset, method, of_data, params in FACES:
        spec = specs.make(dataset, method, params, dataset_params=of_data)
        assert set(of_data.items()) <= set(spec.dataset_params)
        if method == "ae":
            size = params["n_components"]
            best = list_presets(dataset, method, size)[BEST]
            assert make_spec(dataset, method, {**best, "n_components": size}) == spec


def test_depths_differ_in_nothing_but_their_layers():
    for dataset in ("digits", "mnist", "frey"):
        found = [specs.make(dataset, "ae", params) for params in depths(dataset, 10)]
        assert [spec.param("layers") for spec in found] == [1, 2, 3]
        assert len({tuple(pair for pair in spec.params if pair[0] != "layers") for spec in found}) == 1


def test_every_depth_of_two_data_sets_is_shipped_once_and_is_no_preset():
    shipped = [specs.make(*run).key for run in (*RUNS, *DEPTHS)]
    assert len(shipped) == len(set(shipped))
    for dataset in ("digits", "mnist"):
        assert {specs.make(dataset, "ae", params).key for params in depths(dataset, 10)} <= set(shipped)
    best = specs.make("mnist", "ae", {**list_presets("mnist", "ae", 10)[BEST], "n_components": 10})
    assert best.key not in {specs.make(*run).key for run in DEPTHS}


def test_a_workshop_refuses_what_may_take_long():
    with pytest.raises(BadInput, match="epochs=1000 is not for a workshop"):
        check_workshop(specs.make("digits", "vae", {"epochs": 1000, "width": 256}))
    with pytest.raises(BadInput, match="width=2000 is not for a workshop"):
        check_workshop(specs.make("digits", "vae", {"width": 2000}))
    with pytest.raises(BadInput, match="max_seconds=61"):
        check_workshop(specs.make("digits", "vae", {"max_seconds": 61}))
    with pytest.raises(BadInput, match=r"rows=2001 is not for a workshop, .* give it at most 2000"):
        check_workshop(specs.make("mnist", "tsne", {"rows": 2001}))
    check_workshop(specs.make("digits", "vae", {"max_seconds": 60}))
    check_workshop(specs.make("digits", "pca"))
