"""What a code keeps: classes (neighbours, linear probe) and neighbourhoods (trustworthiness, continuity, overlap)."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.errors import BadInput
from core.metrics.nearest_neighbours import check_metric, find_nearest
from core.metrics.validation import check_code_pair, check_finite, check_two_classes, chunks, select_labelled

PROBE_ROWS = 10_000
NEIGHBOURHOOD_ROWS = 2_000
MOST_NEIGHBOURHOOD_ROWS = 5_000
OVERLAP_DEPTH = 200


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

    Returns (n_test,) bool, without the unlabelled test rows; the mean is the accuracy
    Raises BadInput for NaN or infinite codes, code sizes that differ, no labels, one class, or k above the labelled
    train rows.
    Source: Cover and Hart (1967), Nearest neighbor pattern classification.
    """
    train, y_train, test, y_test = _labelled_pair(Z_train, y_train, Z_test, y_test)
    return _majority(y_train[find_nearest(train, test, k, metric)]) == y_test


def predict_left_out(Z: Any, y: Any, k: int = 15) -> np.ndarray:
    """The majority class of the `k` nearest other labelled rows: leave-one-out, within one set of codes.

    As `knn_correct` where there are no train codes to ask, as of a map as it is drawn: exact Euclidean neighbours, of
    equally near rows the lower row number first, of classes with equally many votes the lower class number.

    Parameters
    ----------
    Z : (n, n_components) codes
    y : (n,) int; rows with -1 neither vote nor are asked
    k : neighbours, below the number of labelled rows

    Returns (n_labelled,) int64, the predicted class of each labelled row; the share that equals `y` is the accuracy
    Raises BadInput for NaN or infinite codes, no labels, one class, or k not in 1..n_labelled - 1.
    Source: Cover and Hart (1967), Nearest neighbor pattern classification.
    """
    codes, y = select_labelled(check_finite("Z", Z, 2), y, "Z")
    check_two_classes(y)
    return _majority(y[nearest_others(codes, k)])


def probe_correct(Z_train: Any, y_train: Any, Z_test: Any, y_test: Any, random_state: int = 0) -> np.ndarray:
    """Whether a linear probe fitted on the train codes names the test row's class.

    The probe is multinomial logistic regression (L2 penalty, C = 1) on codes standardised by the fitted rows' mean and
    standard deviation. Of more than 10,000 labelled train rows it is fitted on 10,000, stratified, for speed.

    Parameters and Returns as `knn_correct`.

    Raises BadInput for NaN or infinite codes, code sizes that differ, no labels or one class.
    Source: Alain and Bengio (2016), Understanding intermediate layers using linear classifier probes.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    train, y_train, test, y_test = _labelled_pair(Z_train, y_train, Z_test, y_test)
    rows = stratified_rows(y_train, PROBE_ROWS, random_state)
    check_two_classes(y_train[rows])
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

    Returns (n,) float64; the mean lies in [0, 1], a single row may fall below 0
    Raises BadInput for NaN or infinite values, numbers of rows that differ, too many rows, or k not in 1..n / 2.
    Source: Venna and Kaski (2001), Neighborhood preservation in nonlinear projection methods.
    """
    return neighbourhood_rows(X, Z, k, metric)[0]


def continuity_rows(X: Any, Z: Any, k: int = 15, metric: str = "euclidean") -> np.ndarray:
    """Are neighbours in the data still neighbours in the code? A score a row.

    As `trustworthiness_rows` with the roles of data and code swapped: what is penalised are neighbours in the data that
    the code has torn away.

    Source: Venna and Kaski (2001), Neighborhood preservation in nonlinear projection methods.
    """
    return neighbourhood_rows(X, Z, k, metric)[1]


def neighbourhood_rows(X: Any, Z: Any, k: int = 15, metric: str = "euclidean") -> tuple[np.ndarray, np.ndarray]:
    """`trustworthiness_rows` and `continuity_rows` of the same rows, whose distances are ranked once."""
    in_data, in_code = (np.argsort(each, axis=1, kind="stable") for each in _both_distances(X, Z, k, metric))
    return _intruder_scores(in_code[:, :k], in_data, k), _intruder_scores(in_data[:, :k], in_code, k)


def nearest_others(Z: Any, k: int, metric: str = "euclidean") -> np.ndarray:
    """The `k` nearest other rows of every row, nearest first; of equally near ones the lower row number first.

    Exact, and never the row itself, also where rows are equal.

    Parameters
    ----------
    Z : (n, n_components) codes
    k : neighbours, 1 to n - 1
    metric : {"euclidean", "cosine"}

    Returns (n, k) int64
    Raises BadInput for NaN or infinite codes, another metric, or k not in 1..n - 1.
    """
    codes = check_finite("Z", Z, 2)
    n = len(codes)
    if not 1 <= k < n:
        raise BadInput(
            f"k={k} neighbours are asked for among {n - 1} other rows: choose at least 1, and more rows than k."
        )
    found = find_nearest(codes, codes, k + 1, metric)
    own = found == np.arange(n)[:, None]
    # Where many rows are equally near the row itself may not be among them; then the last one gives way.
    own[~own.any(axis=1), -1] = True
    return found[~own].reshape(n, k)


def average_overlap(A: Any, B: Any) -> np.ndarray:
    """How alike two rankings of a row's neighbours are: the mean over depths d = 1..k of |A[:d] ∩ B[:d]| / d.

    Near neighbours count most: they belong to every depth from their rank on.

    Parameters
    ----------
    A, B : (n, k) int, neighbours of the same rows as `nearest_others` gives them, nearest first

    Returns (n,) float64 in [0, 1]; 1 for equal rankings, 0 where no neighbour is in both
    Raises BadInput for different shapes, no neighbours, row numbers that are not whole, or a neighbour named twice in a
    row.
    Source: Fagin, Kumar and Sivakumar (2003), Comparing top k lists, section 3.3; Webber, Moffat and Zobel (2010), A
    similarity measure for indefinite rankings, section 2.
    """
    A, B = np.asarray(A), np.asarray(B)
    if A.shape != B.shape or A.ndim != 2 or A.size == 0:
        raise BadInput(f"Neighbours of shape {A.shape} and {B.shape} do not pair: both are (n, k), at least one a row.")
    for neighbours in (A, B):
        if not np.issubdtype(neighbours.dtype, np.integer):
            raise BadInput(f"Neighbours are {neighbours.dtype}: give row numbers, as nearest_others does.")
        ordered = np.sort(neighbours, axis=1)
        if (ordered[:, 1:] == ordered[:, :-1]).any():
            raise BadInput("A row names a neighbour twice: give distinct neighbours, as nearest_others does.")
    k = A.shape[1]
    # One that A ranks i-th and B j-th is in the intersection from depth max(i, j) on, where it counts 1 / d.
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
    """`n` row numbers, sorted, drawn without replacement with every class in its share.

    Shares are rounded by largest remainder, so exactly `n` rows come back; unlabelled rows (-1) count as a class of
    their own, so that labels that are all -1 give a plain random sample.

    Parameters
    ----------
    y : (n_rows,) int
    n : rows wanted; all rows where there are no more

    Returns (min(n, n_rows),) int64, ascending
    Raises BadInput if n < 1.
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
    train, test = check_code_pair(Z_train, Z_test)
    train, y_train = select_labelled(train, y_train, "Z_train")
    test, y_test = select_labelled(test, y_test, "Z_test")
    check_two_classes(y_train)
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
    X = check_finite("X", X, 2)
    Z = check_finite("Z", Z, 2)
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


def _intruder_scores(neighbours: np.ndarray, order: np.ndarray, k: int) -> np.ndarray:
    """Score of each row whose `neighbours` (n, k) in one space are ranked by their `order` (n, n) in the other."""
    n = len(order)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, n + 1)[None, :], axis=1)
    beyond = np.maximum(np.take_along_axis(ranks, neighbours, axis=1) - k, 0).sum(axis=1)
    return 1.0 - beyond * (2.0 / (k * (2.0 * n - 3.0 * k - 1.0)))
