"""Finding similar documents by their codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.metrics.checks import codes_pair, labelled
from core.metrics.embedding import nearest_others
from core.types import BadInput


def retrieval_precision_rows(Z: Any, y: Any, at: Sequence[int] = (1, 15, 63)) -> dict[int, np.ndarray]:
    """Share of a query's first n answers that have its class.

    Every labelled row is a query; its answers are the other labelled rows by falling cosine of the codes, exact, of
    equal cosines the lower row number first. An all-zero code has cosine 0 to everything.

    Parameters
    ----------
    Z : (n_rows, n_components) codes, of test documents
    y : (n_rows,) int; rows with -1 are neither answers nor queries
    at : numbers of answers

    Returns
    -------
    dict : n -> (n_labelled,) float64 in [0, 1]

    Raises
    ------
    BadInput
        For NaN or infinite codes, no labels, or as many answers as there are labelled rows.

    References
    ----------
    Hinton and Salakhutdinov (2006), Reducing the dimensionality of data with neural networks, figure 4.
    """
    if not at or min(at) < 1:
        raise BadInput(f"Precision at {tuple(at)} answers is not allowed: count 1 or more, such as 1, 15, 63.")
    codes, _ = codes_pair(Z, Z)
    codes, y = labelled(codes, y, "Z")
    most = max(at)
    if most >= len(codes):
        raise BadInput(f"{most} answers are asked for among {len(codes) - 1} other documents: ask for fewer.")
    answers = nearest_others(codes, most, "cosine")
    right = y[answers] == y[:, None]
    return {n: right[:, :n].mean(axis=1) for n in at}
