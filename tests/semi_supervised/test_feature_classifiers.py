"""Linear classifiers and an SVM on features: they equal scikit-learn's own on the labelled rows."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from core.errors import BadInput
from core.methods.gan import GAN
from core.semi_supervised.feature_classifiers import BUILDERS, FeaturesClassifier


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    few = np.full(1400, -1)
    few[:100] = y[:100]
    return X[:1400], few, X[1400:], y[1400:]


@parametrize_with_checks(
    [FeaturesClassifier(make_pipeline(StandardScaler(), LogisticRegression()))],
    expected_failed_checks=lambda estimator: {"check_classifiers_classes": "its class -1 means unlabelled here"},
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


def test_pca_and_logistic_regression_are_scikit_learns(digits):
    X, y, X_test, y_test = digits
    pca = PCA(20, random_state=0).fit(X)
    ours = BUILDERS["pca"]({"C": 0.5}, pca, 0).fit(X, y)
    known = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=2000))
    known.fit(pca.transform(X[:100]), y[:100])
    assert np.allclose(ours.predict_proba(X_test), known.predict_proba(pca.transform(X_test)), atol=1e-6)
    assert np.allclose(ours.codes(X_test), known[0].transform(pca.transform(X_test)), atol=1e-4)
    assert (ours.predict(X_test) == y_test).mean() > 0.65


def test_only_classes_with_a_label_are_known(digits):
    X, y, X_test, _ = digits
    y = np.where(y == 3, -1, y)
    for name in ("logistic", "vae_svm"):
        classifier = BUILDERS[name]({}, None, 0).fit(X, y)
        assert 3 not in classifier.classes_
        proba = classifier.predict_proba(X_test)
        assert proba.shape == (len(X_test), 9)
        assert np.allclose(proba.sum(1), 1)


def test_features_of_a_gans_discriminator(digits):
    X, y, X_test, _ = digits
    gan = GAN(2, network="mlp", width=32, epochs=1, random_state=0).fit(X)
    assert BUILDERS["gan"]({}, gan, 0).fit(X, y).codes(X_test).shape == (len(X_test), 128)


def test_words_are_weighted_by_the_labelled_documents_alone():
    rng = np.random.default_rng(0)
    X = sparse.csr_array(rng.poisson(0.3, (60, 30)).astype(np.float32))
    y = np.r_[np.arange(40) % 2, np.full(20, -1)]
    ours = BUILDERS["logistic"]({"scaling": "tfidf"}, None, 0).fit(X, y)
    weighting = TfidfTransformer(sublinear_tf=True).fit(X[:40])
    assert np.allclose(ours.codes(X), weighting.transform(X).toarray(), atol=1e-6)


def test_bad_input_is_told_in_one_sentence(digits):
    X, _, _, _ = digits
    with pytest.raises(BadInput, match="No row has a label"):
        BUILDERS["logistic"]({}, None, 0).fit(X, np.full(len(X), -1))
    with pytest.raises(BadInput, match="one class"):
        BUILDERS["logistic"]({}, None, 0).fit(X, np.r_[np.zeros(5, int), np.full(len(X) - 5, -1)])
