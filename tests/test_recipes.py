import pytest

from core import datasets, methods, recipes, specs, store
from core.types import BadInput

EVERY = [(name, method) for name in datasets.names() for method in methods.names(datasets.entry(name).kind)]


@pytest.mark.parametrize(("dataset", "method"), EVERY)
def test_every_preset_is_allowed_and_the_short_ones_fit_a_workshop(dataset, method):
    found = recipes.presets(dataset, method, 10)
    trained = "max_seconds" in {p.name for p in methods.get(method).params}
    assert list(found) == ([recipes.SECONDS, recipes.MINUTE, recipes.BEST] if trained else [])
    for name, params in found.items():
        spec = specs.make(dataset, method, params)
        if name != recipes.BEST:
            recipes.check_workshop(spec)


@pytest.mark.parametrize(("dataset", "method", "params"), recipes.RUNS)
def test_best_is_how_the_shipped_run_was_made(dataset, method, params):
    size = params["n_components"]
    best = recipes.presets(dataset, method, size).get(recipes.BEST, {})
    spec = specs.make(dataset, method, {**best, "n_components": size})
    assert store.is_shipped(spec.key)


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
