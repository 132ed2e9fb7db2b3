"""What AE and PCA lose of faces they were not fitted to: ``python -m tests.benchmarks.bench_faces``.

Squared error an image, pixels in [0, 1], by the settings of `core.runs.presets.FACES`. Those of Olivetti were chosen on
fold 4, those of Frey on blocks of its train frames, so neither was chosen by fold 0 to 3 or by Frey's test frames. Both
methods are fitted to the same rows; PCA of Olivetti without copies stands beside them.
"""

import statistics
import time
from collections.abc import Mapping
from typing import Any

from core import datasets, methods
from core.datasets.olivetti import FOLDS
from core.experiments import fit
from core.metrics import reconstruction
from core.runs import presets, specs
from core.types import Dataset

CHOSEN_ON = 4
# Data set, method, dimensions -> parameters of the data set and of the method.
RECIPES = {(of, by, params["n_components"]): (of_data, params) for of, by, of_data, params in presets.FACES}


def main(arguments: list[str]) -> None:
    print(f"{'':34} {'PCA':>8} {'AE':>8} {'AE / PCA':>9} {'fit of AE, s':>13}")
    frey = datasets.load("frey")
    for size in (2, 30):
        pca = _error(frey, "pca", RECIPES["frey", "pca", size][1])[0]
        pairs = [_row(f"frey {size}-D, seed {seed}", pca, frey, size, seed) for seed in range(3)]
        _mean(f"frey {size}-D", pairs)
    of_data, of_pca = RECIPES["olivetti", "ae", 30][0], RECIPES["olivetti", "pca", 30][1]
    pairs = []
    for fold in range(FOLDS):
        dataset = datasets.load("olivetti", **{**of_data, "fold": fold})
        label = f"olivetti 30-D, fold {fold}" + (" (chosen on)" if fold == CHOSEN_ON else "")
        pairs.append(_row(label, _error(dataset, "pca", of_pca)[0], dataset, 30))
        alone, _ = _error(datasets.load("olivetti", **{**of_data, "fold": fold, "copies": 0}), "pca", of_pca)
        print(f"{'    PCA without copies':34} {alone:8.3f}", flush=True)
    _mean("olivetti 30-D, folds 0 to 3", [pair for fold, pair in enumerate(pairs) if fold != CHOSEN_ON])
    _mean("olivetti 30-D, all folds", pairs)


def _error(dataset: Dataset, method: str, params: Mapping[str, Any], seed: int = 0) -> tuple[float, float]:
    """Mean squared error of the test rows by weights as they are stored, and the seconds of the fit."""
    spec, declared = specs.make(dataset.name, method, params, seed), methods.get(method)
    estimator = declared.estimator(dict(spec.params), dataset.form, seed)
    started = time.perf_counter()
    arrays = declared.arrays(estimator.fit(dataset.floats("train")))
    seconds = time.perf_counter() - started
    declared.restore(estimator, fit.stored_form(arrays))
    X = dataset.floats("test")
    return float(reconstruction.squared_error(X, estimator.inverse_transform(estimator.transform(X))).mean()), seconds


def _row(label: str, pca: float, dataset: Dataset, size: int, seed: int = 0) -> tuple[float, float]:
    """Fit the AE and print its error beside PCA's; returns both."""
    ae, seconds = _error(dataset, "ae", RECIPES[dataset.name, "ae", size][1], seed)
    print(f"{label:34} {pca:8.3f} {ae:8.3f} {ae / pca:9.3f} {seconds:13.0f}", flush=True)
    return pca, ae


def _mean(label: str, pairs: list[tuple[float, float]]) -> None:
    """Print the means, and the spread of the ratios."""
    pca, ae = map(statistics.mean, zip(*pairs, strict=True))
    ratios = [ae / pca for pca, ae in pairs]
    spread = f"{min(ratios):.3f} to {max(ratios):.3f}, standard deviation {statistics.stdev(ratios):.3f}"
    print(f"{label + ': mean':34} {pca:8.3f} {ae:8.3f} {ae / pca:9.3f}   ratios {spread}\n", flush=True)


if __name__ == "__main__":
    main([])
