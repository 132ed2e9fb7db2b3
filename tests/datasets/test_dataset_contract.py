"""What every data set keeps to; embedded ones always, fetched ones where the reference data is."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from core import datasets
from core.datasets import download, splits
from core.types import DOCUMENTS, IMAGES, BadInput

EMBEDDED = [name for name in datasets.names() if datasets.entry(name).embedded]


@pytest.fixture(params=datasets.names())
def name(request, reference):
    if request.param not in EMBEDDED:
        reference(request.param)
    return request.param


@pytest.mark.timeout(240)
def test_a_data_set_is_what_its_entry_says(name, loaded):
    entry, loaded = datasets.entry(name), loaded(name)
    assert (loaded.name, loaded.kind, loaded.image_shape) == (name, entry.kind, entry.image_shape)
    assert (loaded.X_train.shape[0], loaded.X_test.shape[0]) == entry.rows
    assert loaded.notes == ()
    assert loaded.has_labels == entry.has_labels
    assert loaded.licence
    assert loaded.citation
    assert entry.label
    assert entry.summary.endswith(".")
    assert datasets.available(name)
    for X, y in ((loaded.X_train, loaded.y_train), (loaded.X_test, loaded.y_test)):
        assert X.shape == (len(y), loaded.n_features)
        assert y.dtype == np.int64
        labels = set(np.unique(y).tolist())
        assert labels == (set(range(len(loaded.target_names))) if entry.has_labels else {-1})
        check_rows(loaded, X)
    check_sample_rows(loaded)


def check_rows(loaded, X):
    if loaded.kind == IMAGES:
        assert X.dtype == np.uint8
        assert X.flags.c_contiguous
        assert loaded.n_features == np.prod(loaded.image_shape)
        assert X.max() > 200
    else:
        assert X.format == "csr"
        assert X.dtype == np.int32
        assert X.data.min() > 0
        assert len(loaded.vocabulary) == loaded.n_features == 2000
        assert len(loaded.titles_train) == len(loaded.texts_train) == len(loaded.y_train)
        assert len(loaded.titles_test) == len(loaded.texts_test) == len(loaded.y_test)


def check_sample_rows(loaded):
    rows = datasets.sample_rows(loaded)
    assert len(rows) == min(2000, len(loaded.y_test))
    assert rows.dtype == np.int64
    assert (np.diff(rows) > 0).all()
    assert rows[0] >= 0
    assert rows[-1] < len(loaded.y_test)
    assert np.array_equal(rows, datasets.sample_rows(loaded))
    assert set(loaded.y_test[rows]) == set(loaded.y_test)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", EMBEDDED)
def test_train_and_test_share_no_row(name, loaded):
    loaded = loaded(name)
    if loaded.kind == DOCUMENTS:
        train, test = loaded.texts_train, loaded.texts_test
    else:
        train, test = ([row.tobytes() for row in X] for X in (loaded.X_train, loaded.X_test))
    assert set(train).isdisjoint(test)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", EMBEDDED)
def test_loading_twice_gives_the_same(name, loaded):
    assert datasets.load(name).checksum == loaded(name).checksum


def test_digits_are_scikit_learns():
    from sklearn.datasets import load_digits

    digits = datasets.load("digits")
    X = np.vstack([digits.X_train, digits.X_test])
    levels = np.rint(X * (16 / 255)).astype(int)
    assert {tuple(row) for row in levels} == {tuple(row) for row in load_digits().data.astype(int)}
    assert X.max() == 255
    assert np.ptp(np.bincount(digits.y_test)) <= 4


@pytest.mark.timeout(240)
def test_sample_rows_of_a_small_test_split_are_all_of_it():
    assert np.array_equal(datasets.sample_rows(datasets.load("digits")), np.arange(500))


@pytest.mark.timeout(240)
def test_five_words_are_enough():
    assert datasets.load("docstrings", vocabulary_size=5).X_train.shape[1] == 5


def test_names_by_kind():
    assert set(datasets.names(IMAGES)) | set(datasets.names(DOCUMENTS)) == set(datasets.names())
    assert "docstrings" in datasets.names(DOCUMENTS)
    assert "docstrings" not in datasets.names(IMAGES)


def test_an_unknown_name_lists_the_known():
    for ask in (datasets.load, datasets.entry, datasets.available, datasets.fetch):
        with pytest.raises(BadInput, match="no data set 'mnits': choose one of digits, mnist-sample"):
            ask("mnits")


@pytest.mark.parametrize(
    ("name", "params", "what"),
    [
        ("docstrings", {"vocabulary_size": 4}, "from 5 to 20000"),
        ("docstrings", {"words": 4}, "it has vocabulary_size"),
        ("digits", {"vocabulary_size": 2000}, "it has none"),
    ],
)
def test_params_are_checked(name, params, what):
    with pytest.raises(BadInput, match=what):
        datasets.load(name, **params)


def test_what_is_embedded_needs_no_fetch(folder):
    for name in EMBEDDED:
        datasets.fetch(name)
        assert datasets.available(name)
    assert not folder.exists()


def test_what_is_fetched_has_a_source():
    assert set(download.REMOTE) == set(datasets.names()) - set(EMBEDDED)
    for remote in download.REMOTE.values():
        assert remote.instead in EMBEDDED


def test_the_registry_is_light():
    code = "import sys, core.datasets; print([m for m in ('sklearn', 'scipy', 'torch', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_stratified_rows_keep_the_shares():
    y = np.repeat([0, 1, 2], [700, 200, 100])
    rows = splits.stratified(y, 50, 3)
    assert np.bincount(y[rows]).tolist() == [35, 10, 5]
    assert np.array_equal(rows, splits.stratified(y, 50, 3))
    assert not np.array_equal(rows, splits.stratified(y, 50, 4))
    assert np.array_equal(splits.stratified(y, 5000, 3), np.arange(1000))
    assert len(splits.stratified(np.arange(7) % 3, 5, 0)) == 5


def test_rows_in_turn_hold_each_class_in_its_share_however_many_are_taken():
    y = np.repeat([0, 1, 2, -1], [700, 200, 90, 10])
    order = splits.in_turn(y, seed=0)
    assert np.array_equal(np.sort(order), np.arange(1000))
    for n in (10, 100, 333, 1000):
        counts = np.array([(y[order[:n]] == label).sum() for label in (0, 1, 2, -1)])
        assert np.abs(counts - np.array([0.7, 0.2, 0.09, 0.01]) * n).max() <= 1


def test_first_rows_begin_with_those_that_every_map_shows_and_are_nested():
    digits = datasets.load("digits")
    sample = datasets.load("mnist-sample")
    assert np.array_equal(datasets.first_rows(digits, "test", 10_000), np.arange(500))
    assert np.array_equal(datasets.first_rows(sample, "test", 2000), datasets.sample_rows(sample))
    few, more = datasets.first_rows(digits, "train", 100), datasets.first_rows(digits, "train", 300)
    assert (np.diff(more) > 0).all()
    assert np.isin(few, more).all()


def test_first_rows_of_mnist_are_the_shipped_sample(full_data):
    mnist = datasets.load("mnist")
    shipped = datasets.sample_rows(mnist)
    assert np.array_equal(datasets.first_rows(mnist, "test", 2000), shipped)
    assert np.isin(shipped, datasets.first_rows(mnist, "test", 5000)).all()
    shares = np.bincount(mnist.y_test[datasets.first_rows(mnist, "test", 5000)]) / 5000
    assert shares == pytest.approx(np.bincount(mnist.y_test) / 10_000, abs=0.002)
