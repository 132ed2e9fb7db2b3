"""Retrieval of similar documents by their codes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from core.errors import BadInput
from core.metrics.bootstrap import mean_interval
from core.metrics.embedding import stratified_rows
from core.metrics.nearest_neighbours import iterate_cosine_distances
from core.metrics.validation import check_finite, select_labelled

MOST_PAIRS = 200_000_000  # queries times documents


def answer_counts(n_documents: int) -> list[int]:
    """Numbers of answers of a precision curve: 1, 3, 7, 15, ... and all others of `n_documents`."""
    others = n_documents - 1
    powers = [2**k - 1 for k in range(1, max(others, 0).bit_length() + 1)]
    return sorted({n for n in (*powers, others) if 1 <= n <= others})


def retrieval_precision_rows(Z: Any, y: Any, at: Sequence[int] = (1, 15, 63)) -> dict[int, np.ndarray]:
    """Share of each query's first n answers with its class, for each n of `at`: (n_queries,) float64 each.

    Every labelled row is a query; its answers are the other labelled rows by decreasing cosine of the codes, ties by
    row number. With more than 200 million pairs, the queries are a stratified sample.

    Parameters
    ----------
    Z : (n_rows, n_components) codes, dense or sparse; y : (n_rows,) int, -1 for rows that are ignored

    Raises BadInput for NaN or infinite codes, no labels, or as many answers as labelled rows.
    Source: Hinton and Salakhutdinov (2006), Reducing the dimensionality of data with neural networks, figure 4.
    """
    codes, y = select_labelled(check_finite("Z", Z, 2), y, "Z")
    if max(at) >= len(y):
        raise BadInput(f"{max(at)} answers are asked for among {len(y) - 1} other documents: ask for fewer.")
    queries = stratified_rows(y, max(1, MOST_PAIRS // len(y)))
    last = np.array(at) - 1
    precision = np.empty((len(queries), len(at)))
    for part, squared in iterate_cosine_distances(codes, codes[queries]):
        asked = queries[part]
        squared[np.arange(len(asked)), asked] = np.inf  # a query comes after all its answers
        right = y[np.argsort(squared, axis=1, kind="stable")] == y[asked][:, None]
        precision[part] = np.cumsum(right, axis=1)[:, last] / (last + 1)
    return dict(zip(at, precision.T, strict=True))


def precision_curve(rows: Mapping[int, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of answers, (n_counts,) int32, and their mean precision with its 95% interval, (n_counts, 3) float32.

    rows : number of answers -> (n_queries,) precisions from `retrieval_precision_rows`.
    """
    means = [[scores.mean(), *mean_interval(scores)] for scores in rows.values()]
    return np.array(list(rows), np.int32), np.array(means, np.float32)
