import numpy as np
import pytest
from scipy.sparse import csr_array, csr_matrix
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import trustworthiness
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from core.errors import BadInput
from core.metrics import embedding, validation
from core.metrics.nearest_neighbours import find_nearest

METRICS = ("euclidean", "cosine")


@pytest.fixture(scope="module")
def digits():
    """Pixels, classes, and codes of 2 and 10 dimensions."""
    X, y = load_digits(return_X_y=True)
    X = X / 16 + np.random.default_rng(0).uniform(0, 1e-3, X.shape)  # whole-number pixels have many equal distances
    return X, y, PCA(2).fit_transform(X), PCA(10).fit_transform(X)


def distances_by_hand(A, B, metric):
    """(n, m); those by cosine without the rounding of their last digits."""
    if metric == "euclidean":
        return ((A[:, None] - B[None]) ** 2).sum(axis=2)
    lengths = np.outer(np.linalg.norm(A, axis=1), np.linalg.norm(B, axis=1))
    return (1 - np.divide(A @ B.T, lengths, out=np.zeros_like(lengths), where=lengths > 0)).round(12)


def test_nearest_puts_the_lower_row_first_of_equally_near_ones(monkeypatch):
    monkeypatch.setattr(validation, "CHUNK_ELEMENTS", 1000)
    rng = np.random.default_rng(0)
    for d in (2, 5):
        train, test = (rng.integers(0, 3, size=(n, d)).astype(float) for n in (300, 60))
        by_distance_then_row = np.argsort(distances_by_hand(test, train, "euclidean"), axis=1, kind="stable")
        for k in (1, 15):
            assert np.array_equal(find_nearest(train, test, k, "euclidean"), by_distance_then_row[:, :k])
        assert find_nearest(np.ones((50, d)), np.ones((4, d)), 5, "euclidean").tolist() == [[0, 1, 2, 3, 4]] * 4


def test_nearest_of_zero_codes_and_of_codes_far_from_the_origin():
    train = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [-1.0, 0.0], [0.0, -2.0]])
    test = np.array([[1.0, 0.5], [0.0, 0.0]])
    assert find_nearest(train, test, 5, "cosine").tolist() == [[2, 1, 0, 4, 3], [0, 1, 2, 3, 4]]
    rng = np.random.default_rng(1)
    train, test = rng.normal(size=(3000, 6)), rng.normal(size=(200, 6))
    near = find_nearest(train, test, 5, "euclidean")
    assert np.array_equal(find_nearest(train + 1e6, test + 1e6, 5, "euclidean"), near)


@pytest.mark.parametrize("metric", METRICS)
def test_nearest_others_are_those_of_all_distances_and_never_the_row_itself(metric):
    for d in (2, 5, 30):
        rng = np.random.default_rng(d)
        on_a_grid = rng.integers(0, 3, size=(240, d)).astype(float)  # of 9 codes in the plane each is there 27 times
        copied = np.repeat(rng.normal(size=(40, d)), 6, axis=0)[rng.permutation(240)]
        with_ties = [on_a_grid, copied, np.ones((240, d)), np.zeros((240, d))] if d < 10 else []
        for Z in (rng.normal(2, 1, size=(240, d)), *with_ties):
            distances = distances_by_hand(Z, Z, metric)
            np.fill_diagonal(distances, np.inf)
            expected = np.argsort(distances, axis=1, kind="stable")
            for k in (1, 15, 239):
                assert np.array_equal(embedding.nearest_others(Z, k, metric), expected[:, :k]), (d, k)


@pytest.mark.parametrize("metric", METRICS)
def test_knn_agrees_with_scikit_learn(digits, metric):
    y = digits[1]
    for Z in digits[2:]:
        classifier = KNeighborsClassifier(15, metric=metric, algorithm="brute").fit(Z[:1200], y[:1200])
        expected = classifier.predict(Z[1200:]) == y[1200:]
        for rows in (Z, csr_array(Z)) if metric == "cosine" else (Z,):
            found = embedding.knn_correct(rows[:1200], y[:1200], rows[1200:], y[1200:], metric=metric)
            assert np.array_equal(found, expected)


def test_knn_leaves_out_unlabelled_rows_and_gives_ties_to_the_lower_class():
    train, y_train = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]]), np.array([-1, -1, 0, 1, 1, 0])
    right = embedding.knn_correct(train, y_train, np.array([[0.0], [5.0], [9.0]]), np.array([0, -1, 1]), k=1)
    assert right.tolist() == [True, False]
    assert right.dtype == bool
    train, y_train = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([7, 7, 3, 3])
    tied = embedding.knn_correct(train, y_train, np.array([[0.0], [0.0]]), np.array([3, 7]), k=4)
    assert tied.tolist() == [True, False]


def test_probe_is_scikit_learns_pipeline(digits, monkeypatch):
    _, y, _, Z = digits
    right = embedding.probe_correct(Z[:1200], y[:1200], Z[1200:], y[1200:])
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(Z[:1200], y[:1200])
    assert np.array_equal(right, pipeline.predict(Z[1200:]) == y[1200:])
    # Of many rows a stratified sample is fitted.
    sample = embedding.stratified_rows(y[:1200], 100)
    expected = embedding.probe_correct(Z[sample], y[sample], Z[1200:], y[1200:])
    monkeypatch.setattr(embedding, "PROBE_ROWS", 100)
    assert np.array_equal(embedding.probe_correct(Z[:1200], y[:1200], Z[1200:], y[1200:]), expected)


@pytest.mark.parametrize("metric", METRICS)
def test_neighbourhood_rows_average_to_scikit_learns(digits, metric):
    X, Z = digits[0][:600], digits[2][:600]
    for k in (5, 15):
        rows = embedding.neighbourhood_rows(X, Z, k, metric)[0]
        assert rows.mean() == pytest.approx(trustworthiness(X, Z, n_neighbors=k, metric=metric), abs=1e-12)
    # Continuity has the roles swapped.
    found = embedding.neighbourhood_rows(X, Z)[1].mean()
    assert found == pytest.approx(trustworthiness(Z, X, n_neighbors=15), abs=1e-12)


def neighbourhood_by_loops(reference, shown, k):
    """Venna and Kaski's sum, row by row: neighbours in `shown`, ranks in `reference`, two (n, n) distances."""
    n, scores = len(shown), []
    for i in range(n):
        others = [j for j in range(n) if j != i]
        ranked = sorted(others, key=lambda j: reference[i][j])
        neighbours = sorted(others, key=lambda j: shown[i][j])[:k]
        penalty = sum(max(0, ranked.index(j) + 1 - k) for j in neighbours)
        scores.append(1 - 2 / (k * (2 * n - 3 * k - 1)) * penalty)
    return scores


def test_neighbourhood_rows_agree_one_by_one_with_the_direct_sum():
    rng = np.random.default_rng(3)
    words, Z = rng.poisson(0.6, size=(60, 40)) * rng.random((60, 40)), rng.normal(size=(60, 2))
    norms = np.linalg.norm(words, axis=1)
    by_words = 1 - words @ words.T / np.outer(norms, norms)
    by_code = np.linalg.norm(Z[:, None] - Z[None], axis=2)
    for X in (words, csr_array(words), csr_matrix(words)):
        trust, continuity = embedding.neighbourhood_rows(X, Z, 4, "cosine")
        assert trust == pytest.approx(neighbourhood_by_loops(by_words, by_code, 4), abs=1e-12)
        assert continuity == pytest.approx(neighbourhood_by_loops(by_code, by_words, 4), abs=1e-12)


def test_neighbourhood_rows_of_kept_constant_and_empty_data():
    line = np.sort(np.random.default_rng(0).random(100))[:, None]
    assert embedding.neighbourhood_rows(line, 3 * line + 1, 5)[0] == pytest.approx(1.0)
    X = csr_array(np.random.default_rng(4).poisson(0.05, size=(50, 20)).astype(float))
    for data in (X, csr_array((50, 20))):
        assert np.isfinite(embedding.neighbourhood_rows(data, np.ones((50, 2)), 5, "cosine")).all()


def test_average_overlap_is_that_of_sets_and_of_the_published_example():
    rng = np.random.default_rng(0)
    for k in (1, 4, 15):
        A, B = (np.array([rng.permutation(40)[:k] for _ in range(300)]) for _ in range(2))
        pairs = list(zip(A.tolist(), B.tolist(), strict=True))
        expected = [np.mean([len({*a[:d]} & {*b[:d]}) / d for d in range(1, k + 1)]) for a, b in pairs]
        assert embedding.average_overlap(A, B) == pytest.approx(expected, abs=1e-14)
        assert embedding.average_overlap(A, A) == pytest.approx(np.ones(300), abs=1e-14)
        assert embedding.average_overlap(A, A + 40).tolist() == [0.0] * 300
    # Webber, Moffat and Zobel (2010), table 1: the average overlap at depths 1 to 7.
    A, B = np.array([list(map(ord, "abcdefg"))]), np.array([list(map(ord, "zcavwxy"))])
    found = [embedding.average_overlap(A[:, :d], B[:, :d])[0] for d in range(1, 8)]
    assert found == pytest.approx([0, 0, 0.222, 0.292, 0.313, 0.317, 0.312], abs=6e-4)


def test_stratified_rows_hold_every_class_in_its_share():
    y = np.random.default_rng(0).permutation(np.repeat([0, 1, 2, -1], [500, 300, 170, 30]))
    for n in (1, 7, 100, 333, 999):
        rows = embedding.stratified_rows(y, n)
        assert np.array_equal(rows, np.unique(rows))
        assert len(rows) == n
        for c in (0, 1, 2, -1):
            assert abs(np.sum(y[rows] == c) - n * np.mean(y == c)) < 1
    y = np.repeat([0, 1], [7, 3])
    assert np.bincount(y[embedding.stratified_rows(y, 3)]).tolist() == [2, 1], "by largest remainder"
    assert embedding.stratified_rows(y, 12).tolist() == list(range(10))


def test_embedding_scores_refuse():
    Z, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    for refused, word in (
        (lambda: embedding.nearest_others(Z, 20), r"k=20 neighbours .* 19 other rows"),
        (lambda: embedding.knn_correct(Z, np.full(20, -1), Z, y), "needs labels"),
        (lambda: embedding.knn_correct(Z, y[:5], Z, y), "one label a row"),
        (lambda: embedding.knn_correct(Z * np.nan, y, Z, y), "NaN"),
        (lambda: embedding.knn_correct(Z, y, Z[:, :1], y), "2 dimensions"),
        (lambda: embedding.knn_correct(Z, y, Z, y, k=21), "21 neighbours .* 20 labelled"),
        (lambda: embedding.probe_correct(Z, np.zeros(20, int), Z, y), "one class"),
        (lambda: embedding.neighbourhood_rows(Z[:9], Z), "9 rows came with 20 codes"),
        (lambda: embedding.neighbourhood_rows(Z, Z), "k=15 neighbours among 20 rows"),
        (lambda: embedding.neighbourhood_rows(np.zeros((5001, 1)), np.zeros((5001, 1))), "stratified_rows"),
    ):
        with pytest.raises(BadInput, match=word):
            refused()
