"""The runs and classifiers that assets holds, and how each was made: ``python -m core ship`` makes them again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from core import experiments, features, methods, specs, store
from core.types import BadInput, Dataset, Spec

CLASSIFIER_EPOCHS = {"digits": 60, "mnist": 15, "fashion-mnist": 20}

_DIGITS = {"epochs": 300, "batch_size": 128, "width": 256, "learning_rate": 0.005, "augment": 0.5}
_WIDE = {"activation": "silu", "augment": 0.5, "weight_decay": 0.02, "width": 1500}
_FASHION = {"activation": "silu", "width": 800, "weight_decay": 0.02}
_WORDS = {"epochs": 50, "learning_rate": 0.003, "weight_decay": 0.1}


def _at(sizes: Sequence[int], dataset: str, method: str, **params) -> list[tuple[str, str, dict[str, Any]]]:
    return [(dataset, method, {"n_components": k, **params}) for k in sizes]


# (data set, method, parameters other than the default)
RUNS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    *_at((2, 10), "digits", "pca"),
    *_at((2, 10), "digits", "linear_ae", epochs=300, batch_size=128),
    *_at((2, 10), "digits", "ae", **_DIGITS),
    *_at((2, 10), "digits", "vae", **_DIGITS),
    *_at((16,), "digits", "gan", epochs=300),
    *_at((2, 10), "docstrings", "lsa"),
    *_at((2, 10), "docstrings", "ae", **_WORDS),
    *_at((2, 10), "docstrings", "vae", **_WORDS),
    *_at((2,), "frey", "vae", output="normal", width=256, epochs=300, batch_size=64, learning_rate=0.002),
    *_at((2, 10, 30), "mnist", "pca"),
    *_at((2, 10, 30), "mnist", "linear_ae", epochs=30),
    *_at((2,), "mnist", "ae", learning_rate=0.005, epochs=40),
    *_at((10,), "mnist", "ae", **_WIDE, epochs=120),
    *_at((30,), "mnist", "ae", **_WIDE, epochs=90),
    *_at((2,), "mnist", "vae", augment=0.5, epochs=60),
    *_at((10, 30), "mnist", "vae", augment=0.5, epochs=30),
    *_at((16,), "mnist", "gan", max_seconds=300.0),
    *_at((2, 10), "fashion-mnist", "pca"),
    *_at((2, 10), "fashion-mnist", "linear_ae", epochs=30),
    *_at((2, 10), "fashion-mnist", "ae", **_FASHION, epochs=25),
    *_at((2, 10), "fashion-mnist", "vae", epochs=30),
    *_at((16,), "fashion-mnist", "gan", max_seconds=240.0),
)


def shipped_specs(only: Sequence[str] = ()) -> Iterator[Spec]:
    """The Specs of the shipped runs, or of those named ``DATASET/METHOD`` or ``DATASET``.

    Raises
    ------
    BadInput
        If one of `only` names none.
    """
    names = {f"{dataset}/{method}" for dataset, method, _ in RUNS}
    for name in only:
        if name not in names and name not in {dataset for dataset, _, _ in RUNS}:
            raise BadInput(f"No shipped run is named {name}: choose from {', '.join(sorted(names))}.")
    for dataset, method, params in RUNS:
        if not only or dataset in only or f"{dataset}/{method}" in only:
            yield specs.make(dataset, method, params)


def ship(only: Sequence[str], *, missing: bool, remeasure: bool, say: Callable[[str], None]) -> None:
    """Fit and measure the shipped runs, each written as soon as it is ready.

    Parameters
    ----------
    missing : leave out what is there already.
    remeasure : keep the stored weights and measure them anew.
    """
    loaded: dict[tuple, Dataset] = {}
    for spec in shipped_specs(only):
        key = (spec.dataset, spec.dataset_params)
        if key not in loaded:
            loaded = {key: experiments.load_dataset(spec)}
            # A classifier made anew would leave the figures of runs that are not shipped with it behind.
            _classifier(loaded[key], bool(missing or remeasure or only), say)
        _one(spec, loaded[key], missing, remeasure, say)


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
