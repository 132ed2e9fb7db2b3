"""Damage: closed forms, the same for the same seed, and refusals in a sentence."""

import numpy as np
import pytest

from core.analysis import corruption
from core.errors import BadInput
from core.metrics import bootstrap

SHAPE = (20, 30)


def images(n=40, value=None, shape=SHAPE):
    if value is not None:
        return np.full((n, shape[0] * shape[1]), value, np.float32)
    return np.random.default_rng(1).random((n, shape[0] * shape[1]), np.float32)


@pytest.mark.parametrize("kind", corruption.KINDS)
def test_every_kind_is_deterministic_leaves_its_input_and_grows_from_nothing(kind):
    X = images()
    before = X.copy()
    apply, levels = corruption.KINDS[kind].apply, corruption.KINDS[kind].levels(SHAPE)
    np.testing.assert_array_equal(apply(X, SHAPE, levels[0], 3), X)
    for amount in levels:
        broken = apply(X, SHAPE, amount, 3)
        assert (broken.dtype, broken.shape) == (np.float32, X.shape)
        assert broken.min() >= 0
        assert broken.max() <= 1
        np.testing.assert_array_equal(apply(X, SHAPE, amount, 3), broken)
    assert np.any(apply(X, SHAPE, levels[-2], 4) != apply(X, SHAPE, levels[-2], 3))
    np.testing.assert_array_equal(X, before)


def test_noise_has_its_variance_where_nothing_is_clipped():
    X = images(200, 0.5)
    noise = corruption.add_noise(X, SHAPE, 0.05) - X
    # 120,000 draws: the standard error of the variance is 0.4 % of it.
    assert noise.var() == pytest.approx(0.05**2, rel=0.02)
    assert abs(noise.mean()) < 0.001


def test_noise_on_black_keeps_half_of_its_power():
    broken = corruption.add_noise(images(200, 0.0), SHAPE, 0.2)
    # E[max(0, s Z)^2] = s^2 / 2; above 1 lie 3e-7 of the draws.
    assert np.square(broken, dtype=np.float64).mean() == pytest.approx(0.2**2 / 2, rel=0.03)


def test_more_noise_is_the_same_noise_louder():
    X = images(5, 0.5)
    little, more = (corruption.add_noise(X, SHAPE, amount, 7) - X for amount in (0.02, 0.04))
    np.testing.assert_allclose(more, 2 * little, atol=1e-6)


@pytest.mark.parametrize("amount", [0, 10, 25, 50, 90, 100])
def test_a_patch_is_one_rectangle_of_its_area(amount):
    X = images(60, 1.0)
    inside = (corruption.cover_patch(X, SHAPE, amount, 2) == corruption.GREY).reshape(-1, *SHAPE)
    height, width = (int(side * amount / 100 + 0.5) for side in SHAPE)
    assert (inside.sum(axis=(1, 2)) == height * width).all()
    if height * width:
        for mask in inside:
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            assert np.ptp(rows) + 1 == height
            assert np.ptp(columns) + 1 == width


def test_patches_lie_everywhere_and_are_of_the_value_asked_for():
    inside = (corruption.KINDS["black"].apply(images(2000, 1.0), SHAPE, 30) == corruption.BLACK).reshape(-1, *SHAPE)
    assert inside.any(axis=0).all()
    tops = inside.any(axis=2).argmax(axis=1)
    assert set(tops) == set(range(SHAPE[0] - 6 + 1))


def test_outside_the_patch_nothing_changes():
    X = images()
    broken = corruption.cover_patch(X, SHAPE, 40, 0)
    outside = broken != np.float32(corruption.GREY)
    np.testing.assert_array_equal(broken[outside], X[outside])


@pytest.mark.parametrize("amount", [0, 1, 7, 30])
def test_a_shift_to_the_right_is_a_roll_without_wrap(amount):
    X = images()
    rolled = np.roll(X.reshape(-1, *SHAPE), amount, axis=2)
    rolled[:, :, :amount] = 0
    np.testing.assert_array_equal(corruption.shift_images(X, SHAPE, amount, None), rolled.reshape(X.shape))


def test_a_drawn_shift_is_a_roll_one_of_four_ways_the_same_at_each_amount():
    X = images()
    drawn = {}
    for amount in (2, 5):
        moved = corruption.shift_images(X, SHAPE, amount, 11).reshape(-1, *SHAPE)
        ways = []
        for axis, sign, blank in (
            (2, 1, np.s_[:, :amount]),
            (2, -1, np.s_[:, -amount:]),
            (1, 1, np.s_[:amount]),
            (1, -1, np.s_[-amount:]),
        ):
            rolled = np.roll(X.reshape(-1, *SHAPE), sign * amount, axis=axis)
            rolled[(slice(None), *(blank if isinstance(blank, tuple) else (blank,)))] = 0
            ways.append((rolled == moved).all(axis=(1, 2)))
        assert (np.sum(ways, axis=0) == 1).all()
        drawn[amount] = np.argmax(ways, axis=0)
    assert set(drawn[2]) == {0, 1, 2, 3}
    np.testing.assert_array_equal(drawn[2], drawn[5])


def test_a_shift_out_of_the_image_leaves_nothing():
    assert not corruption.shift_images(images(), SHAPE, 30, None).any()
    assert corruption.shift_images(images(), SHAPE, 25, 0).any()  # those moved sideways are still in part there


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda X: corruption.add_noise(X, SHAPE, 1.5), "noise=1.5 is not allowed: it is from 0 to 1."),
        (lambda X: corruption.add_noise(X, SHAPE, float("nan")), "noise=nan"),
        (lambda X: corruption.cover_patch(X, SHAPE, 101), "from 0 to 100"),
        (lambda X: corruption.shift_images(X, SHAPE, 31), "from 0 to 30"),
        (lambda X: corruption.shift_images(X, SHAPE, 1.5), "whole number of pixels"),
        (lambda X: corruption.add_noise(X, (28, 28), 0.5), "no images of 28 x 28"),
        (lambda X: corruption.add_noise(X[0], SHAPE, 0.5), "no images of 20 x 30"),
    ],
)
def test_what_is_not_allowed_is_said(call, says):
    with pytest.raises(BadInput, match=says.replace(".", r"\.")):
        call(images(3))


def test_doing_nothing_has_the_error_of_the_damage_itself():
    X = images(30, 0.5)
    seen = []
    found = corruption.compute_errors(
        lambda broken: broken, X, SHAPE, "grey", 0, lambda done, of: seen.append((done, of))
    )
    assert found.shape == (11, 30)
    assert seen[-1] == (11, 11)
    assert not found.any()  # a grey patch on grey
    found = corruption.compute_errors(lambda broken: broken, images(30, 1.0), SHAPE, "black")
    areas = [int(20 * share + 0.5) * int(30 * share + 0.5) for share in np.linspace(0, 1, 11)]
    np.testing.assert_allclose(found, np.repeat(np.array(areas)[:, None], 30, 1))


def test_a_method_that_always_gives_the_whole_image_has_no_error():
    X = images(20)
    assert not corruption.compute_errors(lambda broken: X, X, SHAPE, "noise").any()


def test_bands_verdicts_and_leaders_are_those_of_the_intervals():
    rng = np.random.default_rng(0)
    good = rng.random((3, 200)) + np.arange(3)[:, None]
    # The middle one differs by as much either way.
    bad = good + np.array([1.0, 0.0, -1.0])[:, None] + np.where(np.arange(200) % 2, 0.01, -0.01)
    bands = corruption.compute_band(good)
    np.testing.assert_allclose(bands[:, 0], good.mean(axis=1))
    assert tuple(bands[1, 1:]) == bootstrap.mean_interval(good[1])
    assert corruption.compare_with_input(good, bad).tolist() == [1, 0, -1]
    assert corruption.find_leaders({"good": good, "bad": bad}) == [("good",), ("good", "bad"), ("bad",)]


@pytest.mark.parametrize(("shape", "most"), [((8, 8), 4), ((28, 28), 10), ((28, 20), 10)])
def test_shifts_are_measured_up_to_half_of_a_small_image(shape, most):
    assert corruption.KINDS["shift"].levels(shape) == tuple(range(most + 1))
