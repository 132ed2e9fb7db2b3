"""Costs are known before a table is stored, grow with it, and are refused where they do not fit."""

import numpy as np
import pytest

from core import memory
from core.datasets.own import examples, recipe, store
from core.errors import BadInput
from core.runs import presets, specs
from core.tasks import requests, training_cost
from core.tasks.training_time import N_TERMS

SPEED = np.full(N_TERMS, 1e-9)


@pytest.fixture
def wine():
    file, content = examples.make_file("wine")
    brought = store.read_file(content, file)
    return store.add(content, file, brought.table, recipe.make_recipe(brought.columns, brought.table.format))


def test_cost_is_the_same_before_and_after_a_table_is_stored(wine):
    before = training_cost.predict_table(training_cost.describe_table((142, 36), (1,) * 13), 2, presets.SECONDS, SPEED)
    after = {s.method: training_cost.predict_cost(s, SPEED) for s in presets.list_specs(wine, 2, presets.SECONDS)}
    after["tsne"] = training_cost.predict_cost(specs.make(wine, "tsne"), SPEED)
    assert before == after


def test_cost_grows_with_rows_columns_and_preset():
    for name in ("pca", "ae", "tsne"):
        costs = [
            training_cost.predict_table(training_cost.describe_table(rows, (1,) * n), 2, preset, SPEED)[name]
            for rows, n, preset in (
                ((160, 40), 4, presets.SECONDS),
                ((8000, 2000), 50, presets.SECONDS),
                ((80_000, 20_000), 200, presets.MINUTE),
            )
        ]
        assert costs[0].seconds < costs[1].seconds < costs[2].seconds
        assert costs[0].megabytes < costs[1].megabytes < costs[2].megabytes
    unknown = training_cost.predict_table(training_cost.describe_table((160, 40), (1,)), 2, presets.SECONDS, None)
    assert {cost.seconds for cost in unknown.values()} == {None}


def test_training_that_does_not_fit_is_refused_with_the_numbers(wine, monkeypatch):
    spec = specs.make(wine, "pca", {"n_components": 2})
    training_cost.check_fits(spec)
    monkeypatch.setattr(memory, "available_megabytes", lambda: 100.0)
    for refused in (training_cost.check_fits, lambda spec: requests.request_trainings([spec], "me")):
        with pytest.raises(BadInput, match=r"PCA on wine needs about 23\d MB, and 100 MB are free"):
            refused(spec)
    training_cost.check_fits(specs.make("digits", "pca"))
