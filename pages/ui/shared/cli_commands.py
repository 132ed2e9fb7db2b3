"""Command lines that reproduce what a page shows."""

import shlex
from collections.abc import Sequence

from core import methods
from core.types import Spec
from pages.ui.shared.run_picker import View


def format_fit(spec: Spec) -> str:
    """The command of exactly this run, with all parameters."""
    words = ["python", "-m", "core", "fit", spec.dataset, spec.method]
    for name, value in (*spec.params, *spec.dataset_params):
        words += ["--set", f"{name}={value}"]
    return shlex.join([*words, "--seed", str(spec.seed)])


def format_default_fit(dataset: str, method: str, size: int) -> str:
    """The command of a run with the method's defaults."""
    code = [] if methods.entry(method).has_own_code_size else ["--set", f"n_components={size}"]
    return shlex.join(["python", "-m", "core", "fit", dataset, method, *code])


def describe_view(view: View) -> tuple[str, str]:
    """The commands of a view, one for all default runs and one for each run chosen instead; and what they do."""
    chosen = [line for line in view.lines if line.missing or (line.run and line.run.key != line.candidates[0].key)]
    first = [line.method for line in view.lines if line not in chosen]
    compare = ["python", "-m", "core", "compare", view.entry.name, *first, "--code-size", str(view.size)]
    commands = [shlex.join(compare)] if first else []
    commands += [format_fit(line.missing or line.run.spec) for line in chosen]
    return "\n".join(commands), "Trains what is missing and evaluates these methods on the same rows."


def format_labelled_fraction(dataset: str, approaches: Sequence[str], labels: Sequence[int], seeds: int) -> str:
    """The command of these fits of the labelled fraction, with `seeds` seeds."""
    words = ["python", "-m", "core", "labelled-fraction", dataset, "--labels", ",".join(map(str, labels))]
    return shlex.join([*words, "--seeds", str(seeds), "--methods", ",".join(approaches)])
