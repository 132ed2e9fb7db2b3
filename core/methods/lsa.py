"""Latent semantic analysis: scikit-learn's TruncatedSVD on weighted word counts."""

from collections.abc import Mapping

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.pipeline import Pipeline

from core.errors import BadInput
from core.methods.params import WEIGHTING, WEIGHTINGS, n_components, read_attributes, set_attributes
from core.types import Method

_LEARNED = ("components_", "explained_variance_", "explained_variance_ratio_", "singular_values_")


class LSA(Pipeline):
    """Weighting, then TruncatedSVD (Deerwester et al. 1990); `inverse_transform` reconstructs word weights."""

    def fit(self, X, y=None, **params):
        """Fit to word counts, (n_samples, n_features), with at least n_components documents and words."""
        _check_rows({"n_components": self["svd"].n_components}, X.shape[0], 0, X.shape[1])
        return super().fit(X, y, **params)

    def inverse_transform(self, Z) -> np.ndarray:
        """Weights reconstructed from codes: (n_samples, n_components) -> (n_samples, n_features), any sign."""
        return self["svd"].inverse_transform(np.asarray(Z))


def _check_rows(params, n_train: int, n_test: int, n_features: int) -> None:
    most = min(n_train, n_features)
    if params["n_components"] > most:
        size, rows = f"n_components={params['n_components']}", f"{n_train} documents and {n_features} words"
        raise BadInput(f"{size} must be at most {most}, the smaller of {rows}: choose fewer, or a larger vocabulary.")
    if n_features < 2:
        raise BadInput("LSA needs at least 2 words: choose a larger vocabulary, or other documents.")


def _build(params, form, seed) -> LSA:
    weighting = TfidfTransformer(**WEIGHTINGS[params["weighting"]])
    svd = TruncatedSVD(params["n_components"], n_iter=10, random_state=seed)
    return LSA([("weighting", weighting), ("svd", svd)])


def _arrays(lsa: LSA) -> dict[str, np.ndarray]:
    idf = ("idf_",) if lsa["weighting"].use_idf else ()
    return read_attributes(lsa["svd"], _LEARNED) | read_attributes(lsa["weighting"], idf)


def _restore(lsa: LSA, arrays: Mapping[str, np.ndarray]) -> LSA:
    set_attributes(lsa["svd"], arrays, _LEARNED)
    n_features = lsa["svd"].components_.shape[1]
    lsa["svd"].n_features_in_ = lsa["weighting"].n_features_in_ = n_features
    if lsa["weighting"].use_idf:
        lsa["weighting"].idf_ = np.asarray(arrays["idf_"], np.float64)
    return lsa


def _n_weights(lsa: LSA) -> int:
    return lsa["svd"].components_.size + (lsa["weighting"].idf_.size if lsa["weighting"].use_idf else 0)


METHOD = Method(
    summary="Latent semantic analysis: truncated singular value decomposition of weighted word counts.",
    params=(n_components(), WEIGHTING),
    version=1,
    estimator=_build,
    arrays=_arrays,
    restore=_restore,
    n_weights=_n_weights,
    check_rows=_check_rows,
)
