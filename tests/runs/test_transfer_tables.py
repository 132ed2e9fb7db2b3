"""Runs on own data as zip files: what is exported comes back, and nothing else gets in."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core import datasets
from core.datasets.own import recipe, store
from core.errors import BadInput
from core.experiments import fit
from core.runs import reader, schema, specs, transfer
from core.runs import store as run_store
from tests.runs.test_schema import WRONG_RUNS, of, params, refuse, set_at, view

SMALL = {"epochs": 2, "width": 32, "layers": 1, "batch_size": 64}


@pytest.fixture
def table():
    """An own table with numbers, categories, missing cells and classes."""
    random, n = np.random.default_rng(0), 150
    frame = pd.DataFrame(random.normal(size=(n, 3)), columns=["a", "b", "a column, with an odd “name”: missing"])
    frame.loc[:20, "b"] = np.nan
    frame["sort"] = random.choice(["u", "v", "w"], n)
    frame["label"] = random.choice(["p", "q"], n)
    content = frame.to_csv(index=False).encode()
    brought = store.read_file(content, "table.csv")
    return store.add(content, "table.csv", brought.table, recipe.make_recipe(brought.columns, brought.table.format))


def train(table, method, **options):
    declared = {p.name for p in specs.methods.get(method).params_of("tables")}
    size = {"n_components": 3} if method in ("pca", "ae", "vae") else {}
    small = {name: value for name, value in SMALL.items() if name in declared}
    return fit.fit_and_store(specs.make(table, method, size | small), datasets.load(table), **options).spec


def test_runs_on_own_data_come_back(table):
    for method in ("pca", "linear_ae", "ae", "vae", "gan", "tsne"):
        spec = train(table, method, first_only=method not in ("pca", "vae"))
        place = run_store.find_place(spec.key)
        before, packed = reader.read_run(place), transfer.pack_run(place)
        schema.check(before, reader.read_weights(place), reader.read_replay(place))
        run_store.delete_run(spec.key)
        again = transfer.unpack_run(packed, check_weights=True)
        assert again.metrics == before.metrics, method
        assert again.by_class == before.by_class
        assert again.views.keys() == before.views.keys()
        assert not again.is_verified


def test_run_says_which_data_are_missing(table):
    place = run_store.find_place(train(table, "pca").key)
    packed, exported = transfer.pack_run(place), store.pack(table)
    run_store.delete_run(reader.read_run(place).key)
    store.remove(table)
    with pytest.raises(BadInput, match=f"own data set {table} is not on this machine. Its owner can"):
        transfer.unpack_run(packed)
    assert store.unpack(exported) == table
    assert transfer.unpack_run(packed).spec.dataset == table


WRONG_TABLES = (
    (of("environment", blocks=None), "its features are not those of table"),
    (of("environment", blocks=[1, 1, 1, 5]), "its features are not those of table"),
    (of("environment", blocks=[1] * 40_000), "environment"),
    (of("environment", n_test=31), "its rows are not those of table"),
    (of("environment", n_features=9), "its rows are not those of table"),
    (of("metrics", category_accuracy=1.5), "figure 'category_accuracy'"),
    (of("metrics", unexplained_variance=-1.0), "figure 'unexplained_variance'"),
    (of("metrics", error_per_feature={str(k): 0.0 for k in range(7)}), "figure 'error_per_feature'"),
    (of("metrics", error_per_class={"a": 0.0}), "figure 'error_per_class'"),
    (of("views", strip_rows=None), "view strip_rows is missing|view 'reconstructions'"),
    (of("views", feature_variances=None), "feature_variances is missing"),
    (view("feature_variances", lambda a: -a - 1), "view 'feature_variances'"),
    (view("feature_variances", lambda a: a[1:]), "view 'feature_variances'"),
    (view("reconstructions", lambda a: a.astype(np.uint8)), "view 'reconstructions'"),
    (view("reconstructions", set_at(np.nan, 0, 0)), "view 'reconstructions'"),
    (view("samples", lambda a: a[:, 1:]), "view 'samples'"),
    (lambda run: of("views", originals=run.views["reconstructions"])(run), "view 'originals'"),
    (of("views", error_by_size=np.ones(3, np.float32)), "view 'error_by_size'"),
    (of("views", **{"retrieval.at": np.array([1], np.int32)}), "view 'retrieval"),
)


def test_wrong_runs_of_tables_are_refused(table):
    place = run_store.find_place(train(table, "vae").key)
    run, weights, replay = reader.read_run(place), reader.read_weights(place), reader.read_replay(place)
    general = [(change, message) for change, message in WRONG_RUNS if message in ("date", "no Unicode", "history")]
    assert len(general) > 2
    for change, message in (*general, *WRONG_TABLES):
        refuse((change(run), weights, replay), message)
    refuse((run, {**weights, "n_features_in": np.array(10**8)}, replay), "another size")
    rows = len(replay["epochs"]), 10, run.environment["n_features"]
    pictures = {**replay, "reconstructions": np.zeros(rows, np.uint8)}
    refuse((run, weights, pictures), "pictures of this training are not what was recorded")
    refuse((params(epochs=2.0)(run), weights, replay), "does not say every parameter")
    refuse((replace(run, spec=replace(run.spec, dataset="own-0123456789ab")), weights, replay), "not on this machine")
