"""Linear AE = PCA, and PCA and LSA against what scikit-learn and linear algebra say."""

import numpy as np
import pytest
from scipy import linalg, sparse
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from core import methods
from core.errors import BadInput
from core.methods.linear_ae import LinearAutoencoder
from core.types import Form


@pytest.fixture(scope="module")
def X():
    return (load_digits().data / 16).astype(np.float32)


def test_linear_ae_finds_the_subspace_and_the_error_of_pca(X):
    ae = LinearAutoencoder(4, epochs=150, batch_size=128, learning_rate=0.02, random_state=0).fit(X)
    pca = PCA(4, svd_solver="full").fit(X.astype(float))
    decoder = ae.networks_["decoder"].weight.detach().numpy().astype(float)
    angles = np.degrees(linalg.subspace_angles(decoder, pca.components_.T))
    pairs = (ae, X), (pca, X.astype(float))
    errors = [((m.inverse_transform(m.transform(A)) - A) ** 2).sum(1).mean(dtype=float) for m, A in pairs]
    first, last = ae.history_[0], ae.history_[-1]
    assert angles.max() < 1
    assert errors[1] * (1 - 1e-6) < errors[0] < errors[1] * (1 + 1e-3)
    assert last["largest_angle"] == pytest.approx(angles.max(), rel=1e-3)
    assert last["mean_angle"] == pytest.approx(angles.mean(), rel=1e-3)
    assert last["excess_error"] == pytest.approx(errors[0] - errors[1], abs=2e-6)
    assert first["largest_angle"] > last["largest_angle"]


def test_pca_of_few_and_of_many_pixels_is_scikit_learns_with_the_full_solver(X):
    for rows, side in ((X.astype(float), 8), (np.random.default_rng(0).random((60, 1600)), 40)):
        ours = methods.get("pca").estimator({"n_components": 4}, Form("images", (side, side)), 0).fit(rows)
        theirs = PCA(4, svd_solver="full").fit(rows)
        assert np.abs(ours.components_ @ theirs.components_.T) == pytest.approx(np.eye(4), abs=1e-6)
        assert ours.noise_variance_ == pytest.approx(theirs.noise_variance_, rel=1e-6)


def test_lsa_reconstructs_the_best_low_rank_approximation():
    counts = sparse.csr_array(np.random.default_rng(0).poisson(0.5, (60, 30)).astype(float))
    lsa = methods.get("lsa").estimator({"n_components": 6, "weighting": "counts"}, Form("documents"), 0).fit(counts)
    u, s, vt = np.linalg.svd(counts.toarray(), full_matrices=False)
    best = (u[:, :6] * s[:6]) @ vt[:6]
    assert lsa.inverse_transform(lsa.transform(counts)) == pytest.approx(best, abs=1e-3)


def test_lsa_refuses_more_dimensions_than_documents_or_words():
    lsa = methods.get("lsa").estimator({"n_components": 10, "weighting": "tfidf"}, Form("documents"), 0)
    with pytest.raises(BadInput, match="n_components=10 must be at most 5, the smaller of 20 documents and 5 words"):
        lsa.fit(sparse.csr_array(np.ones((20, 5))))
