"""Metrics of codes: classes (neighbours, linear probe), neighbourhoods (trustworthiness, continuity, overlap)."""

from typing import Any

import numpy as np

from core.errors import BadInput
from core.metrics.nearest_neighbours import find_nearest
from core.metrics.validation import check_finite, check_two_classes, chunks, select_labelled

PROBE_ROWS = 10_000
NEIGHBOURHOOD_ROWS = 2_000
MOST_NEIGHBOURHOOD_ROWS = 5_000
OVERLAP_DEPTH = 200


def knn_correct(Z_train: Any, y_train: Any, Z_test: Any, y_test: Any, k=15, metric="euclidean") -> np.ndarray:
    """Whether the majority class of the `k` nearest train codes is the test row's class.

    Neighbours are exact. Ties in distance go to the lower row number, ties in votes to the lower class number, as in
    scikit-learn's KNeighborsClassifier.

    Parameters
    ----------
    Z_train, Z_test : (n_train, n_components), (n_test, n_components) codes; with cosine also sparse
    y_train, y_test : (n_train,), (n_test,) int; rows with -1 are ignored
    metric : {"euclidean", "cosine"}

    Returns (n_labelled_test,) bool, whose mean is the accuracy
    Raises BadInput for NaN or infinite codes, different code sizes, no labels, one class, or too few train rows.
    Source: Cover and Hart (1967), Nearest neighbor pattern classification.
    """
    train, y_train, test, y_test = _labelled_pair(Z_train, y_train, Z_test, y_test)
    return majority_class(y_train[find_nearest(train, test, k, metric)]) == y_test


def probe_correct(Z_train: Any, y_train: Any, Z_test: Any, y_test: Any) -> np.ndarray:
    """Whether a linear probe fitted on the train codes predicts the test row's class.

    The probe is multinomial logistic regression (L2 penalty, C = 1) on codes standardised by the fitted rows' mean and
    standard deviation, fitted on at most 10,000 stratified train rows. Parameters, Returns and Raises as `knn_correct`.
    Source: Alain and Bengio (2016), Understanding intermediate layers using linear classifier probes.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    train, y_train, test, y_test = _labelled_pair(Z_train, y_train, Z_test, y_test)
    rows = stratified_rows(y_train, PROBE_ROWS)
    check_two_classes(y_train[rows])
    scaler = StandardScaler().fit(train[rows])
    probe = LogisticRegression(C=1.0, max_iter=2000).fit(scaler.transform(train[rows]), y_train[rows])
    return probe.predict(scaler.transform(test)) == y_test


def neighbourhood_rows(X: Any, Z: Any, k: int = 15, metric: str = "euclidean") -> tuple[np.ndarray, np.ndarray]:
    """Trustworthiness and continuity of each row: (n,) float64 each, with means in [0, 1].

    Row i has the trustworthiness 1 - 2 / (k (2n - 3k - 1)) * sum over its `k` nearest codes j of max(0, r(i, j) - k),
    where r(i, j) is the rank of row j by distance from row i in the data. For continuity, data and codes are swapped.
    The mean over rows is scikit-learn's `trustworthiness`; ties go to the lower row number.

    Parameters
    ----------
    X : (n, n_features) dense or sparse data, at most 5,000 rows for memory; Z : (n, n_components) codes
    k : neighbours, below n / 2
    metric : {"euclidean", "cosine"}, of the rows of `X`; codes are compared by Euclidean distance

    Raises BadInput for NaN or infinite values, different numbers of rows, too many rows, or k not in 1..n / 2.
    Source: Venna and Kaski (2001), Neighborhood preservation in nonlinear projection methods.
    """
    from scipy.spatial.distance import cdist
    from sklearn.metrics import pairwise_distances

    X, Z = check_finite("X", X, 2), check_finite("Z", Z, 2)
    n = len(Z)
    if X.shape[0] != n:
        raise BadInput(f"{X.shape[0]} rows came with {n} codes: give the code of each row.")
    check_memory(n)
    if not 1 <= k < n / 2:
        raise BadInput(f"k={k} neighbours among {n} rows is not allowed: k is at least 1 and below half the rows.")
    orders = []
    for distances in (pairwise_distances(X, metric=metric), cdist(Z, Z)):
        np.fill_diagonal(distances, np.inf)
        orders.append(np.argsort(distances, axis=1, kind="stable"))
    in_data, in_code = orders
    return _intruder_scores(in_code[:, :k], in_data, k), _intruder_scores(in_data[:, :k], in_code, k)


def check_memory(n: int) -> None:
    """Refuse more rows than can be compared with each other in memory."""
    if n > MOST_NEIGHBOURHOOD_ROWS:
        remedy = f"take {NEIGHBOURHOOD_ROWS} by stratified_rows"
        raise BadInput(f"Comparing {n} rows with each other takes too much memory: {remedy}.")


def nearest_others(Z: Any, k: int, metric: str = "euclidean") -> np.ndarray:
    """The exact `k` nearest other rows of every row, nearest first, ties by row number: (n, k) int64.

    Raises BadInput for NaN or infinite codes, or k not in 1..n - 1.
    """
    codes = check_finite("Z", Z, 2)
    n = len(codes)
    if not 1 <= k < n:
        others = f"among {n - 1} other rows"
        raise BadInput(f"k={k} neighbours are asked for {others}: choose at least 1, and more rows than k.")
    found = find_nearest(codes, codes, k + 1, metric)
    own = found == np.arange(n)[:, None]
    # If many rows are equally near, the row itself may be missing; then the last one is removed.
    own[~own.any(axis=1), -1] = True
    return found[~own].reshape(n, k)


def average_overlap(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Average overlap of two rankings of each row's neighbours: the mean over depths d = 1..k of |A[:d] ∩ B[:d]| / d.

    A, B : (n, k) int from `nearest_others`. Returns (n,) float64 in [0, 1]; near neighbours count most.
    Source: Fagin, Kumar and Sivakumar (2003), Comparing top k lists, section 3.3; Webber, Moffat and Zobel (2010), A
    similarity measure for indefinite rankings, section 2.
    """
    k = A.shape[1]
    # A neighbour of ranks i and j is in the intersection from depth max(i, j) on, where it counts 1 / d.
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, k + 1))])
    overlap = np.empty(len(A))
    for part in chunks(len(A), 2 * k):
        both = np.hstack([A[part], B[part]])
        order = np.argsort(both, axis=1, kind="stable")
        ordered = np.take_along_axis(both, order, axis=1)
        row, at = np.nonzero(ordered[:, 1:] == ordered[:, :-1])
        before = np.maximum(order[row, at], order[row, at + 1] - k)
        overlap[part] = np.bincount(row, harmonic[k] - harmonic[before], len(both)) / k
    return np.minimum(overlap, 1.0)


def stratified_rows(y: Any, n: int, random_state: int = 0) -> np.ndarray:
    """Draw at most `n` rows without replacement in proportion to the classes `y`: (min(n, n_rows),) int64, ascending.

    Shares are rounded by the largest remainder; unlabelled rows (-1) count as a class.
    """
    y = np.asarray(y)
    if n >= len(y):
        return np.arange(len(y))
    _, classes, counts = np.unique(y, return_inverse=True, return_counts=True)
    taken, remainders = np.divmod(counts * n, len(y))
    taken[np.argsort(-remainders, kind="stable")[: n - taken.sum()]] += 1
    rng = np.random.default_rng(random_state)
    rows = [rng.choice(np.flatnonzero(classes == c), size, replace=False) for c, size in enumerate(taken)]
    return np.sort(np.concatenate(rows))


def _labelled_pair(Z_train: Any, y_train: Any, Z_test: Any, y_test: Any) -> tuple[np.ndarray, ...]:
    train, test = check_finite("Z_train", Z_train, 2), check_finite("Z_test", Z_test, 2)
    if (n := train.shape[1]) != (of_test := test.shape[1]):
        raise BadInput(f"Train codes have {n} dimensions and test codes {of_test}: take both from one fit.")
    train, y_train = select_labelled(train, y_train, "Z_train")
    test, y_test = select_labelled(test, y_test, "Z_test")
    check_two_classes(y_train)
    return train, y_train, test, y_test


def majority_class(answers: np.ndarray) -> np.ndarray:
    """Most frequent class in each row of (n, k) classes, the lowest in ties."""
    classes, indices = np.unique(answers, return_inverse=True)
    cells = np.arange(len(answers))[:, None] * len(classes) + indices.reshape(answers.shape)
    votes = np.bincount(cells.ravel(), minlength=len(answers) * len(classes))
    return classes[votes.reshape(len(answers), len(classes)).argmax(axis=1)]


def _intruder_scores(neighbours: np.ndarray, order: np.ndarray, k: int) -> np.ndarray:
    """Score of each row whose `neighbours` (n, k) in one space are ranked by their `order` (n, n) in the other."""
    n = len(order)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, n + 1)[None, :], axis=1)
    beyond = np.maximum(np.take_along_axis(ranks, neighbours, axis=1) - k, 0).sum(axis=1)
    return 1.0 - beyond * (2.0 / (k * (2.0 * n - 3.0 * k - 1.0)))
