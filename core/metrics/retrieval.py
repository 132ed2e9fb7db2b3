"""Finding similar documents by their codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.metrics.checks import codes_pair, labelled
from core.metrics.neighbours import nearest
from core.types import BadInput


def retrieval_precision_rows(
    Z_train: Any, y_train: Any, Z_test: Any, y_test: Any, at: Sequence[int] = (1, 15, 63)
) -> dict[int, np.ndarray]:
    """Share of a query's first n answers that have its class.

    Every test row is a query; its answers are the train rows by falling cosine of the codes, exact, of equal cosines
    the lower row number first. An all-zero code has cosine 0 to everything.

    Parameters
    ----------
    Z_train, Z_test : (n_train, n_components), (n_test, n_components) codes
    y_train, y_test : (n_train,), (n_test,) int; rows with -1 are neither answers nor queries
    at : numbers of answers

    Returns
    -------
    dict : n -> (n_test,) float64 in [0, 1], without the unlabelled test rows

    Raises
    ------
    BadInput
        For NaN or infinite codes, code sizes that differ, no labels, or more answers than labelled train rows.

    References
    ----------
    Hinton and Salakhutdinov (2006), Reducing the dimensionality of data with neural networks, figure 4.
    """
    if not at or min(at) < 1:
        raise BadInput(f"Precision at {tuple(at)} answers is not allowed: count 1 or more, such as 1, 15, 63.")
    train, test = codes_pair(Z_train, Z_test)
    train, y_train = labelled(train, y_train, "Z_train")
    test, y_test = labelled(test, y_test, "Z_test")
    right = y_train[nearest(train, test, max(at), "cosine")] == y_test[:, None]
    return {n: right[:, :n].mean(axis=1) for n in at}
