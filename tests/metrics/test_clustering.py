import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from core.errors import BadInput
from core.metrics import validation
from core.metrics.clustering import cluster_agreement, kmeans_clusters, silhouette_rows


@pytest.fixture(scope="module")
def codes():
    return PCA(10).fit_transform(load_digits().data / 16)


def silhouette_by_loops(Z, y):
    """Rousseeuw's a, b and s, a row at a time."""
    values = []
    for i in range(len(Z)):
        mean = {}
        for c in set(y.tolist()):
            rows = [j for j in range(len(Z)) if y[j] == c and j != i]
            mean[c] = sum(float(np.sqrt(((Z[i] - Z[j]) ** 2).sum())) for j in rows) / len(rows) if rows else None
        a, b = mean.pop(y[i]), min(value for value in mean.values() if value is not None)
        values.append(0.0 if a is None or max(a, b) == 0 else (b - a) / max(a, b))
    return values


def test_silhouette_is_that_of_loops():
    for d in (1, 7):
        rng = np.random.default_rng(d)
        y = rng.integers(0, 4, size=90)
        Z = rng.normal(size=(90, d)) + y[:, None]
        expected = silhouette_by_loops(Z, y)
        assert silhouette_rows(Z, y) == pytest.approx(expected, abs=1e-12)
        # Far from the origin too, where squares lose digits.
        assert silhouette_rows(Z + 1e6, y) == pytest.approx(expected, abs=1e-7)
        known = np.where(np.arange(90) % 3 == 0, -1, y)
        assert silhouette_rows(Z, known) == pytest.approx(silhouette_by_loops(Z[known >= 0], y[known >= 0]), abs=1e-12)
    # Unlabelled rows do not count against the largest number of rows.
    y = np.where(np.arange(5001) < 40, np.arange(5001) % 2, -1)
    assert silhouette_rows(np.arange(5001.0)[:, None], y).shape == (40,)


def test_kmeans_is_scikit_learns_and_changes_neither_seeds_nor_codes(codes):
    Z, before = codes[:500].copy(), np.random.get_state()[1].copy()
    clusters = kmeans_clusters(Z, 10)
    assert np.array_equal(clusters, KMeans(10, n_init=10, random_state=0).fit_predict(codes[:500]))
    assert np.array_equal(np.random.get_state()[1], before)
    assert np.array_equal(Z, codes[:500])


def drawn_pair(seed, n, n_classes, n_clusters, noise):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, size=n)
    return y, np.where(rng.random(n) < noise, rng.integers(0, n_clusters, size=n), y % n_clusters)


def test_indices_are_scikit_learns():
    for y, clusters in (
        drawn_pair(0, 80, 3, 3, 0.2),
        drawn_pair(2, 60, 4, 2, 0.0),
        drawn_pair(5, 10_000, 47, 60, 0.7),
        (np.arange(30) % 3, np.zeros(30, int)),
        (np.arange(30) % 3, np.arange(30)),
        (np.arange(30), np.arange(30)[::-1]),
        (np.arange(30) % 3 * 100, -(np.arange(30) % 3) - 7),
    ):
        found = cluster_agreement(y, clusters)
        assert found["kmeans_ari"][0] == pytest.approx(adjusted_rand_score(y, clusters), abs=1e-12)
        assert found["kmeans_nmi"][0] == pytest.approx(normalized_mutual_info_score(y, clusters), abs=1e-12)


def bootstrap_by_rows(y, clusters, n_resamples):
    """Rows drawn one resample at a time, scikit-learn's indices of each: (2, n_resamples)."""
    rng = np.random.default_rng(99)
    drawn = [rng.integers(0, len(y), size=len(y)) for _ in range(n_resamples)]
    scores = (adjusted_rand_score, normalized_mutual_info_score)
    return np.array([[score(y[rows], clusters[rows]) for rows in drawn] for score in scores])


def test_agreement_interval_is_that_of_resampled_rows_less_their_bias():
    for noise in (0.1, 1.0):
        y, clusters = drawn_pair(6, 300, 6, 6, noise)
        found = cluster_agreement(y, clusters)
        for (name, (value, ends)), indices in zip(found.items(), bootstrap_by_rows(y, clusters, 600), strict=True):
            lowest = 0 if name == "kmeans_nmi" else -0.5
            expected = np.clip(np.quantile(indices, [0.025, 0.975]) - indices.mean() + value, lowest, 1)
            assert ends == pytest.approx(tuple(expected), abs=0.12 * np.ptp(expected))
            assert lowest <= ends[0] < value < ends[1] <= 1
    # Of unrelated clusters it holds 0. Plain percentiles would not: a row and its copy always agree.
    y, clusters = drawn_pair(9, 360, 10, 10, 1.0)
    assert np.quantile(bootstrap_by_rows(y, clusters, 200)[0], 0.025) > 0
    low, high = cluster_agreement(y, clusters)["kmeans_ari"][1]
    assert low < 0 < high
    y = np.arange(60) % 3
    for value, ends in cluster_agreement(y, 2 - y).values():
        assert (value, *ends) == pytest.approx((1.0, 1.0, 1.0), abs=1e-12)


def test_agreement_leaves_out_unlabelled_rows(monkeypatch):
    y, clusters = drawn_pair(1, 120, 5, 9, 0.5)
    found = cluster_agreement(y, clusters)
    unlabelled = np.append(y, [-1] * 40), np.append(clusters, [0] * 40)
    assert found == cluster_agreement(*unlabelled)
    monkeypatch.setattr(validation, "CHUNK_ELEMENTS", 500)
    for name, (value, ends) in cluster_agreement(y, clusters).items():
        assert found[name][0] == value
        assert found[name][1] == pytest.approx(ends, abs=1e-12)


def test_degenerate_codes_and_labels():
    Z, y = np.array([[0.0], [1.0], [10.0], [30.0]]), np.array([5, 5, 2, 9])
    assert silhouette_rows(Z, y) == pytest.approx([1 - 1 / 10, 1 - 1 / 9, 0.0, 0.0])
    assert silhouette_rows(np.full((300, 3), 0.1), np.arange(300) % 3).tolist() == [0.0] * 300
    for apart in (1e-9, 1e-200):
        assert len(kmeans_clusters(apart * np.arange(40.0)[:, None], 7)) == 40
    for refused, word in (
        (lambda: silhouette_rows(Z, np.arange(4)), "alone in its class"),
        (lambda: silhouette_rows(np.zeros((5001, 1)), np.arange(5001) % 2), "stratified_rows"),
        (lambda: kmeans_clusters(np.repeat(Z[:3], 10, axis=0), 4), "must be <= 3, the number of distinct codes"),
        (lambda: cluster_agreement(y, y[:3]), "3 clusters came with 4 labels"),
        (lambda: cluster_agreement(np.full(20, -1), np.arange(20) % 3), "needs labels"),
    ):
        with pytest.raises(BadInput, match=word):
            refused()
