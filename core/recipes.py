"""Settings that are known to serve: those of the shipped runs, and the presets of each method."""

from __future__ import annotations

from collections.abc import Sequence
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
_WORDS = {"epochs": 50, "learning_rate": 0.003, "weight_decay": 0.1}


def _at(sizes: Sequence[int], dataset: str, method: str, **params) -> list[tuple[str, str, dict[str, Any]]]:
    return [(dataset, method, {"n_components": k, **params}) for k in sizes]


# (data set, method, parameters other than the default)
RUNS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    *_at((2, 10), "digits", "pca"),
    *_at((2, 10), "digits", "linear_ae", epochs=300, batch_size=128),
    *_at((2, 10), "digits", "ae", **_DIGITS),
    *_at((2, 10), "digits", "vae", **_DIGITS),
    *_at((16,), "digits", "gan", epochs=300),
    *_at((2, 10), "docstrings", "lsa"),
    *_at((2, 10), "docstrings", "ae", **_WORDS),
    *_at((2, 10), "docstrings", "vae", **_WORDS),
    *_at((2,), "frey", "vae", output="normal", width=256, epochs=300, batch_size=64, learning_rate=0.002),
    *_at((2, 10, 30), "mnist", "pca"),
    *_at((2, 10, 30), "mnist", "linear_ae", epochs=30),
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


def presets(dataset: str, method: str, n_components: int) -> dict[str, dict[str, Any]]:
    """Parameters other than the default and the code size, by preset; none for a method without a clock.

    ``"seconds"`` and ``"a minute"`` end by the clock; ``"best"`` is how the shipped run was made, or one like it.

    Raises
    ------
    BadInput
        For an unknown data set or method.
    """
    entry = datasets.entry(dataset)
    declared = {p.name for p in methods.get(method).params}
    if "max_seconds" not in declared:
        return {}
    best = _best(dataset, entry.kind, method, n_components)
    short = {name: value for name, value in best.items() if name in ("learning_rate", "weight_decay", "output")}
    if entry.kind != DOCUMENTS:
        short.pop("weight_decay", None)
        if method == "ae" and entry.rows[0] > _FEW_ROWS:
            short["learning_rate"] = 0.02
    if entry.rows[0] <= _FEW_ROWS and method != "gan":
        short["batch_size"] = 128
    return {
        SECONDS: {**short, **_QUICK.get(method, {"max_seconds": 8.0})},
        MINUTE: {**short, "max_seconds": _WORKSHOP_SECONDS},
        BEST: best,
    }


# An adversarial game takes longer to show anything.
_QUICK = {"gan": {"max_seconds": 20.0, "network": "mlp"}}


def _best(dataset: str, kind: str, method: str, n_components: int) -> dict[str, Any]:
    """The shipped run's parameters but for its code size; of a data set without one those of one like it."""
    others = ("docstrings",) if kind == DOCUMENTS else (_LIKE.get(dataset, "mnist"), "digits")
    for name in (dataset, *others):
        found = [params for of, by, params in RUNS if (of, by) == (name, method)]
        if found:
            chosen = next((params for params in found if params["n_components"] == n_components), found[-1])
            return {key: value for key, value in chosen.items() if key != "n_components"}
    return {"epochs": 100}


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
