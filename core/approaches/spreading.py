"""Label spreading over the graph of nearest neighbours among all training rows, of pixels or of an embedder's codes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neighbors import NearestNeighbors
from sklearn.semi_supervised import LabelSpreading
from sklearn.utils.validation import check_is_fitted, validate_data

from core import cache
from core.approaches.base import labelled
from core.types import UNLABELLED

# A row's own scale is its distance to this neighbour, as Zelnik-Manor and Perona took it.
_SCALE_NEIGHBOUR = 7


def nearest(Z: np.ndarray, queries: np.ndarray | None, n_neighbors: int) -> dict[str, np.ndarray]:
    """The nearest of the rows `Z` to each query, by exact search.

    Parameters
    ----------
    Z : (n_samples, n_features) float32
    queries : (n_queries, n_features), or None: the rows of Z themselves, each of which is then no neighbour of its own.

    Returns
    -------
    distances : (n_queries, k) float32, Euclidean, ascending; k is `n_neighbors`, or all rows where there are fewer.
    indices : (n_queries, k) int32, into the rows of Z.
    """
    k = min(n_neighbors, len(Z) - (queries is None))
    distances, indices = NearestNeighbors(n_neighbors=k, algorithm="brute").fit(Z).kneighbors(queries)
    return {"distances": distances.astype(np.float32), "indices": indices.astype(np.int32)}


def local_scales(distances: np.ndarray) -> np.ndarray:
    """Each row's distance to its seventh neighbour, or its last where it has fewer: (n, k) -> (n,)."""
    scales = distances[:, min(_SCALE_NEIGHBOUR, distances.shape[1]) - 1]
    return np.maximum(scales, np.finfo(np.float32).tiny ** 0.25)


def affinities(distances: np.ndarray, scales: np.ndarray, neighbour_scales: np.ndarray) -> np.ndarray:
    """exp(-d^2 / (s_i s_j)): (n, k), (n,), (n, k) -> (n, k). Zelnik-Manor and Perona 2004, eq. 1."""
    return np.exp(-np.square(distances, dtype=np.float64) / (scales[:, None] * neighbour_scales))


class GraphSpreading(ClassifierMixin, BaseEstimator):
    """Label spreading on the symmetrised graph of each training row's nearest neighbours.

    Transductive: the labels spread over all training rows, labelled or not. A new row gets the mean label distribution
    of its nearest training rows, weighted by their affinity. On a VAE's codes this is M1 of Kingma et al. 2014 with a
    transductive classifier.

    Parameters
    ----------
    n_neighbors : int, edges a row has before the graph is made symmetric.
    alpha : float in (0, 1), share of its label distribution a row takes from its neighbours.
    embedder : fitted, with ``transform`` (n, n_features) -> (n, k), whose codes are spread over; None: the rows are.
    keep : bool, whether the neighbours found are kept in the user's cache, to serve any labels of the same rows.

    Attributes
    ----------
    classes_ : (n_classes,), those with a labelled row.
    seconds_before_ : float, what the neighbours took that were found kept, and not sought again.
    label_distributions_ : (n_samples, n_classes), of the training rows; each sums to 1, or to 0 out of labels' reach.

    References
    ----------
    Zhou et al. 2003, Learning with local and global consistency. Zelnik-Manor and Perona 2004, Self-tuning spectral
    clustering.
    """

    def __init__(self, n_neighbors=10, *, alpha=0.95, embedder=None, keep=False):
        self.n_neighbors = n_neighbors
        self.alpha = alpha
        self.embedder = embedder
        self.keep = keep

    def fit(self, X, y, *, on_epoch=None):
        """Spread the labels.

        Parameters
        ----------
        X : (n_samples, n_features), floats
        y : (n_samples,), class of each row, -1 where it has none.
        on_epoch : ignored, there are no epochs.

        Raises
        ------
        BadInput
            If no row has a label.
        """
        X = validate_data(self, X, dtype=np.float32, ensure_min_samples=2)
        rows, self.classes_, codes = labelled(X, y)
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
        """Mean label distribution of each row's nearest training rows: (n, n_classes), each sums to 1."""
        check_is_fitted(self)
        Z = self._embedded(validate_data(self, X, reset=False, dtype=np.float32))
        found = self._nearest(Z)
        distances, indices = found["distances"], found["indices"]
        weights = affinities(distances, local_scales(distances), self._scales[indices])
        # The nearest of all keeps a weight where every affinity underflows.
        weights[:, 0] = np.maximum(weights[:, 0], np.finfo(np.float64).tiny)
        sums = np.einsum("nk,nkc->nc", weights, self.label_distributions_[indices])
        total = sums.sum(1, keepdims=True)
        return np.where(total > 0, sums / np.where(total > 0, total, 1), self._prior)

    def predict(self, X) -> np.ndarray:
        """Likeliest class of each row: (n,)."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(1)]

    def codes(self, X) -> np.ndarray:
        """What neighbours are sought in: the embedder's codes (n, k) float32, or the rows themselves."""
        check_is_fitted(self)
        return self._embedded(validate_data(self, X, reset=False, dtype=np.float32))

    def _embedded(self, X) -> np.ndarray:
        return X if self.embedder is None else np.asarray(self.embedder.transform(X), np.float32)

    def _graph(self) -> sparse.csr_matrix:
        """Affinities of neighbours, an edge wherever either row is the other's neighbour: (n_samples, n_samples)."""
        found = self._nearest(None)
        distances, indices, self.seconds_before_ = found["distances"], found["indices"], float(found["seconds"])
        self._scales = local_scales(distances)
        n, k = indices.shape
        weights = affinities(distances, self._scales, self._scales[indices])
        one_way = sparse.csr_matrix((weights.ravel(), indices.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
        return one_way.maximum(one_way.T).tocsr()

    def _nearest(self, queries) -> dict[str, np.ndarray]:
        name, started = "", time.perf_counter()
        if self.keep:
            name = f"neighbours-{cache.key('nearest 2', self.n_neighbors, self._rows, queries)}"
            if (found := cache.find(name)) is not None:
                return found
        found = nearest(self._rows, queries, self.n_neighbors)
        if self.keep:
            cache.keep(name, {**found, "seconds": np.array(time.perf_counter() - started)})
        return {**found, "seconds": np.array(0.0)}


def _spreading(settings: Mapping[str, Any], pretrained: Any, seed: int) -> GraphSpreading:
    return GraphSpreading(**settings, embedder=pretrained, keep=True)


BUILDERS = {"m1": _spreading, "spreading": _spreading}
