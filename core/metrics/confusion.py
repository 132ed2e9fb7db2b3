"""Confusion of classes by a neighbour classifier: predictions, counts by class, comparison of methods."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.errors import BadInput
from core.metrics import bootstrap
from core.metrics.embedding import majority_class, nearest_others
from core.metrics.validation import check_two_classes
from core.types import UNLABELLED, Measurement

NOT_ASKED = UNLABELLED


@dataclass(frozen=True)
class Confusion:
    """`counts` of rows by class (rows) and predicted class (columns), (c, c) int; `classes`, (c,) int, increase."""

    classes: np.ndarray
    counts: np.ndarray

    @property
    def accuracy(self) -> Measurement:
        return _share(int(np.trace(self.counts)), int(self.counts.sum()))

    def of_class(self, k: int) -> Measurement:
        """Recall of the k-th class."""
        return _share(int(self.counts[k, k]), int(self.counts[k].sum()))


@dataclass(frozen=True)
class Compared:
    """Accuracy of a method on the rows of all methods, and its difference to the best.

    `behind` is the paired 95% interval of (accuracy of the best - this accuracy); None for the best.
    """

    name: str
    accuracy: Measurement
    behind: tuple[float, float] | None

    @property
    def is_lower(self) -> bool:
        """Whether it is significantly less accurate than the best."""
        return self.behind is not None and self.behind[0] > 0


def predict_classes(Z: Any, y: Any, k: int = 15) -> np.ndarray:
    """The majority class of each row's `k` nearest other rows (leave-one-out): (n,) int64.

    Rows that are not finite in `Z`, (n, n_components), or have -1 in `y`, (n,), are left out: `NOT_ASKED`.
    Ties as in `core.metrics.embedding.knn_correct`. Raises BadInput for one class, or at most `k` rows.
    """
    Z, y = np.asarray(Z, np.float64), np.asarray(y)
    asked = np.isfinite(Z).all(axis=1) & (y != UNLABELLED)
    found = np.full(len(y), NOT_ASKED, np.int64)
    if not asked.any():
        raise BadInput("No row has both a class and a place: this number needs labels.")
    check_two_classes(y[asked])
    found[asked] = majority_class(y[asked][nearest_others(Z[asked], k)])
    return found


def count_confusions(y: np.ndarray, predictions: np.ndarray) -> Confusion:
    """Counts of the rows with a prediction, see `predict_classes`."""
    asked = predictions != NOT_ASKED
    classes, own = np.unique(y[asked], return_inverse=True)
    cells = own * len(classes) + np.searchsorted(classes, predictions[asked])
    counts = np.bincount(cells, minlength=len(classes) ** 2)
    return Confusion(classes, counts.reshape(len(classes), len(classes)))


def compare_accuracy(y: np.ndarray, predictions: Mapping[str, np.ndarray]) -> list[Compared]:
    """Accuracy of each method on the rows that all predict, the best first; `predictions` are (n,) by name."""
    asked = np.all([each != NOT_ASKED for each in predictions.values()], axis=0)
    if not asked.any():
        return []
    right = {name: (each == y)[asked] for name, each in predictions.items()}
    (first, best), *others = sorted(right.items(), key=lambda item: -item[1].mean())
    behind = {name: bootstrap.paired_difference_interval(best, each) for name, each in others if len(best) > 1}
    shares = {name: _share(int(each.sum()), len(best)) for name, each in ((first, best), *others)}
    return [Compared(name, share, behind.get(name)) for name, share in shares.items()]


def _share(count: int, n: int) -> Measurement:
    return Measurement(count / n, *bootstrap.share_interval(count, n), n)
