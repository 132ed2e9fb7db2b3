"""Words of selected documents and along a latent dimension, against formulas by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.special import softmax

from core.analysis import keywords
from core.analysis.rows import Rows
from core.types import DOCUMENTS


def compute_log_odds(counts, inside):
    """Monroe, Colaresi and Quinn (2008), eq. 16 and 22, the prior as 500 words of all rows."""
    a, b = counts[inside].sum(axis=0), counts[~inside].sum(axis=0)
    prior = (a + b) * 500 / (a + b).sum()
    odds = [np.log((n + prior) / (n.sum() + prior.sum() - n - prior)) for n in (a, b)]
    return (odds[0] - odds[1]) / np.sqrt(1 / (a + prior) + 1 / (b + prior))


def test_distinctive_words_go_by_their_log_odds():
    rng = np.random.default_rng(1)
    counts = rng.poisson(rng.lognormal(0, 2, 150) * rng.uniform(0.8, 1.25, (80, 150)))
    counts = counts[:, counts.any(axis=0)]
    X, vocabulary = csr_array(counts), tuple(map(str, range(counts.shape[1])))
    rows = Rows("made-up", DOCUMENTS, "test", np.arange(80), 80, X, np.zeros(80, int), ("a",), vocabulary=vocabulary)
    for n_selected in (1, 8, 70):
        inside = np.arange(80) < n_selected
        scores = compute_log_odds(counts, inside)
        expected = [k for k in np.argsort(-scores, kind="stable") if scores[k] > 0 and counts[inside, k].any()]
        found = keywords.find_distinctive_words(rows, np.flatnonzero(inside), 150)
        assert [int(word) for word, _, _ in found] == expected
        for word, within, without in found[:5]:
            has = counts[:, int(word)] > 0
            assert (within, without) == pytest.approx((has[inside].mean(), has[~inside].mean()))


def make_linear(directions):
    """A decoder whose weights are `directions` times the code."""
    return SimpleNamespace(inverse_transform=lambda Z: Z @ np.asarray(directions, float))


def decode_bump(Z):
    """The second word is likeliest at a code of 0, the first below, the third above; the second dimension is unused."""
    return softmax(np.column_stack([-Z[:, 0], 2 - Z[:, 0] ** 2, Z[:, 0], np.full(len(Z), -9.0)]), axis=1)


def test_traversal_goes_between_the_quantiles_with_the_others_at_their_median():
    Z = np.column_stack([np.linspace(0, 100, 1001), np.linspace(-1, 3, 1001)])
    axis = keywords.traverse_dimension(make_linear([[1, -2, 0, 0.5], [0, 0, 7, 0]]), Z, 0)
    np.testing.assert_allclose(axis.values[[0, -1]], [2.5, 97.5])
    np.testing.assert_allclose(axis.codes[:, 1], 1.0)
    np.testing.assert_allclose(axis.change, 95 * np.array([1, 2, 0, 0.5]))
    assert axis.find_changing(2).tolist() == [1, 0]
    assert [words.tolist() for words in axis.find_thirds(10)] == [[1], [], [0, 3]]


def test_words_are_in_the_third_where_they_are_likeliest_and_unused_dimensions_are_found():
    Z = np.random.default_rng(0).uniform(-3, 3, (500, 2))
    used, unused = (keywords.traverse_dimension(SimpleNamespace(inverse_transform=decode_bump), Z, k) for k in (0, 1))
    assert [words.tolist() for words in used.find_thirds(1)] == [[0], [1], [2]]
    assert (used.is_used, unused.is_used) == (True, False)
    assert keywords.traverse_dimension(make_linear([[1e-6, -1e-6], [0, 0]]), Z, 0).is_used  # weights have no scale
