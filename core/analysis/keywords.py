"""Keywords of selected documents, and of the decoder's output along a latent dimension."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.analysis.rows import Rows
from core.errors import BadInput


def find_distinctive_words(rows: Rows, selected: np.ndarray, n_words: int = 15) -> list[tuple[str, float, float]]:
    """Find words typical of some documents: word, share of these documents, share of others.

    Ordered by the log-odds ratio with an informative Dirichlet prior, in standard deviations: Monroe, Colaresi and
    Quinn 2008, Fightin' words, eq. 16 and 22.
    """
    inside = np.zeros(len(rows), bool)
    inside[selected] = True
    counts = np.asarray(rows.X[inside].sum(axis=0), np.float64).ravel()
    others = np.asarray(rows.X[~inside].sum(axis=0), np.float64).ravel()
    prior = counts + others
    if counts.sum() == 0 or others.sum() == 0:
        return []
    prior = np.maximum(prior * (500 / prior.sum()), 1e-3)

    def log_odds(n: np.ndarray) -> np.ndarray:
        total = n + prior
        return np.log(total) - np.log(total.sum() - total)

    spread = np.sqrt(1 / (counts + prior) + 1 / (others + prior))
    score = (log_odds(counts) - log_odds(others)) / spread
    best = [k for k in np.argsort(-score, kind="stable")[:n_words] if counts[k] > 0 and score[k] > 0]
    within, without = (
        np.asarray((part > 0).sum(axis=0), np.float64).ravel() / part.shape[0]
        for part in (rows.X[inside], rows.X[~inside])
    )
    return [(rows.vocabulary[k], float(within[k]), float(without[k])) for k in best]


# A traversal runs between these quantiles of the codes, which excludes outliers.
_STEPS, _ENDS = 41, (0.025, 0.975)
# Inactive dimensions of the shipped VAEs change no probability by more than 0.00004, all others some by 0.01 or more.
_LEAST_CHANGE = 1e-3


def find_heaviest_words(weights: np.ndarray, vocabulary: Sequence[str], n_words: int) -> list[tuple[str, float]]:
    """List the words with the largest positive weights; ties in the order of the vocabulary."""
    order = np.argsort(-np.asarray(weights), kind="stable")[:n_words]
    return [(vocabulary[k], float(weights[k])) for k in order if weights[k] > 0]


@dataclass(frozen=True)
class Traversal:
    """A traversal of one latent dimension from low to high, with all others at their median.

    Attributes
    ----------
    values : (n_steps,) of this dimension, increasing.
    codes : (n_steps, n_components) the whole code at each.
    weights : (n_steps, n_words) float32, what the method expects at each: probabilities (AE, VAE) or weights (LSA).
    """

    values: np.ndarray
    codes: np.ndarray
    weights: np.ndarray

    @property
    def change(self) -> np.ndarray:
        """(n_words,) the largest difference of each word's weight between two steps."""
        return self.weights.max(axis=0) - self.weights.min(axis=0)

    @property
    def is_used(self) -> bool:
        """Whether the dimension changes the probability of a word; True for weights without scale."""
        are_probabilities = self.weights.min() >= 0 and np.allclose(self.weights.sum(axis=1), 1, atol=1e-3)
        return not are_probabilities or bool(self.change.max() >= _LEAST_CHANGE)

    def find_changing(self, n_words: int) -> np.ndarray:
        """Indices of the words that change most, the most first."""
        return np.argsort(-self.change, kind="stable")[:n_words]

    def find_thirds(self, n_words: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Indices of the words that change most, by the third of the traversal of their peak."""
        third = self.weights.argmax(axis=0) * 3 // len(self.values)
        order = self.find_changing(len(self.change))
        order = order[self.change[order] > 0]
        low, middle, high = (order[third[order] == k][:n_words] for k in range(3))
        return low, middle, high


def traverse_dimension(estimator: Any, codes: np.ndarray, number: int) -> Traversal:
    """Traverse latent dimension `number`, from 0, through the range of codes (n, n_components)."""
    codes = np.asarray(codes, np.float64)
    if not 0 <= number < codes.shape[1]:
        raise BadInput(f"The code has {codes.shape[1]} dimensions: there is no dimension {number + 1}.")
    if not len(codes):
        raise BadInput("The range of the dimension is unknown without a document.")
    low, high = np.quantile(codes[:, number], _ENDS)
    Z = np.repeat(np.median(codes, axis=0)[None], _STEPS, axis=0)
    Z[:, number] = np.linspace(low, high, _STEPS)
    return Traversal(Z[:, number], Z, np.asarray(estimator.inverse_transform(Z), np.float32))
