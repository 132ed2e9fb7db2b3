"""Codes, 2-D positions and reconstruction errors of chosen rows under a stored run."""

from __future__ import annotations

from typing import Any

import numpy as np

from core import cache, methods
from core.analysis.model_outputs import codes_of
from core.analysis.rows import Estimator, Rows
from core.metrics import reconstruction
from core.types import DOCUMENTS, Run


def compute_codes(run: Run, stamp: tuple, rows: Rows, estimator: Estimator) -> tuple[np.ndarray, str]:
    """Encode `rows`: (n, n_components) float32, and what the codes are, see `core.analysis.model_outputs.codes_of`.

    Parameters
    ----------
    stamp : changes with the stored run.
    """
    if methods.entry(run.spec.method).maps_rows:
        return map_rows(estimator(), rows), "map"
    at = find_positions(run, rows)
    if at is not None and "codes" in run.views:
        return run.views["codes"][at].astype(np.float32), "code"

    def compute() -> dict[str, np.ndarray]:
        X = rows.floats()
        Z, _, are = codes_of(estimator(), X, X[:1])
        return {"codes": Z.astype(np.float32), "are": np.frombuffer(are.encode(), np.uint8)}

    found = cache.get_or_compute(f"codes-{cache.make_key(stamp, rows.key)}", compute)
    return found["codes"], bytes(found["are"]).decode()


def map_rows(estimator: Any, rows: Rows) -> np.ndarray:
    """Look up the positions of `rows` in a map of given rows: (n, 2) float32, NaN for rows it does not contain."""
    points = np.full((len(rows), 2), np.nan, np.float32)
    for of_test, held, places in (
        (True, estimator.rows_test_, estimator.test_embedding_),
        (False, estimator.rows_train_, estimator.train_embedding_),
    ):
        wanted = np.flatnonzero(rows.is_test == of_test)
        if not len(held) or not len(wanted):
            continue
        numbers = rows.own_numbers[wanted]
        at = np.searchsorted(held, numbers).clip(max=len(held) - 1)
        known = held[at] == numbers
        points[wanted[known]] = places[at[known]]
    return points


def find_positions(run: Run, rows: Rows) -> np.ndarray | None:
    """Find the positions of `rows` among the rows whose codes are stored with a run; None if one is missing."""
    shown = run.views["shown_rows"]
    if rows.split != "test" or not np.isin(rows.numbers, shown).all():
        return None
    return np.searchsorted(shown, rows.numbers)


def reconstructs(run: Run) -> bool:
    """Whether the method of a run reconstructs rows."""
    return "codes" in run.views and not run.views.keys().isdisjoint(("rows.squared_error", "rows.tfidf_cosine"))


def compute_errors(run: Run, stamp: tuple, rows: Rows, estimator: Estimator) -> np.ndarray | None:
    """Compute the reconstruction error of each row, (n,) float64; None for a method that reconstructs no rows.

    Images: squared error, the sum over pixels in [0, 1]. Documents: 1 - cosine of reconstruction and tf-idf vector.
    """
    scores = run.views.get("rows.squared_error")
    if rows.split == "test" and scores is not None and len(scores) == rows.n_all:
        return scores[rows.numbers].astype(np.float64)
    if not reconstructs(run):
        return None

    def compute() -> dict[str, np.ndarray]:
        fitted, found = estimator(), []
        Z, _ = compute_codes(run, stamp, rows, estimator)
        if rows.kind == DOCUMENTS:
            return {"errors": 1 - reconstruction.reconstruction_cosine(fitted.inverse_transform, Z, rows.vectors)}
        X = rows.floats()
        for start in range(0, len(rows), 1000):
            part = slice(start, start + 1000)
            found.append(reconstruction.squared_error(X[part], fitted.inverse_transform(Z[part])))
        return {"errors": np.concatenate(found)}

    return cache.get_or_compute(f"errors-{cache.make_key(stamp, rows.key)}", compute)["errors"]
