"""Linear autoencoders beside PCA: closed forms, scipy and brute force."""

import numpy as np
import pytest
from scipy import linalg
from scipy.stats import special_ortho_group

from core.errors import BadInput
from core.methods.linear_ae import LinearAutoencoder
from core.metrics import linear_ae_vs_pca, pca_spectrum
from core.metrics.linear_ae_vs_pca import CodeRotation, LinearPair


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def random_pair(rng) -> LinearPair:
    return LinearPair(*(rng.normal(size=shape) for shape in ((3, 7), 3, (7, 3), 7, 7)))


def test_principal_angles_are_those_of_a_known_rotation():
    angles, axes = np.radians([1e-7, 30.0]), np.eye(6)
    B = np.cos(angles) * axes[:, :2] + np.sin(angles) * axes[:, 3:5]
    mixed = B @ np.array([[2.0, 1.0], [0.5, -3.0]])
    assert linear_ae_vs_pca.principal_angles(axes[:, :2], mixed) == pytest.approx([30.0, 1e-7], rel=1e-6)


def test_principal_angles_are_scipys_and_right_angles_for_dependent_columns(rng):
    A, B = rng.normal(size=(9, 4)), rng.normal(size=(9, 4))
    assert linear_ae_vs_pca.principal_angles(A, B) == pytest.approx(np.degrees(linalg.subspace_angles(A, B)))
    A = rng.normal(size=(6, 2))
    assert linear_ae_vs_pca.principal_angles(A[:, [0, 0]], A) == pytest.approx([90, 0], abs=1e-5)
    assert linear_ae_vs_pca.principal_angles(np.zeros((6, 2)), A) == pytest.approx([90, 90])


def test_the_excess_error_is_what_the_rows_say(rng):
    for n in (5, 40):
        X, pair = rng.random((n, 7)), random_pair(rng)
        found = pca_spectrum.decompose(X)
        direct = np.square(pair.reconstruct(pair.encode(X)) - X).sum(1).mean()
        assert linear_ae_vs_pca.excess_error(pair, found) == pytest.approx(direct - found.error(3), rel=1e-9)


def test_pca_itself_is_at_no_distance_from_pca(rng):
    found = pca_spectrum.decompose(rng.random((50, 7)))
    mix = rng.normal(size=(3, 3))
    U = found.components[:3]
    pair = LinearPair(mix @ U, np.zeros(3), U.T @ np.linalg.inv(mix), np.zeros(7), found.mean)
    distance = linear_ae_vs_pca.distance_to_pca(pair, found)
    assert list(distance) == ["largest_angle", "mean_angle", "excess_error"]
    assert list(distance.values()) == pytest.approx([0, 0, 0], abs=1e-5)
    assert distance["excess_error"] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("k", [1, 2, 3, 10])
def test_turned_code_changes_no_reconstruction_and_ends_at_the_components_up_to_sign(rng, k):
    components, X = np.linalg.qr(rng.normal(size=(20, k)))[0].T, rng.random((20, 20))
    decoder = components.T @ rng.normal(size=(k, k))
    pair = LinearPair(rng.normal(size=(k, 20)), rng.normal(size=k), decoder, rng.normal(size=20), np.zeros(20))
    turning = CodeRotation.between(pair.decoder, components)
    assert turning.at(0) == pytest.approx(np.eye(k), abs=1e-9)
    assert turning.at(1) == pytest.approx(turning.matrix, abs=1e-9)
    for share in (0.3, 1.0):
        turned = linear_ae_vs_pca.rotate_code(pair, turning.at(share))
        assert turned.reconstruct(turned.encode(X)) == pytest.approx(pair.reconstruct(pair.encode(X)), abs=1e-6)
    assert turned.decoder == pytest.approx(components.T * turning.signs, abs=1e-8)
    assert set(np.abs(turning.signs)) == {1.0}


def test_a_plane_is_turned_by_its_angle_at_an_even_pace():
    turn = lambda degrees: linalg.expm(np.radians(degrees) * np.array([[0.0, -1], [1, 0]]))
    turning = CodeRotation.between(turn(70), np.eye(2))
    assert turning.angles == pytest.approx([70])
    assert turning.at(0.5) == pytest.approx(turn(35))


def test_any_rotation_is_reached_half_turns_included(rng):
    half_turns = np.diag([-1.0, -1.0, 1.0, -1.0, -1.0])
    for Q in [half_turns, *(special_ortho_group.rvs(6, random_state=seed) for seed in range(5))]:
        turning = CodeRotation(Q, np.ones(len(Q)))
        assert turning.at(1) == pytest.approx(Q, abs=1e-9)
        halfway = turning.at(0.5)
        assert halfway @ halfway == pytest.approx(Q, abs=1e-9)


def test_what_is_left_to_rotate_goes_from_all_to_nothing(rng):
    rotation = CodeRotation.between(rng.normal(size=(8, 3)), np.linalg.qr(rng.normal(size=(8, 3)))[0].T)
    assert rotation.left(0) == pytest.approx(rotation.matrix)
    assert rotation.left(1) == pytest.approx(np.eye(3), abs=1e-9)
    assert rotation.left(0.4) @ rotation.at(0.4) == pytest.approx(rotation.matrix)
    with pytest.raises(BadInput, match="has not converged"):  # axes that depend on each other
        CodeRotation.between(rng.normal(size=(6, 1)) @ np.ones((1, 2)), np.eye(6)[:2])


def test_a_pair_of_stored_arrays_does_what_the_estimator_does():
    X = np.random.default_rng(3).random((60, 9), dtype=np.float32)
    ae = LinearAutoencoder(3, epochs=3, batch_size=16, random_state=0).fit(X)
    pair = LinearPair.from_arrays(ae.arrays())
    assert pair.encode(X) == pytest.approx(ae.transform(X), abs=1e-5)
    rebuilt = ae.inverse_transform(ae.transform(X))
    assert pair.reconstruct(pair.encode(X)) == pytest.approx(rebuilt, abs=1e-5)
