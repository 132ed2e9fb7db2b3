"""Base classes of the classifiers that are trained with few labels."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.utils import assert_all_finite, check_consistent_length
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from core.errors import BadInput
from core.methods.base import NetworkEstimator
from core.nn.averaging import update_average
from core.types import UNLABELLED


def find_labelled(X, y) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the labelled rows, their classes, and the index of each row's class in these.

    Raises BadInput if no row has a label, ValueError if `y` is not of the length of `X`.
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


class ProbabilityClassifier(ClassifierMixin):
    """A classifier that predicts the class of highest probability."""

    def predict(self, X) -> np.ndarray:
        """Return the likeliest class of each row: (n_samples,)."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(1)]


class AveragedClassifier(ProbabilityClassifier, NetworkEstimator):
    """A network that classifies by the running average ``averaged`` of its weights, layers of which the last is linear.

    A subclass names the averaged network in `averages` and has the parameter `average`, the decay per step.
    """

    averages = "classifier"

    def after_step(self, networks, step):
        update_average(networks["averaged"], networks[self.averages], self.average, step)

    def predict_proba(self, X) -> np.ndarray:
        """Return the probability of each class: (n_samples, n_classes), rows sum to 1."""
        check_is_fitted(self)
        return self._map(lambda x: self._class_logits(x).double().softmax(1), self._validated(X, reset=False))

    def codes(self, X) -> np.ndarray:
        """Return the last hidden layer: (n_samples, its width) float32."""
        check_is_fitted(self)
        return self._map(self._hidden, self._validated(X, reset=False))

    def _class_logits(self, x):
        return self.networks_["averaged"][-1](self._hidden(x))

    def _hidden(self, x):
        return self.networks_["averaged"][:-1](x)


class SemiSupervisedClassifier(AveragedClassifier):
    """A network that trains on all rows, and in each step on at most `labelled_batch` labelled ones besides.

    `classes_`, (n_classes,), are the classes of the labelled rows. In training `_labelled` are the labelled rows,
    (n, n_inputs), and `_classes` their indices into `classes_`.
    """

    accepts_sparse = False

    def fit(self, X, y, **watches):
        """Train on the rows of X.

        Parameters
        ----------
        X : (n_samples, n_features), floats; images in [0, 1].
        y : (n_samples,), class of each row, -1 for rows without a label.
        watches : on_epoch and on_tick of `core.nn.training.train`.

        Raises BadInput if no row has a label or values that must be in [0, 1] are not, Diverged if the loss is not
        finite.
        """
        import torch

        self._known, self.classes_, codes = find_labelled(X, y)
        self._classes = torch.as_tensor(codes)
        try:
            return super().fit(X, **watches)
        finally:
            for name in ("_known", "_classes", "_labelled", "_pool"):
                vars(self).pop(name, None)

    def _prepare(self, X) -> None:
        import torch

        self._labelled = torch.as_tensor(X[self._known])

    def _labelled_rows(self, generator):
        """Return the labelled rows of a step: all, or a random choice."""
        import torch

        n = len(self._classes)
        if n <= self.labelled_batch:
            return torch.arange(n)
        return torch.randint(n, (self.labelled_batch,), generator=generator)
