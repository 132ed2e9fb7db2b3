"""Words of codes: the heaviest, and those that change along an axis."""

import numpy as np
import pytest

from core.analysis import keywords
from core.errors import BadInput

VOCABULARY = ("ape", "bee", "cat", "dog")


class Linear:
    """Weights that are `directions` times the code."""

    def __init__(self, directions):
        self.directions = np.asarray(directions, float)

    def inverse_transform(self, Z):
        return np.asarray(Z) @ self.directions


class Bump:
    """The second word is likeliest at a code of 0, the first below, the third above."""

    def inverse_transform(self, Z):
        logits = np.column_stack([-Z[:, 0], 2 - Z[:, 0] ** 2, Z[:, 0], np.full(len(Z), -9.0)])
        return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_heaviest_words_are_positive_and_ties_go_to_the_first():
    weights = np.array([0.2, 0.5, -3.0, 0.5])
    assert keywords.find_heaviest_words(weights, VOCABULARY, 3) == [("bee", 0.5), ("dog", 0.5), ("ape", 0.2)]
    assert keywords.find_heaviest_words(np.zeros(4), VOCABULARY, 3) == []


def test_a_linear_axis_is_walked_between_the_quantiles_with_the_others_at_their_median():
    Z = np.column_stack([np.linspace(0, 100, 1001), np.linspace(-1, 3, 1001)])
    axis = keywords.traverse_dimension(Linear([[1, -2, 0, 0.5], [0, 0, 7, 0]]), Z, 0)
    np.testing.assert_allclose(axis.values[[0, -1]], [2.5, 97.5])
    np.testing.assert_allclose(axis.codes[:, 1], 1.0)
    np.testing.assert_allclose(axis.change, 95 * np.array([1, 2, 0, 0.5]))
    assert axis.find_changing(2).tolist() == [1, 0]
    low, middle, high = axis.find_thirds(10)
    assert (low.tolist(), middle.tolist(), high.tolist()) == ([1], [], [0, 3])


def test_words_stand_where_they_are_strongest():
    Z = np.linspace(-3, 3, 500)[:, None]
    low, middle, high = keywords.traverse_dimension(Bump(), Z, 0).find_thirds(1)
    assert [VOCABULARY[int(words[0])] for words in (low, middle, high)] == ["ape", "bee", "cat"]


@pytest.mark.parametrize(("slope", "used"), [(0.0, False), (1e-3, False), (1.0, True)])
def test_a_number_that_moves_no_probability_is_not_used(slope, used):
    class Softmax:
        def inverse_transform(self, Z):
            logits = np.column_stack([slope * Z[:, 0], Z[:, 1], np.zeros(len(Z))])
            return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)

    Z = np.random.default_rng(0).normal(size=(500, 2))
    assert keywords.traverse_dimension(Softmax(), Z, 0).is_used is used
    assert keywords.traverse_dimension(Softmax(), Z, 1).is_used
    assert keywords.traverse_dimension(Softmax(), Z, 0).weights.dtype == np.float32


def test_dimension_that_only_scales_weights_is_used_however_small_they_are():
    Z = np.linspace(-3, 3, 500)[:, None]
    assert keywords.traverse_dimension(Linear([[1e-6, -1e-6, 0, 1e-7]]), Z, 0).is_used


def test_dimension_that_the_code_does_not_have_is_refused():
    with pytest.raises(BadInput, match="no dimension 3"):
        keywords.traverse_dimension(Bump(), np.zeros((4, 2)), 2)
    with pytest.raises(BadInput, match="without a document"):
        keywords.traverse_dimension(Bump(), np.zeros((0, 2)), 0)
