"""What classifiers from few labels share: reading the labels, and the running average of a network that classifies."""

from __future__ import annotations

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite, check_consistent_length
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from core.methods.base import NetworkEstimator
from core.types import UNLABELLED, BadInput


def labelled(X, y) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices of the labelled rows, the classes they have, and each one's index into these.

    Raises
    ------
    BadInput
        If no row has a label, or y is None.
    ValueError
        If there are not as many labels as rows.
    """
    if y is None:
        raise BadInput("requires y to be passed, but the target y is None: give -1 for rows without a label.")
    y = column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    check_consistent_length(X, y)
    check_classification_targets(y)
    rows = np.flatnonzero(y != UNLABELLED)
    if not len(rows):
        raise BadInput("No row has a label: give at least one row of each class its label.")
    return rows, *np.unique(y[rows], return_inverse=True)


class AveragedClassifier(ClassifierMixin, NetworkEstimator):
    """Rows are classified by a running average of the network `averages`, which is its copy ``averaged``.

    A subclass has the parameter `average`, the average's decay per step.
    """

    averages = "classifier"

    def after_step(self, networks, step):
        """Move the average, batch statistics included, towards the network, faster at first to forget its start."""
        import torch

        decay = min(self.average, (1 + step) / (10 + step))
        averages, currents = (
            [value for value in networks[name].state_dict().values() if value.is_floating_point()]
            for name in ("averaged", self.averages)
        )
        with torch.no_grad():
            torch._foreach_lerp_(averages, currents, 1 - decay)

    def predict(self, X) -> np.ndarray:
        """The likeliest class of each row: (n_samples,)."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(1)]


class SemiSupervisedClassifier(AveragedClassifier):
    """One that trains on all rows, and in each step on some of the labelled ones besides.

    A subclass has the parameter `labelled_batch`, how many these are at most. In training `_labelled` are the labelled
    rows, (n, n_inputs), and `_classes` their indices into `classes_`.
    """

    def fit(self, X, y, *, on_epoch=None, on_tick=None):
        """Train on the rows of X.

        Parameters
        ----------
        X : (n_samples, n_features), floats; images in [0, 1].
        y : (n_samples,), class of each row, -1 where it has none.
        on_epoch, on_tick : as in `core.training.train`.

        Raises
        ------
        BadInput
            If no row has a label, or values are not in [0, 1] that should be.
        Diverged
            When the loss is no longer finite.
        """
        import torch

        self._known, self.classes_, codes = labelled(X, y)
        self._classes = torch.as_tensor(codes)
        try:
            return super().fit(X, on_epoch=on_epoch, on_tick=on_tick)
        finally:
            for name in ("_known", "_classes", "_labelled"):
                vars(self).pop(name, None)

    def _prepare(self, X) -> None:
        import torch

        self._labelled = torch.as_tensor(X[self._known])

    def _labelled_rows(self, generator):
        """Which of the labelled rows a step takes: all, or a random choice."""
        import torch

        n = len(self._classes)
        if n <= self.labelled_batch:
            return torch.arange(n)
        return torch.randint(n, (self.labelled_batch,), generator=generator)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = False
        return tags
