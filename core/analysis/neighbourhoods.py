"""Nearest neighbours in latent codes and in maps, and scores computed from them."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from core import cache
from core.analysis.rows import Rows
from core.errors import BadInput
from core.metrics import bootstrap, confusion, embedding
from core.types import Measurement, as_floats, pack_metrics, unpack_metrics

K = 15
DEPTH = embedding.OVERLAP_DEPTH
MOST_COMPARED = 10_000  # rows among which neighbours of every row are searched


def score_map(points: np.ndarray, rows: Rows) -> dict[str, Measurement]:
    """Measure a 2-D map: scores under the names of `core.metrics.definitions.DEFINITIONS`.

    ``map_knn_accuracy`` of labelled rows, at most `MOST_COMPARED`, and ``map_trustworthiness``, each of a stratified
    sample and left out if there are too few rows. Rows without a position (NaN) do not count.
    """

    def compute() -> dict[str, np.ndarray]:
        measured = {}
        with suppress(BadInput):  # one class, or too few rows: nothing can be said
            predicted = predict_classes(points, rows.y)
            measured["map_knn_accuracy"] = confusion.count_confusions(rows.y, predicted).accuracy
        with suppress(BadInput):
            values = _compute_trustworthiness(points, rows)
            interval = bootstrap.mean_interval(values)
            measured["map_trustworthiness"] = Measurement(float(values.mean()), *interval, len(values))
        return pack_metrics(measured)

    return unpack_metrics(cache.get_or_compute(_scores_name(points, rows), compute))


def read_scores(points: np.ndarray, rows: Rows) -> dict[str, Measurement] | None:
    """Return what `score_map` computed before, or None if the cache does not have it."""
    measured = cache.find_arrays(_scores_name(points, rows))
    return None if measured is None else unpack_metrics(measured)


def _scores_name(points: np.ndarray, rows: Rows) -> str:
    return f"map-scores-{cache.make_key(np.asarray(points, np.float32), rows.key)}"


def _compute_trustworthiness(points: np.ndarray, rows: Rows) -> np.ndarray:
    at = np.flatnonzero(np.isfinite(points).all(axis=1))
    if rows.vectors is not None:
        at = at[np.diff(rows.vectors.indptr)[at] > 0]  # a document without a known word has no neighbours
    at = at[embedding.stratified_rows(rows.y[at], embedding.NEIGHBOURHOOD_ROWS)] if len(at) else at
    if rows.vectors is not None:
        return embedding.neighbourhood_rows(rows.vectors[at], points[at], K, "cosine")[0]
    return embedding.neighbourhood_rows(as_floats(rows.X[at], rows.kind), points[at], K, "euclidean")[0]


def find_neighbours(Z: np.ndarray, k: int = K) -> np.ndarray:
    """Find the `k` nearest others of every row by Euclidean distance: (n, k), nearest first.

    Rows without a position have -1 throughout and are no neighbours; with fewer than `k` others, all are returned.
    """

    def compute() -> dict[str, np.ndarray]:
        at = np.flatnonzero(np.isfinite(Z).all(axis=1))
        nearest = np.full((len(Z), min(k, max(len(at) - 1, 0))), -1, np.int32)
        if nearest.shape[1]:
            nearest[at] = at[embedding.nearest_others(Z[at], nearest.shape[1])]
        return {"rows": nearest}

    return cache.get_or_compute(f"neighbours-{cache.make_key(np.asarray(Z, np.float32), k)}", compute)["rows"]


def find_nearest(
    z: np.ndarray, Z: np.ndarray, k: int = 10, leave_out: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Find the `k` rows whose codes Z are nearest to one code z, and their Euclidean distances.

    Rows without a position (NaN) and the row at position `leave_out` do not count.
    """
    distances = np.linalg.norm(np.asarray(Z, np.float64) - np.asarray(z, np.float64), axis=1)
    if leave_out is not None:
        distances[leave_out] = np.nan
    order = np.argsort(distances, kind="stable")[:k]
    order = order[np.isfinite(distances[order])]
    return order, distances[order]


def predict_classes(Z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Predict the class of each row by its 15 nearest other rows; results are kept.

    Of more than `MOST_COMPARED` rows a stratified sample is asked and searched; the others are `confusion.NOT_ASKED`.
    """
    asked = np.flatnonzero(np.isfinite(Z).all(axis=1) & (y >= 0))
    if len(asked) > MOST_COMPARED:
        sample = asked[embedding.stratified_rows(y[asked], MOST_COMPARED)]
        y = np.where(np.isin(np.arange(len(y)), sample), y, -1)
    name = f"predicted-{cache.make_key(np.asarray(Z, np.float32), np.asarray(y, np.int64), K)}"
    return cache.get_or_compute(name, lambda: {"classes": confusion.predict_classes(Z, y, K)})["classes"]


def compute_overlap(Z: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Compute the average overlap of each row's neighbours under two methods, in [0, 1].

    The `DEPTH` nearest are compared, or all others if fewer, see `core.metrics.embedding.average_overlap`. They are
    searched among the rows that have a position under both methods, of which `MOST_COMPARED` are drawn at random; NaN
    for the others.
    """
    both = np.isfinite(Z).all(axis=1) & np.isfinite(other).all(axis=1)
    if both.sum() > MOST_COMPARED:
        at = np.flatnonzero(both)
        both = np.isin(np.arange(len(Z)), at[embedding.stratified_rows(np.zeros(len(at)), MOST_COMPARED)])
    a, b = (find_neighbours(np.where(both[:, None], codes, np.nan), DEPTH) for codes in (Z, other))
    shared = np.full(len(Z), np.nan)
    if a.shape[1]:
        shared[both] = embedding.average_overlap(a[both], b[both])
    return shared


@dataclass(frozen=True)
class Answers:
    """Positions of documents by decreasing cosine similarity to a query, and the cosines."""

    positions: np.ndarray
    cosines: np.ndarray


def find_answers(query: Any, documents: Any, n: int) -> Answers:
    """Find at most `n` documents (n_documents, d) nearest to a query (1, d) by cosine.

    None for a query that is all zero, whose cosine is undefined; documents that are all zero have cosine 0.
    """
    from sklearn.metrics.pairwise import cosine_similarity

    if not abs(query).sum() > 0:
        return Answers(np.empty(0, int), np.empty(0))
    # Vectors that are multiples of one another have cosines that may differ in the last of float64's 16 digits.
    cosines = cosine_similarity(documents.astype(np.float64), query.astype(np.float64)).ravel().round(12)
    positions = np.argsort(-cosines, kind="stable")[:n]
    return Answers(positions, cosines[positions])
