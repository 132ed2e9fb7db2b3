"""Rows of a table from a decoder: drawn as its model says, not only their means."""

from collections.abc import Sequence
from typing import Any

import numpy as np


def draw_rows(estimator: Any, Z: np.ndarray, blocks: Sequence[int], random_state: int = 0) -> np.ndarray:
    """Draw a row from the output distribution of each code: (n, n_columns) float32, one category a block.

    A number is its mean, plus noise where the method has learned a variance (a VAE). A category is drawn by its
    probabilities; of a linear decoder these are its outputs, cut at 0.
    """
    rng = np.random.default_rng(random_state)
    rows = np.asarray(estimator.inverse_transform(Z), np.float32).copy()
    deviations = getattr(estimator, "deviations_", None)
    if deviations is not None:
        rows += deviations * rng.standard_normal(rows.shape, np.float32)
    start = 0
    for size in blocks:
        if size > 1:
            rows[:, start : start + size] = _draw_categories(rows[:, start : start + size], rng)
        start += size
    return rows


def _draw_categories(weights: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    weights = weights.clip(min=0).astype(np.float64)
    weights[weights.sum(axis=1) <= 0] = 1
    shares = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)
    drawn = (rng.random((len(weights), 1)) > shares).sum(axis=1).clip(max=weights.shape[1] - 1)
    return np.eye(weights.shape[1], dtype=np.float32)[drawn]
