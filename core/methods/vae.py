"""Variational autoencoder: maximises the evidence lower bound."""

import math

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from core.errors import BadInput
from core.methods import base, params
from core.nn import losses
from core.types import BERNOULLI, CONTINUOUS_BERNOULLI, DOCUMENTS, IMAGES, TABLES, Param

_OUTPUT = (
    "Distribution p(x|z) of a pixel. Bernoulli on grey pixels is no normalised density; the continuous Bernoulli is."
)


class VAE(base.NetworkTransformer):
    """Variational autoencoder with a standard normal prior and a diagonal normal posterior.

    The parameters are those in `PARAMS` and those of `core.methods.ae.Autoencoder`. ``output="bernoulli"`` treats grey
    pixels as means, which is no density; ``"continuous_bernoulli"`` is its normalised form for values in [0, 1];
    ``"normal"`` has a mean and a variance for every pixel. A document's words are samples of
    p(word|z). A number of a table is Normal with one learned variance for all rows, a category one draw.
    Word dropout keeps the bound valid, since any q(z) bounds log p(x) from below.

    References
    ----------
    Kingma and Welling 2014, Auto-encoding variational Bayes. Burda et al. 2016, Importance weighted autoencoders.
    Loaiza-Ganem and Cunningham 2019, The continuous Bernoulli. Higgins et al. 2017, beta-VAE. Miao, Yu and Blunsom
    2016, Neural variational inference for text processing.
    """

    PARAMS = (
        params.n_components(),
        Param("output", BERNOULLI, (BERNOULLI, CONTINUOUS_BERNOULLI, "normal"), _OUTPUT, (IMAGES,)),
        Param("beta", 1.0, (0.0, 100.0), "Weight of the KL term in training; evaluation always uses 1."),
        *params.ARCHITECTURE,
        *params.WORDS,
        *params.training_params(epochs=20, learning_rate=0.005),
        params.WEIGHT_DECAY,
    )

    @property
    def n_outputs(self):
        return 2, 2 if self.output == "normal" and self.kind == IMAGES else 1

    def _build(self, n_features: int):
        networks = super()._build(n_features)
        if self.kind == TABLES:
            from core.nn.blocks import FeatureVariance

            networks["decoder"].append(FeatureVariance(n_features))
        return networks

    @property
    def deviations_(self) -> np.ndarray | None:
        """Of a table: (n_features,) standard deviation of each column given z, 0 for categories; else None."""
        if self.kind != TABLES:
            return None
        deviations = np.zeros(self.n_features_in_, np.float32)
        numbers = self._blocks.numbers.numpy()
        deviations[numbers] = self.networks_["decoder"][-1].deviation().detach().numpy()[numbers]
        return deviations

    def _posterior(self, networks, x):
        """Mean and log variance of q(z|x): (batch, n_components) each."""
        mean, log_variance = networks["encoder"](x).float().chunk(2, 1)
        return mean, log_variance.clamp(*params.LOG_VARIANCE_RANGE)

    def _log_likelihood(self, x, out):
        """log p(x|z) in nats, summed over pixels, words or known cells: (..., n_features) -> (...,)."""
        if self.kind == DOCUMENTS:
            return losses.word_log_likelihood(x, out)
        if self.kind == TABLES:
            return self._blocks.log_likelihood(x, out)
        if self.output == "normal":
            return losses.normal_log_density(x, *losses.split_normal(out))
        if self.output == CONTINUOUS_BERNOULLI:
            return losses.continuous_bernoulli_log_density(x, out)
        return losses.bernoulli_log_likelihood(x, out)

    def _terms(self, networks, x, seen, generator):
        """Negative ELBO in nats per row, with the KL term weighted by beta."""
        mean, log_variance = self._posterior(networks, seen)
        out = networks["decoder"](_draw(mean, log_variance, generator)).float()
        reconstruction = -self._log_likelihood(x, out).mean()
        kl = losses.kl_to_standard_normal(mean, log_variance).mean()
        return {"loss": reconstruction + self.beta * kl, "reconstruction": reconstruction, "kl": kl}

    def _validated(self, X, *, reset: bool):
        X = super()._validated(X, reset=reset)
        if self.kind == IMAGES and self.output != "normal" and reset and not 0 <= X.min() <= X.max() <= 1:
            values = f"these run from {X.min():g} to {X.max():g}"
            raise BadInput(
                f"output={self.output} needs values in [0, 1], {values}: scale them, or choose output=normal."
            )
        return X

    def transform(self, X) -> np.ndarray:
        """Posterior means of the rows of X: (n_samples, n_components) float32."""
        check_is_fitted(self)
        return self._map(lambda x: self._posterior(self.networks_, x)[0], self._validated(X, reset=False))

    def posterior(self, X) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of q(z|x): (n_samples, n_components) float32 each."""
        import torch

        def moments(x):
            mean, log_variance = self._posterior(self.networks_, x)
            return torch.cat([mean, (0.5 * log_variance).exp()], 1)

        check_is_fitted(self)
        mean, deviation = np.split(self._map(moments, self._validated(X, reset=False)), 2, axis=1)
        return mean, deviation

    sample = base.sample_prior

    def elbo_terms(self, X, *, at_mean: bool = False, random_state=None, known=None) -> tuple[np.ndarray, np.ndarray]:
        """The two terms of the negative evidence lower bound: reconstruction and KL, (n_samples,) each, in nats.

        With `at_mean`, z is the posterior mean instead of a sample: the lecture's convention, not a bound. `known` as
        in `fit`.
        """
        import torch

        check_is_fitted(self)
        generator = None if at_mean else self._generator(random_state)

        def terms(x):
            mean, log_variance = self._posterior(self.networks_, self._seen(x))
            z = mean if at_mean else _draw(mean, log_variance, generator)
            likelihood = self._log_likelihood(x, self.networks_["decoder"](z))
            return torch.stack([-likelihood, losses.kl_to_standard_normal(mean, log_variance)], 1)

        parts = self._map(terms, self._with_known(self._validated(X, reset=False), known))
        return parts[:, 0], parts[:, 1]

    def score_samples(self, X, n_importance: int = 100, random_state=None, *, known=None) -> np.ndarray:
        """Importance-weighted lower bound of log p(x), in nats: (n_samples,). Burda et al. 2016, eq. 8.

        `known` as in `fit`.
        """
        import torch

        check_is_fitted(self)
        generator = self._generator(random_state)

        def log_weights(x):
            mean, log_variance = self._posterior(self.networks_, self._seen(x))
            weights = []
            for _ in range(n_importance):
                z = _draw(mean, log_variance, generator)
                prior = losses.normal_log_density(z, torch.zeros_like(z), torch.zeros_like(z))
                proposal = losses.normal_log_density(z, mean, log_variance)
                weights.append(self._log_likelihood(x, self.networks_["decoder"](z)) + prior - proposal)
            return torch.stack(weights).logsumexp(0) - math.log(n_importance)

        return self._map(log_weights, self._with_known(self._validated(X, reset=False), known))

    def _generator(self, random_state):
        import torch

        return torch.Generator().manual_seed(int(check_random_state(random_state).randint(2**31 - 1)))


def _draw(mean, log_variance, generator):
    """z = mean + sigma * eps (reparameterization)."""
    import torch

    return mean + (0.5 * log_variance).exp() * torch.randn(mean.shape, generator=generator).to(mean.device)


METHOD = base.declare(
    VAE,
    summary="Variational autoencoder: a probabilistic code kept near a standard normal prior, so it can be sampled.",
    loss_unit={IMAGES: "nats per image", DOCUMENTS: "nats per document", TABLES: "nats per row"},
)
