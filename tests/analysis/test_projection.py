"""Projections against PCA, and alignment against SciPy's Procrustes analysis."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy.spatial import procrustes
from sklearn.decomposition import PCA

from core.analysis import projection

never = partial(pytest.fail, "the codes are stored")


def test_the_plane_is_that_of_the_stored_map_and_of_pca_of_the_train_codes(pca10, digits, fitted):
    plane, size = projection.fit_plane(pca10, never), float(np.abs(pca10.views["map"]).max())
    assert plane.points(pca10.views["codes"]) == pytest.approx(pca10.views["map"], abs=1e-3 * size)
    Z = fitted(pca10)().transform(digits.floats("train"))
    expected, found = PCA(2, svd_solver="full").fit_transform(Z.astype(np.float64)), plane.points(Z)
    signs = np.sign((found * expected).sum(axis=0))
    assert found == pytest.approx(signs * expected, abs=1e-3 * size)


def test_the_plane_of_fewer_rows_than_dimensions_is_that_of_the_stored_map(pca10):
    train = np.random.default_rng(0).normal(size=(300, 12)) * np.geomspace(10, 0.1, 12) + 3
    views = {"map": PCA(2).fit(train).transform(train[:8]).astype(np.float32), "codes": train[:8].astype(np.float16)}
    plane = projection.fit_plane(replace(pca10, views=views), never)
    assert plane.points(views["codes"]) == pytest.approx(views["map"], abs=0.02)


def test_a_turned_mirrored_scaled_and_shifted_copy_aligns_exactly():
    points = np.random.default_rng(0).normal(size=(50, 2)) * (3, 1) + 5
    c, s = np.cos(2.2), np.sin(2.2)
    for mirror in (1, -1):
        copy = 0.3 * (points * (1, mirror)) @ np.array([[c, -s], [s, c]]) + (-7, 40)
        copy[[3, 9]] = np.nan
        plane = projection.align(copy, points)
        assert plane.axes.T @ plane.axes == pytest.approx(np.eye(2) / 0.3**2, abs=1e-9)
        found = plane.points(copy)
        assert np.isnan(found[[3, 9]]).all()
        assert np.delete(found, [3, 9], 0) == pytest.approx(np.delete(points, [3, 9], 0), abs=1e-5)


def test_alignment_leaves_the_disparity_of_procrustes():
    rng = np.random.default_rng(1)
    for _ in range(10):
        reference = rng.normal(size=(30, 2)) * rng.uniform(0.1, 10, 2) + rng.normal(size=2)
        points = reference @ rng.normal(size=(2, 2)) + rng.normal(size=(30, 2)) * rng.uniform(0, 5)
        plane = projection.align(points, reference)
        left = np.square(points @ plane.axes + plane.origin - reference).sum()
        size = np.square(reference - reference.mean(axis=0)).sum()
        assert left / size == pytest.approx(procrustes(reference, points)[2], abs=1e-9)
