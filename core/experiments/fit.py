"""Spec -> Run: fit a method to a data set, round its weights as they are stored, and measure what was stored."""

import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from core import datasets, methods
from core.analysis.snapshots import Recorder
from core.datasets import embedded_samples
from core.errors import BadInput
from core.experiments.evaluate import FIRST, METRICS, ON_STAGE, STRUCTURE, evaluate
from core.experiments.scores import Scores, Subject
from core.metrics.definitions import VERSION
from core.runs import reader, specs, store
from core.types import FITTING, IMAGES, TABLES, Dataset, Measurement, Run, Spec

_LIBRARIES = ("torch", "numpy", "scipy", "scikit-learn", "pandas")


def load_dataset(spec: Spec, progress=None) -> Dataset:
    """Load the data set of a spec."""
    return datasets.load(spec.dataset, progress=progress, **dict(spec.dataset_params))


def stored_form(arrays: Mapping[str, np.ndarray], kind: str = IMAGES) -> dict[str, np.ndarray]:
    """Round arrays as they are stored: matrices to float16 if it holds their values, all others as they are.

    Networks of tables are small, so nothing is rounded.
    """
    if kind == TABLES:
        return {name: np.asarray(a) for name, a in arrays.items()}
    stored = {name: np.asarray(a) for name, a in arrays.items()}
    for name, a in stored.items():
        is_matrix = a.ndim > 1 and np.issubdtype(a.dtype, np.floating)
        if is_matrix and np.abs(a).max(initial=0) <= np.finfo(np.float16).max:
            stored[name] = a.astype(np.float16)
    return stored


def fit(
    spec: Spec,
    dataset: Dataset,
    *,
    on_stage: ON_STAGE = lambda stage: None,
    recorder: Recorder | None = None,
    first_only: bool = False,
    **watches: Any,
) -> tuple[Run, dict[str, np.ndarray]]:
    """Fit and measure; return the run, with the weights as they are stored, and the arrays for `store.write_run`.

    Parameters
    ----------
    on_stage : called with a few words before each part of the work.
    recorder : takes snapshots while a network trains.
    first_only : measure what takes a few seconds; the run's `pending` metrics are left to `finish`.
    watches : on_epoch, on_tick, on_note and checkpoint of `core.nn.training.train`; a map has the first two.

    Raises BadInput for a data set that the method can't be fitted to, see `core.runs.specs.check`.
    """
    specs.check(spec, dataset)
    method, entry = methods.get(spec.method), methods.entry(spec.method)
    estimator = method.estimator(dict(spec.params), dataset.form, spec.seed)
    on_stage(FITTING)
    given = _rows_to_map(spec, dataset) if entry.maps_rows else {"X": dataset.floats("train")}
    given |= dataset.make_fit_arguments(estimator)
    started = time.perf_counter()
    if entry.maps_rows:
        estimator.fit_splits(**given, **{name: watches.get(name) for name in ("on_epoch", "on_tick")})
        on_stage("Measuring")
    elif hasattr(estimator, "train_step"):
        if recorder is not None:
            for name, take in (("on_epoch", recorder.epoch), ("on_tick", recorder.tick)):
                watches[name] = _call_both(watches.get(name), take, estimator)
        estimator.fit(**given, y=dataset.y_train, **watches)
        # A training that was only paused ends here.
        on_stage("Measuring")
        if recorder is not None:
            recorder.take(estimator.history_[-1], estimator)
    else:
        estimator.fit(**given)
    seconds = round(time.perf_counter() - started, 3)
    versions = {"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES}
    environment = {"device": "cpu", "precision": "float32", "seconds": seconds} | getattr(estimator, "environment_", {})
    environment |= {"versions": versions, "date": datetime.now(UTC).isoformat(timespec="seconds")}
    environment |= {"data_checksum": dataset.checksum, "metrics_version": VERSION}
    environment |= {"n_train": len(dataset.y_train), "n_test": len(dataset.y_test), "n_features": dataset.n_features}
    environment |= dataset.form.to_json()
    history, arrays = getattr(estimator, "history_", []), stored_form(method.arrays(estimator), dataset.kind)
    blank = method.estimator(dict(spec.params), dataset.form, spec.seed)
    estimator = method.restore(blank, arrays)
    parts = _first_parts(dataset) if first_only else None
    del given  # as large as the data set
    scores = evaluate(Subject(estimator, dataset, entry.samplers), parts, on_stage)
    metrics = {"seconds": Measurement(seconds), "weights": Measurement(method.n_weights(estimator))}
    return _with_scores(Run(spec, history, metrics, environment, {}, estimator=estimator), scores), arrays


def _first_parts(dataset: Dataset) -> tuple[str, ...]:
    """The parts with the metrics that pages rank methods by."""
    return (FIRST,) if dataset.kind == IMAGES and dataset.has_labels else (FIRST, STRUCTURE)


def _with_scores(run: Run, scores: Scores) -> Run:
    parts = ("metrics", "by_class", "views", "notes")
    return replace(run, **{part: getattr(run, part) | getattr(scores, part) for part in parts})


def _rows_to_map(spec: Spec, dataset: Dataset) -> dict[str, Any]:
    """The rows of each split that a method maps, the shown test rows among them."""
    rows = {split: embedded_samples.first_rows(dataset, split, spec.param("rows")) for split in ("train", "test")}
    X = {f"X_{split}": dataset.floats(split)[numbers] for split, numbers in rows.items()}
    return X | {f"rows_{split}": numbers for split, numbers in rows.items()}


def _call_both(watch: Callable | None, take: Callable, estimator: Any) -> Callable[[dict[str, Any]], bool | None]:
    """A callback that lets a recorder take its snapshot unless the training stops here."""
    return lambda row: bool(watch and watch(row)) or take(row, estimator)


def fit_and_store(spec: Spec, dataset: Dataset, folder: Path | None = None, **options: Any) -> Run:
    """Fit, measure and store a run with snapshots of its training; parameters as `fit` and `store.write_run`."""
    recorder = Recorder(dataset, options.get("checkpoint"))
    run, arrays = fit(spec, dataset, recorder=recorder, **options)
    store.write_run(run, arrays, folder, replay=recorder.arrays())
    return run


def finish(place: Path, dataset: Dataset, *, on_stage: ON_STAGE = lambda stage: None) -> Run:
    """Measure the pending metrics of a stored run, part by part, and store it again after each.

    Raises BadInput if `dataset` is not the one the run was trained on, or the run was deleted or replaced meanwhile.
    """
    run, subject = _read(place, dataset)
    for part, names in METRICS.items():
        if not set(names) & set(run.pending):
            continue
        scores = evaluate(subject, (part,), on_stage)
        now = reader.read_run(place) if place.is_dir() else None
        if now is None or now.environment != run.environment:
            raise BadInput(f"The run {run.key} was deleted or trained again while it was measured.")
        pending = [name for name in run.pending if name not in names]
        run = _with_scores(run, scores)
        run.notes.pop("pending")
        run.notes.update({"pending": pending} if pending else {})
        store.rewrite_run(place, run, reader.read_weights(place), reader.read_replay(place))
    return run


def _read(place: Path, dataset: Dataset) -> tuple[Run, Subject]:
    run, estimator = reader.read_run(place), reader.read_estimator(place)
    if dataset.checksum != run.environment["data_checksum"]:
        raise BadInput(f"The run {run.key} was trained on another copy of {dataset.name}: fit it again instead.")
    return run, Subject(estimator, dataset, methods.entry(run.spec.method).samplers)


def remeasure(place: Path, dataset: Dataset, first_only: bool = False) -> Run:
    """Measure a stored run's weights anew, and store it again in the same folder; `first_only` as in `fit`.

    Raises BadInput if `dataset` is not the one the run was trained on.
    """
    run, subject = _read(place, dataset)
    weights = Measurement(methods.get(run.spec.method).n_weights(subject.estimator))
    metrics, environment = {"seconds": run.metrics["seconds"], "weights": weights}, {**run.environment}
    environment["metrics_version"] = VERSION
    run = replace(run, metrics=metrics, by_class={}, views={}, notes={}, environment=environment)
    run = _with_scores(run, evaluate(subject, _first_parts(dataset) if first_only else None))
    store.rewrite_run(place, run, reader.read_weights(place), reader.read_replay(place))
    return run
