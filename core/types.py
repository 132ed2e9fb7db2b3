"""The words of Hourglass: data sets, parameters, methods, specifications, runs and what a method can do."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from core import errors

IMAGES = "images"
DOCUMENTS = "documents"
UNLABELLED = -1
# The part of a fit in which it learns; measuring comes after.
FITTING = "Fitting"
_LONGEST_GIVEN = 80  # characters of a refused value that are repeated


@dataclass(frozen=True)
class Param:
    """One declared parameter of a method or a data set: the widgets, the command line and the checks come from it.

    Parameters
    ----------
    name : str
    default : int, float or str
        Its type is the parameter's type.
    bounds : tuple
        ``(lowest, highest)``, both allowed, for numbers; all allowed values for text.
    help : str
        One sentence for a tooltip, with the unit.
    kinds : tuple of str
        Of a method's parameter: the kinds of data set it is declared for; it is no part of a Spec of another kind.
    implied : bool
        At its default it is no part of a Spec: of a parameter that was declared when there were runs without it.
    """

    name: str
    default: Any
    bounds: tuple
    help: str
    kinds: tuple[str, ...] = (IMAGES, DOCUMENTS)
    implied: bool = False

    @property
    def allowed(self) -> str:
        if isinstance(self.default, str):
            return "one of " + ", ".join(self.bounds)
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        return f"{kind} from {self.bounds[0]} to {self.bounds[1]}"

    def check(self, value: Any) -> Any:
        """Return `value` (a number or text, perhaps typed by a person) as this parameter's type.

        Raises
        ------
        BadInput
            If it is not of that type, not finite or outside the bounds.
        """
        if isinstance(self.default, str):
            if value not in self.bounds:
                raise self.refusal(value)
            return value
        try:
            number = float(value)
        except (TypeError, ValueError, OverflowError):
            raise self.refusal(value) from None
        if isinstance(value, bool) or not math.isfinite(number) or not self.bounds[0] <= number <= self.bounds[1]:
            raise self.refusal(value)
        if isinstance(self.default, int):
            if number != int(number):
                raise self.refusal(value)
            return int(number)
        return number

    def refusal(self, value: Any) -> errors.BadInput:
        """The error for a value that is not allowed."""
        given = str(value)
        given = given if len(given) <= _LONGEST_GIVEN else given[: _LONGEST_GIVEN - 1] + "…"
        return errors.BadInput(f"{self.name}={given} is not allowed: choose {self.allowed}.")


def check_params(params: tuple[Param, ...], given: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Return every parameter of `params`, those in `given` checked and the others at their default."""
    names = [p.name for p in params]
    for name in given:
        if name not in names:
            known = f"it has {', '.join(names)}" if names else "it has none"
            raise errors.BadInput(f"{name} is no parameter of {owner}: {known}.")
    return {p.name: p.check(given[p.name]) if p.name in given else p.default for p in params}


def spread_indices(n: int, most: int) -> np.ndarray:
    """At most `most` of the numbers 0 to n - 1, evenly spread, the first and the last among them."""
    return np.linspace(0, n - 1, min(n, most)).round().astype(int)


def as_floats(X: Any, kind: str) -> Any:
    """Rows as they are kept -> as methods take them, float32: images in [0, 1], documents as word counts."""
    X = X.astype(np.float32)
    return X / np.float32(255) if kind == IMAGES else X


@dataclass(frozen=True)
class Dataset:
    """Rows to learn from and rows to be measured on.

    Attributes
    ----------
    kind : {"images", "documents"}
    X_train, X_test : (n, n_features)
        Images: ``uint8`` pixels in 0..255, row by row. Documents: ``scipy.sparse.csr_array`` word counts.
    y_train, y_test : (n,) int64
        Class of each row, an index into `target_names`; -1 where it has none.
    image_shape : (height, width) in pixels, for images.
    vocabulary : the word each column counts, for documents.
    titles_train, titles_test, texts_train, texts_test : one a document.
    notes : sentences a person should see, such as a row count that differs from the reference.
    redistributable : whether its rows may be handed on, as part of a stored run.
    usual_classes : whether its classes are those of the published data set, which the shipped classifiers know.
    """

    name: str
    kind: str
    X_train: Any
    y_train: np.ndarray
    X_test: Any
    y_test: np.ndarray
    target_names: tuple[str, ...]
    licence: str
    citation: str
    image_shape: tuple[int, int] | None = None
    vocabulary: tuple[str, ...] | None = None
    titles_train: tuple[str, ...] = ()
    titles_test: tuple[str, ...] = ()
    texts_train: tuple[str, ...] = ()
    texts_test: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    redistributable: bool = True
    usual_classes: bool = True

    @property
    def n_features(self) -> int:
        return self.X_train.shape[1]

    @property
    def has_labels(self) -> bool:
        return len(self.target_names) > 1

    def floats(self, split: str) -> Any:
        """Rows of ``"train"`` or ``"test"`` as methods take them.

        Returns
        -------
        (n, n_features) float32 : images in [0, 1]; documents as a CSR array of word counts.
        """
        return as_floats({"train": self.X_train, "test": self.X_test}[split], self.kind)

    @cached_property
    def checksum(self) -> str:
        """SHA-256, in hexadecimal, of all rows and labels."""
        digest = hashlib.sha256()
        for X, y in ((self.X_train, self.y_train), (self.X_test, self.y_test)):
            parts = (X,) if self.kind == IMAGES else (X.indptr, X.indices, X.data)
            for part in (*parts, y):
                digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Method:
    """How a method is built, stored and restored; what it can do is in its `core.methods.Entry`.

    Attributes
    ----------
    summary : one sentence for people.
    params : the estimator's hyper-parameters and its budget, of all kinds of data set; see `params_of`.
    version : goes into a Spec's key; raised when the same parameters would give another result.
    estimator : builds the unfitted estimator: ``estimator(params, kind, image_shape, seed)``.
    arrays : the fitted estimator's learned attributes as named arrays.
    restore : ``restore(estimator, arrays)`` makes an unfitted estimator the fitted one again and returns it.
    n_weights : how many numbers the fitted estimator learned.
    loss_unit : what its loss is, by kind of data set; nothing for a method that is solved at once.
    check_rows : ``check_rows(params, n_train, n_test, n_features)`` raises BadInput where so many rows can't be fitted.
    """

    summary: str
    params: tuple[Param, ...]
    version: int
    estimator: Callable[..., Any]
    arrays: Callable[[Any], dict[str, np.ndarray]]
    restore: Callable[[Any, Mapping[str, np.ndarray]], Any]
    n_weights: Callable[[Any], int]
    loss_unit: Mapping[str, str] = field(default_factory=dict)
    check_rows: Callable[[Mapping[str, Any], int, int, int], None] = lambda params, n_train, n_test, n_features: None

    def params_of(self, kind: str) -> tuple[Param, ...]:
        """Those of `params` that a fit to data sets of this kind has."""
        return tuple(p for p in self.params if kind in p.kinds)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True)
class Spec:
    """What is fitted to what: all that is needed to do it again.

    `params` and `dataset_params` hold every declared parameter, as sorted ``(name, value)`` pairs; see `Param.implied`.
    """

    dataset: str
    method: str
    params: tuple[tuple[str, Any], ...]
    seed: int = 0
    dataset_params: tuple[tuple[str, Any], ...] = ()
    version: int = 1

    @classmethod
    def of(cls, dataset: str, method: str, params: Mapping, seed: int, dataset_params: Mapping, version: int) -> Spec:
        return cls(
            dataset,
            method,
            tuple(sorted(params.items())),
            int(seed),
            tuple(sorted(dataset_params.items())),
            int(version),
        )

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits of the SHA-256 of the canonical JSON: names the run's folder."""
        return hashlib.sha256(_canonical(self.to_json()).encode()).hexdigest()[:16]

    def param(self, name: str, default: Any = None) -> Any:
        return dict(self.params).get(name, default)

    def to_json(self) -> dict[str, Any]:
        return {
            "dataset": self.dataset,
            "dataset_params": dict(self.dataset_params),
            "method": self.method,
            "params": dict(self.params),
            "seed": self.seed,
            "version": self.version,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Spec:
        """Inverse of `to_json`.

        Raises
        ------
        BadInput
            If a field is missing or of another type.
        """
        try:
            return cls.of(
                str(data["dataset"]),
                str(data["method"]),
                dict(data["params"]),
                data["seed"],
                dict(data["dataset_params"]),
                data["version"],
            )
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise errors.BadInput(f"This is not a specification of a run ({error!r}).") from None


@dataclass(frozen=True)
class Measurement:
    """A measured number with its 95% confidence interval and n, the rows or samples behind it; None without."""

    value: float
    low: float | None = None
    high: float | None = None
    n: int | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The ends of the interval, or None."""
        return None if self.low is None or self.high is None else (self.low, self.high)


def pack_metrics(metrics: Mapping[str, Measurement]) -> dict[str, np.ndarray]:
    """Measurements as arrays (value, low, high, n), which a cache can hold."""
    return {name: np.array([m.value, m.low, m.high, m.n], np.float64) for name, m in metrics.items()}


def unpack_metrics(arrays: Mapping[str, np.ndarray]) -> dict[str, Measurement]:
    """Inverse of `pack_metrics`."""
    return {name: Measurement(*a[:3].tolist(), int(a[3])) for name, a in arrays.items()}


@dataclass(frozen=True)
class Run:
    """What a fit leaves.

    Attributes
    ----------
    history : one row an epoch, ready for a DataFrame.
    metrics : name -> measurement, see `core.metrics.definitions`; also ``seconds`` of the fit and ``weights``.
    environment : versions, threads, precision, device, seconds, data checksum, kind and image_shape.
    notes : how what is shown came about: ``map``, ``samples``, ``features``, ``words``; see also `pending`.
    views : the small arrays that pages show, see `core.experiments.evaluate`; empty where only figures were read.
    estimator : the fitted estimator, or None where it was not asked for.
    place : the folder that it was read from, or None.
    by_class : name -> value of each class, by the class's name.
    """

    spec: Spec
    history: list[dict[str, Any]]
    metrics: dict[str, Measurement]
    environment: dict[str, Any]
    notes: dict[str, Any]
    views: dict[str, np.ndarray] = field(default_factory=dict)
    estimator: Any = None
    place: Path | None = field(default=None, compare=False)
    by_class: dict[str, dict[str, float]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.spec.key

    @property
    def is_verified(self) -> bool:
        """Whether the scores were measured on this machine or came with the project, not from somebody's file."""
        return self.notes.get("is_verified", True)

    @property
    def pending(self) -> tuple[str, ...]:
        """Names of the figures that are still to be measured."""
        return tuple(self.notes.get("pending", ()))


@runtime_checkable
class Classifier(Protocol):
    def predict_proba(self, X: Any) -> np.ndarray: ...
