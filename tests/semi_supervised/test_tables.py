"""Labelled fraction on tables that a person brought: gradient boosting, labelled rows, cells, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from core import datasets, semi_supervised
from core.datasets.own import examples, recipe, store
from core.errors import BadInput
from core.semi_supervised import experiment, results, settings, sweep
from core.semi_supervised.feature_classifiers import BUILDERS
from core.types import TABLES

pytestmark = pytest.mark.usefixtures("own_cache")
BRIEF = {"epochs": 2, "width": 32, "n_components": 2, "steps": 4, "max_iter": 5}


def add_table(frame: pd.DataFrame, **how) -> str:
    return add_file("shop.csv", frame.to_csv(index=False).encode(), **how)


def add_file(file: str, content: bytes, **how) -> str:
    brought = store.read_file(content, file)
    return store.add(content, file, brought.table, recipe.make_recipe(brought.columns, brought.table.format, **how))


def make_frame(n: int = 120) -> pd.DataFrame:
    """Three classes told apart by a number and a category, with missing cells and rows without a class."""
    random = np.random.default_rng(0)
    y = random.choice(3, n, p=[0.7, 0.2, 0.1])
    frame = pd.DataFrame({"weight": y + random.normal(0, 0.3, n), "height": random.normal(5, 2, n)})
    frame["colour"] = np.where(random.random(n) < 0.8, np.array(["red", "green", "blue"])[y], "grey")
    frame = frame.mask(random.random(frame.shape) < 0.05)
    frame["class"] = np.where(random.random(n) < 0.1, None, np.array(["tea", "milk", "rum"])[y])
    return frame


def test_gradient_boosting_is_scikit_learns_on_the_labelled_rows():
    random = np.random.default_rng(0)
    X = random.normal(size=(200, 5)).astype(np.float32)
    y = np.where(np.arange(200) < 60, (X[:, 0] * X[:, 1] > 0) + 2, -1)
    chosen = {"leaf_share": 0.1, "learning_rate": 0.2, "max_iter": 30, "max_features": 0.5}
    ours = BUILDERS["boosting"](chosen, None, 3).fit(X, y)
    how = {"learning_rate": 0.2, "max_iter": 30, "max_features": 0.5, "min_samples_leaf": 6, "early_stopping": False}
    theirs = HistGradientBoostingClassifier(**how, random_state=3).fit(X[:60], y[:60])
    assert np.array_equal(ours.predict(X), theirs.predict(X))
    assert np.allclose(ours.predict_proba(X), theirs.predict_proba(X))


def test_both_have_the_mean_of_their_probabilities(digits):
    X, y, X_test, _ = digits
    chosen = {"leaf_share": 0.1, "max_iter": 5}, {"C": 1.0, "scaling": "standard"}
    parts = [
        BUILDERS[name](part, None, 0).fit(X, y) for name, part in zip(("boosting", "logistic"), chosen, strict=True)
    ]
    both = BUILDERS["both"](chosen[0] | chosen[1], None, 0).fit(X, y)
    mean = np.mean([part.predict_proba(X_test) for part in parts], axis=0)
    assert np.allclose(both.predict_proba(X_test), mean)


def test_labelled_rows_of_a_table_are_nested_and_in_proportion():
    y = np.repeat([-1, 0, 1, 2], [50, 400, 90, 10])
    order = experiment.select_labelled_rows(y, 500, 0, TABLES)
    assert sorted(y[order[:3]]) == [0, 1, 2]
    for n in (50, 200, 500):
        assert np.array_equal(experiment.select_labelled_rows(y, n, 0, TABLES), order[:n])
        assert np.bincount(y[order[:n]]) == pytest.approx(n * np.array([0.8, 0.18, 0.02]), abs=2)


def test_every_approach_runs_on_a_small_table(monkeypatch):
    name = add_table(make_frame())
    names = semi_supervised.names(TABLES)
    assert {"boosting", "both", "m2", "m1_m2", "sgan"} <= set(names)
    genuine = settings.get_chosen(name)

    def shorten(params):
        return {key: BRIEF.get("epochs" if key == "total_steps" else key, value) for key, value in params.items()}

    brief = [{key: shorten(params) for key, params in part.items()} for part in (genuine.settings, genuine.pretraining)]
    monkeypatch.setattr(settings, "get_chosen", lambda name: settings.Chosen(*brief, genuine.on, genuine.tried))
    report = sweep.run_sweep(experiment.list_cells(name, names, [6, 40], [0]))
    assert (report.computed, report.problems) == (2 * len(names), [])
    dataset, stored = datasets.load(name), results.read_results(name).rows
    assert dataset.known_train is not None
    assert (dataset.y_train == -1).any()
    n_scored = (dataset.y_test >= 0).sum()
    assert {(row["method"], row["n_test"]) for row in stored} == {(approach, n_scored) for approach in names}
    assert sweep.run_sweep(experiment.list_cells(name, names, [6, 40], [0])).kept == 2 * len(names)
    errors = results.group_errors(stored)
    assert errors["logistic"][40][0] < (dataset.y_test[dataset.y_test >= 0] != 0).mean()


def test_numbers_are_classified_only_if_they_are_divided():
    file, content = examples.make_file("diabetes")
    brought = store.read_file(content, file)

    def add(role, **how):
        columns = [replace(c, role=role) if c.name == "progression" else c for c in brought.columns]
        return store.add(content, file, brought.table, recipe.make_recipe(columns, brought.table.format, **how))

    with pytest.raises(BadInput, match="labels are classes"):
        add("label")
    with pytest.raises(BadInput, match=r"has no labels.*divide a number into classes"):
        experiment.list_cells(add("feature"), ["boosting"], [20], [0])
    name = add("label", bins=3)
    (cell,) = experiment.list_cells(name, ["logistic"], [100], [0])
    assert experiment.measure_cell(cell, datasets.load(name))["error"] < 2 / 3


def test_usual_numbers_of_labels_fit_the_rows():
    name = add_file(*examples.make_file("wine"))
    assert experiment.list_usual_counts(datasets.load(name)) == [10, 30, 100]
    assert experiment.list_usual_counts(datasets.load(add_table(make_frame(24), test_size=0.4))) == [10]
    assert experiment.list_usual_counts(datasets.load("digits")) == [20, 50, 100, 500]
