"""Linear AE = PCA, and PCA and LSA against what scikit-learn and linear algebra say."""

import numpy as np
import pytest
from scipy import linalg, sparse
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from core import methods
from core.methods.linear_ae import LinearAutoencoder
from core.types import BadInput


@pytest.fixture(scope="module")
def X():
    return (load_digits().data / 16).astype(np.float32)


def test_linear_autoencoder_finds_the_subspace_and_the_error_of_pca(X):
    pca = PCA(5).fit(X)
    ae = LinearAutoencoder(5, epochs=150, batch_size=128, learning_rate=0.01, random_state=0).fit(X)
    decoder = ae.networks_["decoder"].weight.detach().numpy()
    angles = np.degrees(linalg.subspace_angles(decoder.astype(float), pca.components_.T.astype(float)))
    assert angles.max() < 3
    errors = [((m.inverse_transform(m.transform(X)) - X) ** 2).sum(1).mean() for m in (ae, pca)]
    assert errors[0] == pytest.approx(errors[1], rel=1e-3)


def test_history_tells_the_angles_and_the_excess_error_of_each_epoch(X):
    ae = LinearAutoencoder(4, epochs=150, batch_size=128, learning_rate=0.02, random_state=0).fit(X)
    pca = PCA(4, svd_solver="full").fit(X.astype(float))
    decoder = ae.networks_["decoder"].weight.detach().numpy().astype(float)
    angles = np.degrees(linalg.subspace_angles(decoder, pca.components_.T))
    last = ae.history_[-1]
    assert last["largest_angle"] == pytest.approx(angles.max(), rel=1e-3)
    assert last["mean_angle"] == pytest.approx(angles.mean(), rel=1e-3)
    errors = [
        ((m.inverse_transform(m.transform(A)) - A) ** 2).sum(1).mean(dtype=float)
        for m, A in ((ae, X), (pca, X.astype(float)))
    ]
    assert last["excess_error"] == pytest.approx(errors[0] - errors[1], abs=2e-6)
    assert last["largest_angle"] < 1
    assert 0 <= last["excess_error"] < 1e-3 * errors[1]
    assert ae.history_[0]["largest_angle"] > last["largest_angle"]


def test_measuring_leaves_the_weights_as_they_are_without(X, monkeypatch):
    def small():
        return LinearAutoencoder(3, epochs=4, batch_size=128, random_state=0)

    measured = small().fit(X)
    monkeypatch.setattr(LinearAutoencoder, "_measure", lambda self, rows: None)
    plain = small().fit(X)
    assert "largest_angle" not in plain.history_[0]
    assert all(np.array_equal(a, plain.arrays()[name]) for name, a in measured.arrays().items())


def test_linear_autoencoder_can_not_beat_pca_on_its_own_rows(X):
    best = ((PCA(3).fit(X).inverse_transform(PCA(3).fit_transform(X)) - X) ** 2).sum()
    ae = LinearAutoencoder(3, epochs=20, batch_size=128, random_state=0).fit(X)
    assert ((ae.inverse_transform(ae.transform(X)) - X) ** 2).sum() > best * (1 - 1e-6)


def test_pca_is_scikit_learns(X):
    ours = methods.get("pca").estimator({"n_components": 4}, "images", (8, 8), 0).fit(X)
    theirs = PCA(4, svd_solver="full").fit(X.astype(float))
    assert np.abs(ours.transform(X)) == pytest.approx(np.abs(theirs.transform(X.astype(float))), abs=1e-4)


def test_lsa_rebuilds_the_best_low_rank_approximation_of_the_counts():
    counts = sparse.csr_array(np.random.default_rng(0).poisson(0.5, (60, 30)).astype(float))
    lsa = methods.get("lsa").estimator({"n_components": 6, "weighting": "counts"}, "documents", None, 0).fit(counts)
    u, s, vt = np.linalg.svd(counts.toarray(), full_matrices=False)
    best = (u[:, :6] * s[:6]) @ vt[:6]
    assert lsa.inverse_transform(lsa.transform(counts)) == pytest.approx(best, abs=1e-3)


def test_lsa_refuses_a_code_larger_than_documents_or_words_allow():
    lsa = methods.get("lsa").estimator({"n_components": 10, "weighting": "tfidf"}, "documents", None, 0)
    with pytest.raises(BadInput, match="n_components=10 must be at most 5, of 20 documents and 5 words the fewer"):
        lsa.fit(sparse.csr_array(np.ones((20, 5))))
    with pytest.raises(BadInput, match="must be at most 4, of 4 documents and 30 words"):
        lsa.fit(sparse.csr_array(np.ones((4, 30))))


@pytest.mark.parametrize(("weighting", "expected"), [("counts", 3.0), ("log", 1 + np.log(3))])
def test_lsa_weights_counts_as_it_says(weighting, expected):
    counts = sparse.csr_array(np.array([[3.0, 0.0], [0.0, 1.0], [1.0, 1.0]]))
    lsa = methods.get("lsa").estimator({"n_components": 1, "weighting": weighting}, "documents", None, 0).fit(counts)
    assert lsa["weighting"].transform(counts).toarray()[0, 0] == pytest.approx(expected)


def test_pca_of_many_pixels_is_the_same_by_its_quicker_solver():
    from core import methods

    X = np.random.default_rng(0).random((60, 1600))
    ours = methods.get("pca").estimator({"n_components": 5}, "images", (40, 40), 0).fit(X)
    theirs = PCA(5, svd_solver="full").fit(X)
    np.testing.assert_allclose(np.abs(ours.components_ @ theirs.components_.T), np.eye(5), atol=1e-6)
    np.testing.assert_allclose(ours.noise_variance_, theirs.noise_variance_, rtol=1e-6)
