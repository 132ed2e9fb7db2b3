"""Settings that are known to serve: those of the shipped runs, and the presets of each method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core import datasets, methods
from core.types import DOCUMENTS, BadInput, Spec

SECONDS, MINUTE, BEST = "seconds", "a minute", "best"
_FEW_ROWS = 5000
_WORKSHOP_SECONDS = 60.0
# What a map of rows may take to end within these seconds on one thread.
_WORKSHOP_MAP = {"rows": 2000, "max_iter": 2000}

_DIGITS = {"epochs": 300, "batch_size": 128, "width": 256, "learning_rate": 0.005, "augment": 0.5}
_WIDE = {"activation": "silu", "augment": 0.5, "weight_decay": 0.02, "width": 1500}
_FASHION = {"activation": "silu", "width": 800, "weight_decay": 0.02}
# Of documents: chosen with train labels alone, on 20 % of the train documents set aside, stratified, and on the last
# 20 % of each class; docstrings' width on two stratified quarters of its train documents. But weight decay and the
# standardised code were looked for after a first look at the test split, which the figures therefore slightly favour.
_WORDS = {"epochs": 50, "learning_rate": 0.01}
# Few documents need more steps, and no wider network.
_WORDS_OF = {"docstrings": {**_WORDS, "batch_size": 256, "epochs": 100, "width": 256}}
# Two numbers leave little to overfit with, and are slower to find; a VAE is restrained by its KL term already.
_FEW_NUMBERS = {"weight_decay": 0.1}
_MANY_NUMBERS = {"ae": {"weight_decay": 1.0}, "vae": {"weight_decay": 0.3}}
# At which documents are retrieved, see Hinton and Salakhutdinov 2006.
DOCUMENT_SIZES = (2, 10, 50)
_LSA = ({}, {"weighting": "log"}, {"weighting": "counts"})


def _at(sizes: Sequence[int], dataset: str, method: str, **params) -> list[tuple[str, str, dict[str, Any]]]:
    return [(dataset, method, {"n_components": k, **params}) for k in sizes]


def _of_documents(dataset: str, sizes: Mapping[str, Sequence[int]]) -> list[tuple[str, str, dict[str, Any]]]:
    """LSA under each weighting, tf-idf first, and the networks at these code sizes."""
    runs = [run for weighted in _LSA for run in _at(DOCUMENT_SIZES, dataset, "lsa", **weighted)]
    for method, of_method in sizes.items():
        for size in of_method:
            own = _FEW_NUMBERS if size == 2 else _MANY_NUMBERS[method]
            runs += _at((size,), dataset, method, **{**_WORDS_OF.get(dataset, _WORDS), **own})
    return runs


# (data set, method, parameters other than the default)
RUNS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    *_at((2, 10), "digits", "pca"),
    *_at((2, 10), "digits", "linear_ae", epochs=300, batch_size=128),
    *_at((2, 10), "digits", "ae", **_DIGITS),
    *_at((2, 10), "digits", "vae", **_DIGITS),
    *_at((16,), "digits", "gan", epochs=300),
    *_of_documents("docstrings", dict.fromkeys(("ae", "vae"), DOCUMENT_SIZES)),
    *_of_documents("newsgroups", {"ae": (2,)}),
    *_at((2,), "frey", "vae", output="normal", width=256, epochs=300, batch_size=64, learning_rate=0.002),
    *_at((2, 10, 30), "mnist", "pca"),
    *_at((2,), "mnist", "linear_ae", epochs=30, learning_rate=0.03),
    *_at((10, 30), "mnist", "linear_ae", epochs=30),
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
    *(
        run
        for name in ("digits", "docstrings", "mnist", "fashion-mnist", "mnist-sample", "fashion-sample")
        for run in _at((2,), name, "tsne")
    ),
)

# AEs that differ in nothing but their number of hidden layers; shipped beside the linear AE of their code size.
_LAYERS = (1, 2, 3)
_DEEP = {"epochs": 20, "width": 512, "learning_rate": 0.005}
_LAYERED = ("digits", "mnist")


def depths(dataset: str, n_components: int) -> list[dict[str, Any]]:
    """Parameters of an AE with one, two and three hidden layers, which have all others in common.

    Raises
    ------
    BadInput
        For an unknown data set.
    """
    few = datasets.entry(dataset).rows[0] <= _FEW_ROWS
    return [{"n_components": n_components, **(_DIGITS if few else _DEEP), "layers": n} for n in _LAYERS]


DEPTHS: tuple[tuple[str, str, dict[str, Any]], ...] = tuple(
    (name, "ae", params)
    for name in _LAYERED
    for params in depths(name, 10)
    # Where three layers are the method's default, that one is shipped already.
    if (name, "ae", {key: value for key, value in params.items() if (key, value) != ("layers", 3)}) not in RUNS
)

_STRANGERS = {"held_out": "people", "fold": 0, "copies": 20}
# One hidden layer and the most weight decay: what a deeper or freer network learns of 32 people is of no use on others.
_FACE = {
    "activation": "silu",
    "batch_size": 128,
    "epochs": 20,
    "layers": 1,
    "learning_rate": 0.002,
    "weight_decay": 1.0,
    "width": 512,
}
_FRAMES = {"batch_size": 64, "epochs": 60, "learning_rate": 0.02, "width": 256}
_MANY_OF_FRAMES = {
    "activation": "silu",
    "batch_size": 64,
    "epochs": 80,
    "layers": 1,
    "learning_rate": 0.005,
    "weight_decay": 0.1,
}

# (data set, method, the data set's parameters other than the default, the method's): each trains in under three minutes
FACES: tuple[tuple[str, str, dict[str, Any], dict[str, Any]], ...] = (
    ("frey", "pca", {}, {"n_components": 2}),
    ("frey", "ae", {}, {"n_components": 2, **_FRAMES}),
    ("frey", "pca", {}, {"n_components": 30}),
    ("frey", "ae", {}, {"n_components": 30, **_MANY_OF_FRAMES}),
    ("olivetti", "pca", _STRANGERS, {"n_components": 30}),
    ("olivetti", "ae", _STRANGERS, {"n_components": 30, **_FACE}),
)


def presets(dataset: str, method: str, n_components: int) -> dict[str, dict[str, Any]]:
    """Parameters other than the default and the code size, by preset; none for a method without a clock.

    ``"seconds"`` and ``"a minute"`` end by the clock; ``"best"`` is how the shipped run was made, or one like it, and
    has the data set's parameters among the method's where that run had other than the default.

    Raises
    ------
    BadInput
        For an unknown data set or method.
    """
    entry = datasets.entry(dataset)
    declared = {p.name for p in methods.get(method).params_of(entry.kind)}
    if "max_seconds" not in declared:
        return {}
    found = best(dataset, entry.kind, method, n_components)
    short = {name: value for name, value in found.items() if name in ("learning_rate", "weight_decay", "output")}
    if entry.kind != DOCUMENTS:
        short.pop("weight_decay", None)
        if method == "ae" and entry.rows[0] > _FEW_ROWS:
            short["learning_rate"] = 0.02
    if entry.rows[0] <= _FEW_ROWS and method != "gan":
        short["batch_size"] = 128
    return {
        SECONDS: {**short, **_QUICK.get(method, {"max_seconds": 8.0})},
        MINUTE: {**short, "max_seconds": _WORKSHOP_SECONDS},
        BEST: found,
    }


# An adversarial game takes longer to show anything.
_QUICK = {"gan": {"max_seconds": 20.0, "network": "mlp"}}


def best(dataset: str, kind: str, method: str, n_components: int) -> dict[str, Any]:
    """Parameters of the shipped run or of that in `FACES`, but for its code size; without one, those of one like it."""
    others = ("docstrings",) if kind == DOCUMENTS else (_LIKE.get(dataset, "mnist"), "digits")
    for name in (dataset, *others):
        found = [params for of, by, params in _KNOWN if (of, by) == (name, method)]
        if found:
            chosen = next((params for params in found if params["n_components"] == n_components), found[-1])
            return {key: value for key, value in chosen.items() if key != "n_components"}
    return {"epochs": 100}


# Beyond the shipped runs; each trains in about half a minute, where its data are.
_TOPICS = tuple(
    run
    for name in ("newsgroups", "reuters-r8")
    for run in _of_documents(name, dict.fromkeys(("ae", "vae"), DOCUMENT_SIZES))
    if run not in RUNS
)
_KNOWN = (*RUNS, *_TOPICS, *((dataset, method, {**of_data, **params}) for dataset, method, of_data, params in FACES))
_LIKE = {"mnist-sample": "digits", "olivetti": "frey", "fashion-sample": "digits"}


def check_workshop(spec: Spec) -> None:
    """Refuse a training that would keep a room of people waiting.

    Raises
    ------
    BadInput
        If it is not bound to end within a minute.
    """
    seconds = spec.param("max_seconds")
    if seconds is not None and not 0 < seconds <= _WORKSHOP_SECONDS:
        raise BadInput(
            f"max_seconds={seconds:g} is not for a workshop, where many people share one machine: give it 1 to "
            f"{_WORKSHOP_SECONDS:g}, or choose a preset."
        )
    if not methods.get(spec.method).maps_rows:
        return
    for name, most in _WORKSHOP_MAP.items():
        if spec.param(name) > most:
            raise BadInput(
                f"{name}={spec.param(name)} is not for a workshop, where many people share one machine: give it at "
                f"most {most}."
            )
