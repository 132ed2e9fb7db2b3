"""Linear classifiers and an SVM on features: they equal scikit-learn's own on the labelled rows."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from core.semi_supervised.feature_classifiers import BUILDERS


def test_pca_and_logistic_regression_are_scikit_learns(digits):
    X, y, X_test, _ = digits
    pca, known = PCA(20, random_state=0).fit(X), y >= 0
    ours = BUILDERS["pca"]({"C": 0.5, "scaling": "standard"}, pca, 0).fit(X, y)
    theirs = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=2000))
    theirs.fit(pca.transform(X[known]), y[known])
    assert np.allclose(ours.predict_proba(X_test), theirs.predict_proba(pca.transform(X_test)), atol=1e-6)
    assert np.allclose(ours.codes(X_test), theirs[0].transform(pca.transform(X_test)), atol=1e-4)


def test_svm_has_probabilities(digits):
    X, y, X_test, y_test = digits
    svm = BUILDERS["vae_svm"]({"C": 10.0, "scaling": "none"}, None, 0).fit(X, y)
    assert svm.predict_proba(X_test).sum(1) == pytest.approx(1)
    assert svm.score(X_test, y_test) > 0.6


def test_words_are_weighted_by_the_labelled_documents_alone():
    rng = np.random.default_rng(0)
    X = sparse.csr_array(rng.poisson(0.3, (60, 30)).astype(np.float32))
    y = np.r_[np.arange(40) % 2, np.full(20, -1)]
    ours = BUILDERS["logistic"]({"C": 0.1, "scaling": "tfidf"}, None, 0).fit(X, y)
    weighting = TfidfTransformer(sublinear_tf=True).fit(X[:40])
    assert np.allclose(ours.codes(X), weighting.transform(X).toarray(), atol=1e-6)
