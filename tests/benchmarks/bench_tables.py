"""Tables that a person brings: ``python -m tests.benchmarks.bench_tables [errors] [hidden] [SEED ...]``.

On scikit-learn's wine, breast cancer, diabetes, digits (its columns as numbers) and iris, with the quick presets:

- errors: the unexplained variance of PCA and of each network from 2 dimensions, with paired intervals of the difference
- hidden: the error of filled cells from 2 and 5 dimensions and of scikit-learn's IterativeImputer, against the median's
"""

import sys
import time
from collections.abc import Iterator

import numpy as np
from sklearn import datasets as bundled

from core import methods
from core.analysis import hidden_cells
from core.analysis.table_cells import Cells
from core.datasets import REGISTRY, Entry
from core.datasets.own import preparation, store
from core.datasets.own.recipe import make_recipe
from core.experiments.fit import fit
from core.metrics import bootstrap
from core.runs import presets, specs
from core.types import TABLES, Dataset

NAMES = ("wine", "breast_cancer", "diabetes", "digits", "iris")
_METHODS = ("pca", "linear_ae", "ae", "vae")


def load_table(name: str) -> Dataset:
    """One of scikit-learn's data sets as an own table, split as the page Data suggests."""
    bunch = getattr(bundled, f"load_{name}")(as_frame=True)
    frame = bunch.data.copy()
    frame["target"] = bunch.target_names[bunch.target] if "target_names" in bunch else bunch.target
    if name == "digits":
        frame["target"] = "digit " + frame["target"].astype(str)
    brought = store.read_file(frame.to_csv(index=False).encode(), f"{name}.csv")
    recipe = make_recipe(brought.columns, brought.table.format)
    return store.to_dataset(f"table-{name}", preparation.prepare(brought.table, recipe))


def register(dataset: Dataset) -> Dataset:
    """Make a table known under its name, without a folder."""
    rows = len(dataset.y_train), len(dataset.y_test)
    about = {"has_labels": dataset.has_labels, "embedded": True, "blocks": dataset.blocks}
    REGISTRY[dataset.name] = Entry(dataset.name, dataset.name, TABLES, "", rows, "", **about)
    return dataset


def fit_all(dataset: Dataset, size: int, seed: int, names=_METHODS) -> Iterator[tuple[str, object]]:
    """Fit each method by its quick preset; yields its label and run."""
    for method in names:
        params = presets.list_presets(dataset.name, method, size).get(presets.SECONDS, {})
        spec = specs.make(dataset.name, method, {**params, "n_components": size}, seed)
        yield methods.label(method), fit(spec, dataset, first_only=True)[0]


def show_errors(dataset: Dataset, seed: int) -> None:
    """Print the unexplained variance from 2 dimensions, and the paired difference from PCA's."""
    scores = {}
    for label, run in fit_all(dataset, 2, seed):
        rows = scores[label] = run.views["rows.unexplained_variance"].astype(np.float64)
        low, high = bootstrap.paired_difference_interval(rows, scores["PCA"])
        name = f"{dataset.name} 2-D seed {seed} {label}"
        print(f"{name}: {rows.mean():.3f}, minus PCA {low:+.3f} to {high:+.3f}", flush=True)


def show_hidden(dataset: Dataset, size: int, seed: int) -> None:
    """Print the error of filled cells of each method, and its paired difference from the median's."""
    cells = Cells(dataset, np.arange(len(dataset.y_test)))
    hidden = hidden_cells.hide(cells)
    score = lambda filled: hidden_cells.compute_errors(cells, hidden, filled).by_row(of_numbers=True)
    median = score(hidden_cells.fill_by_median(cells, hidden))
    print(f"{dataset.name}: {hidden.cells.sum():,} hidden cells of {len(cells.rows)} rows, median {median.mean():.3f}")

    def show(label: str, filled: np.ndarray, began: float) -> None:
        rows = score(filled)
        low, high = bootstrap.paired_difference_interval(rows, median)
        took = time.perf_counter() - began
        print(f"  {label}: {rows.mean():.3f}, minus median {low:+.3f} to {high:+.3f} ({took:.1f} s)", flush=True)

    began = time.perf_counter()
    show("IterativeImputer", hidden_cells.fill_by_regressions(cells, hidden), began)
    for label, run in fit_all(dataset, size, seed):
        began, estimator = time.perf_counter(), run.estimator
        reconstruct = lambda X, e=estimator: e.inverse_transform(e.transform(X))
        show(f"{label} {size}-D seed {seed}", hidden_cells.fill(reconstruct, cells, hidden), began)


def main(arguments: list[str]) -> None:
    parts = [name for name in arguments if not name.isdecimal()] or ["errors", "hidden"]
    seeds = [int(seed) for seed in arguments if seed.isdecimal()] or [0]
    for dataset in map(register, map(load_table, NAMES)):
        for seed in seeds:
            if "errors" in parts:
                show_errors(dataset, seed)
            for size in (2, 5) if "hidden" in parts else ():
                if size < dataset.n_features:
                    show_hidden(dataset, size, seed)


if __name__ == "__main__":
    main(sys.argv[1:])
