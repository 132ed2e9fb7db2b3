"""Results of cells, stored as a line of JSON each, with misclassified rows and code map; and published results."""

import base64
import json
import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from core import datasets, semi_supervised
from core.errors import HourglassError
from core.runs import layout
from core.types import UNLABELLED, Dataset

SHIPPED = Path(__file__).parents[2] / "assets" / "labelled"
# Test rows, and at most as many labelled rows, in a code map.
MAPPED = 300
# Marks test rows that are classified correctly, or have no class.
_CORRECT = 255
_MOST_LABELS, _MOST_SEEDS = 10**9, 1000
_TYPES = {
    **dict.fromkeys(("key", "dataset", "method", "data_checksum", "wrong", "map", "map_classes"), str),
    **dict.fromkeys(("labels", "classes_known", "seed", "n_test"), int),
    **dict.fromkeys(("error", "seconds", "pretraining_seconds"), float),
    **dict.fromkeys(("params", "dataset_params", "pretraining"), dict),
    "confusion": list,
}


def results_folder() -> Path:
    """Return the folder of this person's own results."""
    return layout.runs_folder() / ".labelled"


def results_path(dataset: str, folder: Path | None = None) -> Path:
    """Return the file of a data set's results in a folder; default: this person's own."""
    return (folder or results_folder()) / f"{dataset}.jsonl"


@dataclass(frozen=True)
class Results:
    """Results of a data set, see `core.semi_supervised.experiment.measure_cell`, and problems of their files."""

    rows: tuple[dict[str, Any], ...]
    problems: tuple[str, ...] = ()


def read_results(dataset: str, folders: Sequence[Path] | None = None) -> Results:
    """Return the results of a data set in `folders`; default: this person's own, then the shipped ones."""
    results: dict[tuple[str, str], dict[str, Any]] = {}
    problems = []
    for folder in (results_folder(), SHIPPED) if folders is None else folders:
        file = results_path(dataset, folder)
        try:
            lines = file.read_bytes().splitlines()
        except FileNotFoundError:
            continue
        except OSError as error:
            problems.append(f"The results in {file} can't be read ({error.strerror or error}).")
            continue
        rows = [_parse_line(line, dataset) for line in lines if line.strip()]
        if n_broken := rows.count(None):
            problems.append(
                f"{n_broken} of {len(rows)} lines in {file.name} are damaged or no results: they are ignored, and "
                "computed again by the next sweep."
            )
        # The last line of a cell and copy counts, and the first folder.
        here = {(row["key"], row["data_checksum"]): row for row in filter(None, rows)}
        results = {**results, **here, **results}
    return Results(tuple(results.values()), tuple(problems))


def _parse_line(line: bytes, dataset: str) -> dict[str, Any] | None:
    """Return the result in a line; None if the pages could not show it."""
    try:
        row = json.loads(line)
        is_result = (
            all(type(row[name]) is kind for name, kind in _TYPES.items())
            and row["dataset"] == dataset
            and row["method"] in semi_supervised.names(datasets.entry(dataset).kind)
            and 0 <= row["error"] <= 1
            and 1 <= row["labels"] <= _MOST_LABELS
            and 0 <= row["seed"] < _MOST_SEEDS
            and _is_consistent(row)
        )
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError, zlib.error):
        return None
    return row if is_result else None


def group_errors(rows: Iterable[Mapping[str, Any]]) -> dict[str, dict[int, dict[int, float]]]:
    """Return approach -> number of labels -> seed -> error; approaches in the order of the registry."""
    errors: dict[str, dict[int, dict[int, float]]] = {}
    for row in rows:
        errors.setdefault(row["method"], {}).setdefault(row["labels"], {})[row["seed"]] = row["error"]
    return {name: errors[name] for name in semi_supervised.names() if name in errors}


def append_result(file: Path, row: Mapping[str, Any]) -> None:
    """Append a line to a file, after any half-written line; raises HourglassError if it can't be written."""
    try:
        with file.open("a+b") as out:
            out.seek(0, os.SEEK_END)
            if out.tell():
                out.seek(-1, os.SEEK_END)
                out.write(b"" if out.read(1) == b"\n" else b"\n")
            out.write(json.dumps(row, separators=(",", ":"), allow_nan=False).encode() + b"\n")
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise HourglassError(
            f"A result can't be written to {file} ({error.strerror or error}): free some space there and run the sweep "
            "again; the results that are written stay."
        ) from None


def score_predictions(predicted: np.ndarray, y_test: np.ndarray, n_classes: int) -> dict[str, Any]:
    scored = np.flatnonzero(y_test != UNLABELLED)
    truth, predicted = y_test[scored], predicted[scored]
    confusion = np.bincount(truth * n_classes + predicted, minlength=n_classes**2).reshape(n_classes, n_classes)
    wrong = np.full(len(y_test), _CORRECT)
    wrong[scored] = np.where(predicted == truth, _CORRECT, predicted)
    error = float((predicted != truth).mean())
    return {"error": error, "n_test": len(scored), "confusion": confusion.tolist(), "wrong": pack(wrong)}


def select_mapped_rows(n_test: int) -> np.ndarray:
    """Return the test rows of a code map: (at most 300,) int64, evenly spread."""
    return np.unique(np.linspace(0, n_test - 1, min(MAPPED, n_test)).round().astype(np.int64))


def map_codes(classifier: Any, X: Any, X_test: Any, rows: np.ndarray, dataset: Dataset) -> dict[str, str]:
    """Project the codes of some test rows and the labelled rows to two principal components, packed."""
    from sklearn.decomposition import PCA

    shown, rows = select_mapped_rows(X_test.shape[0]), rows[:MAPPED]
    test_codes = np.asarray(classifier.codes(X_test[shown]), np.float64)
    labelled_codes = np.asarray(classifier.codes(X[rows]), np.float64)
    if test_codes.shape[1] > 2:
        pca = PCA(2, svd_solver="full").fit(test_codes)
        test_codes, labelled_codes = pca.transform(test_codes), pca.transform(labelled_codes)
    points = np.concatenate([test_codes, labelled_codes])
    points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))
    # A few outliers would compress all other points.
    low, high = np.percentile(points, [0.5, 99.5], axis=0)
    points = np.clip((points - low) / np.maximum(high - low, 1e-12), 0, 1)
    classes = np.concatenate([dataset.y_test[shown], dataset.y_train[rows]])
    classes = np.where(classes == UNLABELLED, _CORRECT, classes)
    return {"map": pack(np.round(points * 255)), "map_classes": pack(classes)}


def read_misclassified(result: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return the misclassified test rows of a result, increasing, and their predicted classes."""
    wrong = unpack(result["wrong"])
    rows = np.flatnonzero(wrong != _CORRECT)
    return rows, wrong[rows]


class CodeMap(NamedTuple):
    """Test rows and labelled rows at the first two principal components of a classifier's codes.

    Positions are (n, 2) in [0, 1], classes (n,), -1 for rows without one; `is_right` (n,) bool, whether a test row is
    classified correctly or has no class. Labelled rows are in the order of `select_labelled_rows`.
    """

    at_test: np.ndarray
    y_test: np.ndarray
    is_right: np.ndarray
    at_labelled: np.ndarray
    y_labelled: np.ndarray


def read_map(result: Mapping[str, Any]) -> CodeMap:
    """Return the code map of a result."""
    wrong = unpack(result["wrong"])
    rows = select_mapped_rows(len(wrong))
    points = unpack(result["map"]).reshape(-1, 2) / 255
    y = unpack(result["map_classes"])
    y = np.where(y == _CORRECT, UNLABELLED, y)
    n = len(rows)
    return CodeMap(points[:n], y[:n], wrong[rows] == _CORRECT, points[n:], y[n:])


def _is_consistent(result: Mapping[str, Any]) -> bool:
    """Whether the parts of a result fit one another; raises ValueError, TypeError or IndexError for other documents."""
    confusion = np.array(result["confusion"])
    if confusion.ndim != 2 or confusion.shape[0] != confusion.shape[1] or confusion.sum() != result["n_test"]:
        return False
    wrong, points, classes = (unpack(result[name]) for name in ("wrong", "map", "map_classes"))
    n_shown = len(select_mapped_rows(len(wrong))) + min(MAPPED, result["labels"])
    has_counts = (wrong != _CORRECT).sum() == result["n_test"] - confusion.trace()
    known = [*range(len(confusion)), _CORRECT]
    has_classes = np.isin(wrong, known).all() and np.isin(classes, known).all()
    return bool(has_counts and has_classes and len(points) == 2 * n_shown and len(classes) == n_shown)


def pack(values: np.ndarray) -> str:
    """Return values from 0 to 255 as compressed base64 text."""
    return base64.b64encode(zlib.compress(values.astype(np.uint8).tobytes(), 9)).decode()


def unpack(text: str) -> np.ndarray:
    """Return the values of a packed text: (n,) int64."""
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).astype(np.int64)


_KINGMA = "Kingma et al. 2014, Semi-supervised learning with deep generative models, table 1"
_SALIMANS = "Salimans et al. 2016, Improved techniques for training GANs, table 1"


class Published(NamedTuple):
    """A published test error in percent; `what` is the paper's name of the method."""

    labels: int
    error: float
    what: str
    paper: str


# Data set and approach -> published errors
PUBLISHED: dict[tuple[str, str], tuple[Published, ...]] = {
    ("mnist", name): tuple(
        Published(n, error, what, paper) for n, error in zip((100, 600, 1000, 3000), errors, strict=False)
    )
    for name, what, errors, paper in (
        ("network", "NN", (25.81, 11.44, 10.7, 6.04), _KINGMA),
        ("m1", "M1 + TSVM", (11.82, 5.72, 4.24, 3.49), _KINGMA),
        ("m2", "M2", (11.97, 4.94, 3.60, 3.92), _KINGMA),
        ("m1_m2", "M1 + M2", (3.33, 2.59, 2.40, 2.18), _KINGMA),
        ("sgan", "Feature matching", (0.93,), _SALIMANS),
    )
}
