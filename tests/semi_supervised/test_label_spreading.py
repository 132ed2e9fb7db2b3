import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import KNeighborsClassifier

from core.semi_supervised.label_spreading import GraphSpreading, compute_affinities, compute_scales, find_neighbours


def test_distributions_solve_the_equation_of_label_spreading(digits):
    """(1 - alpha) (I - alpha S)^-1 Y, Zhou et al. 2003, section 2, each row then made to sum to 1."""
    X, y = digits[0][:300], digits[1][:300]
    model = GraphSpreading(5, alpha=0.9).fit(X, y)
    found = find_neighbours(X, None, 5)
    scales = compute_scales(found["distances"])
    W = np.zeros((300, 300))
    weights = compute_affinities(found["distances"], scales, scales[found["indices"]])
    np.put_along_axis(W, found["indices"].astype(int), weights, 1)
    W = np.maximum(W, W.T)
    degrees = np.sqrt(W.sum(1))
    Y = (y[:, None] == np.arange(10)).astype(float)
    F = np.linalg.solve(np.eye(300) - 0.9 * W / degrees / degrees[:, None], Y)
    assert model.label_distributions_ == pytest.approx(F / F.sum(1, keepdims=True), abs=1e-2)


def test_unlabelled_rows_halve_the_error_of_the_nearest_labelled_row(digits):
    X, y, X_test, y_test = digits
    spread = (GraphSpreading().fit(X, y).predict(X_test) != y_test).mean()
    alone = KNeighborsClassifier(1).fit(X[y >= 0], y[y >= 0]).predict(X_test)
    assert spread < 0.5 * (alone != y_test).mean()


def test_rows_out_of_reach_get_the_share_of_each_label():
    near, far = np.zeros((12, 2), np.float32), np.full((12, 2), 100, np.float32)
    X = np.concatenate([near, far]) + np.random.default_rng(0).random((24, 2), dtype=np.float32)
    y = np.full(24, -1)
    y[[0, 1, 2]] = 3, 3, 7
    P = GraphSpreading(4).fit(X, y).predict_proba(np.array([[100, 100], [1e6, -1e6]], np.float32))
    assert P[0] == pytest.approx([2 / 3, 1 / 3])
    assert P.sum(1) == pytest.approx(1)
    # Distances of 0 are no trouble.
    y = np.full(60, -1)
    y[[0, 20, 40]] = 0, 1, 2
    repeated = GraphSpreading().fit(np.repeat(np.eye(3, dtype=np.float32), 20, axis=0), y)
    assert repeated.predict(np.eye(3)).tolist() == [0, 1, 2]


def test_codes_of_an_embedder_replace_the_rows(digits):
    X, y, X_test, _ = digits
    pca = PCA(8).fit(X)
    on_codes = GraphSpreading(embedder=pca).fit(X, y)
    alone = GraphSpreading().fit(pca.transform(X).astype(np.float32), y)
    assert np.array_equal(on_codes.codes(X_test), pca.transform(X_test).astype(np.float32))
    assert on_codes.predict_proba(X_test) == pytest.approx(alone.predict_proba(on_codes.codes(X_test)))
