"""t-SNE: scikit-learn's own map, what is told of it on the way, and how it ends early."""

import re

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.manifold import TSNE
from sklearn.neighbors import KNeighborsClassifier
from threadpoolctl import threadpool_limits

from core import datasets
from core.methods.tsne import TSNEMap
from core.types import DOCUMENTS, BadInput, HourglassError


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Sums in another order make another map."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def X(digits):
    return digits.floats("train")[:300]


@pytest.fixture(scope="module")
def counts():
    return datasets.load("docstrings", vocabulary_size=300).floats("train")[:200]


@pytest.fixture(scope="module")
def fitted(X):
    return TSNEMap(max_iter=325, random_state=0).fit(X)


def test_images_are_mapped_as_scikit_learn_maps_them(fitted, X):
    expected = TSNE(max_iter=325, init="pca", random_state=0).fit(X)
    assert np.array_equal(fitted.embedding_, expected.embedding_)
    assert fitted.kl_divergence_ == expected.kl_divergence_
    assert fitted.embedding_.dtype == np.float32


def test_documents_are_mapped_by_the_cosine_of_their_weights(counts):
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    start = TruncatedSVD(2, random_state=0).fit_transform(weighted)
    start = (start / start[:, 0].std() * 1e-4).astype(np.float32)
    expected = TSNE(perplexity=10, max_iter=300, metric="cosine", init=start, random_state=0).fit_transform(weighted)
    found = TSNEMap(perplexity=10.0, max_iter=300, kind=DOCUMENTS, random_state=0).fit(counts)
    assert found.embedding_ == pytest.approx(expected, rel=1e-3, abs=1e-3)
    assert found.about == "t-SNE of the tf-idf vectors, cosine distance"


def test_the_history_is_what_scikit_learn_prints_but_for_the_exaggerated_part(fitted, X, capsys):
    TSNE(max_iter=325, init="pca", random_state=0, verbose=2).fit(X)
    printed = re.findall(r"Iteration (\d+): error = ([\d.]+)", capsys.readouterr().out)
    assert [row["epoch"] for row in fitted.history_] == [int(n) for n, _ in printed] + [325]
    for row, (_, error) in zip(fitted.history_[:-1], printed, strict=True):
        assert row.get("loss") == (float(error) if row["epoch"] > 250 else None)
    assert fitted.history_[-1]["loss"] == fitted.kl_divergence_
    assert all(row["step"] == row["epoch"] for row in fitted.history_)
    seconds = [row["seconds"] for row in fitted.history_]
    assert seconds == sorted(seconds)
    assert min(row["rows_per_second"] for row in fitted.history_) > 0


def test_the_last_row_of_the_history_is_of_the_map_even_where_scikit_learn_prints_it_too(X):
    fitted = TSNEMap(max_iter=300, random_state=0).fit(X[:100])
    assert [row["epoch"] for row in fitted.history_] == [50, 100, 150, 200, 250, 300]
    assert fitted.history_[-1]["loss"] == fitted.kl_divergence_


def test_it_tells_how_far_it_is_and_prints_nothing_itself(X, capfd):
    ticks, rows = [], []

    def on_epoch(row):
        rows.append(row)
        print(row["epoch"])

    TSNEMap(max_iter=300, random_state=0).fit(X, on_epoch=on_epoch, on_tick=ticks.append)
    # What a callback prints comes out.
    assert capfd.readouterr() == ("50\n100\n150\n200\n250\n300\n", "")
    assert [row["epoch"] for row in rows] == [50, 100, 150, 200, 250, 300]
    assert {"epoch", "step", "seconds", "rows_per_second", "share"} <= set(ticks[0])
    shares = [row["share"] for row in ticks]
    assert shares[0] == 0
    assert shares[-1] == 1
    assert shares == sorted(shares)


@pytest.mark.parametrize("watch", ["on_epoch", "on_tick"])
def test_one_that_is_stopped_has_no_map(X, watch, capfd):
    seen = []

    def stop(row):
        seen.append(row)
        return row["epoch"] >= 100

    estimator = TSNEMap(max_iter=300, random_state=0)
    with pytest.raises(HourglassError, match="no map before its last iteration"):
        estimator.fit(X, **{watch: stop})
    assert seen[-1]["epoch"] == 100
    assert not hasattr(estimator, "embedding_")
    print("still here")
    assert capfd.readouterr().out == "still here\n"


def test_rows_of_both_splits_are_mapped_together(digits, X):
    rows_train, rows_test = np.arange(0, 400, 2), np.arange(1, 300, 3)
    parts = digits.floats("train")[rows_train], digits.floats("test")[rows_test]
    both = TSNEMap(max_iter=500, random_state=0).fit_splits(*parts, rows_train, rows_test)
    alone = TSNEMap(max_iter=500, random_state=0).fit(np.concatenate(parts))
    assert np.array_equal(both.train_embedding_, alone.embedding_[:200])
    assert np.array_equal(both.test_embedding_, alone.embedding_[200:])
    assert np.array_equal(both.rows_test_, rows_test)
    neighbours = KNeighborsClassifier(5).fit(both.train_embedding_, digits.y_train[rows_train])
    assert neighbours.score(both.test_embedding_, digits.y_test[rows_test]) > 0.85


def test_a_perplexity_of_as_many_neighbours_as_rows_is_refused(X):
    with pytest.raises(BadInput, match="perplexity=30 must be below 30, the number of rows: choose a smaller"):
        TSNEMap().fit(X[:30])
