"""What every data set keeps to; embedded ones always, fetched ones where the reference data is."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from core import datasets
from core.datasets import embedded_samples, sources, subsets
from core.errors import BadInput
from core.types import DOCUMENTS, IMAGES

EMBEDDED = [name for name in datasets.names() if datasets.entry(name).embedded]


@pytest.fixture(params=datasets.names())
def name(request, reference):
    if request.param not in EMBEDDED:
        reference(request.param)
    return request.param


@pytest.mark.timeout(240)
def test_data_set_is_what_its_entry_says(name, loaded):
    entry, dataset = datasets.entry(name), loaded(name)
    assert (dataset.name, dataset.kind, dataset.image_shape) == (name, entry.kind, entry.image_shape)
    assert (dataset.X_train.shape[0], dataset.X_test.shape[0]) == entry.rows
    assert (dataset.notes, dataset.has_labels) == ((), entry.has_labels)
    assert all((dataset.licence, dataset.citation, datasets.is_available(name)))
    for X, y in ((dataset.X_train, dataset.y_train), (dataset.X_test, dataset.y_test)):
        assert (X.shape, y.dtype) == ((len(y), dataset.n_features), np.int64)
        assert set(np.unique(y)) == (set(range(len(dataset.target_names))) if entry.has_labels else {-1})
        if dataset.kind == IMAGES:
            assert (X.dtype, X.shape[1], X.flags.c_contiguous) == (np.uint8, np.prod(dataset.image_shape), True)
        else:
            assert (X.format, X.dtype, X.shape[1]) == ("csr", np.int32, 2000)
            assert X.data.min() > 0
    rows = embedded_samples.sample_rows(dataset)
    assert len(rows) == min(2000, len(dataset.y_test))
    assert set(dataset.y_test[rows]) == set(dataset.y_test)


@pytest.mark.timeout(240)
def test_embedded_sets_need_no_fetch_share_no_row_and_load_the_same_twice(loaded, folder):
    for name in EMBEDDED:
        datasets.fetch(name)
        dataset = loaded(name)
        assert datasets.load(name).checksum == dataset.checksum
        train, test = dataset.texts_train, dataset.texts_test
        if dataset.kind == IMAGES:
            train, test = ([row.tobytes() for row in X] for X in (dataset.X_train, dataset.X_test))
        assert set(train).isdisjoint(test)
    assert not folder.exists()
    assert set(sources.REMOTE) == set(datasets.names()) - set(EMBEDDED)
    assert {remote.instead for remote in sources.REMOTE.values()} <= set(EMBEDDED)


def test_digits_are_scikit_learns(loaded):
    digits = loaded("digits")
    levels = np.rint(np.vstack([digits.X_train, digits.X_test]) * (16 / 255))
    assert np.array_equal(np.unique(levels, axis=0), np.unique(load_digits().data, axis=0))
    assert np.ptp(np.bincount(digits.y_test)) <= 4


def test_unknown_names_and_parameters_are_refused():
    assert datasets.names(DOCUMENTS) == ("docstrings", "newsgroups", "reuters-r8")
    for name, what in (
        ("mnits", "no data set 'mnits': choose one of digits, mnist-sample"),
        ("fashion-sample", "it has none"),
    ):
        with pytest.raises(BadInput, match=what):
            datasets.load(name, words=4)


def test_stratified_rows_keep_the_shares():
    y = np.repeat([0, 1, 2, -1], [700, 200, 90, 10])
    order = subsets.order_by_share(y, seed=0)
    for n in (10, 100, 333, 1000):
        for rows in (order[:n], subsets.choose_stratified(y, n, 3)):
            counts = np.array([(y[rows] == label).sum() for label in (0, 1, 2, -1)])
            assert np.abs(counts - np.array([0.7, 0.2, 0.09, 0.01]) * n).max() <= 1


def test_rows_by_content_are_the_same_in_any_order_of_the_rows():
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (300, 6), np.uint8), np.repeat([0, 1, -1], [200, 60, 40])
    X[5], y[5] = X[6], y[6]
    order = rng.permutation(300)
    for n in (1, 29, 150):
        chosen = subsets.choose_by_content(X, y, n)
        assert np.array_equal(X[chosen], X[order][subsets.choose_by_content(X[order], y[order], n)])
        counts = np.array([(y[chosen] == c).sum() for c in (0, 1, -1)])
        assert np.abs(counts - n * np.array([2, 0.6, 0.4]) / 3).max() < 1


def test_first_rows_begin_with_the_sample_rows_and_are_nested(loaded):
    digits, sample = loaded("digits"), loaded("mnist-sample")
    assert np.array_equal(embedded_samples.first_rows(digits, "test", 10_000), np.arange(500))
    assert np.array_equal(embedded_samples.first_rows(sample, "test", 2000), embedded_samples.sample_rows(sample))
    few, more = (embedded_samples.first_rows(digits, "train", n) for n in (100, 300))
    assert np.isin(few, more).all()
