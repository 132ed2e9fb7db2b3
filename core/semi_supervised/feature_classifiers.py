"""A scikit-learn classifier on the labelled rows or on their features from a pre-trained method."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted, validate_data

from core.methods import params
from core.semi_supervised.base import ProbabilityClassifier, find_labelled

_LEAF_ROWS = 2, 20


class FeaturesClassifier(ProbabilityClassifier, BaseEstimator):
    """A classifier trained on features of the labelled rows.

    Parameters
    ----------
    classifier : scikit-learn pipeline that ends in a classifier with ``predict_proba``; a clone of it is fitted.
    features : fitted estimator with ``transform`` or ``discriminator_features``: (n, n_features) -> (n, k), or None for
        the rows themselves.

    Attributes
    ----------
    classes_ : (n_classes,), the classes of the labelled rows.
    classifier_ : the fitted pipeline.
    """

    def __init__(self, classifier, features=None):
        self.classifier = classifier
        self.features = features

    def fit(self, X, y):
        """Fit to the labelled rows; X may be sparse, y is -1 for rows without a label."""
        X = self._validated(X, reset=True)
        rows, self.classes_, codes = find_labelled(X, y)
        self.classifier_ = clone(self.classifier).fit(self._features(X[rows]), codes)
        return self

    def predict_proba(self, X) -> np.ndarray:
        """Return the probability of each class: (n, n_classes), rows sum to 1."""
        check_is_fitted(self)
        return self.classifier_.predict_proba(self._features(self._validated(X, reset=False)))

    def codes(self, X) -> np.ndarray:
        """Return the input of the pipeline's last step: (n, k) float32."""
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
    """A support vector machine whose probabilities are the softmax of its scores, not calibrated."""

    def predict_proba(self, X) -> np.ndarray:
        scores = self.decision_function(X)
        return softmax(np.stack([-scores, scores], 1) if scores.ndim == 1 else scores, axis=1)


# Transformers before the classifier. With few rows, a pixel's standard deviation is a poor estimate.
_SCALINGS = {
    "none": lambda: FunctionTransformer(accept_sparse=True),
    "standard": StandardScaler,
    "tfidf": lambda: TfidfTransformer(**params.WEIGHTINGS["tfidf"]),
}


class GradientBoosting(ProbabilityClassifier, BaseEstimator):
    """Scikit-learn's gradient boosting, whose smallest leaf is a share of the rows.

    With the default of 20 rows a leaf, 20 labels or fewer would give a constant.

    Parameters
    ----------
    leaf_share : share of the rows that a leaf has at least, but from 2 to 20 rows.
    learning_rate, max_iter, max_features, l2_regularization, random_state : as in `HistGradientBoostingClassifier`.

    Attributes
    ----------
    classifier_ : the fitted `HistGradientBoostingClassifier`.
    """

    def __init__(
        self,
        leaf_share=0.1,
        *,
        learning_rate=0.1,
        max_iter=100,
        max_features=1.0,
        l2_regularization=0.0,
        random_state=None,
    ):
        self.leaf_share = leaf_share
        self.learning_rate = learning_rate
        self.max_iter = max_iter
        self.max_features = max_features
        self.l2_regularization = l2_regularization
        self.random_state = random_state

    def fit(self, X, y):
        params = self.get_params()
        leaf = int(np.clip(round(params.pop("leaf_share") * len(X)), *_LEAF_ROWS))
        self.classifier_ = HistGradientBoostingClassifier(**params, min_samples_leaf=leaf, early_stopping=False)
        self.classifier_.fit(X, y)
        self.classes_ = self.classifier_.classes_
        return self

    def predict_proba(self, X) -> np.ndarray:
        return self.classifier_.predict_proba(X)


def _build(last: BaseEstimator, settings: Mapping[str, Any], pretrained: Any, seed: int) -> FeaturesClassifier:
    last = clone(last).set_params(C=settings["C"])
    return FeaturesClassifier(make_pipeline(_SCALINGS[settings["scaling"]](), last), pretrained)


def _build_boosting(settings: Mapping[str, Any], pretrained: Any, seed: int) -> FeaturesClassifier:
    last = GradientBoosting(**settings, random_state=seed)
    return FeaturesClassifier(make_pipeline(FunctionTransformer(), last))


def _build_both(settings: Mapping[str, Any], pretrained: Any, seed: int) -> FeaturesClassifier:
    of_boosting = {name: value for name, value in settings.items() if name not in ("C", "scaling")}
    parts = _build_logistic(settings, None, seed), _build_boosting(of_boosting, None, seed)
    named = list(zip(("logistic", "boosting"), (part.classifier for part in parts), strict=True))
    return FeaturesClassifier(make_pipeline(FunctionTransformer(), VotingClassifier(named, voting="soft")))


_build_logistic = partial(_build, LogisticRegression(max_iter=2000))
BUILDERS = dict.fromkeys(("logistic", "pca", "lsa", "ae", "vae", "gan"), _build_logistic)
BUILDERS |= {"vae_svm": partial(_build, _SVM()), "boosting": _build_boosting, "both": _build_both}
