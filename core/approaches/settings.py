"""Settings of each approach and of its pre-training.

Those for images were chosen on MNIST training rows set aside (see `tried`), those for documents on train
documents set aside, never on test rows. Data sets of a kind and of about as many rows share them.
"""

from __future__ import annotations

from typing import Any

from core import datasets, recipes
from core.types import DOCUMENTS, IMAGES

_FEW_ROWS = 5000
_NETWORK = {
    "width": 1000,
    "layers": 3,
    "steps": 2000,
    "batch_size": 100,
    "learning_rate": 0.001,
    "noise": 0.3,
    "dropout": 0.2,
}
_PIXELS = {"C": 0.1, "scaling": "none"}
_LINEAR = {"C": 0.1, "scaling": "standard"}
_GRAPH = {"n_neighbors": 10, "alpha": 0.95}
# Codes are drawn anew at each step, which is noise enough; so few numbers allow for the sum over all ten classes.
_OF_CODES = {"n_components": 10, "output": "normal", "n_summed": 10, "alpha": 1.0, "noise": 0.0, "epochs": 20}
# Of many images.
_MANY: dict[str, dict[str, Any]] = {
    "network": _NETWORK,
    "fine_tuned": _NETWORK,
    "logistic": _PIXELS,
    "pca": _PIXELS,
    "ae": {"C": 0.03, "scaling": "none"},
    "vae": _PIXELS,
    "vae_svm": {"C": 3.0, "scaling": "none"},
    "gan": _LINEAR,
    "m1": _GRAPH,
    "spreading": _GRAPH,
    "m2": {"n_components": 50, "alpha": 10.0, "noise": 0.5, "epochs": 20},
    "m1_m2": _OF_CODES,
    "sgan": {"width": 600, "consistency": 1.0, "epochs": 40},
}
# Of few images: smaller networks, fewer steps.
_SMALL = {**_NETWORK, "width": 256, "layers": 2, "steps": 400}
_FEW = {**_MANY, "network": _SMALL, "fine_tuned": _SMALL}
_WORDS = {
    "logistic": {"C": 10.0, "scaling": "tfidf"},
    "lsa": {"C": 10.0, "scaling": "none"},
    "ae": {"C": 0.1, "scaling": "none"},
    "vae": {"C": 1.0, "scaling": "none"},
}

_PRETRAINING_MANY: dict[str, dict[str, Any]] = {
    "pca": {"n_components": 50},
    "ae": {"n_components": 50, "width": 1000, "layers": 3, "epochs": 20, "noise": 1.0},
    "vae": {"n_components": 50, "width": 512, "layers": 2, "epochs": 30},
    "gan": {"network": "mlp", "width": 1000, "epochs": 20, "batch_size": 128},
}
_PRETRAINING_FEW: dict[str, dict[str, Any]] = {
    "pca": {"n_components": 20},
    "ae": {"n_components": 20, "width": 256, "layers": 2, "epochs": 100, "batch_size": 128, "learning_rate": 0.005},
    "vae": {"n_components": 20, "width": 256, "layers": 2, "epochs": 100, "batch_size": 128, "learning_rate": 0.005},
    "gan": {"network": "mlp", "width": 256, "epochs": 50},
}
_WORDS_SIZE = 50
_TRIED = {
    IMAGES: {
        "network": 18,
        "logistic": 8,
        "pca": 8,
        "ae": 16,
        "fine_tuned": 8,
        "vae": 16,
        "vae_svm": 12,
        "m1": 9,
        "m2": 2,
        "m1_m2": 4,
        "gan": 8,
        "sgan": 31,
    },
    DOCUMENTS: {"logistic": 6, "lsa": 12, "ae": 12, "vae": 12},
}


def of(name: str, dataset: str) -> dict[str, Any]:
    """The classifier's settings."""
    entry = datasets.entry(dataset)
    table = _WORDS if entry.kind == DOCUMENTS else _FEW if entry.rows[0] <= _FEW_ROWS else _MANY
    return dict(table[name])


def pretraining(dataset: str, method: str) -> dict[str, Any]:
    """Parameters, other than the default, of the method that is fitted to all training rows without labels."""
    entry = datasets.entry(dataset)
    if entry.kind == DOCUMENTS:
        best = {} if method == "lsa" else recipes.best(dataset, entry.kind, method, _WORDS_SIZE)
        return {"n_components": _WORDS_SIZE, **best}
    return dict((_PRETRAINING_FEW if entry.rows[0] <= _FEW_ROWS else _PRETRAINING_MANY)[method])


def tried(name: str, kind: str) -> int:
    """How many settings were held against one another on rows set aside; 0: those of an approach like it were taken."""
    return _TRIED[kind].get(name, 0)
