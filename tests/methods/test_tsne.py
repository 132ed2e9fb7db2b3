"""t-SNE against scikit-learn and its definition; progress, stopping, and new rows placed in a map."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.manifold import TSNE
from sklearn.metrics import pairwise_distances
from sklearn.neighbors import KNeighborsClassifier

from core import datasets
from core.errors import BadInput, HourglassError
from core.methods.tsne import TSNEMap, place_rows
from core.types import DOCUMENTS, IMAGES


@pytest.fixture(scope="module")
def digits():
    return datasets.load("digits")


@pytest.fixture(scope="module")
def counts():
    """Documents of two topics."""
    rng = np.random.default_rng(0)
    topics = rng.dirichlet(np.full(80, 0.3), 2)[np.arange(60) % 2]
    return csr_array(rng.poisson(30 * topics).astype(np.float32))


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
    X = digits.floats("train")[:400]
    fitted = TSNEMap(max_iter=500, random_state=0).fit(X)
    expected = TSNE(max_iter=500, init="pca", random_state=0).fit(X)
    assert fitted.kl_divergence_ < 1.05 * expected.kl_divergence_


def test_tsne_divergence_follows_the_definition(digits, counts):
    # All other rows are among the 3 * perplexity neighbours, so nothing but the Barnes-Hut gradient is approximate.
    weighted, X = TfidfTransformer(sublinear_tf=True).fit_transform(counts), digits.floats("train")[:60]
    for kind, rows, distances in (
        (IMAGES, X, pairwise_distances(X)),
        (DOCUMENTS, counts, pairwise_distances(weighted, metric="cosine")),
    ):
        found = TSNEMap(perplexity=20.0, max_iter=300, kind=kind, random_state=0).fit(rows)
        expected = kl_divergence(distances, found.embedding_, 20.0)
        assert found.kl_divergence_ == pytest.approx(expected, rel=0.02)


def test_tsne_reports_progress_every_50_steps_and_keeps_no_map_when_it_is_stopped(digits):
    ticks, rows, X = [], [], digits.floats("train")[:300]
    first, second = (
        TSNEMap(max_iter=325, random_state=0).fit(X, on_epoch=rows.append, on_tick=ticks.append) for _ in range(2)
    )
    assert np.array_equal(first.embedding_, second.embedding_)
    assert [row["epoch"] for row in rows[:6]] == [50, 100, 150, 200, 250, 300]
    assert [row["epoch"] for row in first.history_] == [50, 100, 150, 200, 250, 300, 325]
    assert rows[5]["loss"] > first.history_[-1]["loss"] == first.kl_divergence_
    assert [row["share"] for row in ticks[:7]] == [0, *(row["epoch"] / 325 for row in rows[:6])]
    stopped = TSNEMap(max_iter=300, random_state=0)
    with pytest.raises(HourglassError, match="no map before its last iteration"):
        stopped.fit(X, on_tick=lambda row: row["epoch"] >= 100)
    assert not hasattr(stopped, "embedding_")
    with pytest.raises(BadInput, match="perplexity=30 must be below 30, the number of rows: choose a smaller"):
        TSNEMap().fit(X[:30])


def test_tsne_maps_rows_of_both_splits_together(digits):
    rows_train, rows_test = np.arange(0, 400, 2), np.arange(1, 300, 3)
    parts = digits.floats("train")[rows_train], digits.floats("test")[rows_test]
    both = TSNEMap(max_iter=400, random_state=0).fit_splits(*parts, rows_train, rows_test)
    assert (len(both.train_embedding_), len(both.test_embedding_)) == (200, 100)
    neighbours = KNeighborsClassifier(5).fit(both.train_embedding_, digits.y_train[rows_train])
    assert neighbours.score(both.test_embedding_, digits.y_test[rows_test]) > 0.85


def test_tsne_places_new_rows_among_their_class(digits, counts):
    X, new = digits.floats("train")[:600], digits.floats("test")[:100]
    fitted = TSNEMap(max_iter=400, random_state=0).fit(X)
    positions = place_rows(new, X, fitted.embedding_)
    neighbours = KNeighborsClassifier(5).fit(fitted.embedding_, digits.y_train[:600])
    assert neighbours.score(positions, digits.y_test[:100]) > 0.9
    assert np.array_equal(place_rows(new[:1], X, fitted.embedding_), positions[:1])
    # A mapped row comes back to its place.
    of_words = TSNEMap(perplexity=10.0, max_iter=300, kind=DOCUMENTS, random_state=0).fit(counts)
    for estimator, rows in ((fitted, X), (of_words, counts)):
        places = place_rows(rows[:20], rows, estimator.embedding_, estimator.kind)
        off = np.linalg.norm(places - estimator.embedding_[:20], axis=1)
        assert np.median(off) < 0.05 * np.ptp(estimator.embedding_, axis=0).max()
