"""A scikit-learn classifier on the labelled rows, as they are or as a pre-trained method's features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from core.approaches.base import labelled
from core.methods import base
from core.types import BadInput


class FeaturesClassifier(ClassifierMixin, BaseEstimator):
    """A classifier that learns from features of the labelled rows; rows without a label take no part.

    Parameters
    ----------
    classifier : scikit-learn pipeline that ends in a classifier with ``predict_proba``; a clone of it is fitted to the
        features.
    features : fitted, with ``transform`` or, of a GAN, ``discriminator_features``: (n, n_features) -> (n, k).
        None: the rows themselves. It stays as it is.

    Attributes
    ----------
    classes_ : (n_classes,), those with a labelled row.
    classifier_ : the fitted pipeline.
    """

    def __init__(self, classifier, features=None):
        self.classifier = classifier
        self.features = features

    def fit(self, X, y, *, on_epoch=None):
        """Fit the classifier to the features of the labelled rows.

        Parameters
        ----------
        X : (n_samples, n_features), array or sparse
        y : (n_samples,), class of each row, -1 where it has none.
        on_epoch : ignored, there are no epochs.

        Raises
        ------
        BadInput
            If the labelled rows are of fewer than two classes.
        """
        X = self._validated(X, reset=True)
        rows, self.classes_, codes = labelled(X, y)
        if len(self.classes_) < 2:
            raise BadInput("All labelled rows are of one class: give labels of at least two classes.")
        self.classifier_ = clone(self.classifier).fit(self._features(X[rows]), codes)
        return self

    def predict_proba(self, X) -> np.ndarray:
        """Probability of each class: (n, n_classes), each row sums to 1."""
        check_is_fitted(self)
        return self.classifier_.predict_proba(self._features(self._validated(X, reset=False)))

    def predict(self, X) -> np.ndarray:
        """Likeliest class of each row: (n,)."""
        named = self.predict_proba(X).argmax(1)
        return self.classes_[named]

    def codes(self, X) -> np.ndarray:
        """The features as the pipeline's last step is given them: (n, k) float32."""
        check_is_fitted(self)
        codes = self.classifier_[:-1].transform(self._features(self._validated(X, reset=False)))
        return np.asarray(codes.toarray() if hasattr(codes, "toarray") else codes, np.float32)

    def _validated(self, X, *, reset: bool):
        return validate_data(self, X, reset=reset, accept_sparse="csr", dtype=np.float32)

    def _features(self, X):
        if self.features is None:
            return X
        if hasattr(self.features, "discriminator_features"):
            return self.features.discriminator_features(X)
        return np.asarray(self.features.transform(X), np.float32)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.features is not None or get_tags(self.classifier).input_tags.sparse
        return tags


class _SVM(SVC):
    """A support vector machine whose probabilities are the softmax of its one-against-rest scores.

    They name the class that has most votes, but are not calibrated: so few labels leave no rows for that.
    """

    def predict_proba(self, X) -> np.ndarray:
        scores = self.decision_function(X)
        return softmax(np.stack([-scores, scores], 1) if scores.ndim == 1 else scores, axis=1)


# What is done to features before a linear classifier sees them. Of few rows, a pixel's standard deviation says little.
_SCALINGS = {
    "none": lambda: FunctionTransformer(accept_sparse=True),
    "standard": StandardScaler,
    "tfidf": lambda: TfidfTransformer(**base.WEIGHTINGS["tfidf"]),
}


def _logistic(settings: Mapping[str, Any], pretrained: Any, seed: int) -> FeaturesClassifier:
    """Logistic regression with settings ``C`` and ``scaling``, one of `_SCALINGS`."""
    settings = {"C": 0.1, "scaling": "standard", **settings}
    last = LogisticRegression(C=settings["C"], max_iter=2000)
    return FeaturesClassifier(make_pipeline(_SCALINGS[settings["scaling"]](), last), pretrained)


def _svm(settings: Mapping[str, Any], pretrained: Any, seed: int) -> FeaturesClassifier:
    """Support vector machine with radial basis functions and settings ``C`` and ``scaling``, one of `_SCALINGS`."""
    settings = {"C": 10.0, "scaling": "none", **settings}
    return FeaturesClassifier(make_pipeline(_SCALINGS[settings["scaling"]](), _SVM(C=settings["C"])), pretrained)


BUILDERS = {
    **dict.fromkeys(("logistic", "pca", "lsa", "ae", "vae", "gan"), _logistic),
    "vae_svm": _svm,
}
