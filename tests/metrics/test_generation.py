from math import comb

import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist

from core.metrics import checks
from core.metrics.generation import RealRows, class_shares, frechet_distance, frechet_from_moments, precision_recall
from core.types import BadInput


def random_covariance(rng, d):
    factor = rng.normal(size=(d, 2 * d))
    return factor @ factor.T / (2 * d)


def test_frechet_distance_of_gaussians_with_one_set_of_axes_is_the_closed_form():
    variances1, variances2 = np.array([4.0, 1.0, 0.0]), np.array([1.0, 9.0, 0.25])
    mu1, mu2 = np.array([1.0, 0.0, 2.0]), np.array([0.0, 2.0, 2.0])
    expected = np.sum((mu1 - mu2) ** 2) + np.sum((np.sqrt(variances1) - np.sqrt(variances2)) ** 2)
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    S1, S2 = (rotation @ np.diag(v) @ rotation.T for v in (variances1, variances2))
    assert frechet_from_moments(rotation @ mu1, S1, rotation @ mu2, S2) == pytest.approx(expected, abs=1e-7)


@pytest.mark.parametrize("d", [1, 5, 64])
def test_frechet_distance_agrees_with_scipys_matrix_root(d):
    rng = np.random.default_rng(d)
    mu1, mu2, S1, S2 = rng.normal(size=d), rng.normal(size=d), random_covariance(rng, d), random_covariance(rng, d)
    expected = np.sum((mu1 - mu2) ** 2) + np.trace(S1 + S2 - 2 * np.real(sqrtm(S1 @ S2)))
    assert frechet_from_moments(mu1, S1, mu2, S2) == pytest.approx(expected, rel=1e-7)
    assert frechet_from_moments(mu2, S2, mu1, S1) == pytest.approx(expected, rel=1e-7)


def test_frechet_distance_takes_the_features_own_moments():
    rng = np.random.default_rng(1)
    A, B = rng.normal(size=(300, 6)), 2 * rng.normal(size=(200, 6)) + 1
    expected = frechet_from_moments(A.mean(0), np.cov(A.T), B.mean(0), np.cov(B.T))
    assert frechet_distance(A, B) == pytest.approx(expected, rel=1e-9)


def test_frechet_distance_is_zero_for_equal_and_never_negative_for_singular_features():
    rng = np.random.default_rng(2)
    A = rng.normal(size=(30, 5)) @ rng.normal(size=(5, 40))
    assert 0 <= frechet_distance(A, A) < 1e-6
    assert frechet_distance(np.ones((4, 3)), np.ones((9, 3))) == 0.0
    zero = np.zeros(2)
    assert frechet_from_moments(zero, np.diag([1.0, -1e-9]), zero, np.eye(2)) == pytest.approx(1.0, abs=1e-7)
    assert frechet_distance(np.ones((4, 3)), 3 * np.ones((9, 3))) == pytest.approx(12.0)


def test_frechet_distance_falls_with_the_number_of_rows():
    rng = np.random.default_rng(3)
    distances = [frechet_distance(rng.normal(size=(n, 10)), rng.normal(size=(n, 10))) for n in (50, 500, 5000)]
    assert distances[0] > distances[1] > distances[2] > 0


def test_frechet_distance_refuses():
    A = np.random.default_rng(0).normal(size=(10, 3))
    for a, b, word in ((A, A[:, :2], "one feature space"), (A[:1], A, "at least 2"), (A * np.inf, A, "NaN")):
        with np.errstate(invalid="ignore"), pytest.raises(BadInput, match=word):
            frechet_distance(a, b)
    with pytest.raises(BadInput, match="one size"):
        frechet_from_moments(np.zeros(2), np.eye(2), np.zeros(3), np.eye(3))


def manifold_scores_by_loops(real, fake, k, coverage_k):
    def radius(rows, i, k):
        return sorted(np.linalg.norm(rows[i] - rows[j]) for j in range(len(rows)) if j != i)[k - 1]

    def share_inside(points, centres, k):
        radii = [radius(centres, i, k) for i in range(len(centres))]
        inside = [any(np.linalg.norm(p - c) <= r for c, r in zip(centres, radii, strict=True)) for p in points]
        return float(np.mean(inside))

    covered = [min(np.linalg.norm(real[i] - f) for f in fake) <= radius(real, i, coverage_k) for i in range(len(real))]
    return {
        "precision": share_inside(fake, real, k),
        "recall": share_inside(real, fake, k),
        "coverage": float(np.mean(covered)),
    }


@pytest.mark.parametrize(("k", "coverage_k"), [(3, 5), (1, 2), (4, 2)])
def test_precision_recall_and_coverage_are_those_of_the_direct_computation(k, coverage_k, monkeypatch):
    monkeypatch.setattr(checks, "_CHUNK_ELEMENTS", 2000)
    rng = np.random.default_rng(k)
    real, fake = rng.normal(size=(90, 3)), rng.normal(1.2, 1.0, size=(90, 3))
    scores = precision_recall(real, fake, k, coverage_k)
    assert scores == pytest.approx(manifold_scores_by_loops(real, fake, k, coverage_k), abs=1e-12)
    assert min(scores.values()) > 0
    assert max(scores.values()) < 1
    assert len(set(scores.values())) == 3


def test_coverage_of_a_perfect_sampler_is_that_of_its_closed_form():
    """Naeem et al. (2020), proposition 2: 1 - C(2n - 1 - k, n) / C(2n - 1, n) for equal distributions."""
    rng = np.random.default_rng(4)
    n, k = 400, 5
    found = [precision_recall(rng.normal(size=(n, 8)), rng.normal(size=(n, 8)))["coverage"] for _ in range(10)]
    assert np.mean(found) == pytest.approx(1 - comb(2 * n - 1 - k, n) / comb(2 * n - 1, n), abs=0.01)


def ten_clusters(rng, n, clusters=10):
    centres = 20 * np.eye(10)
    return centres[rng.integers(0, clusters, size=n)] + rng.normal(size=(n, 10))


def test_mode_collapse_lowers_recall_and_coverage_and_leaves_precision():
    rng = np.random.default_rng(5)
    real, good, collapsed = ten_clusters(rng, 800), ten_clusters(rng, 800), ten_clusters(rng, 800, clusters=2)
    fair, poor = precision_recall(real, good), precision_recall(real, collapsed)
    assert poor["recall"] < fair["recall"] / 2
    assert poor["coverage"] < fair["coverage"] / 2
    assert poor["precision"] > fair["precision"] - 0.1


def test_noise_lowers_precision():
    rng = np.random.default_rng(6)
    real, good = ten_clusters(rng, 800), ten_clusters(rng, 800)
    noisy = np.where(rng.random((800, 1)) < 0.5, rng.uniform(-30, 30, size=(800, 10)), ten_clusters(rng, 800))
    assert precision_recall(real, noisy)["precision"] < 0.65 * precision_recall(real, good)["precision"]


def test_a_memoriser_scores_one_and_strangers_score_zero():
    rng = np.random.default_rng(7)
    real = rng.normal(size=(200, 16)) + 1e8
    assert precision_recall(real, rng.permutation(real)) == {"precision": 1.0, "recall": 1.0, "coverage": 1.0}
    assert precision_recall(real, real + 50) == {"precision": 0.0, "recall": 0.0, "coverage": 0.0}
    constant = np.ones((20, 4))
    assert precision_recall(constant, constant) == {"precision": 1.0, "recall": 1.0, "coverage": 1.0}


@pytest.mark.parametrize("seed", range(4))
def test_repeated_rows_have_a_ball_of_no_width_that_holds_their_copies(seed):
    rng = np.random.default_rng(seed)
    real = np.repeat(rng.normal(size=(61, 30)) * 100, 4, axis=0) + 5
    assert precision_recall(real, rng.permutation(real), 3, 3) == {"precision": 1.0, "recall": 1.0, "coverage": 1.0}
    assert precision_recall(real, real + 0.01)["precision"] == 0.0


def scores_by_differences(real, fake, k=3, coverage_k=5):
    """Distances by differences of coordinates: exact for equal rows, however far from the origin."""

    def squared_radii(rows, k):
        return np.sort(cdist(rows, rows, "sqeuclidean"), axis=1)[:, k]  # the nearest is the row itself

    between = cdist(real, fake, "sqeuclidean")
    return {
        "precision": float((between <= squared_radii(real, k)[:, None]).any(axis=0).mean()),
        "recall": float((between <= squared_radii(fake, k)).any(axis=1).mean()),
        "coverage": float((between.min(axis=1) <= squared_radii(real, coverage_k)).mean()),
    }


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
    if name == "half zero":
        real, fake = np.maximum(real, 0), np.maximum(fake, 0)
    if name == "an outlier":
        fake[0] *= 1e3
    return real, fake


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("name", ["plain", "repeated", "far", "uneven", "half zero", "an outlier"])
def test_no_rounding_of_the_distances_changes_a_share(name, single, monkeypatch):
    monkeypatch.setattr(checks, "_CHUNK_ELEMENTS", 100_000)
    real, fake = hard_case(name, np.random.default_rng(8))
    if single:
        real, fake = real.astype(np.float32), fake.astype(np.float32)
    expected = scores_by_differences(real.astype(float), fake.astype(float))
    assert precision_recall(real, fake) == expected
    assert 0 < expected["precision"] < 1
    assert expected["recall"] > 0


def test_real_rows_are_compared_with_any_number_of_sets_of_samples():
    rng = np.random.default_rng(9)
    real = rng.normal(size=(300, 20)) + 5
    before = real.copy()
    rows = RealRows(real, 4, 2)
    for shift in (0.0, 0.5, 1.0, 0.0):
        fake = rng.normal(size=(300, 20)) + 5 + shift
        kept = fake.copy()
        assert rows.precision_recall(fake) == scores_by_differences(real, fake, 4, 2)
        assert np.array_equal(fake, kept)
    assert np.array_equal(real, before)


def test_precision_and_recall_refuse():
    A = np.random.default_rng(0).normal(size=(10, 3))
    for real, fake, word in (
        (A, A[:9], "as many samples"),
        (A, A[:, :2], "one feature space"),
        (A[:5], A[:5], "with 5 rows: take 1 to 4"),
        (A, A * np.nan, "NaN"),
    ):
        with pytest.raises(BadInput, match=word):
            precision_recall(real, fake)


def test_class_shares():
    assert class_shares(np.array([0, 2, 2, 2]), 3).tolist() == [0.25, 0.0, 0.75]
    for labels in (np.array([], dtype=int), np.array([0.5]), np.array([[1]])):
        with pytest.raises(BadInput, match="no shares"):
            class_shares(labels, 3)
    for labels in (np.array([0, 3]), np.array([-1, 0])):
        with pytest.raises(BadInput, match="allowed are 0 to 2"):
            class_shares(labels, 3)
