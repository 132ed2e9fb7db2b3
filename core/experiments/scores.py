"""Scores of a fitted estimator as evaluators return them, and a cache for those that no method changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from core import cache
from core.metrics import bootstrap
from core.types import Measurement


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
