"""The command lines that repeat what a page shows."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from core.types import Spec


def fit(spec: Spec) -> str:
    """The line that makes exactly this run, every parameter spelled out."""
    words = ["python", "-m", "core", "fit", spec.dataset, spec.method]
    for name, value in (*spec.params, *spec.dataset_params):
        words += ["--set", f"{name}={value}"]
    return shlex.join([*words, "--seed", str(spec.seed)])


def fit_default(dataset: str, method: str, size: int) -> str:
    """The line that makes the run that is missing, at the method's defaults."""
    code = [] if method == "gan" else ["--set", f"n_components={size}"]
    return shlex.join(["python", "-m", "core", "fit", dataset, method, *code])


def compare(dataset: str, methods: Sequence[str], size: int) -> str:
    return shlex.join(["python", "-m", "core", "compare", dataset, *methods, "--code-size", str(size)])
