"""Fits by three divergences against moment matching, closed KLs and each other's limits."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from core.errors import BadInput
from core.mechanisms import divergences
from core.mechanisms.divergences import FORWARD, FULL, ISOTROPIC, JENSEN_SHANNON, REVERSE, Gaussian
from core.mechanisms.elbo import compute_gaussian_kl

LINE, PLANE = divergences.make_grid(1), divergences.make_grid(2)
TWO = divergences.make_target([[-2.0], [2.5]], [0.7, 0.5], [0.6, 0.4])
THREE = divergences.make_target([[-2.0, 0.0], [2.0, 1.0], [1.0, -2.5]], [0.6, 0.8, 0.5], [1, 1, 2])


@pytest.mark.parametrize(("of", "points"), [(TWO, LINE), (THREE, PLANE)], ids=["line", "plane"])
def test_forward_kl_matches_moments(of, points):
    start = np.zeros((1, of.dimension))
    found = divergences.fit_gaussian(of, FORWARD, start, points=points)[0].gaussian
    np.testing.assert_allclose(found.mean, of.moments.mean, atol=1e-3)
    np.testing.assert_allclose(found.covariance, of.moments.covariance, atol=1e-3)
    round_one = divergences.fit_gaussian(of, FORWARD, start, points=points, shape=ISOTROPIC)[0].gaussian
    expected = np.trace(of.moments.covariance) / of.dimension * np.eye(of.dimension)
    np.testing.assert_allclose(round_one.covariance, expected, atol=1e-3)


def test_moments_are_those_of_the_density():
    p = THREE.density(PLANE.points) * PLANE.volume
    assert p.sum() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(p @ PLANE.points, THREE.moments.mean, atol=1e-6)
    apart = PLANE.points - THREE.moments.mean
    np.testing.assert_allclose((p[:, None] * apart).T @ apart, THREE.moments.covariance, atol=1e-5)


def test_reverse_kl_seeks_a_mode_and_which_one_hangs_on_the_start():
    found = divergences.fit_gaussian(TWO, REVERSE, np.array([[-2.0], [2.5]]), points=LINE)
    means = [float(each.gaussian.mean[0]) for each in found]
    assert means == pytest.approx([-2.0, 2.5], abs=0.1)
    # Far apart each is a mode as it is, and its KL is minus the logarithm of the mode's weight.
    assert [each.value for each in found] == pytest.approx([-np.log(0.6), -np.log(0.4)], abs=0.02)


@pytest.mark.parametrize("divergence", [FORWARD, REVERSE, JENSEN_SHANNON])
@pytest.mark.parametrize("shape", [ISOTROPIC, FULL])
def test_a_gaussian_target_is_found_again(divergence, shape):
    of = divergences.make_target([[0.5, -1.0]], [0.8], [1])
    found = divergences.fit_gaussian(of, divergence, np.array([[1.0, 0.0]]), points=PLANE, shape=shape)[0]
    np.testing.assert_allclose(found.gaussian.mean, [0.5, -1.0], atol=2e-3)
    np.testing.assert_allclose(found.gaussian.covariance, 0.64 * np.eye(2), atol=5e-3)
    assert found.value == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("divergence", [FORWARD, REVERSE, JENSEN_SHANNON])
@pytest.mark.parametrize("shape", [ISOTROPIC, FULL])
def test_gradients_are_finite_differences(divergence, shape):
    problem = divergences._Problem(THREE.density(PLANE.points), divergence, shape, 0.3, PLANE)
    x = np.array([0.4, -0.2, 0.1] if shape == ISOTROPIC else [0.4, -0.2, 0.1, -0.2, 0.3])
    assert check_grad(lambda x: problem.value(x)[0], lambda x: problem.value(x)[1], x) < 1e-5


def test_values_are_the_closed_kls_of_gaussians():
    p, q = Gaussian(np.array([0.5]), np.array([[0.8]])), Gaussian(np.array([-0.5]), np.array([[1.5]]))
    found = divergences.compute_divergences(np.exp(p.log_density(LINE.points)), q, LINE)
    assert found.forward == pytest.approx(compute_gaussian_kl(p.mean, p.covariance, q.mean, q.covariance), abs=1e-6)
    assert found.reverse == pytest.approx(compute_gaussian_kl(q.mean, q.covariance, p.mean, p.covariance), abs=1e-6)
    assert 0 < found.js < np.log(2)


def test_jensen_shannon_lies_between_the_two():
    # The limits are reached where the density in the logarithm's denominator is nowhere the far smaller one.
    p = TWO.density(LINE.points)
    wide, narrow = (Gaussian(np.array([mean]), np.array([[variance]])) for mean, variance in ((0.0, 6.0), (-2.0, 0.3)))
    covering = divergences.compute_divergences(p, wide, LINE, 1e-7)
    assert covering.js_scaled == pytest.approx(covering.forward, rel=1e-3)
    seeking = divergences.compute_divergences(p, narrow, LINE, 1 - 1e-7)
    assert seeking.js_scaled == pytest.approx(seeking.reverse, rel=1e-3)
    even = divergences.compute_divergences(p, wide, LINE)
    assert even.js == pytest.approx(even.js_scaled / 4)


def test_js_slides_from_covering_to_seeking():
    starts = np.array([[-2.0], [0.0], [2.5]])
    spreads = [
        float(divergences.fit_gaussian(TWO, JENSEN_SHANNON, starts, points=LINE, pi=pi)[0].gaussian.covariance[0, 0])
        for pi in (0.01, 0.99)
    ]
    assert spreads[0] == pytest.approx(TWO.moments.covariance[0, 0], rel=0.1)
    assert spreads[1] == pytest.approx(0.49, rel=0.2)


def test_what_it_refuses():
    with pytest.raises(BadInput, match="weight 0"):
        divergences.make_target([[0.0], [1.0]], [1, 1], [0, 0])
    for kwargs, told in (
        ({"divergence": "x"}, "forward"),
        ({"divergence": REVERSE, "shape": "x"}, "isotropic"),
        ({"divergence": JENSEN_SHANNON, "pi": 0.0}, "ends excluded"),
    ):
        with pytest.raises(BadInput, match=told):
            divergences.fit_gaussian(TWO, starts=np.zeros((1, 1)), points=LINE, **kwargs)
