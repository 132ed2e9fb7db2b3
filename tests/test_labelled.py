"""Cells of the labelled fraction: which rows are labelled, what is learned of them, and that no other label is seen."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse, stats
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix

from core import approaches, cache, datasets, experiments, labelled, store
from core.approaches import settings
from core.labelled import Cell, Stopped, cells, labelled_rows, mapped, mapped_rows, measure, pretrain, wrong_rows
from core.methods.ae import Autoencoder
from core.types import DOCUMENTS, BadInput, Dataset, Spec

# Settings of a moment, in place of each approach's own.
TINY = {
    # Codes of networks trained so little lie close together.
    **{name: {"C": 1.0, "scaling": "standard"} for name in ("ae", "vae")},
    "network": {"width": 32, "layers": 1, "steps": 10},
    "fine_tuned": {"width": 32, "layers": 1, "steps": 10},
    "m2": {"n_components": 3, "width": 16, "epochs": 1, "batch_size": 200},
    "m1_m2": {"n_components": 3, "width": 16, "epochs": 3, "batch_size": 50},
    "sgan": {"n_components": 5, "width": 32, "epochs": 1, "batch_size": 500},
}
TINY_PRETRAINING = {
    "pca": {"n_components": 5},
    "lsa": {"n_components": 5},
    "ae": {"n_components": 5, "width": 32, "layers": 1, "epochs": 1},
    "vae": {"n_components": 5, "width": 32, "layers": 1, "epochs": 3, "batch_size": 100},
    "gan": {"network": "mlp", "width": 32, "epochs": 1},
}
# What of a row depends on the labels it is scored by, and what on the time and on the copy of the data.
SCORED = {"error", "confusion", "wrong", "map_classes"}
PASSING = {"seconds", "pretraining_seconds", "date", "data_checksum"}


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """Where pre-training is kept: nothing is there from another test."""
    monkeypatch.setattr(cache, "folder", lambda: tmp_path / "computed")
    return tmp_path / "computed"


@pytest.fixture
def tiny(monkeypatch):
    genuine = settings.of
    monkeypatch.setattr(settings, "of", lambda name, dataset: TINY.get(name) or genuine(name, dataset))
    monkeypatch.setattr(settings, "pretraining", lambda dataset, method: dict(TINY_PRETRAINING[method]))


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def documents():
    """Word counts of 240 documents on three subjects."""
    random = np.random.default_rng(0)
    y = np.arange(240) % 3
    rates = np.full((3, 30), 0.3)
    rates[np.arange(30) % 3, np.arange(30)] = 1.2
    X = sparse.csr_array(random.poisson(rates[y]).astype(np.int32))
    names = ("one", "two", "three")
    return Dataset("docstrings", DOCUMENTS, X[:160], y[:160], X[160:], y[160:], names, "none", "none")


def of(dataset, name, labels=40, seed=0):
    """The one cell of an approach."""
    (cell,) = cells(dataset.name, [name], [labels], [seed])
    return cell


def computed(cell, dataset):
    return measure(cell, dataset, pretrain(cell.pretraining, dataset) if cell.pretraining else None)


def without(row, names):
    return {name: value for name, value in row.items() if name not in names}


def answers_of(row, y_test):
    """What the classifier named each test row."""
    answers = np.array(y_test)
    rows, named = wrong_rows(row)
    answers[rows] = named
    return answers


class Named:
    """A classifier that has its answers and its codes from the test."""

    def __init__(self, answers=None, codes=None):
        self.answers, self._codes = answers, codes

    def fit(self, X, y):
        self.X, self.y, self.classes_ = X, y, np.unique(y[y >= 0])
        return self

    def predict_proba(self, X):
        answers = np.zeros(X.shape[0], int) if self.answers is None else np.searchsorted(self.classes_, self.answers)
        return np.eye(len(self.classes_))[answers]

    def codes(self, X):
        return X if self._codes is None else self._codes(X)


def named(monkeypatch, **given):
    classifier = Named(**given)
    monkeypatch.setattr(approaches, "build", lambda *_: classifier)
    return classifier


# --- Which rows are labelled --------------------------------------------------------------------------------------

UNEQUAL = np.repeat([-1, 0, 1, 2], [4, 2, 5, 11])


@pytest.mark.parametrize("seed", range(3))
def test_of_each_class_there_are_as_many_as_of_any_other_while_there_are_rows(seed):
    order = labelled_rows(UNEQUAL, 18, seed)
    assert sorted(order) == list(range(4, 22))
    for n in range(1, 19):
        rows = labelled_rows(UNEQUAL, n, seed)
        assert np.array_equal(rows, order[:n])
        counts, sizes = (np.bincount(UNEQUAL[each], minlength=3) for each in (rows, UNEQUAL >= 0))
        most = counts.max()
        assert all(count >= min(most - 1, size) for count, size in zip(counts, sizes, strict=True)), (n, counts)


@pytest.mark.parametrize("n", [1, 9, 20, 25, 1297])
def test_digits_are_labelled_ten_at_a_time(digits, n):
    counts = np.bincount(digits.y_train[labelled_rows(digits.y_train, n, 0)], minlength=10)
    assert counts.sum() == n
    assert n == 1297 or counts.max() - counts.min() <= 1


def test_chance_chooses_the_rows_and_the_classes():
    drawn = np.array([labelled_rows(UNEQUAL, 4, seed) for seed in range(900)])
    first = np.bincount(UNEQUAL[drawn[:, 0]], minlength=3)
    assert stats.chisquare(first).pvalue > 0.001
    rows = np.bincount(drawn[:, :3].ravel(), minlength=22)
    assert rows[:4].sum() == 0
    for label in range(3):
        assert stats.chisquare(rows[label == UNEQUAL]).pvalue > 0.001


@pytest.mark.parametrize("n", [0, -1, 19])
def test_labels_that_there_are_not_are_refused_in_words(n):
    with pytest.raises(BadInput, match=rf"labels={n} is not allowed: 18 training rows have a class, so give 1 to 18\."):
        labelled_rows(UNEQUAL, n, 0)


def test_without_any_class_there_is_nothing_to_learn_from():
    with pytest.raises(BadInput, match="No training row has a class"):
        labelled_rows(np.full(5, -1), 1, 0)


def test_every_approach_is_given_the_same_labels_at_a_seed(digits, tiny, monkeypatch):
    given = {}
    classifier = named(monkeypatch)
    for cell in cells("digits", approaches.names("images"), [30], [0, 1]):
        measure(cell, digits)
        given.setdefault(cell.spec.seed, []).append(classifier.y)
    rows = {seed: np.flatnonzero(many[0] >= 0) for seed, many in given.items()}
    for seed, many in given.items():
        assert len(many) == len(approaches.names("images"))
        assert all(np.array_equal(y, many[0]) for y in many)
        assert np.array_equal(many[0][rows[seed]], digits.y_train[rows[seed]])
    assert len(rows[0]) == 30
    assert not np.array_equal(rows[0], rows[1])


# --- Cells --------------------------------------------------------------------------------------------------------


def test_every_combination_is_one_cell_and_those_of_a_seed_stand_together():
    found = cells("digits", ["logistic", "ae", "logistic"], [50, 20, 50], [3, 1, 3])
    assert [(cell.spec.seed, cell.spec.method, cell.labels) for cell in found] == [
        (seed, name, n) for seed in (3, 1) for name in ("logistic", "ae") for n in (20, 50)
    ]
    assert cells("digits", [], [20], [0]) == cells("digits", ["ae"], [], [0]) == cells("digits", ["ae"], [20], []) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("digits", ["umap"], [20], [0]), "There is no approach 'umap': choose one of network"),
        (("digits", ["lsa"], [20], [0]), "LSA \\+ logistic does not work on images: choose from network"),
        (("docstrings", ["m2"], [20], [0]), "M2 does not work on documents: choose from logistic"),
        (("frey", ["logistic"], [20], [0]), "Frey faces has no labels"),
        (("cifar", ["logistic"], [20], [0]), "cifar"),
        (("digits", ["logistic"], [0], [0]), "labels=0 is not allowed: Digits 8x8 has 1,297 training rows"),
        (("digits", ["logistic"], [20, 1298], [0]), "labels=1298 is not allowed"),
        (("digits", ["logistic"], [20], [-1]), "seed=-1 is not allowed: it is a whole number from 0 to 999"),
        (("digits", ["logistic"], [20], [0, 1000]), "seed=1000 is not allowed"),
        (("docstrings", ["logistic"], [20], [0], {"vocabulary_size": 1}), "vocabulary_size=1 is not allowed"),
        (("digits", ["logistic"], [20], [0], {"colour": "red"}), "colour is no parameter of digits"),
    ],
)
def test_cells_that_can_not_be_are_refused_in_words(given, message):
    with pytest.raises(BadInput, match=message):
        cells(*given)


def test_what_is_pretrained_depends_on_the_seed_and_on_no_label():
    found = cells("digits", ["ae", "fine_tuned", "vae", "logistic"], [20, 100, 1297], [0, 1])
    of_method = {}
    for cell in found:
        of_method.setdefault((cell.spec.method, cell.spec.seed), set()).add(cell.pretraining)
        assert cell.spec.param("pretrained") == (cell.pretraining.key if cell.pretraining else None)
    assert all(len(specs) == 1 for specs in of_method.values())
    assert of_method["ae", 0] == of_method["fine_tuned", 0] != of_method["ae", 1]
    assert of_method["logistic", 0] == {None}
    (spec,) = of_method["ae", 1]
    assert (spec.method, spec.seed) == ("ae", 1)
    assert settings.pretraining("digits", "ae").items() <= dict(spec.params).items()


def test_a_cells_key_stays_as_it_is_and_changes_with_what_the_cell_is():
    spec = Spec.of("digits", "logistic", {"C": 0.1, "scaling": "none"}, 0, {}, 1)
    text = '{"dataset":"digits","dataset_params":{},"method":"logistic",'
    text += '"params":{"C":0.1,"scaling":"none"},"seed":0,"version":1}'
    of_spec = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert Cell(spec, 20).key == hashlib.sha256(f"{of_spec} 20".encode()).hexdigest()[:16]
    others = [
        Cell(spec, 20),
        Cell(spec, 21),
        Cell(replace(spec, seed=1), 20),
        Cell(replace(spec, version=2), 20),
        Cell(replace(spec, params=(("C", 0.2), ("scaling", "none"))), 20),
        Cell(replace(spec, params=(*spec.params, ("pretrained", "0" * 16))), 20),
        Cell(replace(spec, dataset="mnist"), 20),
        Cell(replace(spec, dataset_params=(("copies", 1),)), 20),
        Cell(replace(spec, method="spreading"), 20),
    ]
    assert len({cell.key for cell in others}) == len(others)


def test_no_two_cells_share_a_key():
    grid = [cell for name in ("digits", "mnist") for cell in cells(name, approaches.names("images"), [20, 50], [0, 1])]
    grid += cells("docstrings", approaches.names("documents"), [20, 50], [0, 1])
    grid += cells("docstrings", approaches.names("documents"), [20, 50], [0, 1], {"vocabulary_size": 500})
    assert len({cell.key for cell in grid}) == len(grid)
    again = cells("digits", approaches.names("images"), [20, 50], [0, 1])
    assert [cell.key for cell in again] == [cell.key for cell in grid[: len(again)]]


def test_a_key_changes_with_the_settings_of_the_pretraining_and_the_version(monkeypatch):
    before = {name: of(datasets.load("digits"), name).key for name in ("ae", "logistic")}
    genuine = settings.pretraining
    monkeypatch.setattr(settings, "pretraining", lambda *given: {**genuine(*given), "epochs": 7})
    after = {name: of(datasets.load("digits"), name).key for name in ("ae", "logistic")}
    assert after["ae"] != before["ae"]
    assert after["logistic"] == before["logistic"]
    newer = replace(approaches.get("logistic"), version=approaches.get("logistic").version + 1)
    monkeypatch.setattr(approaches, "get", lambda name: newer)
    assert of(datasets.load("digits"), "logistic").key != before["logistic"]


# --- No label is seen but those that are given --------------------------------------------------------------------


def permuted(y, among=None, seed=1):
    """`y` with the values of some of its rows, or of all, in another order."""
    among = np.arange(len(y)) if among is None else among
    found = y.copy()
    found[among] = np.random.default_rng(seed).permutation(y[among])
    assert (found != y).any()
    return found


@pytest.fixture(
    params=[("digits", name) for name in approaches.names("images")]
    + [("documents", name) for name in approaches.names("documents")],
    ids="-".join,
)
def case(request, tiny):
    """An approach's cell and the data it is of."""
    kind, name = request.param
    dataset = request.getfixturevalue(kind)
    return of(dataset, name), dataset


def test_test_labels_change_nothing_but_the_score(case):
    cell, dataset = case
    other = replace(dataset, y_test=permuted(dataset.y_test))
    first, second = computed(cell, dataset), computed(cell, other)
    assert without(first, SCORED | PASSING) == without(second, SCORED | PASSING)
    assert first["map"] == second["map"]
    answers = answers_of(first, dataset.y_test)
    assert np.array_equal(answers, answers_of(second, other.y_test))
    assert len(np.unique(answers)) > 1
    for row, y_test in ((first, dataset.y_test), (second, other.y_test)):
        assert row["error"] == (answers != y_test).mean()
        assert row["confusion"] == confusion_matrix(y_test, answers, labels=range(len(dataset.target_names))).tolist()
    assert first["error"] != second["error"]


def test_labels_of_training_rows_that_are_not_given_change_nothing(case, monkeypatch):
    cell, dataset = case
    rows = labelled_rows(dataset.y_train, cell.labels, cell.spec.seed)
    # Which rows are labelled is settled by all labels, so that each class has as many; here it stays as it is.
    monkeypatch.setattr(labelled, "labelled_rows", lambda *_: rows)
    others = np.setdiff1d(np.arange(len(dataset.y_train)), rows)
    other = replace(dataset, y_train=permuted(dataset.y_train, others))
    first, second = computed(cell, dataset), computed(cell, other)
    assert without(first, PASSING) == without(second, PASSING)


def test_labels_that_are_given_do_change_the_row(case, monkeypatch):
    """Else the two tests above would show nothing."""
    cell, dataset = case
    rows = labelled_rows(dataset.y_train, cell.labels, cell.spec.seed)
    monkeypatch.setattr(labelled, "labelled_rows", lambda *_: rows)
    other = replace(dataset, y_train=permuted(dataset.y_train, rows))
    first, second = computed(cell, dataset), computed(cell, other)
    assert first["wrong"] != second["wrong"]


# --- Pre-training -------------------------------------------------------------------------------------------------


def fits_counted(monkeypatch):
    counted, genuine = [], Autoencoder.fit

    def fit(self, X, y=None, **watched):
        counted.append(y)
        return genuine(self, X, y, **watched)

    monkeypatch.setattr(Autoencoder, "fit", fit)
    return counted


def weights(estimator):
    return estimator.arrays()


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert np.array_equal(array, second[name]), name


@pytest.mark.parametrize("name", ["pca", "ae", "vae", "gan"])
def test_pretraining_sees_no_label(digits, tiny, name):
    from core import methods

    spec = of(digits, name).pretraining
    of_labels = replace(digits, y_train=permuted(digits.y_train))
    arrays = [methods.get(name).arrays(pretrain(spec, dataset)[0]) for dataset in (digits, of_labels)]
    assert_same(*arrays)


def test_pretraining_is_kept(digits, tiny, monkeypatch):
    counted = fits_counted(monkeypatch)
    spec = of(digits, "ae").pretraining
    (first, spent), (second, again) = pretrain(spec, digits), pretrain(spec, digits)
    assert counted == [None]
    assert spent == again > 0
    assert_same(weights(first), weights(second))
    assert np.array_equal(first.transform(digits.floats("test")), second.transform(digits.floats("test")))
    pretrain(of(digits, "ae", seed=1).pretraining, digits)
    assert len(counted) == 2
    # Another copy of the data has other rows.
    pretrain(spec, replace(digits, X_train=digits.X_train[::-1]))
    assert len(counted) == 3


def test_a_stored_run_of_the_same_spec_serves(digits, tiny, monkeypatch, kept):
    spec = of(digits, "ae").pretraining
    run, arrays = experiments.fit(spec, digits)
    store.write(run, arrays)
    counted = fits_counted(monkeypatch)
    found, spent = pretrain(spec, digits)
    assert counted == []
    assert spent == run.metrics["seconds"]
    assert_same(weights(found), weights(run.estimator))
    store.delete(run.key)
    assert_same(weights(pretrain(spec, digits)[0]), weights(found))
    assert len(counted) == 1


def test_a_stored_run_of_another_copy_of_the_data_does_not_serve(digits, tiny, monkeypatch):
    spec = of(digits, "ae").pretraining
    run, arrays = experiments.fit(spec, digits)
    store.write(replace(run, environment={**run.environment, "data_checksum": "another"}), arrays)
    counted = fits_counted(monkeypatch)
    pretrain(spec, digits)
    assert len(counted) == 1


def test_a_stored_run_that_was_stopped_early_does_not_serve(digits, tiny, monkeypatch):
    """Of the same Spec, it is not what the Spec says: fewer epochs than every other seed's."""
    spec = of(digits, "ae").pretraining
    run, arrays = experiments.fit(spec, digits)
    store.write(replace(run, environment={**run.environment, "stopped_early": True}), arrays)
    counted = fits_counted(monkeypatch)
    pretrain(spec, digits)
    assert len(counted) == 1


def test_classifiers_leave_what_they_start_from_as_it_is(digits, tiny):
    from core import methods

    found = {}
    for cell in cells(
        "digits", [name for name in approaches.names("images") if approaches.get(name).pretrained], [40], [0]
    ):
        method = cell.pretraining.method
        if method not in found:
            given = pretrain(cell.pretraining, digits)
            found[method] = given, {k: a.copy() for k, a in methods.get(method).arrays(given[0]).items()}
        given, before = found[method]
        measure(cell, digits, given)
        assert_same(methods.get(method).arrays(given[0]), before)


@pytest.mark.parametrize("name", ["network", "fine_tuned", "m2", "m1_m2", "sgan"])
def test_a_classifier_is_stopped_by_its_tick(digits, tiny, name):
    cell, rows = of(digits, name), []
    before = pretrain(cell.pretraining, digits) if cell.pretraining else None
    with pytest.raises(Stopped):
        measure(cell, digits, before, lambda row: rows.append(row) or True)
    assert [row["share"] for row in rows] == [0]


def test_pretraining_is_stopped_by_its_tick_and_nothing_is_kept(digits, tiny, kept, monkeypatch):
    spec = of(digits, "ae").pretraining
    with pytest.raises(Stopped):
        pretrain(spec, digits, lambda row: True)
    assert not kept.exists() or not list(kept.iterdir())
    counted = fits_counted(monkeypatch)
    pretrain(spec, digits, lambda row: False)
    assert len(counted) == 1


# --- What is measured ---------------------------------------------------------------------------------------------


def test_figures_are_those_of_scikit_learns_classifier(digits):
    cell = of(digits, "logistic", labels=50, seed=2)
    row = measure(cell, digits)
    X, X_test = digits.X_train / np.float32(255), digits.X_test / np.float32(255)
    rows = labelled_rows(digits.y_train, 50, 2)
    params = settings.of("logistic", "digits")
    assert params["scaling"] == "none"
    known = LogisticRegression(C=params["C"], max_iter=2000).fit(X[np.sort(rows)], digits.y_train[np.sort(rows)])
    answers = known.predict(X_test)
    assert row["error"] == (answers != digits.y_test).mean()
    assert 0.05 < row["error"] < 0.5
    assert row["n_test"] == 500
    assert row["confusion"] == confusion_matrix(digits.y_test, answers).tolist()
    wrong, names = wrong_rows(row)
    assert np.array_equal(wrong, np.flatnonzero(answers != digits.y_test))
    assert np.array_equal(names, answers[wrong])


def test_the_map_is_of_the_first_two_principal_components_of_the_test_rows(digits):
    row = measure(of(digits, "logistic", labels=50), digits)
    found, rows = mapped(row), labelled_rows(digits.y_train, 50, 0)
    shown = np.round(np.linspace(0, 499, 300)).astype(int)
    assert np.array_equal(found.rows, shown)
    pca = PCA(2).fit(digits.X_test[shown] / 255)
    for at, X in ((found.at_test, digits.X_test[shown]), (found.at_labelled, digits.X_train[rows])):
        assert ((at >= 0) & (at <= 1)).all()
        for k, known in enumerate(pca.transform(X / 255).T):
            inside = (at[:, k] > 0) & (at[:, k] < 1)
            assert inside.mean() > 0.9
            assert abs(np.corrcoef(at[inside, k], known[inside])[0, 1]) > 0.999
    assert np.array_equal(found.y_test, digits.y_test[shown])
    assert np.array_equal(found.y_labelled, digits.y_train[rows])
    assert np.array_equal(shown[~found.right], np.intersect1d(wrong_rows(row)[0], shown))


def test_a_row_says_what_it_is_and_survives_json(digits, tiny):
    cell = of(digits, "fine_tuned", labels=30, seed=4)
    row = computed(cell, digits)
    assert json.loads(json.dumps(row, allow_nan=False)) == row
    assert row["key"] == cell.key
    assert Spec.from_json(row) == cell.spec
    assert (row["labels"], row["classes_known"]) == (30, 10)
    assert row["pretraining"] == settings.pretraining("digits", "ae")
    assert row["data_checksum"] == digits.checksum
    assert row["seconds"] > 0
    assert row["pretraining_seconds"] > 0
    assert measure(of(digits, "logistic"), digits)["pretraining"] == {}


def test_a_classifier_is_the_same_at_a_seed_and_another_at_another(digits, tiny):
    first, second = (computed(of(digits, "network", seed=seed), digits) for seed in (0, 0))
    assert without(first, PASSING) == without(second, PASSING)
    assert computed(of(digits, "network", seed=1), digits)["wrong"] != first["wrong"]


def test_classes_without_a_label_are_never_named_and_count_as_wrong(digits):
    row = measure(of(digits, "logistic", labels=3, seed=5), digits)
    known = np.unique(digits.y_train[labelled_rows(digits.y_train, 3, 5)])
    assert len(known) == row["classes_known"] == 3
    named = np.array(row["confusion"]).sum(0)
    assert set(np.flatnonzero(named)) <= set(known)
    assert named.sum() == row["n_test"] == 500
    assert row["error"] >= np.isin(digits.y_test, known, invert=True).mean()
    assert np.isin(wrong_rows(row)[1], known).all()


@pytest.mark.parametrize("name", approaches.names("images"))
def test_every_approach_works_with_fewer_labels_than_classes(digits, tiny, name):
    row = computed(of(digits, name, labels=2), digits)
    assert row["classes_known"] == 2
    assert set(np.flatnonzero(np.array(row["confusion"]).sum(0))) <= set(
        digits.y_train[labelled_rows(digits.y_train, 2, 0)]
    )


@pytest.mark.parametrize("name", ["network", "logistic", "spreading"])
def test_labels_of_one_class_are_no_classifier(digits, name):
    with pytest.raises(
        BadInput, match=r"^1 label is of a single class, and a classifier needs two: give more labels\.$"
    ):
        measure(of(digits, name, labels=1), digits)


def test_more_labels_than_rows_that_have_a_class_are_refused(digits):
    few = replace(digits, y_train=np.where(np.arange(1297) < 30, digits.y_train, -1))
    with pytest.raises(BadInput, match="labels=31 is not allowed: 30 training rows have a class"):
        measure(of(digits, "logistic", labels=31), few)
    assert measure(of(digits, "logistic", labels=30), few)["labels"] == 30


def test_test_rows_without_a_class_are_not_scored(digits, monkeypatch):
    y_test = np.where(np.arange(500) < 100, -1, digits.y_test)
    named(monkeypatch, answers=np.full(500, 3))
    row = measure(of(digits, "logistic"), replace(digits, y_test=y_test))
    assert row["n_test"] == 400
    assert row["error"] == (y_test[100:] != 3).mean()
    assert np.array_equal(wrong_rows(row)[0], 100 + np.flatnonzero(y_test[100:] != 3))
    assert np.array(row["confusion"])[:, 3].tolist() == np.bincount(y_test[100:], minlength=10).tolist()
    assert np.array_equal(mapped(row).y_test, y_test[mapped_rows(500)])


def test_codes_of_two_numbers_are_mapped_as_they_are(digits, monkeypatch):
    named(monkeypatch, answers=digits.y_test, codes=lambda X: X[:, [20, 30]] * [1, 5])
    row = measure(of(digits, "logistic", labels=20), digits)
    found, rows = mapped(row), labelled_rows(digits.y_train, 20, 0)
    shown = mapped_rows(500)
    at = np.concatenate([digits.X_test[shown], digits.X_train[rows]])[:, [20, 30]] / 255 * [1, 5]
    low, high = np.percentile(at, [0.5, 99.5], axis=0)
    expected = np.clip((at - low) / (high - low), 0, 1)
    assert np.concatenate([found.at_test, found.at_labelled]) == pytest.approx(expected, abs=0.5 / 255 + 1e-6)
    assert found.right.all()


@pytest.mark.parametrize(("codes", "height"), [(lambda X: X[:, [20]], 0), (lambda X: np.ones((len(X), 1)), 0)])
def test_codes_of_one_number_are_mapped_on_a_line(digits, monkeypatch, codes, height):
    named(monkeypatch, codes=codes)
    found = mapped(measure(of(digits, "logistic", labels=20), digits))
    assert found.at_test.shape == (300, 2)
    assert found.at_labelled.shape == (20, 2)
    assert (found.at_test[:, 1] == height).all()


def test_of_many_labelled_rows_the_first_are_mapped(digits, monkeypatch):
    named(monkeypatch)
    found = mapped(measure(of(digits, "logistic", labels=900), digits))
    assert found.at_labelled.shape == (300, 2)
    assert np.array_equal(found.y_labelled, digits.y_train[labelled_rows(digits.y_train, 300, 0)])


@pytest.mark.parametrize("n", [1, 2, 299, 300, 301, 10_000])
def test_mapped_rows_are_spread_over_all(n):
    rows = mapped_rows(n)
    assert len(rows) == min(n, 300)
    assert (rows[0], rows[-1]) == (0, n - 1)
    assert n < 2 or np.ptp(np.diff(rows)) <= 1
