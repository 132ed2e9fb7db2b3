"""Paths between codes against SciPy, and directions from class to class."""

import numpy as np
import pytest
from scipy.spatial import geometric_slerp

from core.analysis import interpolation
from core.errors import BadInput

SHARES = np.linspace(0, 1, 11)


def test_the_arc_is_scipys():
    for size in (2, 3, 64):
        start, end = np.random.default_rng(size).normal(size=(2, size))
        start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
        expected = geometric_slerp(start, end, SHARES)
        # Lengths change linearly, on SciPy's arc.
        path = interpolation.slerp(7 * start, 21 * end, SHARES)
        np.testing.assert_allclose(path, expected * np.linspace(7, 21, 11)[:, None], atol=1e-11)


def test_a_line_is_straight_and_replaces_an_arc_between_codes_in_one_direction():
    for path in (interpolation.lerp, interpolation.slerp):
        assert path([0, 2], [0, 4], [0, 0.25, 1]).tolist() == [[0, 2], [0, 2.5], [0, 4]]


def test_the_difference_of_two_classes_is_that_of_their_means():
    Z = np.array([[0, 0], [2, 4], [10, 10], [20, 0], [99, 99]], np.float16)
    y = np.array([3, 3, 5, 5, -1])
    assert interpolation.compute_class_difference(Z, y, plus=5, minus=3).tolist() == [14, 3]
    with pytest.raises(BadInput, match="No row of class number 7"):
        interpolation.compute_class_difference(Z, y, 7, 3)
