"""Principal component analysis: scikit-learn's own."""

from collections.abc import Mapping

import numpy as np
from sklearn.decomposition import PCA

from core.errors import BadInput
from core.methods.params import n_components, read_attributes, set_attributes
from core.types import Method

_MANY_PIXELS = 1000
_LEARNED = "components_", "mean_", "explained_variance_", "explained_variance_ratio_", "singular_values_"
_LEARNED += "noise_variance_", "n_samples_"


def _check_rows(params, n_train: int, n_test: int, n_features: int) -> None:
    # ARPACK finds all but the last component.
    most = min(n_train, n_features) - (n_features > _MANY_PIXELS)
    if params["n_components"] > most:
        rows = f"{n_train:,} train rows of {n_features:,} columns"
        raise BadInput(f"n_components={params['n_components']} must be at most {most}, with {rows}: choose fewer.")


def _build(params, form, seed) -> PCA:
    n_features = form.image_shape[0] * form.image_shape[1] if form.image_shape else sum(form.blocks)
    if n_features and params["n_components"] > n_features:
        size = f"n_components={params['n_components']}"
        raise BadInput(f"{size} must be at most {n_features}, the number of columns of the data: choose fewer.")
    # Both are exact; of many pixels, all eigenvectors take minutes and the first ones seconds.
    solver = "arpack" if n_features > _MANY_PIXELS else "covariance_eigh"
    return PCA(**params, svd_solver=solver, random_state=seed)


def _restore(pca: PCA, arrays: Mapping[str, np.ndarray]) -> PCA:
    set_attributes(pca, arrays, _LEARNED)
    pca.n_components_, pca.n_features_in_ = pca.components_.shape
    return pca


METHOD = Method(
    summary="Principal component analysis: the best linear code for squared error.",
    params=(n_components(),),
    version=1,
    estimator=_build,
    arrays=lambda pca: read_attributes(pca, _LEARNED),
    restore=_restore,
    n_weights=lambda pca: pca.components_.size + pca.mean_.size,
    check_rows=_check_rows,
)
