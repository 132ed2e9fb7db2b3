import numpy as np
import pytest
from scipy.sparse import csr_array, csr_matrix

from core.metrics import checks
from core.metrics import embedding as measured
from core.metrics.neighbours import nearest
from core.types import BadInput


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA

    X, y = load_digits(return_X_y=True)
    X = X / 16 + np.random.default_rng(0).uniform(0, 1e-3, X.shape)  # whole-number pixels have many equal distances
    return X, y, PCA(2).fit_transform(X), PCA(10).fit_transform(X)


def nearest_by_loops(train, test, k, metric):
    """Row numbers by (distance, row number), one pair at a time, in exact sums for whole-number codes."""
    found = []
    for query in test:
        keys = []
        for row, code in enumerate(train):
            if metric == "euclidean":
                distance = sum((a - b) ** 2 for a, b in zip(query, code, strict=True))
            else:
                norms = np.sqrt(np.dot(query, query) * np.dot(code, code))
                distance = round(1 - np.dot(query, code) / norms, 12) if norms else 1.0
            keys.append((distance, row))
        found.append([row for _, row in sorted(keys)[:k]])
    return np.array(found)


@pytest.mark.parametrize(("d", "metric"), [(d, m) for d in (1, 2, 3, 5) for m in ("euclidean", "cosine")])
def test_nearest_are_those_of_the_direct_computation(d, metric):
    rng = np.random.default_rng(d)
    train, test = rng.normal(3, 1, size=(200, d)), rng.normal(3, 1, size=(40, d))
    assert np.array_equal(nearest(train, test, 7, metric), nearest_by_loops(train, test, 7, metric))


@pytest.mark.parametrize("d", [2, 5])
def test_of_equally_near_rows_the_lower_row_number_comes_first(d, monkeypatch):
    monkeypatch.setattr(checks, "_CHUNK_ELEMENTS", 1000)
    rng = np.random.default_rng(0)
    train, test = rng.integers(0, 3, size=(300, d)).astype(float), rng.integers(0, 3, size=(60, d)).astype(float)
    for k in (1, 15):
        assert np.array_equal(nearest(train, test, k, "euclidean"), nearest_by_loops(train, test, k, "euclidean"))
    assert nearest(np.ones((50, d)), np.zeros((1, d)), 1, "euclidean").tolist() == [[0]]
    constant = nearest(np.ones((50, d)), np.ones((4, d)), 5, "euclidean")
    assert constant.tolist() == [[0, 1, 2, 3, 4]] * 4


def test_all_zero_codes_have_cosine_zero_to_everything():
    train = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [-1.0, 0.0], [0.0, -2.0]])
    test = np.array([[1.0, 0.5], [0.0, 0.0]])
    assert nearest(train, test, 5, "cosine").tolist() == [[2, 1, 0, 4, 3], [0, 1, 2, 3, 4]]


def test_codes_far_from_the_origin_keep_their_neighbours():
    rng = np.random.default_rng(1)
    train, test = rng.normal(size=(3000, 6)), rng.normal(size=(200, 6))
    assert np.array_equal(nearest(train + 1e6, test + 1e6, 5, "euclidean"), nearest(train, test, 5, "euclidean"))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("which", [2, 3])
def test_knn_agrees_with_scikit_learn(digits, which, metric):
    from sklearn.neighbors import KNeighborsClassifier

    y, Z = digits[1], digits[which]
    classifier = KNeighborsClassifier(15, metric=metric, algorithm="brute").fit(Z[:1200], y[:1200])
    expected = classifier.predict(Z[1200:]) == y[1200:]
    assert np.array_equal(measured.knn_correct(Z[:1200], y[:1200], Z[1200:], y[1200:], metric=metric), expected)


def test_knn_leaves_out_unlabelled_rows():
    train, y_train = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]]), np.array([-1, -1, 0, 1, 1, 0])
    right = measured.knn_correct(train, y_train, np.array([[0.0], [5.0], [9.0]]), np.array([0, -1, 1]), k=1)
    assert right.tolist() == [True, False]
    assert right.dtype == bool


def test_knn_gives_a_tied_vote_to_the_lower_class():
    train, y_train = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([7, 7, 3, 3])
    assert measured.knn_correct(train, y_train, np.array([[0.0], [0.0]]), np.array([3, 7]), k=4).tolist() == [
        True,
        False,
    ]


def test_probe_agrees_with_scikit_learns_pipeline(digits):
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    _, y, _, Z = digits
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)).fit(Z[:1200], y[:1200])
    right = measured.probe_correct(Z[:1200], y[:1200], Z[1200:], y[1200:])
    assert np.array_equal(right, pipeline.predict(Z[1200:]) == y[1200:])


def test_probe_does_not_see_the_scale_of_a_code(digits):
    _, y, _, Z = digits
    scaled = Z * np.logspace(-4, 4, Z.shape[1]) + 100
    plain = measured.probe_correct(Z[:1200], y[:1200], Z[1200:], y[1200:])
    assert np.mean(plain == measured.probe_correct(scaled[:1200], y[:1200], scaled[1200:], y[1200:])) > 0.99


def test_probe_fits_a_stratified_sample_where_there_are_many_rows(digits, monkeypatch):
    _, y, _, Z = digits
    sample = measured.stratified_rows(y[:1200], 100, random_state=4)
    expected = measured.probe_correct(Z[sample], y[sample], Z[1200:], y[1200:])
    monkeypatch.setattr(measured, "PROBE_ROWS", 100)
    assert np.array_equal(measured.probe_correct(Z[:1200], y[:1200], Z[1200:], y[1200:], random_state=4), expected)


def test_probe_takes_constant_codes():
    y = np.array([0, 0, 1] * 10)
    assert measured.probe_correct(np.ones((30, 3)), y, np.ones((30, 3)), y).mean() == pytest.approx(2 / 3)


@pytest.mark.parametrize("score", [measured.knn_correct, measured.probe_correct])
@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"Z_train": np.full((40, 2), np.nan)}, "NaN"),
        ({"Z_test": np.ones((20, 3))}, "2 dimensions"),
        ({"Z_test": np.ones((0, 2))}, "at least one"),
        ({"y_train": np.zeros(40, dtype=int)}, "one class"),
        ({"y_train": np.full(40, -1)}, "needs labels"),
        ({"y_test": np.full(20, -1)}, "needs labels"),
        ({"y_test": np.zeros(3, dtype=int)}, "one label a row"),
    ],
)
def test_class_scores_refuse(score, change, word):
    rng = np.random.default_rng(0)
    given = {
        "Z_train": rng.normal(size=(40, 2)),
        "y_train": np.arange(40) % 2,
        "Z_test": rng.normal(size=(20, 2)),
        "y_test": np.arange(20) % 2,
    }
    with pytest.raises(BadInput, match=word):
        score(**(given | change))


def test_knn_refuses_too_few_rows_and_other_metrics():
    Z, y = np.arange(10.0)[:, None], np.arange(10) % 2
    with pytest.raises(BadInput, match=r"15 neighbours .* 10 labelled"):
        measured.knn_correct(Z, y, Z, y)
    with pytest.raises(BadInput, match="manhattan"):
        measured.knn_correct(Z, y, Z, y, k=3, metric="manhattan")


@pytest.mark.parametrize("k", [5, 15])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_trustworthiness_rows_average_to_scikit_learns(digits, metric, k):
    from sklearn.manifold import trustworthiness

    X, _, Z, _ = digits
    rows = measured.trustworthiness_rows(X[:600], Z[:600], k, metric)
    assert rows.shape == (600,)
    assert rows.mean() == pytest.approx(trustworthiness(X[:600], Z[:600], n_neighbors=k, metric=metric), abs=1e-12)


def test_continuity_rows_average_to_scikit_learns_with_roles_swapped(digits):
    from sklearn.manifold import trustworthiness

    X, _, Z, _ = digits
    rows = measured.continuity_rows(X[:600], Z[:600])
    assert rows.mean() == pytest.approx(trustworthiness(Z[:600], X[:600], n_neighbors=15), abs=1e-12)
    assert rows.mean() != pytest.approx(measured.trustworthiness_rows(X[:600], Z[:600]).mean(), abs=1e-3)


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


def test_both_neighbourhood_scores_agree_row_by_row_with_the_direct_sum():
    rng = np.random.default_rng(3)
    words, Z = rng.poisson(0.6, size=(60, 40)) * rng.random((60, 40)), rng.normal(size=(60, 2))
    norms = np.linalg.norm(words, axis=1)
    by_words = 1 - words @ words.T / np.outer(norms, norms)
    by_code = np.linalg.norm(Z[:, None] - Z[None], axis=2)
    for X in (words, csr_array(words), csr_matrix(words)):
        trust = measured.trustworthiness_rows(X, Z, 4, "cosine")
        assert trust == pytest.approx(neighbourhood_by_loops(by_words, by_code, 4), abs=1e-12)
        continuity = measured.continuity_rows(X, Z, 4, "cosine")
        assert continuity == pytest.approx(neighbourhood_by_loops(by_code, by_words, 4), abs=1e-12)


def test_a_code_that_keeps_everything_scores_one_and_a_torn_line_loses_continuity():
    line = np.sort(np.random.default_rng(0).random(100))[:, None]
    assert measured.trustworthiness_rows(line, 3 * line + 1, 5) == pytest.approx(1.0)
    torn = np.where(line < 0.5, line, line + 10)
    assert measured.continuity_rows(line, torn, 5).mean() < 1
    folded = np.abs(line - 0.5)
    assert measured.trustworthiness_rows(line, folded, 5).mean() < measured.continuity_rows(line, folded, 5).mean()


def test_neighbourhood_scores_take_constant_codes_and_empty_documents():
    rng = np.random.default_rng(4)
    X = csr_array(rng.poisson(0.05, size=(50, 20)).astype(float))
    for score in (measured.trustworthiness_rows, measured.continuity_rows):
        assert np.isfinite(score(X, np.ones((50, 2)), 5, "cosine")).all()
        assert np.isfinite(score(csr_array((50, 20)), np.ones((50, 2)), 5, "cosine")).all()


@pytest.mark.parametrize("score", [measured.trustworthiness_rows, measured.continuity_rows])
def test_neighbourhood_scores_refuse(score):
    Z = np.random.default_rng(0).normal(size=(40, 2))
    broken = np.where(np.arange(80).reshape(40, 2) == 3, np.nan, Z)
    for X, codes, word in (
        (Z, broken, "NaN"),
        (broken, Z, "NaN"),
        (csr_array(broken), Z, "NaN"),
        (Z[:30], Z, "30 rows came with 40 codes"),
        (Z[:30], Z[:30], "k=15 neighbours among 30 rows"),
        (np.zeros((5001, 1)), np.zeros((5001, 1)), "stratified_rows"),
    ):
        with pytest.raises(BadInput, match=word):
            score(X, codes)
    with pytest.raises(BadInput, match="manhattan"):
        score(Z, Z, 5, "manhattan")


@pytest.mark.parametrize("n", [1, 7, 100, 333, 999])
def test_stratified_rows_hold_every_class_in_its_share(n):
    y = np.repeat([0, 1, 2, -1], [500, 300, 170, 30])
    y = np.random.default_rng(0).permutation(y)
    rows = measured.stratified_rows(y, n)
    assert len(rows) == n
    assert len(set(rows)) == n
    assert np.array_equal(rows, np.sort(rows))
    for c in (0, 1, 2, -1):
        assert abs(np.sum(y[rows] == c) - n * np.mean(y == c)) < 1


def test_stratified_rows_round_by_largest_remainder():
    y = np.repeat([0, 1], [7, 3])
    assert np.bincount(y[measured.stratified_rows(y, 3)]).tolist() == [2, 1]


def test_stratified_rows_without_labels_are_a_plain_sample():
    y = np.full(1000, -1)
    counts = np.zeros(1000)
    for seed in range(50):
        counts[measured.stratified_rows(y, 100, seed)] += 1
    assert counts.sum() == 5000
    assert np.mean(counts[:500]) == pytest.approx(5, abs=0.3)
    assert np.array_equal(measured.stratified_rows(y, 100, 3), measured.stratified_rows(y, 100, 3))


def test_stratified_rows_are_all_where_no_more_are_there():
    assert measured.stratified_rows(np.array([1, 0, 1]), 3).tolist() == [0, 1, 2]
    assert measured.stratified_rows(np.array([1, 0, 1]), 9).tolist() == [0, 1, 2]
    with pytest.raises(BadInput, match="0 rows"):
        measured.stratified_rows(np.array([1, 0, 1]), 0)
