"""The command lines that repeat what a page shows."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from core.types import Spec
from pages.ui.runs import Line


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


def repeat(dataset: str, lines: Sequence[Line], size: int) -> str:
    """What makes the view again: one line for the runs that stand first, and one each for those chosen instead."""
    chosen = [line for line in lines if line.missing or (line.run and line.run.key != line.candidates[0].key)]
    first = [line.method for line in lines if line not in chosen]
    commands = [compare(dataset, first, size)] if first else []
    return "\n".join([*commands, *(fit(line.missing or line.run.spec) for line in chosen)])


def compare(dataset: str, methods: Sequence[str], size: int) -> str:
    return shlex.join(["python", "-m", "core", "compare", dataset, *methods, "--code-size", str(size)])


def labelled_fraction(dataset: str, approaches: Sequence[str], labels: Sequence[int], seeds: int) -> str:
    """The line that computes these cells of the labelled fraction, for as many seeds."""
    words = ["python", "-m", "core", "labelled-fraction", dataset, "--labels", ",".join(map(str, labels))]
    return shlex.join([*words, "--seeds", str(seeds), "--methods", ",".join(approaches)])
