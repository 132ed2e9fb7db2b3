"""Latent semantic analysis: scikit-learn's TruncatedSVD on weighted word counts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.pipeline import Pipeline

from core.methods import base
from core.types import DOCUMENTS, BadInput, Method

_LEARNED = ("components_", "explained_variance_", "explained_variance_ratio_", "singular_values_")


class LSA(Pipeline):
    """Weighting, then TruncatedSVD (Deerwester et al. 1990); `inverse_transform` gives word weights back."""

    def fit(self, X, y=None, **params):
        """Fit to word counts: (n_samples, n_features), of at least n_components documents and words."""
        if self["svd"].n_components > min(X.shape):
            raise BadInput(
                f"n_components={self['svd'].n_components} must be at most {min(X.shape)}, of {X.shape[0]} documents "
                f"and {X.shape[1]} words the fewer: choose a smaller code, more documents or a larger vocabulary."
            )
        return super().fit(X, y, **params)

    def inverse_transform(self, Z) -> np.ndarray:
        """Weights rebuilt from codes: (n_samples, n_components) -> (n_samples, n_features), any sign."""
        return self["svd"].inverse_transform(np.asarray(Z))


def _build(params, kind, image_shape, seed) -> LSA:
    weighting = TfidfTransformer(**base.WEIGHTINGS[params["weighting"]])
    svd = TruncatedSVD(params["n_components"], n_iter=10, random_state=seed)
    return LSA([("weighting", weighting), ("svd", svd)])


def _arrays(lsa: LSA) -> dict[str, np.ndarray]:
    arrays = {name: getattr(lsa["svd"], name) for name in _LEARNED}
    if lsa["weighting"].use_idf:
        arrays["idf_"] = lsa["weighting"].idf_
    return arrays


def _restore(lsa: LSA, arrays: Mapping[str, np.ndarray]) -> LSA:
    for name in _LEARNED:
        setattr(lsa["svd"], name, np.asarray(arrays[name]))
    n_features = lsa["svd"].components_.shape[1]
    lsa["svd"].n_features_in_ = lsa["weighting"].n_features_in_ = n_features
    if lsa["weighting"].use_idf:
        lsa["weighting"].idf_ = np.asarray(arrays["idf_"], np.float64)
    return lsa


def _n_weights(lsa: LSA) -> int:
    return lsa["svd"].components_.size + (lsa["weighting"].idf_.size if lsa["weighting"].use_idf else 0)


METHOD = Method(
    name="lsa",
    label="LSA",
    kinds=(DOCUMENTS,),
    summary="Latent semantic analysis: truncated singular value decomposition of weighted word counts.",
    params=(
        base.n_components(),
        base.WEIGHTING,
    ),
    version=1,
    estimator=_build,
    arrays=_arrays,
    restore=_restore,
    n_weights=_n_weights,
)
