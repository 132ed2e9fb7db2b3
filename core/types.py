"""Types of all layers: data sets, parameters, methods, specifications and runs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np

from core import errors

IMAGES = "images"
DOCUMENTS = "documents"
TABLES = "tables"
KINDS = (IMAGES, DOCUMENTS, TABLES)
ROW_NAMES = {IMAGES: "image", DOCUMENTS: "document", TABLES: "row"}
UNLABELLED = -1
BERNOULLI, CONTINUOUS_BERNOULLI = "bernoulli", "continuous_bernoulli"
FITTING = "Fitting"  # the stage of a fit before its evaluation


@dataclass(frozen=True)
class Param:
    """A declared parameter of a method or data set, from which widgets, command line and checks are made.

    Attributes
    ----------
    default : int, float or str; its type is the parameter's type.
    bounds : ``(lowest, highest)``, both allowed, for numbers; all allowed values for text.
    help : a sentence for a tooltip, with the unit.
    kinds : kinds of data set that a method's parameter is for.
    implied : whether it is left out of a Spec at its default, since older runs do not have it.
    """

    name: str
    default: Any
    bounds: tuple
    help: str
    kinds: tuple[str, ...] = KINDS
    implied: bool = False

    @property
    def allowed(self) -> str:
        if isinstance(self.default, str):
            return "one of " + ", ".join(self.bounds)
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        return f"{kind} from {self.bounds[0]} to {self.bounds[1]}"

    def check(self, value: Any) -> Any:
        """Return `value`, a number or text, as this parameter's type; BadInput if it is not allowed."""
        if isinstance(self.default, str):
            if value in self.bounds:
                return value
        elif not isinstance(value, bool):
            with suppress(TypeError, ValueError, OverflowError):
                number = type(self.default)(float(value))
                if number == float(value) and self.bounds[0] <= number <= self.bounds[1]:
                    return number
        raise self.refusal(value)

    def refusal(self, value: Any) -> errors.BadInput:
        """The error for a value that is not allowed."""
        given = str(value)
        given = given if len(given) <= 80 else given[:79] + "…"
        return errors.BadInput(f"{self.name}={given} is not allowed: choose {self.allowed}.")


def check_params(params: tuple[Param, ...], given: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Return every parameter of `params`, those in `given` checked, the others at their default."""
    names = [p.name for p in params]
    for name in given:
        if name not in names:
            known = f"it has {', '.join(names)}" if names else "it has none"
            raise errors.BadInput(f"{name} is no parameter of {owner}: {known}.")
    return {p.name: p.check(given[p.name]) if p.name in given else p.default for p in params}


def spread_indices(n: int, most: int) -> np.ndarray:
    """At most `most` of the numbers 0 to n - 1, evenly spread, with the first and the last."""
    return np.linspace(0, n - 1, min(n, most)).round().astype(int)


def as_floats(X: Any, kind: str) -> Any:
    """Stored rows as the float32 input of methods: images in [0, 1], documents as word counts, tables prepared."""
    X = X.astype(np.float32)
    return X / np.float32(255) if kind == IMAGES else X


@dataclass(frozen=True)
class Form:
    """The form of a data set's rows, which a network is built for.

    Attributes
    ----------
    image_shape : (height, width) in pixels, for images.
    blocks : for tables, the number of columns of each feature: 1 for a number, else one a category.
    """

    kind: str = IMAGES
    image_shape: tuple[int, int] | None = None
    blocks: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The entries of a run's environment."""
        entries = {"kind": self.kind, "image_shape": list(self.image_shape) if self.image_shape else None}
        return entries | ({"blocks": list(self.blocks)} if self.blocks else {})

    @classmethod
    def from_json(cls, environment: Mapping[str, Any]) -> Form:
        """Inverse of `to_json`."""
        shape, blocks = environment.get("image_shape"), environment.get("blocks", ())
        return cls(environment["kind"], tuple(shape) if shape else None, tuple(blocks))


@dataclass(frozen=True)
class Dataset:
    """Training and test rows.

    Attributes
    ----------
    kind : {"images", "documents", "tables"}
    X_train, X_test : (n, n_features); images as ``uint8`` in 0..255, documents as ``csr_array`` of word counts, tables
        as ``float32`` without missing values.
    y_train, y_test : (n,) int64, class of each row as an index into `target_names`; -1 for unlabelled rows.
    image_shape : (height, width) in pixels, for images.
    vocabulary : the word of each column, for documents.
    is_binary : of images, whether all pixels are 0 or 255; grey_train : (n, n_features) uint8, the means that X_train
        was drawn from and can be drawn from again, or None.
    blocks : for tables, see `Form`; known_train, known_test : (n, n_features) bool, False where a cell was missing, or
        None without missing cells; table : for tables, the `core.datasets.own.preparation.Prepared` that they are from.
    titles_train, titles_test, texts_train, texts_test : one a document.
    notes : sentences for people, such as a row count that differs from the reference.
    redistributable : whether a stored run may contain its rows.
    usual_classes : whether its classes are the published ones, which the shipped classifiers know.
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
    is_binary: bool = False
    grey_train: np.ndarray | None = None
    blocks: tuple[int, ...] = ()
    known_train: np.ndarray | None = None
    known_test: np.ndarray | None = None
    table: Any = field(default=None, compare=False)

    @property
    def form(self) -> Form:
        return Form(self.kind, self.image_shape, self.blocks)

    @property
    def n_features(self) -> int:
        return self.X_train.shape[1]

    @property
    def has_labels(self) -> bool:
        return len(self.target_names) > 1

    def floats(self, split: str) -> Any:
        """Rows of ``"train"`` or ``"test"`` as the input of methods, see `as_floats`."""
        return as_floats({"train": self.X_train, "test": self.X_test}[split], self.kind)

    def make_fit_arguments(self, estimator: Any) -> dict[str, np.ndarray]:
        """The arguments of `fit` that an estimator has use for beside the rows: known train cells, grey values."""
        arguments = {}
        if self.known_train is not None and getattr(estimator, "masks_missing", False):
            arguments["known"] = self.known_train
        if self.grey_train is not None and getattr(estimator, "redraws_pixels", False):
            arguments["grey"] = as_floats(self.grey_train, self.kind)
        return arguments

    @cached_property
    def checksum(self) -> str:
        """SHA-256 of all rows and labels, in hexadecimal."""
        digest = hashlib.sha256()
        for X, y in ((self.X_train, self.y_train), (self.X_test, self.y_test)):
            parts = (X.indptr, X.indices, X.data) if self.kind == DOCUMENTS else (X,)
            for part in (*parts, y):
                digest.update(np.ascontiguousarray(part).tobytes())
        for known in (self.known_train, self.known_test):
            digest.update(b"" if known is None else np.packbits(known).tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Method:
    """How a method is built, stored and restored; its capabilities are in its `core.methods.Entry`.

    Attributes
    ----------
    summary : one sentence for people.
    params : hyper-parameters and budget, for all kinds of data set; see `params_of`.
    version : part of a Spec's key; raised when the same parameters give another result.
    estimator : ``estimator(params, form, seed)`` builds the unfitted estimator for rows of a `Form`.
    arrays : the fitted estimator's learned attributes as named arrays.
    restore : ``restore(estimator, arrays)`` is the inverse of `arrays` on an unfitted estimator, which it returns.
    n_weights : number of learned weights of the fitted estimator.
    loss_unit : unit of the loss by kind of data set; empty for methods solved in closed form.
    check_rows : ``check_rows(params, n_train, n_test, n_features)`` raises BadInput if such rows can't be fitted.
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
        """The parameters for data sets of this kind."""
        return tuple(p for p in self.params if kind in p.kinds)


@dataclass(frozen=True)
class Spec:
    """A specification of a fit: every parameter but `Param.implied` ones, as sorted ``(name, value)`` pairs."""

    dataset: str
    method: str
    params: tuple[tuple[str, Any], ...]
    seed: int = 0
    dataset_params: tuple[tuple[str, Any], ...] = ()
    version: int = 1

    @classmethod
    def of(cls, dataset: str, method: str, params: Mapping, seed: int, dataset_params: Mapping, version: int) -> Spec:
        settings, of_dataset = (tuple(sorted(given.items())) for given in (params, dataset_params))
        return cls(dataset, method, settings, int(seed), of_dataset, int(version))

    @property
    def key(self) -> str:
        """Sixteen hexadecimal digits of the SHA-256 of the canonical JSON."""
        canonical = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def param(self, name: str, default: Any = None) -> Any:
        return dict(self.params).get(name, default)

    def to_json(self) -> dict[str, Any]:
        document = {"dataset": self.dataset, "dataset_params": dict(self.dataset_params), "method": self.method}
        return document | {"params": dict(self.params), "seed": self.seed, "version": self.version}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Spec:
        """Inverse of `to_json`; BadInput if a field is missing or of another type."""
        try:
            names, params = (str(data["dataset"]), str(data["method"])), dict(data["params"])
            return cls.of(*names, params, data["seed"], dict(data["dataset_params"]), data["version"])
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
