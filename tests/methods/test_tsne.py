"""t-SNE against scikit-learn and its definition; progress, stopping, and new rows placed in a map."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.manifold import TSNE, trustworthiness
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import KNeighborsClassifier

from core import datasets
from core.errors import BadInput, HourglassError
from core.methods.opentsne_adapter import place_rows
from core.methods.tsne import TSNEMap
from core.types import DOCUMENTS


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def X(digits):
    return digits.floats("train")[:300]


@pytest.fixture(scope="module")
def counts():
    return datasets.load("docstrings", vocabulary_size=300).floats("train")[:90]


@pytest.fixture(scope="module")
def fitted(X):
    return TSNEMap(max_iter=325, random_state=0).fit(X)


def kl_divergence(distances: np.ndarray, Y: np.ndarray, perplexity: float) -> float:
    """Equations 1, 2 and 4 of van der Maaten and Hinton 2008, with each width found by bisection; in nats."""
    n = len(Y)
    P = np.zeros((n, n))
    for i in range(n):
        others = np.delete(distances[i] ** 2, i)
        low, high = 1e-10, 1e10
        for _ in range(200):
            beta = np.sqrt(low * high)
            p = np.exp(-beta * (others - others.min()))
            p /= p.sum()
            entropy = -(p[p > 0] * np.log(p[p > 0])).sum()
            low, high = (beta, high) if entropy > np.log(perplexity) else (low, beta)
        P[i, np.arange(n) != i] = p
    P = (P + P.T) / (2 * n)
    Q = 1 / (1 + pairwise_distances(Y.astype(float)) ** 2)
    np.fill_diagonal(Q, 0)
    Q /= Q.sum()
    return float((P[P > 0] * np.log(P[P > 0] / Q[P > 0])).sum())


def test_tsne_of_images_is_as_good_as_scikit_learns(digits):
    X = digits.floats("train")[:600]
    fitted = TSNEMap(max_iter=750, random_state=0).fit(X)
    expected = TSNE(max_iter=750, init="pca", random_state=0).fit(X)
    assert fitted.kl_divergence_ < 1.05 * expected.kl_divergence_
    ours, theirs = (trustworthiness(X, Y, n_neighbors=15) for Y in (fitted.embedding_, expected.embedding_))
    assert ours > theirs - 0.005
    assert fitted.embedding_.dtype == np.float32


def test_tsne_divergence_of_images_follows_the_definition(X):
    # All other rows are among the 3 * perplexity neighbours, so nothing but the Barnes-Hut gradient is approximate.
    few = TSNEMap(perplexity=20.0, max_iter=300, random_state=0).fit(X[:60])
    assert few.kl_divergence_ == pytest.approx(
        kl_divergence(pairwise_distances(X[:60]), few.embedding_, 20.0), rel=0.02
    )


def test_tsne_divergence_of_documents_follows_the_definition(counts):
    found = TSNEMap(perplexity=30.0, max_iter=300, kind=DOCUMENTS, random_state=0).fit(counts)
    weighted = TfidfTransformer(sublinear_tf=True).fit_transform(counts)
    distances = pairwise_distances(weighted, metric="cosine")
    assert found.kl_divergence_ == pytest.approx(kl_divergence(distances, found.embedding_, 30.0), rel=0.02)


def test_tsne_is_the_same_for_the_same_seed(fitted, X):
    assert np.array_equal(TSNEMap(max_iter=325, random_state=0).fit(X).embedding_, fitted.embedding_)


def test_tsne_reports_progress_every_50_steps(fitted, X):
    ticks, rows = [], []
    estimator = TSNEMap(max_iter=325, random_state=0).fit(X, on_epoch=rows.append, on_tick=ticks.append)
    assert [row["epoch"] for row in rows] == [50, 100, 150, 200, 250, 300]
    assert [row["epoch"] for row in estimator.history_] == [50, 100, 150, 200, 250, 300, 325]
    assert estimator.history_[-1]["loss"] == estimator.kl_divergence_
    assert rows[-1]["loss"] > estimator.kl_divergence_
    assert {"epoch", "step", "seconds", "rows_per_second", "share"} <= set(ticks[0])
    assert [row["share"] for row in ticks] == [0, *(row["epoch"] / 325 for row in rows)]


def test_tsne_keeps_no_map_when_it_is_stopped(X):
    for watch in ("on_epoch", "on_tick"):
        estimator = TSNEMap(max_iter=300, random_state=0)
        with pytest.raises(HourglassError, match="no map before its last iteration"):
            estimator.fit(X, **{watch: lambda row: row["epoch"] >= 100})
        assert not hasattr(estimator, "embedding_")


def test_tsne_maps_rows_of_both_splits_together(digits):
    rows_train, rows_test = np.arange(0, 400, 2), np.arange(1, 300, 3)
    parts = digits.floats("train")[rows_train], digits.floats("test")[rows_test]
    both = TSNEMap(max_iter=500, random_state=0).fit_splits(*parts, rows_train, rows_test)
    alone = TSNEMap(max_iter=500, random_state=0).fit(np.concatenate(parts))
    assert np.array_equal(both.train_embedding_, alone.embedding_[:200])
    assert np.array_equal(both.test_embedding_, alone.embedding_[200:])
    assert np.array_equal(both.rows_test_, rows_test)
    neighbours = KNeighborsClassifier(5).fit(both.train_embedding_, digits.y_train[rows_train])
    assert neighbours.score(both.test_embedding_, digits.y_test[rows_test]) > 0.85


def test_tsne_places_new_rows_among_their_class(digits):
    X, new = digits.floats("train")[:600], digits.floats("test")[:100]
    fitted = TSNEMap(max_iter=500, random_state=0).fit(X)
    before, positions = fitted.embedding_.copy(), fitted.place(new, X)
    neighbours = KNeighborsClassifier(5).fit(fitted.embedding_, digits.y_train[:600])
    assert neighbours.score(positions, digits.y_test[:100]) > 0.9
    assert np.array_equal(fitted.place(new[:1], X), positions[:1])
    assert np.array_equal(fitted.embedding_, before)
    # A mapped row comes back to its place.
    extent = np.ptp(before, axis=0).max()
    again = fitted.place(X[:20], X) - before[:20]
    assert np.median(np.linalg.norm(again, axis=1)) < 0.02 * extent


def test_tsne_places_documents_by_cosine(counts):
    fitted = TSNEMap(perplexity=10.0, max_iter=300, kind=DOCUMENTS, random_state=0).fit(counts)
    again = place_rows(counts[:20], counts, fitted.embedding_, DOCUMENTS) - fitted.embedding_[:20]
    assert np.median(np.linalg.norm(again, axis=1)) < 0.05 * np.ptp(fitted.embedding_, axis=0).max()


def test_tsne_refuses_a_perplexity_of_as_many_neighbours_as_rows(X):
    with pytest.raises(BadInput, match="perplexity=30 must be below 30, the number of rows: choose a smaller"):
        TSNEMap().fit(X[:30])
