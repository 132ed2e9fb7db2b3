"""Builds the runs, classifiers and regressors in assets: ``python -m core ship``."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core import datasets, methods
from core.analysis import feature_space
from core.errors import BadInput
from core.experiments import fit
from core.methods import gan_inverter
from core.nn import quantization
from core.runs import budgets, layout, reader, specs, store
from core.runs.presets import BEST_EFFORT, DEPTHS, MATCHED, RUNS, TRIALS, TUNED, Recipe
from core.tasks import inverter_training
from core.types import Dataset, Run, Spec, spread_indices

CLASSIFIER_EPOCHS = {"digits": 60, "mnist": 15, "fashion-mnist": 20}
# More than for a person's own run: a better regressor saves gradient steps whenever it is used.
REGRESSOR_STEPS = 5_000
# Of a shipped replay, and its arrays that hold one entry a frame.
_FRAMES = 11
_OF_FRAMES = ("epochs", "seconds", "map", "reconstructions", "samples")
_LARGEST_HALF = float(np.finfo(np.float16).max)
# k-means may end in another local optimum, which the intervals of these scores leave out.
_BY_CHANCE = ("kmeans_ari", "kmeans_nmi")


def shipped_specs(only: Sequence[str] = ()) -> Iterator[Spec]:
    """Yield the specs of the shipped runs, or of those named ``DATASET/METHOD`` or ``DATASET``.

    Raises
    ------
    BadInput
        If one of `only` names none.
    """
    shipped = (*RUNS, *DEPTHS)
    names = {f"{dataset}/{method}" for dataset, method, _ in shipped}
    for name in only:
        if name not in names and name not in {dataset for dataset, _, _ in shipped}:
            raise BadInput(f"No shipped run is named {name}: choose from {', '.join(sorted(names))}.")
    for dataset, method, params in shipped:
        if not only or dataset in only or f"{dataset}/{method}" in only:
            yield specs.make(dataset, method, params)


def ship(
    only: Sequence[str],
    *,
    missing: bool,
    remeasure: bool,
    say: Callable[[str], None],
    inverters: bool = False,
) -> None:
    """Fit and measure the shipped runs, each written as soon as it is ready, and the regressors of their GANs.

    Parameters
    ----------
    missing : leave out what is there already.
    remeasure : keep the stored weights and measure them anew.
    inverters : fit the regressors of the GANs anew, and nothing else.
    """
    loaded: dict[tuple, Dataset] = {}
    inverted = [spec for spec in _specs(MATCHED) if methods.entry(spec.method).can_be_inverted]
    for spec in shipped_specs(only):
        has_inverter = spec in inverted
        if inverters and not has_inverter:
            continue
        key = (spec.dataset, spec.dataset_params)
        if key not in loaded:
            loaded = {key: fit.load_dataset(spec)}
            # A new classifier would not fit the scores of runs that are not built again.
            _classifier(loaded[key], bool(missing or remeasure or only or inverters), say)
        if not inverters:
            _one(spec, loaded[key], missing, remeasure, say)
        if has_inverter:
            _inverter(spec, loaded[key], inverters and not missing, say)


def _classifier(dataset: Dataset, keep: bool, say: Callable[[str], None]) -> None:
    if dataset.name not in CLASSIFIER_EPOCHS or (keep and feature_space.get_classifier_path(dataset.name).exists()):
        return
    error = feature_space.fit_classifier(dataset, epochs=CLASSIFIER_EPOCHS[dataset.name])
    say(f"{dataset.name}: classifier, test error {error:.2%}")


def _one(spec: Spec, dataset: Dataset, missing: bool, remeasure: bool, say: Callable[[str], None]) -> None:
    place = layout.place_of(layout.SHIPPED, spec)
    there = (place / "run.json").exists()
    if there and missing:
        return
    started = time.perf_counter()
    if there and remeasure:
        fit.remeasure(place, dataset)
    else:
        fit.fit_and_store(spec, dataset, layout.SHIPPED)
        lighten(place, dataset, say)
    run = reader.read_run(place)
    figures = "  ".join(
        f"{name} {run.metrics[name].value:.4g}"
        for name in ("squared_error", "neg_elbo", "neg_elbo_at_mean", "knn_accuracy", "frechet", "precision", "recall")
        if name in run.metrics
    )
    label = f"{spec.dataset}/{methods.label(spec.method)} {spec.param('n_components')}-D"
    say(f"{label}: {figures}  fit {run.metrics['seconds'].value:.0f} s, in all {time.perf_counter() - started:.0f} s")


def lighten(place: Path, dataset: Dataset, say: Callable[[str], None]) -> None:
    """Write a run's budget into it, and store it in fewer bytes.

    A network's weights become int8 where no figure leaves its interval; the figures are measured again, from the
    weights as they are stored. Scores of rows become float16, and a replay keeps `_FRAMES` of its frames.
    """
    run, arrays, replay = reader.read_run(place), reader.read_weights(place), _thinned(reader.read_replay(place))
    run = replace(run, environment={**run.environment, **_budget_of(run.spec)})
    if budgets.get_budget(run.spec) is not None:
        store.rewrite_run(place, run, quantization.to_int8(arrays), replay)
        light = fit.remeasure(place, dataset)
        if moved := _moved(run, light):
            say(f"{run.key}: weights stay float16, int8 would move {', '.join(moved)}")
        else:
            run, arrays = light, reader.read_weights(place)
    store.rewrite_run(place, replace(run, views=_halved(run.views)), arrays, replay)


def _halved(views: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return views with the scores of rows in float16, where they fit."""
    return {
        name: a.astype(np.float16)
        if name.startswith(("rows.", "nearest.")) and a.dtype == np.float32 and a.max(initial=0) < _LARGEST_HALF
        else a
        for name, a in views.items()
    }


def _thinned(replay: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return a replay with at most `_FRAMES` frames, evenly spread from the first to the last."""
    n = len(replay.get("epochs", ()))
    # Words of documents stand frame by frame in a text of their own.
    if n <= _FRAMES or not {"reconstructions", "samples"} & set(replay):
        return dict(replay)
    kept = spread_indices(n, _FRAMES)
    return {name: a[kept] if name in _OF_FRAMES else a for name, a in replay.items()}


def _moved(run: Run, light: Run) -> list[str]:
    """Return the names of the scores that rounding has moved.

    A mean over rows has moved where it leaves its interval: the rows are the same. A figure of samples, which
    are drawn anew, has moved where the two intervals have nothing in common.
    """
    found = []
    for name in (name for name in run.metrics if run.metrics[name].interval and name in light.metrics):
        if name in _BY_CHANCE:
            continue
        low, high = run.metrics[name].interval
        value = light.metrics[name].value
        ends = (value, value) if f"rows.{name}" in run.views else light.metrics[name].interval
        if ends[1] < low or ends[0] > high:
            found.append(name)
    return found


def _budget_of(spec: Spec) -> dict[str, Any]:
    """What a run's environment says of its budget, and of the trials that chose its settings."""
    if spec in _specs(BEST_EFFORT):
        return {"budget": budgets.BEST_EFFORT}
    if spec not in _specs(MATCHED):
        return {}
    trials = {"trials": math.prod(map(len, TRIALS[datasets.entry(spec.dataset).kind][spec.method].values()))}
    return {"budget": budgets.MATCHED, **(trials if spec.dataset in TUNED else {})}


def _specs(recipes: Sequence[Recipe]) -> list[Spec]:
    return [specs.make(*recipe) for recipe in recipes]


def _inverter(spec: Spec, dataset: Dataset, anew: bool, say: Callable[[str], None]) -> None:
    """Fit the regressor of a shipped GAN, unless one of just this GAN is there and none is wanted `anew`."""
    gan = reader.read_estimator(layout.place_of(layout.SHIPPED, spec))
    if not anew and inverter_training.load_shipped_inverter(spec.key, gan) is not None:
        return
    inverter = gan_inverter.GANInverter(gan, fit_steps=REGRESSOR_STEPS).fit(dataset.floats("train"))
    path = inverter_training.write_regressor(spec.key, gan, quantization.to_int8(fit.stored_form(inverter.arrays())))
    found = inverter_training.load_shipped_inverter(spec.key, gan).invert(dataset.floats("test")[:100])
    say(
        f"{spec.dataset}/regressor of the GAN: squared error of 100 test images {found.regressed_errors.mean():.4g}, "
        f"{found.errors.mean():.4g} after {found.steps} steps  "
        f"fit {inverter.environment_['seconds']:.0f} s, {path.stat().st_size / 1e6:.2f} MB"
    )
