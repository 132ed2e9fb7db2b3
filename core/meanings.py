"""What codes of documents mean, in words: of one document, and along an axis of the code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.types import BadInput

STEPS = 41
# Of the codes an axis is walked between these quantiles: farther out a few stray documents would stretch it.
_ENDS = (0.025, 0.975)
# Numbers that training gave up and the others are far apart: those of the shipped VAEs move no probability by 0.00004,
# every other number of a shipped network moves some by 0.01 or more.
_LEAST_CHANGE = 1e-3


def heaviest(weights: np.ndarray, vocabulary: Sequence[str], n_words: int) -> list[tuple[str, float]]:
    """The words of the largest positive weights, largest first; of equal ones the first of the vocabulary.

    Parameters
    ----------
    weights : (n_words,) counts, probabilities or weights of any sign
    """
    order = np.argsort(-np.asarray(weights), kind="stable")[:n_words]
    return [(vocabulary[k], float(weights[k])) for k in order if weights[k] > 0]


@dataclass(frozen=True)
class Axis:
    """One number of a code walked from a low to a high value while the others stay at their median.

    Attributes
    ----------
    values : (n_steps,) of this number, increasing.
    codes : (n_steps, n_components) the whole code at each.
    weights : (n_steps, n_words) float32, what the method expects at each: probabilities (AE, VAE) or weights (LSA).
    """

    values: np.ndarray
    codes: np.ndarray
    weights: np.ndarray

    @property
    def change(self) -> np.ndarray:
        """(n_words,) the most each word's weight differs between any two of the steps."""
        return self.weights.max(axis=0) - self.weights.min(axis=0)

    @property
    def is_used(self) -> bool:
        """Whether the method lets this number change any word's probability; weights have no scale to tell it by."""
        are_probabilities = self.weights.min() >= 0 and np.allclose(self.weights.sum(axis=1), 1, atol=1e-3)
        return not are_probabilities or bool(self.change.max() >= _LEAST_CHANGE)

    @property
    def peak(self) -> np.ndarray:
        """(n_words,) the step at which each word weighs most."""
        return self.weights.argmax(axis=0)

    def changing(self, n_words: int) -> np.ndarray:
        """Numbers of the words that change most, the most first."""
        return np.argsort(-self.change, kind="stable")[:n_words]

    def thirds(self, n_words: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Numbers of the words that change most, of those whose peak is in the low, the middle and the high third."""
        third = self.peak * 3 // len(self.values)
        order = np.argsort(-self.change, kind="stable")
        order = order[self.change[order] > 0]
        low, middle, high = (order[third[order] == k][:n_words] for k in range(3))
        return low, middle, high


def along(estimator: Any, codes: np.ndarray, number: int, n_steps: int = STEPS) -> Axis:
    """Walk one number of the code through the range that documents have.

    Parameters
    ----------
    estimator : with `inverse_transform`
    codes : (n, n_components) of documents
    number : which of a code's numbers, from 0

    Raises
    ------
    BadInput
        For a number that the code has not, or without a document.
    """
    codes = np.asarray(codes, np.float64)
    if not 0 <= number < codes.shape[1]:
        raise BadInput(f"The code has {codes.shape[1]} numbers: there is no number {number + 1}.")
    if not len(codes):
        raise BadInput("There is no document whose code could say how far the axis reaches.")
    low, high = np.quantile(codes[:, number], _ENDS)
    Z = np.repeat(np.median(codes, axis=0)[None], n_steps, axis=0)
    Z[:, number] = np.linspace(low, high, n_steps)
    return Axis(Z[:, number], Z, np.asarray(estimator.inverse_transform(Z), np.float32))
