"""Linear autoencoder: gradient descent on two linear layers finds PCA's subspace."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from core.methods import base, params
from core.methods.ae import Autoencoder
from core.metrics import linear_ae_vs_pca, pca_spectrum
from core.nn import compute_cost
from core.types import IMAGES, TABLES


class LinearAutoencoder(Autoencoder):
    """Autoencoder whose encoder and decoder are one affine layer each, trained with the squared error.

    The optimum spans the subspace of the first principal components; its axes within it are arbitrary.

    References
    ----------
    Baldi and Hornik 1989, Neural networks and principal component analysis, Neural Networks 2.
    """

    PARAMS = (params.n_components(), *params.training_params(epochs=20, learning_rate=0.01))
    CONTEXT = base.NetworkEstimator.CONTEXT
    # The optimum is known exactly, so rounded gradients would be visible.
    PLAN = {"precision": "float32"}
    output, augment, accepts_sparse = "linear", 0.0, False
    # PCA, which it is compared with, has one draw of the pixels.
    redraws_pixels = False

    def _build(self, n_features: int):
        from torch import nn

        encoder, decoder = nn.Linear(n_features, self.n_components), nn.Linear(self.n_components, n_features)
        return nn.ModuleDict({"encoder": encoder, "decoder": decoder})

    def workload(self, n_features):
        sizes = n_features, self.n_components
        layers = [compute_cost.linear(*sizes), compute_cost.linear(*sizes[::-1])]
        return compute_cost.count_passes(layers) + compute_cost.count_optimizer(n_features, layers)

    def _prepare(self, X) -> None:
        self.mean_ = np.asarray(X[:, : self.n_features_in_].mean(axis=0, dtype=np.float64), np.float32)

    def _inputs(self, X):
        """Rows minus the mean of the training rows, as in PCA; known cells beside them stay."""
        return X - np.pad(self.mean_, (0, X.shape[1] - self.n_features_in_))

    def _terms(self, networks, x, seen, generator):
        if self.kind != TABLES:
            return super()._terms(networks, x, seen, generator)
        # Categories are numbers here, since a linear decoder has no softmax.
        x, known = self._blocks.split_known(x)
        errors = (networks["decoder"](networks["encoder"](seen)) - x).square()
        return {"loss": (errors * known).sum(1).mean()}

    def _mean(self, out):
        return out

    def measures(self, X) -> list:
        """The distance of the networks from PCA of the rows."""
        # With missing cells the optimum is not PCA's.
        if X.shape[1] > min(pca_spectrum.MOST_FEATURES, self.n_features_in_):
            return []
        of_rows = pca_spectrum.decompose(X)
        mean = {"mean_": np.zeros(X.shape[1])}  # the rows are centred

        def measured(networks) -> dict[str, float]:
            arrays = {name: value.cpu().numpy() for name, value in networks.state_dict().items()}
            return linear_ae_vs_pca.distance_to_pca(linear_ae_vs_pca.LinearPair.from_arrays(arrays | mean), of_rows)

        return [measured]

    def transform(self, X) -> np.ndarray:
        check_is_fitted(self)
        return self._map(self.networks_["encoder"], self._inputs(self._validated(X, reset=False)))

    def inverse_transform(self, Z) -> np.ndarray:
        """Rows reconstructed from codes: (n_samples, n_features), any values."""
        return super().inverse_transform(Z) + self.mean_

    def arrays(self):
        return {**super().arrays(), "mean_": self.mean_}

    def restore(self, arrays):
        self.mean_ = np.asarray(arrays["mean_"], np.float32)
        return super().restore(arrays)


METHOD = base.declare(
    LinearAutoencoder,
    summary="Autoencoder without non-linearities: gradient descent finds the subspace of PCA.",
    loss_unit={IMAGES: "squared error per image", TABLES: "squared error per row"},
)
