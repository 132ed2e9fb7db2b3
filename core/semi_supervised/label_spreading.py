"""Label spreading over the nearest-neighbour graph of all training rows or of their codes."""

import time

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors
from sklearn.semi_supervised import LabelSpreading
from sklearn.utils.validation import check_is_fitted, validate_data

from core import cache
from core.semi_supervised.base import ProbabilityClassifier, find_labelled
from core.types import UNLABELLED

# A row's scale is its distance to this neighbour (Zelnik-Manor and Perona 2004).
_SCALE_NEIGHBOUR = 7


def find_neighbours(Z: np.ndarray, queries: np.ndarray | None, n_neighbors: int) -> dict[str, np.ndarray]:
    """Find the nearest rows of `Z` to each query, or to each row of `Z` without itself, by exact search.

    Returns
    -------
    distances, indices : (n_queries, k) float32, ascending, and int32 rows of Z; k is at most `n_neighbors`.
    """
    k = min(n_neighbors, len(Z) - (queries is None))
    distances, indices = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(Z).kneighbors(queries)
    return {"distances": distances.astype(np.float32), "indices": indices.astype(np.int32)}


def compute_scales(distances: np.ndarray) -> np.ndarray:
    """Return each row's distance to its seventh neighbour, or to its last: (n, k) -> (n,)."""
    scales = distances[:, min(_SCALE_NEIGHBOUR, distances.shape[1]) - 1]
    return np.maximum(scales, np.finfo(np.float32).tiny ** 0.25)


def compute_affinities(distances: np.ndarray, scales: np.ndarray, neighbour_scales: np.ndarray) -> np.ndarray:
    """Return exp(-d^2 / (s_i s_j)): (n, k), (n,), (n, k) -> (n, k). Zelnik-Manor and Perona 2004, eq. 1."""
    return np.exp(-np.square(distances, dtype=np.float64) / (scales[:, None] * neighbour_scales))


class GraphSpreading(ProbabilityClassifier, BaseEstimator):
    """Label spreading on the symmetrised graph of each training row's nearest neighbours.

    It is transductive: labels spread over all training rows. A new row gets the mean label distribution of its nearest
    training rows, weighted by affinity. On a VAE's codes this is the transductive M1 of Kingma et al. 2014.

    Parameters
    ----------
    n_neighbors : edges of a row before the graph is made symmetric.
    alpha : in (0, 1), share of its label distribution that a row takes from its neighbours.
    embedder : fitted estimator whose codes replace the rows, or None.

    Attributes
    ----------
    classes_ : (n_classes,), the classes of the labelled rows.
    seconds_before_ : seconds of the neighbour search, if its result was cached; else 0.
    label_distributions_ : (n_samples, n_classes), of the training rows; each sums to 1, or to 0 if no label reaches it.

    References
    ----------
    Zhou et al. 2003, Learning with local and global consistency. Zelnik-Manor and Perona 2004, Self-tuning spectral
    clustering.
    """

    def __init__(self, n_neighbors=10, *, alpha=0.95, embedder=None):
        self.n_neighbors = n_neighbors
        self.alpha = alpha
        self.embedder = embedder

    def fit(self, X, y):
        """Spread the labels; y is -1 for rows without one. Raises BadInput without labels."""
        X = validate_data(self, X, dtype=np.float32, ensure_min_samples=2)
        rows, self.classes_, codes = find_labelled(X, y)
        classes = np.full(len(X), UNLABELLED)
        classes[rows] = codes
        self._prior = np.bincount(codes) / len(codes)
        self._rows = self._embedded(X)
        graph = self._graph()
        spreading = LabelSpreading(kernel=lambda *_: graph, alpha=self.alpha, max_iter=5000)
        # The kernel knows the rows: LabelSpreading needs only their number.
        self.label_distributions_ = spreading.fit(np.zeros((len(X), 1)), classes).label_distributions_
        self.n_iter_ = spreading.n_iter_
        return self

    def predict_proba(self, X) -> np.ndarray:
        """Return the mean label distribution of the nearest training rows: (n, n_classes), rows sum to 1."""
        check_is_fitted(self)
        Z = self._embedded(validate_data(self, X, reset=False, dtype=np.float32))
        found = self._nearest(Z)
        distances, indices = found["distances"], found["indices"]
        weights = compute_affinities(distances, compute_scales(distances), self._scales[indices])
        # The nearest row keeps a weight if all affinities underflow.
        weights[:, 0] = np.maximum(weights[:, 0], np.finfo(np.float64).tiny)
        sums = np.einsum("nk,nkc->nc", weights, self.label_distributions_[indices])
        total = sums.sum(1, keepdims=True)
        return np.where(total > 0, sums / np.where(total > 0, total, 1), self._prior)

    def codes(self, X) -> np.ndarray:
        """Return the embedder's codes, or the rows themselves: (n, k) float32."""
        check_is_fitted(self)
        return self._embedded(validate_data(self, X, reset=False, dtype=np.float32))

    def _embedded(self, X) -> np.ndarray:
        return X if self.embedder is None else np.asarray(self.embedder.transform(X), np.float32)

    def _graph(self) -> sparse.csr_matrix:
        """Return the affinities of all pairs in which one is a neighbour of the other: (n_samples, n_samples)."""
        found = self._nearest(None)
        distances, indices, self.seconds_before_ = found["distances"], found["indices"], float(found["seconds"])
        self._scales = compute_scales(distances)
        n, k = indices.shape
        weights = compute_affinities(distances, self._scales, self._scales[indices])
        one_way = sparse.csr_matrix((weights.ravel(), indices.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
        return one_way.maximum(one_way.T).tocsr()

    def _nearest(self, queries) -> dict[str, np.ndarray]:
        """Return neighbours, cached for other labels of these rows, and the seconds that their search took before."""
        started = time.perf_counter()
        name = f"neighbours-{cache.make_key('nearest 2', self.n_neighbors, self._rows, queries)}"
        if (found := cache.find_arrays(name)) is not None:
            return found
        found = find_neighbours(self._rows, queries, self.n_neighbors)
        cache.save_arrays(name, {**found, "seconds": np.array(time.perf_counter() - started)})
        return {**found, "seconds": np.array(0.0)}


def _build(settings, pretrained, seed) -> GraphSpreading:
    return GraphSpreading(**settings, embedder=pretrained)


BUILDERS = {"m1": _build, "spreading": _build}
