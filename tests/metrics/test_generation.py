from math import comb

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist

from core.errors import BadInput
from core.metrics import validation
from core.metrics.generation import RealRows, frechet_distance, frechet_from_moments, frechet_interval


def score(real, fake):
    return RealRows(real).precision_recall(fake)


def test_frechet_distance_is_the_closed_form_for_common_axes():
    variances1, variances2 = np.array([4.0, 1.0, 0.0]), np.array([1.0, 9.0, 0.25])
    mu1, mu2 = np.array([1.0, 0.0, 2.0]), np.array([0.0, 2.0, 2.0])
    expected = np.sum((mu1 - mu2) ** 2) + np.sum((np.sqrt(variances1) - np.sqrt(variances2)) ** 2)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    S1, S2 = (rotation @ np.diag(v) @ rotation.T for v in (variances1, variances2))
    assert frechet_from_moments(rotation @ mu1, S1, rotation @ mu2, S2) == pytest.approx(expected, abs=1e-7)


def test_frechet_distance_agrees_with_scipys_matrix_root():
    for d in (1, 5, 64):
        rng = np.random.default_rng(d)
        mu1, mu2, *factors = rng.normal(size=d), rng.normal(size=d), *rng.normal(size=(2, d, 2 * d))
        S1, S2 = (factor @ factor.T / (2 * d) for factor in factors)
        expected = np.sum((mu1 - mu2) ** 2) + np.trace(S1 + S2 - 2 * np.real(sqrtm(S1 @ S2)))
        assert frechet_from_moments(mu1, S1, mu2, S2) == pytest.approx(expected, rel=1e-7)
    rng = np.random.default_rng(1)
    A, B = rng.normal(size=(300, 6)), 2 * rng.normal(size=(200, 6)) + 1
    expected = frechet_from_moments(A.mean(0), np.cov(A.T), B.mean(0), np.cov(B.T))
    assert frechet_distance(A, B) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_is_zero_for_equal_and_never_negative_for_singular_features():
    rng = np.random.default_rng(2)
    A = rng.normal(size=(30, 5)) @ rng.normal(size=(5, 40))
    assert 0 <= frechet_distance(A, A) < 1e-6
    assert frechet_distance(np.ones((4, 3)), np.ones((9, 3))) == 0.0
    assert frechet_distance(np.ones((4, 3)), 3 * np.ones((9, 3))) == pytest.approx(12.0)


@pytest.mark.parametrize("singular", [False, True])
def test_frechet_interval_is_as_wide_as_other_draws_differ(singular):
    rng = np.random.default_rng(0)
    mix = rng.normal(size=(6, 6)) * (0 if singular else 1) + np.diag([1, 2, 0.5, 1, 0.1, 0 if singular else 1])
    B = rng.normal(size=(1000, 6)) + 1

    def draw():
        return rng.gamma(2.0, size=(1000, 6)) @ mix

    distances = [frechet_distance(draw(), B) for _ in range(150)]
    widths = [np.diff(frechet_interval(draw(), B))[0] for _ in range(20)]
    assert np.mean(widths) == pytest.approx(2 * 1.96 * np.std(distances), rel=0.15)
    A = draw()
    low, high = frechet_interval(A, B)
    assert (low + high) / 2 == pytest.approx(frechet_distance(A, B))
    assert frechet_interval(np.ones((4, 3)), np.ones((9, 3))) == (0.0, 0.0)


def scores_by_differences(real, fake):
    """Distances by differences of coordinates: exact for equal rows, however far from the origin."""

    def squared_radii(rows, k):
        return np.sort(cdist(rows, rows, "sqeuclidean"), axis=1)[:, k]  # the nearest is the row itself

    between = cdist(real, fake, "sqeuclidean")
    return {
        "precision": float((between <= squared_radii(real, 3)[:, None]).any(axis=0).mean()),
        "recall": float((between <= squared_radii(fake, 3)).any(axis=1).mean()),
        "coverage": float((between.min(axis=1) <= squared_radii(real, 5)).mean()),
    }


def test_coverage_of_a_perfect_sampler_is_the_closed_form():
    """Naeem et al. (2020), proposition 2: 1 - C(2n - 1 - k, n) / C(2n - 1, n) for equal distributions."""
    rng = np.random.default_rng(4)
    n, k = 400, 5
    found = [score(rng.normal(size=(n, 8)), rng.normal(size=(n, 8)))["coverage"] for _ in range(10)]
    assert np.mean(found) == pytest.approx(1 - comb(2 * n - 1 - k, n) / comb(2 * n - 1, n), abs=0.01)


def test_training_rows_score_one_and_strangers_zero():
    rng = np.random.default_rng(7)
    real = rng.normal(size=(200, 16)) + 1e8
    assert set(score(real, rng.permutation(real)).values()) == {1.0}
    assert set(score(real, real + 50).values()) == {0.0}
    # Repeated rows have a ball of no width that holds their copies.
    real = np.repeat(rng.normal(size=(61, 30)) * 100, 6, axis=0) + 5
    assert set(score(real, rng.permutation(real)).values()) == {1.0}
    assert score(real, real + 0.01)["precision"] == 0.0


def hard_case(name, rng):
    """Real rows, and samples half of which stand near them."""
    real = rng.normal(size=(600, 64))
    fake = np.vstack([real[:300] + 0.3 * rng.normal(size=(300, 64)), 1.3 * rng.normal(size=(300, 64))])
    if name == "repeated":
        real[200:] = np.repeat(real[:100], 4, axis=0)
        fake[400:] = real[100:300]
    if name == "far":
        real, fake = real + 3e4, fake + 3e4
    if name == "uneven":
        scales = 10.0 ** rng.uniform(-3, 2, size=64)
        real, fake = real * scales, fake * scales
    if name == "an outlier":
        fake[0] *= 1e3
    return real, fake


def test_no_rounding_of_distances_changes_a_share(monkeypatch):
    monkeypatch.setattr(validation, "CHUNK_ELEMENTS", 100_000)
    for name in ("plain", "repeated", "far", "uneven", "an outlier"):
        real, fake = (rows.astype(np.float32) for rows in hard_case(name, np.random.default_rng(8)))
        expected = scores_by_differences(real.astype(float), fake.astype(float))
        assert score(real, fake) == expected, name
        assert 0 < expected["precision"] < 1


def test_comparisons_of_samples_refuse():
    A = np.random.default_rng(0).normal(size=(10, 3))
    for compare, real, fake, word in (
        (frechet_distance, A, A[:, :2], "one feature space"),
        (frechet_distance, A[:1], A, "at least 2"),
        (score, A, A[:9], "as many samples"),
        (score, A[:5], A[:5], "more than 5 rows; there are 5"),
        (score, A, A * np.nan, "NaN"),
    ):
        with pytest.raises(BadInput, match=word):
            compare(real, fake)
