"""Linear autoencoder: one linear layer in, one out; trained by gradient descent it finds PCA's subspace."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import check_is_fitted

from core import linear_maps, spectrum
from core.methods import base
from core.methods.ae import Autoencoder
from core.types import IMAGES


class LinearAutoencoder(Autoencoder):
    """Autoencoder whose encoder and decoder are one affine layer each, trained by squared error.

    The best such autoencoder spans the same subspace as the first principal components; its axes are free within it.

    Parameters
    ----------
    n_components, epochs, max_seconds, batch_size, learning_rate, kind, image_shape, random_state : as in
        `core.methods.ae.Autoencoder`.

    References
    ----------
    Baldi and Hornik 1989, Neural networks and principal component analysis, Neural Networks 2.
    """

    def __init__(
        self,
        n_components=10,
        *,
        epochs=20,
        max_seconds=0.0,
        batch_size=512,
        learning_rate=0.01,
        kind=IMAGES,
        image_shape=None,
        random_state=None,
    ):
        super().__init__(
            n_components,
            epochs=epochs,
            max_seconds=max_seconds,
            batch_size=batch_size,
            learning_rate=learning_rate,
            weight_decay=0.0,
            output="linear",
            kind=kind,
            image_shape=image_shape,
            random_state=random_state,
        )

    def _plan(self):
        # The limit of training is known exactly, so rounding of the weights' gradients would show.
        return {"weight_decay": 0.0, "precision": "float32"}

    def _build(self, n_features: int):
        from torch import nn

        return nn.ModuleDict(
            {"encoder": nn.Linear(n_features, self.n_components), "decoder": nn.Linear(self.n_components, n_features)}
        )

    def fit(self, X, y=None, *, on_epoch=None, on_tick=None, checkpoint=None):
        """Train on the rows of X less their mean, as PCA does: (n_samples, n_features).

        A row of `history_` also tells how far the epoch's end is from PCA, see `core.linear_maps.distance_to_pca`.
        """
        X = self._validated(X, reset=True)
        self.mean_ = np.asarray(X.mean(axis=0, dtype=np.float64), np.float32)
        return super().fit(X - self.mean_, on_epoch=on_epoch, on_tick=on_tick, checkpoint=checkpoint)

    def _measure(self, X):
        if X.shape[1] > spectrum.MOST_FEATURES:
            return None
        of_rows = spectrum.decompose(X)
        # The rows come less their mean, so the networks add none.
        mean = {"mean_": np.zeros(X.shape[1])}

        def measured(networks) -> dict[str, float]:
            arrays = {name: value.cpu().numpy() for name, value in networks.state_dict().items()}
            return linear_maps.distance_to_pca(linear_maps.LinearPair.of(arrays | mean), of_rows)

        return measured

    def transform(self, X) -> np.ndarray:
        """Codes of the rows of X: (n_samples, n_components) float32."""
        check_is_fitted(self)
        return self._map(self.networks_["encoder"], self._validated(X, reset=False) - self.mean_)

    def inverse_transform(self, Z) -> np.ndarray:
        """Rows rebuilt from codes: (n_samples, n_features), any values."""
        return super().inverse_transform(Z) + self.mean_

    def arrays(self):
        return {**super().arrays(), "mean_": self.mean_}

    def restore(self, arrays):
        self.mean_ = np.asarray(arrays["mean_"], np.float32)
        return super().restore(arrays)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags


METHOD = base.declare(
    LinearAutoencoder,
    name="linear_ae",
    label="Linear AE",
    kinds=(IMAGES,),
    summary="Autoencoder without non-linearities: gradient descent finds the subspace of PCA.",
    params=(base.n_components(), *base.training_params(epochs=20, learning_rate=0.01)),
    version=1,
    loss_unit={IMAGES: "squared error an image"},
)
