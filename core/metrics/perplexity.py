"""Perplexity by document completion: how well a method predicts held-out words of a document."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import BadInput
from core.metrics.bootstrap import ratio_interval
from core.metrics.validation import chunks

FLOOR = 1e-38  # about where a softmax in float32 returns 0
FEWEST_WORDS = 2
# Weights of a document's own words in the cache model.
CACHE_WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def split_words(counts: Any) -> tuple[Any, Any]:
    """Split the word occurrences of each document at random into halves, given and held out.

    The given half, rounded down, is drawn without replacement: its counts follow the multivariate hypergeometric
    distribution. (n, n_words) sparse counts -> two (n, n_words) sparse int64, which sum to the counts.
    """
    rng = np.random.default_rng(0)
    given = counts.tocsr().astype(np.int64)
    given.sum_duplicates()
    held = given.copy()
    distinct = np.diff(given.indptr)
    left = np.asarray(held.sum(axis=1)).ravel()
    wanted = left // 2
    # Word by word for all documents at once: how many of the wanted occurrences are this word.
    for k in range(distinct.max(initial=0)):
        documents = np.flatnonzero(distinct > k)
        cells = given.indptr[documents] + k
        left[documents] -= held.data[cells]
        drawn = rng.hypergeometric(held.data[cells], left[documents], wanted[documents])
        wanted[documents] -= drawn
        given.data[cells] = drawn
    held.data -= given.data
    given.eliminate_zeros()
    held.eliminate_zeros()
    return given, held


def unigram_shares(counts: Any) -> np.ndarray:
    """Share of each word among all words of documents, (n_words,) float64: the unigram model."""
    total = np.asarray(counts.sum(axis=0), np.float64).ravel()
    return total / max(total.sum(), 1)


def cache_model(shares: np.ndarray, weight: float) -> Callable[[Any], np.ndarray]:
    """The cache model: (1 - weight) times the unigram `shares` plus weight times the word shares of the given half.

    Returns a function for `complete_documents`.
    Source: Kuhn and De Mori (1990), A cache-based natural language model for speech recognition.
    """

    def probabilities(given: Any) -> np.ndarray:
        own = given.toarray()
        return (1 - weight) * shares + weight * own / own.sum(axis=1, keepdims=True)

    return probabilities


def fit_cache_weight(counts: Any, shares: np.ndarray) -> float:
    """The weight of `CACHE_WEIGHTS` with the lowest perplexity of the cache model on these train documents."""
    given, held = split_words(counts)
    return min(
        CACHE_WEIGHTS, key=lambda weight: complete_documents(cache_model(shares, weight), given, held).perplexity
    )


@dataclass(frozen=True)
class Completion:
    """Predictions of the held-out words of n documents.

    Attributes
    ----------
    nats : (n,) float64, sum of -ln of the probabilities of a document's held-out words.
    words : (n,) int64, number of these words.
    floored : share of all held-out words with a probability below `FLOOR`.
    """

    nats: np.ndarray
    words: np.ndarray
    floored: float

    @property
    def scores(self) -> np.ndarray:
        """(n,) a document's nats over the mean number of held-out words; their mean is the log perplexity."""
        return self.nats / self.words.mean()

    @property
    def perplexity(self) -> float:
        """exp of the mean nats of all held-out words, at least 1; lower is better."""
        return float(np.exp(self.nats.sum() / self.words.sum()))

    def interval(self) -> tuple[float, float]:
        """95% interval of the perplexity over resampled documents; BadInput for a single document."""
        low, high = np.exp(ratio_interval(self.nats, self.words))
        return float(low), float(high)


def complete_documents(probabilities: Callable[[Any], np.ndarray], given: Any, held: Any) -> Completion:
    """Score the held-out half of each document with at least two words by probabilities from its given half.

    Parameters
    ----------
    probabilities : maps given halves, (m, n_words) sparse float32, to the probability of every word, (m, n_words) in
        [0, 1]; those below `FLOOR` count as `FLOOR`
    given, held : (n, n_words) sparse counts from `split_words`

    Raises BadInput if no document has two words, or a probability is NaN or outside [0, 1].
    Source: Wallach et al. (2009), Evaluation methods for topic models, section 5: document completion.
    """
    whole = np.flatnonzero(np.asarray((given + held).sum(axis=1)).ravel() >= FEWEST_WORDS)
    if not len(whole):
        raise BadInput(f"No document has {FEWEST_WORDS} known words: none can be completed.")
    given, held = given[whole].astype(np.float32), held[whole].tocsr()
    nats, below = [], 0
    for part in chunks(*given.shape):
        scored = held[part].tocoo()
        p = np.asarray(probabilities(given[part]))[scored.row, scored.col].astype(np.float64)
        # A softmax in float32 may exceed 1 by rounding.
        if not ((p >= 0) & (p <= 1 + 1e-3)).all():
            raise BadInput("A word's probability is NaN or not from 0 to 1: give probabilities, not weights.")
        below += int(scored.data[p < FLOOR].sum())
        each = -scored.data * np.log(p.clip(FLOOR, 1))
        nats.append(np.bincount(scored.row, each, scored.shape[0]))
    words = np.asarray(held.sum(axis=1)).ravel()
    return Completion(np.concatenate(nats), words, below / int(words.sum()))
