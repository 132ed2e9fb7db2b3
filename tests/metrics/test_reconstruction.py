import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.spatial.distance import cdist
from sklearn.metrics.pairwise import cosine_similarity

from core.errors import BadInput
from core.metrics import validation
from core.metrics.reconstruction import class_means, cosine, reconstruction_cosine, squared_error


def test_squared_error_sums_over_pixels(monkeypatch):
    monkeypatch.setattr(validation, "CHUNK_ELEMENTS", 100)
    rng = np.random.default_rng(0)
    X, X_hat = rng.random((40, 7), dtype=np.float32), rng.normal(size=(40, 7))
    assert squared_error(X, X_hat) == pytest.approx(np.diag(cdist(X, X_hat, "sqeuclidean")), rel=1e-12)


def test_squared_error_is_that_of_pca_by_its_left_out_eigenvalues():
    from sklearn.datasets import load_digits
    from sklearn.decomposition import PCA

    X = load_digits().data / 16
    pca, full = PCA(10).fit(X), PCA().fit(X)
    left_out = full.explained_variance_[10:].sum() * (len(X) - 1) / len(X)
    assert squared_error(X, pca.inverse_transform(pca.transform(X))).mean() == pytest.approx(left_out, rel=1e-9)


def test_per_class_means_leave_out_unlabelled_rows_and_empty_classes():
    means = class_means(np.array([1.0, 3.0, 10.0, 99.0]), np.array([0, 0, 2, -1]), ("cat", "dog", "owl"))
    assert means == {"cat": 2.0, "owl": 10.0}


def test_cosine_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    pair = [rng.normal(size=(40, 30)) * (rng.random((40, 30)) < 0.2) for _ in range(2)]
    pair[0][3] = pair[1][5] = pair[0][7] = pair[1][7] = 0
    pair[1][9], pair[1][11] = 3 * pair[0][9], -0.1 * pair[0][11]
    expected = np.diag(cosine_similarity(*pair))
    for sparse in ((), (0,), (1,), (0, 1)):
        found = cosine(*(csr_array(A) if k in sparse else A for k, A in enumerate(pair)))
        assert found == pytest.approx(expected, abs=1e-12)
        assert found.dtype == np.float64
        assert found[[3, 5, 7, 9, 11]] == pytest.approx([0, 0, 0, 1, -1])


def test_reconstruction_cosine_is_the_same_in_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    Z, axes, X = rng.normal(size=(25, 3)), rng.normal(size=(3, 9)), rng.random((25, 9))
    monkeypatch.setattr(validation, "CHUNK_ELEMENTS", 4 * 9)
    found = reconstruction_cosine(lambda z: z @ axes, Z, csr_array(X))
    assert found == pytest.approx(np.diag(cosine_similarity(X, Z @ axes)))


def test_errors_refuse():
    two = np.zeros((2, 3))
    for score, X_hat, word in (
        (squared_error, np.zeros((2, 4)), "shape"),
        (squared_error, np.full((2, 3), np.nan), "NaN"),
        (cosine, csr_array(np.zeros((3, 3))), "shape"),
        (cosine, csr_array([[np.inf, 0, 0], [0, 0, 0]]), "X_hat holds NaN or infinite"),
    ):
        with pytest.raises(BadInput, match=word):
            score(two, X_hat)
