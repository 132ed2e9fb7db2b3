"""Checks of imported runs, so that no page fails on them: JSON here, arrays in `core.runs.array_schema`.

This imports pydantic, which only an import of a run needs.
"""

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from core import datasets, methods
from core.errors import BadInput
from core.runs import array_schema, specs
from core.runs.array_schema import ROUNDING, demand
from core.types import TABLES, Run, Spec

_MOST_ROWS, _MOST_CLASSES, _SHORT = 10_000_000, 1000, 200
_MOST_FEATURES, _LONGEST_FEATURE = 30_000, 600
# Metrics that are a number for each class, or for each feature of a table.
_BY_FEATURE = "error_per_feature"
_BY_CLASS = ("squared_error_per_class", "class_shares", _BY_FEATURE)
_SHARES = ("knn_accuracy", "tfidf_knn_accuracy", "completion_floored", "category_accuracy")
_SHARES += ("retrieval_precision_1", "retrieval_precision_15", "retrieval_precision_63")
_PERPLEXITIES = ("completion_perplexity", "unigram_perplexity", "cache_perplexity")
# The lowest and highest that some metrics, and the ends of their intervals, can be. At the largest perplexity all words
# have the least probability, see `core.metrics.perplexity`.
_RANGES = dict.fromkeys(_SHARES, (0, 1)) | dict.fromkeys(_PERPLEXITIES, (1, 1.01e38))
_RANGES |= {"tfidf_cosine": (-1, 1), "seconds": (0, math.inf), "unexplained_variance": (0, math.inf)}


def _check_date(text: str) -> str:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError("a time zone is missing")
    return text


Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=1, le=_MOST_ROWS)]
Name = Annotated[str, Field(strict=True, max_length=_SHORT)]
Text = Annotated[str, Field(strict=True, max_length=10_000)]
Flag = Annotated[bool, Field(strict=True)]
Names = Annotated[list[Name], Field(min_length=1, max_length=_MOST_CLASSES)]
Feature = Annotated[str, Field(strict=True, max_length=_LONGEST_FEATURE)]
Row = Annotated[dict[str, Number], Field(max_length=50)]


class Environment(BaseModel):
    """How a run was made: entries that pages need, and other single values."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Flag | Number | Name | None]

    date: Annotated[Name, AfterValidator(_check_date)]
    data_checksum: Name
    kind: Name
    image_shape: list[Count] | None = None
    blocks: Annotated[list[Count], Field(max_length=_MOST_FEATURES)] = []
    n_train: Count
    n_test: Count
    n_features: Count
    seconds: Number
    stopped_early: Flag = False
    versions: dict[Name, Name] = {}


class WordsOfDocument(BaseModel):
    """The commonest words of a document, and those that the method predicts."""

    title: Text
    class_: Text = Field(alias="class")
    has: Annotated[list[tuple[Text, Number]], Field(max_length=100)]
    expects: Annotated[list[tuple[Text, Number, Flag]], Field(max_length=100)]


Documents = Annotated[list[WordsOfDocument], Field(max_length=20)]


class Notes(BaseModel):
    """How the views were computed."""

    model_config = ConfigDict(extra="forbid")

    map: Text = ""
    samples: Text = ""
    features: Text = ""
    words: Text = ""
    target_names: Names = []
    documents: Documents = []
    pending: Names = []
    is_verified: Flag = True


class Pictures(BaseModel):
    """What is said of the snapshots of the training."""

    map: Text = ""
    samples: Text = ""
    documents: list[Documents] = []


class Document(BaseModel):
    """The JSON of a run without its spec; the metrics are lists of a value and the ends of its interval."""

    environment: Environment
    history: list[Row]
    notes: Notes
    metrics: dict[Name, list[Number]]
    by_class: dict[Name, Annotated[dict[Feature, Number], Field(max_length=_MOST_FEATURES)]]
    pictures: Pictures


def check(run: Run, weights: Mapping[str, np.ndarray], replayed: Mapping[str, np.ndarray]) -> None:
    """Raise BadInput unless this program could fit `run` and show everything in it.

    `weights` of its estimator may not fit it; `replayed` are the snapshots of its training, or empty.
    """
    replay = array_schema.parse_replay(replayed) if replayed else None
    parts = {"environment": run.environment, "history": run.history, "notes": run.notes, "by_class": run.by_class}
    parts["metrics"] = {name: [m.value, *(m.interval or ())] for name, m in run.metrics.items()}
    parts["pictures"] = about = replay.about if replay else {}
    demand(_is_unicode([run.spec.to_json(), parts]), "a text in it is no Unicode")
    entry = _check_spec(run.spec)
    try:
        Document.model_validate_json(json.dumps(parts))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        part, name = (*first["loc"], "")[:2]
        is_extra = part == "environment" and name not in Environment.model_fields
        why = "it is no single value" if is_extra else first["msg"]
        raise BadInput(f"This run can't be loaded: its {part}.{name!s:.80} is not allowed ({why:.100}).") from None
    _check_data(run, entry)
    demand(all("epoch" in row for row in run.history), "a row of its history has no epoch")
    _check_metrics(run)
    demand(("target_names" in run.notes) == entry.has_labels, f"{entry.label} and it do not both have classes")
    array_schema.check_views(run, entry)
    array_schema.check_weights(weights, run)
    if replay:
        has_names = about.get("target_names", []) == run.notes.get("target_names", [])
        has_texts = all(name in about for name in ("map", "samples") if getattr(replay, name) is not None)
        demand(has_names and has_texts, "its pictures do not have the words that they should have")
        array_schema.check_replay(replay, run)


def _check_spec(spec: Spec) -> datasets.Entry:
    texts = [spec.dataset, spec.method, *(part for pair in (*spec.params, *spec.dataset_params) for part in pair)]
    demand(all(len(text) <= _SHORT for text in texts if isinstance(text, str)), "a name in its spec is too long")
    try:
        made = specs.make(spec.dataset, spec.method, dict(spec.params), spec.seed, dict(spec.dataset_params))
    except BadInput as problem:
        raise BadInput(f"This program could not fit this run: {problem}") from None
    demand(
        made.version == spec.version,
        f"it was made by version {spec.version} of the method {spec.method}, this program has version {made.version}",
    )
    demand(made.key == spec.key, "its spec does not say every parameter as this program does")
    return datasets.entry(spec.dataset)


def _is_unicode(value: Any) -> bool:
    """Whether JSON holds no half characters, which can't be shown."""
    with suppress(UnicodeEncodeError, RecursionError):
        return bool(json.dumps(value, ensure_ascii=False).encode())
    return False


def _check_data(run: Run, entry: datasets.Entry) -> None:
    environment, shape = run.environment, list(entry.image_shape) if entry.image_shape else None
    of_data = environment["kind"] == entry.kind and environment.get("image_shape") == shape
    demand(of_data, f"it is said to be of {entry.label}, but its kind or image shape is another")
    demand(tuple(environment.get("blocks", ())) == entry.blocks, f"its features are not those of {entry.label}")
    if shape:
        demand(environment["n_features"] == shape[0] * shape[1], "its n_features is not the number of pixels")
    elif entry.kind == TABLES:
        rows = environment["n_train"], environment["n_test"], environment["n_features"]
        demand(rows == (*entry.rows, sum(entry.blocks)), f"its rows are not those of {entry.label}")
    else:
        most = dict(run.spec.dataset_params)["vocabulary_size"]
        demand(environment["n_features"] <= most, "its n_features is not within the size of the vocabulary")


def _check_metrics(run: Run) -> None:
    for name, measured in run.metrics.items():
        lowest, highest = _RANGES.get(name, (-math.inf, math.inf))
        ends = measured.interval or (measured.value, measured.value)
        near = ROUNDING * max(1, abs(measured.value))
        is_within = name not in _RANGES or ends[0] - near <= measured.value <= ends[1] + near
        demand(is_within, f"its figure {name!r} is outside its interval")
        most = run.environment["n_test"] if name in _RANGES else _MOST_ROWS
        is_right = lowest <= ends[0] <= ends[1] <= highest and lowest <= measured.value <= highest
        # A metric of another sampler than the run's own has that before its name.
        is_right &= (measured.n is None or 1 <= measured.n <= most) and name.rpartition(".")[2] not in _BY_CLASS
        demand(is_right, f"its figure {name!r:.80} is not what it should be")
    most = {_BY_FEATURE: len(run.environment.get("blocks", ()))}
    for name, values in run.by_class.items():
        is_known = name.rpartition(".")[2] in _BY_CLASS and len(values) <= most.get(name, _MOST_CLASSES)
        demand(is_known, f"its figure {name!r:.80} is not what it should be")
    # What a network reconstructs of a document are probabilities.
    probable = methods.entry(run.spec.method).word_output == methods.PROBABILITY
    demand(probable or "completion_perplexity" not in run.metrics, "it has a perplexity, but no probabilities")
