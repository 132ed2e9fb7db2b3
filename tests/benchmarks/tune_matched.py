"""Chooses the settings of the matched runs: six trials a method, judged on train rows set aside.

``python -m tests.benchmarks.tune_matched DATASET`` prints a line a trial and marks the best of each method. Test rows
take no part. Shapes, epochs and batch size are those of `core.runs.presets`; a trial varies the learning rate and one
regulariser. AEs of images are judged by the squared error, VAEs by the negative ELBO, GANs by the Fréchet distance
between as many samples as rows set aside and these rows; of documents both by kNN accuracy with train labels. A
classifier gives the features for the Fréchet distance; it was fitted to all train rows, those set aside included.
"""

import itertools
import sys
import time

import numpy as np
from sklearn.model_selection import train_test_split

from core import datasets, methods
from core.analysis import feature_space
from core.metrics import embedding, generation, reconstruction
from core.runs import presets, specs
from core.types import DOCUMENTS, IMAGES

TRIALS: dict[str, dict[str, dict[str, tuple]]] = {
    IMAGES: {
        "ae": {"learning_rate": (0.0025, 0.005, 0.01), "augment": (0.0, 0.5)},
        "vae": {"learning_rate": (0.001, 0.0025, 0.005), "augment": (0.0, 0.5)},
        "gan": {"learning_rate": (0.0005, 0.001, 0.002), "r1": (0.1, 1.0)},
    },
    DOCUMENTS: {name: {"learning_rate": (0.005, 0.01), "weight_decay": (0.1, 0.3, 1.0)} for name in ("ae", "vae")},
}
# On large sets of images.
TRIAL_EPOCHS = 6


def held_out_loss(dataset, method, estimator, X, train, held_out) -> float:
    """What a trial is judged by: lower is better."""
    if dataset.kind == DOCUMENTS:
        labelled = estimator.transform(X[train]), dataset.y_train[train]
        correct = embedding.knn_correct(*labelled, estimator.transform(X[held_out]), dataset.y_train[held_out])
        return 1 - float(np.mean(correct))
    if method == "ae":
        outputs = estimator.inverse_transform(estimator.transform(X[held_out]))
        return float(reconstruction.squared_error(X[held_out], outputs).mean())
    if method == "vae":
        return float(sum(estimator.elbo_terms(X[held_out], random_state=0)).mean())
    samples, space = estimator.sample(len(held_out), random_state=0), feature_space.get_feature_space(dataset)
    return generation.frechet_distance(space.features(X[held_out]), space.features(samples))


def main(name: str, size: int | None = None) -> None:
    dataset = datasets.load(name)
    X = dataset.floats("train")
    rows, is_large = np.arange(X.shape[0]), X.shape[0] > 10_000
    how = {"test_size": 0.1 if is_large else 0.2, "random_state": 0, "stratify": dataset.y_train}
    train, held_out = train_test_split(rows, **how)
    print(f"{name}: {len(train):,} rows to train on, {len(held_out):,} set aside", flush=True)
    for method, grid in TRIALS[dataset.kind].items():
        losses = {}
        for values in itertools.product(*grid.values()):
            trial = dict(zip(grid, values, strict=True))
            budget = presets.matched_budget(name) | trial
            if is_large and dataset.kind != DOCUMENTS:
                budget["epochs"] = TRIAL_EPOCHS
            spec = specs.make(name, method, {**budget, **({"n_components": size} if size else {})})
            estimator = methods.get(method).estimator(dict(spec.params), dataset.form, 0)
            started = time.perf_counter()
            estimator.fit(X[train])
            loss = losses[values] = held_out_loss(dataset, method, estimator, X, train, held_out)
            print(f"{method} {trial}: {loss:.4f}  ({time.perf_counter() - started:.0f} s)", flush=True)
        best = min(losses, key=losses.get)
        print(f"{method} chosen: {dict(zip(grid, best, strict=True))}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)
