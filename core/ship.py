"""Makes the runs, classifiers and regressors that assets holds: ``python -m core ship``."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from core import experiments, features, inversion, methods, specs, store
from core.recipes import DEPTHS, RUNS
from core.types import BadInput, Dataset, Spec

CLASSIFIER_EPOCHS = {"digits": 60, "mnist": 15, "fashion-mnist": 20}
# More than a run of one's own gets: the regressor's fit is shipped, and a better one saves gradient steps ever after.
REGRESSOR_STEPS = 5_000


def shipped_specs(only: Sequence[str] = ()) -> Iterator[Spec]:
    """The Specs of the shipped runs, or of those named ``DATASET/METHOD`` or ``DATASET``.

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
    for spec in shipped_specs(only):
        if inverters and spec.method != "gan":
            continue
        key = (spec.dataset, spec.dataset_params)
        if key not in loaded:
            loaded = {key: experiments.load_dataset(spec)}
            # A classifier made anew would leave the figures of runs that are not shipped with it behind.
            _classifier(loaded[key], bool(missing or remeasure or only or inverters), say)
        if not inverters:
            _one(spec, loaded[key], missing, remeasure, say)
        if spec.method == "gan":
            _inverter(spec, loaded[key], inverters and not missing, say)


def _classifier(dataset: Dataset, keep: bool, say: Callable[[str], None]) -> None:
    if dataset.name not in CLASSIFIER_EPOCHS or (keep and features.path_of(dataset.name).exists()):
        return
    error = features.fit_classifier(dataset, epochs=CLASSIFIER_EPOCHS[dataset.name])
    say(f"{dataset.name}: classifier, test error {error:.2%}")


def _one(spec: Spec, dataset: Dataset, missing: bool, remeasure: bool, say: Callable[[str], None]) -> None:
    place = store.SHIPPED / spec.key
    there = (place / "run.json").exists()
    if there and missing:
        return
    started = time.perf_counter()
    if there and remeasure:
        experiments.remeasure(place, dataset)
    else:
        experiments.fit_and_store(spec, dataset, store.SHIPPED)
    run = store.read(place)
    figures = "  ".join(
        f"{name} {run.metrics[name]:.4g}"
        for name in ("squared_error", "neg_elbo", "neg_elbo_at_mean", "knn_accuracy", "frechet", "precision", "recall")
        if name in run.metrics
    )
    label = f"{spec.dataset}/{methods.label(spec.method)} {spec.param('n_components')}-D"
    say(f"{label}: {figures}  fit {run.metrics['seconds']:.0f} s, in all {time.perf_counter() - started:.0f} s")


def _inverter(spec: Spec, dataset: Dataset, anew: bool, say: Callable[[str], None]) -> None:
    """Fit the regressor of a shipped GAN, unless one of just this GAN is there and none is wanted `anew`."""
    gan = store.estimator(store.SHIPPED / spec.key)
    if not anew and inversion.shipped(spec.key, gan) is not None:
        return
    inverter = inversion.GANInverter(gan, fit_steps=REGRESSOR_STEPS).fit(dataset.floats("train"))
    path = inversion.write(spec.key, gan, experiments.stored_form(inverter.arrays()))
    found = inversion.shipped(spec.key, gan).invert(dataset.floats("test")[:100])
    say(
        f"{spec.dataset}/regressor of the GAN: squared error of 100 test images {found.regressed_errors.mean():.4g}, "
        f"{found.errors.mean():.4g} after {found.steps} steps  "
        f"fit {inverter.environment_['seconds']:.0f} s, {path.stat().st_size / 1e6:.2f} MB"
    )
