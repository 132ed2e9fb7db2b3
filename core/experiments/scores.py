"""What evaluators are given, an estimator with its data, and the scores that they return."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from core import cache
from core.analysis.codes import encode
from core.analysis.samplers import CodeSampler, fit_default_sampler
from core.datasets import embedded_samples
from core.metrics import bootstrap
from core.types import DOCUMENTS, Dataset, Measurement


@dataclass(frozen=True)
class Codes:
    """Codes of rows of both splits.

    Attributes
    ----------
    Z_train, Z_test : (n_train, n_components), (n_test, n_components)
    y_train, y_test : (n_train,), (n_test,) classes of these rows.
    test : (n_test,) int, ascending numbers of the rows in the test split.
    about : what the codes are, in a few words.
    is_map : whether they are positions of these rows in a map, and other rows have none.
    """

    Z_train: np.ndarray
    Z_test: np.ndarray
    y_train: np.ndarray
    y_test: np.ndarray
    test: np.ndarray
    about: str
    is_map: bool = False


@dataclass
class Subject:
    """A fitted estimator with its data, and the kinds of `core.analysis.samplers` that its decoder samples from."""

    estimator: Any
    dataset: Dataset
    sampler_kinds: Sequence[str] = ()

    @cached_property
    def X_test(self) -> Any:
        return self.dataset.floats("test")

    @cached_property
    def shown(self) -> np.ndarray:
        """Numbers of the test rows that pages show, ascending."""
        return embedded_samples.sample_rows(self.dataset)

    @cached_property
    def codes(self) -> Codes | None:
        """Codes of all rows, or positions of those that a map has; None for an estimator without codes."""
        estimator, y_train, y_test = self.estimator, self.dataset.y_train, self.dataset.y_test
        if self.can("embedding_"):
            Z, test = (estimator.train_embedding_, estimator.test_embedding_), estimator.rows_test_
            return Codes(*Z, y_train[estimator.rows_train_], y_test[test], test, estimator.about, is_map=True)
        Z_test, about = encode(estimator, self.X_test)
        if Z_test is None:
            return None
        Z_train, _ = encode(estimator, self.dataset.floats("train"))
        return Codes(Z_train, Z_test, y_train, y_test, np.arange(len(Z_test)), about)

    def fit_sampler(self, kind: str) -> CodeSampler:
        """Fit the distribution of this kind to the training codes."""
        return fit_default_sampler(self.estimator, None if self.codes is None else self.codes.Z_train, kind)

    def can(self, *names: str) -> bool:
        """Whether the estimator has one of these methods or attributes."""
        return any(hasattr(self.estimator, name) for name in names)

    @property
    def generates(self) -> bool:
        return self.dataset.kind != DOCUMENTS and self.can("inverse_transform")

    @property
    def known_cells(self) -> dict[str, np.ndarray]:
        """The argument that tells an estimator's bound which cells of the test rows are known; empty if all are."""
        return {} if self.dataset.known_test is None else {"known": self.dataset.known_test}


@dataclass
class Scores:
    """Measurements, and what pages show beside them; see `core.types.Run` for metrics, by_class, views and notes.

    `rows` : metric -> (n,) float64, the score of each row behind a mean.
    """

    metrics: dict[str, Measurement] = field(default_factory=dict)
    by_class: dict[str, dict[str, float]] = field(default_factory=dict)
    rows: dict[str, np.ndarray] = field(default_factory=dict)
    views: dict[str, np.ndarray] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)

    def add(self, name: str, value: float, interval: tuple[float, float], n: int) -> None:
        """Add a measurement with its 95% interval."""
        self.metrics[name] = Measurement(value, *interval, n)

    def add_mean(self, name: str, scores: np.ndarray) -> None:
        """Add a mean over rows, with the bootstrap interval over these rows."""
        scores = self.rows[name] = np.asarray(scores, np.float64)
        self.add(name, float(scores.mean()), bootstrap.mean_interval(scores), len(scores))

    def add_share(self, name: str, is_counted: np.ndarray) -> None:
        """Add the share of rows that count, (n,) bool, with Wilson's interval."""
        n = len(is_counted)
        self.add(name, float(is_counted.mean()), bootstrap.share_interval(int(is_counted.sum()), n), n)

    def update(self, other: Scores) -> None:
        """Add everything that `other` holds."""
        for part in ("metrics", "by_class", "rows", "views", "notes"):
            getattr(self, part).update(getattr(other, part))


def compute_once(
    name: str, modules: Sequence[Any], compute: Callable[[], dict[str, np.ndarray]], *parts: object
) -> dict[str, np.ndarray]:
    """Return what `compute` gives, from the user's cache if `parts` and code are the same.

    `modules` : modules whose code the result depends on, or their files.
    """
    sources = [Path(getattr(module, "__file__", module)).read_bytes() for module in (*modules, __file__)]
    return cache.get_or_compute(f"{name}-{cache.make_key(*parts, *sources)}", compute)
