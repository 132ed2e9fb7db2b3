"""What a code keeps: classes (neighbours, linear probe) and neighbourhoods (trustworthiness, continuity, overlap)."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.metrics.checks import codes_pair, finite, labelled, two_classes
from core.metrics.neighbours import check_metric, nearest
from core.types import BadInput

PROBE_ROWS = 10_000
NEIGHBOURHOOD_ROWS = 2_000
MOST_NEIGHBOURHOOD_ROWS = 5_000


def knn_correct(
    Z_train: Any, y_train: Any, Z_test: Any, y_test: Any, k: int = 15, metric: str = "euclidean"
) -> np.ndarray:
    """Whether the majority of the `k` nearest train codes has the test row's class.

    Exact neighbours. Of equally near train rows the lower row number counts first; of classes with equally many votes
    the lower class number wins, as in scikit-learn's KNeighborsClassifier.

    Parameters
    ----------
    Z_train, Z_test : (n_train, n_components), (n_test, n_components) codes; by cosine also sparse, such as documents
    y_train, y_test : (n_train,), (n_test,) int; rows with -1 neither vote nor are asked
    metric : {"euclidean", "cosine"}

    Returns
    -------
    (n_test,) bool, without the unlabelled test rows; the mean is the accuracy

    Raises
    ------
    BadInput
        For NaN or infinite codes, code sizes that differ, no labels, one class, or k above the labelled train rows.

    References
    ----------
    Cover and Hart (1967), Nearest neighbor pattern classification.
    """
    train, y_train, test, y_test = _labelled_pair(Z_train, y_train, Z_test, y_test)
    return _majority(y_train[nearest(train, test, k, metric)]) == y_test


def among_correct(Z: Any, y: Any, k: int = 15) -> np.ndarray:
    """Whether the majority of the `k` nearest other rows has the row's class: leave-one-out, within one set of codes.

    As `knn_correct` where there are no train codes to ask, as of a map as it is drawn: exact Euclidean neighbours, of
    equally near rows the lower row number first, of classes with equally many votes the lower class number.

    Parameters
    ----------
    Z : (n, n_components) codes
    y : (n,) int; rows with -1 neither vote nor are asked
    k : neighbours, below the number of labelled rows

    Returns
    -------
    (n_labelled,) bool; the mean is the leave-one-out accuracy

    Raises
    ------
    BadInput
        For NaN or infinite codes, no labels, one class, or k not in 1..n_labelled - 1.

    References
    ----------
    Cover and Hart (1967), Nearest neighbor pattern classification.
    """
    codes, y = labelled(finite("Z", Z, 2), y, "Z")
    two_classes(y)
    return _majority(y[nearest_others(codes, k)]) == y


def probe_correct(Z_train: Any, y_train: Any, Z_test: Any, y_test: Any, random_state: int = 0) -> np.ndarray:
    """Whether a linear probe fitted on the train codes names the test row's class.

    The probe is multinomial logistic regression (L2 penalty, C = 1) on codes standardised by the fitted rows' mean and
    standard deviation. Of more than 10,000 labelled train rows it is fitted on 10,000, stratified, for speed.

    Parameters and Returns as `knn_correct`.

    Raises
    ------
    BadInput
        For NaN or infinite codes, code sizes that differ, no labels or one class.

    References
    ----------
    Alain and Bengio (2016), Understanding intermediate layers using linear classifier probes.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    train, y_train, test, y_test = _labelled_pair(Z_train, y_train, Z_test, y_test)
    rows = stratified_rows(y_train, PROBE_ROWS, random_state)
    two_classes(y_train[rows])
    scaler = StandardScaler().fit(train[rows])
    probe = LogisticRegression(C=1.0, max_iter=2000).fit(scaler.transform(train[rows]), y_train[rows])
    return probe.predict(scaler.transform(test)) == y_test


def trustworthiness_rows(X: Any, Z: Any, k: int = 15, metric: str = "euclidean") -> np.ndarray:
    """Are neighbours in the code neighbours in the data? A score a row.

    Row i scores 1 - 2 / (k (2n - 3k - 1)) * sum over its `k` nearest codes j of max(0, r(i, j) - k), where r(i, j) is
    the rank of row j by distance from row i in the data. The mean over rows is scikit-learn's `trustworthiness`;
    of equal distances the lower row number ranks first.

    Parameters
    ----------
    X : (n, n_features) dense or sparse data, n <= 5,000 for memory; by convention 2,000 of `stratified_rows`
    Z : (n, n_components) codes of the same rows
    k : neighbours, below n / 2
    metric : {"euclidean", "cosine"}, between the rows of `X`; codes are always compared by Euclidean distance

    Returns
    -------
    (n,) float64; the mean lies in [0, 1], a single row may fall below 0

    Raises
    ------
    BadInput
        For NaN or infinite values, numbers of rows that differ, too many rows, or k not in 1..n / 2.

    References
    ----------
    Venna and Kaski (2001), Neighborhood preservation in nonlinear projection methods.
    """
    in_data, in_code = _both_distances(X, Z, k, metric)
    return _intruder_scores(_nearest_by(in_code, k), in_data, k)


def continuity_rows(X: Any, Z: Any, k: int = 15, metric: str = "euclidean") -> np.ndarray:
    """Are neighbours in the data still neighbours in the code? A score a row.

    As `trustworthiness_rows` with the roles of data and code swapped: what is penalised are neighbours in the data that
    the code has torn away.

    References
    ----------
    Venna and Kaski (2001), Neighborhood preservation in nonlinear projection methods.
    """
    in_data, in_code = _both_distances(X, Z, k, metric)
    return _intruder_scores(_nearest_by(in_data, k), in_code, k)


def nearest_others(Z: Any, k: int, metric: str = "euclidean") -> np.ndarray:
    """The `k` nearest other rows of every row, nearest first; of equally near ones the lower row number first.

    Exact, and never the row itself, also where rows are equal.

    Parameters
    ----------
    Z : (n, n_components) codes
    k : neighbours, 1 to n - 1
    metric : {"euclidean", "cosine"}

    Returns
    -------
    (n, k) int64

    Raises
    ------
    BadInput
        For NaN or infinite codes, another metric, or k not in 1..n - 1.
    """
    codes = finite("Z", Z, 2)
    n = len(codes)
    if not 1 <= k < n:
        raise BadInput(
            f"k={k} neighbours are asked for among {n - 1} other rows: choose at least 1, and more rows than k."
        )
    found = nearest(codes, codes, k + 1, metric)
    own = found == np.arange(n)[:, None]
    # Where many rows are equally near the row itself may not be among them; then the last one gives way.
    own[~own.any(axis=1), -1] = True
    return found[~own].reshape(n, k)


def neighbour_overlap(A: Any, B: Any) -> np.ndarray:
    """How many of a row's neighbours two methods share: the Jaccard index |A_i ∩ B_i| / |A_i ∪ B_i| of each row.

    Parameters
    ----------
    A, B : (n, k) int, neighbours of the same rows as `nearest_others` gives them; their order in a row does not matter

    Returns
    -------
    (n,) float64 in [0, 1]; for m shared neighbours m / (2 k - m)

    Raises
    ------
    BadInput
        For different shapes, no neighbours, row numbers that are not whole, or a neighbour named twice in a row.

    References
    ----------
    Jaccard (1912), The distribution of the flora in the alpine zone.
    """
    A, B = np.asarray(A), np.asarray(B)
    if A.shape != B.shape or A.ndim != 2 or A.size == 0:
        raise BadInput(f"Neighbours of shape {A.shape} and {B.shape} do not pair: both are (n, k), at least one a row.")
    for neighbours in (A, B):
        if not np.issubdtype(neighbours.dtype, np.integer):
            raise BadInput(f"Neighbours are {neighbours.dtype}: give row numbers, as nearest_others does.")
        if _repeats(neighbours).any():
            raise BadInput("A row names a neighbour twice: give distinct neighbours, as nearest_others does.")
    shared = _repeats(np.hstack([A, B]))
    return shared / (2 * A.shape[1] - shared)


def stratified_rows(y: Any, n: int, random_state: int = 0) -> np.ndarray:
    """`n` row numbers, sorted, drawn without replacement with every class in its share.

    Shares are rounded by largest remainder, so exactly `n` rows come back; unlabelled rows (-1) count as a class of
    their own, so that labels that are all -1 give a plain random sample.

    Parameters
    ----------
    y : (n_rows,) int
    n : rows wanted; all rows where there are no more

    Returns
    -------
    (min(n, n_rows),) int64, ascending

    Raises
    ------
    BadInput
        If n < 1.
    """
    y = np.asarray(y)
    if n < 1:
        raise BadInput(f"{n} rows were asked for: take at least 1.")
    if n >= len(y):
        return np.arange(len(y))
    _, classes, counts = np.unique(y, return_inverse=True, return_counts=True)
    taken, remainders = np.divmod(counts * n, len(y))
    taken[np.argsort(-remainders, kind="stable")[: n - taken.sum()]] += 1
    rng = np.random.default_rng(random_state)
    rows = [rng.choice(np.flatnonzero(classes == c), size, replace=False) for c, size in enumerate(taken)]
    return np.sort(np.concatenate(rows))


def _labelled_pair(Z_train: Any, y_train: Any, Z_test: Any, y_test: Any) -> tuple[np.ndarray, ...]:
    train, test = codes_pair(Z_train, Z_test)
    train, y_train = labelled(train, y_train, "Z_train")
    test, y_test = labelled(test, y_test, "Z_test")
    two_classes(y_train)
    return train, y_train, test, y_test


def _majority(answers: np.ndarray) -> np.ndarray:
    """Commonest class in each row of (n, k) classes, the lowest of equally common ones."""
    classes, indices = np.unique(answers, return_inverse=True)
    cells = np.arange(len(answers))[:, None] * len(classes) + indices.reshape(answers.shape)
    votes = np.bincount(cells.ravel(), minlength=len(answers) * len(classes))
    return classes[votes.reshape(len(answers), len(classes)).argmax(axis=1)]


def _both_distances(X: Any, Z: Any, k: int, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Distances among the rows of the data and among their codes, infinite on the diagonal: (n, n) each."""
    from scipy.spatial.distance import cdist
    from sklearn.metrics import pairwise_distances

    check_metric(metric)
    X = finite("X", X, 2)
    Z = finite("Z", Z, 2)
    n = len(Z)
    if X.shape[0] != n:
        raise BadInput(f"{X.shape[0]} rows came with {n} codes: give the code of each row.")
    if n > MOST_NEIGHBOURHOOD_ROWS:
        raise BadInput(
            f"Ranking {n} rows against each other takes too much memory: take {NEIGHBOURHOOD_ROWS} by stratified_rows."
        )
    if not 1 <= k < n / 2:
        raise BadInput(f"k={k} neighbours among {n} rows is not allowed: k is at least 1 and below half the rows.")
    in_data, in_code = pairwise_distances(X, metric=metric), cdist(Z, Z)
    np.fill_diagonal(in_data, np.inf)
    np.fill_diagonal(in_code, np.inf)
    return in_data, in_code


def _repeats(rows: np.ndarray) -> np.ndarray:
    """How many values of each row equal one before them: (n,) int."""
    ordered = np.sort(rows, axis=1)
    return (ordered[:, 1:] == ordered[:, :-1]).sum(axis=1)


def _nearest_by(distances: np.ndarray, k: int) -> np.ndarray:
    return np.argsort(distances, axis=1, kind="stable")[:, :k]


def _intruder_scores(neighbours: np.ndarray, distances: np.ndarray, k: int) -> np.ndarray:
    """Score of each row whose `neighbours` (n, k) in one space are ranked by `distances` (n, n) in the other."""
    n = len(distances)
    order = np.argsort(distances, axis=1, kind="stable")
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, n + 1)[None, :], axis=1)
    beyond = np.maximum(np.take_along_axis(ranks, neighbours, axis=1) - k, 0).sum(axis=1)
    return 1.0 - beyond * (2.0 / (k * (2.0 * n - 3.0 * k - 1.0)))
