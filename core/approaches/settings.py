"""Settings of each approach and of its pre-training.

Those for images were chosen on MNIST training rows set aside (see `Approach.tried`), those for documents on train
documents set aside, never on test rows. Data sets of a kind and of about as many rows share them.
"""

from __future__ import annotations

from typing import Any

from core import datasets, recipes
from core.types import DOCUMENTS

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
    "m2": {"epochs": 20},
    "m1_m2": {},
    "sgan": {},
}
# Of few images: smaller networks, fewer steps.
_SMALL = {**_NETWORK, "width": 256, "layers": 2, "steps": 400}
_FEW = {**_MANY, "network": _SMALL, "fine_tuned": _SMALL}
_WORDS = {"logistic": {"C": 10.0, "scaling": "tfidf"}, **dict.fromkeys(("lsa", "ae", "vae"), _LINEAR)}

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
