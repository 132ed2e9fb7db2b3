"""Codes, positions, errors, images and words of rows under an estimator or a stored run."""

from collections.abc import Callable
from typing import Any

import numpy as np

from core import cache, methods
from core.analysis.error_comparison import count_turns
from core.analysis.rows import Rows
from core.metrics import reconstruction, tables
from core.types import DOCUMENTS, TABLES, Dataset, Run

# A method's estimator, built only where it is needed: most take torch.
Estimator = Callable[[], Any]
_OF_RECONSTRUCTIONS = "rows.squared_error", "rows.tfidf_cosine", "rows.unexplained_variance", "rows.category_accuracy"


def encode(estimator: Any, X: Any) -> tuple[np.ndarray | None, str]:
    """Encode rows, floats as methods take them, and name the codes; a GAN's are its features."""
    if hasattr(estimator, "transform"):
        return estimator.transform(X), "code"
    if hasattr(estimator, "discriminator_features"):
        return estimator.discriminator_features(X), "discriminator's features"
    return None, ""


def compute_codes(run: Run, stamp: tuple, rows: Rows, estimator: Estimator) -> tuple[np.ndarray, str]:
    """Encode `rows`: (n, n_components) float32, and what the codes are, see `encode`."""
    if methods.entry(run.spec.method).maps_rows:
        return map_rows(estimator(), rows), "map"
    at = find_positions(run, rows)
    if at is not None and "codes" in run.views:
        return run.views["codes"][at].astype(np.float32), "code"

    def compute() -> dict[str, np.ndarray]:
        Z, are = encode(estimator(), rows.floats())
        return {"codes": Z.astype(np.float32), "are": np.frombuffer(are.encode(), np.uint8)}

    arrays = cache.get_or_compute(f"codes-{cache.make_key(stamp, rows.key)}", compute)
    return arrays["codes"], bytes(arrays["are"]).decode()


def map_rows(estimator: Any, rows: Rows) -> np.ndarray:
    """Look up the positions of `rows` in a map of given rows: (n, 2), NaN where it has none."""
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
    """Find `rows` among the rows whose codes are stored with a run; None if one is missing."""
    shown = run.views["shown_rows"]
    if rows.split != "test" or not np.isin(rows.numbers, shown).all():
        return None
    return np.searchsorted(shown, rows.numbers)


def has_reconstructions(run: Run) -> bool:
    """Whether the method of a run reconstructs rows."""
    return "codes" in run.views and not run.views.keys().isdisjoint(_OF_RECONSTRUCTIONS)


def describe_error(rows: Rows) -> str:
    """What `compute_errors` computes of these rows, in words."""
    if rows.kind == TABLES:
        return "unexplained variance" if 1 in rows.blocks else "share of wrong categories"
    return "1 − cosine" if rows.kind == DOCUMENTS else "squared error"


def compute_errors(run: Run, stamp: tuple, rows: Rows, estimator: Estimator) -> np.ndarray | None:
    """Compute the reconstruction error of each row, (n,); None if the method reconstructs none.

    Images: squared error, the sum over pixels in [0, 1]. Documents: 1 - cosine of reconstruction and tf-idf vector.
    Tables: squared error over the variance among the test rows, averaged over the features that are numbers; without
    any, the share of wrong categories.
    """
    scores = run.views.get("rows.squared_error", run.views.get("rows.unexplained_variance"))
    if rows.split == "test" and scores is not None and len(scores) == rows.n_all:
        return scores[rows.numbers].astype(np.float64)
    if not has_reconstructions(run):
        return None

    def compute() -> dict[str, np.ndarray]:
        fitted = estimator()
        Z, _ = compute_codes(run, stamp, rows, estimator)
        if rows.kind == DOCUMENTS:
            return {"errors": 1 - reconstruction.reconstruction_cosine(fitted.inverse_transform, Z, rows.vectors)}
        if rows.kind == TABLES:
            variances = run.views["feature_variances"].astype(np.float64)
            counted = tables.select_counted(rows.known, rows.features, rows.X.shape)
            cells = tables.compare_cells(rows.X, fitted.inverse_transform(Z), rows.blocks, counted, variances)
            scores = cells.by_row(of_numbers=True)
            return {"errors": cells.by_row(of_numbers=False) if scores is None else scores}
        X, parts = rows.floats(), [slice(start, start + 1000) for start in range(0, len(rows), 1000)]
        errors = [reconstruction.squared_error(X[part], fitted.inverse_transform(Z[part])) for part in parts]
        return {"errors": np.concatenate(errors)}

    return cache.get_or_compute(f"errors-{cache.make_key(stamp, rows.key)}", compute)["errors"]


def select_strip(dataset: Dataset, shown: np.ndarray) -> np.ndarray:
    """Select 20 of the `shown` test rows, the classes in turn."""
    if not dataset.has_labels:
        return shown[np.linspace(0, len(shown) - 1, min(20, len(shown))).astype(int)]
    y = dataset.y_test[shown]
    return shown[np.lexsort((y, count_turns(y)))[:20]]


def to_pixels(X: np.ndarray) -> np.ndarray:
    """Convert images to pixels: floats, clipped to [0, 1], to uint8 in 0..255."""
    return np.rint(np.clip(X, 0, 1) * 255).astype(np.uint8)


def predict_words(estimator, dataset: Dataset, shown: np.ndarray, codes: np.ndarray) -> list[dict]:
    """Choose three of the `shown` documents, and list their frequent and their predicted words."""
    vocabulary = np.array(dataset.vocabulary)
    lengths = np.asarray(dataset.X_test.sum(axis=1)).ravel()
    chosen: dict[int, int] = {}
    for row in shown:
        if lengths[row] >= 40 and len(chosen) < 3:
            chosen.setdefault(int(dataset.y_test[row]), int(row))
    documents = []
    for label, row in chosen.items():
        counts = dataset.X_test[[row]].toarray().ravel()
        expected = estimator.inverse_transform(codes[[row]]).ravel()
        has, expects = (np.argsort(-v, kind="stable")[:12] for v in (counts, expected))
        title = dataset.titles_test[row] if dataset.redistributable else f"test document {row:,}"
        document = {"title": title, "class": dataset.target_names[label] if label >= 0 else ""}
        document["has"] = [[str(vocabulary[i]), int(counts[i])] for i in has if counts[i] > 0]
        document["expects"] = [[str(vocabulary[i]), round(float(expected[i]), 5), bool(counts[i] > 0)] for i in expects]
        documents.append(document)
    return documents
