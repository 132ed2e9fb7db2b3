"""Cells of the labelled fraction: labelled rows, pre-training, scores, and that no other label is seen."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix

from core import datasets, semi_supervised
from core.errors import BadInput
from core.experiments import fit
from core.methods.ae import Autoencoder
from core.runs import store
from core.semi_supervised import experiment, settings
from core.semi_supervised.experiment import Cell, list_cells, measure_cell, pretrain, select_labelled_rows
from core.semi_supervised.results import read_map, read_misclassified, select_mapped_rows
from core.types import Spec
from tests.experiments.conftest import make_documents

# Small settings in place of each approach's own.
TINY = {
    # Codes of networks with so little training lie close together.
    **{name: {"C": 1.0, "scaling": "standard"} for name in ("ae", "vae")},
    **{name: {"width": 32, "layers": 1, "steps": 10} for name in ("network", "fine_tuned")},
    "m2": {"n_components": 3, "width": 16, "epochs": 1, "batch_size": 200},
    "m1_m2": {"n_components": 3, "width": 16, "epochs": 3, "batch_size": 50},
    "sgan": {"n_components": 5, "width": 32, "epochs": 1, "batch_size": 500},
}
TINY_PRETRAINING = {
    **{name: {"n_components": 5} for name in ("pca", "lsa")},
    "ae": {"n_components": 5, "width": 32, "layers": 1, "epochs": 1},
    "vae": {"n_components": 5, "width": 32, "layers": 1, "epochs": 3, "batch_size": 100},
    "gan": {"network": "mlp", "width": 32, "epochs": 1},
}
# Parts of a result that depend on the labels it is scored by, and on the time and the copy of the data.
SCORED = {"error", "confusion", "wrong", "map_classes"}
PASSING = {"seconds", "pretraining_seconds", "date", "data_checksum"}
IMAGE_APPROACHES, DOCUMENT_APPROACHES = semi_supervised.names("images"), semi_supervised.names("documents")
pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.fixture
def tiny(monkeypatch):
    genuine = settings.get_settings
    monkeypatch.setattr(settings, "get_settings", lambda name, dataset: TINY.get(name) or genuine(name, dataset))
    monkeypatch.setattr(settings, "get_pretraining", lambda dataset, method: dict(TINY_PRETRAINING.get(method, {})))


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def documents():
    return make_documents(160, 80, classes=3)


def make_cell(dataset, name, labels=40, seed=0):
    (cell,) = list_cells(dataset.name, [name], [labels], [seed])
    return cell


def compute(cell, dataset):
    return measure_cell(cell, dataset, pretrain(cell.pretraining, dataset) if cell.pretraining else None)


def drop(result, names):
    return {name: value for name, value in result.items() if name not in names}


UNEQUAL = np.repeat([-1, 0, 1, 2], [4, 2, 5, 11])


def test_labelled_rows_are_nested_and_balanced():
    sizes = np.bincount(UNEQUAL[UNEQUAL >= 0])
    for seed in range(3):
        order = select_labelled_rows(UNEQUAL, 18, seed)
        assert sorted(order) == list(range(4, 22))
        for n in range(1, 19):
            rows = select_labelled_rows(UNEQUAL, n, seed)
            assert np.array_equal(rows, order[:n])
            counts = np.bincount(UNEQUAL[rows], minlength=3)
            assert (counts >= np.minimum(counts.max() - 1, sizes)).all(), (n, counts)
    for n in (0, 19):
        with pytest.raises(BadInput, match=rf"labels={n} is not allowed: 18 training rows have a class"):
            select_labelled_rows(UNEQUAL, n, 0)
    with pytest.raises(BadInput, match="No training row has a class"):
        select_labelled_rows(np.full(5, -1), 1, 0)


def test_labelled_rows_are_uniform_draws():
    drawn = np.array([select_labelled_rows(UNEQUAL, 4, seed) for seed in range(900)])
    assert stats.chisquare(np.bincount(UNEQUAL[drawn[:, 0]], minlength=3)).pvalue > 0.001
    counts = np.bincount(drawn[:, :3].ravel(), minlength=22)
    assert counts[:4].sum() == 0
    for label in range(3):
        assert stats.chisquare(counts[label == UNEQUAL]).pvalue > 0.001


def test_impossible_cells_are_refused(digits):
    for given, message in (
        (("digits", ["lsa"], [20], [0]), "LSA \\+ logistic does not work on images: choose from network"),
        (("frey", ["logistic"], [20], [0]), "Frey faces has no labels"),
        (("digits", ["logistic"], [0], [0]), "labels=0 is not allowed: Digits 8x8 has 1,297 training rows"),
        (("digits", ["logistic"], [20], [0], {"colour": "red"}), "colour is no parameter of digits"),
    ):
        with pytest.raises(BadInput, match=message):
            list_cells(*given)
    # What the rows at hand can't have is refused before any cell is computed.
    few = replace(digits, X_train=digits.X_train[:19], y_train=digits.y_train[:19])
    strangers = replace(digits, y_train=digits.y_train % 5, y_test=digits.y_test % 5 + 5)
    for dataset, n, message in (
        (strangers, 20, "No test row of digits has a class of the training rows"),
        (few, 20, "labels=20 is not allowed"),
        (few, 10, "n_components=20 must be at most 19"),
    ):
        with pytest.raises(BadInput, match=message):
            experiment.check_cells(list_cells("digits", ["pca"], [n], [0]), dataset)


def test_cells_are_every_combination_seed_by_seed_and_have_keys_of_their_own():
    cells = list_cells("digits", ["logistic", "ae", "logistic"], [50, 20, 50], [3, 1, 3])
    found = [(cell.spec.seed, cell.spec.method, cell.labels) for cell in cells]
    assert found == [(seed, name, n) for seed in (3, 1) for name in ("logistic", "ae") for n in (20, 50)]
    assert cells[0].key == hashlib.sha256(f"{cells[0].spec.key} 20".encode()).hexdigest()[:16]
    cells = [Cell(replace(cells[0].spec, version=2), 20), *list_cells("digits", IMAGE_APPROACHES, [20, 50], [3, 1])]
    for params in ({}, {"vocabulary_size": 500}):
        cells += list_cells("docstrings", DOCUMENT_APPROACHES, [20, 50], [0, 1], params)
    assert len({cell.key for cell in cells}) == len(cells)


def permute(y, rows):
    permuted = y.copy()
    permuted[rows] = np.random.default_rng(1).permutation(y[rows])
    assert (permuted != y).any()
    return permuted


def test_approaches_see_the_given_labels_and_no_others(digits, documents, tiny, monkeypatch):
    for dataset, names in ((digits, IMAGE_APPROACHES), (documents, DOCUMENT_APPROACHES)):
        for name in names:
            with monkeypatch.context() as patch:
                assert_sees_given_labels(dataset, name, patch)


def assert_sees_given_labels(dataset, name, patch):
    cell = make_cell(dataset, name)
    first = compute(cell, dataset)
    # Test labels change nothing but the score.
    other = replace(dataset, y_test=permute(dataset.y_test, np.arange(len(dataset.y_test))))
    second = compute(cell, other)
    assert drop(first, SCORED | PASSING) == drop(second, SCORED | PASSING), name
    predicted = []
    for result, y_test in ((first, dataset.y_test), (second, other.y_test)):
        rows, wrong = read_misclassified(result)
        predicted.append(y_test.copy())
        predicted[-1][rows] = wrong
    assert np.array_equal(*predicted), name
    assert len(np.unique(predicted[0])) > 1, name
    assert first["error"] != second["error"], name
    # Which rows are labelled depends on all labels, so that classes are balanced; here the rows stay the same.
    rows = select_labelled_rows(dataset.y_train, cell.labels, cell.spec.seed)
    patch.setattr(experiment, "select_labelled_rows", lambda *_: rows)
    hidden = np.setdiff1d(np.arange(len(dataset.y_train)), rows)
    result = compute(cell, replace(dataset, y_train=permute(dataset.y_train, hidden)))
    assert drop(result, PASSING) == drop(first, PASSING), name
    # The given labels do change the result, else all this would show nothing.
    result = compute(cell, replace(dataset, y_train=permute(dataset.y_train, rows)))
    assert result["wrong"] != first["wrong"], name


def test_pretraining_uses_a_complete_stored_run_of_the_same_data(digits, tiny, monkeypatch):
    fits, genuine = [], Autoencoder.fit
    monkeypatch.setattr(Autoencoder, "fit", lambda *given, **options: fits.append(1) or genuine(*given, **options))
    for seed, change, n_more in ((0, {}, 0), (1, {"data_checksum": "another"}, 1), (2, {"stopped_early": True}, 1)):
        spec = make_cell(digits, "ae", seed=seed).pretraining
        run, arrays = fit.fit(spec, digits)
        store.write_run(replace(run, environment={**run.environment, **change}), arrays)
        before = len(fits)
        estimator, seconds = pretrain(spec, digits)
        assert len(fits) == before + n_more
        assert (seconds == run.metrics["seconds"].value) == (not change)
        for name, array in run.estimator.arrays().items():
            assert np.array_equal(estimator.arrays()[name], array), name


def test_scores_and_map_are_those_of_scikit_learn(digits):
    cell = make_cell(digits, "logistic", labels=50, seed=2)
    result = measure_cell(cell, digits)
    X, X_test = digits.X_train / np.float32(255), digits.X_test / np.float32(255)
    rows, C = select_labelled_rows(digits.y_train, 50, 2), settings.get_settings("logistic", "digits")["C"]
    expected = LogisticRegression(C=C, max_iter=2000).fit(X[np.sort(rows)], digits.y_train[np.sort(rows)])
    predicted = expected.predict(X_test)
    assert result["error"] == (predicted != digits.y_test).mean()
    assert result["confusion"] == confusion_matrix(digits.y_test, predicted).tolist()
    wrong, classes = read_misclassified(result)
    assert np.array_equal(wrong, np.flatnonzero(predicted != digits.y_test))
    assert np.array_equal(classes, predicted[wrong])
    (at_test, y_shown, is_right, at_labelled, y_labelled) = read_map(result)
    shown = np.round(np.linspace(0, 499, 300)).astype(int)
    pca = PCA(2).fit(X_test[shown])
    for points, known in ((at_test, X_test[shown]), (at_labelled, X[rows])):
        assert ((points >= 0) & (points <= 1)).all()
        for k, component in enumerate(pca.transform(known).T):
            inside = (points[:, k] > 0) & (points[:, k] < 1)
            assert abs(np.corrcoef(points[inside, k], component[inside])[0, 1]) > 0.999
    assert np.array_equal(y_shown, digits.y_test[shown])
    assert np.array_equal(y_labelled, digits.y_train[rows])
    assert np.array_equal(shown[~is_right], np.intersect1d(wrong, shown))


def test_result_describes_its_cell_and_is_repeatable(digits, tiny):
    cell = make_cell(digits, "fine_tuned", labels=30, seed=4)
    result = compute(cell, digits)
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert (result["key"], Spec.from_json(result)) == (cell.key, cell.spec)
    told = [result[name] for name in ("labels", "classes_known", "n_test", "pretraining", "data_checksum")]
    assert told == [30, 10, 500, settings.get_pretraining("digits", "ae"), digits.checksum]
    assert drop(compute(cell, digits), PASSING) == drop(result, PASSING)


def test_every_approach_works_with_fewer_labels_than_classes(digits, tiny):
    for name in IMAGE_APPROACHES:
        result = compute(make_cell(digits, name, labels=2), digits)
        known = np.unique(digits.y_train[select_labelled_rows(digits.y_train, 2, 0)])
        confusion = np.array(result["confusion"])
        assert (result["classes_known"], confusion.sum()) == (2, 500)
        assert set(np.flatnonzero(confusion.sum(0))) <= set(known)
    with pytest.raises(BadInput, match=r"^1 label is of a single class, and a classifier needs two"):
        measure_cell(make_cell(digits, "logistic", labels=1), digits)


def test_rows_without_a_class_are_neither_labelled_nor_scored(digits):
    few = replace(digits, y_train=np.where(np.arange(1297) < 30, digits.y_train, -1))
    y_test = np.where(np.arange(500) < 100, -1, digits.y_test)
    result = measure_cell(make_cell(digits, "logistic", labels=30), replace(few, y_test=y_test))
    rows, _ = read_misclassified(result)
    assert (result["labels"], result["n_test"], result["error"]) == (30, 400, len(rows) / 400)
    assert np.array(result["confusion"]).sum(1).tolist() == np.bincount(y_test[100:], minlength=10).tolist()
    assert np.array_equal(read_map(result)[1], y_test[select_mapped_rows(500)])
