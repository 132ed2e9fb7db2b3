import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import hypergeom

from core.errors import BadInput
from core.metrics import validation
from core.metrics.perplexity import (
    CACHE_WEIGHTS,
    FLOOR,
    cache_model,
    complete_documents,
    fit_cache_weight,
    split_words,
    unigram_shares,
)


def counts(*rows):
    return csr_array(np.array(rows, np.int32))


def test_halves_are_drawn_word_by_word_without_replacement():
    X = counts(*[[3, 0, 2, 1]] * 6000)
    given, held = (A.toarray() for A in split_words(X))
    assert np.array_equal(given + held, X.toarray())
    assert (given.sum(axis=1) == 3).all()
    for word, n in ((0, 3), (2, 2), (3, 1)):
        shares = np.bincount(given[:, word], minlength=n + 1) / 6000
        assert shares == pytest.approx(hypergeom(6, n, 3).pmf(np.arange(n + 1)), abs=0.025)
    X = csr_array(np.random.default_rng(0).poisson(0.3, (200, 12)).astype(np.int32))  # odd, short and empty documents
    odd, others = split_words(X)
    assert np.array_equal(odd.sum(axis=1), X.sum(axis=1) // 2)
    assert ((odd + others) != X).nnz == 0
    # Every pair of words too: the last two of a document are given together as often as any three of six are.
    assert np.mean((given[:, 2] == 2) & (given[:, 3] == 1)) == pytest.approx(1 / 20, abs=0.01)


def test_perplexity_of_known_probabilities_is_that_by_hand():
    given, held = counts([1, 0, 0], [0, 1, 0], [0, 1, 0]), counts([0, 1, 0], [2, 0, 0], [0, 0, 3])
    p = np.array([[0.1, 0.2, 0.7], [0.5, 0.25, 0.25], [0.3, 0.3, 0.4]])
    found = complete_documents(lambda part: p[: part.shape[0]], given, held)
    nats = [-np.log(0.2), -2 * np.log(0.5), -3 * np.log(0.4)]
    assert found.nats == pytest.approx(nats)
    assert found.words.tolist() == [1, 2, 3]
    assert found.perplexity == pytest.approx(np.exp(sum(nats) / 6))
    assert found.floored == 0
    assert np.exp(found.scores.mean()) == pytest.approx(found.perplexity)
    assert found.interval() == pytest.approx((1 / 0.5, 1 / 0.2))


def test_perplexity_of_the_unigram_model_by_hand():
    # Three of four train words are the first; documents of one word have only it in both halves.
    share = unigram_shares(counts([2, 1], [1, 0]))
    assert share.tolist() == [0.75, 0.25]
    given, held = split_words(counts([4, 0], [0, 2], [0, 1], [0, 0]))
    found = complete_documents(lambda part: np.broadcast_to(share, part.shape), given, held)
    # The document of a single word, and the empty one, are left out.
    assert found.words.tolist() == [2, 1]
    assert found.perplexity == pytest.approx(np.exp(-(2 * np.log(0.75) + np.log(0.25)) / 3))
    # The floor counts words, not documents.
    zero = complete_documents(lambda part: np.array([[1.0, 0.0]]), counts([1, 0]), counts([6, 2]))
    assert (zero.floored, zero.perplexity) == (2 / 8, pytest.approx(FLOOR ** (-2 / 8)))


def test_only_the_given_half_tells_of_a_document(monkeypatch):
    """Whoever expects the given words and no other fails on all held words where every word is another."""
    monkeypatch.setattr(validation, "CHUNK_ELEMENTS", 7 * 40)
    rng = np.random.default_rng(1)
    X = csr_array((rng.random((30, 40)) < 0.5).astype(np.int32))
    seen = []

    def parrot(part):
        seen.append(part.toarray())
        return seen[-1] / seen[-1].sum(axis=1, keepdims=True)

    given, held = split_words(X)
    found = complete_documents(parrot, given, held)
    assert np.array_equal(np.vstack(seen), given.toarray())
    assert found.floored == 1
    assert found.perplexity == pytest.approx(1 / FLOOR)
    # With the held half leaked it would know them all.
    assert complete_documents(parrot, X, held).floored == 0


def test_the_weight_of_given_words_is_that_by_which_documents_were_made():
    """Each document is drawn from its own distribution: words recur as the Dirichlet's concentration has it."""
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(50, 5.0))
    # After m given words the next is of the mixture with weight m / (m + concentration): here 20 / (20 + 30).
    X = csr_array(np.array([rng.multinomial(40, p) for p in rng.dirichlet(30 * shares, 1500)], np.int32))
    assert fit_cache_weight(X, shares) == 0.4
    # By hand, for one document: (1 - w) times the shares of all words plus w times those of the given half.
    model = cache_model(np.array([0.5, 0.25, 0.25]), 0.4)
    assert model(counts([0, 3, 1])) == pytest.approx(np.array([[0.3, 0.15 + 0.3, 0.15 + 0.1]]))
    alike = csr_array(rng.multinomial(40, shares, 500).astype(np.int32))
    assert fit_cache_weight(alike, shares) == CACHE_WEIGHTS[0]


def test_completion_refuses():
    with pytest.raises(BadInput, match="not weights"):
        complete_documents(lambda part: np.array([[0.5, 1.5]]), counts([1, 0]), counts([0, 1]))
    with pytest.raises(BadInput, match="2 known words"):
        complete_documents(lambda part: np.ones(part.shape), *split_words(counts([1, 0], [0, 0])))
