"""The reconstruction error by which methods are compared, for each kind of data."""

from dataclasses import dataclass

import numpy as np

from core.types import IMAGES, ROW_NAMES, TABLES, Form, Measurement, Run


@dataclass(frozen=True)
class ErrorMeasure:
    """An error of reconstructions, lower is better.

    Attributes
    ----------
    metric : its name among a run's metrics.
    label : ``"Squared error"``; axis : of a chart.
    about : how the error of a row is computed, as a phrase.
    row : what a row is called.
    is_complement : whether the error is 1 minus the metric.
    """

    metric: str
    label: str
    axis: str
    about: str
    row: str
    is_complement: bool = False

    def find_mean(self, run: Run) -> Measurement | None:
        """The mean error over the test rows, with its interval; None if the run has none."""
        mean = run.metrics.get(self.metric)
        if mean is None or not self.is_complement:
            return mean
        low, high = (None if end is None else 1 - end for end in (mean.high, mean.low))
        return Measurement(1 - mean.value, low, high, mean.n)

    def find_rows(self, run: Run) -> np.ndarray | None:
        """(n,) float64, the error of each test row; None if the run has none."""
        scores = run.views.get(f"rows.{self.metric}")
        if scores is None:
            return None
        scores = scores.astype(np.float64)
        return 1 - scores if self.is_complement else scores


_IMAGES = ErrorMeasure(
    "squared_error",
    "Squared error",
    "squared error per image",
    "squared error summed over the pixels, without clipping",
    ROW_NAMES[IMAGES],
)
_NUMBERS = ErrorMeasure(
    "unexplained_variance",
    "Unexplained variance",
    "unexplained variance (share)",
    "squared error as a share of the feature's variance, averaged over the features that are numbers",
    ROW_NAMES[TABLES],
)
_CATEGORIES = ErrorMeasure(
    "category_accuracy",
    "Wrong categories",
    "wrong categories (share)",
    "share of wrong categories, averaged over the features",
    ROW_NAMES[TABLES],
    is_complement=True,
)


def choose_measure(form: Form) -> ErrorMeasure:
    """The error of rows of this form; of a table the unexplained variance of its numbers, if it has any."""
    if form.kind != TABLES:
        return _IMAGES
    return _NUMBERS if 1 in form.blocks else _CATEGORIES
