"""Naive sampling: log p(x) with codes from the prior, and what an encoder changes.

The objective is log (1/K) sum_k p(x|z_k) with z_k from p(z). Its gradient is the mean of the gradients of log p(x|z_k),
weighted by p(x|z_k) / sum_j p(x|z_j): most pairs (z, x) have hardly any weight.

References
----------
Burda, Grosse and Salakhutdinov 2016, Importance weighted autoencoders, eq. 13 (the weights).
Kong 1992, A note on importance sampling using standardized weights (effective sample size).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.mechanisms.linear_gaussian import LinearGaussian
from core.mechanisms.monte_carlo import Estimate, log_mean_exp

_CONTRIBUTION = 0.99


@dataclass(frozen=True)
class Pairs:
    """Weights of the pairs of one training step.

    Attributes
    ----------
    weights : (n, k) p(x|z_k) / sum_j p(x|z_j), rows summing to 1.
    gradients : (n, k) norm of the gradient of log p(x|z) by W and b, in nats.
    """

    weights: np.ndarray
    gradients: np.ndarray

    @property
    def contributing(self) -> np.ndarray:
        """(n, k) bool: the fewest pairs whose weighted gradient norms make up 99% of all."""
        norms = (self.weights * self.gradients).ravel()
        order = np.argsort(-norms)
        total = np.cumsum(norms[order])
        n_needed = int(np.searchsorted(total, _CONTRIBUTION * total[-1])) + 1
        contributing = np.zeros(norms.size, bool)
        contributing[order[:n_needed]] = True
        return contributing.reshape(self.weights.shape)

    @property
    def share(self) -> float:
        """Share of the pairs that contribute 99% of the gradient, in (0, 1]."""
        return float(self.contributing.mean())

    @property
    def effective_samples(self) -> float:
        """1 / sum_k w_k^2, mean over rows, in [1, k]: the effective sample size (Kong 1992)."""
        return float(np.mean(1 / np.square(self.weights).sum(1)))


def weigh_pairs(model: LinearGaussian, X: np.ndarray, Z: np.ndarray, log_proposal: np.ndarray | None = None) -> Pairs:
    """Weights and gradient norms of every row with every code.

    Parameters
    ----------
    X : (n, n_features)
    Z : (k, n_components), drawn from the prior, or (n, k, n_components), each row's own from its encoder.
    log_proposal : (n, k) log q(z|x) - log p(z) in nats, where the codes are an encoder's.
    """
    own = Z if Z.ndim == 3 else np.broadcast_to(Z, (len(X), *Z.shape))
    residuals = X[:, None] - own @ model.weights.T - model.bias  # (n, k, n_features)
    squared = np.square(residuals).sum(-1)
    log_weights = -0.5 * squared / model.noise**2
    if log_proposal is not None:
        log_weights = log_weights - log_proposal
    weights = np.exp(log_weights - log_weights.max(1, keepdims=True))
    # By W it is the outer product of residual and code over the noise's variance, by b the residual over it.
    gradients = np.sqrt(squared * (np.square(own).sum(-1) + 1)) / model.noise**2
    return Pairs(weights / weights.sum(1, keepdims=True), gradients)


@dataclass(frozen=True)
class Encoder:
    """q(z|x) for a linear-Gaussian model: its posterior, made wider and shifted.

    Attributes
    ----------
    spread : factor on the posterior's standard deviations, above 0; 1 is exact.
    shift : of the mean in every latent dimension, in the posterior's standard deviations.
    """

    spread: float = 1.0
    shift: float = 0.0

    def encode(self, model: LinearGaussian, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Means (n, n_components), and the covariance's Cholesky factor."""
        mean, covariance = model.posterior(X)
        return mean + self.shift * np.sqrt(np.diag(covariance)), self.spread * np.linalg.cholesky(covariance)

    def propose(self, model: LinearGaussian, X: np.ndarray, k: int, rng) -> tuple[np.ndarray, np.ndarray]:
        """Codes (n, k, n_components) from q(z|x), and log q(z|x) - log p(z) (n, k) in nats."""
        mean, factor = self.encode(model, X)
        eps = rng.standard_normal((len(X), k, model.n_components))
        Z = mean[:, None] + eps @ factor.T
        log_q = -0.5 * np.square(eps).sum(-1) - np.log(np.diag(factor)).sum()
        return Z, log_q + 0.5 * np.square(Z).sum(-1)


def sample_log_weights(
    model: LinearGaussian, x: np.ndarray, shape: tuple[int, ...], rng, encoder: Encoder | None = None
) -> np.ndarray:
    """log of p(x|z) p(z) / q(z), whose mean is p(x), of this shape, for x (n_features,).

    Codes are from the encoder, or from the prior, where p(z) / q(z) = 1.
    """
    n = int(np.prod(shape))
    if encoder is None:
        Z = rng.standard_normal((n, model.n_components))
        return model.log_likelihood(x[None], Z).reshape(shape)
    Z, log_proposal = encoder.propose(model, x[None], n, rng)
    return (model.log_likelihood(x[None], Z[0]) - log_proposal).reshape(shape)


def compute_quantiles(log_weights: np.ndarray, counts: Sequence[int]) -> np.ndarray:
    """5%, 50%, 95% of log (1/K) sum_k w_k in nats for m numbers K, over repeats: (repeats, most) -> (3, m)."""
    estimates = np.array([log_mean_exp(log_weights[:, :k]) for k in counts])  # (m, repeats)
    return np.quantile(estimates, (0.05, 0.5, 0.95), axis=1)


@dataclass(frozen=True)
class EstimateError:
    """How estimates of log p(x) err, from independent repeats, in nats.

    A first-order (delta method) standard error would be wrong here: where the mean of the weights has a relative error
    above 1, its logarithm is far too low nearly always, and its spread has nothing to do with that of the mean.

    Attributes
    ----------
    bias : mean of estimate - log p(x), with the standard error of that mean over the repeats
    deviation : standard deviation of the estimates over the repeats
    """

    bias: Estimate
    deviation: float

    @property
    def root_mean_square(self) -> float:
        """Root of the mean squared error over the repeats."""
        n = self.bias.n
        return float(np.sqrt(self.bias.value**2 + self.deviation**2 * (n - 1) / n))


def measure_error(log_weights: np.ndarray, truth: float) -> EstimateError:
    """The error of log (1/K) sum_k w_k over repeats, (repeats, K), about the exact log p(x) in nats."""
    errors = log_mean_exp(log_weights) - truth
    return EstimateError(Estimate.from_draws(errors), float(errors.std(ddof=1)))


def compute_relative_variance(model: LinearGaussian, x: np.ndarray) -> float:
    """Exact Var p(x|z) / p(x)^2 over codes of the prior, which K codes divide by K.

    So many codes are needed for a mean whose standard error is p(x) itself. Few draws show it: most of it comes from
    codes that are hardly ever drawn. p(x|z)^2 is a Gaussian of half the variance times (4 pi noise^2)^(-n_features/2),
    so its mean has a closed form.
    """
    log_square = -0.5 * model.n_features * np.log(4 * np.pi * model.noise**2)
    log_square += model.log_marginal(x[None], noise=model.noise / np.sqrt(2))[0]
    return float(np.expm1(log_square - 2 * model.log_marginal(x[None])[0]))


@dataclass(frozen=True)
class Objectives:
    """Two objectives for the same decoder, W scaled by each of `scales`, in nats per row.

    Attributes
    ----------
    scales : (m,); 1 is the decoder that made the rows, 0 one that ignores z.
    log_of_mean : (m,) mean log p(x), exact; log_of_mean_sampled : (m,) log (1/K) sum_k p(x|z_k), from samples.
    mean_of_log : (m,) mean of log p(x|z) over x and z of the prior, exact; mean_of_log_sampled : (m,) from the same
        samples; mean_of_log_error : (m,) its standard error over the sampled codes, given the rows.
    """

    scales: np.ndarray
    log_of_mean: np.ndarray
    log_of_mean_sampled: np.ndarray
    mean_of_log: np.ndarray
    mean_of_log_sampled: np.ndarray
    mean_of_log_error: np.ndarray


def compare_objectives(model: LinearGaussian, X: np.ndarray, Z: np.ndarray, scales: np.ndarray) -> Objectives:
    """The log of the mean of p(x|z), and the mean of its log, for rows X and prior's codes Z.

    E_p(z) log p(x|z) = log N(x; b, noise^2 I) - |W|^2 / (2 noise^2): any weight lowers it: the best decoder ignores z.
    """
    without_code = LinearGaussian(0 * model.weights, model.bias, model.noise).log_marginal(X).mean()
    rows = []
    for scale in scales:
        scaled = LinearGaussian(scale * model.weights, model.bias, model.noise)
        sampled = scaled.log_likelihood(X, Z)
        mean_of_log = without_code - np.square(scaled.weights).sum() / (2 * model.noise**2)
        error = sampled.mean(0).std(ddof=1) / np.sqrt(len(Z))
        log_of_mean = scaled.log_marginal(X).mean(), log_mean_exp(sampled).mean()
        rows.append((*log_of_mean, mean_of_log, sampled.mean(), error))
    return Objectives(np.asarray(scales), *np.array(rows).T)
