"""How well LSA and AEs keep the topics of documents: ``python -m tests.benchmarks.bench_topics [DATASET ...]``.

LSA under each weighting, AE and VAE with their best presets, at 2, 10 and 50 numbers, on the official splits, 2,000
words. Fitted on all cores, measured as every run is: kNN accuracy among the 15 nearest train codes, precision at 15 by
cosine, cosine to the tf-idf vector, perplexity by document completion, seconds of the fit.
"""

from __future__ import annotations

import sys

import numpy as np

from core import datasets
from core.experiments import fit
from core.runs import presets, specs
from core.types import DOCUMENTS, Dataset, Run

WEIGHTINGS = ("tfidf", "log", "counts")
NETWORKS = ("ae", "vae")
_FIGURES = ("knn_accuracy", "retrieval_precision_15", "tfidf_cosine", "completion_perplexity", "seconds")
FEWEST = 40


def main(names: list[str]) -> None:
    for name in names or datasets.names(DOCUMENTS):
        if not datasets.is_available(name):
            print(f"{name} is not on this machine: set HOURGLASS_DATA.")
            continue
        dataset = datasets.load(name)
        print(f"{name:24} {'kNN':>8} {'large':>8} {'at 15':>8} {'cosine':>8} {'perpl.':>8} {'seconds':>8}")
        for size in presets.DOCUMENT_SIZES:
            wanted = [(f"LSA, {weighting}", "lsa", {"weighting": weighting}) for weighting in WEIGHTINGS]
            wanted += [(m.upper(), m, presets.list_presets(name, m, size)[presets.BEST]) for m in NETWORKS]
            for label, method, params in wanted:
                run, _ = fit.fit(specs.make(name, method, {**params, "n_components": size}), dataset)
                _line(f"{label} {size}-D", run, dataset)
        accuracy, perplexity = (run.metrics[name].value for name in ("tfidf_knn_accuracy", "cache_perplexity"))
        scores = f"{accuracy:8.3f} {'':8} {run.views['retrieval.tfidf'][3, 0]:8.3f} {'':8} {perplexity:8.0f}"
        print(f"{'tf-idf vectors, cache':24} {scores}", flush=True)


def _line(label: str, run: Run, dataset: Dataset) -> None:
    """The figures of a run; "large" is the kNN accuracy on classes with 40 or more test documents."""
    counts = np.bincount(dataset.y_test, minlength=len(dataset.target_names))
    large = run.views["rows.knn_accuracy"][counts[dataset.y_test] >= FEWEST].mean()
    values = [run.metrics[name].value if name in run.metrics else float("nan") for name in _FIGURES]
    told = [f"{value:8.3f}" if value < 10 else f"{value:8.0f}" for value in (values[0], large, *values[1:])]
    print(f"{label:24} {' '.join(told)}".replace("nan", "  –"), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
