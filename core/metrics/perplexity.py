"""How well a method foretells the words of a document that it was not shown: perplexity by document completion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import BadInput
from core.metrics.bootstrap import ratio_interval
from core.metrics.validation import chunks

FLOOR = 1e-38  # about where a softmax in float32 gives 0
FEWEST_WORDS = 2
# Shares of a document's own words in the cache model, of which `cache_weight` chooses.
CACHE_WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def split_words(counts: Any, random_state: int = 0) -> tuple[Any, Any]:
    """Each document's words, every occurrence for itself, drawn into two halves.

    The first half has half of a document's words, rounded down, drawn without replacement: its counts follow the
    multivariate hypergeometric distribution.

    Parameters
    ----------
    counts : (n, n_words) sparse, whole numbers from 0

    Returns
    -------
    given, held : (n, n_words) sparse int64, whose sum is `counts`
    """
    rng = np.random.default_rng(random_state)
    given = counts.tocsr().astype(np.int64)
    given.sum_duplicates()
    held = given.copy()
    distinct = np.diff(given.indptr)
    left = np.asarray(held.sum(axis=1)).ravel()
    wanted = left // 2
    # Word after word of all documents at once: of those left of a document, how many of the wanted ones are this word.
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
    """The share of each word among all words of some documents, (n_words,) float64: the unigram model.

    Parameters
    ----------
    counts : (n, n_words) sparse, of train documents
    """
    total = np.asarray(counts.sum(axis=0), np.float64).ravel()
    return total / max(total.sum(), 1)


def cache_model(shares: np.ndarray, weight: float) -> Callable[[Any], np.ndarray]:
    """The model that repeats the words it is given: (1 - weight) of the unigram model, weight of their own shares.

    Parameters
    ----------
    shares : (n_words,) of each word among all words, see `unigram`
    weight : in [0, 1)

    Returns maps the given halves of some documents, (m, n_words) sparse, none empty, to the probability of every word,
    for `complete`
    Source: Kuhn and De Mori (1990), A cache-based natural language model for speech recognition.
    """

    def probabilities(given: Any) -> np.ndarray:
        own = given.toarray()
        return (1 - weight) * shares + weight * own / own.sum(axis=1, keepdims=True)

    return probabilities


def fit_cache_weight(counts: Any, shares: np.ndarray) -> float:
    """That of `CACHE_WEIGHTS` by which the cache model completes these documents best, which are to be train documents.

    Parameters and Raises as `halves`, `cache_model` and `complete`.
    """
    given, held = split_words(counts)
    return min(
        CACHE_WEIGHTS, key=lambda weight: complete_documents(cache_model(shares, weight), given, held).perplexity
    )


@dataclass(frozen=True)
class Completion:
    """The held words of n documents as a method foretells them.

    Attributes
    ----------
    nats : (n,) float64, -ln of the probabilities of a document's held words, summed.
    words : (n,) int64, how many these are.
    floored : share of all held words whose probability was below `FLOOR`.
    """

    nats: np.ndarray
    words: np.ndarray
    floored: float

    @property
    def scores(self) -> np.ndarray:
        """(n,) a document's nats over the mean number of held words: of the same halves, their mean ranks methods as
        the perplexity does, whose logarithm it is."""
        return self.nats / self.words.mean()

    @property
    def perplexity(self) -> float:
        """exp of the mean nats of a held word, of all documents together: from 1 on, less is better."""
        return float(np.exp(self.nats.sum() / self.words.sum()))

    def interval(self) -> tuple[float, float]:
        """95% interval of the perplexity, over resampled documents.

        Raises BadInput for a single document.
        """
        low, high = np.exp(ratio_interval(self.nats, self.words))
        return float(low), float(high)


def complete_documents(probabilities: Callable[[Any], np.ndarray], given: Any, held: Any) -> Completion:
    """Score the held half of each document by the probabilities that follow from its given half alone.

    Documents of fewer than two words are left out: one of their halves is empty.

    Parameters
    ----------
    probabilities : maps the given halves of some documents, (m, n_words) sparse float32, to the probability of every
        word, (m, n_words) in [0, 1]; those below `FLOOR` count as that
    given, held : (n, n_words) sparse counts, as `halves` gives them

    Raises BadInput where no document has two words, or a probability is NaN or outside [0, 1].
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
        # A softmax in float32 may pass 1 by its rounding.
        if not ((p >= 0) & (p <= 1 + 1e-3)).all():
            raise BadInput("A word's probability is NaN or not from 0 to 1: give probabilities, not weights.")
        below += int(scored.data[p < FLOOR].sum())
        each = -scored.data * np.log(p.clip(FLOOR, 1))
        nats.append(np.bincount(scored.row, each, scored.shape[0]))
    words = np.asarray(held.sum(axis=1)).ravel()
    return Completion(np.concatenate(nats), words, below / int(words.sum()))
