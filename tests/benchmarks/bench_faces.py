"""What AE and PCA lose of faces they were not fitted to: ``python -m tests.benchmarks.bench_faces``.

Squared error an image, pixels in [0, 1], by the settings of `core.runs.presets.FACES`. Those of Olivetti were chosen
on fold
4, those of Frey on blocks of its train frames, so neither was chosen by fold 0 to 3 or by Frey's test frames. Both
methods are fitted to the same rows; PCA without copies, where there are any, stands beside them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Any

from core import datasets, methods
from core.datasets.olivetti import FOLDS
from core.experiments import fit
from core.metrics import reconstruction
from core.runs import presets, specs
from core.types import Dataset

SEEDS = 3
CHOSEN_ON = 4


def main() -> None:
    print(f"{'':34} {'PCA':>8} {'AE':>8} {'AE / PCA':>9} {'fit of AE, s':>13}")
    for size in (2, 30):
        _seeds("frey", size)
    _folds("olivetti", 30)


def _recipe(dataset: str, method: str, size: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """The data set's parameters and the method's."""
    return next(
        (of_data, params)
        for of, by, of_data, params in presets.FACES
        if (of, by, params["n_components"]) == (dataset, method, size)
    )


def _error(dataset: Dataset, method: str, params: Mapping[str, Any], seed: int = 0) -> tuple[float, float]:
    """Mean squared error of the test rows by weights as they are stored, and the seconds of the fit."""
    spec, declared = specs.make(dataset.name, method, params, seed), methods.get(method)
    made = declared.estimator(dict(spec.params), dataset.kind, dataset.image_shape, seed)
    started = time.perf_counter()
    arrays = declared.arrays(made.fit(dataset.floats("train")))
    seconds = time.perf_counter() - started
    declared.restore(made, fit.stored_form(arrays))
    X = dataset.floats("test")
    return float(reconstruction.squared_error(X, made.inverse_transform(made.transform(X))).mean()), seconds


def _seeds(name: str, size: int) -> None:
    dataset = datasets.load(name)
    pca, _ = _error(dataset, "pca", _recipe(name, "pca", size)[1])
    errors = []
    for seed in range(SEEDS):
        error, seconds = _error(dataset, "ae", _recipe(name, "ae", size)[1], seed)
        errors.append(error)
        _row(f"{name} {size}-D, seed {seed}", pca, error, seconds)
    _mean(f"{name} {size}-D", [pca] * SEEDS, errors)


def _folds(name: str, size: int) -> None:
    pcas, errors = [], []
    of_data, params = _recipe(name, "ae", size)
    of_pca = _recipe(name, "pca", size)[1]
    for fold in range(FOLDS):
        dataset = datasets.load(name, **{**of_data, "fold": fold})
        pca, _ = _error(dataset, "pca", of_pca)
        error, seconds = _error(dataset, "ae", params)
        pcas.append(pca)
        errors.append(error)
        _row(f"{name} {size}-D, fold {fold}" + (" (chosen on)" if fold == CHOSEN_ON else ""), pca, error, seconds)
        alone, _ = _error(datasets.load(name, **{**of_data, "fold": fold, "copies": 0}), "pca", of_pca)
        print(f"{'    PCA without copies':34} {alone:8.3f}", flush=True)
    clean = [fold for fold in range(FOLDS) if fold != CHOSEN_ON]
    _mean(f"{name} {size}-D, folds 0 to 3", [pcas[f] for f in clean], [errors[f] for f in clean])
    _mean(f"{name} {size}-D, all folds", pcas, errors)


def _row(label: str, pca: float, ae: float, seconds: float) -> None:
    print(f"{label:34} {pca:8.3f} {ae:8.3f} {ae / pca:9.3f} {seconds:13.0f}", flush=True)


def _mean(label: str, pcas: Sequence[float], aes: Sequence[float]) -> None:
    """Means, and of the ratios also the spread."""
    ratios = [ae / pca for ae, pca in zip(aes, pcas, strict=True)]
    mean = statistics.mean
    print(
        f"{label + ': mean':34} {mean(pcas):8.3f} {mean(aes):8.3f} {mean(aes) / mean(pcas):9.3f}"
        f"   ratios {min(ratios):.3f} to {max(ratios):.3f}, standard deviation {statistics.stdev(ratios):.3f}\n",
        flush=True,
    )


if __name__ == "__main__":
    main()
