"""Paths between codes against SciPy, and directions from class to class."""

import numpy as np
import pytest
from scipy.spatial import geometric_slerp

from core.analysis import interpolation
from core.errors import BadInput

SHARES = np.linspace(0, 1, 11)
PATHS = (interpolation.lerp, interpolation.slerp)


def test_the_arc_is_scipys():
    for size in (2, 3, 64):
        start, end = np.random.default_rng(size).normal(size=(2, size))
        start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
        expected = geometric_slerp(start, end, SHARES)
        np.testing.assert_allclose(interpolation.slerp(start, end, SHARES), expected, atol=1e-12)
        # Lengths change linearly, on the same arc.
        path = interpolation.slerp(7 * start, 21 * end, SHARES)
        np.testing.assert_allclose(path, expected * np.linspace(7, 21, 11)[:, None], atol=1e-11)


def test_a_path_begins_and_ends_at_its_codes_and_may_be_reversed():
    start, end = np.random.default_rng(0).normal(size=(2, 10))
    for path in PATHS:
        np.testing.assert_allclose(path(start, end, SHARES)[[0, -1]], [start, end], atol=1e-12)
        np.testing.assert_allclose(path(end, start, SHARES)[::-1], path(start, end, SHARES), atol=1e-12)
    assert interpolation.lerp([0, 2], [4, 0], [0, 0.25, 1]).tolist() == [[0, 2], [1, 1.5], [4, 0]]


def test_the_difference_of_two_classes_is_that_of_their_means():
    Z = np.array([[0, 0], [2, 4], [10, 10], [20, 0], [99, 99]], np.float16)
    y = np.array([3, 3, 5, 5, -1])
    assert interpolation.compute_class_difference(Z, y, plus=5, minus=3).tolist() == [14, 3]
    # Many small codes are not rounded away.
    Z = np.where(np.arange(5000) % 2, 61.0, 60.0)[:, None].astype(np.float16)
    assert interpolation.compute_class_difference(Z, np.arange(5000) % 2, 1, 0).tolist() == [1.0]
    with pytest.raises(BadInput, match="No row of class number 7"):
        interpolation.compute_class_difference(Z, np.arange(5000) % 2, 7, 0)
