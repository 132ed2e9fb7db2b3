"""Scores of maps and nearest neighbours, against scikit-learn and direct computations."""

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.model_selection import LeaveOneOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from core.analysis import neighbourhoods
from core.analysis.rows import select_rows
from core.metrics import bootstrap, embedding


def test_scores_are_those_of_scikit_learn_and_are_kept(digits, monkeypatch):
    rows = select_rows(digits, "test", 200)
    points = PCA(2).fit_transform(rows.floats()).astype(np.float32)
    assert neighbourhoods.read_scores(points, rows) is None
    found = neighbourhoods.score_map(points, rows)
    predicted = cross_val_predict(KNeighborsClassifier(15), points.astype(np.float64), rows.y, cv=LeaveOneOut())
    right = (predicted == rows.y).astype(float)
    accuracy, interval = found["map_knn_accuracy"], bootstrap.share_interval(int(right.sum()), 200)
    assert (accuracy.value, *accuracy.interval) == pytest.approx((right.mean(), *interval), abs=1e-12)
    expected = trustworthiness(rows.X / 255, points.astype(np.float64), n_neighbors=15)
    assert found["map_trustworthiness"].value == pytest.approx(expected, abs=1e-3)
    assert found["map_knn_accuracy"].n == found["map_trustworthiness"].n == 200
    monkeypatch.setattr(embedding, "neighbourhood_rows", lambda *_: pytest.fail("computed again"))
    assert neighbourhoods.read_scores(points, rows) == neighbourhoods.score_map(points, rows) == found


def find_by_scikit_learn(Z, k):
    """The `k` nearest others, or all others; none of a row without a position."""
    known, nearest = np.flatnonzero(np.isfinite(Z).all(axis=1)), [[] for _ in Z]
    k = min(k, len(known) - 1)
    found = NearestNeighbors(n_neighbors=k).fit(Z[known]).kneighbors(return_distance=False) if k > 0 else []
    for row, others in zip(known, found, strict=False):
        nearest[row] = known[others].tolist()
    return nearest


def test_neighbours_are_scikit_learns():
    Z = np.random.default_rng(0).normal(size=(300, 3))
    Z[[0, 3, 39], 1] = np.nan
    found = neighbourhoods.find_neighbours(Z, 7)
    assert found.tolist() == [row or [-1] * 7 for row in find_by_scikit_learn(Z, 7)]
    assert neighbourhoods.find_neighbours(Z[1:3]).tolist() == [[1], [0]]  # all others, where there are fewer


def overlap_by_loops(A, B, k):
    """Average overlap of each row's neighbours, searched among the rows that both have."""
    both = np.isfinite(A).all(axis=1) & np.isfinite(B).all(axis=1)
    pairs = zip(*(find_by_scikit_learn(np.where(both[:, None], Z, np.nan), k) for Z in (A, B)), strict=True)
    shares = [[len({*a[:d]} & {*b[:d]}) / d for d in range(1, len(a) + 1)] for a, b in pairs]
    return [np.mean(of_row) if of_row else np.nan for of_row in shares]


def test_overlap_is_that_of_the_direct_computation():
    rng = np.random.default_rng(0)
    for missing_a, missing_b in (([], []), ([1, 2, 5], [2, 30]), (slice(12), slice(20, 40))):
        A = rng.normal(size=(40, 3))
        B = A[:, :2] + rng.normal(size=(40, 2)) * 0.3
        A[missing_a], B[missing_b] = np.nan, np.nan
        found = neighbourhoods.compute_overlap(A, B)
        assert found == pytest.approx(overlap_by_loops(A, B, 200), nan_ok=True)
    assert np.isnan(neighbourhoods.compute_overlap(A, np.full((40, 2), np.nan))).all()


def test_the_rows_nearest_to_a_code_are_those_of_the_direct_computation():
    rng = np.random.default_rng(0)
    Z, z = rng.normal(size=(50, 4)).astype(np.float32), rng.normal(size=4)
    Z[[3, 8], 2] = np.nan
    expected = sorted((float(np.linalg.norm(Z[k] - z)), k) for k in range(50) if k not in (3, 8))
    which, distances = neighbourhoods.find_nearest(z, Z)
    np.testing.assert_allclose(np.column_stack([distances, which]), expected[:10])
    assert 5 not in neighbourhoods.find_nearest(Z[5], Z, 100, leave_out=5)[0]


def test_answers_go_by_decreasing_cosine_and_of_equal_ones_the_first():
    documents = csr_array([[1.0, 0.0], [2.0, 2.0], [0.0, 0.0], [0.0, 5.0], [3.0, 3.0]])
    found = neighbourhoods.find_answers(csr_array([[1.0, 1.0]]), documents, 4)
    assert found.positions.tolist() == [1, 4, 0, 3]
    np.testing.assert_allclose(found.cosines, [1, 1, np.sqrt(0.5), np.sqrt(0.5)])
    assert len(neighbourhoods.find_answers(csr_array((1, 2)), documents, 3).positions) == 0


def test_of_many_rows_a_sample_is_compared(monkeypatch):
    monkeypatch.setattr(neighbourhoods, "MOST_COMPARED", 60)
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, -1], [200, 100, 100])
    Z = rng.normal(size=(400, 2)) + y[:, None]
    asked = neighbourhoods.predict_classes(Z, y) >= 0
    assert [asked[y == label].sum() for label in (0, 1, -1)] == [40, 20, 0]
    assert np.isfinite(neighbourhoods.compute_overlap(Z, Z[:, ::-1])).sum() == 60
