"""Cells of tables: their errors, hidden cells and corruptions, against scikit-learn and exactly linear rows."""

from dataclasses import replace
from itertools import pairwise
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from core import datasets
from core.analysis import corruption, hidden_cells
from core.analysis.table_cells import Cells, measure_baselines
from core.datasets.own import preparation, recipe, store
from core.experiments.fit import fit
from core.metrics import pca_spectrum
from core.runs import specs
from core.types import Dataset
from tests.benchmarks import bench_tables


def make_dataset(has_gaps: bool = True, n: int = 400) -> Dataset:
    """Five numbers in a plane, and a category that tells the sign of one; one number may have missing cells."""
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(n, 2))
    frame = pd.DataFrame(codes @ rng.normal(size=(2, 5)) * [1, 10, 100, 1, 1] + 50, columns=list("abcde"))
    frame["sign"] = np.where(codes[:, 0] > 0, "plus", "minus")
    if has_gaps:
        frame.loc[rng.random(n) < 0.2, "b"] = np.nan
    brought = store.read_file(frame.to_csv(index=False).encode(), "plane.csv")
    features = [replace(column, role="feature") for column in brought.columns]
    made = recipe.make_recipe(features, brought.table.format)
    return store.to_dataset("plane", preparation.prepare(brought.table, made))


@pytest.fixture(autouse=True)
def registered():
    """What a test registers is forgotten after it."""
    with patch.dict(datasets.REGISTRY):
        yield


@pytest.fixture(scope="module")
def cells():
    dataset = make_dataset()
    return Cells(dataset, np.arange(len(dataset.y_test)))


def test_what_hides_a_cell_is_the_train_rows_median_or_most_frequent_category(cells):
    dataset, found = cells.dataset, cells.filling
    train = dataset.table.frame_train
    decoded = dataset.table.to_frame(found[None], has_gaps=False).iloc[0]
    for name in "abcde":
        assert decoded[name] == pytest.approx(
            SimpleImputer(strategy="median").fit(train[[name]]).statistics_[0], rel=1e-5
        )
    assert decoded["sign"] == train["sign"].mode()[0]


def test_each_known_cell_is_hidden_once_and_no_missing_cell_or_mark(cells):
    hidden = hidden_cells.hide(cells)
    times = np.zeros((len(cells.rows), len(cells.dataset.blocks)), int)
    np.add.at(times, hidden.at, hidden.cells)
    frame = cells.dataset.table.frame_test
    for k, feature in enumerate(cells.dataset.table.features):
        known = np.zeros(len(frame)) if feature.of_missing else frame[feature.name].notna()
        np.testing.assert_array_equal(times[:, k], known)
    assert hidden.n_rounds == 20
    np.testing.assert_array_equal(hidden_cells.hide(cells).cells, hidden.cells)


def test_cells_of_a_plane_are_filled_exactly_by_the_plane_and_by_regressions():
    dataset = make_dataset(has_gaps=False)
    cells = Cells(dataset, np.arange(len(dataset.y_test)))
    hidden = hidden_cells.hide(cells)
    numbers = PCA(2).fit(dataset.X_train[:, :5])

    def reconstruct(X):
        return np.column_stack([numbers.inverse_transform(numbers.transform(X[:, :5])), X[:, 5:]])

    median = hidden_cells.compute_errors(cells, hidden, hidden_cells.fill_by_median(cells, hidden))
    filled = hidden_cells.compute_errors(cells, hidden, hidden_cells.fill(reconstruct, cells, hidden))
    regressed = hidden_cells.compute_errors(cells, hidden, hidden_cells.fill_by_regressions(cells, hidden))
    # Each number is hidden once, so the median's error is that of a constant: at least the variance.
    assert (median.by_feature()[:5] >= 1).all()
    assert filled.by_row(of_numbers=True).mean() < 0.05 * median.by_row(of_numbers=True).mean()
    assert regressed.by_row(of_numbers=True).mean() < 0.05
    assert regressed.by_row(of_numbers=False).mean() < 0.3 < median.by_row(of_numbers=False).mean()


def test_corruptions_grow_from_nothing_and_leave_missing_cells(cells):
    X = cells.X.copy()
    for kind in corruption.OF_TABLES.values():
        levels = [kind.apply(X, cells, amount, 0) for amount in kind.levels(None)]
        np.testing.assert_array_equal(levels[0], X)
        changed = [(level != X) & cells.counted for level in levels]
        assert all((less <= more).all() for less, more in pairwise(changed))
        assert all((level == X)[~cells.counted].all() for level in levels)
    hidden = corruption.hide_cells(X, cells, 100, 0)
    np.testing.assert_array_equal(hidden[cells.counted], np.tile(cells.filling, (len(X), 1))[cells.counted])
    assert set(corruption.shuffle_cells(X, cells, 100, 0)[:, 0]) == set(X[:, 0])
    np.testing.assert_array_equal(X, cells.X)


@pytest.mark.parametrize("name", ["wine", "breast_cancer", "digits"])
def test_pca_has_the_figures_of_scikit_learns_pipeline(name):
    dataset = bench_tables.register(bench_tables.load_table(name))
    features = [feature.name for feature in dataset.table.features]
    train, test = (frame[features].to_numpy() for frame in (dataset.table.frame_train, dataset.table.frame_test))
    varies = np.ptp(test, axis=0) > 0
    errors = pca_spectrum.pca_table_error_by_size(dataset)
    for size in (1, 2, 10):
        pipeline = make_pipeline(StandardScaler(), PCA(size, svd_solver="full")).fit(train)
        X_hat = pipeline.inverse_transform(pipeline.transform(test))
        explained = r2_score(test[:, varies], X_hat[:, varies], multioutput="uniform_average")
        assert errors[size] == pytest.approx(1 - explained, abs=1e-6)
        if size != 2:
            continue
        run, _ = fit(specs.make(dataset.name, "pca", {"n_components": size}), dataset, first_only=True)
        assert run.metrics["unexplained_variance"].value == pytest.approx(1 - explained, abs=1e-6)


def test_marks_of_missing_cells_are_no_features_of_the_errors():
    dataset = bench_tables.register(make_dataset())
    run, _ = fit(specs.make("plane", "pca", {"n_components": 2}), dataset, first_only=True)
    assert set(run.by_class["error_per_feature"]) == {*"abcde", "sign"}
    wrong = run.by_class["error_per_feature"]["sign"]
    assert run.metrics["category_accuracy"].value == pytest.approx(1 - wrong)
    error = run.metrics["unexplained_variance"].value
    assert pca_spectrum.pca_table_error_by_size(dataset)[2] == pytest.approx(error, rel=1e-4)


def test_baselines_are_those_of_constant_predictions():
    dataset = make_dataset()
    prepared = dataset.table
    train, test = prepared.frame_train["sign"], prepared.frame_test["sign"]
    guess = DummyClassifier(strategy="most_frequent").fit(np.zeros((len(train), 1)), train)
    expected = guess.score(np.zeros((len(test), 1)), test)
    assert measure_baselines(dataset) == {"category_accuracy": pytest.approx(expected)}
    y_train, y_test = ((frame["a"] > 51).to_numpy(np.int64) for frame in (prepared.frame_train, prepared.frame_test))
    labelled = replace(dataset, y_train=y_train, y_test=y_test, target_names=("low", "high"))
    guess = DummyClassifier(strategy="most_frequent").fit(y_train[:, None], y_train)
    assert measure_baselines(labelled)["knn_accuracy"] == pytest.approx(guess.score(y_test[:, None], y_test))
