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


def test_knn_of_sparse_rows_is_that_of_the_dense_ones():
    from scipy.sparse import csr_array

    rng = np.random.default_rng(6)
    X, y = rng.poisson(0.4, (300, 30)).astype(float), rng.integers(-1, 3, 300)
    X[[3, 250, 251]] = 0
    dense = measured.knn_correct(X[:200], y[:200], X[200:], y[200:], metric="cosine")
    sparse = measured.knn_correct(csr_array(X[:200]), y[:200], csr_array(X[200:]), y[200:], metric="cosine")
    assert np.array_equal(sparse, dense)
    assert 0 < dense.mean() < 1
    with pytest.raises(BadInput, match="by cosine"):
        measured.knn_correct(csr_array(X[:200]), y[:200], csr_array(X[200:]), y[200:])
    with pytest.raises(BadInput, match="NaN"):
        measured.knn_correct(csr_array(X[:200] * np.nan), y[:200], csr_array(X[200:]), y[200:], metric="cosine")


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


def among_by_loops(Z, y, k):
    """Leave-one-out, a labelled row at a time."""
    right = []
    for row in range(len(Z)):
        if y[row] == -1:
            continue
        others = [other for other in range(len(Z)) if other != row and y[other] != -1]
        nearest_ones = sorted(others, key=lambda other: (((Z[row] - Z[other]) ** 2).sum(), other))[:k]
        votes = {c: sum(y[other] == c for other in nearest_ones) for c in sorted(set(y.tolist()))}
        right.append(max(votes, key=votes.get) == y[row])
    return right


@pytest.mark.parametrize("d", [2, 6])
def test_among_correct_is_leave_one_out_by_loops(d):
    rng = np.random.default_rng(d)
    y = rng.integers(-1, 4, size=150)
    for Z in (rng.normal(size=(150, d)) + y[:, None], rng.integers(0, 3, size=(150, d)).astype(float)):
        for k in (1, 2, 15):
            assert measured.among_correct(Z, y, k).tolist() == among_by_loops(Z, y, k)


@pytest.mark.parametrize("which", [2, 3])
def test_among_correct_agrees_with_scikit_learn_leaving_one_out(digits, which):
    from sklearn.model_selection import LeaveOneOut, cross_val_predict
    from sklearn.neighbors import KNeighborsClassifier

    y, Z = digits[1][:400], digits[which][:400]
    predicted = cross_val_predict(KNeighborsClassifier(15, algorithm="brute"), Z, y, cv=LeaveOneOut())
    right = measured.among_correct(Z, y)
    assert right.dtype == bool
    assert np.array_equal(right, predicted == y)


def test_among_correct_neither_asks_nor_counts_unlabelled_rows():
    Z, y = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.3]]), np.array([0, -1, 0, 1, -1, 1])
    assert measured.among_correct(Z, y, k=1).tolist() == [True, True, True, True]
    assert measured.among_correct(Z, np.array([0, -1, 1, 1, -1, 1]), k=1).tolist() == [False, False, True, True]


def test_among_correct_gives_a_tied_vote_to_the_lower_class():
    Z, y = np.array([[0.0], [1.0], [-1.0], [50.0]]), np.array([3, 3, 7, 7])
    assert measured.among_correct(Z, y, k=2).tolist() == [True, True, False, False]


def test_among_correct_refuses():
    Z, y = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    with pytest.raises(BadInput, match="NaN"):
        measured.among_correct(Z * np.nan, y)
    with pytest.raises(BadInput, match="one label a row"):
        measured.among_correct(Z, y[:5])
    with pytest.raises(BadInput, match="needs labels"):
        measured.among_correct(Z, np.full(20, -1))
    with pytest.raises(BadInput, match="one class"):
        measured.among_correct(Z, np.where(np.arange(20) < 9, -1, 2))
    with pytest.raises(BadInput, match=r"k=15 neighbours .* 10 other rows"):
        measured.among_correct(Z, np.where(np.arange(20) < 9, -1, y))


def others_by_loops(Z, k, metric="euclidean"):
    """Each row's others by (distance, row number), all pairs at once."""
    if metric == "euclidean":
        distances = ((Z[:, None] - Z[None]) ** 2).sum(axis=2)
    else:
        lengths = np.linalg.norm(Z, axis=1)
        products = np.outer(lengths, lengths)
        distances = (1 - np.divide(Z @ Z.T, products, out=np.zeros_like(products), where=products > 0)).round(12)
    return [
        [int(j) for j in np.lexsort((np.arange(len(Z)), distances[i])) if j != i][:k]  # lower row number first
        for i in range(len(Z))
    ]


@pytest.mark.parametrize(("d", "metric"), [(d, m) for d in (2, 3, 30, 256) for m in ("euclidean", "cosine")])
def test_nearest_others_are_those_of_the_full_distance_matrix(d, metric):
    Z = np.random.default_rng(d).normal(2, 1, size=(200, d))
    for k in (1, 15, 199):
        found = measured.nearest_others(Z, k, metric)
        assert found.shape == (200, k)
        assert found.dtype == np.int64
        assert found.tolist() == others_by_loops(Z, k, metric)


@pytest.mark.parametrize(("d", "metric"), [(d, m) for d in (2, 5) for m in ("euclidean", "cosine")])
def test_nearest_others_with_duplicates_and_ties_are_never_the_row_itself(d, metric):
    rng = np.random.default_rng(d)
    on_a_grid = rng.integers(0, 3, size=(240, d)).astype(float)  # of 9 codes in the plane each is there 27 times
    copied = np.repeat(rng.normal(size=(40, d)), 6, axis=0)[rng.permutation(240)]
    for Z in (on_a_grid, copied, np.ones((240, d)), np.zeros((240, d))):
        for k in (1, 5, 15, 60, 239):
            found = measured.nearest_others(Z, k, metric)
            assert not (found == np.arange(240)[:, None]).any()
            assert found.tolist() == others_by_loops(Z, k, metric)


@pytest.mark.parametrize("which", [2, 3])
def test_nearest_others_agree_with_scikit_learn(digits, which):
    from sklearn.neighbors import NearestNeighbors

    Z = digits[which]
    _, expected = NearestNeighbors(n_neighbors=15, algorithm="kd_tree").fit(Z).kneighbors()
    assert np.array_equal(measured.nearest_others(Z, 15), expected)


def test_nearest_others_of_two_rows_are_each_other():
    assert measured.nearest_others([[0.0, 1.0], [5.0, 1.0]], 1).tolist() == [[1], [0]]


def test_nearest_others_refuse():
    Z = np.arange(20.0).reshape(10, 2)
    for k in (-1, 0, 10):
        with pytest.raises(BadInput, match=rf"k={k} neighbours .* 9 other rows"):
            measured.nearest_others(Z, k)
    with pytest.raises(BadInput, match="NaN"):
        measured.nearest_others(np.where(Z == 7, np.inf, Z), 3)
    with pytest.raises(BadInput, match="manhattan"):
        measured.nearest_others(Z, 3, "manhattan")
    with pytest.raises(BadInput, match="at least one value"):
        measured.nearest_others(np.zeros((0, 2)), 1)


def test_neighbour_overlap_is_that_of_sets():
    rng = np.random.default_rng(0)
    for k in (1, 4, 15):
        A, B = (np.array([rng.permutation(40)[:k] for _ in range(300)]) for _ in range(2))
        expected = [len({*a} & {*b}) / len({*a} | {*b}) for a, b in zip(A.tolist(), B.tolist(), strict=True)]
        assert measured.neighbour_overlap(A, B) == pytest.approx(expected, abs=1e-15)
        assert measured.neighbour_overlap(B, A) == pytest.approx(expected, abs=1e-15)
        assert measured.neighbour_overlap(A, A[:, ::-1]).tolist() == [1.0] * 300
        assert measured.neighbour_overlap(A, A + 40).tolist() == [0.0] * 300


def test_neighbour_overlap_agrees_with_scikit_learns_jaccard_score():
    from sklearn.metrics import jaccard_score

    rng = np.random.default_rng(1)
    A, B = (np.array([rng.permutation(30)[:6] for _ in range(50)]) for _ in range(2))
    member_a, member_b = (np.array([np.isin(np.arange(30), row) for row in rows]) for rows in (A, B))
    expected = [jaccard_score(a, b) for a, b in zip(member_a, member_b, strict=True)]
    assert measured.neighbour_overlap(A, B) == pytest.approx(expected, abs=1e-15)


def test_neighbour_overlap_of_codes_turned_and_torn():
    rng = np.random.default_rng(2)
    Z = rng.normal(size=(500, 2))
    turned = Z @ [[0.0, -3.0], [3.0, 0.0]] + 7
    A = measured.nearest_others(Z, 15)
    assert measured.neighbour_overlap(A, measured.nearest_others(turned, 15)).tolist() == [1.0] * 500
    unrelated = measured.nearest_others(rng.normal(size=(500, 2)), 15)
    assert measured.neighbour_overlap(A, unrelated).mean() == pytest.approx(15 / 499 / 2, abs=0.005)


def test_neighbour_overlap_refuses():
    A = np.arange(12).reshape(4, 3)
    for B in (A[:3], A[:, :2], A[0], np.zeros((4, 0), int)):
        with pytest.raises(BadInput, match=r"\(4, 3\) and .* do not pair"):
            measured.neighbour_overlap(A, B)
    with pytest.raises(BadInput, match="do not pair"):
        measured.neighbour_overlap(A[:0], A[:0])
    with pytest.raises(BadInput, match="Neighbours are float64"):
        measured.neighbour_overlap(A, A.astype(float))
    for pair in ((A, np.zeros_like(A)), (np.zeros_like(A), A)):
        with pytest.raises(BadInput, match="names a neighbour twice"):
            measured.neighbour_overlap(*pair)


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
