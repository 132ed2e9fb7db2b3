"""The lower bound of a known VAE: its parts, its gap, and which components beta collapses.

References
----------
Kingma and Welling 2014, Auto-encoding variational Bayes, eq. 2 and 3.
Burda, Grosse and Salakhutdinov 2016, Importance weighted autoencoders, theorem 1 (the bound tightens with k).
Lucas, Tucker, Grosse and Norouzi 2019, Don't blame the ELBO! A linear VAE perspective on posterior collapse.
Higgins et al. 2017, beta-VAE, eq. 4.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.mechanisms import naive_sampling
from core.mechanisms.divergences import Gaussian
from core.mechanisms.linear_gaussian import LinearGaussian
from core.mechanisms.monte_carlo import Estimate, log_mean_exp
from core.mechanisms.naive_sampling import Encoder

_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True)
class Bound:
    """Exact parts of −ELBO for a row, in nats: reconstruction + kl = gap - log p(x).

    Attributes
    ----------
    reconstruction : -E_q log p(x|z); kl : KL(q(z|x) || p(z)).
    gap : KL(q(z|x) || p(z|x)), at least 0; log_marginal : log p(x).
    """

    reconstruction: float
    kl: float
    gap: float
    log_marginal: float

    @property
    def elbo(self) -> float:
        return -self.reconstruction - self.kl


@dataclass(frozen=True)
class TemperedEncoder:
    """q(z|x) proportional to p(z) p(x|z)^t: the prior at t = 0, the posterior at 1, narrower than it above."""

    t: float

    def encode(self, model: LinearGaussian, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """As `Encoder.encode`."""
        if self.t == 0:
            return np.zeros((len(X), model.n_components)), np.eye(model.n_components)
        # p(x|z)^t is, up to a factor, a likelihood with 1 / t times the variance.
        mean, covariance = replace(model, noise=model.noise / np.sqrt(self.t)).posterior(X)
        return mean, np.linalg.cholesky(covariance)


def compute_bound(model: LinearGaussian, x: np.ndarray, encoder: Encoder | TemperedEncoder) -> Bound:
    """The bound of a row (n_features,) with a Gaussian encoder."""
    mean, factor = encoder.encode(model, x[None])
    q = Gaussian(mean[0], factor @ factor.T)
    at_mean = model.log_likelihood(x[None], mean)[0, 0]
    lost = np.trace(model.weights.T @ model.weights @ q.covariance) / (2 * model.noise**2)
    true_mean, true_covariance = model.posterior(x[None])
    prior = Gaussian(np.zeros(model.n_components), np.eye(model.n_components))
    return Bound(
        reconstruction=float(lost - at_mean),
        kl=q.compute_kl(prior),
        gap=q.compute_kl(Gaussian(true_mean[0], true_covariance)),
        log_marginal=float(model.log_marginal(x[None])[0]),
    )


def estimate_elbo(model: LinearGaussian, x: np.ndarray, encoder: Encoder, n: int, rng) -> Estimate:
    """ELBO of a row in nats: the mean of log p(x|z) + log p(z) - log q(z|x), z ~ q(z|x)."""
    return Estimate.from_draws(naive_sampling.sample_log_weights(model, x, (n,), rng, encoder))


def estimate_tighter_bounds(
    model: LinearGaussian, x: np.ndarray, encoder: Encoder, counts: Sequence[int], repeats: int, rng
) -> list[Estimate]:
    """E log (1/k) sum_k p(x, z_k) / q(z_k|x) for each k, in nats; the ELBO at k = 1."""
    log_weights = naive_sampling.sample_log_weights(model, x, (repeats, max(counts)), rng, encoder)
    return [Estimate.from_draws(log_mean_exp(log_weights[:, :k])) for k in counts]


@dataclass(frozen=True)
class LinearVAE:
    """The optimal linear VAE for rows with given variances along principal components.

    The decoder's noise is fixed. Along component i it has the weight w_i, the encoder a mean v_i x_i and a standard
    deviation s_i. A component whose variance is at most beta * noise^2 is collapsed: w = v = 0, s = 1, KL 0. Any other
    is encoded to the error beta * noise^2, as in reverse water-filling (Cover and Thomas 2006, theorem 10.3.3).

    Attributes
    ----------
    variances : (d,) at least 0, in squared units of x.
    noise : standard deviation of the output, above 0; beta : above 0, weight of the KL divergence.
    """

    variances: np.ndarray
    noise: float
    beta: float

    @property
    def level(self) -> float:
        """beta * noise^2, in squared units of x: larger variances are encoded."""
        return self.beta * self.noise**2

    @property
    def active(self) -> np.ndarray:
        """(d,) bool."""
        return self.variances > self.level

    @property
    def kl(self) -> np.ndarray:
        """KL(q(z_i|x) || p(z_i)), mean over rows, in nats: (d,)."""
        return 0.5 * np.log(np.maximum(self.variances / self.level, 1))

    @property
    def error(self) -> np.ndarray:
        """Squared error E (x_i - w_i z_i)^2 by component: (d,)."""
        return np.minimum(self.variances, self.level)

    @property
    def weights(self) -> np.ndarray:
        """w_i: (d,), at least 0."""
        return np.sqrt((self.variances - self.level).clip(min=0))

    @property
    def gains(self) -> np.ndarray:
        """v_i: (d,)."""
        return np.divide(self.weights, self.variances, out=np.zeros(len(self.variances)), where=self.active)

    @property
    def deviations(self) -> np.ndarray:
        """s_i: (d,) in [0, 1]."""
        return np.sqrt(self.level / np.maximum(self.variances, self.level))

    @property
    def reconstruction(self) -> float:
        """-E_q log p(x|z), mean over rows, in nats."""
        return float(self._to_nats(self.error))

    def _to_nats(self, squared: np.ndarray) -> np.ndarray:
        """-log p(x|z) from the squared error of each component: (..., d) -> (...)."""
        return 0.5 * (squared / self.noise**2 + _LOG_2PI + 2 * np.log(self.noise)).sum(-1)

    def estimate_loss(self, X: np.ndarray, rng) -> Estimate:
        """reconstruction + beta * KL in nats, two z for each row (n, d), in principal components.

        The error is that of the codes; the rows are fixed, and the exact value is that of these rows.
        """
        mean, variances = X * self.gains, np.square(self.deviations)
        Z = mean + self.deviations * rng.standard_normal((2, *X.shape))
        kl = 0.5 * (np.square(mean) + variances - 1 - np.log(variances)).sum(1)
        losses = self._to_nats(np.square(X - Z * self.weights)) + self.beta * kl  # (2, n)
        error = np.sqrt(np.square(losses[0] - losses[1]).mean() / (4 * len(X)))
        return Estimate(float(losses.mean()), float(error), losses.size)
