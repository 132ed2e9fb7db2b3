"""Comparison of samples with real rows in a feature space."""

from collections.abc import Iterator
from statistics import NormalDist
from typing import Any

import numpy as np

from core.errors import BadInput
from core.metrics.validation import check_finite, chunks

# Neighbours that set the radius of precision and recall, and of coverage.
K, COVERAGE_K = 3, 5
_ROUNDING = 1e-12
_SMALLER_BLOCKS = 3  # blocks of 10 MB instead of 32 MB take a third less time


def frechet_distance(A: Any, B: Any) -> float:
    """Fréchet distance between the Gaussians with the means and covariances of two sets of features.

    It falls with the number of rows even for equal distributions: compare at equal n, and with a floor at the same n.

    Parameters
    ----------
    A, B : (n, n_features), (m, n_features) features; covariances are divided by n - 1

    Returns float >= 0, in squared units of the features
    Raises BadInput for fewer than 2 rows, different numbers of features, NaN or infinite values.
    Source: Heusel et al. (2017), GANs trained by a two time-scale update rule, equation 6; Dowson and Landau (1982).
    """
    A, B = check_finite("The first features", A, 2), check_finite("The second features", B, 2)
    _check_one_space(A, B)
    if min(len(A), len(B)) < 2:
        raise BadInput(f"A covariance needs at least 2 rows; there are {len(A)} and {len(B)}.")
    return frechet_from_moments(A.mean(axis=0), _covariance(A), B.mean(axis=0), _covariance(B))


def frechet_from_moments(mu1: np.ndarray, S1: np.ndarray, mu2: np.ndarray, S2: np.ndarray) -> float:
    """Squared Fréchet distance |mu1 - mu2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) of two Gaussians.

    tr (S1 S2)^(1/2) is the sum of the singular values of S1^(1/2) S2^(1/2) with symmetric square roots, which is never
    complex and allows singular covariances.
    Source: Dowson and Landau (1982), The Fréchet distance between multivariate normal distributions, equation 4.
    """
    shared = np.linalg.svd(_symmetric_root(S1) @ _symmetric_root(S2), compute_uv=False).sum()
    distance = np.sum((mu1 - mu2) ** 2) + np.trace(S1) + np.trace(S2) - 2 * shared
    return float(max(distance, 0.0))


def frechet_interval(A: Any, B: Any) -> tuple[float, float]:
    """95% interval of `frechet_distance(A, B)` over other draws of the samples `A`, for fixed rows `B`.

    By the delta method: to first order the distance is a mean over samples of their influence on it,
    2 (m1 - m2)^T (x - m1) + (x - m1)^T (I - T) (x - m1), where T = S1^(-1/2) (S1^(1/2) S2 S1^(1/2))^(1/2) S1^(-1/2)
    maps one Gaussian to the other; so its variance is that of the influences over n. If the distance is 0 but for
    chance, the second order dominates and the interval is only rough.

    Source: van der Vaart (1998), Asymptotic statistics, chapter 3; Rippl, Munk and Sturm (2016), Limit laws of the
    empirical Wasserstein distance: Gaussian distributions.
    """
    distance = frechet_distance(A, B)
    A, B = np.asarray(A, np.float64), np.asarray(B, np.float64)
    values, vectors = np.linalg.eigh(_covariance(A))
    there = values > 1e-10 * values.max(initial=0.0)
    root = vectors[:, there] * np.sqrt(values[there])
    centred = A - A.mean(axis=0)
    white = centred @ (vectors[:, there] / np.sqrt(values[there]))
    mapped = ((white @ _symmetric_root(root.T @ _covariance(B) @ root)) * white).sum(axis=1)
    influences = 2 * centred @ (A.mean(axis=0) - B.mean(axis=0)) + (centred**2).sum(axis=1) - mapped
    half = float(NormalDist().inv_cdf(0.975) * influences.std(ddof=1) / np.sqrt(len(A)))
    return max(distance - half, 0.0), distance + half


class RealRows:
    """Real rows to compare several sets of samples with; the distances between the rows are computed once.

    Parameters
    ----------
    real : (n, n_features) features; 10,000 x 64 take about 0.05 GB
    squared_radii : (2, n), squared distance of each row to its 3rd and 5th nearest other row; None: computed

    Raises BadInput for 5 rows or fewer, NaN or infinite values.
    """

    def __init__(self, real: Any, squared_radii: np.ndarray | None = None):
        self.real = real = check_finite("The real features", real, 2)
        if len(real) <= COVERAGE_K:
            raise BadInput(f"Precision, recall and coverage need more than {COVERAGE_K} rows; there are {len(real)}.")
        self._centre = real.mean(axis=0)  # distances by a matrix product lose digits far from the origin
        self._rows = real - self._centre
        self.squared_radii = _squared_radii(self._rows, (K, COVERAGE_K)) if squared_radii is None else squared_radii

    def precision_recall(self, fake: Any) -> dict[str, float]:
        """Means of `scores`: shares in [0, 1] that all depend on n."""
        return {name: float(scores.mean()) for name, scores in self.scores(fake).items()}

    def scores(self, fake: Any) -> dict[str, np.ndarray]:
        """Whether each sample (precision), or each real row (recall, coverage), counts: (n,) bool each.

        A ball around every row has the distance to its K-th nearest neighbour in its own set as radius. Precision:
        a sample is inside the ball of some real row. Recall: a real row is inside the ball of some sample. Coverage:
        the ball of a real row (radius by `COVERAGE_K`) contains a sample.

        Raises BadInput for another number of rows or features than the real rows', NaN or infinite values.
        Source: Kynkäänniemi et al. (2019), Improved precision and recall metric for assessing generative models,
        equations 1 and 2. Naeem et al. (2020), Reliable fidelity and diversity metrics for generative models, eq. 7.
        """
        real, fake = self._rows, check_finite("The samples' features", fake, 2)
        _check_one_space(real, fake)
        n = len(real)
        if len(fake) != n:
            raise BadInput(f"Precision and recall need as many samples as real rows: {len(fake)} and {n} were given.")
        fake = fake - self._centre
        rounding = _ROUNDING * max(_squares(real).max(), _squares(fake).max())
        real_radius, real_wide = self.squared_radii + rounding
        (fake_radius,) = _squared_radii(fake, (K,)) + rounding
        inside_real = np.zeros(n, dtype=bool)
        inside_fake, covered = np.empty(n, dtype=bool), np.empty(n, dtype=bool)
        for part, squared in _squared_distances(real, fake):
            inside_real |= (squared <= real_radius[part, None]).any(axis=0)
            inside_fake[part] = (squared <= fake_radius).any(axis=1)
            covered[part] = squared.min(axis=1) <= real_wide[part]
        return {"precision": inside_real, "recall": inside_fake, "coverage": covered}


def class_shares(labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Share of each class among `labels`, (n,) int in 0..n_classes - 1: (n_classes,) float64."""
    return np.bincount(labels, minlength=n_classes) / labels.size


def _check_one_space(A: np.ndarray, B: np.ndarray) -> None:
    if A.shape[1] != B.shape[1]:
        raise BadInput(f"Features of size {A.shape[1]} and {B.shape[1]} can't be compared: use one feature space.")


def _covariance(A: np.ndarray) -> np.ndarray:
    centred = A - A.mean(axis=0)
    return centred.T @ centred / (len(A) - 1)


def _symmetric_root(S: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh((S + S.T) / 2)
    return (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T


def _squares(A: np.ndarray) -> np.ndarray:
    """Squared length of each row: (n,)."""
    return (A**2).sum(axis=1)


def _squared_distances(A: np.ndarray, B: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield slices of A's rows with their squared distances to the rows of B, in a block that is overwritten."""
    ones = np.ones((max(len(A), len(B)), 1))
    # One product that adds the squared lengths too: -2 a.b + |a|^2 * 1 + 1 * |b|^2.
    left = np.hstack([-2 * A, _squares(A)[:, None], ones[: len(A)]])
    right = np.hstack([B, ones[: len(B)], _squares(B)[:, None]]).T
    parts = chunks(len(A), _SMALLER_BLOCKS * len(B))
    block = np.empty((parts[0].stop, len(B)))
    for part in parts:
        yield part, np.matmul(left[part], right, out=block[: part.stop - part.start])


def _squared_radii(A: np.ndarray, ks: tuple[int, ...]) -> np.ndarray:
    """Squared distance of each row to its k-th nearest other row, for each of `ks`: (len(ks), n)."""
    radii = np.empty((len(ks), len(A)))
    for part, squared in _squared_distances(A, A):
        squared[np.arange(part.stop - part.start), np.arange(part.start, part.stop)] = np.inf
        nearest = np.sort(np.partition(squared, max(ks) - 1, axis=1)[:, : max(ks)], axis=1)
        radii[:, part] = nearest[:, [k - 1 for k in ks]].T
    return np.maximum(radii, 0.0)
