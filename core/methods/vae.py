"""Variational autoencoder: maximise the evidence lower bound of the data."""

from __future__ import annotations

import math

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from core.methods import base
from core.types import DOCUMENTS, IMAGES, BadInput, Param

# The Normal output's standard deviation stays above 0.02, about five of 256 grey levels: pixels that
# never change would otherwise send the density to infinity.
_LOWEST_LOG_VARIANCE = 2 * math.log(0.02)


def _kl_to_standard_normal(mean, log_variance):
    """KL(N(mean, variance) || N(0, I)) in nats: (batch, k) -> (batch,). Kingma and Welling 2014, eq. 10."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1)


def _log_normal(x, mean, log_variance):
    """log N(x; mean, variance) in nats, summed over the last axis."""
    return -0.5 * ((x - mean).square() / log_variance.exp() + log_variance + math.log(2 * math.pi)).sum(-1)


class VAE(base.NetworkTransformer):
    """Variational autoencoder with a standard normal prior and a diagonal normal posterior.

    Any q(z) bounds log p(x) from below, so the bound also holds in training, where q follows from a part of the words.

    Parameters
    ----------
    n_components : int, size of the code z.
    output : {"bernoulli", "normal"}, for images: p(x|z) has Bernoulli means (grey pixels count as means), or a Normal
        mean and variance for every pixel. A document's words are draws from p(word|z).
    beta : weight of the KL term in the training loss (Higgins et al. 2017); every reported bound has beta = 1.
    network, width, layers, activation, augment, weighting, word_dropout, epochs, max_seconds, batch_size,
    learning_rate, weight_decay, kind, image_shape, random_state : as in `core.methods.ae.Autoencoder`.

    References
    ----------
    Kingma and Welling 2014, Auto-encoding variational Bayes. Burda et al. 2016, Importance weighted autoencoders.
    Miao, Yu and Blunsom 2016, Neural variational inference for text processing.
    """

    players = {"autoencoder": ("encoder", "decoder")}

    def __init__(
        self,
        n_components=10,
        *,
        output="bernoulli",
        beta=1.0,
        network="mlp",
        width=512,
        layers=3,
        activation="relu",
        augment=0.0,
        weighting="tfidf",
        word_dropout=0.5,
        epochs=20,
        max_seconds=0.0,
        batch_size=512,
        learning_rate=0.005,
        weight_decay=0.01,
        kind=IMAGES,
        image_shape=None,
        random_state=None,
    ):
        self.n_components = n_components
        self.output = output
        self.beta = beta
        self.network = network
        self.width = width
        self.layers = layers
        self.activation = activation
        self.augment = augment
        self.weighting = weighting
        self.word_dropout = word_dropout
        self.epochs = epochs
        self.max_seconds = max_seconds
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.kind = kind
        self.image_shape = image_shape
        self.random_state = random_state

    def _plan(self):
        return {"weight_decay": self.weight_decay}

    def _build(self, n_features: int):
        from torch import nn

        from core.networks import Shape

        shape = Shape(self.network, self.width, self.layers, self.activation, self.image_shape)
        planes = 2 if self.output == "normal" and self.kind == IMAGES else 1
        return nn.ModuleDict(
            {
                "encoder": self._encoder(shape, n_features, 2 * self.n_components),
                "decoder": shape.decoder(self.n_components, n_features, planes),
            }
        )

    def _posterior(self, networks, x):
        """Mean and log variance of q(z|x), each (batch, n_components)."""
        mean, log_variance = networks["encoder"](x).float().chunk(2, 1)
        return mean, log_variance.clamp(-12, 8)

    def _normal(self, out):
        """Mean and log variance of a Normal output, each (..., n_features)."""
        from torch.nn.functional import softplus

        mean, raw = out.chunk(2, -1)
        return mean, _LOWEST_LOG_VARIANCE + softplus(raw - _LOWEST_LOG_VARIANCE)

    def _log_likelihood(self, x, out):
        """log p(x|z) in nats, summed over pixels or words: (..., n_features) -> (...,)."""
        from torch.nn.functional import binary_cross_entropy_with_logits

        if self.kind == DOCUMENTS:
            return (x * out.log_softmax(-1)).sum(-1)
        if self.output == "normal":
            return _log_normal(x, *self._normal(out))
        return -binary_cross_entropy_with_logits(out, x.expand_as(out), reduction="none").sum(-1)

    def train_step(self, networks, player, x, generator, progress):
        """Negative ELBO in nats a row, the KL weighted by beta; z = mean + sigma * eps (reparameterization)."""
        import torch

        x = self._augmented(x, generator, progress)
        mean, log_variance = self._posterior(networks, self._words_hidden(x, generator))
        eps = torch.randn(mean.shape, generator=generator).to(x.device)
        out = networks["decoder"](mean + (0.5 * log_variance).exp() * eps).float()
        reconstruction = -self._log_likelihood(x, out).mean()
        kl = _kl_to_standard_normal(mean, log_variance).mean()
        return {"loss": reconstruction + self.beta * kl, "reconstruction": reconstruction, "kl": kl}

    def _validated(self, X, *, reset: bool):
        X = super()._validated(X, reset=reset)
        if self.kind == IMAGES and self.output == "bernoulli" and reset:
            low, high = float(X.min()), float(X.max())
            if low < 0 or high > 1:
                raise BadInput(
                    f"output=bernoulli needs values in [0, 1], these run from {low:g} to {high:g}: "
                    "scale them, or choose output=normal."
                )
        return X

    def transform(self, X) -> np.ndarray:
        """Posterior means of the rows of X: (n_samples, n_components) float32."""
        check_is_fitted(self)
        return self._map(lambda x: self._posterior(self.networks_, x)[0], self._validated(X, reset=False))

    def inverse_transform(self, Z) -> np.ndarray:
        """Mean of p(x|z) for each code: (n_samples, n_features), pixels or word probabilities."""
        return self._map(lambda z: self._mean(self.networks_["decoder"](z)), self._codes(Z))

    def _mean(self, out):
        if self.kind == DOCUMENTS:
            return out.softmax(1)
        return self._normal(out)[0] if self.output == "normal" else out.sigmoid()

    def sample(self, n_samples: int = 1, random_state=None) -> np.ndarray:
        """Means of p(x|z) at codes drawn from the prior N(0, I): (n_samples, n_features)."""
        check_is_fitted(self)
        Z = check_random_state(random_state).standard_normal((n_samples, self.n_components))
        return self.inverse_transform(Z)

    def elbo_terms(self, X, *, at_mean: bool = False, random_state=None) -> tuple[np.ndarray, np.ndarray]:
        """Both parts of the negative evidence lower bound of each row, beta = 1.

        Parameters
        ----------
        at_mean : take z at the posterior mean instead of one draw: the lecture's convention, not a bound.

        Returns
        -------
        reconstruction, kl : (n_samples,) each, in nats.
        """
        import torch

        check_is_fitted(self)
        generator = None if at_mean else self._generator(random_state)

        def terms(x):
            mean, log_variance = self._posterior(self.networks_, x)
            z = mean
            if not at_mean:
                eps = torch.randn(mean.shape, generator=generator).to(x.device)
                z = mean + (0.5 * log_variance).exp() * eps
            likelihood = self._log_likelihood(x, self.networks_["decoder"](z))
            return torch.stack([-likelihood, _kl_to_standard_normal(mean, log_variance)], 1)

        parts = self._map(terms, self._validated(X, reset=False))
        return parts[:, 0], parts[:, 1]

    def score_samples(self, X, n_importance: int = 100, random_state=None) -> np.ndarray:
        """Importance-weighted lower bound of log p(x), in nats: (n_samples,). Burda et al. 2016, eq. 8."""
        import torch

        check_is_fitted(self)
        generator = self._generator(random_state)

        def log_weights(x):
            mean, log_variance = self._posterior(self.networks_, x)
            weights = []
            for _ in range(n_importance):
                eps = torch.randn(mean.shape, generator=generator).to(x.device)
                z = mean + (0.5 * log_variance).exp() * eps
                prior = _log_normal(z, torch.zeros_like(z), torch.zeros_like(z))
                proposal = _log_normal(z, mean, log_variance)
                weights.append(self._log_likelihood(x, self.networks_["decoder"](z)) + prior - proposal)
            return torch.stack(weights).logsumexp(0) - math.log(n_importance)

        return self._map(log_weights, self._validated(X, reset=False))

    def _generator(self, random_state):
        import torch

        return torch.Generator().manual_seed(int(check_random_state(random_state).randint(2**31 - 1)))


METHOD = base.declare(
    VAE,
    name="vae",
    label="VAE",
    kinds=(IMAGES, DOCUMENTS),
    summary="Variational autoencoder: a probabilistic code kept near a standard normal prior, so it can be sampled.",
    params=(
        base.n_components(),
        Param("output", "bernoulli", ("bernoulli", "normal"), "Distribution p(x|z) of a pixel.", (IMAGES,)),
        Param("beta", 1.0, (0.0, 100.0), "Weight of the KL term while training; reported bounds always have 1."),
        *base.architecture(),
        base.AUGMENT,
        base.WEIGHTING,
        base.WORD_DROPOUT,
        *base.training_params(epochs=20, learning_rate=0.005),
        base.WEIGHT_DECAY,
    ),
    version=1,
    loss_unit={IMAGES: "nats an image", DOCUMENTS: "nats a document"},
)
