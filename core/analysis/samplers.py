"""Distributions over latent codes to sample from.

An autoencoder learns no distribution of its codes, so one has to be assumed or fitted; a VAE and a GAN are trained
with a prior. All of them are mixtures of Gaussians, most with a single mode.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from core import methods
from core.errors import BadInput
from core.methods import GAUSSIAN, MIXTURE, NORMAL, STANDARDISED
from core.types import Measurement, Run

# Enough rows for ten modes with full covariances, few enough for seconds, with the largest codes for a minute.
_MOST_FITTED, _MOST_NUMBERS = 20_000, 2_000_000
_ARRAYS = ("weights", "means", "factors")
TEMPERATURES = (0.0, 2.0)

# kind -> how the codes come about, in a few words
DESCRIPTIONS = {
    NORMAL: "codes drawn from N(0, I)",
    STANDARDISED: "codes drawn from N(0, I), each number scaled to the mean and deviation of the training codes",
    GAUSSIAN: "codes drawn from one Gaussian fitted to the training codes",
    MIXTURE: "codes drawn from a mixture of Gaussians fitted to the training codes",
}


class CodeSampler:
    """A distribution over latent codes.

    Parameters
    ----------
    kind : {"normal", "standardised", "gaussian", "mixture"}
        ``"normal"``: N(0, I), whatever the codes are: the prior of a VAE or a GAN, naive for an autoencoder.
        ``"standardised"``: N(0, I) on standardised codes, a deviation for each number of the code and no correlation.
        ``"gaussian"``: one Gaussian with the codes' mean and covariance; after PCA these are the samples of
        probabilistic PCA (Tipping and Bishop 1999) without its noise outside the principal subspace.
        ``"mixture"``: a mixture of `n_modes` Gaussians with full covariances (scikit-learn's GaussianMixture).
    n_modes : int, modes of the mixture; 10 as in Ghosh et al. 2020.

    Attributes
    ----------
    weights_ : (n_modes,), summing to 1
    means_ : (n_modes, n_components)
    factors_ : (n_modes, n_components, n_components), L with L L^T the covariance

    References
    ----------
    Ghosh et al. 2020, From variational to deterministic autoencoders (ex-post density estimation, section 4).
    """

    def __init__(self, kind: str = GAUSSIAN, *, n_modes: int = 10):
        self.kind, self.n_modes = kind, n_modes

    def fit(self, Z) -> CodeSampler:
        """Fit to two or more finite codes (n_samples, n_components)."""
        Z = np.asarray(Z, np.float64)
        size = Z.shape[1]
        mean, factor = np.zeros(size), np.eye(size)
        if self.kind == STANDARDISED:
            mean, factor = Z.mean(axis=0), np.diag(Z.std(axis=0))
        elif self.kind == GAUSSIAN:
            mean, factor = Z.mean(axis=0), _factor(np.cov(Z, rowvar=False).reshape(size, size))
        self.weights_, self.means_, self.factors_ = np.ones(1), mean[None], factor[None]
        if self.kind == MIXTURE:
            self._fit_mixture(Z)
        return self

    def _fit_mixture(self, Z: np.ndarray) -> None:
        from sklearn.mixture import GaussianMixture

        most = min(_MOST_FITTED, _MOST_NUMBERS // Z.shape[1])
        if len(Z) > most:
            Z = Z[np.random.default_rng(0).choice(len(Z), most, replace=False)]
        # Codes that have collapsed to few points have no more modes than these.
        modes = max(1, min(self.n_modes, len(np.unique(Z, axis=0)) // 2))
        spread = float(Z.var(axis=0).mean()) or 1.0
        mixture = GaussianMixture(modes, reg_covar=1e-6 * spread, random_state=0)
        with warnings.catch_warnings():
            # One that has not quite converged is a distribution to draw from all the same.
            warnings.simplefilter("ignore", ConvergenceWarning)
            mixture.fit(Z)
        self.weights_, self.means_ = mixture.weights_, mixture.means_
        self.factors_ = np.stack([_factor(covariance) for covariance in mixture.covariances_])

    def sample(
        self, n_samples: int = 1, random_state=None, *, temperature: float = 1.0, truncation: float | None = None
    ) -> np.ndarray:
        """Draw codes (n_samples, n_components).

        Parameters
        ----------
        temperature : factor of every deviation from a mode's mean, 0 to 2; 1 draws from the distribution itself.
        truncation : draw a normal number again while it is farther from 0 than so many deviations (Brock et al. 2019,
            section 3.1); None: never.
        """
        rng = check_random_state(random_state)
        # One mode takes no draw of its own: N(0, I) is then what `standard_normal` gives.
        modes = np.zeros(n_samples, int)
        if len(self.weights_) > 1:
            modes = rng.choice(len(self.weights_), n_samples, p=self.weights_ / self.weights_.sum())
        shape = (n_samples, self.means_.shape[1])
        if truncation is None:
            noise = rng.standard_normal(shape)
        else:
            from scipy.stats import truncnorm

            noise = truncnorm.rvs(-truncation, truncation, size=shape, random_state=rng)
        Z = self.means_[modes]
        for mode in np.unique(modes):
            Z[modes == mode] += temperature * noise[modes == mode] @ self.factors_[mode].T
        return Z

    def arrays(self) -> dict[str, np.ndarray]:
        """What was learned, as named arrays."""
        return {name: getattr(self, f"{name}_").astype(np.float32) for name in _ARRAYS}

    def restore(self, arrays: Mapping[str, Any]) -> CodeSampler:
        """Become fitted from what `arrays` returned."""
        for name in _ARRAYS:
            setattr(self, f"{name}_", np.asarray(arrays[name], np.float64))
        return self


def _factor(covariance: np.ndarray) -> np.ndarray:
    """L with L L^T the covariance, which may be singular: a number of the code may be constant."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return vectors * np.sqrt(np.maximum(values, 0.0))


def fit_default_sampler(estimator: Any, Z_train: np.ndarray | None, kind: str | None = None) -> CodeSampler:
    """Fit the sampler of `kind` to codes; by default the prior, or without one a Gaussian."""
    if kind is None:
        kind = NORMAL if hasattr(estimator, "sample") else GAUSSIAN
    if kind == NORMAL:
        Z_train = np.zeros((2, estimator.n_components))
    return CodeSampler(kind).fit(Z_train)


def describe_sampler(estimator: Any, kind: str) -> str:
    """Describe where codes of this kind come from, in a few words."""
    is_prior = kind == NORMAL and hasattr(estimator, "sample")
    return "codes drawn from the prior N(0, I)" if is_prior else DESCRIPTIONS[kind]


def restore_sampler(run: Run, kind: str, estimator: Any) -> CodeSampler:
    """Restore the sampler of `kind` that is stored with a run; BadInput if there is none."""
    if kind == NORMAL:
        return fit_default_sampler(estimator, None, NORMAL)
    try:
        return CodeSampler(kind).restore({name: run.views[f"sampler.{kind}.{name}"] for name in _ARRAYS})
    except KeyError:
        remedy = "it is fitted when the run's other figures are measured" if run.pending else "train it again"
        raise BadInput(f"This run holds no fitted distribution of its codes: {remedy}.") from None


def select_scores(run: Run, kind: str) -> dict[str, Measurement]:
    """Select a run's scores of one sampler, without their prefix; empty if not measured."""
    prefix = _prefix(run, kind)
    of_samples = ("frechet", "precision", "recall", "coverage", "copies")
    return {name: run.metrics[prefix + name] for name in of_samples if prefix + name in run.metrics}


def select_class_shares(run: Run, kind: str) -> dict[str, float]:
    """Select the share of each class among one sampler's samples; empty if not measured."""
    return run.by_class.get(f"{_prefix(run, kind)}class_shares", {})


def _prefix(run: Run, kind: str) -> str:
    return "" if kind == methods.entry(run.spec.method).samplers[0] else f"{kind}."


@dataclass(frozen=True)
class Ranking:
    """Labels of samplers, the best first, and those whose interval meets that of the best."""

    order: tuple[str, ...]
    tied: tuple[str, ...]

    @property
    def is_significant(self) -> bool:
        return not self.tied


def rank_samplers(scores: Mapping[str, Mapping[str, Measurement]]) -> Ranking:
    """Rank samplers by Fréchet distance; the intervals cover other samples of the same fit."""
    distances = {label: measured.get("frechet") for label, measured in scores.items()}
    known = {label: distance for label, distance in distances.items() if distance and distance.interval}
    order = sorted(known, key=lambda label: known[label].value)
    if not order:
        return Ranking((), ())
    best = known[order[0]]
    tied = [label for label in order[1:] if known[label].low <= best.high and known[label].high >= best.low]
    return Ranking(tuple(order), tuple(tied))


def has_excess_copies(scores: Mapping[str, Measurement], floor: Measurement) -> bool:
    """Whether near-duplicates of training images are significantly more than among test rows."""
    copies = scores.get("copies")
    return copies is not None and copies.interval is not None and copies.low > floor.high
