"""Answers to a query, against cosines by hand."""

import numpy as np
from scipy.sparse import csr_array

from core.analysis import neighbourhoods

DOCUMENTS = np.array([[1.0, 0.0], [2.0, 2.0], [0.0, 0.0], [0.0, 5.0], [3.0, 3.0]])


def test_answers_go_by_falling_cosine_and_of_equal_ones_the_first():
    found = neighbourhoods.find_answers(np.array([[1.0, 1.0]]), DOCUMENTS, 4)
    assert found.positions.tolist() == [1, 4, 0, 3]
    np.testing.assert_allclose(found.cosines, [1, 1, np.sqrt(0.5), np.sqrt(0.5)])


def test_sparse_vectors_are_answered_alike():
    dense = neighbourhoods.find_answers(np.array([[0.0, 1.0]]), DOCUMENTS, 5)
    sparse = neighbourhoods.find_answers(csr_array([[0.0, 1.0]]), csr_array(DOCUMENTS), 5)
    assert dense.positions.tolist() == sparse.positions.tolist()
    np.testing.assert_allclose(dense.cosines, sparse.cosines)


def test_a_query_of_nothing_has_no_answer():
    assert len(neighbourhoods.find_answers(np.zeros((1, 2)), DOCUMENTS, 3).positions) == 0
    assert len(neighbourhoods.find_answers(csr_array((1, 2)), csr_array(DOCUMENTS), 3).positions) == 0
