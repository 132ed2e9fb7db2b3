"""Names and values of training settings as people read them."""

from collections.abc import Sequence
from typing import Any

from core import datasets, methods
from core.runs import specs
from core.types import Spec

# The metrics that the page shows of a run.
METRICS = ("squared_error", "unexplained_variance", "category_accuracy", "neg_elbo", "knn_accuracy", "frechet")
# Labels that are not the parameter's name in words.
_LABELS = {
    "n_components": "Latent dimensions",
    "max_seconds": "Time limit (s)",
    "max_iter": "Iterations",
    "r1": "R1 penalty",
    "average": "Weight averaging",
    "validation": "Validation share",
    "augment": "Augmented share",
    "fold": "Fold of people",
}
_OPTIONS = {
    "mlp": "fully connected",
    "conv": "convolutional",
    "mirrored": "mirrored autoencoder",
    "relu": "ReLU",
    "silu": "SiLU",
    "bernoulli": "Bernoulli",
    "continuous_bernoulli": "continuous Bernoulli",
    "threshold": "black or white, by a threshold",
    "dynamic": "black or white, drawn (dynamic)",
    "tfidf": "tf-idf",
    "log": "log counts",
    "counts": "raw counts",
    "wasserstein-gp": "Wasserstein, gradient penalty",
}


def label_setting(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def format_value(value: Any) -> str:
    return _OPTIONS.get(value, value.replace("-", " ")) if isinstance(value, str) else f"{value:g}"


def describe_settings(spec: Spec, names: Sequence[str] | None = None, most: int = 99) -> str:
    """Format some settings of a Spec, by default the changed ones but the seed: ``"beta 4, width 256"``."""
    values = specs.settings(spec)
    if names is None:
        of_method = [param for param in methods.get(spec.method).params if param.name != "n_components"]
        declared = [*of_method, *datasets.entry(spec.dataset).params]
        names = [param.name for param in declared if values.get(param.name, param.default) != param.default]
    parts = [f"{label_setting(name).lower()} {format_value(values[name])}" for name in names if name in values]
    more = f" and {len(parts) - most} more" if len(parts) > most else ""
    return ", ".join(parts[:most]) + more
