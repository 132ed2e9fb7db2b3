"""Retrieve the documents nearest to a query that the user typed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

_DECIMALS = 12


@dataclass(frozen=True)
class Answers:
    """Documents by decreasing cosine similarity to a query.

    Attributes
    ----------
    positions : (n,) among the documents asked; of equal cosines the first.
    cosines : (n,) in [-1, 1]
    """

    positions: np.ndarray
    cosines: np.ndarray


def answers(query: Any, documents: Any, n: int) -> Answers:
    """Find the documents nearest to a query by cosine, exactly.

    Parameters
    ----------
    query : (1, d) array or sparse
    documents : (n_documents, d), alike
    n : at most so many

    Returns
    -------
    Answers : none for a query that is all zero, whose cosine to everything is undefined; documents that are all zero
        have cosine 0.
    """
    from sklearn.metrics.pairwise import cosine_similarity

    if not abs(query).sum() > 0:
        return Answers(np.empty(0, int), np.empty(0))
    # Vectors that are multiples of one another have cosines that may differ in the last of float64's 16 digits.
    cosines = cosine_similarity(documents.astype(np.float64), query.astype(np.float64)).ravel().round(_DECIMALS)
    positions = np.argsort(-cosines, kind="stable")[:n]
    return Answers(positions, cosines[positions])
