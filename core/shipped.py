"""Builds the runs, classifiers and regressors in assets: ``python -m core ship``."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from core import methods
from core.analysis import feature_space
from core.errors import BadInput
from core.experiments import fit
from core.methods import gan_inverter
from core.nn import quantization
from core.runs import layout, reader, selection, specs, store
from core.runs.presets import BEST_EFFORT, DEPTHS, LIKELIHOOD, MATCHED, N_TRIALS, RUNS, TUNED, Recipe
from core.tasks import inverter_training
from core.types import Dataset, Run, Spec, spread_indices

CLASSIFIER_EPOCHS = {"digits": 60, "mnist": 15, "fashion-mnist": 20}
# k-means may end in another local optimum, which the intervals of these scores do not include.
_BY_CHANCE = ("kmeans_ari", "kmeans_nmi")
# Of a replay and of the shown samples of images; of large images fewer are kept, and no replay.
_MOST_REPLAYED, _MOST_SAMPLED = 250_000, 66_000  # bytes
_N_FRAMES = 7  # of a replay


def shipped_specs(only: Sequence[str] = ()) -> Iterator[Spec]:
    """Yield the specs of the shipped runs, or of those named ``DATASET/METHOD`` or ``DATASET`` in `only`."""
    shipped = (*RUNS, *DEPTHS)
    names = {f"{dataset}/{method}" for dataset, method, _ in shipped}
    for name in only:
        if name not in names and name not in {dataset for dataset, _, _ in shipped}:
            raise BadInput(f"No shipped run is named {name}: choose from {', '.join(sorted(names))}.")
    for dataset, method, params in shipped:
        if not only or dataset in only or f"{dataset}/{method}" in only:
            yield specs.make_from_settings(dataset, method, params)


def ship(
    only: Sequence[str], *, missing: bool, remeasure: bool, say: Callable[[str], None], inverters: bool = False
) -> None:
    """Fit and measure the shipped runs, each written as soon as it is ready, and the regressors of their GANs.

    `missing`: skip existing runs; `remeasure`: measure the stored weights again; `inverters`: fit the regressors only.
    """
    loaded: dict[tuple, Dataset] = {}
    matched = _specs(MATCHED)
    for spec in shipped_specs(only):
        has_inverter = spec in matched and methods.entry(spec.method).can_be_inverted
        if inverters and not has_inverter:
            continue
        key = (spec.dataset, spec.dataset_params)
        if key not in loaded:
            loaded = {key: fit.load_dataset(spec)}
            # A new classifier would not match the scores of the other runs.
            _fit_classifier(loaded[key], bool(missing or remeasure or only or inverters), say)
        if not inverters:
            _fit_run(spec, loaded[key], missing, remeasure, say)
        if has_inverter:
            _fit_inverter(spec, loaded[key], inverters and not missing, say)


def _fit_classifier(dataset: Dataset, keep: bool, say: Callable[[str], None]) -> None:
    if dataset.name not in CLASSIFIER_EPOCHS or (keep and feature_space.get_classifier_path(dataset.name).exists()):
        return
    error = feature_space.fit_classifier(dataset, epochs=CLASSIFIER_EPOCHS[dataset.name])
    say(f"{dataset.name}: classifier, test error {error:.2%}")


def _fit_run(spec: Spec, dataset: Dataset, missing: bool, remeasure: bool, say: Callable[[str], None]) -> None:
    place = layout.place_of(layout.SHIPPED, spec)
    exists = (place / layout.DOCUMENT).exists()
    if exists and missing:
        return
    started = time.perf_counter()
    if exists and remeasure:
        fit.remeasure(place, dataset)
    else:
        fit.fit_and_store(spec, dataset, layout.SHIPPED)
        lighten(place, dataset, say)
    run = reader.read_run(place)
    names = ("squared_error", "neg_elbo", "neg_elbo_at_mean", "knn_accuracy", "frechet", "precision", "recall")
    scores = "  ".join(f"{name} {run.metrics[name].value:.4g}" for name in names if name in run.metrics)
    label = f"{spec.dataset}/{methods.label(spec.method)} {spec.param('n_components')}-D"
    say(f"{label}: {scores}  fit {run.metrics['seconds'].value:.0f} s, in all {time.perf_counter() - started:.0f} s")


def lighten(place: Path, dataset: Dataset, say: Callable[[str], None]) -> None:
    """Add a run's budget to its environment, and store it in fewer bytes.

    A network's weights become int8 if no score, measured again from these, leaves its interval. Scores of rows become
    float16 and integers as small as they can be, and a replay keeps 7 frames; of large images and of linear
    networks there is no replay, and of large images there are fewer samples.
    """
    run, arrays = reader.read_run(place), reader.read_weights(place)
    # The training of a linear network is shown by pages of its own; others are shipped for their bound alone.
    has_replay = not methods.entry(run.spec.method).is_linear and run.spec not in _specs(LIKELIHOOD)
    replay = _thin(reader.read_replay(place)) if has_replay else {}
    run = replace(run, environment={**run.environment, **_budget_of(run.spec)})
    if selection.get_budget(run.spec) is not None:
        store.rewrite_run(place, run, quantization.to_int8(arrays), replay)
        light = fit.remeasure(place, dataset)
        if changed := _list_changed_scores(run, light):
            say(f"{run.key}: weights stay float16, int8 would change {', '.join(changed)}")
        else:
            run, arrays = light, reader.read_weights(place)
    store.rewrite_run(place, replace(run, views=_shrink(run.views)), arrays, replay)


def _shrink(views: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The views, with positions and scores of rows in float16 if they fit, and fewer samples of large images."""
    largest = float(np.finfo(np.float16).max)
    prefixes = ("rows.", "nearest.", "map")
    scores = {name: a for name, a in views.items() if name.startswith(prefixes) and a.dtype == np.float32}
    types = {"shown_rows": np.uint16, "strip_rows": np.uint16, "labels": np.int8}
    smaller = {
        name: views[name].astype(kind)
        for name, kind in types.items()
        if name in views and views[name].max(initial=0) <= np.iinfo(kind).max
    }
    smaller |= {name: a.astype(np.float16) for name, a in scores.items() if np.abs(a).max(initial=0) < largest}
    if "samples" in views:
        smaller["samples"] = views["samples"][: max(1, _MOST_SAMPLED // views["samples"][0].nbytes)]
    return {**views, **smaller}


def _thin(replay: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """A replay with at most `_N_FRAMES` frames, evenly spread; none if it would be too large."""
    if not replay:
        return {}
    kept = spread_indices(len(replay["epochs"]), _N_FRAMES)
    by_frame = ("epochs", "seconds", "map", "reconstructions", "samples")
    thinned = {name: a[kept] if name in by_frame else a for name, a in replay.items()}
    about = json.loads(bytes(replay["about"]))
    if "documents" in about:  # the words of all frames
        about["documents"] = [about["documents"][k] for k in kept]
        thinned["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    return thinned if sum(a.nbytes for a in thinned.values()) <= _MOST_REPLAYED else {}


def _list_changed_scores(run: Run, light: Run) -> list[str]:
    """The scores that rounding has changed: means over rows that leave their interval, or disjoint intervals."""
    changed = []
    for name, score in run.metrics.items():
        if score.interval and name in light.metrics and name not in _BY_CHANCE:
            value = light.metrics[name].value
            low, high = (value, value) if f"rows.{name}" in run.views else light.metrics[name].interval
            if high < score.low or low > score.high:
                changed.append(name)
    return changed


def _budget_of(spec: Spec) -> dict[str, Any]:
    """The budget of a run and the number of trials that chose its settings, for its environment."""
    if spec in _specs(BEST_EFFORT):
        return {"budget": selection.BEST_EFFORT}
    trials = {"trials": N_TRIALS} if spec.dataset in TUNED else {}
    return {"budget": selection.MATCHED, **trials} if spec in _specs(MATCHED) else {}


def _specs(recipes: Sequence[Recipe]) -> list[Spec]:
    return [specs.make_from_settings(*recipe) for recipe in recipes]


def _fit_inverter(spec: Spec, dataset: Dataset, anew: bool, say: Callable[[str], None]) -> None:
    """Fit the regressor of a shipped GAN if there is none, or `anew`."""
    gan = reader.read_estimator(layout.place_of(layout.SHIPPED, spec))
    if not anew and inverter_training.load_shipped_inverter(spec.key, gan) is not None:
        return
    # More steps than for a person's own run, since each use then needs fewer gradient steps.
    inverter = gan_inverter.GANInverter(gan, fit_steps=5_000).fit(dataset.floats("train"))
    path = inverter_training.write_regressor(spec.key, gan, quantization.to_int8(fit.stored_form(inverter.arrays())))
    inversion = inverter_training.load_shipped_inverter(spec.key, gan).invert(dataset.floats("test")[:100])
    say(
        f"{spec.dataset}/GAN regressor: squared error of 100 test images {inversion.regressed_errors.mean():.4g}, "
        f"{inversion.errors.mean():.4g} after {inversion.steps} steps  "
        f"fit {inverter.environment_['seconds']:.0f} s, {path.stat().st_size / 1e6:.2f} MB"
    )
