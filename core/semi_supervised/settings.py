"""Settings of each approach and of its pre-training.

They were chosen on held-out training rows, never on test rows: once for many images, for few images, for documents and
for tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core import datasets
from core.types import DOCUMENTS, IMAGES, TABLES

_FEW_ROWS = 5000
_NETWORK = {"width": 1000, "layers": 3, "steps": 2000, "batch_size": 100, "learning_rate": 0.001}
_NETWORK |= {"noise": 0.5, "dropout": 0.2, "weight_decay": 1.0}
_PIXELS = {"C": 0.1, "scaling": "none"}
_GRAPH = {"n_neighbors": 10, "alpha": 0.95}
# Codes are drawn again at each step, so no other noise is needed, and all ten classes can be summed over.
_OF_CODES = {"n_components": 10, "output": "normal", "n_summed": 10, "alpha": 1.0, "noise": 0.0, "epochs": 40}
# Few images: smaller networks, fewer steps.
_SMALL = {**_NETWORK, "width": 256, "layers": 2, "steps": 400, "noise": 0.3, "weight_decay": 0.01}
_C10, _C1 = {"C": 10.0, "scaling": "none"}, {"C": 1.0, "scaling": "none"}
_CODER = {"n_components": 20, "width": 256, "layers": 2, "epochs": 100, "batch_size": 128, "learning_rate": 0.005}
_WORD_CODER = {"n_components": 50, "width": 256, "epochs": 60, "batch_size": 256, "learning_rate": 0.01}


@dataclass(frozen=True)
class Chosen:
    """Settings by approach, pre-training by method, the rows that they were chosen on, and the number of trials.

    Tables differ much in rows: ``total_steps`` of the optimizer is replaced by epochs, see `_suit`.
    """

    settings: Mapping[str, Mapping[str, Any]]
    pretraining: Mapping[str, Mapping[str, Any]]
    on: str
    tried: Mapping[str, int]


_MANY_IMAGES = Chosen(
    {
        **dict.fromkeys(("network", "fine_tuned"), _NETWORK),
        **dict.fromkeys(("logistic", "pca", "vae"), _PIXELS),
        **dict.fromkeys(("m1", "spreading"), _GRAPH),
        "ae": {"C": 0.03, "scaling": "none"},
        "vae_svm": {"C": 3.0, "scaling": "none"},
        "gan": {"C": 0.1, "scaling": "standard"},
        "m2": {"n_components": 50, "alpha": 10.0, "noise": 0.5, "epochs": 20},
        "m1_m2": _OF_CODES,
        "sgan": {"width": 600, "consistency": 1.0, "epochs": 40},
    },
    {
        "pca": {"n_components": 50},
        "ae": {"n_components": 50, "width": 1000, "layers": 3, "epochs": 20, "noise": 1.0},
        "vae": {"n_components": 50, "width": 1000, "layers": 2, "epochs": 30},
        "gan": {"network": "mlp", "width": 1000, "epochs": 20, "batch_size": 128},
    },
    "MNIST: labels from its first 50,000 training rows, error on the other 10,000",
    {"network": 22, "logistic": 8, "pca": 8, "ae": 16, "fine_tuned": 13, "vae": 16, "vae_svm": 12}
    | {"m1": 10, "m2": 2, "m1_m2": 10, "gan": 8, "sgan": 31},
)
_FEW_IMAGES = Chosen(
    {
        **dict.fromkeys(("network", "fine_tuned"), _SMALL),
        **dict.fromkeys(("logistic", "pca"), _C10),
        **dict.fromkeys(("ae", "vae"), _C1),
        "vae_svm": {"C": 3.0, "scaling": "none"},
        "gan": {"C": 1.0, "scaling": "standard"},
        "m1": _GRAPH,
        "spreading": {"n_neighbors": 5, "alpha": 0.95},
        "m2": {"n_components": 10, "width": 256, "alpha": 10.0, "noise": 0.2, "epochs": 200, "batch_size": 100},
        "m1_m2": {**_OF_CODES, "width": 256, "epochs": 100, "batch_size": 100},
        "sgan": {"width": 256, "consistency": 1.0, "epochs": 100, "batch_size": 50},
    },
    {"pca": {"n_components": 20}, "ae": _CODER, "vae": _CODER, "gan": {"network": "mlp", "width": 256, "epochs": 50}},
    "digits: labels from the first four fifths of its training rows, error on the others",
    dict.fromkeys(("logistic", "pca", "ae", "vae", "gan", "vae_svm"), 6)
    | {"m1": 9, "spreading": 9, "network": 4, "fine_tuned": 4, "m2": 2, "m1_m2": 1, "sgan": 1},
)
_DOCUMENTS = Chosen(
    {
        "logistic": {"C": 10.0, "scaling": "tfidf"},
        **dict.fromkeys(("lsa", "vae"), _C10),
        "ae": {"C": 0.1, "scaling": "none"},
    },
    {"lsa": {"n_components": 50}, "ae": _WORD_CODER, "vae": _WORD_CODER},
    "docstrings: labels from four fifths of its training documents, error on the others",
    {"logistic": 6, "lsa": 12, "ae": 24, "vae": 24},
)


_BOOSTING = {"leaf_share": 0.1, "learning_rate": 0.1, "max_iter": 100, "max_features": 0.1}
_TABLE_CODER = {"n_components": 10, "width": 256, "layers": 2, "batch_size": 128, "learning_rate": 0.005}
_TABLE_NETWORK = {**_SMALL, "steps": 300, "noise": 0.6}
_C03, _C3 = {"C": 0.3, "scaling": "none"}, {"C": 3.0, "scaling": "none"}
_TABLES = Chosen(
    {
        "network": _TABLE_NETWORK,
        "fine_tuned": _TABLE_NETWORK,
        **dict.fromkeys(("logistic", "pca"), _C03),
        "ae": {"C": 1.0, "scaling": "standard"},
        **dict.fromkeys(("vae", "vae_svm"), _C3),
        "gan": {"C": 0.3, "scaling": "standard"},
        "m1": {"n_neighbors": 20, "alpha": 0.8},
        "spreading": {"n_neighbors": 10, "alpha": 0.8},
        "m2": {"n_components": 10, "width": 256, "alpha": 10.0, "noise": 0.5, "total_steps": 300, "batch_size": 100},
        "m1_m2": {**_OF_CODES, "alpha": 10.0, "width": 256, "total_steps": 300, "batch_size": 100},
        "sgan": {"width": 256, "consistency": 0.0, "total_steps": 300, "batch_size": 50},
        "boosting": _BOOSTING,
        "both": {**_BOOSTING, **_C03},
    },
    {
        "pca": {"n_components": 40},
        "ae": {**_TABLE_CODER, "total_steps": 500, "noise": 0.5},
        "vae": {**_TABLE_CODER, "total_steps": 200},
        "gan": {"width": 256, "total_steps": 500, "batch_size": 64},
    },
    "wine, breast cancer, digits as a table, and two made-up tables with categories and missing cells: 10 to 500 "
    "labels from three quarters of the training rows of each, mean error on the others",
    dict.fromkeys(("vae", "m1", "spreading"), 9)
    | {"network": 7, "fine_tuned": 3, "m2": 1, "m1_m2": 2, "sgan": 2}
    | {"logistic": 7, "pca": 8, "ae": 10, "vae_svm": 4, "gan": 6, "boosting": 20, "both": 31},
)


def get_chosen(dataset: str) -> Chosen:
    """Return the settings for a data set, and how they were chosen."""
    entry = datasets.entry(dataset)
    if entry.kind == IMAGES:
        return _FEW_IMAGES if entry.rows[0] <= _FEW_ROWS else _MANY_IMAGES
    return _DOCUMENTS if entry.kind == DOCUMENTS else _TABLES


def get_settings(name: str, dataset: str) -> dict[str, Any]:
    """Return the settings of an approach on a data set."""
    return _suit(get_chosen(dataset).settings[name], dataset)


def get_pretraining(dataset: str, method: str) -> dict[str, Any]:
    """Return the parameters, without defaults, of a method that is pre-trained; none for an empty name."""
    return _suit(get_chosen(dataset).pretraining[method], dataset) if method else {}


def _suit(params: Mapping[str, Any], dataset: str) -> dict[str, Any]:
    """Parameters with epochs, from 10 to 1,000, for ``total_steps``, and codes of a table no larger than its rows."""
    params, entry = dict(params), datasets.entry(dataset)
    if steps := params.pop("total_steps", 0):
        params["epochs"] = min(1000, max(10, round(steps * params["batch_size"] / entry.rows[0])))
    if entry.kind == TABLES and "n_components" in params:
        params["n_components"] = min(params["n_components"], entry.count_features({}), entry.rows[0] - 1)
    return params
