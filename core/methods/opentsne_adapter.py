"""Adapter to openTSNE: exact neighbours, initialisation, and placing new rows in a map."""

from __future__ import annotations

import numpy as np

from core.errors import BadInput
from core.types import DOCUMENTS, IMAGES

_COMPONENTS = 2
_START = 1e-4  # standard deviation of the initial map along the first component


def place_rows(X, mapped, embedding: np.ndarray, kind: str = IMAGES) -> np.ndarray:
    """Place new rows in a t-SNE map by their similarities to the mapped rows: (n_samples, 2) float32.

    Each row starts at the median position of its nearest mapped rows and takes 250 gradient steps, independently of
    the others. Poličar, Stražar and Zupan 2023, Embedding to reference t-SNE space addresses batch effects in
    single-cell classification, Machine Learning 112.

    Parameters
    ----------
    X, mapped : (n_samples, n_features), (n_mapped, n_features), as for `TSNEMap.fit`.
    embedding : (n_mapped, 2), positions of the mapped rows.
    """
    from openTSNE import TSNEEmbedding

    new, vectors = weigh(X, mapped, kind)
    middle = (embedding.max(axis=0) + embedding.min(axis=0)) / 2
    # openTSNE centres a copy of the map and answers in that frame.
    similarities = _similarities(vectors, "cosine" if kind == DOCUMENTS else "euclidean")
    reference = TSNEEmbedding(embedding.astype(np.float64), similarities, negative_gradient_method="bh", n_jobs=1)
    return (np.asarray(reference.transform(new)) + middle).astype(np.float32)


def weigh(X, mapped, kind: str) -> tuple:
    """Rows and mapped rows, as tf-idf vectors with the mapped rows' frequencies for documents."""
    if kind != DOCUMENTS:
        return X, mapped
    from sklearn.feature_extraction.text import TfidfTransformer

    weighting = TfidfTransformer(sublinear_tf=True).fit(mapped)
    return weighting.transform(X), weighting.transform(mapped)


def index_exactly(X, metric: str, k: int, threads: int):
    """An exact neighbour index; openTSNE's own is approximate and has no cosine of sparse rows."""
    from openTSNE.nearest_neighbors import KNNIndex
    from sklearn.neighbors import NearestNeighbors

    class Exact(KNNIndex):
        VALID_METRICS = ("cosine", "euclidean")

        def build(self):
            self.index = NearestNeighbors(metric=self.metric, n_jobs=self.n_jobs).fit(self.data)
            return self.index.kneighbors(n_neighbors=self.k)[::-1]

        def query(self, query, k):
            return self.index.kneighbors(query, n_neighbors=k)[::-1]

    return Exact(X, k, metric=metric, n_jobs=threads)


def _similarities(mapped, metric: str):
    """Similarities of new rows to the mapped rows, in openTSNE's form."""
    from openTSNE import affinity
    from scipy import sparse

    n = mapped.shape[0]
    neighbours = index_exactly(mapped, metric, 1, 1)
    neighbours.build()

    class Similarities(affinity.Affinities):
        def __init__(self):
            super().__init__()
            self.P = sparse.csr_matrix((n, n))  # similarities of the mapped rows, not needed to place others

        def to_new(self, data, perplexity=5, return_distances=False):
            indices, distances = neighbours.query(data, min(n, int(3 * perplexity)))
            how = {"symmetrize": False, "normalization": "point-wise", "n_reference_samples": n}
            P = affinity.joint_probabilities_nn(indices, distances, [min(perplexity, indices.shape[1])], **how)
            return (P, indices, distances) if return_distances else P

    return Similarities()


def choose_start(X, kind: str, random_state) -> np.ndarray:
    """Initial positions, (n_samples, 2), with standard deviation `_START` along the first component."""
    from openTSNE import initialization

    if kind != DOCUMENTS:
        return initialization.pca(X, _COMPONENTS, random_state=random_state, add_jitter=False)
    from sklearn.decomposition import TruncatedSVD

    if X.shape[1] < 2:
        raise BadInput("t-SNE of documents needs at least 2 words: choose a larger vocabulary, or other documents.")
    Z = TruncatedSVD(_COMPONENTS, random_state=random_state).fit_transform(X).astype(np.float64)
    spread = np.std(Z[:, 0])
    # Different documents may have equal first coordinates, for example if each contains one word of its own.
    return Z / (spread if spread > 1e-6 else 1.0) * _START
