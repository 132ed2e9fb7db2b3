"""The same rows under several methods: which rows, their codes, their places in the plane, and what these keep.

Whatever takes a while is computed once and kept in the user's cache, see `core.cache`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core import cache, datasets
from core.datasets import documents, samples
from core.metrics import embedding, intervals, reconstruction
from core.types import DOCUMENTS, BadInput, Dataset, Run, as_floats
from core.views import codes_of

MOST_ROWS = 10_000
FEWEST_ROWS = 2
K = 15
SPLITS = ("test", "train")
DIRECT, BY_PCA, BY_TSNE = "direct", "pca", "tsne"
_WORDS_OF_A_TEXT = 40


@dataclass(frozen=True)
class Rows:
    """Rows of one split, the same for every map.

    Attributes
    ----------
    numbers : (n,) int, where each stands in its split, increasing; n_all : how many the split has.
    X : (n, n_features) as in `core.types.Dataset`: uint8 images, sparse word counts.
    y : (n,) class, -1 where there is none.
    vectors : (n, n_words) tf-idf of documents.
    texts : title of each document, and its first words beyond the title.
    checksum : of the data set they are from; "" for the shipped sample of one.
    """

    dataset: str
    kind: str
    split: str
    numbers: np.ndarray
    n_all: int
    X: Any
    y: np.ndarray
    target_names: tuple[str, ...]
    image_shape: tuple[int, int] | None = None
    vectors: Any = None
    vocabulary: tuple[str, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    checksum: str = ""
    key: str = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "key", cache.key(self.dataset, self.split, self.checksum, self.n_all, self.numbers))

    def __len__(self) -> int:
        return len(self.numbers)

    def floats(self) -> Any:
        """Rows as methods take them, see `core.types.Dataset.floats`."""
        return as_floats(self.X, self.kind)

    @property
    def has_labels(self) -> bool:
        return len(self.target_names) > 1

    def class_of(self, k: int) -> str:
        """The name of the class of the row at position `k`; "" where it has none."""
        return str(self.target_names[self.y[k]]) if self.y[k] >= 0 and self.has_labels else ""

    @property
    def drawn(self) -> str:
        """Which rows these are, in words."""
        what = "documents" if self.kind == DOCUMENTS else "rows"
        if len(self) == self.n_all:
            return f"all {self.n_all:,} {self.split} {what}"
        how = "a stratified sample (each class in about its share)" if self.has_labels else "drawn at random"
        return f"{len(self):,} of {self.n_all:,} {self.split} {what}, {how}"


def rows_of(dataset: Dataset, split: str, n: int) -> Rows:
    """`n` rows of a split, or all where there are no more, see `core.datasets.first_rows`.

    Raises
    ------
    BadInput
        For another split, or an `n` that is not from 2 to 10,000.
    """
    if split not in SPLITS:
        raise BadInput(f"There is no split {split!r:.40}: choose test or train.")
    check_count(n)
    numbers = datasets.first_rows(dataset, split, n)
    X, y = (dataset.X_test, dataset.y_test) if split == "test" else (dataset.X_train, dataset.y_train)
    about: dict[str, Any] = {}
    if dataset.kind == DOCUMENTS:
        titles, texts = (
            (dataset.titles_test, dataset.texts_test)
            if split == "test"
            else (dataset.titles_train, dataset.texts_train)
        )
        about = {
            "vectors": documents.tfidf(dataset, X[numbers]),
            "vocabulary": dataset.vocabulary,
            "texts": tuple((titles[k], _beginning(texts[k].removeprefix(titles[k]))) for k in numbers),
        }
    return Rows(
        dataset.name,
        dataset.kind,
        split,
        numbers,
        X.shape[0],
        X[numbers],
        y[numbers],
        dataset.target_names,
        dataset.image_shape,
        checksum=dataset.checksum,
        **about,
    )


def check_count(n: int) -> None:
    if not FEWEST_ROWS <= n <= MOST_ROWS:
        raise BadInput(
            f"{n:,} rows can't be drawn: choose from {FEWEST_ROWS} to {MOST_ROWS:,}. Above that a map is a blot, and "
            "measuring it takes minutes."
        )


def _beginning(text: str) -> str:
    words = text.split(None, _WORDS_OF_A_TEXT)
    return " ".join(words[:_WORDS_OF_A_TEXT]) + (" …" if len(words) > _WORDS_OF_A_TEXT else "")


def has_shipped_rows(name: str) -> bool:
    """Whether a shipped sample stands in for this data set where it is absent, see `shipped_rows`."""
    return name in samples.FULL.values()


def shipped_rows(name: str, n: int) -> Rows | None:
    """Test rows of a data set whose shipped sample stands in for it where it is absent; None where it has none."""
    sample = {full: sample for sample, full in samples.FULL.items()}.get(name)
    if sample is None:
        return None
    of_sample, arrays = datasets.load(sample), samples.read(sample)
    n_all = datasets.entry(name).rows[1]
    chosen = datasets.first_rows(of_sample, "test", n)
    return Rows(
        name,
        of_sample.kind,
        "test",
        arrays["rows_test"][chosen].astype(np.int64),
        n_all,
        of_sample.X_test[chosen],
        of_sample.y_test[chosen],
        of_sample.target_names,
        of_sample.image_shape,
    )


def check_same_data(run: Run, rows: Rows) -> None:
    """Raise BadInput where `run` was trained on another copy of the data than `rows` are from."""
    if rows.checksum and run.environment["data_checksum"] != rows.checksum:
        raise BadInput("It was trained on another copy of the data, whose rows are others: train it again.")


# A method's estimator, built only where it is needed: most take torch.
Estimator = Callable[[], Any]


def codes(run: Run, stamp: tuple, rows: Rows, estimator: Estimator) -> tuple[np.ndarray, str]:
    """Codes of `rows`, (n, n_components) float32, and what they are, see `core.views.codes_of`.

    Parameters
    ----------
    stamp : changes with the stored run.
    """
    if run.spec.method == "tsne":
        return mapped(estimator(), rows), "map"
    at = where_shown(run, rows)
    if at is not None and "codes" in run.views:
        return run.views["codes"][at].astype(np.float32), "code"

    def compute() -> dict[str, np.ndarray]:
        X = rows.floats()
        Z, _, are = codes_of(estimator(), X, X[:1])
        return {"codes": Z.astype(np.float32), "are": np.frombuffer(are.encode(), np.uint8)}

    found = cache.kept(f"codes-{cache.key(stamp, rows.key)}", compute)
    return found["codes"], bytes(found["are"]).decode()


def mapped(estimator: Any, rows: Rows) -> np.ndarray:
    """Places of `rows` in a map of given rows, (n, 2) float32; NaN for those it does not hold."""
    held, places = (
        (estimator.rows_test_, estimator.test_embedding_)
        if rows.split == "test"
        else (estimator.rows_train_, estimator.train_embedding_)
    )
    points = np.full((len(rows), 2), np.nan, np.float32)
    at = np.searchsorted(held, rows.numbers).clip(max=max(len(held) - 1, 0))
    known = held[at] == rows.numbers if len(held) else np.zeros(len(rows), bool)
    points[known] = places[at[known]]
    return points


def where_shown(run: Run, rows: Rows) -> np.ndarray | None:
    """Where `rows` stand among the test rows whose codes are stored with a run; None where some do not."""
    shown = run.views["shown_rows"]
    if rows.split != "test" or not np.isin(rows.numbers, shown).all():
        return None
    return np.searchsorted(shown, rows.numbers)


@dataclass(frozen=True)
class Plane:
    """An affine map of codes to the plane: ``Z @ axes + origin``.

    Attributes
    ----------
    axes : (n_components, 2); origin : (2,)
    """

    axes: np.ndarray
    origin: np.ndarray

    def points(self, Z: np.ndarray) -> np.ndarray:
        return (np.asarray(Z, np.float64) @ self.axes + self.origin).astype(np.float32)


def plane(run: Run, shown_codes: Callable[[], np.ndarray]) -> Plane:
    """The plane that Compare's map of `run` shows: its code itself where that has two numbers, else fitted by PCA.

    PCA was fitted to all train codes when the run was measured; its axes come from the stored map by least squares,
    the shortest ones where fewer rows are stored than a code has numbers.

    Parameters
    ----------
    shown_codes : codes of the run's ``views["shown_rows"]``, asked for where they are not stored.
    """
    points = np.asarray(run.views["map"], np.float64)
    Z = np.asarray(run.views["codes"] if "codes" in run.views else shown_codes(), np.float64)
    if Z.shape[1] == 2:
        return Plane(np.eye(2), np.zeros(2))
    if Z.shape[1] == 1:
        return Plane(np.array([[1.0, 0.0]]), np.zeros(2))
    middle = Z.mean(axis=0)
    axes = np.linalg.lstsq(Z - middle, points - points.mean(axis=0), rcond=None)[0]
    return Plane(axes, points.mean(axis=0) - middle @ axes)


def alignment(points: np.ndarray, reference: np.ndarray) -> Plane | None:
    """How to turn, mirror, shift and scale `points` as a whole to lie as near to `reference` as can be.

    Rows that either map does not hold are left out of the fit.

    Parameters
    ----------
    points, reference : (n, 2), NaN where a row has no place

    Returns
    -------
    Plane or None : None where fewer than two rows have a place in both maps, or either map is one point.

    References
    ----------
    Gower (1975), Generalized Procrustes analysis.
    """
    from scipy.linalg import orthogonal_procrustes

    points, reference = np.asarray(points, np.float64), np.asarray(reference, np.float64)
    both = np.isfinite(points).all(axis=1) & np.isfinite(reference).all(axis=1)
    if both.sum() < 2:
        return None
    ours, theirs = points[both], reference[both]
    if not (np.ptp(ours, axis=0).any() and np.ptp(theirs, axis=0).any()):
        return None
    middle, target = ours.mean(axis=0), theirs.mean(axis=0)
    rotation, strength = orthogonal_procrustes(ours - middle, theirs - target)
    axes = rotation * strength / np.square(ours - middle).sum()
    return Plane(axes, target - middle @ axes)


def scores(points: np.ndarray, rows: Rows) -> dict[str, Any]:
    """What a map as it is drawn keeps: figures under the names of `core.metrics.DEFINITIONS`, with interval and n.

    ``map_knn_accuracy`` of labelled rows, ``map_trustworthiness``; each is left out where there are too few rows.
    """

    def compute() -> dict[str, np.ndarray]:
        found = {}
        for name, measure in (("map_knn_accuracy", _among), ("map_trustworthiness", _trustworthiness)):
            try:
                values = measure(points, rows)
                found[name] = np.array([values.mean(), *intervals.mean_interval(values), len(values)])
            except BadInput:
                continue  # one class, or too few rows: nothing can be said
        return found

    return _figures(cache.kept(_scores_name(points, rows), compute))


def kept_scores(points: np.ndarray, rows: Rows) -> dict[str, Any] | None:
    """What `scores` returned before, or None where that is not kept."""
    measured = cache.find(_scores_name(points, rows))
    return None if measured is None else _figures(measured)


def _scores_name(points: np.ndarray, rows: Rows) -> str:
    return f"scores-{cache.key(np.asarray(points, np.float32), rows.key)}"


def _figures(measured: Mapping[str, np.ndarray]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, (value, low, high, n) in measured.items():
        figures |= {name: float(value), f"{name}_interval": [float(low), float(high)], f"{name}_n": int(n)}
    return figures


def _placed(points: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.isfinite(points).all(axis=1))


def _among(points: np.ndarray, rows: Rows) -> np.ndarray:
    at = _placed(points)
    return embedding.among_correct(points[at], rows.y[at], K).astype(np.float64)


def _trustworthiness(points: np.ndarray, rows: Rows) -> np.ndarray:
    at = _placed(points)
    if rows.vectors is not None:
        at = at[np.diff(rows.vectors.indptr)[at] > 0]  # a document without a known word has no neighbours
    at = at[embedding.stratified_rows(rows.y[at], embedding.NEIGHBOURHOOD_ROWS)] if len(at) else at
    X = rows.vectors[at] if rows.vectors is not None else rows.X[at].astype(np.float64) / 255
    return embedding.trustworthiness_rows(X, points[at], K, "cosine" if rows.vectors is not None else "euclidean")


def neighbours(Z: np.ndarray, k: int = K) -> np.ndarray:
    """The `k` nearest others of every row by Euclidean distance of the codes: (n, k) positions, nearest first.

    Rows without a place have -1 throughout, and are nobody's neighbour; where there are fewer than `k` others, all.
    """

    def compute() -> dict[str, np.ndarray]:
        at = np.flatnonzero(np.isfinite(Z).all(axis=1))
        found = np.full((len(Z), min(k, max(len(at) - 1, 0))), -1, np.int32)
        if found.shape[1]:
            found[at] = at[embedding.nearest_others(Z[at], found.shape[1])]
        return {"rows": found}

    return cache.kept(f"neighbours-{cache.key(np.asarray(Z, np.float32), k)}", compute)["rows"]


def nearest_to(
    z: np.ndarray, Z: np.ndarray, k: int = 10, leave_out: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The `k` rows whose codes are nearest to one code, nearest first, and their Euclidean distances.

    Parameters
    ----------
    z : (n_components,); Z : (n, n_components), NaN for rows without a place
    leave_out : the position of a row that does not count, such as the one asked about

    Returns
    -------
    (m,) int64 positions, m <= k; (m,) float64
    """
    distances = np.linalg.norm(np.asarray(Z, np.float64) - np.asarray(z, np.float64), axis=1)
    if leave_out is not None:
        distances[leave_out] = np.nan
    order = np.argsort(distances, kind="stable")[:k]
    order = order[np.isfinite(distances[order])]
    return order, distances[order]


def overlap(Z: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Jaccard index of each row's 15 nearest in two methods' codes, (n,) in [0, 1]; NaN where either has no place.

    Neighbours are looked for among the rows that have a place under both: what one leaves out is no disagreement.
    """
    both = np.isfinite(Z).all(axis=1) & np.isfinite(other).all(axis=1)
    a, b = (neighbours(np.where(both[:, None], each, np.nan)) for each in (Z, other))
    shared = np.full(len(Z), np.nan)
    if a.shape[1]:
        shared[both] = embedding.neighbour_overlap(a[both], b[both])
    return shared


def errors(run: Run, stamp: tuple, rows: Rows, estimator: Estimator) -> np.ndarray | None:
    """How badly each row is rebuilt, (n,) float64; None for a method that rebuilds nothing.

    Images: squared error, the sum over pixels in [0, 1]. Documents: 1 - cosine of reconstruction and tf-idf vector.
    """
    scores = run.views.get("rows.squared_error")
    if rows.split == "test" and scores is not None and len(scores) == rows.n_all:
        return scores[rows.numbers].astype(np.float64)
    if "codes" not in run.views or run.spec.method in ("tsne", "gan"):
        return None

    def compute() -> dict[str, np.ndarray]:
        fitted, found = estimator(), []
        Z, _ = codes(run, stamp, rows, estimator)
        if rows.kind == DOCUMENTS:
            return {"errors": 1 - reconstruction.rebuilt_cosine(fitted.inverse_transform, Z, rows.vectors)}
        X = rows.floats()
        for start in range(0, len(rows), 1000):
            part = slice(start, start + 1000)
            found.append(reconstruction.squared_error(X[part], fitted.inverse_transform(Z[part])))
        return {"errors": np.concatenate(found)}

    return cache.kept(f"errors-{cache.key(stamp, rows.key)}", compute)["errors"]


def standing_out(rows: Rows, selected: np.ndarray, n_words: int = 15) -> list[tuple[str, float, float]]:
    """The words that tell the selected documents from the other rows: word, share of documents with it, of the others.

    Ordered by the log-odds ratio with an informative Dirichlet prior, in standard deviations.

    References
    ----------
    Monroe, Colaresi and Quinn (2008), Fightin' words, eq. 16 and 22.
    """
    inside = np.zeros(len(rows), bool)
    inside[selected] = True
    counts = np.asarray(rows.X[inside].sum(axis=0), np.float64).ravel()
    others = np.asarray(rows.X[~inside].sum(axis=0), np.float64).ravel()
    prior = counts + others
    if counts.sum() == 0 or others.sum() == 0:
        return []
    prior = np.maximum(prior * (500 / prior.sum()), 1e-3)

    def log_odds(n: np.ndarray) -> np.ndarray:
        total = n + prior
        return np.log(total) - np.log(total.sum() - total)

    spread = np.sqrt(1 / (counts + prior) + 1 / (others + prior))
    score = (log_odds(counts) - log_odds(others)) / spread
    best = [k for k in np.argsort(-score, kind="stable")[:n_words] if counts[k] > 0 and score[k] > 0]
    within, without = (_share_with(part) for part in (rows.X[inside], rows.X[~inside]))
    return [(rows.vocabulary[k], float(within[k]), float(without[k])) for k in best]


def _share_with(counts: Any) -> np.ndarray:
    """Share of documents that hold each word: (n_words,)."""
    return np.asarray((counts > 0).sum(axis=0), np.float64).ravel() / max(counts.shape[0], 1)
