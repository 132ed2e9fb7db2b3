"""Clustering metrics: the silhouette of the classes, and the agreement of k-means clusters with them."""

import warnings
from typing import Any

import numpy as np

from core.errors import BadInput
from core.metrics.bootstrap import N_RESAMPLES
from core.metrics.embedding import check_memory
from core.metrics.validation import check_finite, check_two_classes, chunks, select_labelled

_LOWEST = (-0.5, 0.0)  # smallest adjusted Rand index and mutual information


def silhouette_rows(Z: Any, y: Any) -> np.ndarray:
    """Silhouette of each labelled row, with the classes as clusters: (n_labelled,) float64 in [-1, 1].

    Row i has (b - a) / max(a, b), where a is its mean Euclidean distance to the other rows of its class, and b the
    smallest of its mean distances to the rows of each other class; 0 if it is alone in its class or all are equal.

    Parameters
    ----------
    Z : (n, n_components) codes, at most 5,000 labelled rows for memory; y : (n,) int, -1 for unlabelled rows

    Raises BadInput for NaN or infinite codes, no labels, one class, no class of two rows, or too many rows.
    Source: Rousseeuw (1987), Silhouettes: a graphical aid to the interpretation and validation of cluster analysis.
    """
    from scipy.spatial.distance import cdist
    from sklearn.metrics import silhouette_samples

    codes, y = select_labelled(check_finite("Z", Z, 2), y, "Z")
    check_two_classes(y)
    check_memory(n := len(codes))
    if len(np.unique(y)) == n:
        raise BadInput(f"Each of the {n} labelled rows is alone in its class: a silhouette needs a class of two rows.")
    # Direct distances: those of a matrix product leave rounding where equal codes have 0.
    return silhouette_samples(cdist(codes, codes), y, metric="precomputed")


def kmeans_clusters(Z: Any, n_clusters: int) -> np.ndarray:
    """Cluster of each row by k-means, the best of 10 starts by k-means++, on codes that are not standardised.

    (n, n_components) codes -> (n,) int32 in 0..n_clusters - 1. Codes that differ only by rounding may share a cluster,
    so that fewer are used. Raises BadInput for NaN or infinite codes, or fewer distinct codes than clusters.
    Source: Lloyd (1982), Least squares quantization in PCM; Arthur and Vassilvitskii (2007), k-means++: the advantages
    of careful seeding.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    codes = check_finite("Z", Z, 2)
    distinct = len(np.unique(codes, axis=0))
    if n_clusters > distinct:
        limit = f"must be <= {distinct}, the number of distinct codes"
        raise BadInput(f"n_clusters={n_clusters} {limit}: choose fewer clusters, or a fit whose codes differ.")
    kmeans = KMeans(n_clusters, init="k-means++", n_init=10, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of nearly equal codes
        return kmeans.fit_predict(codes)


def cluster_agreement(y: Any, clusters: Any) -> dict[str, tuple[float, tuple[float, float]]]:
    """Agreement of clusters, (n,) int, with the classes: two indices, each with its 95% bootstrap interval.

    ``kmeans_ari`` is the adjusted Rand index, in [-0.5, 1]: 1 for the same partition, 0 on average by chance.
    ``kmeans_nmi`` is the mutual information of class and cluster over the arithmetic mean of their entropies, in
    [0, 1]: not corrected for chance, so higher for fewer rows.

    Neither is a mean over rows. A resample draws n labelled rows with replacement, each with its cluster: a contingency
    table drawn from a multinomial over the cells. Other results of k-means are not included. Copies of a row always
    agree, so resampled indices are too high; the interval is their percentiles minus this bias, the mean of the
    resamples minus the value.

    Raises BadInput for different lengths, no labels or one class.
    Source: Hubert and Arabie (1985), Comparing partitions; Strehl and Ghosh (2002), Cluster ensembles, with the
    normalisation of Kvalseth (1987), Entropy and correlation: some comments; Efron and Tibshirani (1993), chapters 10
    and 13.
    """
    y, clusters = np.asarray(y), np.asarray(clusters)
    if clusters.shape != y.shape or clusters.ndim != 1:
        raise BadInput(f"{clusters.size} clusters came with {y.size} labels: give a cluster and a label a row.")
    clusters, y = select_labelled(clusters, y, "clusters")
    check_two_classes(y)
    cells, counts = np.unique(np.stack([y, clusters]), axis=1, return_counts=True)
    rng = np.random.default_rng(0)
    resampled = [
        _indices(rng.multinomial(len(y), counts / len(y), part.stop - part.start), cells)
        for part in chunks(N_RESAMPLES, 4 * len(counts))
    ]
    values, resampled = _indices(counts[None, :], cells)[:, 0], np.concatenate(resampled, axis=1)
    ends = np.quantile(resampled, [0.025, 0.975], axis=1) - (resampled.mean(axis=1) - values)
    lows = np.minimum(np.maximum(ends[0], _LOWEST), values)
    highs = np.maximum(np.minimum(ends[1], 1.0), values)
    rows = zip(("kmeans_ari", "kmeans_nmi"), values.tolist(), lows.tolist(), highs.tolist(), strict=True)
    return {name: (value, (low, high)) for name, value, low, high in rows}


def _indices(counts: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Adjusted Rand index and normalised mutual information, (2, n_tables), of tables (n_tables, n_cells).

    `cells` (2, n_cells) holds the class and the cluster of each cell.
    """
    counts = counts.astype(np.float64)  # whole numbers far below 2^53: sums of pairs stay exact
    by_class, by_cluster = (counts @ (np.unique(part) == part[:, None]).astype(np.float64) for part in cells)
    return np.stack([_adjusted_rand(counts, by_class, by_cluster), _mutual_information(counts, by_class, by_cluster)])


def _adjusted_rand(counts: np.ndarray, by_class: np.ndarray, by_cluster: np.ndarray) -> np.ndarray:
    together, in_class, in_cluster, pairs = (
        (part * (part - 1) / 2).sum(axis=1)
        for part in (counts, by_class, by_cluster, counts.sum(axis=1, keepdims=True))
    )
    expected, highest = in_class * (in_cluster / pairs), (in_class + in_cluster) / 2
    same = (together == in_class) & (together == in_cluster)
    return np.where(same, 1.0, (together - expected) / np.where(same, 1.0, highest - expected))


def _mutual_information(counts: np.ndarray, by_class: np.ndarray, by_cluster: np.ndarray) -> np.ndarray:
    joint, of_class, of_cluster = (_entropy(part) for part in (counts, by_class, by_cluster))
    both = of_class + of_cluster
    shares = 2 - 2 * joint / np.where(both > 0, both, 1.0)
    return np.where(both > 0, np.clip(shares, 0.0, 1.0), 1.0)


def _entropy(counts: np.ndarray) -> np.ndarray:
    """Entropy in nats of each row of counts."""
    shares = counts / counts.sum(axis=1, keepdims=True)
    return -(shares * np.log(np.where(counts > 0, shares, 1.0))).sum(axis=1)
