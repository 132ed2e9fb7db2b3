from itertools import combinations
from math import log

import numpy as np
import pytest

from core.metrics import checks
from core.metrics.clustering import agreement, kmeans_clusters, silhouette_rows
from core.types import BadInput


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA

    X, y = load_digits(return_X_y=True)
    return PCA(10).fit_transform(X / 16), y


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


@pytest.mark.parametrize("d", [1, 2, 7])
def test_silhouette_is_that_of_the_direct_computation(d):
    rng = np.random.default_rng(d)
    y = rng.integers(0, 4, size=90)
    Z = rng.normal(size=(90, d)) + y[:, None]
    assert silhouette_rows(Z, y) == pytest.approx(silhouette_by_loops(Z, y), abs=1e-12)


def test_silhouette_is_scikit_learns(digits):
    from sklearn.metrics import silhouette_samples, silhouette_score

    Z, y = digits
    rows = silhouette_rows(Z, y)
    assert rows.dtype == np.float64
    assert rows == pytest.approx(silhouette_samples(Z, y), abs=1e-6)
    assert rows.mean() == pytest.approx(silhouette_score(Z, y), abs=1e-9)


def test_silhouette_leaves_out_unlabelled_rows(digits):
    Z, y = digits[0][:200], np.where(np.arange(200) % 3 == 0, -1, digits[1][:200])
    rows = silhouette_rows(Z, y)
    assert rows.shape == (133,)
    assert np.array_equal(rows, silhouette_rows(Z[y != -1], y[y != -1]))


def test_silhouette_of_a_row_alone_in_its_class_is_zero():
    Z, y = np.array([[0.0], [1.0], [10.0], [30.0]]), np.array([5, 5, 2, 9])
    assert silhouette_rows(Z, y) == pytest.approx([1 - 1 / 10, 1 - 1 / 9, 0.0, 0.0])


def test_silhouette_knows_tight_mixed_and_equal_codes():
    rng = np.random.default_rng(0)
    y = np.arange(300) % 3
    assert silhouette_rows(rng.normal(size=(300, 2)) * 1e-3 + y[:, None], y).min() > 0.99
    assert abs(silhouette_rows(rng.normal(size=(300, 2)), y).mean()) < 0.05
    assert silhouette_rows(np.full((300, 3), 0.1), y).tolist() == [0.0] * 300


def test_silhouette_of_codes_far_from_the_origin_is_the_same(digits):
    Z, y = digits[0][:300], digits[1][:300]
    assert silhouette_rows(Z + 1e6, y) == pytest.approx(silhouette_rows(Z, y), abs=1e-7)


def test_silhouette_refuses():
    Z, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    for codes, classes, word in (
        (Z * np.nan, y, "NaN"),
        (Z[:0], y[:0], "at least one value"),
        (Z, y[:3], "one label a row"),
        (Z, np.full(20, -1), "needs labels"),
        (Z, np.where(y == 0, -1, y), "one class"),
        (Z, np.arange(20), "Each of the 20 labelled rows is alone in its class"),
        (np.zeros((5001, 1)), np.arange(5001) % 2, "5001 rows .* 2000 by stratified_rows"),
    ):
        with pytest.raises(BadInput, match=word):
            silhouette_rows(codes, classes)


def test_silhouette_counts_labelled_rows_against_the_limit():
    y = np.where(np.arange(5001) < 40, np.arange(5001) % 2, -1)
    assert silhouette_rows(np.arange(5001.0)[:, None], y).shape == (40,)


def test_kmeans_is_scikit_learns_and_repeats_with_its_seed(digits):
    from sklearn.cluster import KMeans

    Z = digits[0][:500]
    clusters = kmeans_clusters(Z, 10, random_state=3)
    assert clusters.shape == (500,)
    assert np.issubdtype(clusters.dtype, np.integer)
    assert set(clusters.tolist()) == set(range(10))
    assert np.array_equal(clusters, KMeans(10, n_init=10, random_state=3).fit_predict(Z))
    assert np.array_equal(clusters, kmeans_clusters(Z, 10, random_state=3))


def test_kmeans_is_a_fixed_point_with_the_least_sum_of_squares():
    rng = np.random.default_rng(1)
    y = np.arange(120) % 4
    Z = rng.normal(size=(120, 3)) * 0.1 + 5 * np.eye(4)[y][:, :3]
    clusters = kmeans_clusters(Z, 4)
    centres = np.array([Z[clusters == c].mean(axis=0) for c in range(4)])
    assert np.array_equal(((Z[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1), clusters)
    assert agreement(y, clusters)["kmeans_ari"][0] == 1.0


def test_kmeans_takes_codes_as_they_are():
    # Two groups along a short axis and noise along a long one: standardised codes would fall into the groups.
    rng = np.random.default_rng(2)
    y = np.arange(200) % 2
    Z = np.column_stack([y + rng.normal(size=200) * 0.01, rng.uniform(0, 100, size=200)])
    assert agreement(y, kmeans_clusters(Z, 2))["kmeans_ari"][0] < 0.1
    assert agreement(y, kmeans_clusters(Z / Z.std(axis=0), 2))["kmeans_ari"][0] > 0.9


def test_kmeans_leaves_seeds_and_codes_alone(digits):
    Z = digits[0][:100].copy()
    before = np.random.get_state()[1].copy()
    kmeans_clusters(Z, 5)
    assert np.array_equal(np.random.get_state()[1], before)
    assert np.array_equal(Z, digits[0][:100])


@pytest.mark.parametrize("apart", [1e-9, 1e-30, 1e-200])
def test_kmeans_gives_no_warning_where_codes_hardly_differ(apart):
    Z = np.repeat([[1.0, 2.0], [5.0, 1.0]], 20, axis=0)
    Z[3, 0] += 1e-15
    Z[25, 1] -= 1e-15
    assert len(kmeans_clusters(Z, 4)) == 40
    assert len(kmeans_clusters(apart * np.arange(40.0)[:, None], 7)) == 40


def test_kmeans_refuses(digits):
    Z = np.repeat(np.arange(6.0).reshape(3, 2), 10, axis=0)
    assert len(set(kmeans_clusters(Z, 3).tolist())) == 3
    for n_clusters in (-1, 0, 1):
        with pytest.raises(BadInput, match=f"n_clusters={n_clusters} is not allowed: take at least 2"):
            kmeans_clusters(Z, n_clusters)
    with pytest.raises(BadInput, match="n_clusters=4 must be <= 3, the number of distinct codes"):
        kmeans_clusters(Z, 4)
    with pytest.raises(BadInput, match="NaN"):
        kmeans_clusters(np.where(Z == 3, np.nan, Z), 2)
    with pytest.raises(BadInput, match="2 axis"):
        kmeans_clusters(Z[:, 0], 2)


def adjusted_rand_by_pairs(y, clusters):
    """Hubert and Arabie's index from the four kinds of pairs, all pairs of rows counted one by one."""
    pairs = both = only_class = only_cluster = 0
    for i, j in combinations(range(len(y)), 2):
        in_class, in_cluster = y[i] == y[j], clusters[i] == clusters[j]
        both += in_class and in_cluster
        only_class += in_class and not in_cluster
        only_cluster += in_cluster and not in_class
        pairs += 1
    expected = (both + only_class) * (both + only_cluster) / pairs
    return (both - expected) / ((2 * both + only_class + only_cluster) / 2 - expected)


def mutual_information_by_logs(y, clusters):
    """Sum of p(a, b) ln(p(a, b) / p(a) p(b)) over the mean of the two entropies."""
    n, pairs = len(y), list(zip(y, clusters, strict=True))
    share = {
        "class": {a: sum(a == other for other in y) / n for a in set(y)},
        "cluster": {b: sum(b == other for other in clusters) / n for b in set(clusters)},
    }
    information = 0.0
    for a, b in set(pairs):
        p = pairs.count((a, b)) / n
        information += p * log(p / (share["class"][a] * share["cluster"][b]))
    entropies = [-sum(p * log(p) for p in shares.values()) for shares in share.values()]
    return information / (sum(entropies) / 2)


def _pair(seed, n, n_classes, n_clusters, noise):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, size=n)
    return y, np.where(rng.random(n) < noise, rng.integers(0, n_clusters, size=n), y % n_clusters)


PAIRS = [_pair(0, 80, 3, 3, 0.2), _pair(1, 120, 5, 9, 0.5), _pair(2, 60, 4, 2, 0.0), _pair(3, 100, 10, 10, 1.0)]


@pytest.mark.parametrize(("y", "clusters"), PAIRS)
def test_indices_are_those_of_the_direct_computation(y, clusters):
    found = agreement(y, clusters, n_resamples=10)
    assert found["kmeans_ari"][0] == pytest.approx(adjusted_rand_by_pairs(y.tolist(), clusters.tolist()), abs=1e-12)
    assert found["kmeans_nmi"][0] == pytest.approx(mutual_information_by_logs(y.tolist(), clusters.tolist()), abs=1e-12)


@pytest.mark.parametrize(
    ("y", "clusters"),
    [
        *PAIRS,
        _pair(4, 10_000, 10, 10, 0.4),
        _pair(5, 10_000, 47, 60, 0.7),
        (np.arange(30) % 3, np.zeros(30, int)),
        (np.arange(30) % 3, np.arange(30)),
        (np.arange(30), np.arange(30)[::-1]),
        (np.arange(4) % 2, np.arange(4) // 2),
        (np.arange(30) % 3 * 100, -(np.arange(30) % 3) - 7),
    ],
)
def test_indices_are_scikit_learns(y, clusters):
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    found = agreement(y, clusters, n_resamples=10)
    assert found["kmeans_ari"][0] == pytest.approx(adjusted_rand_score(y, clusters), abs=1e-12)
    assert found["kmeans_nmi"][0] == pytest.approx(normalized_mutual_info_score(y, clusters), abs=1e-12)


def test_agreement_leaves_out_unlabelled_rows():
    y, clusters = PAIRS[1]
    unlabelled = np.where(np.arange(120) % 4 == 0, -1, y)
    assert agreement(unlabelled, clusters) == agreement(unlabelled[unlabelled != -1], clusters[unlabelled != -1])
    assert agreement(unlabelled, clusters) != agreement(y, clusters)


def test_agreement_does_not_see_how_classes_and_clusters_are_numbered():
    y, clusters = PAIRS[1]
    renamed = agreement(7 - y, (clusters * 5) % 11, n_resamples=4000)
    for name, (value, ends) in agreement(y, clusters, n_resamples=4000).items():
        assert renamed[name][0] == pytest.approx(value, abs=1e-12)
        assert renamed[name][1] == pytest.approx(ends, abs=0.01)


def bootstrap_by_rows(y, clusters, n_resamples):
    """Rows drawn one resample at a time, scikit-learn's indices of each: (2, n_resamples)."""
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    rng = np.random.default_rng(99)
    drawn = [rng.integers(0, len(y), size=len(y)) for _ in range(n_resamples)]
    scores = (adjusted_rand_score, normalized_mutual_info_score)
    return np.array([[score(y[rows], clusters[rows]) for rows in drawn] for score in scores])


@pytest.mark.parametrize("noise", [0.1, 0.5, 1.0])
def test_interval_is_that_of_resampled_rows_less_their_bias(noise):
    y, clusters = _pair(6, 300, 6, 6, noise)
    found = agreement(y, clusters, n_resamples=4000)
    resampled = bootstrap_by_rows(y, clusters, 600)
    for name, indices in zip(("kmeans_ari", "kmeans_nmi"), resampled, strict=True):
        value, ends = found[name]
        lowest = 0 if name == "kmeans_nmi" else -0.5
        expected = np.clip(np.quantile(indices, [0.025, 0.975]) - indices.mean() + value, lowest, 1)
        assert ends == pytest.approx(tuple(expected), abs=0.12 * np.ptp(expected))


@pytest.mark.parametrize(("y", "clusters"), [*PAIRS, _pair(7, 10_000, 10, 10, 0.5), _pair(8, 10_000, 10, 10, 1.0)])
def test_interval_holds_the_value_and_stays_in_range(y, clusters):
    for name, (value, (low, high)) in agreement(y, clusters).items():
        assert low < value < high or value == 1.0
        assert high <= 1
        assert low >= (0 if name == "kmeans_nmi" else -0.5)


def test_interval_of_clusters_without_the_classes_holds_zero():
    # Plain percentiles would not: a row and its copy always agree.
    y, clusters = _pair(9, 360, 10, 10, 1.0)
    assert np.quantile(bootstrap_by_rows(y, clusters, 200)[0], 0.025) > 0
    low, high = agreement(y, clusters)["kmeans_ari"][1]
    assert low < 0 < high


@pytest.mark.parametrize("noise", [0.3, 0.8])
def test_interval_holds_the_expected_index_about_95_times_in_100(noise):
    found = [agreement(*_pair(seed, 500, 5, 5, noise), n_resamples=300, random_state=seed) for seed in range(300)]
    for name in ("kmeans_ari", "kmeans_nmi"):
        expected = np.mean([one[name][0] for one in found])
        held = np.mean([low <= expected <= high for _, (low, high) in (one[name] for one in found)])
        assert 0.9 <= held <= 0.995


def test_interval_narrows_with_the_square_root_of_the_rows():
    widths = [np.ptp(agreement(*_pair(10, n, 10, 10, 0.4))["kmeans_ari"][1]) for n in (1000, 16_000)]
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.15)


def test_interval_repeats_with_its_seed_whatever_the_chunks(monkeypatch):
    y, clusters = PAIRS[1]
    found = agreement(y, clusters)
    assert found == agreement(y, clusters)
    assert found != agreement(y, clusters, random_state=1)
    monkeypatch.setattr(checks, "_CHUNK_ELEMENTS", 500)
    for name, (value, ends) in agreement(y, clusters).items():
        assert found[name][0] == value
        assert found[name][1] == pytest.approx(ends, abs=1e-12)


def test_interval_of_clusters_that_are_the_classes_has_no_width():
    y = np.arange(60) % 3
    for value, ends in agreement(y, 2 - y).values():
        assert (value, *ends) == pytest.approx((1.0, 1.0, 1.0), abs=1e-12)


def test_agreement_refuses():
    y, clusters = np.arange(20) % 2, np.arange(20) % 3
    for classes, found, word in (
        (y, clusters[:7], "7 clusters came with 20 labels"),
        (y[:, None], clusters[:, None], "give a cluster and a label a row"),
        (np.full(20, -1), clusters, "needs labels"),
        (np.where(y == 0, -1, 1), clusters, "one class"),
    ):
        with pytest.raises(BadInput, match=word):
            agreement(classes, found)
    for n_resamples in (0, -5):
        with pytest.raises(BadInput, match=f"n_resamples={n_resamples} is not allowed"):
            agreement(y, clusters, n_resamples)
