"""Corruptions against closed forms and SciPy."""

import numpy as np
import pytest
from scipy import ndimage

from core.analysis import corruption

SHAPE = (20, 30)


def images(n=40):
    return np.random.default_rng(1).random((n, 600), np.float32)


def test_every_corruption_is_deterministic_leaves_its_input_and_grows_from_nothing():
    X = images()
    for kind in corruption.KINDS.values():
        levels = kind.levels(SHAPE)
        np.testing.assert_array_equal(kind.apply(X, SHAPE, levels[0], 3), images(), strict=True)
        for amount in levels:
            corrupted = kind.apply(X, SHAPE, amount, 3)
            assert 0 <= corrupted.min() <= corrupted.max() <= 1
            np.testing.assert_array_equal(kind.apply(X, SHAPE, amount, 3), corrupted)
        assert np.any(kind.apply(X, SHAPE, levels[-2], 4) != kind.apply(X, SHAPE, levels[-2], 3))
    np.testing.assert_array_equal(X, images())


def test_noise_has_its_variance_and_scales_with_the_amount():
    X = np.full((200, 600), 0.5, np.float32)
    little, more = (corruption.add_noise(X, SHAPE, amount, 7) - X for amount in (0.05, 0.1))
    # 120,000 draws: the standard error of the variance is 0.4 % of it.
    assert little.var() == pytest.approx(0.05**2, rel=0.02)
    np.testing.assert_allclose(more, 2 * little, atol=1e-6)
    # On black E[max(0, s Z)^2] = s^2 / 2; above 1 lie 3e-7 of the draws.
    on_black = corruption.add_noise(0 * X, SHAPE, 0.2)
    assert np.square(on_black, dtype=np.float64).mean() == pytest.approx(0.2**2 / 2, rel=0.03)


def test_a_patch_is_one_rectangle_of_its_area():
    X = images(60)
    for amount in (0, 25, 50, 100):
        corrupted = corruption.cover_patch(X, SHAPE, amount, 2)
        inside = (corrupted == corruption.GREY).reshape(-1, *SHAPE)
        np.testing.assert_array_equal(corrupted[~inside.reshape(X.shape)], X[~inside.reshape(X.shape)])
        height, width = (int(side * amount / 100 + 0.5) for side in SHAPE)
        for mask in inside if amount else ():
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            assert (mask.sum(), np.ptp(rows) + 1, np.ptp(columns) + 1) == (height * width, height, width)
    X = np.ones((2000, 600), np.float32)
    black = (corruption.KINDS["black"].apply(X, SHAPE, 30) == corruption.BLACK).reshape(-1, *SHAPE)
    assert set(black.any(axis=2).argmax(axis=1)) == set(range(SHAPE[0] - 6 + 1))  # patches are everywhere


def test_a_shift_is_scipys_in_one_of_four_directions():
    X, drawn = images(), []
    for k in (2, 5):
        shifted = corruption.shift_images(X, SHAPE, k, 11).reshape(-1, *SHAPE)
        moves = [(0, 0, k), (0, 0, -k), (0, k, 0), (0, -k, 0)]
        ways = [(ndimage.shift(X.reshape(-1, *SHAPE), move, order=0) == shifted).all(axis=(1, 2)) for move in moves]
        assert (np.sum(ways, axis=0) == 1).all()
        drawn.append(np.argmax(ways, axis=0))
    assert set(drawn[0]) == {0, 1, 2, 3}
    np.testing.assert_array_equal(*drawn)
