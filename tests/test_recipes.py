import pytest

from core import datasets, methods, recipes, specs, store
from core.types import BadInput

EVERY = [(name, method) for name in datasets.names() for method in methods.names(datasets.entry(name).kind)]


def made(dataset, method, params):
    """The Spec of a preset, whose parameters are the data set's and the method's."""
    of_data = {p.name for p in datasets.entry(dataset).params} & set(params)
    of_method = {name: value for name, value in params.items() if name not in of_data}
    return specs.make(dataset, method, of_method, dataset_params={name: params[name] for name in of_data})


@pytest.mark.parametrize(("dataset", "method"), EVERY)
def test_every_preset_is_allowed_and_the_short_ones_fit_a_workshop(dataset, method):
    found = recipes.presets(dataset, method, 10)
    trained = "max_seconds" in {p.name for p in methods.get(method).params}
    assert list(found) == ([recipes.SECONDS, recipes.MINUTE, recipes.BEST] if trained else [])
    for name, params in found.items():
        spec = made(dataset, method, params)
        if name != recipes.BEST:
            recipes.check_workshop(spec)


@pytest.mark.parametrize(("dataset", "method", "params"), recipes.RUNS)
def test_best_is_how_the_shipped_run_was_made(dataset, method, params):
    size = params["n_components"]
    best = recipes.presets(dataset, method, size).get(recipes.BEST, {})
    spec = specs.make(dataset, method, {**best, "n_components": size})
    assert store.is_shipped(spec.key)


@pytest.mark.parametrize(("dataset", "method", "of_data", "params"), recipes.FACES)
def test_recipes_of_faces_can_be_made_and_are_the_best_preset(dataset, method, of_data, params):
    spec = specs.make(dataset, method, params, dataset_params=of_data)
    assert set(of_data.items()) <= set(spec.dataset_params)
    if method == "ae":
        size = params["n_components"]
        best = recipes.presets(dataset, method, size)[recipes.BEST]
        assert made(dataset, method, {**best, "n_components": size}) == spec


def test_recipes_of_faces_have_pca_and_an_ae_of_the_same_rows_and_code_size():
    named = {(of, by, params["n_components"]): of_data for of, by, of_data, params in recipes.FACES}
    for of, by, size in named:
        other = {"pca": "ae", "ae": "pca"}[by]
        assert named[of, other, size] == named[of, by, size]
    assert {(of, size) for of, _, size in named} == {("frey", 2), ("frey", 30), ("olivetti", 30)}


@pytest.mark.parametrize("dataset", ["digits", "mnist", "frey"])
def test_depths_differ_in_nothing_but_their_layers(dataset):
    found = [specs.make(dataset, "ae", params) for params in recipes.depths(dataset, 10)]
    assert [spec.param("layers") for spec in found] == [1, 2, 3]
    assert len({tuple(pair for pair in spec.params if pair[0] != "layers") for spec in found}) == 1


def test_every_depth_of_two_data_sets_is_shipped_once_and_is_no_preset():
    shipped = [specs.make(*run).key for run in (*recipes.RUNS, *recipes.DEPTHS)]
    assert len(shipped) == len(set(shipped))
    for dataset in ("digits", "mnist"):
        assert {specs.make(dataset, "ae", params).key for params in recipes.depths(dataset, 10)} <= set(shipped)
    best = specs.make("mnist", "ae", {**recipes.presets("mnist", "ae", 10)[recipes.BEST], "n_components": 10})
    assert best.key not in {specs.make(*run).key for run in recipes.DEPTHS}


def test_a_workshop_refuses_what_may_take_long():
    with pytest.raises(BadInput, match="max_seconds=0 is not for a workshop"):
        recipes.check_workshop(specs.make("digits", "vae", {"epochs": 2}))
    with pytest.raises(BadInput, match="max_seconds=61"):
        recipes.check_workshop(specs.make("digits", "vae", {"max_seconds": 61}))
    recipes.check_workshop(specs.make("digits", "pca"))


def test_a_workshop_maps_few_rows_in_few_iterations():
    recipes.check_workshop(specs.make("mnist", "tsne", {"max_iter": 2000}))
    with pytest.raises(BadInput, match=r"rows=2001 is not for a workshop, .* give it at most 2000"):
        recipes.check_workshop(specs.make("mnist", "tsne", {"rows": 2001}))
    with pytest.raises(BadInput, match="max_iter=2001 is not for a workshop"):
        recipes.check_workshop(specs.make("mnist", "tsne", {"max_iter": 2001}))
