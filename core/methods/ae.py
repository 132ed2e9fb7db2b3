"""Autoencoder: minimises |x - decoder(encoder(x))|^2 with a low-dimensional code."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from core.methods import base, params
from core.nn import losses
from core.types import DOCUMENTS, IMAGES, TABLES, Param

_NOISE = "Standard deviation of the Gaussian noise added to the encoder's input in training."


class Autoencoder(base.NetworkTransformer):
    """Deep autoencoder with `n_components` latent dimensions.

    The loss of images is the squared error after a sigmoid, that of documents the cross entropy of word probabilities
    in nats per word, that of tables the squared error of numbers plus the cross entropy of categories in nats. Codes
    of documents are standardised by the batch statistics of training.

    Parameters
    ----------
    n_components, ... : see `PARAMS`.
    output : {"sigmoid", "linear"}; pixels in [0, 1], or any values.
    kind : {"images", "documents", "tables"}; image_shape, blocks : see `core.types.Form`.
    random_state : int, RandomState or None

    References
    ----------
    Hinton and Salakhutdinov 2006, Reducing the dimensionality of data with neural networks, Science 313.
    Vincent et al. 2008, Extracting and composing robust features with denoising autoencoders (`noise`, `word_dropout`).
    """

    PARAMS = (
        params.n_components(),
        *params.ARCHITECTURE,
        Param("noise", 0.0, (0.0, 10.0), _NOISE, (IMAGES, TABLES), implied=True),
        *params.WORDS,
        *params.training_params(epochs=20, learning_rate=0.01),
        params.WEIGHT_DECAY,
    )
    CONTEXT = {"output": "sigmoid", **base.NetworkEstimator.CONTEXT}

    def _build(self, n_features: int):
        from torch import nn

        networks = super()._build(n_features)
        if self.kind == DOCUMENTS:
            # Documents are retrieved by cosine, which needs centred codes.
            networks["encoder"].append(nn.BatchNorm1d(self.n_components, affine=False))
        return networks

    def _terms(self, networks, x, seen, generator):
        """Mean over rows: squared error of images, summed over pixels; nats per word of documents; both of tables."""
        out = networks["decoder"](networks["encoder"](seen)).float()
        if self.kind == DOCUMENTS:
            return {"loss": losses.word_cross_entropy(x, out).mean()}
        if self.kind == TABLES:
            return {"loss": self._blocks.squared_and_cross_entropy(x, out).mean()}
        return {"loss": (self._mean(out) - x).square().sum(1).mean()}

    def transform(self, X) -> np.ndarray:
        """Codes of the rows of X: (n_samples, n_components) float32."""
        check_is_fitted(self)
        return self._map(self.networks_["encoder"], self._validated(X, reset=False))


METHOD = base.declare(
    Autoencoder,
    summary="Deep autoencoder: non-linear encoder and decoder around a narrow code.",
    loss_unit={IMAGES: "squared error per image", DOCUMENTS: "nats per word, mean over documents"}
    | {TABLES: "squared error and nats per row"},
)
