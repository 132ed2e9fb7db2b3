"""Which classes a neighbour classifier confuses: predictions of each row, counts by class, and methods compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import BadInput
from core.metrics import bootstrap
from core.metrics.embedding import predict_left_out
from core.types import UNLABELLED, Measurement

NOT_ASKED = UNLABELLED


@dataclass(frozen=True)
class Confusion:
    """Rows by class and predicted class.

    Attributes
    ----------
    classes : (c,) int, increasing
    counts : (c, c) int; row i, column j: rows of class i that are predicted as class j
    """

    classes: np.ndarray
    counts: np.ndarray

    @property
    def accuracy(self) -> Measurement:
        return _share(int(np.trace(self.counts)), int(self.counts.sum()))

    def of_class(self, k: int) -> Measurement:
        """Share of the rows of the k-th class that are predicted as it (its recall)."""
        return _share(int(self.counts[k, k]), int(self.counts[k].sum()))


@dataclass(frozen=True)
class Compared:
    """Accuracy of one method on the rows that all have, and how it differs from the most accurate one.

    Attributes
    ----------
    behind : 95% interval of (accuracy of the best - this accuracy), paired by row; None for the best itself.
    """

    name: str
    accuracy: Measurement
    behind: tuple[float, float] | None

    @property
    def is_lower(self) -> bool:
        """Whether it is significantly less accurate than the best."""
        return self.behind is not None and self.behind[0] > 0


def predict_classes(Z: Any, y: Any, k: int = 15) -> np.ndarray:
    """The class of each row by its `k` nearest other rows, see `core.metrics.embedding.predict_left_out`.

    Parameters
    ----------
    Z : (n, n_components) codes or places in a map; a row that is not finite is not asked and does not vote
    y : (n,) int, -1 for a row that is neither asked nor votes, such as one of a class that is hidden

    Returns (n,) int64; `NOT_ASKED` for such rows
    Raises BadInput for one class, or no more than `k` rows that vote.
    """
    Z, y = np.asarray(Z, np.float64), np.asarray(y)
    asked = np.isfinite(Z).all(axis=1) & (y != UNLABELLED)
    found = np.full(len(y), NOT_ASKED, np.int64)
    if not asked.any():
        raise BadInput("No row has both a class and a place: this number needs labels.")
    found[asked] = predict_left_out(Z[asked], y[asked], k)
    return found


def count_confusions(y: np.ndarray, predictions: np.ndarray) -> Confusion:
    """Counts of the rows that were asked, see `predicted`."""
    asked = predictions != NOT_ASKED
    classes, own = np.unique(y[asked], return_inverse=True)
    cells = own * len(classes) + np.searchsorted(classes, predictions[asked])
    counts = np.bincount(cells, minlength=len(classes) ** 2)
    return Confusion(classes, counts.reshape(len(classes), len(classes)))


def compare_accuracy(y: np.ndarray, predictions: Mapping[str, np.ndarray]) -> list[Compared]:
    """Accuracy of each method on the rows that all were asked, the most accurate first.

    Parameters
    ----------
    predictions : name -> (n,) int, see `predicted`
    """
    asked = np.all([each != NOT_ASKED for each in predictions.values()], axis=0)
    if not asked.any():
        return []
    right = {name: (each == y)[asked] for name, each in predictions.items()}
    order = sorted(right, key=lambda name: -right[name].mean())
    best = right[order[0]]
    found = []
    for name in order:
        behind = None
        if name != order[0] and len(best) > 1:
            behind = bootstrap.paired_difference_interval(best, right[name])
        found.append(Compared(name, _share(int(right[name].sum()), len(best)), behind))
    return found


def _share(count: int, n: int) -> Measurement:
    return Measurement(count / n, *bootstrap.share_interval(count, n), n)
